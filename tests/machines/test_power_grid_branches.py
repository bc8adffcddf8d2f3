"""Steady branches of power grids: printed numbers, symmetries, balances, limits."""

import math

import networkx as nx
import numpy as np
import pytest

import wheelwork as ww
from wheelwork.errors import InvalidArgument, NoSteadyState
from wheelwork.machines.power_grid.model import amplitude_model, gain_rates, noisy_model
from wheelwork.oscillator_networks.newton import newton
from wheelwork.oscillator_networks.steady_states import distinct, random_amplitudes
from wheelwork.papers.huber_rabl_2022 import closed_forms


def chain(sites, injection, extraction, **more):
    return ww.PowerGrid.chain(sites, injection, extraction, **{"damping": 1e-3} | more)


def nearest(state, frequency):
    return min(state.branches[:-1], key=lambda branch: abs(branch.frequency - frequency))


def balanced(branch):
    machine, n = branch.machine, branch.occupation
    flows = gain_rates(machine, n) @ n + np.sum(np.abs(branch.current.array))
    assert np.max(np.abs(branch.balance)) <= 1e-12 * flows
    lost = branch.extracted + branch.dissipated
    assert branch.injected == pytest.approx(lost, rel=1e-12)


def test_two_sites_in_the_symmetric_phase():
    """(C12) gives 0.091868, the equations 0.09186833."""
    state = chain(2, 4.0, 2.0).steady_state()
    branch = state.branches[0]
    assert branch.stable
    assert branch.current[(0, 1)] == pytest.approx(0.09186833, abs=5e-9)
    assert branch.current[(1, 0)] == -branch.current[(0, 1)]
    closed = closed_forms.symmetric_phase_ends(4.0, 2.0, 1e-3)
    assert closed.current == pytest.approx(0.091868, abs=5e-7)
    assert branch.current[(0, 1)] == pytest.approx(closed.current, rel=5e-6)
    assert branch.occupation == pytest.approx([closed.first, closed.last], rel=5e-6)
    assert state.exhaustive
    assert [each.frequency for each in state.stable_branches] == pytest.approx(
        [0.5, -0.5], abs=1e-5
    )
    assert all(entry.ok for entry in state.audit.values())


def test_ten_sites_in_the_symmetric_phase():
    """First and last bond at Γ_e = 2; the mean over bonds of the five coexisting standing waves."""
    state = chain(10, 4.0, 2.0).steady_state()
    branch = state.branches[0]
    assert branch.frequency == pytest.approx(-np.cos(6.0 * np.pi / 11.0), abs=1e-5)
    assert branch.current[(0, 1)] == pytest.approx(0.18282514, abs=5e-9)
    assert branch.current[(8, 9)] == pytest.approx(0.1182294, abs=5e-8)
    closed = closed_forms.symmetric_phase(10, 4.0, 2.0, 1e-3)
    assert closed.current == pytest.approx(0.11745, abs=5e-6)
    assert branch.current[(8, 9)] == pytest.approx(closed.current, rel=0.01)
    waves = [nearest(state, -np.cos(m * np.pi / 11.0)) for m in range(6, 11)]
    assert all(wave.stable for wave in waves)
    means = [wave.current.mean() for wave in waves]
    assert means == pytest.approx([0.1505, 0.1630, 0.1937, 0.2628, 0.4542], abs=6e-5)
    assert len(state.stable_branches) == 10
    for each in state.branches:
        balanced(each)


def test_relaxation_times_of_appendix_f():
    """N = 6, Γ_e = 6: 29.81 in the amplitude sector; phases take of the order of 1/γ."""
    branch = chain(6, 4.0, 6.0).steady_state().branches[0]
    assert branch.frequency == pytest.approx(0.0, abs=1e-9)
    times = branch.relaxation_times
    assert times["amplitude"][0] == pytest.approx(29.81, abs=5e-3)
    assert times["phase"][0] == pytest.approx(6894.684, abs=1e-2)
    assert times["amplitude"].size + times["phase"].size == 11
    symmetric = chain(2, 4.0, 2.0).steady_state().branches[0]
    assert symmetric.relaxation_times["amplitude"][0] == pytest.approx(516.319, abs=1e-2)


