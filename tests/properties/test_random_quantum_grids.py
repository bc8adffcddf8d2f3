"""Random small grids with quanta: right, doubted by the audit, or refused; and invariances."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from judge import judge
from quantum_grid_strategies import CALLS, ORDINARY, ROUGH, grids

import wheelwork as ww
from wheelwork.errors import NoSteadyState, NotConverged, WheelworkError
from wheelwork.numerics.work import counted

FEW = ww.MasterEquation(rtol=1e-6, cutoff=4)


def examples(number):
    return settings(
        max_examples=number,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("kind", CALLS)
def test_right_or_doubted_or_refused(kind):
    @examples(20 if kind == "quantum grid" else 40)  # these are the dear ones
    @given(CALLS[kind])
    def run(call):
        text, solve, check = call
        outcome = judge(solve, check, text)
        assert not outcome.bad, f"{text}: {outcome.reason}"

    run()


def reached(grid, method=FEW):
    """The state, or what was reached of it: a cutoff of four is seldom enough."""
    try:
        return grid.steady_state(method)
    except NoSteadyState:
        return None
    except NotConverged as reason:
        return reason.partial


def null_vector(grid, M):
    """Occupations and currents of the Lindblad matrix on number states of at most M quanta."""
    N = len(grid.nodes)
    basis = [n for n in np.ndindex(*(M + 1,) * N) if sum(n) <= M]
    index = {n: i for i, n in enumerate(basis)}
    quanta = np.array(basis, dtype=float)
    lower = np.zeros((N, len(basis), len(basis)))
    for n, i in index.items():
        for j in range(N):
            if n[j] > 0:
                fewer = (*n[:j], n[j] - 1, *n[j + 1 :])
                lower[j, index[fewer], i] = np.sqrt(n[j])
    H = np.diag(quanta @ grid.detunings).astype(complex)
    hops = {}
    for (u, v), g in zip(grid.edge_indices.tolist(), grid.couplings, strict=True):
        hops[u, v] = lower[u].T @ lower[v]
        H -= 0.5 * g * (hops[u, v] + hops[u, v].T)
    jumps = []
    for j, node in enumerate(grid.nodes):
        thermal, damping = grid.thermal_occupations[j], grid.dampings[j]
        jumps += [np.sqrt(damping * (thermal + 1.0)) * lower[j]]
        jumps += [np.sqrt(damping * thermal) * lower[j].T]
        for elements, raises in ((grid.generators, True), (grid.engines, False)):
            if node in elements:
                e = elements[node]
                f = np.sqrt(e.rate * (1.0 + quanta[:, j] / e.saturation) ** -e.exponent)
                jumps.append((f[:, None] * lower[j]).T if raises else f[:, None] * lower[j])
    total = quanta.sum(axis=1)
    a, b = np.nonzero(total[:, None] == total[None, :])  # no other coherences arise
    same_a, same_b = a[:, None] == a[None, :], b[:, None] == b[None, :]
    G = -1j * H - 0.5 * sum(L.T @ L for L in jumps)
    matrix = G[np.ix_(a, a)] * same_b + same_a * G.conj()[np.ix_(b, b)]
    for L in jumps:
        matrix += L[np.ix_(a, a)] * L[np.ix_(b, b)]
    matrix[0] = a == b  # in place of one equation of them, which sum to zero: the trace
    rho = np.zeros((len(basis), len(basis)), dtype=complex)
    rho[a, b] = np.linalg.solve(matrix, np.eye(a.size)[0])
    currents = [
        g * np.trace(rho @ hops[u, v]).imag
        for (u, v), g in zip(grid.edge_indices.tolist(), grid.couplings, strict=True)
    ]
    return rho.diagonal().real @ quanta, np.array(currents)


@examples(30)
@given(grids(ORDINARY))
def test_means_are_those_of_the_full_matrix(grid):
    state = reached(grid)
    assume(state is not None)
    occupation, current = null_vector(grid, 4)
    np.testing.assert_allclose(state.occupation.array, occupation, rtol=1e-6, atol=1e-7)
    scale = np.max(np.abs(grid.couplings), initial=0.0)
    np.testing.assert_allclose(state.current.array, current, rtol=1e-6, atol=1e-7 * scale)


@examples(15)
@given(grids(ORDINARY), st.randoms(use_true_random=False))
def test_names_and_order_of_nodes_and_edges(grid, random):
    order, edges = list(grid.nodes), list(grid.edges)
    random.shuffle(order)
    random.shuffle(edges)
    graph = nx.Graph()
    graph.add_nodes_from(f"node {n}" for n in order)
    for u, v in edges:
        u, v = (u, v) if random.random() < 0.5 else (v, u)
        coupling = grid.graph.edges[u, v]["coupling"]
        graph.add_edge(f"node {u}", f"node {v}", coupling=coupling)

    def named(value):
        return {f"node {n}": x for n, x in value.items()} if isinstance(value, dict) else value

    fields = ("generators", "engines", "damping", "thermal_occupation", "detuning")
    other = ww.PowerGrid(graph, **{name: named(getattr(grid, name)) for name in fields})
    one, two = reached(grid), reached(other)
    assume(one is not None)
    for node in grid.nodes:
        assert one.occupation[node] == pytest.approx(two.occupation[f"node {node}"], 1e-6, 1e-7)
    scale = max(np.abs(grid.couplings), default=0.0)
    for u, v in grid.edges:
        there = two.current[(f"node {u}", f"node {v}")]
        assert one.current[(u, v)] == pytest.approx(there, rel=1e-6, abs=1e-7 * scale)
    assert one.purity == pytest.approx(two.purity, rel=1e-6)


@examples(15)
@given(grids(ORDINARY), st.data())
def test_signs_of_all_couplings_of_a_node_are_a_gauge(grid, data):
    """a_j → −a_j; on a triangle one sign alone is a flux of π, and changes the state."""
    node = data.draw(st.sampled_from(grid.nodes))
    graph = nx.Graph(grid.graph)
    for u, v in graph.edges(node):
        graph.edges[u, v]["coupling"] *= -1.0
    one, two = reached(grid), reached(grid.replace(graph=graph))
    assume(one is not None)
    np.testing.assert_allclose(one.occupation.array, two.occupation.array, rtol=1e-6, atol=1e-7)
    scale = np.max(np.abs(grid.couplings), initial=0.0)
    np.testing.assert_allclose(one.current.array, two.current.array, rtol=1e-6, atol=1e-7 * scale)


def in_units(grid, unit):
    """The same grid with every rate times `unit`."""
    graph = nx.Graph(grid.graph)
    for edge in graph.edges:
        graph.edges[edge]["coupling"] *= unit

    def times(value):
        return {n: unit * x for n, x in value.items()} if isinstance(value, dict) else unit * value

    elements = {
        name: {
            node: each.replace(rate=unit * each.rate) for node, each in getattr(grid, name).items()
        }
        for name in ("generators", "engines")
    }
    numbers = {name: times(getattr(grid, name)) for name in ("damping", "detuning")}
    return grid.replace(graph=graph, **elements, **numbers)


def outcome(grid, method):
    """Occupations, currents and counts of work; or the kind of refusal."""
    with counted() as counts:
        try:
            state = grid.steady_state(method)
        except WheelworkError as reason:
            return type(reason), counts
    return state, counts


@pytest.mark.parametrize("unit", [1e-24, 1e-9, 1e9, 1e15])
@examples(6)
@given(grid=grids(ORDINARY))
def test_units_of_rates(unit, grid):
    """The same numbers with the same work, and the same refusals.

    In decimal units rates are rounded: at an exceptional point, which random rates that are equal
    hit, other modes may be used, and iterations end elsewhere within the tolerance.
    """
    (one, work), (two, other) = outcome(grid, ROUGH), outcome(in_units(grid, unit), ROUGH)
    if isinstance(one, type):
        assert one is two
        return
    assert work.total() == pytest.approx(other.total(), rel=0.3, abs=3)
    assert one.cutoff == two.cutoff
    off = np.abs(one.occupation.array - two.occupation.array)
    assert np.all(off <= 0.1 * one.occupation.errors + 1e-12)
    off = np.abs(one.current.array - two.current.array / unit)
    assert np.all(off <= 0.1 * one.current.errors + 1e-12 * np.max(grid.couplings, initial=0.0))
    assert one.entropy == pytest.approx(two.entropy, abs=0.1 * one.errors["entropy"] + 1e-12)
    for name, entry in one.audit.items():
        assert two.audit[name].ok == entry.ok, name


@examples(12)
@given(grids(ORDINARY), st.floats(-1e3, 1e3))
def test_a_common_detuning_changes_nothing(grid, shift):
    """It is the choice of the frame: the number of quanta commutes with H."""
    one = reached(grid)
    detuning = {n: shift + d for n, d in zip(grid.nodes, grid.detunings, strict=True)}
    two = reached(grid.replace(detuning=detuning))
    assume(one is not None)
    np.testing.assert_allclose(one.occupation.array, two.occupation.array, rtol=1e-6, atol=1e-7)
