"""Power grids where the master equation is hard: few eigenvectors, two branches, many nodes."""

import networkx as nx
import numpy as np
import pytest
from scipy.linalg import solve_continuous_lyapunov, solve_sylvester

import wheelwork as ww
from wheelwork import thermodynamics
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.lindblad import graded
from wheelwork.lindblad.graded.preconditioner import SchurModes, modes_of
from wheelwork.machines.power_grid.model import linear_network, loss_rates
from wheelwork.machines.power_grid.quantum.fock_space import FockSpace
from wheelwork.machines.power_grid.quantum.model import QuantumModel, gauge_phases
from wheelwork.machines.power_grid.quantum.moments import Moments
from wheelwork.machines.power_grid.quantum.rates import GridRates

# two ways to be full or empty: gain wins only beyond some quanta, where loss is saturated
BISTABLE = ww.PowerGrid(
    nx.path_graph(1),
    generators={0: ww.Saturable(3.0, 60.0)},
    engines={0: ww.Saturable(60.0, 2.0)},
    damping=0.5,
)


def gaussian_occupations(grid):
    L = linear_network(grid) - np.diag(0.5 * loss_rates(grid, np.zeros(len(grid.nodes))))
    source = np.diag(grid.dampings * grid.thermal_occupations).astype(complex)
    return solve_continuous_lyapunov(L.conj(), -source).diagonal().real


@pytest.mark.parametrize("real", [None, False])
@pytest.mark.parametrize("extraction", [2.0, 2.0 + 1e-7, 2.001])
def test_exceptional_points(extraction, real):
    """At Γ_e = 2g the two nodes' rung has one eigenvector instead of K + 1."""
    grid = ww.PowerGrid.chain(2, 0.0, extraction, 0.3, thermal_occupation=0.2, exponent=0.0)
    state = grid.steady_state(ww.MasterEquation(real=real))
    off = np.abs(state.occupation.array - gaussian_occupations(grid))
    assert np.all(off <= state.occupation.errors + 1e-14)
    assert np.all(state.occupation.errors < 1e-6)
    assert state.solution.steady.iterations < 100


@pytest.mark.parametrize("kind", [float, complex])
def test_solutions_without_eigenvectors(kind):
    rng = np.random.default_rng(3)
    D = np.eye(5, k=1, dtype=kind) - 0.5 * np.eye(5)
    if kind is complex:
        D = D - 0.3j * np.eye(5) + 0.2j * np.eye(5, k=2)
    B = rng.normal(size=(5, 5)).astype(kind)
    if kind is complex:
        B = B + 1j * rng.normal(size=(5, 5))
    B = B + B.conj().T
    modes = modes_of(D, 1e-6)
    assert isinstance(modes, SchurModes)
    np.testing.assert_allclose(modes.solve(B), solve_sylvester(D, D.conj().T, B), rtol=1e-8)


def test_trajectories_that_do_not_leave_where_they_began():
    """From the vacuum alone they give 0.07 ± 0.01 quanta; there are 83."""
    exact = BISTABLE.steady_state(ww.MasterEquation(rtol=1e-4)).occupation[0]
    assert exact == pytest.approx(82.883, abs=1e-3)
    with pytest.raises(NotConverged, match="from the vacuum and from the largest stable branch"):
        BISTABLE.steady_state(
            ww.QuantumJumps(
                cutoff=150, duration=40.0, burn_in=20.0, trajectories=16, times=8, threads=1
            )
        )


def test_errors_of_trajectories_that_seldom_leave():
    grid = ww.PowerGrid(
        nx.path_graph(1),
        generators={0: ww.Saturable(2.0, 40.0)},
        engines={0: ww.Saturable(20.0, 2.0)},
        damping=0.3,
    )
    state = grid.steady_state(
        ww.QuantumJumps(
            cutoff=150, duration=100.0, burn_in=30.0, trajectories=24, times=16, threads=1
        )
    )
    exact = grid.steady_state(ww.MasterEquation(rtol=1e-4)).occupation[0]
    assert abs(state.occupation[0] - exact) < 3.0 * state.occupation.errors[0]


def test_branches_beyond_the_cutoff_are_in_the_audit():
    state = BISTABLE.steady_state(
        ww.QuantumJumps(cutoff=40, duration=20.0, burn_in=5.0, trajectories=8, times=8, threads=1)
    )
    assert not state.audit["mean-field quanta / cutoff"].ok
    assert not state.audit["difference of the starts"].ok


def test_the_vacuum_has_no_spread():
    grid = ww.PowerGrid.chain(2, 0.0, 2.0, 0.1)
    state = grid.steady_state(
        ww.QuantumJumps(cutoff=3, duration=4.0, burn_in=1.0, trajectories=4, times=4, threads=1)
    )
    assert state.current_fluctuation[(0, 1)] == 0.0
    assert all(entry.ok for entry in state.audit.values())


