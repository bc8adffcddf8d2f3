"""The shape of the code: layers, file sizes, light import, public names."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import networkx as nx
import pytest

import wheelwork

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src" / "wheelwork").rglob("*.py"))
MODULES = [
    ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
    for path in SOURCES
]
HEAVY = {"numba", "scipy", "numpy", "matplotlib", "xarray", "cyclopts", "rich"}
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
IMPORTED_BELOW_THE_TOP: set[str] = {"states/density.py"}  # an optional package


def relative(path):
    return str(path.relative_to(ROOT / "src" / "wheelwork"))


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def lines_of_code(function):
    """Count the lines of a function without its docstring."""
    docstring = ast.get_docstring(function, clean=False)
    length = function.end_lineno - function.lineno + 1
    return length - (len(docstring.splitlines()) if docstring else 0)


def test_imports_point_downwards():
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def imported_modules(path):
    """Modules that a file imports anywhere, blocks of TYPE_CHECKING and functions included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                child = f"{node.module}.{alias.name}"
                yield child if child in MODULES else node.module


def test_no_modules_import_each_other():
    """Neither at run time nor for annotations; a package may name its children."""
    graph = nx.DiGraph()
    for module, path in zip(MODULES, SOURCES, strict=True):
        graph.add_edges_from((module, other) for other in imported_modules(path))
    cycles = [part for part in nx.strongly_connected_components(graph) if len(part) > 1]
    assert cycles == []
    assert not list(nx.selfloop_edges(graph))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_files_and_functions_stay_small(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    too_long = [
        function.name
        for function in functions(ast.parse(text))
        if lines_of_code(function) > LONGEST_FUNCTION
    ]
    assert not too_long


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_imports_are_absolute_and_at_the_top(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not [node for node in imports if isinstance(node, ast.ImportFrom) and node.level]
    if relative(path) not in IMPORTED_BELOW_THE_TOP:
        inside = {child for function in functions(tree) for child in ast.walk(function)}
        assert sorted(node.lineno for node in inside.intersection(imports)) == []


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is_and_exports_what_exists(module):
    loaded = importlib.import_module(module)
    assert loaded.__doc__
    assert not [name for name in getattr(loaded, "__all__", []) if not hasattr(loaded, name)]


def test_import_is_light():
    code = "import sys, wheelwork; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY.intersection(done.stdout.split())


def test_public_names_resolve_and_are_listed():
    for name in wheelwork.__all__:
        assert getattr(wheelwork, name) is not None
        assert name in dir(wheelwork)
    assert set(wheelwork._HOMES) < set(wheelwork.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Flywhel'"):
        _ = wheelwork.Flywhel
