"""Numbers per edge and per node with their errors, and one convention for the sign of a current."""

from abc import abstractmethod
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.machines.power_grid.parameters import Edge
from wheelwork.numerics.statistics import Estimate, Sampled
from wheelwork.results import Label, Summary, with_error

SHOWN = 4  # entries of a printout

# labels of what several states offer
INJECTED: Label = ("J_i", "rate", "quanta injected")
EXTRACTED: Label = ("J_e", "rate", "quanta extracted")
DISSIPATED: Label = (r"J_\gamma", "rate", "quanta lost to damping")
OCCUPATION: Label = (r"\sum_j n_j", "1", "quanta in the network")
MEAN_CURRENT: Label = (r"\bar J", "rate", "quanta along an edge, mean over the edges")
FLUCTUATION: Label = (r"\Delta J", "rate", "standard deviation of the current")

Key = TypeVar("Key")
Value = TypeVar("Value")


class Numbers(Summary, Mapping[Key, Value]):
    """A mapping from keys to numbers, which are held as an array in the order of the keys.

    array, errors: the numbers and their absolute errors.
    """

    array: FloatArray
    errors: FloatArray

    @property
    def summary(self) -> Mapping[str, str]:
        """The first few, and how many more there are."""
        entries = zip(self, self.array.tolist(), self.errors.tolist(), strict=True)
        shown = {repr(key): with_error(x, error) for key, x, error in islice(entries, SHOWN)}
        return shown | ({"…": f"{len(self) - SHOWN} more"} if len(self) > SHOWN else {})


class PerEdge(Numbers[Edge, Value]):
    """A number of each edge, by (u, v) or by (v, u); where `odd`, the latter turns its sign.

    edges: in the order of the graph. odd: whether the number has a direction, as a current has.
    """

    edges: tuple[Edge, ...]
    odd: bool

    @abstractmethod
    def at(self, position: int, sign: float) -> Value:
        """The number of the edge at this position of `edges`, times ±1."""

    def __getitem__(self, edge: Edge) -> Value:
        if edge in self.edges:
            return self.at(self.edges.index(edge), 1.0)
        if edge in self:
            return self.at(self.edges.index(edge[::-1]), -1.0 if self.odd else 1.0)
        if isinstance(edge, tuple) and len(edge) == 2:
            raise KeyError(f"no edge between {edge[0]!r} and {edge[1]!r}")
        raise KeyError(f"{edge!r} is not a pair of nodes")

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


class PerNode(Numbers[Hashable, Value]):
    """A number of each node. index: position of each node in the arrays."""

    index: Mapping[Hashable, int]

    @abstractmethod
    def at(self, position: int) -> Value:
        """The number of the node at this position."""

    def __getitem__(self, node: Hashable) -> Value:
        return self.at(self.index[node])

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self.index)

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, eq=False, repr=False)
class EdgeNumbers(PerEdge[float]):
    """A number per edge: `numbers[(u, v)]`; where `odd`, `numbers[(v, u)]` is its negative.

    array, errors: (E,), along each edge (u, v) as `edges` lists it, with absolute errors.
    A pair of nodes without an edge is a KeyError.
    """

    edges: tuple[Edge, ...]
    array: FloatArray
    errors: FloatArray
    odd: bool = True

    def at(self, position: int, sign: float) -> float:
        """The number of one edge, times ±1."""
        return sign * float(self.array[position])

    def mean(self) -> float:
        """Mean over the edges as listed: of the current of a chain, ⟨J⟩ of Huber and Rabl.

        Raises InvalidArgument where there is no edge.
        """
        self.require_edges()
        return float(np.mean(self.array))


@dataclass(frozen=True, eq=False, repr=False)
class NodeNumbers(PerNode[float]):
    """A number per node: `numbers[node]`. array, errors: (N,), with absolute errors."""

    index: Mapping[Hashable, int]
    array: FloatArray
    errors: FloatArray

    def at(self, position: int) -> float:
        """The number of one node."""
        return float(self.array[position])


@dataclass(frozen=True, eq=False, repr=False)
class EdgeEstimates(PerEdge[Estimate]):
    """A sampled number per edge, (mean, standard error); as `EdgeNumbers` otherwise."""

    edges: tuple[Edge, ...]
    sampled: Sampled
    odd: bool = True

    @property
    def array(self) -> FloatArray:  # type: ignore[override]
        """(E,) means, along each edge as listed."""
        return self.sampled.value

    @property
    def errors(self) -> FloatArray:  # type: ignore[override]
        """(E,) standard errors."""
        return self.sampled.errors

    def at(self, position: int, sign: float) -> Estimate:
        """The number of one edge, times ±1."""
        return Estimate(sign * float(self.array[position]), float(self.errors[position]))

    def mean(self) -> Estimate:
        """Mean over the edges as listed, with its standard error."""
        self.require_edges()
        weights = np.full((1, len(self.edges)), 1.0 / len(self.edges))
        return self.sampled.combined(weights).estimates[0]


@dataclass(frozen=True, eq=False, repr=False)
class NodeEstimates(PerNode[Estimate]):
    """A sampled number per node, (mean, standard error); as `NodeNumbers` otherwise."""

    index: Mapping[Hashable, int]
    sampled: Sampled

    @property
    def array(self) -> FloatArray:  # type: ignore[override]
        """(N,) means."""
        return self.sampled.value

    @property
    def errors(self) -> FloatArray:  # type: ignore[override]
        """(N,) standard errors."""
        return self.sampled.errors

    def at(self, position: int) -> Estimate:
        """The number of one node."""
        return Estimate(float(self.array[position]), float(self.errors[position]))
