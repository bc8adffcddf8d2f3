"""Presentation of power grids over one parameter: table, flows, network."""

from collections.abc import Hashable, Mapping
from typing import Any

import networkx as nx
import numpy as np
import xarray as xr

from wheelwork.machines.power_grid import PowerGrid
from wheelwork.oscillator_networks import MeanField
from wheelwork.papers.runs import Presentation, missing_parts
from wheelwork.plots import grid_sweep_sheet

Positions = Mapping[Hashable, tuple[float, float]]


def complete(dataset: xr.Dataset, machine: PowerGrid, parameter: str, method: Any) -> xr.Dataset:
    """Return `dataset` with the places of the nodes, where any value has a result."""
    done = bool(np.any(dataset["failure"].values == ""))
    return add_layout(dataset, machine, positions(machine)) if done else dataset


def add_layout(dataset: xr.Dataset, machine: PowerGrid, at: Positions) -> xr.Dataset:
    """Return `dataset` with where nodes are drawn, what they are, and which of them edges join."""
    roles = ["G" * (n in machine.generators) + "E" * (n in machine.engines) for n in machine.nodes]
    x, y = np.array([at[node] for node in machine.nodes], dtype=np.float64).T
    start, stop = machine.edge_indices.T
    return dataset.assign(
        node_x=("node", x),
        node_y=("node", y),
        node_role=("node", np.array(roles, dtype=object)),
        edge_from=("edge", start),
        edge_to=("edge", stop),
    )


def add_network(
    dataset: xr.Dataset, machine: PowerGrid, method: Any, at: Positions, quanta: float = 1.0
) -> xr.Dataset:
    """Return `dataset` with what `draw_network` takes, in units of `quanta`.

    Without noise it is the stable branch nearest to the centre of the band that is shown.
    """
    state: Any = machine.steady_state(method)
    if isinstance(method, MeanField):
        state = state.branch or state.branches[-1]
        occupation = state.occupation
    else:
        occupation = state.occupation.array
    return (
        add_layout(dataset, machine, at)
        .assign(
            node_occupation=("node", occupation / quanta),
            edge_current=("edge", state.current.array / quanta),
        )
        .assign_coords(machine.axes["node"].coordinates())
    )


def positions(machine: PowerGrid) -> Positions:
    """Return where nodes are drawn: a path in a line, pairs (row, column) on a lattice, or apart.

    Others are where springs along the edges would hold them (T. Kamada and S. Kawai, 1989).
    """
    nodes, graph = machine.nodes, machine.graph
    degrees = [degree for _, degree in graph.degree]
    if max(degrees) <= 2 and len(machine.edges) == len(nodes) - 1:
        end = next(node for node in nodes if graph.degree[node] <= 1)
        order = list(nx.dfs_preorder_nodes(graph, end))
        return {node: (float(i), 0.0) for i, node in enumerate(order)}
    if all(isinstance(node, tuple) and len(node) == 2 for node in nodes):
        pairs: Any = nodes
        return {(row, column): (float(column), -float(row)) for row, column in pairs}
    layout = nx.kamada_kawai_layout(graph)
    return {node: (float(x), float(y)) for node, (x, y) in layout.items()}


PRESENTATION = Presentation(
    headings={
        "injected": "injected",
        "extracted": "extracted",
        "dissipated": "dissipated",
        "stable_branches": "stable",
        "extracted_lowest": "lowest",
        "extracted_highest": "highest",
        "occupation": "occupation",
    },
    judged="extracted",
    complete=complete,
    draw=grid_sweep_sheet,
    remarks=missing_parts,
)
