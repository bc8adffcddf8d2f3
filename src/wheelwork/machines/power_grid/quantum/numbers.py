"""Numbers per edge and per node with their estimated errors."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.machines.power_grid.currents import Edge


@dataclass(frozen=True, eq=False)
class EdgeNumbers(Mapping[Edge, float]):
    """A number per edge; where `odd`, [(v, u)] is −[(u, v)], else the same.

    edges: in the order of the graph. array, errors: (E,), with absolute errors.
    """

    edges: tuple[Edge, ...]
    array: FloatArray
    errors: FloatArray
    odd: bool = True

    def __getitem__(self, edge: Edge) -> float:
        if edge in self.edges:
            return float(self.array[self.edges.index(edge)])
        if isinstance(edge, tuple) and edge[::-1] in self.edges:
            value = float(self.array[self.edges.index(edge[::-1])])
            return -value if self.odd else value
        raise KeyError(edge)

    def __iter__(self) -> Iterator[Edge]:
        return iter(self.edges)

    def __len__(self) -> int:
        return len(self.edges)

    def __contains__(self, edge: object) -> bool:
        return isinstance(edge, tuple) and (edge in self.edges or edge[::-1] in self.edges)

    def mean(self) -> float:
        """Mean over the edges as listed."""
        if not self.edges:
            raise InvalidArgument("`edges` must hold at least one edge for a mean, but is empty")
        return float(np.mean(self.array))


@dataclass(frozen=True, eq=False)
class NodeNumbers(Mapping[Hashable, float]):
    """A number per node. index: place of each. array, errors: (N,), with absolute errors."""

    index: Mapping[Hashable, int]
    array: FloatArray
    errors: FloatArray

    def __getitem__(self, node: Hashable) -> float:
        return float(self.array[self.index[node]])

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self.index)

    def __len__(self) -> int:
        return len(self.index)
