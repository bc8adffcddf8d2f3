"""W on a uniform square mesh: what lies beyond its edges, and changes of mesh."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import fft

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed

# Of half width and largest wave number: what lies beyond the rim counts as an error, what lies
# beyond the edge wraps around in a rotation by up to 2 arccos(EDGE), 36 degrees.
RIM, EDGE = 0.92, 0.95
FEWEST_POINTS = 16  # per axis, for the interpolant between meshes

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Mesh(Computed):
    """`points` values of X, and as many of P, from −half_width in equal steps.

    Scaled coordinates. The number is even, the point at +half_width is that at −half_width.
    """

    points: int
    half_width: float

    @classmethod
    def holding(cls, radius: float, wavenumber: float) -> "Mesh":
        """A mesh whose rim lies a little beyond this radius and wave number, and equally so."""
        needed = max(FEWEST_POINTS, 2.0 * radius * wavenumber / (RIM**2 * math.pi))
        points = 2 * fft.next_fast_len(math.ceil(0.5 * needed), real=True)
        return cls(points, radius / RIM * math.sqrt(points / needed))

    @property
    def step(self) -> float:
        return 2.0 * self.half_width / self.points

    @property
    def cell(self) -> float:
        """Area per point."""
        return self.step**2

    @property
    def largest_wavenumber(self) -> float:
        return math.pi / self.step

    @cached_property
    def axis(self) -> FloatArray:
        return np.asarray((np.arange(self.points) - self.points // 2) * self.step)

    @cached_property
    def wavenumbers(self) -> FloatArray:
        """Those of a real transform along one axis, (points/2 + 1,)."""
        return np.asarray(np.arange(self.points // 2 + 1) * (np.pi / self.half_width))

    @cached_property
    def energy(self) -> FloatArray:
        """H = X² + P²."""
        return np.asarray(self.axis[:, None] ** 2 + self.axis**2)

    @cached_property
    def chords(self) -> IntArray:
        """Half the points of each row of P that lie in the circle of radius half_width."""
        square = np.maximum(self.half_width**2 - self.axis**2, 0.0)
        return np.asarray(np.sqrt(square) / self.step, dtype=np.intp)

    @cached_property
    def inside(self) -> npt.NDArray[np.bool_]:
        """Points within the edge."""
        return np.asarray(self.energy < (EDGE * self.half_width) ** 2)

    @cached_property
    def resolved(self) -> npt.NDArray[np.bool_]:
        """Wave numbers within the edge, shaped as a two-dimensional transform."""
        return np.asarray(self._wave_rings < EDGE * self.points / 2).reshape(self.points, -1)

    @cached_property
    def _rings(self) -> IntArray:
        """Radius of every point, in steps."""
        return np.asarray(np.sqrt(self.energy) / self.step, dtype=np.intp).ravel()

    @cached_property
    def _wave_rings(self) -> IntArray:
        """Wave number of every element of a two-dimensional transform, in steps π/half_width."""
        index = np.arange(self.points // 2 + 1)
        signed = np.minimum(np.arange(self.points), self.points - np.arange(self.points))
        return np.asarray(np.hypot(signed[:, None], index), dtype=np.intp).ravel()


@dataclass(frozen=True, repr=False, eq=False)
class Field(Computed):
    """W on a mesh: values[i, j] at X = axis[i], P = axis[j]."""

    mesh: Mesh
    values: FloatArray

    def __repr__(self) -> str:
        return f"Field(<W on {self.mesh.points}² points>)"

    def cleared(self, trace: float) -> "Field":
        """Without what lies beyond the edge, and with the trace given.

        What lies there wraps around differently in steps of each size, so that extrapolation would
        amplify it.
        """
        spectrum = fft.rfft2(self.values * self.mesh.inside)
        spectrum *= self.mesh.resolved
        values = np.asarray(fft.irfft2(spectrum, s=self.values.shape, overwrite_x=True))
        return Field(self.mesh, values * (trace / Field(self.mesh, values).trace))

    @property
    def trace(self) -> float:
        """∫ W dX dP."""
        return float(np.sum(self.values) * self.mesh.cell)

    @cached_property
    def mean_energy(self) -> float:
        """⟨H⟩ = ⟨X² + P²⟩ = ⟨a†a⟩ + ½."""
        return float(np.vdot(self.values, self.mesh.energy) * self.mesh.cell)

    @cached_property
    def mean_energy_squared(self) -> float:
        """⟨H²⟩."""
        return float(np.vdot(self.values, self.mesh.energy**2) * self.mesh.cell)

    @cached_property
    def weight(self) -> FloatArray:
        """(1 + H/⟨H⟩ + H²/⟨H²⟩) dX dP: the measure in which errors of W are counted."""
        energy = self.mesh.energy
        relative = energy / self.mean_energy + energy**2 / self.mean_energy_squared
        return np.asarray((1.0 + relative) * self.mesh.cell)

    def size(self, change: FloatArray) -> float:
        """∫ |change| (1 + H/⟨H⟩ + H²/⟨H²⟩) dX dP."""
        return float(np.vdot(np.abs(change), self.weight))

    @cached_property
    def rounding(self) -> float:
        """Size of a change in the last digit of the largest |W|, at random within the edge."""
        inside = np.sum(self.weight, where=self.mesh.inside)
        return 1e-16 * float(np.max(np.abs(self.values))) * float(inside)

    @cached_property
    def _outside(self) -> FloatArray:
        """Size of W beyond every radius, in steps of the mesh."""
        parts = np.bincount(self.mesh._rings, (np.abs(self.values) * self.weight).ravel())
        return np.asarray(np.cumsum(parts[::-1])[::-1])

    @cached_property
    def _beyond(self) -> FloatArray:
        """Bound on the size of W beyond every wave number, in steps π/half_width.

        By the inequality of Cauchy and Schwarz, wherever in the plane it lies.
        """
        power = np.abs(fft.rfft2(self.values)) ** 2
        power[:, 1:-1] *= 2.0
        parts = np.bincount(self.mesh._wave_rings, power.ravel())
        square = np.cumsum(parts[::-1])[::-1] / self.mesh.points**2
        return np.asarray(np.linalg.norm(self.weight) * np.sqrt(square))

    @property
    def rim(self) -> float:
        """Size of W beyond the rim, where it may wrap around."""
        return self.beyond_rims(self.mesh)[0]

    @property
    def tail(self) -> float:
        """Size of W beyond the rim of wave numbers, where it may be aliased."""
        return self.beyond_rims(self.mesh)[1]

    def beyond_rims(self, mesh: Mesh) -> tuple[float, float]:
        """Size of W beyond the rim of a mesh, and beyond its rim of wave numbers."""
        radius = math.floor(RIM * mesh.half_width / self.mesh.step)
        wavenumber = math.floor(RIM * mesh.largest_wavenumber * self.mesh.half_width / math.pi)
        outside, beyond = self._outside[radius:], self._beyond[wavenumber:]
        return float(outside[0]) if outside.size else 0.0, float(beyond[0]) if beyond.size else 0.0

    def needs(self, allowed: float) -> tuple[float, float]:
        """Radius and wave number beyond which the size of W is at most `allowed`."""
        radius = np.count_nonzero(self._outside > allowed) * self.mesh.step
        wavenumber = np.count_nonzero(self._beyond > allowed) * np.pi / self.mesh.half_width
        return float(radius), float(wavenumber)

    def on(self, mesh: Mesh) -> "Field":
        """The same W on another mesh, see `at`."""
        return self if mesh == self.mesh else Field(mesh, self.at(mesh.axis, mesh.axis))

    def at(self, X: FloatArray, P: FloatArray) -> FloatArray:
        """W on the mesh of the axes X (n,) and P (m,): band-limited, zero outside its own."""
        to_X, to_P = (_interpolation(self.mesh, axis) for axis in (X, P))
        return np.asarray(to_X @ self.values @ to_P.T)


def _interpolation(mesh: Mesh, points: FloatArray) -> FloatArray:
    """Matrix (n, points of the mesh) of the trigonometric interpolant within the mesh."""
    n = mesh.points
    steps = (points[:, None] - mesh.axis) / mesh.step
    steps -= n * np.round(steps / n)
    exact = np.abs(steps) < 1e-12
    steps[exact] = 0.5
    kernel = np.sin(np.pi * steps) / (n * np.tan(np.pi * steps / n))
    kernel[exact] = 1.0
    kernel[np.abs(points) > mesh.half_width] = 0.0
    return np.asarray(kernel)
