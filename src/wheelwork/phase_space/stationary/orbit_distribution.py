"""The distribution on the circles of `orbits`, and the quadrature over them."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import NotConverged
from wheelwork.numerics.work import tick
from wheelwork.phase_space.discretisation import GAUSS_ORDER, gauss_panels
from wheelwork.phase_space.distribution import Nodes, moments
from wheelwork.phase_space.stationary.circle_solver import Modulation
from wheelwork.phase_space.stationary.orbits import Orbits

RATES_RTOL = 1e-10  # of the largest rate, to which the radii are to give the mean rates
TABLE_NOISE = 0.1  # of the error of tables, for the angles
CIRCLES_SEEN = 9  # of equal distance, that tell how many angles they need
ROUGH_ANGLES = 128  # where all that is asked is whether W follows the orbits
MOST_NODES = 1 << 19  # of the quadrature: 4 MiB for each function on it
SAFETY = 5.0  # on the last change, where it falls slowly and the angles may be too few as well


class _HalfCircles(NamedTuple):
    """Circles at angles 0 < φ < π, where all that depends on X is known: it is even in φ.

    R, weight, envelope: (radii,). X, stretch: (radii, angles). rates: (components, radii, angles).
    """

    R: FloatArray
    weight: FloatArray
    envelope: FloatArray
    X: FloatArray
    stretch: FloatArray
    rates: FloatArray

    @property
    def means(self) -> FloatArray:
        """Means over w of all rates of the table."""
        area = self.stretch * (self.weight * self.envelope * self.R)[:, None]
        return np.asarray(np.tensordot(self.rates, area / np.sum(area), axes=2))

    def distance(self, means: FloatArray) -> float:
        """Largest difference from other `means`, relative to the largest values of the rates."""
        size = np.max(np.abs(self.rates), axis=(1, 2))
        # One of them may agree by chance: all share the largest change.
        return float(np.max(np.abs(self.means - means) / np.maximum(size, np.finfo(float).tiny)))


class Circles:
    """Radii times angles, with all that depends on the orbits alone.

    They integrate w, X and X′ to rounding, and the rates closely.
    R: (radii,), phi: (angles,), symmetric about 0 so that reversal is P → −P.
    X, area: (radii, angles), position and dX dP. rates: (components, radii, angles), see
    `PhaseSpaceModel.scaled`. envelope: (radii,), w(R²) up to the constant exp(peak).
    quadrature_error: see `Stationary`. closely: whether the rates matter.
    """

    def __init__(self, orbits: Orbits, *, closely: bool = True) -> None:
        self.peak = float(np.max(orbits.log_density(np.linspace(0.0, orbits.radius, 500))))
        if closely:
            # Tables are smooth to their errors only: more angles would resolve their joints.
            angular = max(1e-12, TABLE_NOISE * float(np.max(orbits.geometry.error)))
            self.phi = orbit_angles(orbits, 16, angular, self.peak) - np.pi
            panels = _panels(orbits, self.peak)
            while GAUSS_ORDER * panels * self.phi.size > MOST_NODES:
                self.phi = _angles(self.phi.size // 2) - np.pi
            half, self.quadrature_error = _resolved(orbits, self.phi, panels, self.peak)
        else:
            self.phi, self.quadrature_error = _angles(ROUGH_ANGLES) - np.pi, math.inf
            half = _half_circles(orbits, self.phi, 4, self.peak)
        self.R, self.envelope = half.R, half.envelope
        area = _mirrored(half.stretch) * (self.R * half.weight)[:, None]
        self.area, self.X = area * (2.0 * np.pi / self.phi.size), _mirrored(half.X)
        self.rates = _mirrored(half.rates)


def _mirrored(values: FloatArray) -> FloatArray:
    """Values at −π < φ < π of what is even in φ."""
    return np.concatenate([values[..., ::-1], values], axis=-1)


def _panels(orbits: Orbits, peak: float) -> int:
    """Panels of R, refined until the integrals of w R and w R⁵ no longer change."""
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


def _resolved(
    orbits: Orbits, phi: FloatArray, panels: int, peak: float
) -> tuple[_HalfCircles, float]:
    """Circles enough for rates that vary faster than w, and the error left in their means."""
    means = _half_circles(orbits, phi, 2 * panels // 3, peak).means
    while True:
        tick("means over the orbits", GAUSS_ORDER * panels * phi.size, MOST_NODES)
        better = _half_circles(orbits, phi, panels, peak)
        change = better.distance(means)
        if change <= RATES_RTOL:
            return better, change
        more = (panels * 3 + 1) // 2
        if GAUSS_ORDER * more * phi.size > MOST_NODES:
            fewer = _half_circles(orbits, _angles(phi.size // 2) - np.pi, panels, peak)
            return better, SAFETY * max(change, better.distance(fewer.means))
        panels, means = more, better.means


def _half_circles(orbits: Orbits, phi: FloatArray, panels: int, peak: float) -> _HalfCircles:
    R, weight, envelope = _radii(orbits, panels, peak)
    rho = R[:, None] * np.cos(phi[phi > 0.0])
    X = orbits.geometry(rho)[0]
    rates = orbits.potential.rates(X)
    return _HalfCircles(R, weight, envelope, X, orbits.stretch(rho)[0], rates)


def _radii(orbits: Orbits, panels: int, peak: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Gauss nodes in R, their weights, and w there."""
    R, weight = gauss_panels(0.0, orbits.radius, panels)
    return R, weight, np.exp(orbits.log_density(R)[0] - peak)


