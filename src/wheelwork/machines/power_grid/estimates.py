"""Sampled numbers per edge and node, and distributions of amplitudes, with standard errors."""

import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork._statistics import Estimate
from wheelwork.amplitudes.sampling.samples import Sampled
from wheelwork.errors import InvalidArgument
from wheelwork.machines.power_grid.currents import Edge


@dataclass(frozen=True, eq=False)
class EdgeEstimates(Mapping[Edge, Estimate]):
    """A sampled number per edge; where `odd`, [(v, u)] is −[(u, v)] with the same error.

    edges: in the order of the graph.
    """

    edges: tuple[Edge, ...]
    found: Sampled
    odd: bool = True

    @property
    def array(self) -> FloatArray:
        """(E,) means, along each edge as listed."""
        return self.found.value

    @property
    def errors(self) -> FloatArray:
        """(E,) standard errors."""
        return self.found.errors

    def __getitem__(self, edge: Edge) -> Estimate:
        if edge in self.edges:
            return self._at(self.edges.index(edge), 1.0)
        if isinstance(edge, tuple) and edge[::-1] in self.edges:
            return self._at(self.edges.index(edge[::-1]), -1.0 if self.odd else 1.0)
        raise KeyError(edge)

    def _at(self, place: int, sign: float) -> Estimate:
        return Estimate(sign * float(self.array[place]), float(self.errors[place]))

    def __iter__(self) -> Iterator[Edge]:
        return iter(self.edges)

    def __len__(self) -> int:
        return len(self.edges)

    def __contains__(self, edge: object) -> bool:
        return isinstance(edge, tuple) and (edge in self.edges or edge[::-1] in self.edges)

    def mean(self) -> Estimate:
        """Mean over the edges as listed, with its standard error."""
        if not self.edges:
            raise InvalidArgument("`edges` must hold at least one edge for a mean, but is empty")
        weights = np.full((1, len(self.edges)), 1.0 / len(self.edges))
        return self.found.combined(weights).estimates[0]


@dataclass(frozen=True, eq=False)
class NodeEstimates(Mapping[Hashable, Estimate]):
    """A sampled number per node. index: place of each node."""

    index: Mapping[Hashable, int]
    found: Sampled

    @property
    def array(self) -> FloatArray:
        """(N,) means."""
        return self.found.value

    @property
    def errors(self) -> FloatArray:
        """(N,) standard errors."""
        return self.found.errors

    def __getitem__(self, node: Hashable) -> Estimate:
        place = self.index[node]
        return Estimate(float(self.array[place]), float(self.errors[place]))

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self.index)

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, eq=False)
class Marginal:
    """P(|α|) of one node, normalised over its bins and what lies beyond them.

    amplitude: (B,) middle of each bin. density, error: (B,), with its standard error. beyond: share
    of the samples outside the bins. The density of α in the plane is P/(2π|α|).
    """

    amplitude: FloatArray
    density: FloatArray
    error: FloatArray
    beyond: float

    @classmethod
    def of(cls, counts: FloatArray, width: float) -> "Marginal":
        """counts: (groups of trajectories, bins), the last bin open."""
        share = counts / counts.sum(axis=1, keepdims=True) / width
        groups, bins = share.shape
        error = (
            np.std(share, axis=0) / math.sqrt(groups - 1) if groups > 1 else np.full(bins, np.nan)
        )
        density = counts.sum(axis=0) / np.sum(counts) / width
        middle = (np.arange(bins - 1) + 0.5) * width
        return cls(middle, density[:-1], error[:-1], float(density[-1] * width))
