"""Steady branches of power grids: printed numbers, symmetries, balances, limits."""

import networkx as nx
import numpy as np
import pytest

import wheelwork as ww
from wheelwork.machines.power_grid.model import gain_rates
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


def test_a_state_is_the_sequence_of_its_branches():
    state = chain(4, 4.0, 2.0).steady_state()
    assert tuple(state) == state.branches
    assert len(state) == len(state.branches)
    assert state[0] is state.branches[0]
    assert state[-1].at_rest


def test_transition_is_near_its_estimate():
    """(C13) and (D3), where |A| = |B|: the symmetric branch loses stability close by."""
    assert closed_forms.transition(2, 6.0, 1e-3) == pytest.approx(6.0 * 0.999 / 1.001)
    assert closed_forms.transition(10, 6.0, 1e-3) == pytest.approx(12.0 * 0.999 / 2.009)
    machine = chain(2, 0.9, 0.5)
    path = machine.follow(machine.steady_state().branches[0], "extraction", 0.899)
    assert path.events[0].parameter == pytest.approx(
        closed_forms.transition(2, 0.9, 1e-3), abs=2e-3
    )