def _angles(points: int) -> FloatArray:
    return np.asarray(2.0 * np.pi * (np.arange(points) + 0.5) / points)


def orbit_angles(orbits: Orbits, tail: int, rtol: float, peak: float | None = None) -> FloatArray:
    """Equispaced angles that resolve X, X′γ and X′d on the largest circle.

    The last 1/tail of the spectrum over the points is to be below `rtol` of its largest. With a
    `peak` of ln w the same on all circles, as far as w is present there.
    """
    R = orbits.radius * np.linspace(0.0, 1.0, CIRCLES_SEEN)[1:]
    share = np.ones(1) if peak is None else np.exp(orbits.log_density(R)[0] - peak)
    R = R[-share.size :]
    points = 64
    while True:
        phi = _angles(points)
        spectrum = np.abs(np.fft.rfft(orbits.geometry(R[:, None] * np.cos(phi)), axis=2))
        last = np.max(share * np.max(spectrum[:, :, -points // tail :], axis=2), axis=1)
        if points >= 4096 or np.all(last <= rtol * np.max(spectrum, axis=(1, 2))):
            return phi
        points *= 2


@dataclass(frozen=True, repr=False)
class OrbitDistribution(Computed):
    """W = w(R²) u(R, φ) on the circles of `Orbits`."""

    orbits: Orbits
    circles: Circles
    modulation: Modulation

    def __repr__(self) -> str:
        radii, angles = self.circles.X.shape
        return f"OrbitDistribution(<{radii} radii x {angles} angles, extent {self.extent:.4g}>)"

    @property
    def edge_probability(self) -> float:
        edge = self.orbits.radius
        # Beyond the edge w falls at least as fast as exp(s E) with the slope s at the edge.
        slope = float(self.orbits.slope(np.array([edge]))[0, 0])
        return float(
            np.pi * self._envelope(np.array([edge]))[0] / max(-slope, np.finfo(float).tiny)
        )

    @cached_property
    def extent(self) -> float:
        edge = self.orbits.radius
        phi = np.linspace(0.0, np.pi, 721)
        X = self.orbits.geometry(edge * np.cos(phi))[0]
        return float(np.max(np.hypot(X, edge * np.sin(phi))))

    @cached_property
    def nodes(self) -> Nodes:
        mesh = self.circles
        weight = self._raw * mesh.area
        P = mesh.R[:, None] * np.sin(mesh.phi)
        return Nodes(mesh.X, P, weight / self._norm, self._raw / self._norm, mesh.rates)

    def density(self, X: FloatArray, P: FloatArray) -> FloatArray:
        rho, P = np.broadcast_arrays(self.orbits.rho(np.asarray(X, dtype=float)), P)
        R = np.hypot(rho, P)
        inside = np.minimum(R, self.orbits.radius)
        safe = np.where(R > 0.0, R, 1.0)
        u = self.modulation(inside, np.where(R > 0.0, rho / safe, 1.0), P / safe)
        return np.where(self.orbits.radius < R, 0.0, self._envelope(inside) * u)

    def distances(self, other: "OrbitDistribution") -> tuple[float, float]:
        """∫ |δW| (1 + H/⟨H⟩) dX dP between two solutions on the same orbits, in two measures.

        First with the part of δW odd in P squared: entropy and ergotropy are even in it, and it
        is by far the larger part (of first order in γ/ω0). Then with all of δW.
        """
        mesh = self.circles
        harmonics = max(self.modulation.harmonics, other.modulation.harmonics)
        change = np.zeros((mesh.R.size, 2, harmonics + 1))  # even and odd in P
        for one, sign in ((self, 1.0), (other, -1.0)):
            values, own = one.modulation.at(mesh.R) / one._norm, one.modulation.harmonics
            change[:, 0, : own + 1] += sign * values[:, : own + 1]
            change[:, 1, :own] += sign * values[:, own + 1 :]
        size = mesh.envelope * np.sum(mesh.area, axis=1)
        energy = np.sum(size / self._norm * mesh.R**2)
        size = size * (1.0 + mesh.R**2 / energy)
        even = np.sqrt(np.sum(change[:, 0] ** 2, axis=1))
        odd = np.sqrt(np.sum(change[:, 1, :harmonics] ** 2, axis=1))
        first, second = float(np.sum(size * even)), float(np.sum(size * odd))
        return first + second**2, first + second

    @cached_property
    def moments(self) -> dict[str, float]:
        """See `phase_space.moments`."""
        return moments(self)

    @cached_property
    def _raw(self) -> FloatArray:
        mesh = self.circles
        return np.asarray(mesh.envelope[:, None] * self.modulation.on_circles(mesh.R, mesh.phi))

    @cached_property
    def _norm(self) -> float:
        return float(np.sum(self._raw * self.circles.area))

    def _envelope(self, R: FloatArray) -> FloatArray:
        """The normalised factor w(R²)."""
        return np.asarray(np.exp(self.orbits.log_density(R)[0] - self.circles.peak) / self._norm)
