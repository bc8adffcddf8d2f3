"""Steps in time: half a rotation, friction, force and noise at fixed X, half a rotation.

The rotation by ω0 Δt is three shears, each a phase in the Fourier space of one axis. Between
the two halves of the middle one, P does an Ornstein–Uhlenbeck step at fixed X, which is
known exactly: there the shears have stretched the plane to (X, P) → (X/c, cP) with
c = cos(ω0 Δt/2), so its coefficients are taken at cX. Neighbouring shears along X merge.
Every factor is exact for its part and time-symmetric, so the error is even in Δt, and steps of
three sizes extrapolate to sixth order. Derived in docs/developers/phase-space.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged
from wheelwork.numerics.compiling import compiled
from wheelwork.numerics.work import tick
from wheelwork.phase_space.chebyshev import ChebyshevTable
from wheelwork.phase_space.evolution.mesh import Field, Mesh
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel, mean_decay, tabulated_rates
from wheelwork.states.density import ComplexArray

AHEAD = 1.4  # factor by which tables reach further than requested, as states grow step by step
# Steps taken at once, times the requested count. Close together, as the coarsest must still resolve
# how force and noise vary over a period.
LEVELS = (4, 5, 6)
# Of the series in the friction; where it needs more, steps must be shorter.
FEWEST_TERMS, MOST_TERMS = 3, 24
STABLE = 0.1  # largest factor by which the first term left out may magnify what is not resolved


class Flow:
    """The motion under one model, with a table of its rates that grows with the state."""

    def __init__(self, model: PhaseSpaceModel, rtol: float) -> None:
        self.model = model
        self._rtol = rtol
        self._table: ChebyshevTable | None = None

    def rates(self, reach: float) -> ChebyshevTable:
        """Table of (f, γ, d, local observables) over at least |X| ≤ reach.

        Raises InvalidArgument where the diffusion is negative, NotConverged where the model has no
        coefficients, or no table of them reaches the requested accuracy.
        """
        if self._table is None or self._table.high < reach:
            self._table = self._tabulated(reach, AHEAD)
            self._refuse_negative_noise(self._table)
        return self._table

    def _tabulated(self, reach: float, ahead: float) -> ChebyshevTable:
        try:
            return tabulated_rates(self.model, ahead * reach, self._rtol, self._table)
        except NoSteadyState as reason:
            if ahead > 1.0:
                return self._tabulated(reach, 1.0)
            raise NotConverged(
                f"the state reaches |x| = {reach * self.model.length:.4g}, where the model has no "
                f"coefficients: {reason}"
            ) from None

    def _refuse_negative_noise(self, rates: ChebyshevTable) -> None:
        X = np.linspace(rates.low, rates.high, 4001)
        diffusion = rates(X)[2]
        worst = int(np.argmin(diffusion))
        if diffusion[worst] < -1e-9 * np.max(np.abs(diffusion)):
            value = 2.0 * self.model.momentum**2 * diffusion[worst]
            raise InvalidArgument(
                f"`diffusion` must not be negative, but is {value:.3g} "
                f"(x = {X[worst] * self.model.length:.4g})"
            )

    def table_error(self, field: Field, duration: float) -> float:
        """Bound on the size of the change of W that the errors of the table make."""
        mesh, k = field.mesh, field.mesh.wavenumbers
        force, friction, diffusion = self.rates(mesh.half_width).bound(mesh.axis)[:3, :, None]
        slope = np.fft.irfft(1j * k * np.fft.rfft(field.values), mesh.points)
        squeeze = np.fft.irfft(1j * k * np.fft.rfft(field.values * mesh.axis), mesh.points)
        bend = np.fft.irfft(-(k**2) * np.fft.rfft(field.values), mesh.points)
        change = force * np.abs(slope) + friction * np.abs(squeeze) + diffusion * np.abs(bend)
        return duration * field.size(change)


class Step:
    """The map W → W(Δt) on one mesh."""

    def __init__(
        self, mesh: Mesh, rates: ChebyshevTable, frequency: float, duration: float
    ) -> None:
        X, k = mesh.axis, mesh.wavenumbers
        angle = frequency * duration
        stretch = math.cos(0.5 * angle)
        force, friction, diffusion = rates(stretch * X)[:3]
        damped = friction * duration
        shift = stretch * force * duration * mean_decay(damped)
        shift -= 0.5 * math.sin(angle) * X * (1.0 + np.exp(-damped))
        variance = stretch**2 * diffusion * duration * mean_decay(2.0 * damped)
        self._mesh = mesh
        self._phase = np.exp(-1j * shift[:, None] * k - variance[:, None] * k**2)
        self._squeeze = (-np.expm1(-damped))[:, None] * k
        self._half_shear = np.exp(-1j * math.tan(0.5 * angle) * k[:, None] * X)
        self._whole_shear = self._half_shear**2

    def advance(self, values: FloatArray, count: int, order: int) -> FloatArray:
        """`count` steps, with the series in the friction up to `order`."""
        work = _Work(self._mesh, order)
        work.values[:] = values
        self._shear(work, self._half_shear)
        for remaining in range(count - 1, -1, -1):
            tick("steps of an evolution", count - remaining, count)
            self._kick(work)
            self._shear(work, self._whole_shear if remaining else self._half_shear)
        return work.values

    def term(self, values: FloatArray, order: int) -> FloatArray:
        """The change of W by one term of the series in the friction.

        P → P e^(−γΔt) turns k into k e^(−γΔt) in the transform over P, and
        Ŵ(k − δ) = Σ_j (iδ)^j/j! · transform of P^j W, with δ = k (1 − e^(−γΔt)).
        """
        inside = np.where(self._mesh.energy < self._mesh.half_width**2, values, 0.0)
        part = np.fft.rfft(inside * _power(self._mesh, order), axis=1)
        part *= (1j * self._squeeze) ** order
        return np.asarray(np.fft.irfft(part, self._mesh.points, axis=1))

    @property
    def largest_term(self) -> float:
        """Largest |δP| on the mesh: its j-th power over j! bounds how a term magnifies rounding."""
        P = np.sqrt(np.maximum(self._mesh.half_width**2 - self._mesh.axis**2, 0.0))
        return float(np.max(np.abs(self._squeeze[:, -1]) * P))

    def _shear(self, work: "_Work", phase: ComplexArray) -> None:
        np.fft.rfft(work.values, axis=0, out=work.over_X)
        np.multiply(work.over_X, phase, out=work.over_X)
        np.fft.irfft(work.over_X, self._mesh.points, axis=0, out=work.values)

    def _kick(self, work: "_Work") -> None:
        _multiply(work.values, work.powers, self._mesh.chords, work.products)
        np.fft.rfft(work.products, axis=2, out=work.parts)
        _sum_series(work.parts, self._squeeze, self._phase, work.over_P)
        np.fft.irfft(work.over_P, self._mesh.points, axis=1, out=work.values)


class _Work:
    """W and buffers for its transforms: a step is so short that allocation would dominate."""

    def __init__(self, mesh: Mesh, order: int) -> None:
        n, half = mesh.points, mesh.points // 2 + 1
        self.powers = np.stack([_power(mesh, j) for j in range(order + 1)])
        self.values = np.empty((n, n))
        self.products = np.empty((order + 1, n, n))
        self.parts = np.empty((order + 1, n, half), np.complex128)
        self.over_X = np.empty((half, n), np.complex128)
        self.over_P = np.empty((n, half), np.complex128)


def _power(mesh: Mesh, order: int) -> FloatArray:
    """P^order/order!."""
    return np.asarray(mesh.axis**order / math.factorial(order))


@compiled
def _multiply(values, powers, chords, products):  # type: ignore[no-untyped-def]
    """powers × values, from the first power on within the circle that the square holds."""
    orders, n = powers.shape
    products[0] = values
    for a in range(1, orders):
        for i in range(n):
            first = n // 2 - chords[i]
            last = n // 2 + chords[i]
            products[a, i, :first] = 0.0
            for j in range(first, last):
                products[a, i, j] = values[i, j] * powers[a, j]
            products[a, i, last:] = 0.0


@compiled
def _sum_series(parts, squeeze, phase, total):  # type: ignore[no-untyped-def]
    """phase Σ_j (i squeeze)^j parts_j."""
    orders, n, half = parts.shape
    for i in range(n):
        for j in range(half):
            z = parts[orders - 1, i, j]
            for a in range(orders - 2, -1, -1):
                z = complex(-z.imag * squeeze[i, j], z.real * squeeze[i, j]) + parts[a, i, j]
            total[i, j] = z * phase[i, j]


@dataclass(frozen=True, eq=False)
class Stretch:
    """W after a stretch of time, of sixth order in Δt, and its distance from that of fourth.

    work: values of W times steps times terms of the series in the friction.
    """

    field: Field
    correction: float
    work: float


def advance(
    field: Field, flow: Flow, duration: float, count: int, allowed: float
) -> Stretch | None:
    """Advance in 4, 5 and 6 times `count` steps, and extrapolate from Δt², Δt⁴ to zero.

    allowed: size of the remainder of the series in the friction. None when the steps are too long
    for that series.
    """
    rates, frequency = flow.rates(field.mesh.half_width), flow.model.frequency
    counts = [level * count for level in LEVELS]
    steps = [Step(field.mesh, rates, frequency, duration / each) for each in counts]
    order = _order(steps[0], field, allowed / counts[0])
    if order is None:
        return None
    ends = [step.advance(field.values, n, order) for step, n in zip(steps, counts, strict=True)]
    sixth = Field(field.mesh, combined(ends, LEVELS))
    correction = sixth.size(sixth.values - combined(ends[1:], LEVELS[1:]))
    return Stretch(sixth, correction, float(sum(counts)) * field.mesh.points**2 * (order + 1))


def combined(ends: Sequence[FloatArray], levels: Sequence[int]) -> FloatArray:
    """Σ_i c_i end_i, in which n ends cancel the terms in Δt², …, Δt^(2n−2)."""
    total = np.zeros_like(ends[0])
    for end, level in zip(ends, levels, strict=True):
        others = [other for other in levels if other != level]
        total += end * math.prod(level**2 / (level**2 - other**2) for other in others)
    return total


def _order(step: Step, field: Field, allowed: float) -> int | None:
    """Terms of the series in the friction before the first below `allowed`; None where too many.

    At least as many as keep the series from magnifying what the mesh cannot resolve.
    """
    largest = step.largest_term
    if largest == 0.0:
        return 0
    for order in range(FEWEST_TERMS + 1, MOST_TERMS):
        stable = largest**order < STABLE * math.factorial(order)
        if stable and field.size(step.term(field.values, order)) <= max(allowed, field.rounding):
            return order - 1
    return None
