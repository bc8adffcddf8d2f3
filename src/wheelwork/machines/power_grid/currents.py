"""Numbers per edge, with one convention of their sign."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument

Edge = tuple[Hashable, Hashable]


@dataclass(frozen=True, eq=False)
class EdgeCurrents(Mapping[Edge, float]):
    """Quanta per time along each edge; [(u, v)] is positive from u to v, and −[(v, u)].

    edges: in the order of the graph. array: (E,), along each as listed.
    """

    edges: tuple[Edge, ...]
    array: FloatArray

    def __getitem__(self, edge: Edge) -> float:
        if edge in self.edges:
            return float(self.array[self.edges.index(edge)])
        if isinstance(edge, tuple) and edge[::-1] in self.edges:
            return -float(self.array[self.edges.index(edge[::-1])])
        raise KeyError(edge)

    def __iter__(self) -> Iterator[Edge]:
        return iter(self.edges)

    def __len__(self) -> int:
        return len(self.edges)

    def __contains__(self, edge: object) -> bool:
        return isinstance(edge, tuple) and (edge in self.edges or edge[::-1] in self.edges)

    def mean(self) -> float:
        """Mean over the edges as listed: the current of a chain (Huber and Rabl, ⟨J⟩)."""
        if not self.edges:
            raise InvalidArgument("`edges` must hold at least one edge for a mean, but is empty")
        return float(np.mean(self.array))


def edge_currents(
    edges: tuple[Edge, ...],
    indices: npt.NDArray[np.intp],
    couplings: FloatArray,
    coherence: npt.NDArray[np.complex128],
) -> EdgeCurrents:
    """Return g Im⟨α_u* α_v⟩ from the coherences ⟨α_j* α_k⟩, (N, N).

    (Huber and Rabl, below Eq. (5).) indices: (E, 2), places of u and v.
    """
    u, v = indices.reshape(-1, 2).T
    return EdgeCurrents(edges, couplings * coherence[u, v].imag)
