"""Power grids with numbers far from one, at thresholds, and large ones."""

import math

import networkx as nx
import numpy as np
import pytest
from grid_strategies import wrong_branch
from judge import judge
from scipy.integrate import solve_ivp

import wheelwork as ww
from wheelwork.errors import NoSteadyState, NotConverged
from wheelwork.numerics.work import counted, reporting
from wheelwork.oscillator_networks import continuation, mean_field


def chain(sites, injection, extraction, damping=1e-3, **more):
    return ww.PowerGrid.chain(sites, injection, extraction, damping, **more)


def numbers(state, rate=1.0, quanta=1.0):
    """Of every branch, in units of rates and quanta."""
    return np.array(
        [
            (b.frequency / rate, b.growth_rate / rate, b.extracted / (rate * quanta))
            for b in state.branches
        ]
    )


@pytest.mark.parametrize("unit", [1e-24, 1e-9, 1e9, 1e15])
def test_units_of_rates_do_not_matter(unit):
    plain = chain(4, 4.0, 2.0, detuning={0: 0.1, 1: 0.0, 2: 0.0, 3: -0.2})
    scaled = chain(
        4,
        4.0 * unit,
        2.0 * unit,
        1e-3 * unit,
        coupling=unit,
        detuning={node: unit * x for node, x in plain.detuning.items()},
    )
    with counted() as first:
        state = plain.steady_state()
    with counted() as second:
        other = scaled.steady_state()
    assert numbers(other, unit) == pytest.approx(numbers(state), abs=1e-10)
    assert second.total() <= 1.2 * first.total()
    assert other.passed
    time = other[0].response_time(0) * unit
    assert time == pytest.approx(state[0].response_time(0), rel=1e-6)


@pytest.mark.parametrize("saturation", [1e-12, 0.3, 5e11, 1e15])
def test_units_of_quanta_do_not_matter(saturation):
    """The equations hold |α|²/n0 alone."""
    state = chain(2, 4.0, 3.0, 0.1, saturation=saturation).steady_state()
    one = chain(2, 4.0, 3.0, 0.1).steady_state()
    assert numbers(state, 1.0, saturation) == pytest.approx(numbers(one), rel=1e-11, abs=1e-13)
    assert state.passed
    path = state.machine.follow(state[0], "extraction", 2.5)
    other = one.machine.follow(one[0], "extraction", 2.5)
    assert path.end.extracted / saturation == pytest.approx(other.end.extracted, rel=1e-9)


@pytest.mark.parametrize("saturation", [1.0, 5e11, 1e15])
def test_quanta_injected_per_saturation_number(saturation):
    state = chain(4, 4.0, 2.0, 1e-2, saturation=saturation).steady_state()
    assert state.branch.injected / saturation == pytest.approx(0.41516005892478, abs=1e-13)


def test_elements_of_callables_have_no_scale_either():
    def grid(n0):
        gain = (lambda n: 4.0 / (1.0 + n / n0) ** 2, lambda n: 0.0 * n)
        return ww.PowerGrid(nx.path_graph(1), generators={0: gain}, engines={}, damping=0.25)

    for n0 in (1e-9, 1.0, 1e9):
        (branch, _) = grid(n0).steady_state()
        assert branch.occupation[0] == pytest.approx(3.0 * n0, rel=1e-9)
        assert branch.growth_rate == pytest.approx(-2.0 * 3.0 / 4.0 * 0.25, rel=1e-5)


def test_a_common_detuning_only_shifts_the_frequency():
    state, shifted = chain(4, 4.0, 2.0).steady_state(), chain(4, 4.0, 2.0, detuning=1e6)
    moved = shifted.steady_state()
    expected = numbers(state) + np.array([1e6, 0.0, 0.0])
    assert numbers(moved)[:-1] == pytest.approx(expected[:-1], abs=1e-9)


@pytest.mark.parametrize("node", [0, 1])
def test_a_far_detuned_node_is_alone(node):
    """The generator holds n = n0 (√(Γ/γ) − 1), of which its neighbours take (g/2Δ)²."""
    state = chain(4, 4.0, 2.0, detuning={**dict.fromkeys(range(4), 0.0), node: 1e6}).steady_state()
    (branch,) = state.stable_branches
    assert branch.occupation[0] == pytest.approx(math.sqrt(4000.0) - 1.0, rel=1e-9)
    assert branch.occupation[1] == pytest.approx(branch.occupation[0] * 0.25e-12, rel=1e-3)
    assert not state.exhaustive
    assert state.passed


