"""The stationary Fokker–Planck equation on the circles of `orbits`, solved directly.

W = w(R²) u(R, φ), where w is the orbit-averaged density. Then u = 1 + O(γ/ω0) is smooth and of
order one everywhere, so a coarse mesh gives W to many digits and, at weak friction, positive down
to its far tail.
With c = X′γ + 2 s X′d, d̃ = X′d, P = R sin φ and s = d ln w/dE the equation reads

ω0 ∂_φ u + (∂_P + 2 P s)[d̃ ∂_P u + c P u] = 0,  ∂_P = sin φ ∂_R + (cos φ/R) ∂_φ.

Its angular mean is replaced by its integral over R: no net flux through any circle. Derived in
docs/developers/phase-space.md.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_banded

from wheelwork._checks import FloatArray
from wheelwork.numerics.compiling import compiled
from wheelwork.phase_space.discretisation import Stencils, stencils
from wheelwork.phase_space.stationary.orbits import Orbits

IntArray = npt.NDArray[np.intp]
HALF_WIDTH = 3  # nodes on each side of the stencils: differences of sixth order
# 1/Π_{k≠j} (j − k) for the nodes 0, ..., 6 of an interpolation.
_INVERSE = np.array([1.0, -6.0, 15.0, -20.0, 15.0, -6.0, 1.0]) / 720.0


@dataclass(frozen=True, eq=False, repr=False)
class Modulation:
    """u(R, φ) as Fourier coefficients at uniform radii R_i = (i + ½) h.

    values: (nodes, 2K + 1), in the order 1, cos φ, …, cos Kφ, sin φ, …, sin Kφ.
    """

    values: FloatArray
    spacing: float

    def __call__(self, R: FloatArray, cosine: FloatArray, sine: FloatArray) -> FloatArray:
        """Evaluate at radii R and angles given by their cosine and sine (equal shapes)."""
        flat = [np.ascontiguousarray(a, dtype=float).ravel() for a in (R, cosine, sine)]
        values = _evaluate(self.values, self.spacing, *flat)
        return np.asarray(values.reshape(np.shape(R)))

    @property
    def harmonics(self) -> int:
        """K."""
        return int(self.values.shape[1]) // 2

    def at(self, R: FloatArray) -> FloatArray:
        """Fourier coefficients at radii R (n,): shape (n, 2K + 1)."""
        return np.asarray(_interpolate(self.values, self.spacing, np.ascontiguousarray(R)))

    def on_circles(self, R: FloatArray, phi: FloatArray) -> FloatArray:
        """Values at all radii R and angles phi: shape (R.size, phi.size)."""
        k = np.outer(np.arange(1, self.harmonics + 1), phi)
        basis = np.vstack([np.ones((1, phi.size)), np.cos(k), np.sin(k)])
        return np.asarray(self.at(R) @ basis)


def flat(orbits: Orbits) -> Modulation:
    """u = 1: the orbit-averaged solution itself."""
    values = np.ones((2 * HALF_WIDTH + 1, 1))
    return Modulation(values, orbits.radius / len(values))


def work(nodes: int, harmonics: int) -> float:
    """Multiplications of `solve`, those of its band matrix."""
    size = 2 * harmonics + 1
    lower, upper = _bandwidths(size)
    return float(nodes * size) * lower * (lower + upper)


def _bandwidths(size: int) -> tuple[int, int]:
    """Bands below and above the diagonal, for blocks of `size` harmonics."""
    return (HALF_WIDTH + 1) * size - 1, (HALF_WIDTH + 1) * size - 1


def solve(orbits: Orbits, nodes: int, harmonics: int) -> Modulation:
    """u on `nodes` radii with angular harmonics up to `harmonics`."""
    system = _System(orbits, nodes, harmonics)
    system.add_local_equations()
    system.add_flux_equations()
    right = np.zeros(system.bands.shape[1])
    right[0] = 1.0
    solution = solve_banded(
        (system.lower, system.upper), system.bands, right, overwrite_ab=True, check_finite=False
    )
    return Modulation(solution.reshape(nodes, -1), system.spacing)


class _Basis:
    """1, cos kφ, sin kφ on equispaced angles, with derivatives and the projection back."""

    def __init__(self, harmonics: int) -> None:
        points = 4 * harmonics + 4
        k = np.arange(1, harmonics + 1)
        phi = 2.0 * np.pi * np.arange(points) / points
        c, s = np.cos(np.outer(phi, k)), np.sin(np.outer(phi, k))
        zero = np.zeros((points, 1))
        self.size = 2 * harmonics + 1
        self.cosine, self.sine = np.cos(phi), np.sin(phi)
        self.values = np.hstack([zero + 1.0, c, s])
        self.first = np.hstack([zero, -k * s, k * c])
        self.second = np.hstack([zero, -(k**2) * c, -(k**2) * s])
        weights = np.full(self.size, 2.0)
        weights[0] = 1.0
        self.projection = (self.values * weights / points).T
        self.parity = np.concatenate([[1.0], (-1.0) ** k, (-1.0) ** k])

    def project(self, factor: FloatArray, functions: FloatArray) -> FloatArray:
        """Matrices (radii, size, size) of multiplication by factor (radii, angles)."""
        return np.asarray(self.projection @ (factor[:, :, None] * functions))


class _System:
    """Equations between neighbouring radii, blocks of harmonics in LAPACK's band storage."""

    def __init__(self, orbits: Orbits, nodes: int, harmonics: int) -> None:
        self.orbits, self.nodes, self.basis = orbits, nodes, _Basis(harmonics)
        self.spacing, size = orbits.radius / nodes, self.basis.size
        self.lower, self.upper = _bandwidths(size)
        self.bands = np.zeros((self.lower + self.upper + 1, nodes * size), order="F")

    def add_local_equations(self) -> None:
        """The equation at every node, for every harmonic but the mean."""
        nodes = np.arange(self.nodes)
        R = np.asarray((nodes + 0.5) * self.spacing, float)
        rows = stencils(R / self.spacing, self.nodes, 2 * HALF_WIDTH + 1, 3)
        # Over ω0, so that all rows are of order one: pivots are chosen by size.
        at_node, first, second = (
            blocks / self.orbits.model.frequency for blocks in _operator(self.orbits, self.basis, R)
        )
        for blocks in (at_node, first, second):
            blocks[:, 0, :] = 0.0  # the mean is kept by the flux equations
        here = np.ones((self.nodes, 1))
        _spread(self.bands, self.upper, nodes, nodes, here, self.basis.parity, at_node)
        self._add_stencils(rows, 1, first / self.spacing, nodes)
        self._add_stencils(rows, 2, second / self.spacing**2, nodes)

    def add_flux_equations(self) -> None:
        """∮ sin φ (d̃ ∂_P u + c P u) dφ = 0 on circles between nodes, and u = 1 at the centre."""
        orbits, basis = self.orbits, self.basis
        between = np.arange(1, self.nodes)
        R = np.asarray(between * self.spacing, float)
        rows = stencils(R / self.spacing, self.nodes, 2 * HALF_WIDTH, 2)
        cos, sin = basis.cosine, basis.sine
        s = orbits.slope(R)[0][:, None]
        friction, d = orbits.geometry(R[:, None] * cos)[1:]
        c = friction + 2.0 * s * d
        scale = 1.0 / np.mean(d * sin**2, axis=1)[:, None, None]
        value = basis.project(R[:, None] * sin**2 * c, basis.values)
        value += basis.project(d * sin * cos / R[:, None], basis.first)
        slope = basis.project(d * sin**2, basis.values)
        for blocks, order in ((value, 0), (slope / self.spacing, 1)):
            blocks[:, 1:, :] = 0.0
            self._add_stencils(rows, order, scale * blocks, between)
        self.bands[self.upper, 0] += 1.0

    def _add_stencils(
        self, rows: Stencils, derivative: int, blocks: FloatArray, block_rows: IntArray
    ) -> None:
        first, weights = rows
        one = np.ascontiguousarray(weights[derivative])
        _spread(self.bands, self.upper, block_rows, first, one, self.basis.parity, blocks)