@pytest.mark.parametrize(("modes", "cutoff"), [(32, 2), (40, 2)])
def test_many_nodes(modes, cutoff):
    """(M + 2)^N exceeds 64 bits."""
    space = FockSpace(modes, cutoff)
    one = np.eye(modes, dtype=int)
    for K in range(cutoff):
        for j in range(modes):
            there = space.occupations[K + 1][space.above[K][j]]
            assert np.all(there - space.occupations[K] == one[j])
    last = [np.unique(places).size for places in space.above[cutoff]]
    assert last == [space.sizes[cutoff]] * modes
    state = space.all_occupations[-2]
    assert space.index(state) == space.dimension - 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"seed": -1}, "`seed` must be at least 0"),
        ({"seed": 2**63}, "`seed` must be below"),
        ({"seed": 0.5}, "`seed` must be an integer"),
        ({"threads": 0}, "`threads` must be at least 1"),
    ],
)
def test_bad_jumps_are_refused_at_once(fields, message):
    with pytest.raises(InvalidArgument, match=message):
        ww.QuantumJumps(cutoff=4, duration=2.0, burn_in=1.0, **fields)


def test_bad_choices():
    for real in (0, 1, np.array([1, 2])):
        with pytest.raises(InvalidArgument, match="`real` must be True, False or None"):
            ww.MasterEquation(real=real)
    state = ww.PowerGrid.chain(2, 0.1, 2.0, 0.5).steady_state(ww.MasterEquation(rtol=1e-2))
    for nodes in (1, [[0]], np.array([1])):
        with pytest.raises(InvalidArgument, match="`second` must name nodes"):
            state.negativity_of([0], nodes)


@pytest.mark.parametrize("rtol", [1e-4, 1e-6])
def test_errors_cover_what_iterations_leave(rtol):
    """At one cutoff, against iterations that went on."""
    rng = np.random.default_rng(7)
    for _ in range(8):
        grid = ww.PowerGrid.chain(
            2,
            injection=rng.uniform(0.1, 5.0),
            extraction=rng.uniform(0.1, 8.0),
            damping=10.0 ** rng.uniform(-2.0, 0.0),
            coupling=10.0 ** rng.uniform(-1.0, 0.5),
            saturation=rng.uniform(0.3, 2.0),
        )
        model = QuantumModel(GridRates.of(grid), FockSpace(2, 20), gauge_phases(grid, None))
        rough = graded.steady_state(model.equation, rtol)
        sharp = Moments.of(model, graded.steady_state(model.equation, 1e-12).values)
        found = Moments.of(model, rough.values)
        left = Moments.of(model, rough.error_samples[0], magnitudes=True)
        for name in ("occupation", "current", "square"):
            off = np.abs(getattr(found, name) - getattr(sharp, name))
            assert np.all(off <= 3.0 * getattr(left, name) + 1e-11), name


def test_magnitudes_bound_means():
    grid = ww.PowerGrid.chain(3, 0.5, 2.0, 0.4, thermal_occupation=0.3, coupling=-0.7)
    space = FockSpace(3, 4)
    rng = np.random.default_rng(2)
    for wanted in (None, False):
        model = QuantumModel(GridRates.of(grid), space, gauge_phases(grid, wanted))
        for _ in range(4):
            vector = model.equation.zeros()
            for block in model.equation.blocks(vector):
                some = rng.normal(size=block.shape)
                block[:] = some + some.T
            plain, most = Moments.of(model, vector), Moments.of(model, vector, magnitudes=True)
            for name in ("occupation", "injected", "dissipated", "current", "square", "normal"):
                assert np.all(np.abs(getattr(plain, name)) <= getattr(most, name)), name


def test_correlations_of_what_is_no_state():
    skew = np.diag([0.5, 0.0, 0.0, 0.5])
    skew[0, 1] = 0.5
    for measure in (thermodynamics.negativity, thermodynamics.mutual_information):
        with pytest.raises(InvalidArgument, match="`state` must be Hermitian"):
            measure(skew, (2, 2))


def test_a_tail_that_flattens_far_out_is_not_cut_off():
    """Gain 0.99 γ leaves a thermal tail; an engine hides it from a cutoff of 16 quanta."""
    grid = ww.PowerGrid(
        nx.path_graph(1),
        generators={0: ww.Saturable(0.99, 1.0, 0.0)},
        engines={0: ww.Saturable(8.0, 170.0, 40.0)},
        damping=1.0,
    )
    n = np.arange(6000.0)
    engine = 8.0 / (1.0 + n / 170.0) ** 40.0
    log_p = np.concatenate([[0.0], np.cumsum(np.log(0.99) - np.log1p(engine[:-1]))])
    p = np.exp(log_p) / np.sum(np.exp(log_p))
    state = grid.steady_state(ww.MasterEquation(rtol=1e-3))
    assert state.cutoff > 500
    assert abs(state.occupation[0] - n @ p) <= state.occupation.errors[0]