@pytest.mark.parametrize(
    ("sites", "broken", "symmetric", "ends"),
    [(2, 5.24884, 5.98417, (5.215, 5.987)), (10, 5.20935, 5.81890, (5.2, 5.9))],
)
def test_bistable_interval(sites, broken, symmetric, ends):
    """Γ_i = 6: where the broken branch turns unstable going down, the symmetric one going up."""
    machine = chain(sites, 6.0, 5.5)
    stable = machine.steady_state().stable_branches
    centre = min(stable, key=lambda branch: abs(branch.frequency))
    wave = np.cos(np.pi * (sites / 2) / (sites + 1))
    standing = min(stable, key=lambda branch: abs(branch.frequency - wave))
    for branch, stop, place in zip((centre, standing), ends, (broken, symmetric), strict=True):
        path = machine.follow(branch, "extraction", stop)
        assert path.stable[0]
        assert not path.stable[-1]
        first = path.events[0]
        assert first.kind == "hopf"
        assert first.parameter == pytest.approx(place, abs=1e-5)
        assert first.error < 1e-6
        assert first.oscillation > 0.05
        balanced(path.branches[3])


def test_fold_of_the_broken_branch_and_the_path_around_it():
    machine = chain(2, 6.0, 5.5)
    centre = next(b for b in machine.steady_state().stable_branches if abs(b.frequency) < 1e-9)
    path = machine.follow(centre, "extraction", 4.5)
    assert [event.kind for event in path.events] == ["hopf", "fold"]
    assert path.events[1].parameter == pytest.approx(path.parameter.min(), abs=5e-4)
    assert path.parameter[-1] == 5.5  # it turns, and comes back
    assert not path.stable[-1]
    met = {round(b.current[(0, 1)], 7) for b in machine.steady_state().branches}
    assert round(path.end.current[(0, 1)], 7) in met
    dataset = path.to_xarray()
    assert list(dataset["event"].values) == ["hopf", "fold"]
    assert dataset["edge_current"].shape == (path.parameter.size, 1)


@pytest.mark.parametrize(("sites", "end"), [(2, 3.9920080), (4, 3.9840399)])
def test_a_path_turns_once_where_mirror_branches_merge(sites, end):
    """Rounding in a rate decides nothing: ω² vanishes at `end`, and the path goes on at −ω."""
    for k in range(2):
        machine = chain(sites, 4.0 * (1.0 + 1e-12 * k), 2.0)
        branch = machine.steady_state(ww.MeanField(trajectories=0)).branches[0]
        path = machine.follow(branch, "extraction", 8.0)
        (turn,) = (event for event in path.events if event.kind != "hopf")
        assert turn.kind == "fold"
        assert turn.parameter == pytest.approx(end, abs=1e-7)
        assert turn.error < 1e-9
        assert path.end.frequency == pytest.approx(-branch.frequency, abs=1e-9)


def test_a_path_does_not_leave_its_branch_at_a_sharp_fold():
    """Newton's method from below: a state at 3.9855052, none at 3.985506; its mode slows down."""
    machine = chain(3, 4.0, 2.0)
    branch = machine.steady_state(ww.MeanField(trajectories=0)).stable_branches[2]
    path = machine.follow(branch, "extraction", 8.0)
    (turn,) = (event for event in path.events if event.kind != "hopf")
    assert turn.kind == "fold"
    assert turn.parameter == pytest.approx(3.9855052, abs=5e-7)
    assert turn.error < 1e-9
    assert path.parameter[-1] == 2.0


