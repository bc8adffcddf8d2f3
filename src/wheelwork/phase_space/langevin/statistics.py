"""Means, standard errors and burn-in of correlated samples."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.numerics import statistics
from wheelwork.numerics.statistics import (
    BATCHES,
    MANY_TRAJECTORIES,
    Estimate,
    Mixing,
    standard_error,
)
from wheelwork.phase_space.langevin.ensemble import Ensemble
from wheelwork.phase_space.langevin.trajectories import CHUNK

FEWEST_BATCHES = 8
MARGIN = 0.1
FEWEST_BLOCKS = 4


class Quantity(NamedTuple):
    """A function of the means of the observables: its value and its gradient there."""

    value: float
    gradient: FloatArray


@dataclass(frozen=True)
class Batches:
    """Means over batches of neighbouring samples, long against the correlation time.

    values: (per trajectory, trajectories, observables). mean: (observables,) of all samples.
    With 16 trajectories or more a batch is a whole trajectory, and the standard error is that
    of independent numbers. With fewer, trajectories are cut into 64 batches or a few more, which
    grow with the run; what correlation ρ > 0 is left between neighbours raises the variance by
    (1 + ρ)/(1 − ρ), as for a first-order autoregressive series. Negative correlation is not
    counted: then the errors of p and xp, whose sums over neighbouring batches nearly cancel, come
    out too large.
    """

    values: FloatArray
    mean: FloatArray

    @classmethod
    def of(cls, ensemble: Ensemble, first: int, last: int | None = None) -> "Batches":
        """Cut the blocks of time first … last − 1 of `ensemble` into batches.

        Raises NotConverged when they are fewer than 8 in all.
        """
        stop = ensemble.filled if last is None else last
        samples = ensemble.samples[first:stop]
        sums = ensemble.sums[first:stop]
        lanes = ensemble.state.shape[1]
        length = len(samples)
        if lanes < MANY_TRAJECTORIES:
            length = max(1, len(samples) * lanes // BATCHES)
        starts = np.arange(len(samples) // max(length, 1)) * length
        if len(starts) * lanes < FEWEST_BATCHES:
            raise NotConverged(
                f"an error estimate needs at least {FEWEST_BATCHES} batches, but after burn-in "
                f"there are {len(samples)} blocks of {lanes} trajectories; raise `duration` or "
                "`trajectories`"
            )
        weight = np.add.reduceat(samples, starts)
        values = np.add.reduceat(sums, starts, axis=0) / weight[:, None, None]
        mean = np.sum(sums, axis=(0, 2)) / (np.sum(samples) * lanes)
        return cls(np.swapaxes(values, 1, 2), mean)

    def deviations(self, quantity: Quantity) -> FloatArray:
        """(per trajectory, trajectories) of a quantity, to first order."""
        return np.asarray((self.values - self.mean) @ quantity.gradient)

    def estimate(self, quantity: Quantity) -> Estimate:
        """Return a quantity with its standard error."""
        return Estimate(quantity.value, standard_error(self.deviations(quantity)))


def mixing(ensemble: Ensemble, first: int) -> Mixing:
    """Hold the differences of x and energy between trajectories against those within them.

    From the means over the two halves of each trajectory, see `numerics.statistics.mixing`.
    """
    lanes = ensemble.state.shape[1]
    if lanes < 2 or ensemble.filled - first < 2:
        return Mixing(math.nan, math.nan)
    middle = (first + ensemble.filled + 1) // 2
    a, b = (
        ensemble.sums[rows].sum(axis=0) / np.sum(ensemble.samples[rows])
        for rows in (slice(first, middle), slice(middle, ensemble.filled))
    )
    chosen = np.stack([_position(len(a)), _energy(len(a))])
    return statistics.mixing(chosen @ a, chosen @ b)


def _position(observables: int) -> FloatArray:
    return np.asarray(np.eye(observables)[0])


def _energy(observables: int) -> FloatArray:
    return np.asarray(np.eye(observables)[2] + np.eye(observables)[3])


def quantities(mean: FloatArray) -> dict[str, Quantity]:
    """Moments of `phase_space.moments` (without the purity) from means of the observables.

    mean: of X, P, X², P², XP, (X² + P²)², local observables.
    """
    unit = np.eye(len(mean))
    energy, fourth = mean[2] + mean[3], mean[5]
    number = energy - 0.5
    pairs = fourth - 2.0 * energy + 0.5  # ⟨a†a†aa⟩
    energy_gradient = _energy(len(mean))
    pairs_gradient = unit[5] - 2.0 * energy_gradient
    return {
        "x": Quantity(float(mean[0]), unit[0]),
        "p": Quantity(float(mean[1]), unit[1]),
        "x_squared": Quantity(float(mean[2]), unit[2]),
        "p_squared": Quantity(float(mean[3]), unit[3]),
        "x_p": Quantity(float(mean[4]), unit[4]),
        "phonon_number": Quantity(float(number), energy_gradient),
        "g2": Quantity(
            float(pairs / number**2),
            pairs_gradient / number**2 - 2.0 * pairs / number**3 * energy_gradient,
        ),
    }


def changes(coarse: Batches, fine: Batches) -> dict[str, Estimate]:
    """Coarse minus fine for every moment, with the standard error of the paired difference.

    The error is infinite where the differences are correlated over the whole run.
    """
    at_coarse, at_fine = quantities(coarse.mean), quantities(fine.mean)
    found = {}
    for name, quantity in at_fine.items():
        paired = coarse.deviations(at_coarse[name]) - fine.deviations(quantity)
        try:
            error = standard_error(paired)
        except NotConverged:
            error = math.inf
        found[name] = Estimate(at_coarse[name].value - quantity.value, error)
    return found


def settled_after(ensemble: Ensemble) -> int:
    """Blocks of time to leave out at the start, found from the data.

    The marginal standard error rule (K. P. White, An effective truncation heuristic for bias
    reduction in simulation output, Simulation 69, 323 (1997)) on the averages over trajectories
    of every observable: of all truncations up to half of the run, the shortest that brings
    Σ(y − ȳ)²/n² within a tenth of its minimum; the largest over observables, doubled, but at most
    half of the run. Raises NotConverged for a run of fewer than four blocks.
    """
    if ensemble.filled < FEWEST_BLOCKS:
        raise NotConverged(
            f"burn-in cannot be found in a run of {ensemble.chunks} x {CHUNK} steps; "
            "raise `duration` or give `burn_in`"
        )
    means = ensemble.sums[: ensemble.filled].mean(axis=2) / ensemble.samples[:, None]
    half = len(means) // 2
    longest = max(_truncation(series, half) for series in means.T)
    return int(min(2 * longest, half))


def _truncation(series: FloatArray, most: int) -> int:
    scores = np.array([np.var(series[d:]) / (len(series) - d) for d in range(most + 1)])
    return int(np.flatnonzero(scores <= (1.0 + MARGIN) * np.min(scores))[0])


def drift(ensemble: Ensemble, first: int) -> float:
    """Change of ⟨X² + P²⟩ from the first to the second half, in its standard errors.

    NaN where the halves are too short for standard errors of their own.
    """
    middle = (first + ensemble.filled) // 2
    try:
        halves = [Batches.of(ensemble, first, middle), Batches.of(ensemble, middle)]
        early, late = (half.estimate(quantities(half.mean)["phonon_number"]) for half in halves)
    except NotConverged:
        return math.nan
    error = math.hypot(early.standard_error, late.standard_error)
    return abs(late.mean - early.mean) / error if error > 0.0 else 0.0
