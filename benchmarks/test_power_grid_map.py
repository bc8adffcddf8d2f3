"""All branches of a chain over both rates, timed on one core."""

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture
from timing import measure

from wheelwork import MeanField, PowerGrid

POINTS, TARGET = 100, 40.0  # per axis; seconds


def test_map_of_all_branches(benchmark: BenchmarkFixture) -> None:
    rates = np.linspace(0.08, 8.0, POINTS)
    chain = PowerGrid.chain(sites=10, injection=4.0, extraction=4.0, damping=1e-3)
    found = measure(
        benchmark,
        f"power grid, all branches at {POINTS} × {POINTS} rates",
        lambda: chain.branch_map({"injection": rates, "extraction": rates}, MeanField()),
        rounds=1,
        target=TARGET,
    )
    assert int(found["branches"].max()) >= 10