@compiled
def _spread(bands, upper, rows, first, weights, parity, blocks):  # type: ignore[no-untyped-def]
    """Add weights[i, j] blocks[i] at block row rows[i], block column first[i] + j.

    A negative column −1 − j is j on the other side of the centre, where odd harmonics change sign.
    """
    count, size, _ = blocks.shape
    for i in range(count):
        for j in range(weights.shape[1]):
            neighbour = first[i] + j
            if weights[i, j] == 0.0:  # beyond the outer end
                continue
            mirrored = neighbour < 0
            block = -1 - neighbour if mirrored else neighbour
            for b in range(size):
                factor = weights[i, j] * parity[b] if mirrored else weights[i, j]
                column = block * size + b
                offset = upper + rows[i] * size - column
                for a in range(size):
                    bands[offset + a, column] += factor * blocks[i, a, b]


def _operator(orbits: Orbits, basis: _Basis, R: FloatArray) -> tuple[FloatArray, ...]:
    """Matrices multiplying u, ∂_R u and ∂_R² u at radii R."""
    cos, sin, r = basis.cosine, basis.sine, R[:, None]
    P = r * sin
    s, s_R = orbits.slope(R)[0][:, None], orbits.slope_derivative(R)[0][:, None]
    friction, d = orbits.geometry(r * cos)[1:]
    c = friction + 2.0 * s * d
    drift = P * (c + 2.0 * s * d)
    at_node = (
        basis.project(c + 2.0 * r * sin**2 * s_R * d + 2.0 * P**2 * s * c, basis.values)
        + basis.project(
            orbits.model.frequency - 2.0 * d * sin * cos / r**2 + drift * cos / r, basis.first
        )
        + basis.project(d * cos**2 / r**2, basis.second)
    )
    first = basis.project(d * cos**2 / r + drift * sin, basis.values) + basis.project(
        2.0 * d * sin * cos / r, basis.first
    )
    return at_node, first, basis.project(d * sin**2, basis.values)


