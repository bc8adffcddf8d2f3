"""What sampled amplitudes say about the stationary state: means with errors, and checks."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.numerics import stationarity
from wheelwork.numerics.sampling_method import CHUNK
from wheelwork.numerics.stationarity import Mixing
from wheelwork.numerics.statistics import MANY_TRAJECTORIES, Batches, Sampled
from wheelwork.oscillator_networks.langevin.kernel import FIXED_ROWS
from wheelwork.oscillator_networks.langevin.noisy_model import NoisyModel
from wheelwork.oscillator_networks.langevin.run import Counts, Course

ROUNDING = 1e-12  # of a mean square, in a variance
EQUAL = 1e-8  # differences of means between trajectories, relative, that are rounding


@dataclass(frozen=True, eq=False)
class Means:
    """Means of all that is measured, in batches.

    Rows: Σn, (Σn)², then |α_j|² by site, J and J² by edge, local observables by name and site.
    """

    model: NoisyModel
    batches: Batches

    @classmethod
    def of(cls, model: NoisyModel, sums: FloatArray, samples: FloatArray) -> "Means":
        """sums: (P, rows, lanes). samples: (P,) of a trajectory in each part."""
        return cls(model, Batches.of(sums, samples))

    @property
    def mean(self) -> FloatArray:
        """(rows,) over all samples."""
        return self.batches.mean

    @property
    def total(self) -> Sampled:
        """Σ_j |α_j|², (1,)."""
        return self.batches.rows(0, 1)

    @property
    def total_variance(self) -> float:
        """Variance of Σ_j |α_j|²."""
        return float(self.mean[1] - self.mean[0] ** 2)

    @property
    def occupation(self) -> Sampled:
        """|α_j|², (N,)."""
        return self.batches.rows(FIXED_ROWS, self.model.sites)

    @property
    def current(self) -> Sampled:
        """g Im(α_u* α_v) of each edge, (E,)."""
        return self.batches.rows(FIXED_ROWS + self.model.sites, len(self.model.edges))

    @property
    def fluctuation(self) -> Sampled:
        """√(⟨J²⟩ − ⟨J⟩²) of each edge at one time, (E,)."""
        edges = len(self.model.edges)
        first = self.current
        second = self.batches.rows(FIXED_ROWS + self.model.sites + edges, edges)
        spread = np.sqrt(np.maximum(second.value - first.value**2, 0.0))
        change = second.deviations - 2.0 * first.value * first.deviations
        with np.errstate(divide="ignore", invalid="ignore"):
            linear = np.where(spread > 0.0, 0.5 * change / spread, 0.0)
        return Sampled(spread, linear)

    def local_observable(self, name: str) -> Sampled:
        """One number of each active site, (K,)."""
        index = self.model.activity.names.index(name)
        K, edges = self.model.active.size, len(self.model.edges)
        return self.batches.rows(FIXED_ROWS + self.model.sites + 2 * edges + index * K, K)

    def __repr__(self) -> str:
        return f"Means({self.model!r}, {self.batches.values[..., 0].size} batches)"


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
        """How far occupations in the first half follow those at the start, see
        `wheelwork.numerics.stationarity.memory`.
        """
        sites = slice(FIXED_ROWS, FIXED_ROWS + self.model.sites)
        return stationarity.memory(self.starts, self.halves[0, sites])

    @property
    def mixing(self) -> Mixing:
        """Differences between trajectories, see `wheelwork.numerics.stationarity.mixing`."""
        stop = FIXED_ROWS + self.model.sites + len(self.model.edges)
        first, second = self.halves[:, FIXED_ROWS:stop]
        scale = float(np.max(np.abs(self.fine.mean[FIXED_ROWS:stop])))
        moving = np.std(first + second, axis=1) > EQUAL * scale
        if not np.any(moving):
            return Mixing(0.0, 1.0)
        return stationarity.mixing(first[moving], second[moving])

    def __repr__(self) -> str:
        return (
            f"AmplitudeSamples({self.model!r}, trajectories={self.trajectories}, "
            f"duration={self.duration:g}, step={self.step:g}, burn_in={self.burn_in:g})"
        )
