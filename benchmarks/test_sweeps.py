"""What a sweep adds to its points, and what a store adds to a sweep."""

import itertools
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from fake_machine import Fake
from pytest_benchmark.fixture import BenchmarkFixture
from timing import measure

from wheelwork.sweeps import Processes, collect, sweep

POINTS = 1000
TARGET = 1e-3 * POINTS  # seconds: one millisecond per point
VALUES = {"x": np.linspace(0.0, 1.0, POINTS)}


def require_whole(dataset: xr.Dataset) -> None:
    """Every point is there, with a result."""
    assert dataset.sizes["x"] == POINTS
    assert dataset.attrs["complete"] == 1
    assert int(dataset["failed"].sum()) == 0


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with Processes(2).start() as executor:
        sweep(Fake(), VALUES, executor=executor)
        yield executor


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / f"store-{number}" for number in itertools.count())


def test_here(benchmark: BenchmarkFixture) -> None:
    label = f"sweep of {POINTS} points that cost nothing"
    require_whole(measure(benchmark, label, lambda: sweep(Fake(), VALUES), target=TARGET))


def test_here_with_store(benchmark: BenchmarkFixture, folders: Iterator[Path]) -> None:
    label = f"sweep of {POINTS} points, with a store"
    found = measure(
        benchmark, label, lambda: sweep(Fake(), VALUES, store=next(folders)), target=TARGET
    )
    require_whole(found)


def test_processes(benchmark: BenchmarkFixture, folders: Iterator[Path], pool: Executor) -> None:
    label = f"sweep of {POINTS} points, two processes and a store"

    def work() -> object:
        return sweep(Fake(), VALUES, store=next(folders), executor=pool)

    require_whole(measure(benchmark, label, work, target=TARGET))


def test_collect(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    sweep(Fake(), VALUES, store=tmp_path / "store")
    label = f"collect {POINTS} points"
    require_whole(measure(benchmark, label, lambda: collect(tmp_path / "store")))
