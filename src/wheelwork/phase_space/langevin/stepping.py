"""Time steps of a noisy oscillator: schemes, their tables, and bundles of trajectories.

A step of length Δt turns (X, P) by an angle, then kicks P at fixed X,
P ← P + loss(X) P + push(X) + √variance(X) ξ with ξ normal, and turns again. Only the functions
loss, push and variance depend on the model; they are tabulated over the range reached so far.

Bundles are stepped together in compiled code. A chunk of 256 steps is 64 blocks of four steps, one
call of the random generator each; a sample is taken at the end of a block. Lanes of a bundle do not
see each other: splitting it changes no bit of any lane.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.methods.sampling_method import CHUNK
from wheelwork.numerics.compiling import compiled
from wheelwork.numerics.cubic_cells import EqualCells, cubic, equal_cells, locate_equal
from wheelwork.numerics.random import BLOCK, fill_normals, join_normals
from wheelwork.phase_space.chebyshev import ChebyshevTable
from wheelwork.phase_space.domain import LARGEST_REACH
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel, mean_decay, tabulated_rates

FIRST_REACH, GROWTH = 8.0, 1.5  # of the tables; a ground state reaches some 3, and few grow thrice
RATES_RTOL = 1e-9  # of the Chebyshev tables of the rates, far below that of the look-up
LOOKUP_RTOL = 1e-6  # far below the sampling error
FASTEST = 1.0  # largest angle or exponent of one step within a standard deviation of the mean X
STABLE = 2.0  # the same over all X reached: beyond this a stiff force makes the step unstable
POINTS = 257  # among which the fastest rate is searched
DIFFUSION_ROUNDING = 1e-6  # of the largest diffusion: a table may dip so far below zero
LARGEST_KICK = 1e300  # instead of an overflow
SAMPLES_PER_CHUNK = CHUNK // BLOCK  # one for each block of normal deviates, 4 Δt apart
OBSERVABLES = ("x", "p", "x_squared", "p_squared", "x_p", "fourth")
KICKS = 3  # functions of the table that a step needs: loss, push, variance

Kicks = Callable[[FloatArray, FloatArray], FloatArray]


@dataclass(frozen=True)
class Scheme:
    """A way to step.

    name: of the method. angle: of the rotation before the kick and of that after it. drift: X also
    moves by drift · P, with the P before the kick. kicks: X (n,), rates (3, n) of
    `PhaseSpaceModel.scaled` -> loss, push, variance (3, n).
    """

    name: str
    angle: float
    drift: float
    kicks: Kicks

    @property
    def motion(self) -> FloatArray:
        """cos and sin of `angle`, cos and sin of twice that, and `drift`, for compiled code."""
        a = self.angle
        return np.array([math.cos(a), math.sin(a), math.cos(2 * a), math.sin(2 * a), self.drift])


def splitting(frequency: float, step: float) -> Scheme:
    """Half a rotation, the exact Ornstein–Uhlenbeck kick at fixed X, half a rotation.

    P ← e^{−γΔt} P + f (1 − e^{−γΔt})/γ + √(d (1 − e^{−2γΔt})/γ) ξ, for γ of either sign and
    its limit γ → 0. Weak order two; a harmonic oscillator with constant γ and d and no force keeps
    its exact stationary state at every Δt.
    """

    def kicks(X: FloatArray, rates: FloatArray) -> FloatArray:
        force, friction, diffusion = rates
        push = force * step * mean_decay(friction * step)
        variance = 2.0 * diffusion * step * mean_decay(2.0 * friction * step)
        return np.stack([np.expm1(-friction * step), push, variance])

    return Scheme("Langevin", 0.5 * frequency * step, 0.0, kicks)


def explicit_euler(frequency: float, step: float) -> Scheme:
    """Euler–Maruyama, Culhane et al., Eqs. (C1)–(C2): everything from the old X and P.

    Weak order one. It turns too far out: X² + P² grows by the factor 1 + (ω0 Δt)² in each step,
    as if the friction γ were less by ω0² Δt.
    """

    def kicks(X: FloatArray, rates: FloatArray) -> FloatArray:
        force, friction, diffusion = rates
        push = (force - frequency * X) * step
        return np.stack([-friction * step, push, 2.0 * diffusion * step])

    return Scheme("EulerMaruyama", 0.0, frequency * step, kicks)


SCHEMES = {"splitting": splitting, "euler": explicit_euler}
SchemeOf = Callable[[float, float], Scheme]  # of frequency and step


def kick_function(
    scheme: Scheme, rates: Callable[[FloatArray], FloatArray]
) -> Callable[[FloatArray], FloatArray]:
    """Return X -> (loss, push, variance, …) for rates X -> (f, γ, d, …), … local observables."""

    def function(X: FloatArray) -> FloatArray:
        values = rates(X)
        lowest = int(np.argmin(values[2]))
        if values[2, lowest] < -DIFFUSION_ROUNDING * np.max(values[2]):
            raise InvalidArgument(
                f"`diffusion` must not be negative, but is at x/x0 = {X[lowest]:.6g}"
            )
        values[2] = np.maximum(values[2], 0.0)
        # A run-away friction overflows here and is refused when a trajectory comes near it.
        with np.errstate(over="ignore"):
            kicks = np.minimum(scheme.kicks(X, values[:3]), LARGEST_KICK)
        return np.concatenate([kicks, values[3:]])

    return function


@dataclass(frozen=True)
class Stepping(Computed):
    """Tables for one model, scheme and step.

    rates: over |X| ≤ 8, 12, 18 …, always grown in these steps, so that the tables, and with
    them the bits of a trajectory, depend only on how far any trajectory has come.
    """

    model: PhaseSpaceModel
    scheme: SchemeOf
    step: float
    rates: ChebyshevTable

    @classmethod
    def of(
        cls, model: PhaseSpaceModel, scheme: SchemeOf, step: float, reach: float = FIRST_REACH
    ) -> "Stepping":
        """Return tables over |X| ≤ `reach`, one of 8, 12, 18 …, or the next that covers it."""
        stepping = cls(model, scheme, step, tabulated_rates(model, FIRST_REACH, RATES_RTOL))
        while stepping.reach < reach:
            stepping = stepping.extended()
        return stepping

    def extended(self) -> "Stepping":
        """Return tables over half as long a range again; NotConverged beyond 1000 x0."""
        reach = self.reach * GROWTH
        if reach > LARGEST_REACH:
            raise NotConverged(
                f"a trajectory passed |x| = {self.reach * self.model.length:.4g}: at the step "
                f"{self.step:g}, {self.fine.name} is not confined by the friction"
            )
        rates = tabulated_rates(self.model, reach, RATES_RTOL, self.rates)
        return replace(self, rates=rates)

    @property
    def reach(self) -> float:
        return self.rates.high

    @cached_property
    def fine(self) -> Scheme:
        return self.scheme(self.model.frequency, self.step)

    @cached_property
    def coarse(self) -> Scheme:
        return self.scheme(self.model.frequency, 2.0 * self.step)

    @cached_property
    def fine_cells(self) -> EqualCells:
        """The look-up table of the kicks and local observables at Δt."""
        return equal_cells(kick_function(self.fine, self.rates), self.reach, LOOKUP_RTOL)

    @cached_property
    def coarse_cells(self) -> EqualCells:
        """The same at 2Δt."""
        return equal_cells(kick_function(self.coarse, self.rates), self.reach, LOOKUP_RTOL)

    @cached_property
    def _force_slope(self) -> ChebyshevTable:
        return self.rates.component(0).derivative()

    def fastest(self, low: float, high: float) -> tuple[float, float]:
        """Return the fastest rate for low ≤ X ≤ high, and the X where it is.

        The largest of ω0, |γ| and √(ω0 |∂f/∂X|), the frequency at which the force alone would
        make the oscillator swing.
        """
        X = np.linspace(max(low, -self.reach), min(high, self.reach), POINTS)
        stiffness = np.sqrt(self.model.frequency * np.abs(self._force_slope(X)[0]))
        rates = np.maximum(stiffness, np.abs(self.rates(X)[1]))
        worst = int(np.argmax(rates))
        return max(self.model.frequency, float(rates[worst])), float(X[worst])

    def check(self, low: float, high: float, limit: float) -> None:
        """Raise InvalidArgument if Δt is above `limit`/rate for low ≤ X ≤ high."""
        rate, X = self.fastest(low, high)
        if not rate * self.step <= limit:
            raise InvalidArgument(
                f"`step` must be at most {limit / rate:.3g}, as the fastest rate is "
                f"{rate:.3g} (at x = {X * self.model.length:.4g}), but is {self.step!r}"
            )


@dataclass(frozen=True, eq=False)
class Record:
    """Course of a bundle of trajectories over a number of chunks.

    states: (chunks + 1, 2, lanes), X and P at the chunks' ends, the start included.
    sums: (chunks, observables, lanes) of X, P, X², P², XP, (X² + P²)² and local observables over
    the 64 samples. low, high: (chunks,) the range of X in which the coefficients were looked up.
    series: (chunks, 64, 2, lanes), X and P of all samples, or none at all.
    """

    states: FloatArray
    sums: FloatArray
    low: FloatArray
    high: FloatArray
    series: FloatArray

    @classmethod
    def concatenate(cls, records: Sequence["Record"]) -> "Record":
        """The record of several bundles as one."""
        return cls(
            np.concatenate([r.states for r in records], axis=2),
            np.concatenate([r.sums for r in records], axis=2),
            np.min([r.low for r in records], axis=0),
            np.max([r.high for r in records], axis=0),
            np.concatenate([r.series for r in records], axis=3),
        )

    def first(self, chunks: int) -> "Record":
        """The record of the first `chunks` chunks."""
        others = (self.sums, self.low, self.high, self.series)
        return Record(self.states[: chunks + 1], *(each[:chunks] for each in others))


def propagate(
    scheme: Scheme,
    cells: EqualCells,
    state: FloatArray,
    *,
    seed: int,
    first: int,
    chunk: int,
    chunks: int,
    double_step: bool = False,
    keep_series: bool = False,
) -> Record:
    """Carry trajectories first, first + 1, … through `chunks` chunks from number `chunk` on.

    state: (2, lanes) X and P. cells: of `kick_function`. With `double_step`, `scheme` has
    twice the step, and each of its steps takes the noise of two.
    """
    lanes = state.shape[1]
    count = len(OBSERVABLES) + cells.coefficients.shape[1] - KICKS
    states = np.empty((chunks + 1, 2, lanes))
    states[0] = state
    sums = np.zeros((chunks, count, lanes))
    series = np.empty((chunks, SAMPLES_PER_CHUNK if keep_series else 0, 2, lanes))
    reached = np.empty((chunks, 2, lanes))
    reached[:, 0], reached[:, 1] = np.inf, -np.inf
    kicks = np.ascontiguousarray(cells.coefficients[:, :KICKS])
    local = np.ascontiguousarray(cells.coefficients[:, KICKS:])
    half = len(kicks) / 2.0
    mesh = (1.0 / cells.spacing, half, 2.0 * half - 1.0)
    _propagate(
        states, sums, reached, series, kicks, local, mesh, scheme.motion,
        np.uint64(seed), first, chunk, double_step,
    )  # fmt: skip
    low, high = reached[:, 0].min(axis=1), reached[:, 1].max(axis=1)
    return Record(states, sums, low, high, series)


@compiled
def _propagate(  # type: ignore[no-untyped-def]
    states, sums, reached, series, kicks, local, mesh, motion, seed, first, chunk, double_step
):
    normals = np.empty((BLOCK, states.shape[2]))
    steps = BLOCK // 2 if double_step else BLOCK
    for i in range(sums.shape[0]):
        X, P = states[i + 1, 0], states[i + 1, 1]
        X[:] = states[i, 0]
        P[:] = states[i, 1]
        low, high = reached[i, 0], reached[i, 1]
        start = (chunk + i) * SAMPLES_PER_CHUNK
        for block in range(start, start + SAMPLES_PER_CHUNK):
            fill_normals(normals, block, first, seed)
            if double_step:
                join_normals(normals)
            _step(X, P, normals[0], motion[0], motion[1], motion[4], kicks, mesh, low, high)
            for j in range(1, steps):
                # The second half turn of a step and the first of the next, at once.
                _step(X, P, normals[j], motion[2], motion[3], motion[4], kicks, mesh, low, high)
            _turn(X, P, motion[0], motion[1], low, high)
            _measure(X, P, sums[i])
            if series.shape[1] > 0:
                series[i, block - start, 0] = X
                series[i, block - start, 1] = P
            if local.shape[1] > 0:
                _measure_local(X, local, mesh, sums[i, len(OBSERVABLES) :])


@compiled
def _step(X, P, normals, c, s, drift, kicks, mesh, low, high):  # type: ignore[no-untyped-def]
    for lane in range(X.size):
        x = c * X[lane] + s * P[lane]
        p = c * P[lane] - s * X[lane]
        low[lane] = x if x < low[lane] else low[lane]
        high[lane] = x if x > high[lane] else high[lane]
        cell, t = locate_equal(x, mesh[0], mesh[1], mesh[2])
        kick = cubic(kicks, cell, 0, t) * p + cubic(kicks, cell, 1, t)
        variance = cubic(kicks, cell, 2, t)
        spread = math.sqrt(variance) if variance > 0.0 else 0.0
        P[lane] = p + (kick + spread * normals[lane])
        X[lane] = x + drift * p


@compiled
def _turn(X, P, c, s, low, high):  # type: ignore[no-untyped-def]
    for lane in range(X.size):
        x = c * X[lane] + s * P[lane]
        low[lane] = x if x < low[lane] else low[lane]
        high[lane] = x if x > high[lane] else high[lane]
        P[lane] = c * P[lane] - s * X[lane]
        X[lane] = x


@compiled
def _measure(X, P, sums):  # type: ignore[no-untyped-def]
    for lane in range(X.size):
        x, p = X[lane], P[lane]
        sums[0, lane] += x
        sums[1, lane] += p
        sums[2, lane] += x * x
        sums[3, lane] += p * p
        sums[4, lane] += x * p
        sums[5, lane] += (x * x + p * p) * (x * x + p * p)


@compiled
def _measure_local(X, local, mesh, sums):  # type: ignore[no-untyped-def]
    for lane in range(X.size):
        cell, t = locate_equal(X[lane], mesh[0], mesh[1], mesh[2])
        for k in range(local.shape[1]):
            sums[k, lane] += cubic(local, cell, k, t)