def test_birth_at_the_threshold_of_the_linear_chain():
    """N = 2 without detuning: α = 0 turns unstable at Γ_i = γ + g²/(Γ_e + γ) with ω = 0."""
    machine = chain(2, 0.8, 3.0, damping=0.01)
    path = machine.follow(machine.steady_state().branches[0], "injection", 0.0)
    assert [event.kind for event in path.events] == ["trivial branch"]
    assert path.events[0].parameter == pytest.approx(0.01 + 1.0 / 3.01, abs=1e-7)


def test_broken_phase_approaches_c8():
    """The deviation of (C7), (C8) falls with Γ_e."""
    off = []
    for extraction in (10.0, 40.0, 160.0):
        branch = chain(2, 4.0, extraction, damping=1e-7).steady_state().branches[0]
        closed = closed_forms.broken_phase(4.0, extraction)
        off.append(abs(branch.current[(0, 1)] / closed.current - 1.0))
    assert off[0] > 2.0 * off[1] > 4.0 * off[2]
    assert off[2] < 0.03
    assert branch.occupation == pytest.approx([closed.first, closed.last], rel=0.03)


def test_symmetric_phase_approaches_c12_and_c18():
    """C12: to second order in γ at N = 2; C18: to first order, on the last bond, N odd."""
    closed = closed_forms.symmetric_phase_ends(4.0, 2.0, 1e-4).current
    branch = chain(2, 4.0, 2.0, damping=1e-4).steady_state().branches[0]
    assert branch.current[(0, 1)] == pytest.approx(closed, rel=1e-6)
    off = []
    for damping in (1e-3, 1e-4):
        closed = closed_forms.symmetric_phase(5, 4.0, 2.0, damping)
        branch = chain(5, 4.0, 2.0, damping=damping).steady_state()
        centre = min(branch.stable_branches, key=lambda each: abs(each.frequency))
        off.append(abs(centre.current[(3, 4)] / closed.current - 1.0))
    assert off[1] < 0.2 * off[0] < 2e-3


@pytest.mark.parametrize("extraction", [0.5, 1.0, 1.99])
def test_stalled_transport(extraction):
    """Γ_i ≤ Γ_e < g²/Γ_i: nothing but rest, which is stable; and transport just outside."""
    low, high = closed_forms.stalled_range(0.5)
    assert (low, high) == (0.5, 2.0)
    state = chain(10, 0.5, extraction, damping=1e-6).steady_state()
    (only,) = state.branches
    assert only.at_rest
    assert only.stable
    assert state.observables["extracted"] == 0.0
    assert closed_forms.stalled_range(1.5) is None


@pytest.mark.parametrize("extraction", [0.49, 2.01])
def test_transport_outside_the_stalled_range(extraction):
    state = chain(2, 0.5, extraction, damping=1e-6).steady_state()
    assert not state.branches[-1].stable
    assert state.branches[0].extracted > 0.0


def test_current_never_exceeds_its_bound():
    rng = np.random.default_rng(5)
    for _ in range(12):
        injection, extraction = rng.uniform(0.2, 8.0, 2)
        saturation = rng.uniform(0.5, 20.0)
        machine = chain(int(rng.integers(2, 6)), injection, extraction, saturation=saturation)
        bound = closed_forms.current_bound(injection, extraction, saturation)
        for branch in machine.steady_state().branches:
            assert branch.extracted <= bound * (1.0 + 1e-12)
            # an edge also carries what the sites behind it lose to damping
            assert np.all(np.abs(branch.current.array) <= bound + branch.dissipated)
            assert np.all(np.abs(branch.current.array) <= 0.25 * saturation * injection)
            balanced(branch)


def test_saturation_is_only_a_scale():
    """α → √n0 α: the same frequencies and exponents, currents times n0."""
    one, many = (chain(4, 4.0, 2.0, saturation=n0).steady_state() for n0 in (1.0, 37.0))
    for a, b in zip(one.branches, many.branches, strict=True):
        assert b.current.array == pytest.approx(37.0 * a.current.array, abs=1e-9)
        assert b.frequency == pytest.approx(a.frequency, abs=1e-10)
        assert b.growth_rate == pytest.approx(a.growth_rate, abs=1e-9)