@pytest.mark.parametrize("detuning", [1e2, 1e3, 1e4, 1e6])
@pytest.mark.parametrize(("sites", "node"), [(3, 0), (3, 1), (4, 1), (5, 2)])
def test_no_branch_of_weakly_tied_elements_is_missed(sites, node, detuning):
    """The part with the generator: a site with n = n0 (√(Γ/γ) − 1), or two with one state in each
    of their modes. The curve of the elements is narrow there, most where they are alike.
    """
    far = {**dict.fromkeys(range(sites), 0.0), node: detuning}
    grid = ww.PowerGrid.chain(
        sites, injection=4.0, extraction=6.0, damping=0.2, saturation=3.0, detuning=far
    )
    state = grid.steady_state(ww.MeanField(trajectories=0))
    moving = [branch.occupation[0] for branch in state.branches[:-1]]
    if sites == 5:
        assert moving == pytest.approx([6.488, 6.488], rel=2e-2)
    else:
        assert moving == pytest.approx([3.0 * (math.sqrt(20.0) - 1.0)], rel=1e-3)
    table = grid.branch_map({"injection": [3.9, 4.0], "extraction": [6.0]})
    assert table.branches.values.tolist() == [[len(moving)], [len(moving)]]


def test_a_curve_of_too_many_points_is_replaced_by_starts():
    """γ = 1e-6, Γ_i = Γ_e: states in the middle of the band and, by symmetry, two beside it."""
    grid = chain(3, 4.0, 4.0, 1e-6, saturation=20.0, detuning=dict.fromkeys(range(3), 0.0))
    state = grid.steady_state(ww.MeanField(trajectories=0))
    assert len(state) == 4
    assert not state.exhaustive
    assert state.audit["estimated error"].ok
    assert state.audit["energy balance"].ok
    assert wrong_branch(state) is None  # by the equations written down once more
    centre, *beside = (branch.frequency for branch in state.branches[:-1])
    assert centre == pytest.approx(0.0, abs=1e-9)
    assert sum(beside) == pytest.approx(0.0, abs=1e-9)
    assert abs(beside[0]) > 0.1


@pytest.mark.parametrize("sites", [1, 2, 5])
def test_nothing_that_damps(sites):
    grid = ww.PowerGrid(nx.path_graph(sites), generators={}, engines={}, damping=0.0)
    with counted() as work, pytest.raises(NoSteadyState, match="nothing drives or damps"):
        grid.steady_state()
    assert work.total() < 10


@pytest.mark.parametrize("sites", [2, 4, 10])
def test_hardly_damped_chains(sites):
    """γ = 1e-9, Γ_i = Γ_e: rounding moves states by 1e-9. J → g n0 (Huber and Rabl, Fig. 2(b))."""
    grid = chain(sites, 4.0, 4.0, 1e-9)
    with counted() as work, pytest.raises(NotConverged, match="ask for less") as refused:
        grid.steady_state()
    partial = refused.value.partial
    assert len(partial) >= 2
    assert not partial.audit["estimated error"].ok
    assert work["motion of amplitudes"] == 0
    state = grid.steady_state(ww.MeanField(rtol=1e-7))
    assert state.passed
    assert max(b.extracted for b in state.stable_branches) == pytest.approx(1.0, abs=1e-5)


def test_motion_that_would_take_too_long_is_refused_at_once(monkeypatch):
    """ν = 1, γ = 1e-2 (Huber and Rabl, Fig. 7): no branch is stable; 1e4/g to relax."""
    monkeypatch.setattr(mean_field, "MOST_TRANSIENT", 1e3)
    grid = chain(10, 4.0, 3.5, 1e-2, exponent=1.0)
    with counted() as work, pytest.raises(NotConverged, match="trajectories=3") as refused:
        grid.steady_state()
    assert work["motion of amplitudes"] == 0
    partial = refused.value.partial
    assert len(partial) >= 2
    assert not partial.audit["no attractor"].ok


EXTREMES = [
    {"coupling": 1e160},
    {"coupling": 1e-308},
    {"saturation": 5e-324},
    {"exponent": 1e308},
    {"extraction": 1e308},
    {"injection": 1e308},
    {"damping": 1e308},
    {"detuning": 1e308},
    {"extraction": 1e30, "damping": 1e-30},
    {"coupling": 1e100, "saturation": 1e100},
    {"exponent": 1e-3},
    {"exponent": 1e9},
]


@pytest.mark.parametrize("fields", EXTREMES, ids=str)
def test_extreme_numbers_are_answered_or_refused(fields):
    machine = chain(3, 4.0, 2.0).replace(**fields)
    with counted() as work:
        outcome = judge(machine.steady_state)
    assert not outcome.bad, outcome
    assert work["motion of amplitudes"] < 400_001


def test_steep_saturation_is_an_exponential():
    """(1 + n/n0)^−ν → e^{−νn/n0}: n = (n0/ν) ln(Γ/γ)."""
    (branch, _) = ww.PowerGrid(
        nx.path_graph(1), generators={0: ww.Saturable(4.0, 3.0, 1e9)}, engines={}, damping=0.1
    ).steady_state()
    assert branch.occupation[0] == pytest.approx(3e-9 * math.log(40.0), rel=1e-8)


def test_slow_saturation_is_bounded():
    """ν = 0.1: n = n0 ((Γ/γ)^10 − 1) is finite, if large."""
    (branch, _) = ww.PowerGrid(
        nx.path_graph(1), generators={0: ww.Saturable(4.0, 1.0, 0.1)}, engines={}, damping=0.1
    ).steady_state()
    assert branch.occupation[0] == pytest.approx(40.0**10, rel=1e-8)


