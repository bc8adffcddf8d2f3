"""Random power grids: right answers, named refusals, and the symmetries of the equations."""

from types import SimpleNamespace

import networkx as nx
import numpy as np
from grid_strategies import CALLS, METHOD, UNITS, typical, velocity, wrong_branch
from hypothesis import given, settings
from hypothesis import strategies as st
from judge import judge
from scipy.integrate import solve_ivp

import wheelwork as ww
from wheelwork.errors import WheelworkError

RULES = {"derandomize": True, "deadline": None, "database": None}


@settings(max_examples=60, **RULES)
@given(CALLS["typical grids"])
def test_typical_grids(call):
    text, solve, check = call
    outcome = judge(solve, check, text)
    assert not outcome.bad, (outcome.reason, text)


@settings(max_examples=80, **RULES)
@given(CALLS["grids of extreme numbers"])
def test_grids_of_extreme_numbers(call):
    text, solve, check = call
    outcome = judge(solve, check, text)
    assert not outcome.bad, (outcome.reason, text)


def solved(machine):
    """The state, or None where it is refused."""
    try:
        return machine.steady_state(METHOD)
    except WheelworkError:
        return None


def seen(state, rate=1.0, quanta=1.0, shift=0.0):
    """Frequency, quanta and flow of every branch that an exhaustive search returns, in order."""
    rows = [
        ((b.frequency - shift) / rate, b.quanta / quanta, b.injected / (rate * quanta))
        for b in state.branches
    ]
    return np.array(sorted(rows, key=lambda row: tuple(np.round(row, 6))))


def same(one, other, tolerance=1e-6):
    return one.shape == other.shape and np.allclose(one, other, rtol=tolerance, atol=tolerance)


def scaled(machine, rate=1.0, quanta=1.0, shift=0.0):
    def element(e):
        return ww.Saturable(e.rate * rate, e.saturation * quanta, e.exponent)

    return machine.replace(
        generators={node: element(e) for node, e in machine.generators.items()},
        engines={node: element(e) for node, e in machine.engines.items()},
        damping=machine.damping * rate,
        coupling=machine.coupling * rate,
        detuning={node: rate * x + shift for node, x in machine.detuning.items()},
    )


@settings(max_examples=25, **RULES)
@given(typical(), st.sampled_from(UNITS), st.sampled_from((1e-12, 1e-3, 1e6, 1e15)))
def test_units_do_not_matter(machine, rate, quanta):
    state, other = solved(machine), solved(scaled(machine, rate, quanta))
    assert (state is None) == (other is None)
    if state is not None and state.exhaustive:
        assert same(seen(state), seen(other, rate, quanta))


@settings(max_examples=25, **RULES)
@given(typical(), st.sampled_from((1.0, -40.0, 1e5)))
def test_a_common_detuning_is_a_frame(machine, shift):
    state, other = solved(machine), solved(scaled(machine, shift=shift))
    assert (state is None) == (other is None)
    if state is not None and state.exhaustive:
        moving = seen(other, shift=shift)
        moving[np.all(moving[:, 1:] == 0.0, axis=1), 0] = 0.0  # rest has the frequency zero
        assert same(np.sort(seen(state), axis=0), np.sort(moving, axis=0))


@settings(max_examples=25, **RULES)
@given(typical(), st.randoms(use_true_random=False))
def test_names_and_order_do_not_matter(machine, random):
    """Nodes get other names, and nodes and edges another order."""
    nodes = list(machine.graph)
    places = random.sample(range(len(nodes)), len(nodes))
    names = {node: f"node {place}" for node, place in zip(nodes, places, strict=True)}
    graph = nx.Graph()
    graph.add_nodes_from(random.sample(sorted(names.values()), len(nodes)))
    edges = [(names[v], names[u]) for u, v in machine.graph.edges]
    graph.add_edges_from(random.sample(edges, len(edges)))
    other = ww.PowerGrid(
        graph,
        generators={names[node]: e for node, e in machine.generators.items()},
        engines={names[node]: e for node, e in machine.engines.items()},
        damping=machine.damping,
        coupling=machine.coupling,
        detuning={names[node]: x for node, x in machine.detuning.items()},
    )
    state, renamed = solved(machine), solved(other)
    assert (state is None) == (renamed is None)
    if state is not None and state.exhaustive:
        assert same(seen(state), seen(renamed))


@settings(max_examples=25, **RULES)
@given(typical())
def test_signs_of_couplings_on_a_tree_are_a_gauge(machine):
    if machine.graph.number_of_edges() >= machine.graph.number_of_nodes():
        return
    state, other = solved(machine), solved(machine.replace(coupling=-machine.coupling))
    assert (state is None) == (other is None)
    if state is not None and state.exhaustive:
        assert same(seen(state), seen(other))


@settings(max_examples=15, **RULES)
@given(typical())
def test_stable_branches_hold_in_time(machine):
    """The equations as written in the tests, integrated from beside a stable branch."""
    state = solved(machine)
    if state is None or state.branch is None or not state.passed:
        return
    branch = state.branch
    size = np.max(np.abs(branch.amplitudes)) or 1e-3 * np.sqrt(min(machine.saturations, default=1))
    time = min(3.0 / abs(branch.growth_rate), 100.0)
    start = branch.amplitudes + 1e-5 * size * np.exp(1j * np.arange(len(machine.nodes)))

    def turning(_, packed):
        alpha = packed.view(np.complex128)
        moved = velocity(machine, alpha)[0] + 1j * branch.frequency * alpha
        return moved.view(np.float64)

    path = solve_ivp(
        turning, (0.0, time), start.view(np.float64), "DOP853", rtol=1e-9, atol=1e-11 * size
    )
    end = np.ascontiguousarray(path.y[:, -1]).view(np.complex128)
    phase = np.vdot(branch.amplitudes, end) if not branch.at_rest else 1.0
    turned = end * np.conj(phase) / abs(phase)
    assert np.max(np.abs(turned - branch.amplitudes)) < 1e-3 * size


@settings(max_examples=12, **RULES)
@given(typical())
def test_paths_and_maps_hold_the_branches_of_each_point(machine):
    """States on the way and at its end solve the equations; a map has as many as each point."""
    try:
        state = machine.steady_state(METHOD)
        more = machine.replace(damping=1.3 * machine.damping)
        counts = [len(state) - 1, len(more.steady_state(METHOD)) - 1]
    except WheelworkError:
        return
    values = {"coupling": [machine.coupling], "damping": [machine.damping, more.damping]}
    table = machine.branch_map(values, METHOD)
    assert table.branches.values.tolist() == [counts]
    for branch in state.branches[: min(2, counts[0])]:
        try:
            path = machine.follow(branch, "damping", more.damping)
        except WheelworkError as refusal:
            path = refusal.partial
        for each in path.branches:
            point = SimpleNamespace(machine=each.machine, branches=[each])
            assert wrong_branch(point) is None
