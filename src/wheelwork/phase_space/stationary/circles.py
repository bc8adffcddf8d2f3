"""Quadrature over the circles of `orbits`."""

from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.phase_space.stationary.orbits import Orbits

GAUSS_ORDER = 32


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


def circles(orbits: Orbits) -> Circles:
    """Choose radii and angles that integrate w, X and X′ to rounding."""
    peak = float(np.max(orbits.log_density(np.linspace(0.0, orbits.radius, 500))))
    R, radial_weight, envelope = _radii(orbits, peak)
    phi = _angles(orbits)
    rho = R[:, None] * np.cos(phi)
    area = orbits.stretch(rho)[0] * (R * radial_weight)[:, None] * (2.0 * np.pi / phi.size)
    return Circles(R, phi, orbits.geometry(rho)[0], area, envelope, peak)


def _radii(orbits: Orbits, peak: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Gauss nodes in R, refined until the integrals of w R and w R⁵ stand still."""
    previous = np.zeros(2)
    panels = 2
    while panels <= 600:
        R, weight = _gauss(orbits.radius, panels)
        envelope = np.exp(orbits.log_density(R)[0] - peak)
        totals = np.array([np.sum(weight * envelope * R), np.sum(weight * envelope * R**5)])
        if np.all(np.abs(totals - previous) <= 1e-13 * totals):
            return R, weight, envelope
        previous = totals
        panels = (panels * 3 + 1) // 2
    raise NotConverged("the radial quadrature of the steady state did not converge")


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
