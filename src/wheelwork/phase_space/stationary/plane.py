"""The stationary Fokker–Planck equation on a mesh of the (X, P) plane.

For potentials with several wells, where no single family of orbits exists. Central differences
of eighth order in flux form conserve probability to rounding, so that one equation is redundant and
is replaced by the normalisation; the rest is one sparse LU.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.interpolate import RectBivariateSpline
from scipy.sparse.linalg import SuperLU, splu

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import NotConverged
from wheelwork.phase_space.chebyshev import ChebyshevTable
from wheelwork.phase_space.discretisation import central
from wheelwork.phase_space.distribution import Nodes, moments
from wheelwork.phase_space.domain import find_domain
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel, tabulated_rates
from wheelwork.phase_space.stationary.orbits import FALL

UPSAMPLING = 4  # of the mesh before it is interpolated by splines of fifth order
NOISE_ROOM = 30.0  # times the noise of the mesh, below which a rise of W is no hump
# Of the largest element of the matrix: a larger residual of the LU means lost digits.
LARGEST_RESIDUAL = 1e-10


@dataclass(frozen=True)
class Box:
    """A rectangle that holds the state: X from low to high, |P| up to reach; rates over it."""

    model: PhaseSpaceModel
    rates: ChebyshevTable
    low: float
    high: float
    reach: float

    @property
    def table_error(self) -> float:
        """Bound on the relative effect on W of the errors of `rates`.

        Weights of wells depend on e^(U/T), so errors of U are magnified by the fall of W.
        """
        return FALL * float(np.max(self.rates.error[:3]))


@dataclass(frozen=True, eq=False, repr=False)
class PlaneDistribution(Computed):
    """W on a uniform mesh: values[i, j] at X[i], P[j]; zero outside."""

    X: FloatArray
    P: FloatArray
    values: FloatArray

    @cached_property
    def nodes(self) -> Nodes:
        X, P = np.meshgrid(self.X, self.P, indexing="ij")
        return Nodes(X, P, self.values / np.sum(self.values), self.values)

    @property
    def extent(self) -> float:
        return float(np.hypot(max(abs(self.X[0]), abs(self.X[-1])), self.P[-1]))

    @property
    def edge_probability(self) -> float:
        rim = np.abs(self.values)
        total = sum(np.sum(edge) for edge in (rim[0], rim[-1], rim[:, 0], rim[:, -1]))
        return float(total / np.sum(rim))

    def __repr__(self) -> str:
        return f"PlaneDistribution(<{self.X.size} x {self.P.size}, extent {self.extent:.4g}>)"

    def density(self, X: FloatArray, P: FloatArray) -> FloatArray:
        X, P = np.broadcast_arrays(X, P)
        inside = (self.X[0] <= X) & (self.X[-1] >= X) & (np.abs(P) <= self.P[-1])
        return np.where(inside, self._spline.ev(X, P), 0.0)

    def distances(self, other: "PlaneDistribution") -> tuple[float, float]:
        """∫ |δW| (1 + H/⟨H⟩) dX dP against a solution on another mesh, twice."""
        nodes = self.nodes
        energy = nodes.X**2 + nodes.P**2
        size = (1.0 + energy / np.sum(nodes.weight * energy)) / np.sum(self.values)
        change = float(np.sum(size * np.abs(other.density(nodes.X, nodes.P) - self.values)))
        return change, change

    @cached_property
    def moments(self) -> dict[str, float]:
        """See `phase_space.moments`."""
        return moments(self)

    @property
    def barrier(self) -> float:
        """ln of the lower of two humps over X, relative to the ridge between them.

        A rise within the noise of the mesh, which its negative values show, is no hump.
        """
        profile = np.sum(self.values, axis=1)
        noise = max(0.0, -float(np.min(profile)))
        rising = np.maximum.accumulate(profile)
        falling = np.maximum.accumulate(profile[::-1])[::-1]
        lower = np.minimum(rising, falling)
        ridge = profile[lower > NOISE_ROOM * noise], lower[lower > NOISE_ROOM * noise]
        depth = np.log(ridge[1]) - np.log(np.maximum(ridge[0], np.finfo(float).tiny))
        return float(np.max(depth, initial=0.0))

    @cached_property
    def _spline(self) -> RectBivariateSpline:
        """Quintic spline through the band-limited interpolation on a finer mesh."""
        fine = _upsampled(_upsampled(self.values, 0), 1)
        X, P = (
            np.linspace(axis[0], axis[-1], (axis.size - 1) * UPSAMPLING + 1)
            for axis in (self.X, self.P)
        )
        return RectBivariateSpline(X, P, fine, kx=5, ky=5)


def find_box(model: PhaseSpaceModel, rtol: float) -> Box:
    """The rectangle, from the energy distribution averaged over all wells.

    Raises as `find_domain`.
    """
    domain = find_domain(model)
    rates = tabulated_rates(model, domain.reach, rtol)
    return Box(model, rates, domain.low, domain.high, float(np.sqrt(domain.energy)))


def solve(box: Box, points: int) -> PlaneDistribution:
    """Solve on points × points nodes."""
    X = np.linspace(box.low, box.high, points)
    P = np.linspace(-box.reach, box.reach, points)
    pinned = int(np.ravel_multi_index((deepest(box, X), points // 2), (points, points)))
    right = np.zeros(points**2)
    right[pinned] = 1.0
    # The row of the pinned node says W = 1; the others are divided by ω0, to be of its order.
    others = sp.diags_array((1.0 - right) / box.model.frequency)
    matrix = sp.csc_array(others @ generator(box, X, P) + sp.diags_array(right))
    matrix.eliminate_zeros()
    factors = factorised(matrix)
    values = factors.solve(right)
    values += factors.solve(right - matrix @ values)  # one step of refinement
    residual = np.max(np.abs(right - matrix @ values)) / np.max(np.abs(values))
    if not residual < LARGEST_RESIDUAL * np.max(np.abs(matrix.data)):
        raise NotConverged(f"the sparse LU lost its digits: residual {residual:.1e}")
    W = values.reshape(points, points)
    return PlaneDistribution(X, P, W / (np.sum(W) * (X[1] - X[0]) * (P[1] - P[0])))


def factorised(matrix: sp.csc_array) -> SuperLU:
    """Sparse LU that keeps the diagonal: 30 times less fill for these matrices.

    Raises NotConverged where rounding makes a pivot vanish.
    """
    options = {"SymmetricMode": True}
    try:
        return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    except RuntimeError as singular:
        raise NotConverged(f"the sparse LU of the plane failed: {singular}") from None


def generator(box: Box, X: FloatArray, P: FloatArray) -> sp.csr_array:
    """∂_t W = −ω0 P ∂_X W + ∂_P[(ω0 X − f + γP) W] + d ∂_P² W as a matrix."""
    frequency = box.model.frequency
    force, friction, diffusion = box.rates(X)[:3]
    d_X = central(X.size, X[1] - X[0], 1)
    d_P, d_PP = (central(P.size, P[1] - P[0], order) for order in (1, 2))
    return sp.csr_array(
        -frequency * sp.kron(d_X, sp.diags_array(P))
        + sp.kron(sp.diags_array(frequency * X - force), d_P)
        + sp.kron(sp.diags_array(friction), d_P @ sp.diags_array(P))
        + sp.kron(sp.diags_array(diffusion), d_PP)
    )


def deepest(box: Box, X: FloatArray) -> int:
    """Index of the lowest potential among the positions X."""
    work = box.rates.component(0).antiderivative()(X)[0]
    return int(np.argmin(X**2 - 2.0 / box.model.frequency * work))


def _upsampled(values: FloatArray, axis: int) -> FloatArray:
    """Band-limited interpolation of values that vanish at both ends of an axis."""
    n = values.shape[axis]
    spectrum = np.fft.rfft(values, axis=axis)
    if n % 2 == 0:  # the Nyquist term is shared by both signs of the frequency
        spectrum[(slice(None),) * axis + (-1,)] *= 0.5
    fine = np.fft.irfft(spectrum, n * UPSAMPLING, axis=axis) * UPSAMPLING
    return np.asarray(np.take(fine, np.arange((n - 1) * UPSAMPLING + 1), axis=axis))
