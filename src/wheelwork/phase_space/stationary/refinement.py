"""Finer and finer meshes, until the change from one to the next is below what was asked for."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.phase_space.distribution import moments
from wheelwork.phase_space.stationary.orbit_distribution import OrbitDistribution
from wheelwork.phase_space.stationary.plane import PlaneDistribution

MEASURED = ("phonon_number", "g2", "purity")
SAFETY = 10.0
BEST_GAIN = 1000.0  # of one level over the one before; a larger error is not worth pursuing

Level = TypeVar("Level")
AnyDistribution = TypeVar("AnyDistribution", OrbitDistribution, PlaneDistribution)


def refined(
    solve: Callable[[Level], AnyDistribution],
    levels: Sequence[Level],
    rtol: float,
    tables: float,
    *,
    extrapolate: bool = True,
) -> tuple[AnyDistribution, FloatArray, Level]:
    """Solve on finer and finer meshes until the estimated error is below `rtol`."""
    coarse = solve(levels[0])
    changes: list[FloatArray] = []
    error: FloatArray = np.array([np.inf, np.inf])
    for level in levels[1:]:
        fine = solve(level)
        changes.append(change(coarse, fine))
        error = (_extrapolated(changes) if extrapolate else _kept(changes)) + tables
        if np.max(error[:-1]) <= rtol:
            return fine, error, level
        remaining = len(levels) - 1 - levels.index(level)
        if extrapolate and np.max(error[:-1]) > rtol * BEST_GAIN**remaining:
            break
        coarse = fine
    raise NotConverged(
        f"the Fokker–Planck solution did not reach rtol = {rtol:g} on meshes up to "
        f"{level}; the estimated error is {float(np.max(error[:-1])):.1e}, of which "
        f"{tables:.1e} come from the tables of the coefficients"
    )


def change(coarse: AnyDistribution, fine: AnyDistribution) -> FloatArray:
    """Relative changes of the measured moments, and the distance of the two W."""
    a, b = moments(coarse), moments(fine)
    relative: list[float] = [abs(a[name] / b[name] - 1.0) for name in MEASURED]
    distances: tuple[float, float] = fine.distances(coarse)
    # One moment may stand still by chance: all share the largest change.
    return np.array([*[max(relative)] * len(MEASURED), *distances])


def _kept(changes: list[FloatArray]) -> FloatArray:
    """The last change, or what eighth order would make of the one before, if that is larger."""
    if len(changes) == 1:
        return changes[-1]
    return np.maximum(changes[-1], 0.04 * changes[-2])


def _extrapolated(changes: list[FloatArray]) -> FloatArray:
    """Error of the last level from the last change and how fast the changes fall."""
    last = changes[-1]
    if len(changes) == 1:
        return last
    rate = np.max(last[:-1]) / max(float(np.max(changes[-2][:-1])), 1e-300)
    return last * min(1.0, SAFETY * rate)
