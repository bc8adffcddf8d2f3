"""The distribution found on orbits."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.phase_space.distribution import Nodes
from wheelwork.phase_space.stationary.circle_solver import Modulation
from wheelwork.phase_space.stationary.circles import Circles
from wheelwork.phase_space.stationary.orbits import Orbits


@dataclass(frozen=True)
class OrbitDistribution:
    """W = w(R²) u(R, φ) on the circles of `Orbits`."""

    orbits: Orbits
    circles: Circles
    modulation: Modulation

    def with_modulation(self, modulation: Modulation) -> "OrbitDistribution":
        """Return the distribution with another u."""
        return OrbitDistribution(self.orbits, self.circles, modulation)

    @property
    def edge_probability(self) -> float:
        edge = self.orbits.radius
        # Beyond the edge w falls at least as fast as exp(s E) with the slope s found there.
        slope = float(self.orbits.slope(np.array([edge]))[0, 0])
        return float(np.pi * self._envelope(np.array([edge]))[0] / max(-slope, 1e-300))

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
        return Nodes(mesh.X, P, weight / self._norm, self._raw / self._norm)

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
        change = _resized(self.modulation.at(mesh.R) / self._norm, harmonics)
        change -= _resized(other.modulation.at(mesh.R) / other._norm, harmonics)
        size = mesh.envelope * np.sum(mesh.area, axis=1)
        energy = np.sum(size / self._norm * mesh.R**2)
        size = size * (1.0 + mesh.R**2 / energy)
        even = np.sqrt(np.sum(change[:, : harmonics + 1] ** 2, axis=1))
        odd = np.sqrt(np.sum(change[:, harmonics + 1 :] ** 2, axis=1))
        first, second = float(np.sum(size * even)), float(np.sum(size * odd))
        return first + second**2, first + second

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


def _resized(coefficients: FloatArray, harmonics: int) -> FloatArray:
    """Fourier coefficients (radii, 2K + 1) brought to 2·harmonics + 1 columns."""
    own = coefficients.shape[1] // 2
    resized = np.zeros((len(coefficients), 2 * harmonics + 1))
    resized[:, : own + 1] = coefficients[:, : own + 1]
    resized[:, harmonics + 1 : harmonics + 1 + own] = coefficients[:, own + 1 :]
    return resized
