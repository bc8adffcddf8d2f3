"""The master equation of power grids: exactly solved grids, laws, other routes, other people."""

import networkx as nx
import numpy as np
import pytest
from scipy.linalg import solve_continuous_lyapunov

import wheelwork as ww
from wheelwork import lindblad
from wheelwork.machines.power_grid.model import gain_rates, linear_network, loss_rates
from wheelwork.machines.power_grid.quantum.fock_space import FockSpace
from wheelwork.machines.power_grid.quantum.model import QuantumModel, gauge_phases
from wheelwork.machines.power_grid.quantum.rates import GridRates


def chain(extraction, **fields):
    values = {"sites": 2, "injection": 4.0, "damping": 1e-2} | fields
    return ww.PowerGrid.chain(extraction=extraction, **values)


def linear_grid(graph, **fields):
    """Gain and loss that do not saturate: the state is Gaussian."""
    return ww.PowerGrid(
        graph,
        generators={0: ww.Saturable(0.2, exponent=0.0)},
        engines={2: ww.Saturable(0.5, exponent=0.0)},
        damping={0: 0.9, 1: 0.6, 2: 0.8},
        thermal_occupation={0: 0.1, 1: 0.3, 2: 0.0},
        **fields,
    )


def gaussian_coherences(grid):
    """⟨a_j†a_k⟩ of a linear grid: L* C + C Lᵀ + gain = 0."""
    L = linear_network(grid)
    N = len(grid.nodes)
    gain, loss = gain_rates(grid, np.zeros(N)), loss_rates(grid, np.zeros(N))
    L = L + np.diag(0.5 * (gain - loss))
    source = gain + grid.dampings * grid.thermal_occupations
    return solve_continuous_lyapunov(L.conj(), -np.diag(source).astype(complex))


# ---------------------------------------------------------------------- exactly solved


@pytest.mark.parametrize("detuning", [0.0, {0: 0.3, 1: -0.2, 2: 0.5}])
@pytest.mark.parametrize("graph", [nx.path_graph(3), nx.cycle_graph(3)], ids=["chain", "triangle"])
def test_linear_grids_are_gaussian(graph, detuning):
    """Occupations and currents of a Gaussian state; ⟨:J²:⟩ by Wick's theorem."""
    grid = linear_grid(graph, detuning=detuning, coupling=0.8)
    state = grid.steady_state(ww.MasterEquation(rtol=1e-5))
    C = gaussian_coherences(grid)
    n = C.diagonal().real
    np.testing.assert_allclose(state.occupation.array, n, rtol=1e-4)
    assert np.all(np.abs(state.occupation.array - n) <= state.occupation.errors)
    for (u, v), current in state.current.items():
        place = state.machine.edges.index((u, v))
        assert abs(current - 0.8 * C[u, v].imag) <= state.current.errors[place] < 3e-5
        assert state.current[(v, u)] == -current
        normal = 0.5 * 0.8**2 * (n[u] * n[v] + abs(C[u, v]) ** 2 - 2.0 * (C[u, v] ** 2).real)
        doubt = state.solution.moment_errors.normal[place]
        assert abs(state.moments.normal[place] - normal) <= doubt < 1e-3


def test_equilibrium_is_a_product_of_thermal_states():
    grid = chain(0.0, injection=0.0, damping=0.3, thermal_occupation=0.25)
    state = grid.steady_state(ww.MasterEquation(rtol=1e-7))
    n = np.arange(state.cutoff + 1)
    np.testing.assert_allclose(state.populations[1], 0.8 * 0.2**n, atol=1e-7)
    np.testing.assert_allclose(state.occupation.array, 0.25, rtol=1e-7)
    assert abs(state.current[(0, 1)]) < 1e-10
    assert state.negativity == pytest.approx(0.0, abs=1e-10)
    assert state.mutual_information == pytest.approx(0.0, abs=state.errors["mutual_information"])
    assert state.entropy == pytest.approx(2.0 * (1.25 * np.log(1.25) - 0.25 * np.log(0.25)))
    assert state.current_fluctuation[(0, 1)] ** 2 == pytest.approx(0.5 * 0.25 * 1.25, rel=1e-6)
    assert state.current_fluctuation_normal[(1, 0)] == pytest.approx(0.25 / np.sqrt(2.0), rel=1e-6)
    np.testing.assert_allclose(state.local_ergotropy.array, 0.0, atol=1e-6)