def test_phase_invariance_and_sign_of_the_coupling():
    """A global phase changes nothing; on a bipartite graph neither does the sign of g."""
    state = chain(4, 4.0, 3.0).steady_state()
    model = state.machine.amplitude_model
    branch = state.branches[1]
    turned = np.exp(0.7j) * branch.amplitudes[None]
    residual = model.residual(turned, np.array([branch.frequency]))
    assert np.max(np.abs(residual)) < 1e-12
    negative = chain(4, 4.0, 3.0, coupling=-1.0).steady_state()
    ours = sorted(b.current[(0, 1)] for b in state.branches)
    theirs = sorted(b.current[(0, 1)] for b in negative.branches)
    assert theirs == pytest.approx(ours, abs=1e-10)


def test_mirror_partners():
    """ω and −ω with equal currents; a detuning of all nodes only shifts ω."""
    state = chain(6, 4.0, 2.0).steady_state()
    frequencies = np.sort([b.frequency for b in state.branches[:-1]])
    assert frequencies == pytest.approx(-frequencies[::-1], abs=1e-9)
    for branch in state.branches[:-1]:
        partner = min(
            state.branches[:-1],
            key=lambda b, own=branch: (
                abs(b.frequency + own.frequency) + np.max(np.abs(b.occupation - own.occupation))
            ),
        )
        assert partner.current.array == pytest.approx(branch.current.array, abs=1e-10)
    shifted = state.machine.replace(detuning=0.3).steady_state()
    moved = np.sort([b.frequency for b in shifted.branches[:-1]])
    assert moved == pytest.approx(frequencies + 0.3, abs=1e-9)


def test_detuned_site_shifts_frequency_with_its_weight():
    """First order: dω/dΔ is real in the lossless limit; H has + Δ a†a and e^{−iωt}."""
    machine = ww.PowerGrid(
        nx.path_graph(1), generators={0: ww.Saturable(2.0)}, engines={}, damping=0.5, detuning=0.3
    )
    (branch, _) = machine.steady_state().branches
    assert branch.frequency == pytest.approx(0.3, abs=1e-12)
    assert branch.occupation[0] == pytest.approx(1.0, rel=1e-12)
    pair = ww.PowerGrid(
        nx.path_graph(2),
        generators={0: ww.Saturable(2.0), 1: ww.Saturable(2.0)},
        engines={},
        damping=0.5,
        coupling=0.8,
    )
    # both sites in phase: energy −g/2
    even = [
        b.frequency
        for b in pair.steady_state().branches[:-1]
        if abs(b.amplitudes[0] - b.amplitudes[1]) < 1e-9
    ]
    assert even == pytest.approx([-0.4], abs=1e-10)


def three_lines(extraction):
    """Lines 1-4-7, 2-5-8, 3-6-9 joined by 4-5-6: our reading of the graph of Fig. 5."""
    graph = nx.Graph([(1, 4), (4, 7), (2, 5), (5, 8), (3, 6), (6, 9), (4, 5), (5, 6)])
    return ww.PowerGrid(
        graph,
        generators={1: ww.Saturable(4.0)},
        engines={7: ww.Saturable(extraction), 9: ww.Saturable(4.0)},
        damping=1e-3,
    )


