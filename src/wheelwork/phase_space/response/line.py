"""Position and width of the line that a decaying correlation makes in its spectrum."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from wheelwork.errors import NotConverged
from wheelwork.phase_space.response.decay import Decay

CANDIDATES = 24  # strongest modes, about which a maximum is looked for
OFFSETS = np.linspace(-1.5, 1.5, 13)  # in half widths of a mode
WIDENINGS = 60
ROUNDING = 1e-10


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
    """Find the highest maximum of the spectrum of `decay`.

    Raises NotConverged when the spectrum is nowhere positive.
    """
    weight = np.abs(decay.amplitudes / decay.eigenvalues.real)
    strongest = np.argsort(-weight)[:CANDIDATES]
    modes = decay.eigenvalues[strongest]
    looked = np.unique((modes.imag[:, None] + OFFSETS * np.abs(modes.real)[:, None]).ravel())
    best = int(np.argmax(decay.spectrum(looked)))
    spread = float(np.abs(modes.real).min())
    low, high = (
        _rising(decay, looked[best], spread, -1.0),
        _rising(decay, looked[best], spread, 1.0),
    )
    frequency = brentq(decay.spectrum_slope, low, high, xtol=1e-14 * spread, rtol=1e-15)
    height = float(decay.spectrum(np.array(frequency)))
    if not height > ROUNDING * decay.size / spread:
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
        frequency = start + side * offset
        if side * decay.spectrum_slope(frequency) < 0.0:
            return float(frequency)
        offset *= 1.5
    raise NotConverged(f"no maximum of the spectrum was found about the frequency {start:g}")


def _half(decay: Decay, peak: float, height: float, step: float, side: float) -> float:
    def excess(frequency: float) -> float:
        return float(decay.spectrum(np.array(frequency))) - 0.5 * height

    offset = 0.05 * step
    inner = peak
    for _ in range(WIDENINGS):
        outer = peak + side * offset
        if excess(outer) < 0.0:
            return float(brentq(excess, inner, outer, xtol=1e-14 * step, rtol=1e-15))
        inner, offset = outer, 1.5 * offset
    raise NotConverged(f"the line at the frequency {peak:g} has no half width")
