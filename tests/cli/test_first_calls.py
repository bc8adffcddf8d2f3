"""What a first call loads: modules are counted, not seconds."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from wheelwork.cli import main
from wheelwork.cli.known import MACHINES
from wheelwork.cli.toml_text import NAMES

HEAVY = {"numba", "scipy", "xarray", "pandas", "matplotlib", "networkx"}
EXAMPLES = Path(__file__).parents[2] / "examples"

# One process makes all calls, each of which may load no more than those before it.
CALLS = """
import contextlib, io, json, sys
from wheelwork.cli import main
found = []
for tokens in json.load(sys.stdin):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = main(tokens)
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    found.append([code, loaded, out.getvalue()])
json.dump(found, sys.stdout)
"""


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """Exit code, modules and output of calls that ask, or that hold a mistake."""
    folder = tmp_path_factory.mktemp("calls")
    store = folder / "store"
    text = (EXAMPLES / "rotor.toml").read_text().replace("points = 89", "points = 2")
    job = folder / "rotor.toml"
    job.write_text(text.replace('"beta_ratio"', '"coupling"').replace("stop = 0.9", "stop = 0.1"))
    assert main(["run", str(job), "--store", str(store), "--shard", "1/1", "--quiet"]) == 0
    (folder / "no.toml").write_text("machine = ")
    (folder / "project.toml").write_text('[project]\nname = "mine"\n')
    (folder / "unknown.toml").write_text('machine = "rotr"\n')
    asked = {
        "version": ["--version"],
        "help": ["--help"],
        "help of run": ["run", "--help"],
        "help of a preset": ["run", "rotor", "--help"],
        "help of collect": ["collect", "--help"],
        "help of schema": ["schema", "--help"],
        "status": ["status", str(store)],
        "status as json": ["status", str(store), "--json"],
        "no store": ["status", str(folder)],
        "schema": ["schema"],
        "schema of one": ["schema", "rotor"],
        "wrong command": ["rum"],
        "wrong option": ["run", "rotor", "--pionts", "3"],
        "wrong number": ["run", "rotor", "--points", "few"],
        "no file": ["run", str(folder / "nothere.toml")],
        "no toml": ["run", str(folder / "no.toml")],
        "no parameter file": ["run", str(folder / "project.toml")],
        "unknown machine": ["run", str(folder / "unknown.toml")],
    }
    done = subprocess.run(
        [sys.executable, "-c", CALLS],
        input=json.dumps(list(asked.values())),
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(asked, json.loads(done.stdout), strict=True))


def test_questions_and_mistakes_load_no_numerics(calls):
    assert {name: HEAVY.intersection(loaded) for name, (_, loaded, _) in calls.items()} == {
        name: set() for name in calls
    }


def test_the_shell_completes_without_numerics():
    code = (
        "import sys; from wheelwork.cli.app import app; "
        "print(app.generate_completion(shell='bash'), *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    words = set(done.stdout.split())
    assert {"power-grid", "collect"} <= set(re.findall(r"[\w-]+", done.stdout))
    assert not HEAVY & words


def test_version_and_help_load_not_even_numpy(calls):
    assert "numpy" not in calls["help"][1]


@pytest.mark.parametrize(
    ("call", "code", "said"),
    [
        ("help of run", 0, "power-grid"),
        ("status", 0, "2 of 2 points"),
        ("schema of one", 0, '"RotorEngineFile"'),
        ("no store", 2, "`store` must be a store of a sweep"),
        ("wrong option", 2, "Did you mean"),
        ("no file", 2, "`FILE` must be a readable TOML file"),
        ("no toml", 2, "`FILE` must be valid TOML, but is not"),
        ("no parameter file", 2, "`machine` is missing"),
        ("unknown machine", 2, "`machine` must be 'flywheel' or 'rotor' or 'power-grid'"),
    ],
)
def test_light_calls_do_their_work(calls, call, code, said):
    assert calls[call][0] == code
    assert said in calls[call][2]


def test_the_names_that_are_checked_first_are_those_of_the_machines():
    assert list(NAMES) == list(MACHINES)
