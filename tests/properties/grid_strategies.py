"""Random power grids, and what must hold of their steady states whatever they are."""

import math

import networkx as nx
import numpy as np
from hypothesis import strategies as st

import wheelwork as ww

UNITS = (1e-24, 1e-9, 1e9, 1e15)
ROUNDING = 1e-9


@st.composite
def graphs(draw, largest=6):
    """A tree with some edges more: connected."""
    n = draw(st.integers(1, largest))
    edges = [(draw(st.integers(0, node - 1)), node) for node in range(1, n)]
    pairs = [(u, v) for v in range(n) for u in range(v) if (u, v) not in edges]
    more = draw(st.lists(st.sampled_from(pairs), max_size=3, unique=True)) if pairs else []
    graph = nx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(edges + more)
    return graph


def numbers(low, high, zero=False):
    """Spread evenly over the decades between."""
    decades = st.floats(low, high).map(lambda x: float(10.0**x))
    return st.one_of(st.just(0.0), decades) if zero else decades


def elements(nodes, low, high, quanta, most=3):
    each = st.builds(
        ww.Saturable, numbers(low, high), numbers(-quanta, quanta), st.sampled_from([0.5, 1, 2, 3])
    )
    return st.dictionaries(st.sampled_from(nodes), each, max_size=most)


@st.composite
def typical(draw):
    """Rates within two decades, as in the paper."""
    graph = draw(graphs())
    nodes = list(graph)
    return ww.PowerGrid(
        graph,
        generators=draw(elements(nodes, -1.0, 1.0, 1.0)),
        engines=draw(elements(nodes, -1.0, 1.0, 1.0)),
        damping=draw(numbers(-2.5, 0.0)),
        detuning={node: draw(st.sampled_from([0.0, 0.0, 0.3, -0.7])) for node in nodes},
        coupling=draw(st.sampled_from([1.0, 0.5, -1.0])),
    )


@st.composite
def extreme(draw):
    """Rates, quanta and exponents over many decades, and the ends of floating-point numbers."""
    graph = draw(graphs(4))
    nodes = list(graph)
    wild = st.one_of(numbers(-12.0, 12.0), numbers(-300.0, 300.0))
    any_sign = st.builds(lambda x, sign: sign * x, wild, st.sampled_from([1.0, -1.0]))
    each = st.builds(
        ww.Saturable, st.one_of(st.just(0.0), wild), wild, st.one_of(numbers(-3.0, 3.0, True), wild)
    )
    held = st.dictionaries(st.sampled_from(nodes), each, max_size=2)
    return ww.PowerGrid(
        graph,
        generators=draw(held),
        engines=draw(held),
        damping=draw(st.one_of(st.just(0.0), wild)),
        detuning={node: draw(st.one_of(st.just(0.0), any_sign)) for node in nodes},
        coupling=draw(any_sign),
    )


METHOD = ww.MeanField(random_starts=8, trajectories=0)


def velocity(machine, alpha):
    """dα/dt and the sum of its absolute terms, written down from the equations of the paper."""
    value, terms = np.zeros_like(alpha), np.zeros(alpha.size)
    index = {node: i for i, node in enumerate(machine.graph)}
    for node, i in index.items():
        n, damping = abs(alpha[i]) ** 2, machine.damping
        for held, sign in ((machine.generators, 1.0), (machine.engines, -1.0)):
            if node in held:
                e = held[node]
                rate = 0.5 * e.rate * math.exp(-e.exponent * math.log1p(n / e.saturation))
                value[i] += sign * rate * alpha[i]
                terms[i] += rate * abs(alpha[i])
        own = -0.5 * damping - 1j * machine.detuning[node]
        value[i] += own * alpha[i]
        terms[i] += abs(own) * abs(alpha[i])
    for u, v in machine.graph.edges:
        for i, j in ((index[u], index[v]), (index[v], index[u])):
            value[i] += 0.5j * machine.coupling * alpha[j]
            terms[i] += 0.5 * abs(machine.coupling) * abs(alpha[j])
    return value, terms


def wrong_branch(state):
    """Whether a branch does not solve the equations; what is wrong, or None."""
    for branch in state.branches:
        alpha, omega = branch.amplitudes, branch.frequency
        value, terms = velocity(state.machine, alpha)
        off = np.max(np.abs(value + 1j * omega * alpha))
        size = np.max(terms + abs(omega) * np.abs(alpha))
        if off > ROUNDING * size:
            return f"a branch at {omega} leaves {off:.2g} of {size:.2g}"
        flows = branch.injected + branch.extracted + branch.dissipated
        if abs(branch.injected - branch.extracted - branch.dissipated) > 1e-8 * flows:
            return "a branch does not balance its quanta"
    return None


def triple(name, machine, method=METHOD):
    return f"{name}: {machine!r}", lambda: machine.steady_state(method), wrong_branch


CALLS = {
    "typical grids": typical().map(lambda machine: triple("typical", machine)),
    "grids of extreme numbers": extreme().map(lambda machine: triple("extreme", machine)),
}