def test_no_gain_and_no_heat_leaves_the_vacuum():
    state = chain(3.0, injection=0.0).steady_state(ww.MasterEquation())
    assert state.purity == pytest.approx(1.0, abs=1e-12)
    assert abs(state.occupation[0]) < 1e-12


@pytest.mark.parametrize(("saturation", "exponent"), [(1.0, 2.0), (0.5, 1.0)])
def test_one_node_is_a_birth_and_death_chain(saturation, exponent):
    """p(n+1)/p(n) = (Γ_i(n) + γN)/(Γ_e(n) + γ(N + 1)), all times n + 1."""
    grid = ww.PowerGrid(
        nx.path_graph(1),
        generators={0: ww.Saturable(3.0, saturation, exponent)},
        engines={0: ww.Saturable(0.7, 2.0)},
        damping=0.2,
        thermal_occupation=0.1,
    )
    state = grid.steady_state(ww.MasterEquation(rtol=1e-8))
    n = np.arange(state.cutoff)
    up = 3.0 / (1.0 + n / saturation) ** exponent + 0.02
    down = 0.7 / (1.0 + n / 2.0) ** 2 + 0.22
    p = np.concatenate(([1.0], np.cumprod(up / down)))
    np.testing.assert_allclose(state.populations[0], p / p.sum(), atol=1e-9)


# ---------------------------------------------------------------------- other routes


def product_basis_state(grid, levels):
    """The same equation from Kronecker products of matrices, each mode cut by itself."""
    N = len(grid.nodes)
    a = np.diag(np.sqrt(np.arange(1.0, levels)), 1)
    modes = [
        np.kron(np.kron(np.eye(levels**j), a), np.eye(levels ** (N - 1 - j))) for j in range(N)
    ]
    H = sum(d * m.T @ m for d, m in zip(grid.detunings, modes, strict=True)).astype(complex)
    for (u, v), g in zip(grid.edge_indices, grid.couplings, strict=True):
        H = H - 0.5 * g * (modes[u].T @ modes[v] + modes[v].T @ modes[u])
    jumps = []
    for j, m in enumerate(modes):
        thermal = grid.thermal_occupations[j]
        jumps.append(np.sqrt(grid.dampings[j] * (thermal + 1.0)) * m)
        jumps.append(np.sqrt(grid.dampings[j] * thermal) * m.T)
    for elements, raising in ((grid.generators, True), (grid.engines, False)):
        for node, each in elements.items():
            m = modes[grid.index[node]]
            n = np.round((m.T @ m).diagonal())
            A = np.diag(1.0 / (1.0 + n / each.saturation) ** (each.exponent / 2.0)) @ m
            jumps.append(np.sqrt(each.rate) * (A.T if raising else A))
    equation = lindblad.Lindblad(H, tuple(jump for jump in jumps if np.any(jump)))
    return lindblad.steady_state(equation, lindblad.SparseLU()).state.density_matrix


@pytest.mark.parametrize("detuning", [0.0, {0: 0.4, 1: -0.3}])
def test_density_matrix_is_that_of_kronecker_products(detuning):
    """Element by element: order of the basis, gauge and the ordering within A = f(a†a) a."""
    levels = 12
    grid = ww.PowerGrid(
        nx.path_graph(2),
        generators={0: ww.Saturable(1.0, 0.7)},
        engines={1: ww.Saturable(3.0, 1.3, 1.0)},
        damping={0: 0.8, 1: 0.7},
        thermal_occupation={0: 0.1, 1: 0.02},
        detuning=detuning,
        coupling=-0.9,
    )
    state = grid.steady_state(ww.MasterEquation(rtol=1e-7))
    expected = product_basis_state(grid, levels)
    basis = state.occupation_basis
    kept = np.flatnonzero(np.all(basis < levels, axis=1) & (basis.sum(axis=1) < 8))
    place = basis[kept] @ np.array([levels, 1])
    np.testing.assert_allclose(
        state.density_matrix[np.ix_(kept, kept)], expected[np.ix_(place, place)], atol=3e-7
    )
    assert state.density_matrix.trace() == pytest.approx(1.0)


