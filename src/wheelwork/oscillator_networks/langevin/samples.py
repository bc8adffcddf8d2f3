"""What sampled amplitudes say about the stationary state: means with errors, and checks."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import stdtrit
from scipy.stats import rankdata

from wheelwork._checks import FloatArray
from wheelwork.numerics.statistics import (
    MANY_TRAJECTORIES,
    RARE,
    Estimate,
    Mixing,
    mixing,
    standard_error,
)
from wheelwork.oscillator_networks.langevin.kernel import CHUNK, FIXED_ROWS, SAMPLE
from wheelwork.oscillator_networks.langevin.noisy_model import NoisyModel
from wheelwork.oscillator_networks.langevin.run import Counts, Course, Ensemble

ROUNDING = 1e-12  # of a mean square, in a variance
SMALL = 1e-3  # of an occupation: differences between trajectories too small to matter
EQUAL = 1e-8  # differences of means between trajectories, relative, that are rounding


@dataclass(frozen=True, eq=False)
class Sampled:
    """Q numbers with what each batch of samples deviates from them, to first order.

    value: (Q,). deviations: (batches per trajectory, trajectories, Q).
    """

    value: FloatArray
    deviations: FloatArray

    @cached_property
    def errors(self) -> FloatArray:
        """(Q,) standard errors; raises NotConverged as `standard_error`."""
        columns = np.moveaxis(self.deviations, 2, 0)
        return np.array([standard_error(np.ascontiguousarray(each)) for each in columns])

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """Each with its standard error."""
        pairs = zip(self.value.tolist(), self.errors.tolist(), strict=True)
        return tuple(Estimate(*pair) for pair in pairs)

    def combined(self, weights: FloatArray) -> "Sampled":
        """`weights`, (M, Q), times these: M numbers."""
        return Sampled(weights @ self.value, self.deviations @ weights.T)

    def plus(self, other: "Sampled") -> "Sampled":
        """The sum, number by number."""
        return Sampled(self.value + other.value, self.deviations + other.deviations)


@dataclass(frozen=True, eq=False)
class Means:
    """Means of all that is measured: `batches`, (batches, trajectories, rows), and over all."""

    model: NoisyModel
    batches: FloatArray
    mean: FloatArray

    @classmethod
    def of(cls, model: NoisyModel, sums: FloatArray, samples: FloatArray) -> "Means":
        """sums: (P, rows, lanes). samples: (P,) of a trajectory in each part."""
        lanes = sums.shape[2]
        mean = sums.sum(axis=(0, 2)) / (np.sum(samples) * lanes)
        if lanes >= MANY_TRAJECTORIES:
            sums, samples = sums.sum(axis=0, keepdims=True), np.sum(samples, keepdims=True)
        return cls(model, np.swapaxes(sums / samples[:, None, None], 1, 2), mean)

    def _rows(self, first: int, count: int) -> Sampled:
        rows = slice(first, first + count)
        return Sampled(self.mean[rows], self.batches[:, :, rows] - self.mean[rows])

    @property
    def total(self) -> Sampled:
        """Σ_j |α_j|², (1,)."""
        return self._rows(0, 1)

    @property
    def total_variance(self) -> float:
        """Variance of Σ_j |α_j|²."""
        return float(self.mean[1] - self.mean[0] ** 2)

    @property
    def occupation(self) -> Sampled:
        """|α_j|², (N,)."""
        return self._rows(FIXED_ROWS, self.model.sites)

    @property
    def current(self) -> Sampled:
        """g Im(α_u* α_v) of each edge, (E,)."""
        return self._rows(FIXED_ROWS + self.model.sites, len(self.model.edges))

    @property
    def fluctuation(self) -> Sampled:
        """√(⟨J²⟩ − ⟨J⟩²) of each edge at one time, (E,)."""
        edges = len(self.model.edges)
        first = self.current
        second = self._rows(FIXED_ROWS + self.model.sites + edges, edges)
        spread = np.sqrt(np.maximum(second.value - first.value**2, 0.0))
        change = second.deviations - 2.0 * first.value * first.deviations
        with np.errstate(divide="ignore", invalid="ignore"):
            linear = np.where(spread > 0.0, 0.5 * change / spread, 0.0)
        return Sampled(spread, linear)

    def local_observable(self, name: str) -> Sampled:
        """A local observable of each active site, (K,)."""
        place = self.model.activity.names.index(name)
        K, edges = self.model.active.size, len(self.model.edges)
        return self._rows(FIXED_ROWS + self.model.sites + 2 * edges + place * K, K)


Quantity = Callable[[Means], Sampled]


@dataclass(frozen=True, eq=False)
class AmplitudeSamples:
    """Stationary means over trajectories.

    step: Δt. order: of the scheme. fine: means at Δt. alike, coarse: means of the first few
    trajectories at Δt and again at 2Δt on the same noise; None where none was checked, or 2Δt was
    unstable. halves: (2, rows, trajectories), means over both halves. starts: (N, trajectories),
    occupations at the start.
    counts: (parts, groups, N, bins) of |α_j|, none for large networks. bin_width: (N,).
    table_error: largest relative error of the tables.
    """

    model: NoisyModel
    step: float
    order: int
    course: Course
    fine: Means
    alike: Means | None
    coarse: Means | None
    halves: FloatArray
    starts: FloatArray
    counts: Counts
    bin_width: FloatArray
    table_error: float

    @property
    def trajectories(self) -> int:
        """Number of trajectories."""
        return int(self.halves.shape[2])

    @property
    def duration(self) -> float:
        """Time covered by each, burn-in included."""
        return self.course.parts[-1] * CHUNK * self.step

    @property
    def burn_in(self) -> float:
        """Time left out at the start of each."""
        return self.course.burn_in * CHUNK * self.step

    def step_error(self, quantity: Quantity) -> FloatArray:
        """(Q,) errors due to the step: the change from Δt to 2Δt over 2^order − 1.

        Chance included, as the noise is the same but not its effect. NaN without a check.
        """
        value = quantity(self.fine).value
        if self.alike is None or self.coarse is None:
            return np.full(value.shape, np.nan)
        change = quantity(self.coarse).value - quantity(self.alike).value
        error: FloatArray = np.abs(change) / (2.0**self.order - 1.0)
        return error

    @property
    def correlation_time(self) -> float:
        """Of Σ|α_j|²: half of the time that one independent draw takes; zero without noise."""
        error, variance = float(self.fine.total.errors[0]), self.fine.total_variance
        if variance <= ROUNDING * self.fine.mean[0] ** 2:
            return 0.0
        span = (self.duration - self.burn_in) * self.trajectories
        return 0.5 * span * error**2 / variance

    @property
    def drift(self) -> float:
        """Change of Σ|α_j|² from the first to the second half, in its standard errors; NaN for
        fewer than 16 trajectories.
        """
        if self.trajectories < MANY_TRAJECTORIES:
            return math.nan
        change = self.halves[1, 0] - self.halves[0, 0]
        error = float(np.std(change)) / math.sqrt(self.trajectories - 1)
        if error <= EQUAL * float(self.fine.mean[0]):
            return 0.0
        return abs(float(np.mean(change))) / error

    @property
    def memory(self) -> Mixing:
        """How far occupations in the first half follow those at the start: the largest rank
        correlation (Spearman's) over trajectories, of all nodes; NaN for fewer than 16.

        The bound is passed by chance once in 1e5 runs (Student's t). Starts are spread widely, so
        that a mean still off by some three standard errors or more shows here.
        """
        lanes, first = self.trajectories, self.halves[0, FIXED_ROWS : FIXED_ROWS + self.model.sites]
        if lanes < MANY_TRAJECTORIES:
            return Mixing(math.nan, math.nan)
        t = float(stdtrit(lanes - 2, 1.0 - RARE / len(first)))
        bound = t / math.sqrt(lanes - 2 + t * t)
        apart = np.std(first, axis=1) > SMALL * np.mean(first, axis=1)
        if not np.any(apart):
            return Mixing(0.0, bound)
        later, before = rankdata(first[apart], axis=1), rankdata(self.starts[apart], axis=1)
        middle = 0.5 * (lanes + 1)
        scale = np.std(later, axis=1) * np.std(before, axis=1)
        together = np.mean((later - middle) * (before - middle), axis=1) / scale
        return Mixing(float(np.max(together)), bound)

    @property
    def mixing(self) -> Mixing:
        """Differences between trajectories, see `wheelwork.numerics.statistics.mixing`."""
        stop = FIXED_ROWS + self.model.sites + len(self.model.edges)
        first, second = self.halves[:, FIXED_ROWS:stop]
        scale = float(np.max(np.abs(self.fine.mean[FIXED_ROWS:stop])))
        moving = np.std(first + second, axis=1) > EQUAL * scale
        if not np.any(moving):
            return Mixing(0.0, 1.0)
        return mixing(first[moving], second[moving])


def samples_per_part(course: Course) -> FloatArray:
    """(P,) samples of a trajectory in each part."""
    return np.diff(np.array(course.parts, dtype=np.float64)) * (CHUNK // SAMPLE)


def half_means(ensemble: Ensemble, course: Course) -> FloatArray:
    """(2, rows, lanes) means over the first and second half of the parts."""
    samples = samples_per_part(course)
    middle = len(samples) // 2
    return np.stack(
        [
            ensemble.sums[part].sum(axis=0) / np.sum(samples[part])
            for part in (slice(0, middle), slice(middle, None))
        ]
    )
