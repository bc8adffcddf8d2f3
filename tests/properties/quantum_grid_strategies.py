"""Random small power grids with quanta: 1 to 3 nodes, rates of ordinary and of absurd sizes."""

import networkx as nx
import numpy as np
from hypothesis import strategies as st

import wheelwork as ww

ORDINARY = st.floats(-2.0, 1.0).map(lambda power: 10.0**power)
EXTREME = st.sampled_from([0.0, 5e-324, 1e-308, 1e-160, 1e-30, 1e-9, 1.0, 1e9, 1e30, 1e160, 1e308])
ABSURD = st.one_of(ORDINARY, EXTREME, st.floats(-40.0, 40.0).map(lambda power: 10.0**power))
SHAPES = {1: [nx.path_graph(1)], 2: [nx.path_graph(2)], 3: [nx.path_graph(3), nx.cycle_graph(3)]}
ROUGH = ww.MasterEquation(rtol=1e-3, operations=1e9)


@st.composite
def elements(draw, nodes, rates, fewest):
    """Saturable elements at some nodes."""
    chosen = draw(st.sets(st.sampled_from(nodes), min_size=fewest))
    positive = rates.filter(lambda x: x > 0.0)
    return {
        node: ww.Saturable(
            draw(rates), draw(positive), draw(st.sampled_from([0.0, 0.5, 1.0, 2.0]) | rates)
        )
        for node in sorted(chosen)
    }


@st.composite
def grids(draw, rates, most=3):
    """A grid; every rate from `rates`, of which half are the same for all nodes."""
    graph = draw(st.sampled_from(SHAPES[draw(st.integers(1, most))]))
    nodes = list(graph)
    graph = graph.copy()
    for u, v in graph.edges:
        graph.edges[u, v]["coupling"] = draw(rates.filter(bool)) * draw(
            st.sampled_from([1.0, -1.0])
        )

    def number():
        some = draw(rates)
        return some if draw(st.booleans()) else {node: draw(rates) for node in nodes}

    return ww.PowerGrid(
        graph,
        generators=draw(elements(nodes, rates, 0)),
        engines=draw(elements(nodes, rates, 0)),
        damping=number(),
        thermal_occupation=draw(st.just(0.0) | rates),
        detuning=draw(st.just(0.0)) if draw(st.booleans()) else number(),
    )


def balanced(state):
    """Quanta gained and lost are equal, nothing is negative, and probabilities sum to one."""
    if np.any(state.occupation.array < 0.0) or np.any(state.populations < 0.0):
        return "a negative probability or occupation"
    if not np.allclose(state.populations.sum(axis=1), 1.0, rtol=1e-9):
        return "probabilities do not sum to one"
    off = abs(state.injected - state.extracted - state.dissipated)
    errors = state.errors
    bound = errors["injected"] + errors["extracted"] + errors["dissipated"]
    flows = abs(state.injected) + abs(state.extracted) + abs(state.dissipated)
    grain = 8.0 * float(np.finfo(float).smallest_subnormal)  # of numbers near the end of all
    return None if off <= bound + 1e-9 * flows + grain else f"the balance is off by {off:.1e}"


def positive(state):
    """Nothing is negative."""
    return "a negative occupation" if np.any(state.occupation.array < 0.0) else None


@st.composite
def steady_calls(draw, rates):
    grid = draw(grids(rates))
    method = draw(st.sampled_from([ROUGH, ww.MasterEquation(cutoff=5, operations=1e9)]))
    text = f"{described(grid)}.steady_state({method!r})"
    return text, lambda: grid.steady_state(method), balanced


@st.composite
def jump_calls(draw, rates):
    grid = draw(grids(rates))
    method = ww.QuantumJumps(
        cutoff=draw(st.integers(2, 5)),
        duration=(duration := draw(rates.filter(bool))),
        burn_in=0.5 * duration,
        trajectories=draw(st.integers(2, 6)),
        times=4,
        threads=1,
        operations=3e7,
    )
    text = f"{described(grid)}.steady_state({method!r})"
    return text, lambda: grid.steady_state(method), positive


def described(grid):
    edges = [(u, v, grid.graph.edges[u, v].get("coupling")) for u, v in grid.graph.edges]
    return (
        f"PowerGrid(edges {edges}, {grid.generators!r}, {grid.engines!r}, "
        f"damping={grid.damping!r}, thermal_occupation={grid.thermal_occupation!r}, "
        f"detuning={grid.detuning!r})"
    )


CALLS = {
    "quantum grid": steady_calls(ORDINARY),
    "quantum grid, absurd": steady_calls(ABSURD),
    "quantum grid, jumps": jump_calls(ORDINARY),
    "quantum grid, jumps, absurd": jump_calls(ABSURD),
}