def test_transistor_of_fig_5():
    """Without noise nothing reaches site 9 while 1-4-7 holds a symmetric wave."""
    closed = three_lines(1.0)
    for extraction in (1.0, 3.5):
        state = closed.replace(**{"extraction[7]": extraction}).steady_state()
        (branch,) = state.stable_branches
        assert abs(branch.current[(6, 9)]) < 1e-12
        assert branch.current[(4, 7)] > 0.05
        balanced(branch)
    opened = closed.replace(**{"extraction[7]": 4.0}).steady_state()
    assert opened.stable_branches[0].current[(6, 9)] == pytest.approx(0.2614, abs=5e-4)
    wide = closed.replace(**{"extraction[7]": 8.0}).steady_state()
    assert wide.stable_branches[0].current[(6, 9)] == pytest.approx(0.3871, abs=5e-4)
    assert not wide.exhaustive
    for branch in (*opened.branches, *wide.branches):
        balanced(branch)
    assert all(entry.ok for entry in wide.audit.values())


def test_motion_that_does_not_settle():
    """ν = 1, Γ_i = 4 (Huber and Rabl, Fig. 7): no branch is stable at Γ_e = 3.5."""
    machine = chain(10, 4.0, 3.5, damping=1e-2, exponent=1.0)
    state = machine.steady_state(ww.MeanField(trajectories=1, duration=2000.0))
    assert state.stable_branches == ()
    (motion,) = state.oscillations
    assert state.observables["motions"] == 1.0
    lost = motion.extracted + motion.dissipated
    assert motion.injected == pytest.approx(lost, rel=0.02)
    assert motion.extracted == pytest.approx(
        motion.current[(8, 9)] - 1e-2 * motion.occupation[9], rel=0.03
    )
    assert state.observables["extracted"] == motion.extracted
    assert motion.current.errors[0] < 0.3 * motion.current[(0, 1)]
    assert state.audit["no attractor"].ok
    without = machine.steady_state(ww.MeanField(trajectories=0))
    assert not without.audit["no attractor"].ok


@pytest.mark.parametrize(
    ("elements", "damping"),
    [
        ({"generators": {0: ww.Saturable(2.0, 1.0, 0.0)}, "engines": {1: ww.Saturable(0.5)}}, 1e-3),
        ({"generators": {0: ww.Saturable(2.0)}, "engines": {}}, 0.0),
        ({"generators": {0: ww.Saturable(2.0)}, "engines": {1: ww.Saturable(1.0)}}, 0.0),
    ],
)
def test_unbounded_amplitudes_are_refused(elements, damping):
    machine = ww.PowerGrid(nx.path_graph(2), damping=damping, **elements)
    with pytest.raises(NoSteadyState, match="amplitudes are unbounded"):
        machine.steady_state()


@pytest.mark.parametrize("sites", [2, 3, 6])
def test_a_continuum_of_states_is_said_to_be_one(sites):
    """γ = 0 and Γ_e = Γ_i: at any occupation gain and loss balance, and the whole chain rotates."""
    machine = chain(sites, 4.0, 4.0, damping=0.0)
    with pytest.raises(NoSteadyState, match="continuum of steady states"):
        machine.steady_state()
    assert chain(sites, 4.0, 4.0, damping=0.1).steady_state().branches


def test_the_states_of_the_continuum_are_steady():
    """α = √n (1, ie^{iφ}) with Γ f²(n) = g cos φ, for any n that allows it."""
    model = amplitude_model(chain(2, 4.0, 4.0, damping=0.0))
    for n in (1.5, 10.0, 400.0):
        cosine = 4.0 / (1.0 + n) ** 2
        sine = math.sqrt(1.0 - cosine**2)
        for side in (1.0, -1.0):
            alpha = math.sqrt(n) * np.array([1.0, 1j * (cosine + 1j * side * sine)])
            velocity = model.velocity(alpha)
            assert np.abs(velocity / alpha - (velocity / alpha)[0]).max() < 1e-12
            assert np.abs((velocity / alpha).real).max() < 1e-12


def test_undamped_but_bounded():
    """γ = 0 and Γ_e > Γ_i: the engine takes all, and holds the amplitudes."""
    branch = chain(2, 4.0, 8.0, damping=0.0).steady_state().branches[0]
    assert branch.injected == pytest.approx(branch.extracted, rel=1e-12)