def test_gauge_changes_nothing():
    grid = ww.PowerGrid(
        nx.cycle_graph(4),
        generators={0: ww.Saturable(0.8, 0.5)},
        engines={1: ww.Saturable(2.0, 0.5), 2: ww.Saturable(1.0, 0.5)},
        damping=0.8,
        coupling=0.7,
    )
    method = ww.MasterEquation(rtol=1e-3)
    real = grid.steady_state(method)
    plain = grid.steady_state(ww.MasterEquation(rtol=1e-3, real=False))
    assert not np.iscomplexobj(real.solution.steady.values)
    assert np.iscomplexobj(plain.solution.steady.values)
    np.testing.assert_allclose(real.current.array, plain.current.array, atol=1e-6)
    np.testing.assert_allclose(real.moments.square, plain.moments.square, atol=1e-6)
    assert real.negativity_of([0, 3], [1, 2]) == pytest.approx(
        plain.negativity_of([0, 3], [1, 2]), abs=1e-6
    )
    np.testing.assert_allclose(real.density_matrix, plain.density_matrix, atol=1e-6)


def test_grid_turned_round():
    forwards = chain(6.0, damping=0.1).steady_state(ww.MasterEquation())
    grid = ww.PowerGrid(
        nx.path_graph(2),
        generators={1: ww.Saturable(4.0)},
        engines={0: ww.Saturable(6.0)},
        damping=0.1,
    )
    backwards = grid.steady_state(ww.MasterEquation())
    assert forwards.current[(0, 1)] > 0.1
    assert backwards.current[(0, 1)] == pytest.approx(-forwards.current[(0, 1)], rel=1e-7)
    assert backwards.occupation[1] == pytest.approx(forwards.occupation[0], rel=1e-7)
    assert backwards.negativity == pytest.approx(forwards.negativity, abs=1e-7)


def test_trajectories_agree():
    """Three nodes, n0 = 1, Γ_i = 1.5, Γ_e = 3, γ = 0.05."""
    grid = chain(3.0, sites=3, injection=1.5, damping=0.05)
    exact = grid.steady_state(ww.MasterEquation(rtol=1e-3, cutoff=14))
    sampled = grid.steady_state(
        ww.QuantumJumps(cutoff=14, duration=300.0, burn_in=100.0, trajectories=64, seed=5)
    )
    for name in ("occupation", "current", "current_fluctuation"):
        one, other = getattr(exact, name), getattr(sampled, name)
        assert np.all(np.abs(one.array - other.array) < 4.5 * other.errors), name
        assert np.all(other.errors < 0.06 * np.abs(other.array)), name
    for name in ("injected", "extracted"):
        mean, error = getattr(sampled, name)
        assert abs(mean - getattr(exact, name)) < 4.5 * error
    assert sampled.audit["difference of the halves"].ok
    assert set(sampled.observables) == set(sampled.errors)
    assert float(sampled.to_xarray()["edge_current"][1]) == sampled.current[(1, 2)]


# ---------------------------------------------------------------------- laws


@pytest.fixture(scope="module")
def broken():
    """n0 = 1, Γ_i = 4, Γ_e = 8, γ = 1e-3."""
    return chain(8.0, damping=1e-3).steady_state(ww.MasterEquation())


def test_energy_balance(broken):
    gross = broken.extracted + broken.dissipated
    assert broken.injected == pytest.approx(gross, abs=sum(broken.errors.values()))
    assert broken.injected == pytest.approx(gross, rel=1e-7)
    assert broken.dissipated == pytest.approx(1e-3 * np.sum(broken.occupation.array), rel=1e-6)
    np.testing.assert_allclose(broken.balance, 0.0, atol=1e-7)
    at_engine = broken.extracted + 1e-3 * broken.occupation[1]
    assert broken.current[(0, 1)] == pytest.approx(at_engine, rel=1e-8)


def test_both_orderings(broken):
    """⟨J²⟩ = ⟨:J²:⟩ + g²(n_u + n_v)/4."""
    square = broken.current_fluctuation[(0, 1)] ** 2
    normal = broken.current_fluctuation_normal[(0, 1)] ** 2
    assert square - normal == pytest.approx(0.25 * np.sum(broken.occupation.array), rel=1e-10)