def one(injection, exponent=2.0):
    return ww.PowerGrid(
        nx.path_graph(1),
        generators={0: ww.Saturable(injection, 1.0, exponent)},
        engines={},
        damping=1.0,
    )


@pytest.mark.parametrize("exponent", [0.5, 2.0])
@pytest.mark.parametrize("unit", [1.0, 0.3, 0.6088388230668227, 1e-20])
def test_rest_at_marginal_gain(unit, exponent):
    """dn/dt = (1/(1 + n)^ν − 1) n < 0: rest attracts, as 1/νt."""
    grid = one(1.0, exponent).replace(injection=unit, damping=unit)
    state = grid.steady_state()
    (rest,) = state.branches
    assert rest.stable
    assert rest.at_rest
    assert state.passed
    assert abs(rest.growth_rate) <= 1e-15 * unit
    assert state.observables["occupation"] == 0.0

    def velocity(_, n):
        return ((1.0 + n) ** -exponent - 1.0) * n

    late = solve_ivp(velocity, (0.0, 1e4), [0.5], method="LSODA", rtol=1e-10, atol=1e-14)
    assert late.y[0, -1] == pytest.approx(1e-4 / exponent, rel=5e-3)


def test_a_sweep_through_marginal_gain():
    dataset = ww.sweep(one(0.5), {"injection": np.array([0.5, 1.0, 2.0])})
    assert np.all(dataset["failure"] == "")
    assert np.all(dataset["audit_passed"] == 1)
    assert dataset["occupation"].values == pytest.approx([0.0, 0.0, math.sqrt(2.0) - 1.0])


def absorbing(first, second):
    """A generator and an engine at one node, which cancel at n = 0; net rate ±n at small n."""
    return ww.PowerGrid(
        nx.path_graph(1),
        generators={0: ww.Saturable(2.0, first, 1.0)},
        engines={0: ww.Saturable(1.0, second, 1.0)},
        damping=1.0,
    )


@pytest.mark.parametrize(("first", "second", "stable"), [(1.0, 1.0, True), (4.0, 1.0, False)])
def test_the_next_order_decides_at_a_threshold(first, second, stable):
    """R(n) − γ ≈ (−2/n_g + 1/n_e) n."""
    assert (-2.0 / first + 1.0 / second < 0.0) is stable
    rest = absorbing(first, second).steady_state(ww.MeanField(trajectories=0)).branches[-1]
    assert rest.stable is stable
    assert rest.deviations.doubt == 0.0


def test_a_large_network_shows_signs_of_life():
    graph = nx.random_regular_graph(3, 60, seed=1)
    grid = ww.PowerGrid(
        graph,
        generators={0: ww.Saturable(4.0), 5: ww.Saturable(3.0)},
        engines={59: ww.Saturable(2.0)},
        damping=1e-2,
    )
    seen = []
    with reporting(lambda task, done, total: seen.append(task)):
        state = grid.steady_state(ww.MeanField(random_starts=16, trajectories=0))
    assert len(state) > 2
    assert len(set(seen)) >= 2
    with pytest.raises(NotConverged, match="time limit"):
        grid.steady_state(ww.MeanField(time_limit=1e-9))


def test_a_search_beyond_its_budget_is_refused_before_it_starts():
    graph = nx.path_graph(300)
    grid = ww.PowerGrid(
        graph, generators={n: ww.Saturable(4.0) for n in graph}, engines={}, damping=0.1
    )
    with counted() as work, pytest.raises(NotConverged, match="more than its budget"):
        grid.steady_state()
    assert work.total() == 0


def test_a_path_beyond_its_budget_keeps_what_it_reached(monkeypatch):
    monkeypatch.setattr(continuation, "MOST_STEPS", 5)
    machine = chain(2, 6.0, 5.5)
    branch = machine.steady_state()[0]
    with pytest.raises(NotConverged, match="more than 5 steps") as refused:
        machine.follow(branch, "extraction", 4.5)
    assert refused.value.partial.parameter[0] == 5.5
    assert len(refused.value.partial.points) > 1


@pytest.mark.parametrize("stop", [1e308, 1e30, 1e-300])
def test_paths_to_extreme_values(stop):
    machine = chain(2, 4.0, 6.0)
    branch = machine.steady_state()[0]
    outcome = judge(lambda: machine.follow(branch, "extraction", stop))
    assert not outcome.bad, outcome


def test_gain_and_loss_that_cancel_but_are_too_large_to_subtract_are_refused():
    element = ww.Saturable(rate=1e300, saturation=1e-11, exponent=1.5)
    grid = ww.PowerGrid(
        nx.path_graph(2), generators={1: element}, engines={1: element}, coupling=1.0, damping=0.0
    )
    with pytest.raises(ww.InvalidArgument, match="slope of gain minus loss is not finite"):
        grid.steady_state()
