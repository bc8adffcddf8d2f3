"""Sampled power grids: laws, the paper's numbers, signs, refusals."""

import networkx as nx
import numpy as np
import pytest

import wheelwork as ww
from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged
from wheelwork.machines.power_grid.langevin import Marginal

# Thermal noise alone: quantum noise is small against a million quanta.
MANY = 1e6


def classical(sites, extraction, thermal=10.0, injection=4.0):
    return ww.PowerGrid.chain(
        sites, injection, extraction, 1e-3, thermal_occupation=thermal * MANY, saturation=MANY
    )


def near(estimate, value, errors=4.0):
    assert abs(estimate.mean - value) < errors * estimate.standard_error, (estimate, value)


@pytest.fixture(scope="module")
def broken():
    """N = 6, Γ_e = 5: symmetry broken, quickly relaxing."""
    return classical(6, 5.0).steady_state(
        ww.Langevin(duration=30_000.0, trajectories=64, seed=3, threads=1)
    )


@pytest.fixture(scope="module")
def quantum():
    """Few quanta, strong damping: everything contributes, and everything relaxes."""
    graph = nx.path_graph(3)
    graph.add_edge(0, 2)
    return ww.PowerGrid(
        graph,
        generators={0: ww.Saturable(2.0, 5.0)},
        engines={2: ww.Saturable(3.0, 8.0), 1: ww.Saturable(0.5, 3.0)},
        damping={0: 0.3, 1: 0.1, 2: 0.2},
        thermal_occupation={0: 1.0, 1: 4.0, 2: 0.5},
        detuning={0: 0.2, 1: 0.0, 2: -0.3},
    ).steady_state(ww.Langevin(duration=6000.0, trajectories=64, seed=1, threads=1))


# ---------------------------------------------------------------- the paper's numbers


def test_high_noise_chain(broken):
    near(broken.current.mean(), 0.8551 * MANY)
    near(broken.mean_current, 0.8551 * MANY)
    assert broken.current_fluctuation[(0, 1)].mean == pytest.approx(0.985 * MANY, rel=0.02)
    near(broken.mean_damping, 2.134)
    assert all(entry.ok for entry in broken.audit.values())


def test_currents_are_those_of_each_edge(broken):
    """J falls along the chain by γ(n_j − N_th), a gain here, as n < N_th behind the generator."""
    for site in range(1, 5):
        into = broken.current[(site - 1, site)].mean
        out = broken.current[(site, site + 1)].mean
        leak = 1e-3 * (broken.occupation[site].mean - 10.0 * MANY)
        assert into - out == pytest.approx(leak, abs=1.5e-3 * MANY)
    assert broken.extracted.mean == pytest.approx(
        broken.current[(4, 5)].mean - 1e-3 * (broken.occupation[5].mean - 10.0 * MANY),
        abs=2e-3 * MANY,
    )


def test_marginals_of_the_ends_differ_where_symmetry_is_broken(broken):
    first, last = broken.marginals[0], broken.marginals[5]
    means = [
        np.sum(each.amplitude * each.density) * (each.amplitude[1] - each.amplitude[0])
        for each in (first, last)
    ]
    assert means[0] > 1.2 * means[1]
    for each, node in ((first, 0), (last, 5)):
        width = each.amplitude[1] - each.amplitude[0]
        assert np.sum(each.density) * width + each.beyond == pytest.approx(1.0)
        second = np.sum(each.amplitude**2 * each.density) * width
        assert second == pytest.approx(broken.occupation[node].mean, rel=0.01)


def test_marginals_of_the_ends_agree_where_it_is_not():
    found = classical(2, 2.0).steady_state(
        ww.Langevin(duration=60_000.0, trajectories=64, seed=2, threads=1, rtol=0.05)
    )
    first, last = found.marginals[0], found.marginals[1]
    seen = first.density > 0.02 * np.max(first.density)
    gap = np.abs(first.density - last.density) / np.max(first.density)
    assert np.max(gap[seen]) < 0.1
    assert abs(found.mean_damping.mean) < 0.01


def test_thermal_equilibrium():
    passive = ww.PowerGrid.chain(4, 0.0, 0.0, 0.05, thermal_occupation=7.0)
    found = passive.steady_state(ww.Langevin(duration=6000.0, threads=1))
    for edge in passive.edges:
        near(found.current_fluctuation[edge], 7.0 / np.sqrt(2.0))
        near(found.current[edge], 0.0)
    assert found.mean_damping == (0.0, 0.0)
    assert found.dissipated.mean == pytest.approx(0.0, abs=4 * found.dissipated.standard_error)


def test_little_noise_is_the_mean_field():
    grid = ww.PowerGrid.chain(
        2, 6.0, 7.0, 0.05, thermal_occupation=0.0, saturation=1e6, coupling=1.0
    )
    branch = grid.steady_state(ww.MeanField()).branch
    found = grid.steady_state(ww.Langevin(duration=600.0, threads=1, step=0.025))
    assert found.current[(0, 1)].mean == pytest.approx(branch.current[(0, 1)], rel=2e-3)
    assert found.mean_damping.mean == pytest.approx(branch.mean_damping, rel=5e-3)