@compiled
def _coefficients(values, spacing, R, weight, result):  # type: ignore[no-untyped-def]
    """Set `result` to the coefficients at R: a polynomial through seven nodes, by Lagrange.

    It is continued through the centre. `weight` is memory to work in, one number per node.
    """
    nodes, size = values.shape
    position = R / spacing - 0.5
    first = min(int(np.rint(position)) - HALF_WIDTH, nodes - weight.size)
    below, above = 1.0, 1.0
    for j in range(weight.size):
        weight[j] = below * _INVERSE[j]
        below *= position - first - j
    for j in range(weight.size - 1, -1, -1):
        weight[j] *= above
        above *= position - first - j
    result[:] = 0.0
    for j in range(weight.size):
        if first + j >= 0:
            for k in range(size):
                result[k] += weight[j] * values[first + j, k]
        else:
            parity = weight[j]
            result[0] += parity * values[-1 - first - j, 0]
            for k in range(1, size // 2 + 1):
                parity = -parity
                result[k] += parity * values[-1 - first - j, k]
                result[size // 2 + k] += parity * values[-1 - first - j, size // 2 + k]


@compiled
def _interpolate(values, spacing, R):  # type: ignore[no-untyped-def]
    """Coefficients at radii R, (R.size, size)."""
    weight = np.empty(_INVERSE.size)
    result = np.empty((R.size, values.shape[1]))
    for i in range(R.size):
        _coefficients(values, spacing, R[i], weight, result[i])
    return result


@compiled
def _evaluate(values, spacing, R, cosine, sine):  # type: ignore[no-untyped-def]
    """Values at scattered points."""
    size = values.shape[1]
    harmonics = size // 2
    weight, coefficients = np.empty(_INVERSE.size), np.empty(size)
    result = np.empty(R.size)
    for i in range(R.size):
        _coefficients(values, spacing, R[i], weight, coefficients)
        c, s = 1.0, 0.0
        total = coefficients[0]
        for k in range(1, harmonics + 1):
            c, s = c * cosine[i] - s * sine[i], s * cosine[i] + c * sine[i]
            total += coefficients[k] * c + coefficients[harmonics + k] * s
        result[i] = total
    return result
