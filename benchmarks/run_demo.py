"""Time `wheelwork run flywheel` as a whole process: python benchmarks/run_demo.py.

The first run compiles everything and lays out the plot fonts, as right after installation; the
second finds both done. Threads are left as the environment has them.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGET = 30.0


def run(folder: Path) -> tuple[float, float]:
    """Seconds on the clock and of processor time, with caches and results in `folder`."""
    caches = {"NUMBA_CACHE_DIR": str(folder / "numba"), "MPLCONFIGDIR": str(folder / "matplotlib")}
    command = [str(Path(sys.executable).with_name("wheelwork")), "run", "flywheel"]
    start, used = time.perf_counter(), _processor_time()
    subprocess.run(
        [*command, "--out", str(folder / "out")],
        env=os.environ | caches,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - start, _processor_time() - used


def _processor_time() -> float:
    """Of all children that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def main() -> None:
    """Run twice and print both times."""
    with tempfile.TemporaryDirectory() as folder:
        for state in ("cold", "warm"):
            elapsed, used = run(Path(folder))
            verdict = "met" if elapsed <= TARGET else "MISSED"
            print(
                f"run flywheel, {state} caches: {elapsed:.1f} s (target {TARGET:g} s: {verdict}), "
                f"{used:.1f} s of processor time"
            )


if __name__ == "__main__":
    main()