# ---------------------------------------------------------------- laws


def test_quanta_are_conserved(quantum):
    made = quantum.injected.mean - quantum.extracted.mean - quantum.dissipated.mean
    assert abs(made) < 5e-3 * quantum.injected.mean
    assert quantum.audit["energy balance"].ok
    assert min(quantum.injected.mean, quantum.extracted.mean) > 0.05


def test_the_sign_of_a_current_is_that_of_the_edge(quantum):
    forth, back = quantum.current[(0, 2)], quantum.current[(2, 0)]
    assert forth.mean > 5.0 * forth.standard_error
    assert back.mean == -forth.mean
    assert back.standard_error == forth.standard_error
    assert quantum.current_fluctuation[(2, 0)] == quantum.current_fluctuation[(0, 2)]
    assert (2, 0) in quantum.current
    assert (0, 5) not in quantum.current
    with pytest.raises(KeyError):
        quantum.current[(0, 5)]


def test_only_the_ratio_to_the_saturation_matters_with_many_quanta():
    small, large = (
        ww.PowerGrid.chain(3, 2.0, 3.0, 0.1, thermal_occupation=2.0 * n, saturation=n).steady_state(
            ww.Langevin(duration=2000.0, threads=1)
        )
        for n in (1e6, 1e8)
    )
    assert np.allclose(100.0 * small.current.array, large.current.array, rtol=1e-3)


def test_quantum_noise_is_that_of_the_generator():
    """One oscillator: a laser, and spontaneous emission above an engine that has none."""
    graph = nx.empty_graph(1)
    grid = ww.PowerGrid(graph, generators={0: ww.Saturable(1.0, 50.0)}, engines={}, damping=2.0)
    found = grid.steady_state(ww.Langevin(duration=4000.0, threads=1))
    # below threshold, weakly saturated: Γ/(γ − Γ) quanta, a little less
    assert 0.9 < found.occupation[0].mean < 1.0
    damped = ww.PowerGrid(
        graph,
        generators={},
        engines={0: ww.Saturable(1.0, 1e6)},
        damping=1.0,
        thermal_occupation=3.0,
    )
    near(damped.steady_state(ww.Langevin(duration=4000.0, threads=1)).occupation[0], 1.5)


def test_generator_and_engine_at_one_node():
    """P(n) ∝ exp(∫R/D dn)/D, with the noise of the generator and of the surroundings."""
    generator, engine = ww.Saturable(3.0, 5.0), ww.Saturable(1.0, 20.0, 1.0)
    grid = ww.PowerGrid(
        nx.empty_graph(1),
        generators={0: generator},
        engines={0: engine},
        damping=0.5,
        thermal_occupation=1.0,
    )
    n = np.concatenate([[0.0], np.geomspace(1e-6, 300.0, 100_001)])
    diffusion = 0.5 + generator.rate_at(n)
    slope = (generator.rate_at(n) - engine.rate_at(n) - 0.5) / diffusion
    potential = np.concatenate([[0.0], np.cumsum(0.5 * (slope[1:] + slope[:-1]) * np.diff(n))])
    weight = np.exp(potential) / diffusion
    weight /= np.trapezoid(weight, n)
    found = grid.steady_state(ww.Langevin(duration=3e4, step=0.05, threads=1))
    near(found.occupation[0], np.trapezoid(weight * n, n))
    near(found.injected, np.trapezoid(weight * (n + 1.0) * generator.rate_at(n), n))
    near(found.extracted, np.trapezoid(weight * n * engine.rate_at(n), n))
    net = engine.rate_at(n) - generator.rate_at(n)
    near(found.mean_damping, np.trapezoid(weight * net, n))
    marginal = found.marginals[0]
    r = marginal.amplitude
    exact = 2.0 * r * np.interp(r**2, n, weight)
    assert np.max(np.abs(marginal.density - exact)) < 0.01 * np.max(exact)


def test_callables_are_elements_too():
    def rate(n):
        return 2.0 / (1.0 + n / 5.0) ** 2

    def gained(pair):
        graph = nx.empty_graph(1)
        grid = ww.PowerGrid(graph, generators={0: pair}, engines={}, damping=0.5)
        return grid.steady_state(ww.Langevin(duration=3000.0, threads=1, seed=4))

    known, given = gained(ww.Saturable(2.0, 5.0)), gained((rate, rate))
    assert given.occupation[0].mean == pytest.approx(known.occupation[0].mean, rel=1e-4)


def test_euler_and_maruyama_heat():
    """The step acts as a negative damping ω²Δt."""
    grid = ww.PowerGrid.chain(2, 0.0, 0.0, 0.05, thermal_occupation=1.0)
    step = 0.04
    found = grid.steady_state(
        ww.EulerMaruyama(step, duration=20_000.0, trajectories=64, threads=1, checked=0)
    )
    heated = 1.0 / (1.0 - step * (0.25 + 0.05**2 / 4) / 0.05)
    assert found.occupation[0].mean == pytest.approx(heated, rel=0.03)
    mine = grid.steady_state(ww.Langevin(duration=20_000.0, step=0.4, threads=1))
    near(mine.occupation[0], 1.0)


