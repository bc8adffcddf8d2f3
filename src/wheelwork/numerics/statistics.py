"""Means and standard errors of correlated samples."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import NotConverged

MANY_TRAJECTORIES = 16  # from here on each is one batch: Student's t is then close to normal
BATCHES = 64  # of fewer trajectories, together: the error is then known to a tenth
GROUPS = 32  # of trajectories, left out in turn by the jackknife: its error is known to an eighth
HALF_RANGE = math.sqrt(3.0)  # of a uniform distribution, over its standard deviation
STRONGEST_CORRELATION = 0.6  # between neighbouring batches: beyond, (1 + ρ)/(1 − ρ) is a guess


class Estimate(NamedTuple):
    """A sampled mean and its standard error; `float` gives the mean."""

    mean: float
    standard_error: float

    def __float__(self) -> float:
        return self.mean


def standard_error(deviations: FloatArray) -> float:
    """Standard error of a mean from its batches' deviations (per trajectory, trajectories).

    What correlation ρ > 0 is left between neighbouring batches raises the variance by
    (1 + ρ)/(1 − ρ), as for a first-order autoregressive series. Negative correlation is not
    counted. Raises NotConverged when ρ exceeds 0.6, and for a single batch.
    """
    if deviations.size < 2:
        raise NotConverged("one batch of samples tells no error; raise `duration`")
    count, square = deviations.size, float(np.sum(deviations**2))
    variance = square / (count * (count - 1))
    mean_square, rho = float(np.mean(deviations**2)), 0.0
    if len(deviations) > 1 and mean_square > 0.0:
        rho = max(0.0, float(np.mean(deviations[1:] * deviations[:-1])) / mean_square)
    if rho > STRONGEST_CORRELATION:
        raise NotConverged(
            f"batches of samples are too strongly correlated ({rho:.2f} between neighbours) for "
            "an error estimate; raise `duration` or `trajectories`"
        )
    return math.sqrt(variance * (1.0 + rho) / (1.0 - rho))


def cautious_error(deviations: FloatArray, unmixed: bool) -> float:
    """Error of a mean from a run that is no fair sample, from (per trajectory, trajectories).

    At least the change from the first to the second half of the time. Where trajectories do not
    mix, their weights in the states that hold them are not known: then √3 standard deviations of
    their means, half the range if they fill it evenly. Infinite for one trajectory.
    """
    parts, trajectories = deviations.shape
    if trajectories < 2:
        return math.inf
    spread, half = float(np.std(np.mean(deviations, axis=0), ddof=1)), parts // 2
    if half == 0:
        return HALF_RANGE * spread
    change = abs(float(np.mean(deviations[half:]) - np.mean(deviations[:half])))
    return max(HALF_RANGE * spread if unmixed else spread / math.sqrt(trajectories), change)


ErrorOf = Callable[[FloatArray], float]  # deviations (per trajectory, trajectories) -> error


def error_function(fair: bool, unmixed: bool) -> ErrorOf:
    """Return `standard_error` for a fair sample, else `cautious_error`."""
    return standard_error if fair else partial(cautious_error, unmixed=unmixed)


@dataclass(frozen=True, eq=False)
class Batches:
    """Means over batches of neighbouring samples, long against the correlation time.

    values: (per trajectory, trajectories, rows). mean: (rows,) of all samples. With 16
    trajectories or more a batch is a whole trajectory, and the standard error is that of
    independent numbers; fewer are cut into 64 batches or a few more in all.
    error_of: `standard_error`; of a run that is no fair sample another, which needs both halves of
    each trajectory.
    """

    values: FloatArray
    mean: FloatArray
    error_of: ErrorOf = standard_error

    @classmethod
    def of(
        cls,
        sums: FloatArray,
        samples: npt.NDArray[np.intp] | FloatArray,
        error_of: ErrorOf = standard_error,
    ) -> "Batches":
        """sums: (parts of the time, rows, trajectories). samples: (parts,) of a trajectory."""
        parts, _, trajectories = sums.shape
        starts = batch_starts(parts, trajectories)
        if error_of is not standard_error and starts.size == 1 and parts > 1:
            starts = np.array([0, parts // 2])
        weight = np.add.reduceat(samples, starts)
        values = np.add.reduceat(sums, starts, axis=0) / weight[:, None, None]
        mean = np.sum(sums, axis=(0, 2)) / (np.sum(samples) * trajectories)
        return cls(np.swapaxes(values, 1, 2), mean, error_of)

    def rows(self, first: int, count: int) -> "Sampled":
        """Return `count` rows as they are."""
        rows = slice(first, first + count)
        values = self.values[:, :, rows]
        return Sampled(self.mean[rows], values - self.mean[rows], self.error_of)

    def deviations(self, gradient: FloatArray) -> FloatArray:
        """(per trajectory, trajectories) of a function of the mean, from its gradient (rows,)."""
        return np.asarray((self.values - self.mean) @ gradient)


def batch_starts(parts: int, trajectories: int) -> npt.NDArray[np.intp]:
    """Return the part of the time with which each batch of a trajectory begins."""
    few = trajectories < MANY_TRAJECTORIES
    length = max(1, parts * trajectories // BATCHES) if few else parts
    return np.arange(parts // max(length, 1)) * length


@dataclass(frozen=True, eq=False)
class Sampled(Computed):
    """Q numbers with what each batch of samples deviates from them, to first order.

    value: (Q,). deviations: (batches per trajectory, trajectories, Q). error_of: as of `Batches`.
    """

    value: FloatArray
    deviations: FloatArray
    error_of: ErrorOf = standard_error

    @cached_property
    def errors(self) -> FloatArray:
        """(Q,) standard errors; raises NotConverged as `standard_error`."""
        columns = np.moveaxis(self.deviations, 2, 0)
        return np.array([self.error_of(np.ascontiguousarray(each)) for each in columns])

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """Each with its standard error."""
        return tuple(map(Estimate, self.value.tolist(), self.errors.tolist()))

    def combined(self, weights: FloatArray) -> Self:
        """`weights`, (M, Q), times these: M numbers."""
        return replace(self, value=weights @ self.value, deviations=self.deviations @ weights.T)

    def __repr__(self) -> str:
        return f"Sampled({self.value.size} numbers, {self.deviations[..., 0].size} batches)"


def jackknife_error(values: Sequence[float] | FloatArray) -> float:
    """Standard error from the values with one of equal groups left out each."""
    left_out = np.asarray(values, dtype=np.float64)
    square = float(np.sum((left_out - np.mean(left_out)) ** 2))
    return math.sqrt((left_out.size - 1) / left_out.size * square)


def trajectory_groups(trajectories: int) -> npt.NDArray[np.intp]:
    """Return the group of each trajectory, (trajectories,) ascending: at most 32 groups."""
    return np.arange(trajectories) * min(trajectories, GROUPS) // trajectories
