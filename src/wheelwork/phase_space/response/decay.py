"""A correlation as a sum of damped exponentials, and the line that it makes in its spectrum."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.linalg import expm, schur, solve_continuous_lyapunov, solve_triangular
from scipy.optimize import brentq

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import NotConverged

ComplexArray = npt.NDArray[np.complex128]
LARGEST_CANCELLATION = 1e5  # between modes; beyond it their sum loses eleventh digits
BATCH = 2**20  # complex numbers in a temporary array, 16 MiB
CANDIDATES = 24  # strongest modes, about which a maximum is searched
OFFSETS = np.linspace(-1.5, 1.5, 13)  # of the search from each mode, in its half widths
WIDENINGS = 60  # by a factor of 1.5 from a twentieth of a width: to 1e9 widths
LINE_ROUNDING = 1e-10  # of the largest spectrum possible; a maximum below is no line


@dataclass(frozen=True, repr=False, eq=False)
class Decay(Computed):
    """C(τ) = constant + Σ amplitude e^{λτ} = constant + reading · e^{Gτ} start for τ ≥ 0.

    eigenvalues, amplitudes: (modes,). Where eigenvectors of G nearly coincide, as at critical
    damping, the modes cancel each other's digits; then G itself is used.
    left_out: Σ|amplitude| of the modes that are left out.
    """

    eigenvalues: ComplexArray
    amplitudes: ComplexArray
    constant: complex
    generator: FloatArray
    start: ComplexArray
    reading: ComplexArray
    left_out: float = 0.0

    @cached_property
    def size(self) -> float:
        """Bound on the fluctuating part, up to a factor of order one."""
        return float(np.linalg.norm(self.start) * np.linalg.norm(self.reading))

    @cached_property
    def initial(self) -> complex:
        """The fluctuating part at τ = 0."""
        return complex(self.reading @ self.start)

    @property
    def lost(self) -> float:
        """Bound on the contribution of modes that are left out, at any delay."""
        return self.left_out if self.separable or self.left_out == 0.0 else math.inf

    @property
    def separable(self) -> bool:
        """Whether the sum over modes keeps its digits."""
        return bool(np.sum(np.abs(self.amplitudes)) <= LARGEST_CANCELLATION * self.size)

    def fluctuation(self, delays: FloatArray) -> ComplexArray:
        """C(τ) − constant at delays of any shape."""
        flat = np.ravel(delays)
        if not self.separable:
            return self._propagated(flat).reshape(np.shape(delays))
        values = np.empty(flat.size, complex)
        step = max(1, BATCH // self.eigenvalues.size)
        for i in range(0, flat.size, step):
            phases = np.exp(np.multiply.outer(flat[i : i + step], self.eigenvalues))
            values[i : i + step] = phases @ self.amplitudes
        return values.reshape(np.shape(delays))

    def spectrum(self, frequencies: FloatArray) -> FloatArray:
        """∫ e^{−iωτ} [C(τ) − constant] dτ over all τ, with C(−τ) = C(τ)*."""
        flat = np.ravel(frequencies)
        return np.asarray(2.0 * self._resolved(flat, 1).real.reshape(np.shape(frequencies)))

    def spectrum_slope(self, frequency: float) -> float:
        """The derivative of `spectrum` with respect to ω."""
        return float(2.0 * (-1j * self._resolved(np.array([frequency]), 2)[0]).real)

    @cached_property
    def power(self) -> float:
        """∫ |C(τ) − constant|² dτ over all τ."""
        if self.separable:
            a, rate = self.amplitudes, self.eigenvalues
            pairs = rate[:, None] + rate.conj()
            return float(-2.0 * np.sum(a[:, None] * a.conj() / pairs).real)
        G = self.generator.astype(complex)
        spread = solve_continuous_lyapunov(G, -np.outer(self.start, self.start.conj()))
        return float(2.0 * (self.reading @ spread @ self.reading.conj()).real)

    def _propagated(self, delays: FloatArray) -> ComplexArray:
        """Step from delay to delay; equal steps share their exponential."""
        times, inverse = np.unique(delays, return_inverse=True)
        state, now, last, step = self.start, 0.0, None, np.eye(self.start.size)
        values = np.empty(times.size, complex)
        for i, time in enumerate(times):
            if last is None or abs(time - now - last) > 1e-13 * time:
                last = time - now
                step = expm(self.generator * last)
            state, now = step @ state, time
            values[i] = self.reading @ state
        return values[inverse]

    def _resolved(self, frequencies: FloatArray, power: int) -> ComplexArray:
        """reading · (iω − G)^−power start."""
        if self.separable:
            poles = 1j * frequencies[:, None] - self.eigenvalues
            return np.asarray(poles**-power @ self.amplitudes)
        T, Z = self._schur
        start, reading = Z.conj().T @ self.start, Z.T @ self.reading
        values = np.empty(frequencies.size, complex)
        for i, frequency in enumerate(frequencies):
            shifted = 1j * frequency * np.eye(len(T)) - T
            state = start
            for _ in range(power):
                state = solve_triangular(shifted, state, check_finite=False)
            values[i] = reading @ state
        return values

    @cached_property
    def _schur(self) -> tuple[ComplexArray, ComplexArray]:
        T, Z = schur(self.generator, output="complex", check_finite=False)
        return T, Z


@dataclass(frozen=True)
class Line:
    """The highest maximum of a spectrum S(ω).

    frequency: of the maximum. height: S there. width: between the nearest frequencies on both
    sides at which S is half of that (full width at half maximum). coherence_time: ∫ |g(τ)|² dτ over
    all τ of the correlation over its value at τ = 0 (L. Mandel and E. Wolf, Optical Coherence and
    Quantum Optics, Sec. 4.3.3), without the part that does not decay; 1/κ for g = e^{−κ|τ|}.
    """

    frequency: float
    width: float
    height: float
    coherence_time: float


def find_line(decay: Decay) -> Line:
    """The line of `decay`; raises NotConverged when the spectrum is nowhere positive."""
    weight = np.abs(decay.amplitudes / decay.eigenvalues.real)
    strongest = np.argsort(-weight)[:CANDIDATES]
    modes = decay.eigenvalues[strongest]
    searched = np.unique((modes.imag[:, None] + OFFSETS * np.abs(modes.real)[:, None]).ravel())
    best = int(np.argmax(decay.spectrum(searched)))
    spread = float(np.abs(modes.real).min())
    low, high = (_rising(decay, searched[best], spread, side) for side in (-1.0, 1.0))
    frequency = brentq(decay.spectrum_slope, low, high, xtol=1e-14 * spread, rtol=1e-15)
    height = float(decay.spectrum(np.array(frequency)))
    if not height > LINE_ROUNDING * decay.size / spread:
        raise NotConverged(
            f"there is no line: the spectrum is nowhere positive, {height:.3g} at its maximum"
        )
    below, above = (_half(decay, frequency, height, spread, side) for side in (-1.0, 1.0))
    coherence = decay.power / abs(decay.initial) ** 2
    return Line(float(frequency), above - below, height, float(coherence))


def _rising(decay: Decay, start: float, step: float, side: float) -> float:
    """The nearest frequency on one side from which the spectrum rises towards `start`."""
    offset = 0.05 * step
    for _ in range(WIDENINGS):
        if side * decay.spectrum_slope(start + side * offset) < 0.0:
            return float(start + side * offset)
        offset *= 1.5
    raise NotConverged(f"the spectrum has no maximum about the frequency {start:g}")


def _half(decay: Decay, peak: float, height: float, step: float, side: float) -> float:
    def excess(frequency: float) -> float:
        return float(decay.spectrum(np.array(frequency))) - 0.5 * height

    offset, inner = 0.05 * step, peak
    for _ in range(WIDENINGS):
        outer = peak + side * offset
        if excess(outer) < 0.0:
            return float(brentq(excess, inner, outer, xtol=1e-14 * step, rtol=1e-15))
        inner, offset = outer, 1.5 * offset
    raise NotConverged(f"the line at the frequency {peak:g} has no half width")
