"""The figures of docs/sweeps.md: python benchmarks/sweep_figures.py [POINTS]."""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
from fake_machine import Fake

import wheelwork as ww
from wheelwork.sweeps import Processes, collect, status, sweep
from wheelwork.sweeps.export import same_numbers, write_netcdf

FILES = 300
PAIRS = 5


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return seconds and result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def memory() -> float:
    """Largest memory of this process so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def scale(folder: Path, pool: Executor, points: int) -> None:
    """Sweep, collect, write and resume that many points that cost nothing."""
    values = {"x": np.linspace(0.0, 1.0, points)}
    store = folder / f"{points}"
    here, plain = timed(lambda: sweep(Fake(), values))
    work, found = timed(lambda: sweep(Fake(), values, store=store, executor=pool))
    gather, collected = timed(lambda: collect(store))
    write, _ = timed(lambda: write_netcdf(collected, folder / "data.nc"))
    again, resumed = timed(lambda: sweep(Fake(), values, store=store))
    assert all(same_numbers(plain, other) for other in (found, collected, resumed))
    size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    solving = status(store).seconds
    print(
        f"{points:7d} points: here {1e6 * here / points:.0f} us/point; two processes and store "
        f"{1e6 * work / points:.0f} us/point (of which {1e6 * solving / points:.0f} solving, in "
        f"two processes); collect {gather:.2f} s; netCDF {write:.2f} s; resume {again:.2f} s; "
        f"{1e-6 * size:.0f} MB; memory {memory():.0f} MB",
        flush=True,
    )


def file_per_point(folder: Path) -> None:
    """What the alternative costs: every point a file of its own, written, synced, renamed."""

    def write(number: int, sync: bool) -> None:
        part = folder / f"{number}.part"
        file = os.open(part, os.O_WRONLY | os.O_CREAT)
        os.write(file, b"x" * 2500)
        if sync:
            os.fsync(file)
        os.close(file)
        part.replace(folder / f"{number}.json")

    for sync in (True, False):
        seconds, _ = timed(lambda: [write(number, sync) for number in range(FILES)])  # noqa: B023
        kind = "synced" if sync else "not synced"
        print(f"a file per point, {kind}: {1e6 * seconds / FILES:.0f} us/point", flush=True)


def speed_up(pool: Executor) -> None:
    """Two processes against one, on points of a flywheel, in turn."""
    values = {"bias": np.linspace(0.5, 32.0, 64)}
    with Processes(1).start() as single:
        for executor in (single, pool):
            sweep(ww.Flywheel.paper(), values, executor=executor)
        for _ in range(PAIRS):
            one, _ = timed(lambda: sweep(ww.Flywheel.paper(), values, executor=single))
            two, _ = timed(lambda: sweep(ww.Flywheel.paper(), values, executor=pool))
            load = os.getloadavg()[0]
            print(f"flywheel: one {one:.2f} s, two {two:.2f} s: {one / two:.2f} (load {load:.1f})")


def main() -> None:
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name, Processes(2).start() as pool:
        file_per_point(Path(name))
        sweep(Fake(), {"x": np.linspace(0.0, 1.0, 100)}, executor=pool)
        for points in (largest // 100, largest // 10, largest):
            scale(Path(name), pool, points)
        speed_up(pool)


if __name__ == "__main__":
    main()