def test_custom_elements_agree_with_saturable_ones():
    """The same rates as callables: slopes by differences, the search by starts."""

    def pair(rate, noisy):
        return (
            lambda n: rate / (1.0 + n) ** 2,
            lambda n: rate / (1.0 + n) ** 2 if noisy else 0.0 * n,
        )

    ours = chain(2, 6.0, 5.5)
    theirs = ww.PowerGrid(
        nx.path_graph(2),
        generators={0: pair(6.0, True)},
        engines={1: pair(5.5, False)},
        damping=1e-3,
    )
    n, noise = np.array([[0.0, 3.0], [2.0, 1e-3]]), noisy_model(ours).activity.noise
    for site, at_rest in enumerate((6.0, 0.0)):
        assert noisy_model(theirs).activity.noise(site, n) == pytest.approx(noise(site, n))
        assert noise(site, np.zeros(1)) == pytest.approx([at_rest])
    first, second = ours.steady_state(), theirs.steady_state()
    assert not second.exhaustive
    assert len(first.branches) == len(second.branches)
    for a, b in zip(first.branches, second.branches, strict=True):
        assert b.current[(0, 1)] == pytest.approx(a.current[(0, 1)], abs=1e-10)
        assert b.growth_rate == pytest.approx(a.growth_rate, abs=1e-7)


UNEVEN = ww.PowerGrid(
    nx.path_graph(4),
    generators={0: ww.Saturable(4.0, 2.0, 1.0)},
    engines={3: ww.Saturable(2.0, 0.5, 2.0)},
    damping=1e-2,
)


@pytest.mark.parametrize("machine", [chain(4, 4.0, 2.0), UNEVEN], ids=["alike", "uneven"])
def test_map_agrees_with_single_points(machine):
    values = {"injection": np.array([0.3, 2.0, 6.0]), "extraction": np.array([0.5, 5.5])}
    dataset = machine.branch_map(values)
    assert dataset.sizes["injection"] == 3
    for i, injection in enumerate(values["injection"]):
        for j, extraction in enumerate(values["extraction"]):
            state = machine.replace(injection=injection, extraction=extraction).steady_state()
            here = dataset.isel(injection=i, extraction=j)
            count = int(here["branches"])
            assert count == len(state.branches) - 1
            assert int(here["stable_branches"]) == sum(b.stable for b in state.branches[:-1])
            assert bool(here["rest_stable"]) == state.branches[-1].stable
            ours = np.sort([b.extracted for b in state.branches[:-1]])
            assert np.sort(here["extracted"].values[:count]) == pytest.approx(ours, abs=1e-9)
            for branch in state.branches[:-1]:
                k = int(
                    np.nanargmin(
                        np.abs(here["frequency"].values - branch.frequency)
                        + np.abs(here["extracted"].values - branch.extracted)
                    )
                )
                assert here["edge_current"].values[k] == pytest.approx(
                    branch.current.array, abs=1e-9
                )
                assert bool(here["stable"].values[k]) == branch.stable
            assert np.all(np.isnan(here["frequency"].values[count:]))


def two_elements(graph, gain, loss, damping, detunings):
    """gain, loss: (node, rate, saturation, exponent)."""
    return ww.PowerGrid(
        nx.Graph(graph),
        generators={gain[0]: ww.Saturable(*gain[1:])},
        engines={loss[0]: ww.Saturable(*loss[1:])},
        damping=damping,
        detuning=dict(enumerate(detunings)),
    )


