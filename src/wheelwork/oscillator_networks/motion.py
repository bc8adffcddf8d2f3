"""Amplitudes in time, and means over motion that is not stationary."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.integrate import solve_ivp

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import NotConverged
from wheelwork.numerics.work import tick
from wheelwork.oscillator_networks.model import AmplitudeModel, ComplexArray
from wheelwork.oscillator_networks.newton import largest_rate
from wheelwork.parameters import ShortRepr

ACCURACY = 1e-9  # relative, of the integration: that of steady states by default
SAMPLES = 4096  # over the time that is averaged; a power of two for the Fourier transform
# Range of the occupations, against the largest, below which a state is steady: within reach of
# Newton's method, and above what a transient of 12 relaxation times leaves.
STEADY = 1e-3
# Ratio of the spreads in both halves of the path below which it still relaxes: a stationary motion
# has about 1.
RELAXING = 0.6
# Distance of a return, against the spread, that makes a motion periodic: between samples a return
# is missed by a few steps, while two incommensurate modes seldom return as closely.
RECURRENT = 0.02
LONGEST_STEP = 10.0  # of the integration, against the fastest rate: sees what grows from little
ESCAPED, ESCAPES = 1e15, 64  # amplitude in natural units that is too large; evaluations per check
SMALLEST = 1e-3  # scale of perturbations of an amplitude that is zero, in natural units
MOST_EVALUATIONS = 400_000  # of the velocity of three trajectories: some eight seconds


@dataclass(frozen=True, eq=False, repr=False)
class TimeAverage(ShortRepr, Computed):
    """A motion that is not stationary, sampled at equal times over which means are taken.

    path: (N, M), amplitudes. step: between samples. period: of the occupations if the motion is a
    limit cycle (the path is then a whole number of them, to a step); NaN if it has several modes.
    """

    path: ComplexArray
    step: float
    period: float

    def in_units(self, rate: float, size: float, frequency: float) -> "TimeAverage":
        """Return it with rates times `rate`, amplitudes times `size`, in a frame that turns."""
        turn = np.exp(-1j * frequency / rate * self.step * np.arange(self.path.shape[1]))
        return TimeAverage(size * self.path * turn, self.step / rate, self.period / rate)

    @property
    def duration(self) -> float:
        """Time covered."""
        return float(self.step * (self.path.shape[1] - 1))

    @cached_property
    def occupations(self) -> FloatArray:
        """|α_j|² at each time, (N, M)."""
        squares: FloatArray = np.abs(self.path) ** 2
        return squares

    @cached_property
    def coherence(self) -> ComplexArray:
        """⟨α_j* α_k⟩, (N, N)."""
        return _coherence(self.path)

    @cached_property
    def coherence_error(self) -> FloatArray:
        """Absolute errors of its real and imaginary parts, from the means over either half."""
        half = self.path.shape[1] // 2
        difference = _coherence(self.path[:, :half]) - _coherence(self.path[:, -half:])
        error = 0.5 * np.maximum(np.abs(difference.real), np.abs(difference.imag))
        floor: FloatArray = np.maximum(error, ACCURACY * np.max(np.abs(self.coherence)))
        return floor

    @property
    def occupation(self) -> FloatArray:
        """⟨|α_j|²⟩, (N,)."""
        mean: FloatArray = np.mean(self.occupations, axis=1)
        return mean

    @property
    def last(self) -> ComplexArray:
        """Amplitudes at the end, (N,)."""
        end: ComplexArray = self.path[:, -1]
        return end

    @property
    def periodic(self) -> bool:
        """Whether the motion is a limit cycle."""
        return math.isfinite(self.period)

    @property
    def relaxing(self) -> bool:
        """Whether the spread of the occupations is smaller in the second half of the path."""
        half = self.occupations.shape[1] // 2
        first, second = self.occupations[:, :half], self.occupations[:, -half:]
        spread = (float(np.max(np.std(part, axis=1))) for part in (first, second))
        before, after = spread
        return after < RELAXING * before

    @property
    def steady(self) -> bool:
        """Whether the occupations are constant, so that a steady state is near."""
        spread = np.max(np.ptp(self.occupations, axis=1))
        return bool(spread <= STEADY * np.max(self.occupations))


@dataclass
class Evaluations:
    """How many more evaluations of velocities a search for motion may take."""

    left: int = MOST_EVALUATIONS

    def take(self, t: float, duration: float, packed: FloatArray) -> None:
        """Count one, at time t of `duration` and real and imaginary parts `packed`."""
        tick("motion of amplitudes", t, duration)
        self.left -= 1
        if self.left % ESCAPES == 0 and not np.max(np.abs(packed)) < ESCAPED:
            raise NotConverged(
                f"the amplitudes grow beyond {ESCAPED**2:g} saturation numbers: give the "
                "generators a larger exponent, or the nodes more damping"
            )
        if self.left < 0:
            raise NotConverged(
                "the motion of the amplitudes takes more evaluations than its budget: ask for none "
                "(trajectories=0), a shorter `duration`, or for trajectories=3, which has thrice "
                f"the budget of {MOST_EVALUATIONS}"
            )


def follow_motion(
    model: AmplitudeModel, amplitudes: ComplexArray, transient: float, duration: float
) -> TimeAverage:
    """Integrate from `amplitudes`, (N,), leave out `transient` and sample `duration`.

    Raises NotConverged where the integration fails.
    """
    return follow_motions(model, amplitudes[None], transient, duration, Evaluations())[0]


def follow_motions(
    model: AmplitudeModel,
    amplitudes: ComplexArray,
    transient: float,
    duration: float,
    budget: Evaluations,
) -> list[TimeAverage]:
    """Integrate from each of `amplitudes`, (B, N), with steps that all of them share."""
    start = _integrate(model, amplitudes, transient, None, budget)[..., -1]
    times = np.linspace(0.0, duration, SAMPLES)
    motions = []
    for path in _integrate(model, start, duration, times, budget):
        period, steps = _period(np.abs(path) ** 2, float(times[1]))
        used = path[:, : (path.shape[1] // steps) * steps] if steps else path
        motions.append(TimeAverage(used, float(times[1]), period))
    return motions


def perturbed(
    amplitudes: ComplexArray, number: int, random: np.random.Generator, size: float = 0.05
) -> ComplexArray:
    """Return `number` states near `amplitudes`, (N,), perturbed at all sites: (number, N)."""
    shape = number, amplitudes.size
    normal = random.standard_normal(shape) + 1j * random.standard_normal(shape)
    scale = max(float(np.max(np.abs(amplitudes))), SMALLEST)
    return amplitudes + size * scale * normal


def _coherence(path: ComplexArray) -> ComplexArray:
    mean: ComplexArray = path.conj() @ path.T / path.shape[1]
    return mean


def _integrate(
    model: AmplitudeModel,
    start: ComplexArray,
    duration: float,
    times: FloatArray | None,
    budget: Evaluations,
) -> ComplexArray:
    """Amplitudes (B, N, T) from `start`, (B, N), at `times` or at the end."""

    def velocity(t: float, packed: FloatArray) -> FloatArray:
        budget.take(t, duration, packed)
        alpha = packed.view(np.complex128).reshape(start.shape)
        return model.velocity(alpha).view(np.float64).ravel()

    scale = max(float(np.max(np.abs(start))), 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        solved = solve_ivp(
            velocity,
            (0.0, duration),
            np.ascontiguousarray(start).view(np.float64).ravel(),
            method="DOP853",
            t_eval=[duration] if times is None else times,
            rtol=ACCURACY,
            atol=1e-3 * ACCURACY * scale,
            max_step=LONGEST_STEP / largest_rate(model),
        )
    if not solved.success:
        raise NotConverged(f"the amplitudes could not be followed in time: {solved.message}")
    path = np.ascontiguousarray(solved.y.T).view(np.complex128)
    return np.moveaxis(path.reshape(-1, *start.shape), 0, -1)


def _period(occupations: FloatArray, step: float) -> tuple[float, int]:
    """Return the first time after which the occupations recur, NaN if none; and its steps."""
    centred = occupations - occupations.mean(axis=1, keepdims=True)
    spread = float(np.mean(np.sum(centred**2, axis=0)))
    if spread == 0.0:
        return math.nan, 0
    length = centred.shape[1]
    spectrum = np.abs(np.fft.rfft(centred, 2 * length, axis=1)) ** 2
    correlation = np.fft.irfft(spectrum.sum(axis=0))[: length // 2]
    correlation /= np.arange(length, length - correlation.size, -1)
    # ⟨|n(t + τ) − n(t)|²⟩ over twice the spread, for a stationary path
    away = 1.0 - correlation / spread
    peaks = 1 + np.flatnonzero((away[1:-1] <= away[:-2]) & (away[1:-1] < away[2:]))
    peaks = peaks[away[peaks] < RECURRENT]
    if peaks.size == 0:
        return math.nan, 0
    i = int(peaks[0])
    bend = away[i - 1] - 2.0 * away[i] + away[i + 1]
    shift = 0.5 * (away[i - 1] - away[i + 1]) / bend if bend > 0.0 else 0.0
    return (i + float(shift)) * step, i
