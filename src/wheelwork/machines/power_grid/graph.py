"""The graph of a power grid: checked, copied, frozen, and numbers given per node or edge."""

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any

import networkx as nx
import numpy as np

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, shown


class GridGraph(nx.Graph):  # type: ignore[misc]
    """A frozen graph, compared by its nodes and edges, in their order, and their attributes."""

    def __repr__(self) -> str:
        return f"GridGraph(<{len(self.nodes)} nodes, {len(self.edges)} edges>)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GridGraph) and self.written_down() == other.written_down()

    def __hash__(self) -> int:
        return hash((tuple(self.nodes), tuple(self.edges)))

    def written_down(self) -> dict[str, list[Any]]:
        """All of it, in order: it identifies the grid in a sweep's store."""
        return {"nodes": list(self.nodes.data()), "edges": list(self.edges.data())}


def checked_graph(
    graph: Any, node_attributes: Collection[str], edge_attributes: Collection[str]
) -> GridGraph:
    """Return `graph` as a frozen copy; it must be connected, undirected and without self loops.

    The copy has the attributes named, and no others. Raises InvalidArgument for other graphs.
    """
    if isinstance(graph, GridGraph):
        return graph
    if not isinstance(graph, nx.Graph):
        raise _checks.refusal("graph", "be a networkx.Graph", graph)
    if graph.is_directed() or graph.is_multigraph():
        raise InvalidArgument(
            "`graph` must be undirected with single edges, "
            f"but is a {type(graph).__name__}: couplings are a†b + h.c."
        )
    if graph.number_of_nodes() == 0:
        raise InvalidArgument("`graph` must have at least one node, but is empty")
    strange = [node for node in graph if node != node]  # NaN: a copy of it is another node
    if strange:
        raise InvalidArgument(
            f"`graph` must have nodes that equal themselves, but has {shown(strange[0])}"
        )
    loops = list(nx.selfloop_edges(graph))
    if loops:
        raise InvalidArgument(
            f"`graph` must have no self loops, but has one at node "
            f"{shown(loops[0][0])}: use a detuning"
        )
    if not nx.is_connected(graph):
        parts = [sorted(map(repr, part)) for part in nx.connected_components(graph)]
        raise InvalidArgument(
            f"`graph` must be connected, but has {len(parts)} parts; one holds "
            f"{', '.join(min(parts, key=len)[:5])}: solve each by itself"
        )
    copy = GridGraph()
    for node, held in graph.nodes.data():
        copy.add_node(node, **{key: held[key] for key in node_attributes if key in held})
    for u, v, held in graph.edges.data():
        copy.add_edge(u, v, **{key: held[key] for key in edge_attributes if key in held})
    frozen: GridGraph = nx.freeze(copy)
    return frozen


def per_node(name: str, graph: GridGraph, value: Any, check: Callable[..., float]) -> FloatArray:
    """Return a number per node, (N,): its attribute `name`, or else `value`.

    value: a number, or a mapping that names every other node. check: of each number.
    Raises InvalidArgument for numbers that are not allowed and nodes without one.
    """
    if isinstance(value, Mapping):
        missing = [node for node in value if node not in graph]
        if missing:
            raise InvalidArgument(
                f"`{name}` must name nodes of the graph, but names {shown(missing[0])}"
            )
    elif value is not None:
        check(name, value)
    numbers = []
    for node, held in graph.nodes.data():
        given = value.get(node) if isinstance(value, Mapping) else value
        if name in held and isinstance(value, Mapping) and node in value:
            raise InvalidArgument(
                f"`{name}` must be given once, but node {shown(node)} has it as an attribute too"
            )
        numbers.append(check(name, held.get(name, given), f"node {node!r:.80}"))
    return np.array(numbers)


def per_edge(name: str, graph: GridGraph, value: Any) -> FloatArray:
    """Return a number other than zero per edge, (E,): its attribute `name`, or else `value`."""
    numbers = []
    for u, v, held in graph.edges.data():
        edge = f"edge ({u!r:.80}, {v!r:.80})"
        numbers.append(_checks.real(name, held.get(name, value), edge))
        if numbers[-1] == 0.0:
            raise InvalidArgument(
                f"`{name}` must not be zero: leave out the edge, but is 0.0 ({edge})"
            )
    return np.array(numbers)


def overriding(graph: GridGraph, name: str) -> Hashable | None:
    """Return a node or edge with an attribute `name`, which comes before the field; or None."""
    nodes = [node for node, held in graph.nodes.data() if name in held]
    edges = [(u, v) for u, v, held in graph.edges.data() if name in held]
    return next(iter([*nodes, *edges]), None)
