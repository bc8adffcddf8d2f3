"""Steady states in sectors, timed alone and in turn with QuTiP's."""

import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from timing import compare, measure

from wheelwork.lindblad import Krylov, Lindblad, SparseLU, State, steady_state

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "lindblad"))
from open_systems import System, rotor, two_modes

LARGE = 4096
LARGE_TARGET = 0.5  # seconds
GRID_QUANTA, GRID_TARGET = 50, 10.0


def solved(system: System) -> Any:
    """Assembly included: the operators are all that is given."""
    return steady_state(Lindblad(system.hamiltonian, system.jumps))


def reduced_error(system: System, flow: float) -> float:
    """How far a flow is from one solved with another ordering of unknowns."""
    exact = steady_state(system.lindblad, SparseLU()).expect(system.observables["flow"])
    return abs(flow / float(np.real(exact)) - 1.0)


@pytest.mark.parametrize(("levels", "rounds"), [(64, 10), (256, 4)])
def test_rotor_against_qutip(benchmark: BenchmarkFixture, levels: int, rounds: int) -> None:
    qutip = pytest.importorskip("qutip")
    system = rotor(levels)
    dims = [[2, 2, levels], [2, 2, levels]]
    H = qutip.Qobj(system.hamiltonian, dims=dims)
    jumps = [qutip.Qobj(jump, dims=dims) for jump in system.jumps]
    flow = qutip.Qobj(system.observables["flow"], dims=dims)

    def other() -> Any:
        return qutip.steadystate(H, jumps, method="direct")

    error = reduced_error(system, (other() * flow).tr().real)
    assert error < 1e-9
    compare(
        benchmark,
        lambda: solved(system),
        other,
        labels=(f"rotor, {levels} levels", "QuTiP steadystate, direct"),
        note=f"flows differ by {error:.0e}",
        rounds=rounds,
        repeats=5,
    )


def test_large_rotor(benchmark: BenchmarkFixture) -> None:
    system = rotor(LARGE)
    found = measure(
        benchmark, f"rotor, {LARGE} levels", lambda: solved(system), rounds=5, target=LARGE_TARGET
    )
    assert found.sector.size == 6 * LARGE - 2


@pytest.mark.parametrize("method", [SparseLU(), Krylov()])
def test_two_modes(benchmark: BenchmarkFixture, method: SparseLU | Krylov) -> None:
    system = two_modes(GRID_QUANTA, loss=4.0)
    found = measure(
        benchmark,
        f"two modes, {GRID_QUANTA} quanta, {type(method).__name__}",
        lambda: steady_state(system.lindblad, method),
        rounds=1,
        target=GRID_TARGET,
    )
    assert isinstance(found.state, State)


def test_memory_is_linear(benchmark: BenchmarkFixture) -> None:
    """Peak bytes of Python's allocations at 1024 and 2048 levels; LU factors count by fill."""
    peaks = []
    for levels in (1024, 2048):
        system = rotor(levels)
        tracemalloc.start()
        found = solved(system)
        peaks.append(
            tracemalloc.get_traced_memory()[1] + 12 * found.inverse.factorisation.lu.filled
        )
        tracemalloc.stop()
    assert peaks[1] < 2.3 * peaks[0]
    measure(benchmark, "rotor, 1024 levels", lambda: solved(rotor(1024)), rounds=3)
