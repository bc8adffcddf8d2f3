"""Numbers per edge and node, with one convention of their sign."""

from abc import abstractmethod
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.machines.power_grid.parameters import Edge

Value = TypeVar("Value")


class PerEdge(Mapping[Edge, Value]):
    """What belongs to each edge: found by (u, v) or by (v, u); where `odd`, that turns its sign.

    edges: in the order of the graph. odd: whether it has a direction, as a current has.
    """

    edges: tuple[Edge, ...]
    odd: bool

    @abstractmethod
    def at(self, place: int, sign: float) -> Value:
        """What belongs to the edge at this place, times ±1."""

    def __getitem__(self, edge: Edge) -> Value:
        if edge in self.edges:
            return self.at(self.edges.index(edge), 1.0)
        if isinstance(edge, tuple) and edge[::-1] in self.edges:
            return self.at(self.edges.index(edge[::-1]), -1.0 if self.odd else 1.0)
        raise KeyError(edge)

    def __iter__(self) -> Iterator[Edge]:
        return iter(self.edges)

    def __len__(self) -> int:
        return len(self.edges)

    def __contains__(self, edge: object) -> bool:
        return isinstance(edge, tuple) and (edge in self.edges or edge[::-1] in self.edges)

    def require_edges(self) -> None:
        """Raise InvalidArgument where there is no edge to take a mean over."""
        if not self.edges:
            raise InvalidArgument("`edges` must hold at least one edge for a mean, but is empty")


@dataclass(frozen=True, eq=False)
class EdgeNumbers(PerEdge[float]):
    """A number per edge; where `odd`, [(v, u)] is −[(u, v)].

    array, errors: (E,), along each edge as listed, with absolute errors.
    """

    edges: tuple[Edge, ...]
    array: FloatArray
    errors: FloatArray
    odd: bool = True

    def at(self, place: int, sign: float) -> float:
        """The number of one edge."""
        return sign * float(self.array[place])

    def mean(self) -> float:
        """Mean over the edges as listed: the current of a chain (Huber and Rabl, ⟨J⟩)."""
        self.require_edges()
        return float(np.mean(self.array))


class PerNode(Mapping[Hashable, Value]):
    """What belongs to each node. index: place of each."""

    index: Mapping[Hashable, int]

    @abstractmethod
    def at(self, place: int) -> Value:
        """What belongs to the node at this place."""

    def __getitem__(self, node: Hashable) -> Value:
        return self.at(self.index[node])

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self.index)

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, eq=False)
class NodeNumbers(PerNode[float]):
    """A number per node. array, errors: (N,), with absolute errors."""

    index: Mapping[Hashable, int]
    array: FloatArray
    errors: FloatArray

    def at(self, place: int) -> float:
        """The number of one node."""
        return float(self.array[place])


def edge_currents(
    indices: npt.NDArray[np.intp], couplings: FloatArray, coherence: npt.NDArray[np.complexfloating]
) -> FloatArray:
    """Return g Im⟨α_u* α_v⟩, (E,), from the coherences ⟨α_j* α_k⟩, (N, N).

    (Huber and Rabl, below Eq. (5).) indices: (E, 2), places of u and v.
    """
    u, v = indices.reshape(-1, 2).T
    found: FloatArray = couplings * coherence[u, v].imag
    return found
