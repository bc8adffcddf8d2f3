"""Sampled numbers per edge and node, and distributions of amplitudes, with standard errors."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.machines.power_grid.numbers import Edge, PerEdge, PerNode
from wheelwork.numerics.statistics import Estimate, Sampled


@dataclass(frozen=True, eq=False)
class EdgeEstimates(PerEdge[Estimate]):
    """A sampled number per edge; where `odd`, [(v, u)] is −[(u, v)] with the same error."""

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

    def at(self, place: int, sign: float) -> Estimate:
        """The number of one edge."""
        return Estimate(sign * float(self.array[place]), float(self.errors[place]))

    def mean(self) -> Estimate:
        """Mean over the edges as listed, with its standard error."""
        self.require_edges()
        weights = np.full((1, len(self.edges)), 1.0 / len(self.edges))
        return self.found.combined(weights).estimates[0]


@dataclass(frozen=True, eq=False)
class NodeEstimates(PerNode[Estimate]):
    """A sampled number per node."""

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

    def at(self, place: int) -> Estimate:
        """The number of one node."""
        return Estimate(float(self.array[place]), float(self.errors[place]))


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
