"""The basins of the maxima of w on the tree of orbits, and the ridges between them."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from wheelwork.phase_space.coexistence.orbit_cells import Cells, IntArray

NEGLIGIBLE = 10.0  # of ln W: e^-10 of a well hardly matters for its means
LEAST_BARRIER = 1.0  # of ln w: a maximum less than e times its ridge is no state of its own


@dataclass(frozen=True)
class Ridge:
    """The ridge between two wells: the nodes on both sides of it, and the edge between these."""

    wells: tuple[int, int]
    nodes: tuple[int, int]
    edge: int
    log_density: float


@dataclass(frozen=True)
class Side:
    """A well seen from a ridge: logarithms of ∫ (M/Z)² dE/4Kw and ∫ M (Z − M)/Z dE/4Kw.

    path: nodes from the ridge to the maximum of the well.
    """

    resistance: float
    relaxation: float
    path: list[int]


class Basins:
    """Neighbours of each node, and the wells that the nodes belong to."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.neighbours: list[list[tuple[int, int]]] = [[] for _ in cells.energy]
        for edge, (a, b) in enumerate(cells.edges.tolist()):
            self.neighbours[a].append((b, edge))
            self.neighbours[b].append((a, edge))
        self.peaks: list[int] = []
        self.label = self._labels()
        self.log_mass = [
            float(logsumexp(cells.log_mass[self.label == k])) for k in range(len(self.peaks))
        ]
        pairs = self.label[cells.edges]
        height = np.min(cells.log_density[cells.edges], axis=1)
        self.ridges = [
            Ridge((int(i), int(j)), (int(a), int(b)), int(edge), float(height[edge]))
            for edge, (a, b), (i, j) in zip(
                np.arange(len(pairs)), cells.edges, pairs, strict=True
            )
            if i != j
        ]  # fmt: skip

    def probable(self, well: int) -> IntArray:
        """Nodes of a well where W is above e^-10 of its largest value."""
        height = self.cells.log_density - self.cells.log_density[self.peaks[well]]
        return np.flatnonzero((self.label == well) & (height > -NEGLIGIBLE))

    def joined(self, node: int) -> list[int]:
        """All nodes at the same maximum of the potential, where families join."""
        near, resistance = [node], self.cells.log_resistance
        for one in near:
            near += [
                n for n, e in self.neighbours[one] if n not in near and resistance[e] == -np.inf
            ]
        return near[1:]

    def _labels(self) -> IntArray:
        """The well of each node, from the highest node downwards; shallow ones join the next."""
        log_density = self.cells.log_density
        order = np.lexsort((np.arange(log_density.size), -log_density))
        owner = [-1] * log_density.size
        peaks: list[int] = []
        alias: list[int] = []

        def well(k: int) -> int:
            while alias[k] != k:
                k = alias[k]
            return k

        for node in order.tolist():
            near = sorted(
                {well(owner[other]) for other, _ in self.neighbours[node] if owner[other] >= 0},
                key=lambda k: -log_density[peaks[k]],
            )
            if not near:
                alias.append(len(peaks))
                peaks.append(node)
                near = [len(alias) - 1]
            for other in near[1:]:
                if log_density[peaks[other]] - log_density[node] < LEAST_BARRIER:
                    alias[other] = near[0]
            owner[node] = near[0]
        kept = [k for k in range(len(alias)) if alias[k] == k]
        number = {k: i for i, k in enumerate(kept)}
        self.peaks = [peaks[k] for k in kept]
        return np.array([number[well(k)] for k in owner])

    def side(self, well: int, start: int, log_mass_of_well: float) -> Side:
        """Sum over a well from the node `start` at its ridge."""
        log_mass, log_resistance = self.cells.log_mass, self.cells.log_resistance
        order, parent = [start], {start: (-1, -1)}
        for node in order:
            for other, edge in self.neighbours[node]:
                if self.label[other] == well and other not in parent:
                    parent[other] = node, edge
                    order.append(other)
        beyond = {node: float(log_mass[node]) for node in order}
        for node in reversed(order[1:]):
            above = parent[node][0]
            beyond[above] = _add(beyond[above], beyond[node])
        before = {start: -math.inf}  # between a node and the ridge
        children: dict[int, list[int]] = {node: [] for node in order}
        for node in order[1:]:
            children[parent[node][0]].append(node)
        squares, products = [], []
        for node in order:
            for child in children[node]:
                own = _add(before[node], float(log_mass[node]))
                for sibling in children[node]:
                    if sibling != child:
                        own = _add(own, beyond[sibling])
                before[child] = own
                resistance = float(log_resistance[parent[child][1]])
                squares.append(resistance + 2.0 * (beyond[child] - log_mass_of_well))
                products.append(resistance + beyond[child] + own - log_mass_of_well)
        path = [self.peaks[well]]
        while path[-1] != start:
            path.append(parent[path[-1]][0])
        empty = [-math.inf]
        return Side(
            float(logsumexp(squares or empty)), float(logsumexp(products or empty)), path[::-1]
        )


def _add(a: float, b: float) -> float:
    """ln(e^a + e^b)."""
    high, low = max(a, b), min(a, b)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))