def test_states_of_nodes(broken):
    populations = broken.populations
    np.testing.assert_allclose(populations.sum(axis=1), 1.0, rtol=1e-12)
    n = np.arange(broken.cutoff + 1.0)
    np.testing.assert_allclose(populations @ n, broken.occupation.array, rtol=1e-12)
    assert broken.local_ergotropy[0] > 1.0  # populations of the generator's node are inverted
    assert broken.local_ergotropy[1] == pytest.approx(0.0, abs=1e-6)
    assert broken.total_distribution @ n == pytest.approx(broken.occupation.array.sum(), rel=1e-12)
    assert broken.mutual_information > 2.0 * broken.negativity**2


def test_audit_and_dataset(broken):
    assert all(entry.ok for entry in broken.audit.values())
    assert set(broken.observables) == set(broken.errors)
    dataset = broken.to_xarray()
    for name, value in broken.observables.items():
        assert float(dataset[name]) == value
        assert float(dataset[f"{name}_error"]) == broken.errors[name]
    assert dataset["node_population"].dims == ("node", "quanta")
    labels = broken.machine.labels
    assert set(broken.observables) <= set(labels)


@pytest.mark.parametrize("extraction", [0.5, 3.0, 6.0])
def test_errors_cover_what_is_off(extraction):
    grid = chain(extraction, damping=0.05)
    rough = grid.steady_state(ww.MasterEquation(rtol=1e-2))
    sharp = grid.steady_state(ww.MasterEquation(rtol=1e-9))
    assert rough.cutoff < sharp.cutoff
    for name, value in rough.observables.items():
        assert abs(value - sharp.observables[name]) <= rough.errors[name], name
    for name in ("occupation", "current", "current_fluctuation", "local_ergotropy"):
        one, other = getattr(rough, name), getattr(sharp, name)
        assert np.all(np.abs(one.array - other.array) <= one.errors), name
    assert rough.errors["mean_current"] < 1e-2 * rough.current.mean()


# ---------------------------------------------------------------------- the paper


@pytest.mark.parametrize(
    ("extraction", "fluctuation"), [(2.0, 5.88878), (8.0, 1.64927)], ids=["symmetric", "broken"]
)
def test_current_fluctuations_of_figure_4a(extraction, fluctuation, broken):
    if extraction == 8.0:
        state = broken
    else:
        state = chain(extraction, damping=1e-3).steady_state(ww.MasterEquation(rtol=1e-4))
    assert state.current_fluctuation[(0, 1)] == pytest.approx(fluctuation, rel=2e-6)


@pytest.mark.parametrize(("extraction", "expected"), [(0.1, 0.18148), (4.0, 0.0528), (6.0, 0.1106)])
def test_negativities_of_figure_4b(extraction, expected):
    state = chain(extraction).steady_state(ww.MasterEquation(rtol=1e-4))
    assert state.negativity == pytest.approx(expected, rel=1e-3)


def test_larger_saturation_numbers_come_closer_to_the_amplitude_equations():
    off = []
    for saturation in (0.5, 1.0, 2.0, 4.0):
        grid = chain(5.0, damping=0.1, saturation=saturation)
        amplitudes = grid.steady_state(ww.MeanField()).branch.current[(0, 1)]
        quantum = grid.steady_state(ww.MasterEquation(rtol=1e-3)).current[(0, 1)]
        off.append(abs(quantum / amplitudes - 1.0))
    assert np.all(np.diff(off) < 0.0)
    assert off[-1] < 0.4 * off[0]


def test_basis_and_gauge():
    space = FockSpace(3, 5)
    assert len(space.all_occupations) == space.dimension == 56
    for K in range(5):
        for j in range(3):
            there = space.occupations[K + 1][space.above[K][j]]
            assert np.all(there - space.occupations[K] == np.eye(3, dtype=int)[j])
    grid = chain(2.0, sites=3)
    assert QuantumModel(GridRates.of(grid), space, gauge_phases(grid, None)).real
    assert not QuantumModel(GridRates.of(grid), space, gauge_phases(grid, False)).real
