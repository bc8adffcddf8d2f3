"""Quadrature over the circles of `orbits`."""

from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.phase_space.stationary.orbits import Orbits

GAUSS_ORDER = 32
ENOUGH = 1e-10  # of the largest rate, to which the radii shall give the mean rates
MOST_NODES = 1 << 20
SAFETY = 5.0  # of the last change, where that falls slowly and the angles are few as well


@dataclass(frozen=True)
class Circles:
    """Radii times angles, with all that depends on the orbits alone.

    R: (radii,), phi: (angles,), symmetric about 0 so that reversal is P → −P.
    X, area: (radii, angles), position and dX dP. envelope: (radii,), w(R²) up to a constant,
    which is exp(peak).
    """

    R: FloatArray
    phi: FloatArray
    X: FloatArray
    area: FloatArray
    envelope: FloatArray
    peak: float
    misses: float


def circles(orbits: Orbits) -> Circles:
    """Choose radii and angles that integrate w, X and X′ to rounding, and the rates closely."""
    peak = float(np.max(orbits.log_density(np.linspace(0.0, orbits.radius, 500))))
    phi = _angles(orbits)
    panels, misses = _resolved(orbits, phi, _panels(orbits, peak), peak)
    R, radial_weight, envelope = _radii(orbits, panels, peak)
    rho = R[:, None] * np.cos(phi)
    area = orbits.stretch(rho)[0] * (R * radial_weight)[:, None] * (2.0 * np.pi / phi.size)
    return Circles(R, phi, orbits.geometry(rho)[0], area, envelope, peak, misses)


def _panels(orbits: Orbits, peak: float) -> int:
    """Panels of R, refined until the integrals of w R and w R⁵ stand still."""
    previous = np.zeros(2)
    panels = 2
    while panels <= 600:
        R, weight, envelope = _radii(orbits, panels, peak)
        totals = np.array([np.sum(weight * envelope * R), np.sum(weight * envelope * R**5)])
        if np.all(np.abs(totals - previous) <= 1e-13 * totals):
            return panels
        previous = totals
        panels = (panels * 3 + 1) // 2
    raise NotConverged("the radial quadrature of the steady state did not converge")


def _resolved(orbits: Orbits, phi: FloatArray, panels: int, peak: float) -> tuple[int, float]:
    """More panels, where the rates vary faster than w, and what they still miss."""
    cosine = np.cos(phi[phi > 0.0])  # X is even in φ
    means, _ = _mean_rates(orbits, cosine, 2 * panels // 3, peak)
    while True:
        better, size = _mean_rates(orbits, cosine, panels, peak)
        # One of them may stand still by chance: all share the largest change.
        change = float(np.max(np.abs(better - means) / np.maximum(size, 1e-300)))
        if change <= ENOUGH:
            return panels, change
        more = (panels * 3 + 1) // 2
        if GAUSS_ORDER * more * phi.size > MOST_NODES:
            return panels, SAFETY * change
        panels, means = more, better


def _mean_rates(
    orbits: Orbits, cosine: FloatArray, panels: int, peak: float
) -> tuple[FloatArray, FloatArray]:
    """Means over w of all rates of the table, and their largest values."""
    R, weight, envelope = _radii(orbits, panels, peak)
    rho = R[:, None] * cosine
    area = orbits.stretch(rho)[0] * (weight * envelope * R)[:, None]
    rates = orbits.potential.rates(orbits.geometry(rho)[0])
    means = np.tensordot(rates, area / np.sum(area), axes=2)
    return np.asarray(means), np.max(np.abs(rates), axis=(1, 2))


def _radii(orbits: Orbits, panels: int, peak: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Gauss nodes in R, their weights, and w there."""
    R, weight = _gauss(orbits.radius, panels)
    return R, weight, np.exp(orbits.log_density(R)[0] - peak)


def _angles(orbits: Orbits) -> FloatArray:
    """Equispaced angles that resolve X, X′γ and X′d on the largest circle."""
    points = 64
    while True:
        phi = 2.0 * np.pi * (np.arange(points) + 0.5) / points - np.pi
        spectrum = np.abs(np.fft.rfft(orbits.geometry(orbits.radius * np.cos(phi)), axis=1))
        tail = np.max(spectrum[:, -points // 16 :], axis=1)
        if points >= 4096 or np.all(tail <= 1e-11 * np.max(spectrum, axis=1)):
            return phi
        points *= 2


def _gauss(high: float, panels: int) -> tuple[FloatArray, FloatArray]:
    x, w = np.polynomial.legendre.leggauss(GAUSS_ORDER)
    width = high / panels
    R = (width * (np.arange(panels)[:, None] + 0.5 * (x + 1.0))).ravel()
    return R, np.tile(0.5 * width * w, panels)
