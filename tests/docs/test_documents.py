"""The code in README, docs and examples runs, and gives the numbers written beside it.

A block of Python is executed in the order of its page, in one namespace per page. What stands in a
Markdown comment before a block changes it for the test only: `<!-- test: skip, reason -->` leaves
it out, `<!-- test: A -> B -->` replaces text, to make a long computation short.
A comment behind an expression that begins with a number is held against the expression's value.
"""

import ast
import numbers
import re
from pathlib import Path

import numpy as np
import pytest

import wheelwork as ww

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"(?P<notes>(?:<!-- test: [^\n]* -->\n)*)```python\n(?P<code>.*?)^```", re.DOTALL | re.MULTILINE
)
NUMBER = re.compile(r"[-+]?\d+(?:\.(?P<digits>\d+))?(?:e(?P<power>[-+]?\d+))?")


def blocks(path):
    """Return the blocks of a page as the test runs them."""
    found = []
    for match in BLOCK.finditer(path.read_text(encoding="utf-8")):
        code, skipped = match["code"], False
        for note in re.findall(r"<!-- test: (.*) -->", match["notes"]):
            if note.startswith("skip"):
                skipped = True
            else:
                old, new = note.split(" -> ")
                assert old in code, f"{path.name}: nothing to replace: {old}"
                code = code.replace(old, new)
        if not skipped:
            found.append(code)
    return found


def promised(line):
    """Return the numbers that a comment begins with, each with the unit of its last digit."""
    if "  # " not in line:
        return []
    comment = line.split("  # ", 1)[1]
    comment = re.sub(r"^'\w+', ", "", comment)
    if not NUMBER.match(comment):
        return []
    found = []
    for match in NUMBER.finditer(re.split(r"[a-zA-Z:(]{2,}", comment)[0]):
        unit = 10.0 ** (int(match["power"] or 0) - len(match["digits"] or ""))
        found.append((float(match[0]), unit))
    return found


def flat(value):
    if isinstance(value, tuple | list):
        return [number for item in value for number in flat(item)]
    return [float(value)] if isinstance(value, numbers.Real) else []


def run(code, names, page):
    """Execute a block statement by statement; compare the values that it promises."""
    lines = code.splitlines()
    for statement in ast.parse(code).body:
        if not isinstance(statement, ast.Expr):
            exec(compile(ast.Module([statement], []), str(page), "exec"), names)
            continue
        expression = statement.value
        if isinstance(expression, ast.Call) and getattr(expression.func, "id", "") == "print":
            expression = ast.Tuple(expression.args, ast.Load())
            ast.copy_location(expression, statement)
        tree = ast.fix_missing_locations(ast.Expression(expression))
        value = eval(compile(tree, str(page), "eval"), names)
        expected = promised(lines[statement.end_lineno - 1])
        for (number, unit), got in zip(expected, flat(value), strict=bool(expected)):
            assert got == pytest.approx(number, abs=0.6 * unit)


@pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")
@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_on_pages_runs_and_keeps_its_numbers(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"np": np, "ww": ww}
    for code in blocks(page):
        run(code, names, page)


def test_promises_are_read():
    line = "print(a, b)  # 59.5501  1.43145e-2"
    assert promised(line) == [(59.5501, 1e-4), (0.0143145, pytest.approx(1e-7))]
    assert promised("engine.regime, x  # 'engine', 0.434235") == [(0.434235, pytest.approx(1e-6))]
    assert promised("run()  # charging: 3 things") == []
    with pytest.raises(AssertionError):
        run("x = 2.0\nx  # 2.1", {}, "page")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_inside_the_repository_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    missing = [t for t in targets if not (page.parent / t.partition("#")[0]).exists()]
    assert not missing


def test_mappings_of_numbers_are_not_taken_for_numbers():
    assert flat((1, {"a": 2.0}, "x", np.float64(3.0))) == [1.0, 3.0]
