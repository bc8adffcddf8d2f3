"""Times of first calls: each command in a fresh process, with and without a cache of byte code.

    python benchmarks/first_calls.py [OTHER/src] [--repeats N]

Median seconds of the processor (which other work on the machine disturbs less than those of the
clock), number of modules, and which heavy packages are among them; of another tree first.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAVY = ("numpy", "scipy", "numba", "networkx", "xarray", "matplotlib")
MAIN = "import sys; from wheelwork.cli import main; code = main({!r}); "
COUNT = "sys.stderr.write('\\0' + ' '.join(sys.modules))"
JOB = ROOT / "examples" / "rotor.toml"


def calls(folder: Path) -> dict[str, str]:
    """The code of each call; `folder` gets the files that it needs."""
    (folder / "typo.toml").write_text(JOB.read_text().replace("coupling", "couplng"))
    (folder / "project.toml").write_text('[project]\nname = "mine"\n')
    tokens = {
        "--help": ["--help"],
        "--version": ["--version"],
        "run --help": ["run", "--help"],
        "status": ["status", str(folder / "store")],
        "schema": ["schema"],
        "a wrong option": ["run", "rotor", "--pionts", "3"],
        "no such file": ["run", str(folder / "nothere.toml")],
        "no parameter file": ["run", str(folder / "project.toml")],
        "a misspelt key": ["run", str(folder / "typo.toml")],
    }
    return {"import wheelwork": "import sys, wheelwork; "} | {
        name: MAIN.format(each) for name, each in tokens.items()
    }


def seconds(code: str, environment: dict[str, str]) -> tuple[float, list[str]]:
    """Return the time of the processor that a fresh process takes, and the modules it loads."""
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-c", code + COUNT], env=environment, capture_output=True, text=True
    )
    after = os.times()
    spent = after.children_user + after.children_system
    spent -= before.children_user + before.children_system
    return spent, done.stderr.rpartition("\0")[2].split()


def measure(source: Path, folder: Path, repeats: int) -> None:
    environment = dict(os.environ, PYTHONPATH=str(source), OMP_NUM_THREADS="1")
    store = folder / "store"
    shutil.rmtree(store, ignore_errors=True)
    text = JOB.read_text().replace("points = 89", "points = 2")
    (folder / "job.toml").write_text(text)
    job = ["run", str(folder / "job.toml"), "--store", str(store), "--shard", "1/1", "--quiet"]
    subprocess.run([sys.executable, "-c", MAIN.format(job)], env=environment, check=True)
    print(f"{source}\n| call | warm, s | cold, s | modules | heavy |\n|---|---|---|---|---|")
    for name, code in calls(folder).items():
        warm = [seconds(code, environment) for _ in range(repeats)]
        cold = []
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as empty:
                cold.append(seconds(code, environment | {"PYTHONPYCACHEPREFIX": empty})[0])
        modules = warm[0][1]
        heavy = " ".join(each for each in HEAVY if each in modules)
        times = f"{statistics.median(one for one, _ in warm):.2f} | {statistics.median(cold):.2f}"
        print(f"| {name} | {times} | {len(modules)} | {heavy} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", nargs="?", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for source in (options.other, ROOT / "src"):
            if source is not None:
                measure(source.resolve(), Path(temporary), options.repeats)