# ---------------------------------------------------------------- the result


def test_observables_errors_audit_and_dataset(quantum):
    assert set(quantum.observables) == set(quantum.errors)
    assert quantum.observables["occupation"] == pytest.approx(np.sum(quantum.occupation.array))
    for name, error in quantum.errors.items():
        assert 0.0 < error < 0.2 * abs(quantum.observables[name]), name
    dataset = quantum.to_xarray()
    assert dataset["edge_current"].shape == (3,)
    assert dataset["amplitude_density"].shape[0] == 3
    assert float(dataset["occupation_error"]) == quantum.errors["occupation"]
    assert np.all(dataset["edge_current_step_error"] >= 0.0)
    assert not quantum.validity["1 / saturation"].ok  # an engine saturates with three quanta
    assert {"mixing", "drift", "burn-in", "step error", "sampling error"} <= set(quantum.audit)


def test_it_can_be_swept():
    values = {"extraction": np.array([1.0, 3.0])}
    grid = ww.PowerGrid.chain(2, 2.0, 1.0, 0.2, thermal_occupation=2.0, saturation=20.0)
    dataset = ww.sweep(grid, values, method=ww.Langevin(duration=1500.0, threads=1))
    assert dataset["extracted"].shape == (2,)
    assert float(dataset["extracted"][1]) > float(dataset["extracted"][0])


def test_large_networks():
    lattice = ww.PowerGrid.lattice(
        30,
        30,
        generators={(0, 0): ww.Saturable(2.0, 10.0)},
        engines={(29, 29): ww.Saturable(2.0, 10.0)},
        damping=0.5,
        thermal_occupation=2.0,
    )
    found = lattice.steady_state(ww.Langevin(duration=120.0, trajectories=16, threads=1))
    assert found.occupation[(15, 15)].mean == pytest.approx(2.0, rel=0.2)
    assert found.occupation[(0, 0)].mean > 3.0
    assert found.audit["energy balance"].ok


def test_marginal_counts():
    marginal = Marginal.of(np.array([[3.0, 1.0, 0.0], [1.0, 3.0, 2.0]]), 0.5)
    assert np.allclose(marginal.density, [0.8, 0.8])
    assert np.allclose(marginal.amplitude, [0.25, 0.75])
    assert marginal.beyond == pytest.approx(0.2)


# ---------------------------------------------------------------- refusals


def test_starts_are_refused():
    with pytest.raises(InvalidArgument, match="`start` must be left out for a power grid"):
        classical(2, 5.0).steady_state(ww.Langevin(duration=100.0, start=(1.0, 0.0)))
    with pytest.raises(InvalidArgument, match="`start` must be left out"):
        classical(2, 5.0).steady_state(ww.EulerMaruyama(1e-3, duration=100.0, start=(1.0, 0.0)))


def test_unbounded_amplitudes_are_refused():
    grid = ww.PowerGrid.chain(2, 4.0, 1.0, 1e-3, exponent=0.0)
    with pytest.raises(NoSteadyState, match="unbounded"):
        grid.steady_state(ww.Langevin(duration=100.0))


def test_large_networks_with_undamped_nodes_are_refused():
    graph = nx.path_graph(500)
    grid = ww.PowerGrid(graph, generators={0: ww.Saturable(1.0)}, engines={}, damping=0.0)
    with pytest.raises(InvalidArgument, match="`damping` must exceed"):
        grid.steady_state(ww.Langevin(duration=100.0))


def test_other_methods_are_refused():
    with pytest.raises(
        InvalidArgument, match="`method` must be a method, one of MeanField, Langevin"
    ):
        classical(2, 5.0).steady_state(ww.FokkerPlanck())


def test_steps_too_large_are_refused():
    with pytest.raises(InvalidArgument, match="`step` must be at most 1 for the splitting"):
        classical(6, 5.0).steady_state(ww.Langevin(duration=1e5, step=1.5))
    with pytest.raises(InvalidArgument, match="Euler"):
        classical(6, 5.0).steady_state(ww.EulerMaruyama(0.1, duration=1e5))


def test_tolerance_not_met_names_the_duration_that_would_do():
    grid = ww.PowerGrid.chain(2, 0.0, 0.0, 0.2, thermal_occupation=3.0)
    with pytest.raises(NotConverged, match="`duration` = "):
        grid.steady_state(ww.Langevin(duration=600.0, rtol=1e-4, threads=1))
    with pytest.raises(NotConverged, match="from the step"):
        classical(2, 5.0).steady_state(
            ww.Langevin(duration=40_000.0, step=1.0, rtol=0.02, threads=1, checked=64)
        )


def test_standing_waves_that_do_not_mix_are_reported():
    """Several stable branches, hardly any noise: each trajectory keeps its own."""
    grid = ww.PowerGrid.chain(10, 4.0, 2.0, 1e-2, saturation=1e9)
    assert len(grid.steady_state(ww.MeanField()).stable_branches) > 2
    with pytest.raises(NotConverged, match="do not mix"):
        grid.steady_state(ww.Langevin(duration=6000.0, threads=1))