RING = [(0, 1), (0, 5), (1, 2), (2, 3), (3, 4), (4, 5)]
HIDDEN = {  # each with states where a coarse look at the passive network sees nothing
    "narrow modes": two_elements(
        [(0, 1)], (1, 7.09, 1.6, 1.5), (0, 0.267, 1.84, 2.5), 0.0087, (-0.059, -0.013)
    ),
    "modes of a network with a held site": two_elements(
        [(0, 1), (1, 2), (1, 3), (2, 3), (2, 4)],
        (2, 7.19, 1.48, 1.0),
        (1, 0.58, 0.85, 1.0),
        0.0888,
        (0.033, -0.166, -0.235, 0.225, 0.49),
    ),
    "few quanta": two_elements(
        RING, (4, 0.2755290, 1.13, 1.5), (3, 1.3039, 0.833, 2.5), 0.06966, [0.0] * 6
    ),
    "fewest quanta": two_elements(
        RING, (4, 2.8194, 1.13, 1.5), (3, 1.3039, 0.833, 2.5), 0.06966, [0.0] * 6
    ),
    "corner of what elements do": two_elements(
        [(j, j + 1) for j in range(5)],
        (1, 2.011, 1.193, 1.5),
        (4, 0.19275, 1.108, 2.5),
        0.00153,
        [0.0] * 6,
    ),
    "two states close by": two_elements(
        [(0, 2), (1, 2), (1, 4), (2, 4), (3, 4)],
        (1, 6.601, 1.094, 1.5),
        (0, 3.057, 1.673, 1.0),
        0.01784,
        [0.0] * 5,
    ),
}


@pytest.mark.parametrize("name", list(HIDDEN))
def test_an_exhaustive_search_finds_what_random_starts_find(name):
    machine = HIDDEN[name]
    state = machine.steady_state(ww.MeanField(trajectories=0))
    assert state.exhaustive
    random, model = np.random.default_rng(1), machine.amplitude_model
    starts = [random_amplitudes(model, 300, scale, random) for scale in (0.01, 1.0, 30.0)]
    met = newton(model, *(np.concatenate(each) for each in zip(*starts, strict=True)), 60)
    size = np.linalg.norm(met.amplitudes, axis=1)
    met = distinct(met.chosen((met.error <= 1e-9 * size) & (size > 1e-6)), 10.0)
    assert len(met) > 1
    known = np.array([[b.frequency, np.linalg.norm(b.amplitudes)] for b in state.branches[:-1]])
    for frequency, amplitudes in zip(met.frequency, met.amplitudes, strict=True):
        here = frequency, np.linalg.norm(amplitudes)
        assert np.min(np.max(np.abs(known - here), axis=1)) < 1e-5, here


def test_a_state_is_the_sequence_of_its_branches():
    state = chain(4, 4.0, 2.0).steady_state()
    assert tuple(state) == state.branches
    assert len(state) == len(state.branches)
    assert state[0] is state.branches[0]
    assert state[-1].at_rest


def test_map_over_the_network_itself():
    """A parameter of the network asks for a new curve at each value."""
    machine = chain(3, 4.0, 6.0)
    dataset = machine.branch_map({"coupling": [0.5, 1.0], "damping": [1e-3, 0.1]})
    for g in (0.5, 1.0):
        for damping in (1e-3, 0.1):
            state = machine.replace(coupling=g, damping=damping).steady_state()
            here = dataset.sel(coupling=g, damping=damping)
            ours = np.sort([b.extracted for b in state.branches[:-1]])
            count = int(here["branches"])
            assert np.sort(here["extracted"].values[:count]) == pytest.approx(ours, abs=1e-9)
    with pytest.raises(InvalidArgument, match="must name two parameters"):
        machine.branch_map({"coupling": [1.0]})


def test_transition_is_near_its_estimate():
    """(C13) and (D3), where |A| = |B|: the symmetric branch loses stability close by."""
    assert closed_forms.transition(2, 6.0, 1e-3) == pytest.approx(6.0 * 0.999 / 1.001)
    assert closed_forms.transition(10, 6.0, 1e-3) == pytest.approx(12.0 * 0.999 / 2.009)
    machine = chain(2, 0.9, 0.5)
    path = machine.follow(machine.steady_state().branches[0], "extraction", 0.899)
    assert path.events[0].parameter == pytest.approx(
        closed_forms.transition(2, 0.9, 1e-3), abs=2e-3
    )
