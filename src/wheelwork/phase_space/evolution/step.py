"""One step in time: half a rotation, friction, force and noise at fixed X, half a rotation.

The rotation by ω0 Δt is three shears, each a phase in the Fourier space of one axis. Between
the two halves of the middle one, P does an Ornstein–Uhlenbeck step at fixed X, which is
known exactly: there the shears have stretched the plane to (X, P) → (X/c, cP) with
c = cos(ω0 Δt/2), so its coefficients are taken at cX. Neighbouring shears along X merge.
Every factor is exact for its part and time-symmetric: the error is even in Δt.
"""

import math

import numba
import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.phase_space.evolution.mesh import Mesh
from wheelwork.phase_space.rates import mean_decay
from wheelwork.phase_space.tables import Table
from wheelwork.states.density import ComplexArray


class Step:
    """The map W → W(Δt) on one mesh."""

    def __init__(self, mesh: Mesh, rates: Table, frequency: float, duration: float) -> None:
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
        """Largest |δP| on the mesh: its j-th power over j! bounds what a term does to rounding."""
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
    """W and room for its transforms: the steps are too short to allocate in."""

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


@numba.njit(cache=True, nogil=True, error_model="numpy")
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


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _sum_series(parts, squeeze, phase, total):  # type: ignore[no-untyped-def]
    """phase Σ_j (i squeeze)^j parts_j."""
    orders, n, half = parts.shape
    for i in range(n):
        for j in range(half):
            z = parts[orders - 1, i, j]
            for a in range(orders - 2, -1, -1):
                z = complex(-z.imag * squeeze[i, j], z.real * squeeze[i, j]) + parts[a, i, j]
            total[i, j] = z * phase[i, j]
