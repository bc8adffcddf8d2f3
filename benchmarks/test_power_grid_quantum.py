"""Power grids of few quanta: against QuTiP, large cutoffs, and Fig. 4 of Huber and Rabl."""

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from timing import compare, measure

import wheelwork as ww
from wheelwork.lindblad import graded
from wheelwork.machines.power_grid.quantum.fock_space import FockSpace
from wheelwork.machines.power_grid.quantum.model import QuantumModel, gauge_phases
from wheelwork.machines.power_grid.quantum.rates import GridRates

LEVELS = 20
EDGE = (0, 1)


def chain(extraction: float, saturation: float = 1.0, damping: float = 1e-3) -> ww.PowerGrid:
    return ww.PowerGrid.chain(
        sites=2, injection=4.0, extraction=extraction, damping=damping, saturation=saturation
    )


def graded_state(grid: ww.PowerGrid, cutoff: int) -> graded.GradedSteadyState:
    model = QuantumModel(GridRates.of(grid), FockSpace(2, cutoff), gauge_phases(grid, None))
    return graded.steady_state(model.equation, 1e-8)


def qutip_operators(qutip, grid, levels):  # type: ignore[no-untyped-def]
    """H, jumps and the current as one would write them down."""
    a = qutip.tensor(qutip.destroy(levels), qutip.qeye(levels))
    b = qutip.tensor(qutip.qeye(levels), qutip.destroy(levels))
    f = qutip.Qobj(np.diag(1.0 / (1.0 + np.arange(levels))))
    A = qutip.tensor(f * qutip.destroy(levels), qutip.qeye(levels))
    B = qutip.tensor(qutip.qeye(levels), f * qutip.destroy(levels))
    gamma = np.sqrt(grid.damping)
    jumps = [gamma * a, gamma * b, np.sqrt(4.0) * A.dag(), np.sqrt(grid.extraction) * B]
    hop = a.dag() * b
    return -0.5 * (hop + hop.dag()), jumps, -0.5j * (hop - hop.dag())


@pytest.mark.parametrize(("cutoff", "rtol"), [(26, 1e-3), (38, 1e-6)], ids=["accuracy", "space"])
def test_twenty_levels_against_qutip(benchmark: BenchmarkFixture, cutoff: int, rtol: float) -> None:
    """At most 26 quanta in all are more accurate; 38 hold every state of twenty levels a mode."""
    qutip = pytest.importorskip("qutip")
    grid = chain(8.0, damping=1e-2)
    H, jumps, J = qutip_operators(qutip, grid, LEVELS)
    method = ww.MasterEquation(rtol=rtol, cutoff=cutoff)
    found = []
    compare(
        benchmark,
        lambda: grid.steady_state(method),
        lambda: found.append(qutip.expect(J, qutip.steadystate(H, jumps))),
        labels=(
            f"power grid, 2 nodes, {cutoff} quanta, with errors",
            f"qutip {qutip.__version__}, steadystate (direct), {LEVELS} levels a mode",
        ),
        rounds=1,
        repeats=5,
    )
    exact = grid.steady_state(ww.MasterEquation(rtol=1e-9)).current[EDGE]
    assert abs(grid.steady_state(method).current[EDGE] - exact) < abs(found[-1] - exact)


@pytest.mark.parametrize(
    ("cutoff", "saturation", "extraction", "target"),
    [(50, 1.0, 2.0, 1.0), (140, 1.0, 2.0, 30.0), (140, 2.0, 4.0, 30.0), (210, 1.0, 2.0, 120.0)],
)
def test_large_cutoffs(
    benchmark: BenchmarkFixture, cutoff: int, saturation: float, extraction: float, target: float
) -> None:
    grid = chain(extraction, saturation)
    steady = measure(
        benchmark,
        f"power grid, 2 nodes, {cutoff} quanta, n0 = {saturation:g}, Γ_e = {extraction:g}",
        lambda: graded_state(grid, cutoff),
        rounds=1,
        target=target,
    )
    left_by_iterations = float(np.abs(steady.error_samples[0]).sum())  # the cutoff is given
    assert left_by_iterations < 1e-7


@pytest.mark.parametrize(
    ("saturation", "extraction", "fluctuation"),
    [(1.0, 4.0, 6.83489), (2.0, 2.0, 7.99395), (2.0, 4.0, 10.24121)],
)
def test_fluctuations_of_figure_4a(
    benchmark: BenchmarkFixture, saturation: float, extraction: float, fluctuation: float
) -> None:
    grid = chain(extraction, saturation)
    state = measure(
        benchmark,
        f"power grid, 2 nodes, n0 = {saturation:g}, Γ_e = {extraction:g}, cutoff found",
        lambda: grid.steady_state(ww.MasterEquation()),
        rounds=1,
    )
    assert state.current_fluctuation[EDGE] == pytest.approx(fluctuation, rel=2e-6)
    assert all(entry.ok for entry in state.audit.values())
