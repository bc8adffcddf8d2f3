"""A smooth positive density fitted to samples, with replicas that carry its error."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.numerics.statistics import Estimate, jackknife_error
from wheelwork.phase_space.distribution import Distribution, Nodes
from wheelwork.phase_space.langevin.density_basis import DensityBasis
from wheelwork.phase_space.langevin.density_fit import best_fit, ring_squares, sector_angles
from wheelwork.phase_space.langevin.polar_counts import RINGS, SECTORS, PolarCounts


@dataclass(frozen=True)
class FittedDensity:
    """W = e^{ln W} with ln W in a `DensityBasis` about a centre (X, P), normalised.

    square: largest r² of the rings. replicas: the same with each group of trajectories left out
    (one Newton step from the whole), for `jackknife`; without replicas of their own.
    Holds what the samples show: structure finer than the knots or of higher degree than the
    basis is smoothed away, and the replicas do not know of it.
    """

    basis: DensityBasis
    coefficients: FloatArray
    centre: tuple[float, float]
    square: float
    replicas: tuple["FittedDensity", ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, counts: PolarCounts, effective_samples: float) -> "FittedDensity":
        """Fit the counts. Raises NotConverged as `best_fit`."""
        fit = best_fit(counts, effective_samples)

        def density(b: FloatArray, replicas: tuple["FittedDensity", ...] = ()) -> "FittedDensity":
            return cls(fit.basis, b, counts.centre, counts.square, replicas)

        return density(fit.coefficients, tuple(density(b) for b in fit.replicas))

    @property
    def extent(self) -> float:
        return math.sqrt(self.square) + math.hypot(*self.centre)

    @property
    def edge_probability(self) -> float:
        inner, last = self._share[-2:]
        # Beyond the last ring ln W falls linearly in r², ever faster where slopes differ.
        return float(np.sum(last / np.maximum(np.log(inner / last), 1e-12)))

    @cached_property
    def nodes(self) -> Nodes:
        r, theta = np.sqrt(ring_squares(self.square))[:, None], sector_angles()
        X, P = self.centre[0] + r * np.cos(theta), self.centre[1] + r * np.sin(theta)
        return Nodes(X, P, self._share, self._share / self._area)

    def density(self, X: FloatArray, P: FloatArray) -> FloatArray:
        x, p = np.broadcast_arrays(np.asarray(X) - self.centre[0], np.asarray(P) - self.centre[1])
        log = self.basis.values(x**2 + p**2, np.arctan2(p, x), self.coefficients)
        return np.asarray(np.exp(log - self._log_norm) / self._area)

    @property
    def _area(self) -> float:
        """dX dP of a cell."""
        return math.pi * self.square / (RINGS * SECTORS)

    @cached_property
    def _log(self) -> FloatArray:
        s = ring_squares(self.square)[:, None]
        return self.basis.values(s, sector_angles(), self.coefficients)

    @cached_property
    def _log_norm(self) -> float:
        top = float(np.max(self._log))
        return top + math.log(float(np.sum(np.exp(self._log - top))))

    @cached_property
    def _share(self) -> FloatArray:
        """Probability of each cell, (rings, sectors)."""
        return np.asarray(np.exp(np.maximum(self._log - self._log_norm, -700.0)))


def jackknife(density: FittedDensity, function: Callable[[Distribution], float]) -> Estimate:
    """Return function(density) with its standard error over groups of trajectories."""
    values = [function(replica) for replica in density.replicas]
    return Estimate(function(density), jackknife_error(values))
