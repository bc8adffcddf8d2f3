"""Criteria that sampled trajectories have forgotten their starts and explore the same state.

Applied in `phase_space.langevin.samples.summary` and `simulation.watch`, and in
`oscillator_networks.langevin.samples`; `machines.power_grid.quantum.jumps` has its own.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import fdtri, stdtrit
from scipy.stats import rankdata

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.numerics.statistics import MANY_TRAJECTORIES

RARE = 1e-5  # probability that chance alone breaks the bound of a test
MOST_DRIFT = 5.0  # standard errors: beyond, chance in less than 1e-6 of all runs
BURN_IN_SHARE = 0.25  # of a run without a given burn-in
BURN_IN_TIMES = 4.0  # correlation times that a burn-in must cover at least: e^-4 is left
SMALL = 1e-3  # of a mean: differences between trajectories too small to matter
TRUNCATION_MARGIN = 0.1  # above the smallest score, within its own scatter


class Mixing(NamedTuple):
    """A measure of how far trajectories stay apart, and the most that chance allows."""

    ratio: float
    bound: float


def half_means(
    sums: FloatArray, samples: npt.NDArray[np.intp] | FloatArray, middle: int
) -> FloatArray:
    """(2, rows, trajectories) means over the parts of the time before `middle` and from it on.

    sums: (parts, rows, trajectories). samples: (parts,) of a trajectory.
    """
    halves = slice(0, middle), slice(middle, None)
    return np.stack([sums[half].sum(axis=0) / np.sum(samples[half]) for half in halves])


def mixing(first: FloatArray, second: FloatArray) -> Mixing:
    """Compare the variance between trajectories with that within each of them.

    first, second: (quantities, trajectories), means a and b over either half of each trajectory.
    Where a half is long against every correlation time, (a + b)/2 and (a − b)/2 have the same
    variance over trajectories, and the ratio of the two, here the largest of all quantities,
    follows Fisher's F distribution. A trajectory that stays in one of several states makes it
    large. The bound is passed by chance once in 1e5 runs; NaN for a single trajectory.
    """
    quantities, trajectories = first.shape
    if trajectories < 2:
        return Mixing(math.nan, math.nan)
    between = np.var(first + second, axis=1)
    within = np.maximum(np.var(first - second, axis=1), 1e-300)
    bound = float(fdtri(trajectories - 1, trajectories - 1, 1.0 - RARE / quantities))
    return Mixing(float(np.max(between / within)), bound)


def memory(starts: FloatArray, first: FloatArray) -> Mixing:
    """How far trajectories still follow their starts: the largest rank correlation (Spearman's).

    starts: (quantities, trajectories) at the start. first: means of the same over the first half.
    The bound is passed by chance once in 1e5 runs (Student's t); NaN for fewer than 16. Where
    starts are spread widely, a mean still off by some three standard errors shows here.
    """
    quantities, trajectories = first.shape
    if trajectories < MANY_TRAJECTORIES:
        return Mixing(math.nan, math.nan)
    t = float(stdtrit(trajectories - 2, 1.0 - RARE / quantities))
    bound = t / math.sqrt(trajectories - 2 + t * t)
    apart = np.std(first, axis=1) > SMALL * np.mean(first, axis=1)
    if not np.any(apart):
        return Mixing(0.0, bound)
    later, before = rankdata(first[apart], axis=1), rankdata(starts[apart], axis=1)
    middle = 0.5 * (trajectories + 1)
    scale = np.std(later, axis=1) * np.std(before, axis=1)
    together = np.mean((later - middle) * (before - middle), axis=1) / scale
    return Mixing(float(np.max(together)), bound)


def truncation(means: FloatArray) -> int:
    """Parts of the time to leave out at the start, from the means themselves, (parts, rows).

    The marginal standard error rule (K. P. White, An effective truncation heuristic for bias
    reduction in simulation output, Simulation 69, 323 (1997)): of all truncations up to half of the
    run, the shortest that brings Σ(y − ȳ)²/n² within a tenth of its minimum; the largest over rows,
    doubled, but at most half of the run.
    """
    half, longest = len(means) // 2, 0
    for series in means.T:
        scores = np.array([np.var(series[d:]) / (len(series) - d) for d in range(half + 1)])
        near_minimum = scores <= (1.0 + TRUNCATION_MARGIN) * np.min(scores)
        longest = max(longest, int(np.flatnonzero(near_minimum)[0]))
    return int(min(2 * longest, half))


def require_no_drift(drift: float, quantity: str) -> None:
    """Raise NotConverged when the halves of a run differ by more than 5 standard errors."""
    if drift > MOST_DRIFT:
        raise NotConverged(
            "the trajectories are not stationary: from the first to the second half of the run the "
            f"mean {quantity} changed by {drift:.1f} standard errors; raise `duration`"
        )


def require_mixing(mixed: Mixing) -> None:
    """Raise NotConverged when trajectories do not mix."""
    if mixed.ratio > mixed.bound:
        raise NotConverged(
            f"the trajectories do not mix: their means differ {mixed.ratio:.3g} times as much (in "
            f"variance) as their own course explains, at most {mixed.bound:.3g} would be chance; "
            "either several states attract and each trajectory stays in its own, or the run is too "
            "short; raise `duration`"
        )


def require_burn_in(burn_in: float, correlation_time: float, quantity: str) -> None:
    """Raise NotConverged when a quarter of the run is less than four correlation times."""
    needed = BURN_IN_TIMES * correlation_time
    if burn_in < needed:
        raise NotConverged(
            f"the burn-in of {burn_in:.3g} is less than {BURN_IN_TIMES:g} correlation times of the "
            f"{quantity}, {needed:.3g}; `duration` = {needed / BURN_IN_SHARE:.2g} would do"
        )


def require_forgotten(remembered: Mixing, quantity: str) -> None:
    """Raise NotConverged when trajectories follow their starts, see `memory`."""
    if remembered.ratio > remembered.bound:
        raise NotConverged(
            f"the trajectories remember their starts: after the burn-in the {quantity} still "
            f"follows that of its start (rank correlation {remembered.ratio:.2f}, at most "
            f"{remembered.bound:.2f} would be chance); raise `duration`"
        )
