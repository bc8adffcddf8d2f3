"""Stationary means of a noisy network from trajectories that leave from random starts."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.methods.sampling_method import CHUNK, SamplingMethod
from wheelwork.numerics import stationarity
from wheelwork.numerics.stationarity import Mixing
from wheelwork.numerics.statistics import (
    MANY_TRAJECTORIES,
    Batches,
    ErrorOf,
    Sampled,
    error_function,
    standard_error,
)
from wheelwork.oscillator_networks.langevin.kernel import FIXED_ROWS, draw_starts
from wheelwork.oscillator_networks.langevin.noisy_model import NoisyModel
from wheelwork.oscillator_networks.langevin.run import Counts, Course, Ensemble, Run
from wheelwork.oscillator_networks.langevin.steps import LARGEST_DENSE, Stepper

AUTOMATIC = 0.1  # step times the model's fastest rate: errors below 0.5 %
LONGEST = 1.0  # the same where the step is given: beyond, it is unstable
EXPONENT_ROUNDING = 1e-12  # of an exponent
LARGEST_MATRIX = 400  # sites, up to which the stability of a scheme is looked at beforehand
START_RANGE = 3.0  # starts differ by factors e^±3 in their occupations
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
    def of(
        cls,
        model: NoisyModel,
        sums: FloatArray,
        samples: FloatArray,
        error_of: ErrorOf = standard_error,
    ) -> "Means":
        """sums: (P, rows, lanes). samples: (P,) of a trajectory in each part."""
        return cls(model, Batches.of(sums, samples, error_of))

    @property
    def total(self) -> Sampled:
        """Σ_j |α_j|², (1,)."""
        return self.batches.rows(0, 1)

    @property
    def total_variance(self) -> float:
        """Variance of Σ_j |α_j|²."""
        mean = self.batches.mean
        return float(mean[1] - mean[0] ** 2)

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
        first, edges = self.current, len(self.model.edges)
        second = self.batches.rows(FIXED_ROWS + self.model.sites + edges, edges)
        spread = np.sqrt(np.maximum(second.value - first.value**2, 0.0))
        change = second.deviations - 2.0 * first.value * first.deviations
        with np.errstate(divide="ignore", invalid="ignore"):
            linear = np.where(spread > 0.0, 0.5 * change / spread, 0.0)
        return replace(first, value=spread, deviations=linear)

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
    unstable. sums: (P, rows, trajectories), of all that is measured. halves: (2, rows,
    trajectories), means over both halves, NaN of a single part. starts: (N, trajectories),
    occupations at the start.
    counts: (parts, groups, N, bins) of |α_j|, none for large networks. bin_width: (N,).
    table_error: largest relative error of the tables. time_left: of a run that ended early.
    shortfall: why the run is not what was asked for, empty where it is. Errors are those of
    `statistics.cautious_error` where it is no fair sample of the stationary state.
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
    sums: FloatArray = field(repr=False)
    time_left: float = 0.0
    shortfall: str = ""

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
        return np.asarray(np.abs(change) / (2.0**self.order - 1.0))

    @property
    def correlation_time(self) -> float:
        """Of Σ|α_j|²: half of the time that one independent draw takes; zero without noise."""
        error, variance = float(self.fine.total.errors[0]), self.fine.total_variance
        if variance <= ROUNDING * self.fine.batches.mean[0] ** 2:
            return 0.0
        span = (self.duration - self.burn_in) * self.trajectories
        return 0.5 * span * error**2 / variance

    @property
    def drift(self) -> float:
        """Change of Σ|α_j|² from the first to the second half, in its standard errors; NaN for
        fewer than 16 trajectories.
        """
        if self.trajectories < MANY_TRAJECTORIES or not np.all(np.isfinite(self.halves)):
            return math.nan
        change = self.halves[1, 0] - self.halves[0, 0]
        error = float(np.std(change)) / math.sqrt(self.trajectories - 1)
        if error <= EQUAL * float(self.fine.batches.mean[0]):
            return 0.0
        return abs(float(np.mean(change))) / error

    @property
    def memory(self) -> Mixing:
        """How far occupations in the first half follow those at the start, see
        `wheelwork.numerics.stationarity.memory`.
        """
        if not np.all(np.isfinite(self.halves)):
            return Mixing(math.nan, math.nan)
        sites = slice(FIXED_ROWS, FIXED_ROWS + self.model.sites)
        return stationarity.memory(self.starts, self.halves[0, sites])

    @property
    def mixing(self) -> Mixing:
        """Differences between trajectories, see `wheelwork.numerics.stationarity.mixing`."""
        if not np.all(np.isfinite(self.halves)):
            return Mixing(math.nan, math.nan)
        model = self.model
        rows = slice(FIXED_ROWS, FIXED_ROWS + model.sites + len(model.edges))
        first, second = self.halves[:, rows]
        largest = float(np.max(self.fine.occupation.value))  # of |J| in units of g
        scale = largest * np.concatenate([np.ones(model.sites), np.abs(model.couplings)])
        moving = np.std(first + second, axis=1) > EQUAL * scale
        if not np.any(moving):
            return Mixing(0.0, 1.0)
        return stationarity.mixing(first[moving], second[moving])

    def __repr__(self) -> str:
        return (
            f"AmplitudeSamples({self.model!r}, trajectories={self.trajectories}, "
            f"duration={self.duration:g}, step={self.step:g}, burn_in={self.burn_in:g})"
        )


# ---------------------------------------------------------------------- the run


def sample_amplitudes(model: NoisyModel, method: SamplingMethod) -> AmplitudeSamples:
    """Return stationary means of `model` over trajectories.

    A step is half of the elements' noise, half of their drift, the linear network over Δt, the
    other halves in reverse order: weak order two. e^{LΔt} and its thermal noise are exact up to
    24 sites; beyond, bonds are rotated colour by colour. Starts: complex normal amplitudes of
    occupations from e^-3 to e^3 times those expected, those of trajectory i from (seed, i) alone;
    the method's `start` is not used. The burn-in is a quarter of the run, unless given.

    Raises InvalidArgument for a step too large for the scheme, NotConverged for a run that is too
    short, is not stationary or whose trajectories do not mix (with a burn-in given, only the
    first), that exceeds the time limit, and where amplitudes grow beyond all bounds; its `partial`
    are the samples so far, None before there are any.
    """
    step = _step(model, method)
    chunks = method.chunks(step)
    method.require_affordable(float(chunks) * CHUNK * method.trajectories * model.sites)
    course = Course.of(chunks, method.burn_in_chunks(step), method.trajectories)
    run, parts = Run(model, method.seed, method.threads), len(course.parts) - 1
    run.require_memory(parts, method.trajectories)
    state = random_starts(model, method.seed, method.trajectories)
    ensembles = [run.ensemble(Stepper.of(method, model, step), state, parts, False, True)]
    if method.checks and not (method.scheme == "euler" and 2.0 * step > _euler_limit(model)):
        stepper = Stepper.of(method, model, 2.0 * step)
        ensembles.append(run.ensemble(stepper, state[:, : method.checks], parts, True, False))
    try:
        run.carry(ensembles, course, early=method.time_limit < math.inf)
    except NotConverged as reason:
        reached = run.reached(course)
        if reached is None:
            raise
        left = (chunks - reached.parts[-1]) * CHUNK * step
        samples = _samples(model, method, step, reached, run, ensembles, state)
        partial = _judged(replace(samples, time_left=left, shortfall=str(reason)), method)
        raise NotConverged(str(reason), partial=partial) from None
    samples = _samples(model, method, step, course, run, ensembles, state)
    judged = _judged(replace(samples, shortfall=course.short), method)
    if judged.shortfall:
        raise NotConverged(judged.shortfall, partial=judged)
    return judged


def _samples(
    model: NoisyModel,
    method: SamplingMethod,
    step: float,
    course: Course,
    run: Run,
    ensembles: Sequence[Ensemble],
    starts: FloatArray,
) -> AmplitudeSamples:
    """What the ensembles have summed up in the parts of `course`."""
    fine, samples, alike, coarse = ensembles[0], course.samples, None, None
    parts = samples.size
    sums, counts = fine.sums[:parts], fine.counts[:parts]
    if len(ensembles) > 1 and not ensembles[1].lost:
        alike = Means.of(model, sums[:, :, : method.checks], samples)
        coarse = Means.of(model, ensembles[1].sums[:parts], samples)
    halves = np.full((2, *sums.shape[1:]), np.nan)
    if parts > 1:
        halves = stationarity.half_means(sums, samples, parts // 2)
    return AmplitudeSamples(
        model=model,
        step=step,
        order=method.order,
        course=course,
        fine=Means.of(model, sums, samples),
        alike=alike,
        coarse=coarse,
        halves=halves,
        starts=starts[::2] ** 2 + starts[1::2] ** 2,
        counts=counts if np.any(counts) else counts[:, :0],
        bin_width=1.0 / run.per_width if run.per_width.size else np.zeros(0),
        table_error=fine.stepper.active.error,
        sums=sums,
    )


def _judged(result: AmplitudeSamples, method: SamplingMethod) -> AmplitudeSamples:
    """The samples, with their shortfall and cautious errors where they are no fair ones."""
    unfair, mixed = "", result.mixing
    try:
        if method.burn_in is None:
            stationarity.require_mixing(mixed)
            stationarity.require_no_drift(result.drift, "occupation")
            stationarity.require_burn_in(result.burn_in, result.correlation_time, "occupation")
            stationarity.require_forgotten(result.memory, "occupation of a node")
        _ = result.fine.total.errors, result.fine.occupation.errors, result.fine.current.errors
    except NotConverged as reason:
        unfair = str(reason)
    if result.course.fair and not unfair:
        return result
    error_of = error_function(fair=False, unmixed=mixed.ratio > mixed.bound)
    fine = Means.of(result.model, result.sums, result.course.samples, error_of)
    return replace(result, fine=fine, shortfall=result.shortfall or unfair)


def random_starts(model: NoisyModel, seed: int, trajectories: int) -> FloatArray:
    """Return (2N, trajectories) real and imaginary parts, spread over what can be reached."""
    rows = 2 * model.sites
    normals = np.empty((4 * -(-(rows + 2) // 4), trajectories))
    draw_starts(normals, np.uint64(seed), 0)
    # of two normals u, v the phase of u + iv is uniform
    share = np.arctan2(normals[rows], normals[rows + 1]) / math.pi
    size = np.sqrt(0.5 * model.occupation_scale * np.exp(START_RANGE * share))
    return np.ascontiguousarray(size * normals[:rows])


def _step(model: NoisyModel, method: SamplingMethod) -> float:
    if method.step is None:
        return AUTOMATIC / model.fastest_rate
    step = method.step
    exact = model.active.size == 0 and model.sites <= LARGEST_DENSE
    longest = math.inf if exact else LONGEST / model.fastest_rate
    if method.scheme == "euler":
        longest = _euler_limit(model)
        if longest == 0.0:
            raise InvalidArgument(
                "`damping` must reach every mode for Euler and Maruyama's scheme, in which an "
                "undamped one grows at any step"
            )
    if step > longest:
        scheme = {"euler": "Euler and Maruyama's scheme on", "splitting": "the splitting of"}
        raise InvalidArgument(
            f"`step` must be at most {longest:.3g} for {scheme[method.scheme]} this network, "
            f"but is {step!r}"
        )
    return step


def _euler_limit(model: NoisyModel) -> float:
    """Step beyond which 1 + LΔt lets amplitudes grow: min −2 Re λ/|λ|²."""
    if model.sites > LARGEST_MATRIX:
        return LONGEST / model.fastest_rate
    exponents = np.linalg.eigvals(model.linear)
    size = np.abs(exponents)
    largest = float(np.max(size))
    if not largest > 0.0 or np.min(size) <= EXPONENT_ROUNDING * largest:
        return 0.0
    damping = np.where(-exponents.real > EXPONENT_ROUNDING * largest, -exponents.real, 0.0)
    return float(np.min(2.0 * (damping / size) / size))
