"""Sampled power grids against exactly solved networks, and where a sampled number would mislead."""

import networkx as nx
import numpy as np
import pytest
from scipy.linalg import solve_continuous_lyapunov

import wheelwork as ww
from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged


def odd_network(nodes, seed):
    """Edges in random directions, couplings of both signs, nothing uniform, with odd cycles."""
    random = np.random.default_rng(seed)
    ring = nx.cycle_graph(nodes)
    ring.add_edge(0, nodes // 2)
    graph = nx.Graph()
    graph.add_nodes_from(reversed(range(nodes)))
    for u, v in ring.edges:
        ends = (v, u) if random.random() < 0.5 else (u, v)
        graph.add_edge(*ends, coupling=random.choice([-1.0, 1.0]) * random.uniform(0.3, 1.5))

    def numbers(low, high):
        return {node: random.uniform(low, high) for node in graph}

    return ww.PowerGrid(
        graph,
        generators={},
        engines={},
        damping=numbers(0.2, 0.6),
        thermal_occupation=numbers(0.0, 5.0),
        detuning=numbers(-1.0, 1.0),
    )


def exact(grid):
    """Occupations, currents and their fluctuations by Lyapunov's equation and Wick's theorem."""
    linear = np.diag(-0.5 * grid.dampings - 1j * grid.detunings)
    for (u, v), g in zip(grid.edge_indices, grid.couplings, strict=True):
        linear[u, v] = linear[v, u] = 0.5j * g
    noise = np.diag(grid.dampings * grid.thermal_occupations).astype(complex)
    covariance = solve_continuous_lyapunov(linear, -noise)
    n = covariance.diagonal().real
    u, v = grid.edge_indices.T
    c = covariance[v, u]
    square = 0.5 * (n[u] * n[v] + np.abs(c) ** 2 - 2.0 * (c**2).real)
    spread = np.abs(grid.couplings) * np.sqrt(square - c.imag**2)
    return n, grid.couplings * c.imag, spread


@pytest.mark.parametrize("nodes", [5, 26])
def test_any_linear_network_by_matrix_and_by_bonds(nodes):
    grid = odd_network(nodes, seed=nodes)
    found = grid.steady_state(ww.Langevin(duration=1200.0, threads=1, seed=7))
    sampled = found.occupation, found.current, found.current_fluctuation
    for estimates, truth in zip(sampled, exact(grid), strict=True):
        off = (estimates.array - truth) / estimates.errors
        assert np.max(np.abs(off)) < 4.5
        assert np.sqrt(np.mean(off**2)) < 2.0
    assert all(entry.ok for entry in found.audit.values())


# ---------------------------------------------------------------- the check of the step


def warm_pair(**numbers):
    return ww.PowerGrid.chain(2, 2.0, 3.0, 0.2, thermal_occupation=2.0, saturation=20.0, **numbers)


@pytest.mark.parametrize("trajectories", [8, 20])
def test_a_check_of_all_trajectories_changes_no_bit(trajectories):
    """Both ensembles leave from the same amplitudes, and each moves its own."""
    options = {"duration": 3000.0, "trajectories": trajectories, "rtol": 0.1}
    alone, watched, shared = (
        warm_pair().steady_state(ww.Langevin(checked=checked, threads=threads, **options))
        for checked, threads in ((0, 1), (trajectories, 1), (trajectories, 2))
    )
    assert np.array_equal(alone.current.array, watched.current.array)
    assert np.array_equal(alone.occupation.array, watched.occupation.array)
    assert np.array_equal(watched.current.array, shared.current.array)
    assert watched.step_errors == shared.step_errors


# ---------------------------------------------------------------- starts that are remembered


def slow_beside_hot():
    """A slow, cold node hardly coupled to a hot, fast one, which makes up the total."""
    return ww.PowerGrid(
        nx.path_graph(2),
        generators={},
        engines={},
        coupling=1e-3,
        damping={0: 2.0, 1: 0.01},
        thermal_occupation={0: 100.0, 1: 1.0},
    )


def test_a_slow_node_that_remembers_its_start_is_refused():
    with pytest.raises(NotConverged, match="remember their starts"):
        slow_beside_hot().steady_state(
            ww.Langevin(duration=1000.0, step=0.05, rtol=0.1, threads=1, seed=2)
        )


def test_a_start_remembered_after_a_given_burn_in_is_in_the_audit():
    found = slow_beside_hot().steady_state(
        ww.Langevin(duration=1000.0, step=0.05, rtol=0.1, threads=1, burn_in=250.0)
    )
    assert found.occupation[1].mean > 2.0  # truly 1.005
    assert not found.audit["memory of the start"].ok


def test_a_start_forgotten_is_no_reason():
    found = slow_beside_hot().steady_state(
        ww.Langevin(duration=4000.0, step=0.1, rtol=0.1, threads=1, seed=2)
    )
    mean, error = found.occupation[1]
    assert abs(mean - exact(slow_beside_hot())[0][1]) < 4.0 * error
    assert all(entry.ok for entry in found.audit.values())


@pytest.mark.parametrize("trajectories", [1, 2, 64])
def test_modes_that_nothing_reaches_are_refused(trajectories):
    """(1, 0, −1) of three nodes with all elements in the middle."""
    grid = ww.PowerGrid(
        nx.path_graph(3),
        generators={1: ww.Saturable(2.0, 50.0)},
        engines={1: ww.Saturable(1.0, 1e3)},
        damping=0.0,
    )
    method = ww.Langevin(duration=8000.0, trajectories=trajectories, threads=1, rtol=0.1)
    with pytest.raises(NoSteadyState, match="keeps its initial amplitude"):
        grid.steady_state(method)


def test_undamped_networks_with_all_modes_reached_have_a_state():
    grid = ww.PowerGrid.chain(3, 2.0, 3.0, 0.0, saturation=50.0)
    found = grid.steady_state(ww.Langevin(duration=8000.0, threads=1))
    first, second = found.current[(0, 1)], found.current[(1, 2)]
    gap = np.hypot(first.standard_error, second.standard_error)
    assert abs(first.mean - second.mean) < 3.0 * gap + 1e-3 * first.mean
    assert found.audit["energy balance"].ok


# ---------------------------------------------------------------- few trajectories


def test_few_trajectories_cannot_vouch_for_mixing():
    two, four = (
        warm_pair().steady_state(
            ww.Langevin(duration=4000.0, trajectories=lanes, threads=1, rtol=0.1)
        )
        for lanes in (2, 4)
    )
    assert not two.audit["mixing"].ok
    assert four.audit["mixing"].ok


def test_numbers_without_an_error_are_refused_at_once():
    """The total is quick, the current of the slow pair is not."""
    grid = ww.PowerGrid(
        nx.path_graph(2),
        generators={},
        engines={},
        coupling=1e-3,
        damping={0: 2.0, 1: 2e-3},
        thermal_occupation={0: 100.0, 1: 1.0},
    )
    with pytest.raises(NotConverged, match="too strongly correlated"):
        grid.steady_state(
            ww.Langevin(
                duration=4000.0, trajectories=2, step=0.1, threads=1, burn_in=10.0, rtol=0.1
            )
        )


# ---------------------------------------------------------------- corners


@pytest.mark.parametrize("noisy", [0.0, 1.0])
def test_one_node_has_an_audit_and_a_dataset(noisy):
    grid = ww.PowerGrid(
        nx.empty_graph(1),
        generators={0: (lambda n: 2.0 / (1.0 + n / 50.0), lambda n: noisy / (1.0 + n / 50.0))},
        engines={},
        damping=1.0,
    )
    found = grid.steady_state(ww.Langevin(duration=4000.0, threads=1))
    assert found.occupation[0].mean == pytest.approx(50.0, rel=0.05)
    assert all(entry.ok for entry in found.audit.values())
    assert found.to_xarray()["edge_current"].size == 0


@pytest.mark.parametrize("extraction", [0.0, 2.0])
def test_networks_that_come_to_rest_are_refused(extraction):
    grid = ww.PowerGrid.chain(3, 0.0, extraction, 0.1)
    for method in (ww.Langevin(duration=100.0), ww.EulerMaruyama(0.01, duration=100.0)):
        with pytest.raises(InvalidArgument, match="nothing feeds this network"):
            grid.steady_state(method)


def test_euler_and_maruyama_need_damping():
    grid = ww.PowerGrid.chain(3, 2.0, 3.0, 0.0)
    with pytest.raises(InvalidArgument, match="`damping` must reach every mode"):
        grid.steady_state(ww.EulerMaruyama(1e-3, duration=100.0))


def test_gain_and_loss_that_cancel_still_set_the_step():
    """P(n) ∝ exp(∫R/D dn)/D; the rate is −γ alone, but the noise moves n quickly."""
    element = ww.Saturable(10.0, 1.0)
    grid = ww.PowerGrid(
        nx.empty_graph(1), generators={0: element}, engines={0: element}, damping=0.1
    )
    n = np.concatenate([[0.0], np.geomspace(1e-7, 500.0, 100_001)])
    noise = element.gain_noise_at(n)
    potential = np.cumsum(0.5 * np.diff(n) * (1.0 / noise[1:] + 1.0 / noise[:-1]))
    weight = np.exp(-0.1 * np.concatenate([[0.0], potential])) / noise
    truth = np.trapezoid(weight * n, n) / np.trapezoid(weight, n)
    found = grid.steady_state(ww.Langevin(duration=4000.0, threads=1))
    assert abs(found.occupation[0].mean - truth) < 4.0 * found.errors["occupation"]
    assert found.errors["occupation"] < 0.01 * truth
