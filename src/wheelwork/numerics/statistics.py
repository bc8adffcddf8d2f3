"""Means and standard errors of correlated samples, and what tells that trajectories stay apart."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import fdtri

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged

MANY_TRAJECTORIES = 16
BATCHES = 64  # of fewer trajectories, together
STRONGEST_CORRELATION = 0.6  # between neighbouring batches
RARE = 1e-5


class Estimate(NamedTuple):
    """A sampled mean and its standard error; `float` gives the mean."""

    mean: float
    standard_error: float

    def __float__(self) -> float:
        return self.mean


class Mixing(NamedTuple):
    """Variance between trajectories over that within them, and the most that chance allows."""

    ratio: float
    bound: float


def standard_error(deviations: FloatArray) -> float:
    """Standard error of a mean from its batches' deviations (per trajectory, trajectories).

    Raises NotConverged when neighbouring batches are still strongly correlated.
    """
    count, square = deviations.size, float(np.sum(deviations**2))
    variance = square / (count * (count - 1))
    rho = max(0.0, _neighbour_correlation(deviations))
    if rho > STRONGEST_CORRELATION:
        raise NotConverged(
            f"batches of samples are too strongly correlated ({rho:.2f} between neighbours) for "
            "an error estimate; raise `duration` or `trajectories`"
        )
    return math.sqrt(variance * (1.0 + rho) / (1.0 - rho))


def mixing(first: FloatArray, second: FloatArray) -> Mixing:
    """Hold what differs between trajectories against what their own course explains.

    first, second: (quantities, trajectories), means a and b over either half of each trajectory.
    Where a half is long against every correlation time, (a + b)/2 and (a − b)/2 have the same
    variance over trajectories, and the ratio of the two, here the largest of all quantities,
    follows Fisher's F distribution. A trajectory that stays in one of several states makes it
    large. The bound is passed by chance once in 1e5 runs; NaN for a single trajectory.
    """
    quantities, lanes = first.shape
    if lanes < 2:
        return Mixing(math.nan, math.nan)
    between = np.var(first + second, axis=1)
    within = np.maximum(np.var(first - second, axis=1), 1e-300)
    bound = float(fdtri(lanes - 1, lanes - 1, 1.0 - RARE / quantities))
    return Mixing(float(np.max(between / within)), bound)


def jackknife_error(values: Sequence[float] | FloatArray) -> float:
    """Standard error from values found with one of equal groups left out each."""
    found = np.asarray(values, dtype=np.float64)
    square = float(np.sum((found - np.mean(found)) ** 2))
    return math.sqrt((found.size - 1) / found.size * square)


def _neighbour_correlation(deviations: FloatArray) -> float:
    per_trajectory = len(deviations)
    square = float(np.mean(deviations**2))
    if per_trajectory < 2 or square == 0.0:
        return 0.0
    return float(np.mean(deviations[1:] * deviations[:-1])) / square
