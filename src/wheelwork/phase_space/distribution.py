"""Distributions over phase space: moments, ring, detection weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.polynomial import Chebyshev
from scipy.ndimage import map_coordinates

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.states.oscillator import g2_from_wigner

RING_ANGLES = 64  # for the mean over angles: rings deviate from circles in few harmonics
RING_RADII = 400  # that bracket the crest, before it is polished
CREST_DEGREE = 8  # of W over two steps between these radii, which are short against the crest
FIRST_STRIDE = 5  # of them, one of which is looked at first
FLAT_TOP = 1e-9  # relative rise of W above its value at the centre up to which there is no ring
Weight = Callable[[FloatArray, FloatArray], FloatArray]
# Points per axis of the mesh for detection weights; the largest takes 100 MiB with its transforms.
FEWEST_DETECTION_POINTS, MOST_DETECTION_POINTS = 256, 1024
DETECTION_RTOL = 1e-6  # relative, of the mean of w, which must be ⟨a†a⟩
NEGLIGIBLE_DENSITY = 1e-9  # of the maximum of W; where W is below, w is taken as |α|² + ½


@dataclass(frozen=True, eq=False, repr=False)
class Nodes:
    """Quadrature of the distribution: any mean is Σ weight f(X, P); the weights sum to one.

    X, P: scaled coordinates, any shape. weight: of the same shape. density: W(X, P) there.
    rates: (components, *shape), of the equation at X, where they are at hand.
    """

    X: FloatArray
    P: FloatArray
    weight: FloatArray
    density: FloatArray
    rates: FloatArray | None = None

    def __repr__(self) -> str:
        return f"Nodes(<shape {self.X.shape}>)"


class Distribution(Protocol):
    """A normalised W in scaled coordinates: ∫ W dX dP = 1 with X = x/x0, P = p/p0."""

    @property
    def nodes(self) -> Nodes:
        """Quadrature nodes fine enough for the distribution itself and smooth functions."""
        ...

    @property
    def extent(self) -> float:
        """Radius √(X² + P²) beyond which W is negligible."""
        ...

    @property
    def edge_probability(self) -> float:
        """Bound on the probability outside the domain."""
        ...

    def density(self, X: FloatArray, P: FloatArray) -> FloatArray:
        """Return W(X, P)."""
        ...


def moments(distribution: Distribution) -> dict[str, float]:
    """Moments of the symmetrised quadratures, and what follows from them.

    x, p, x_squared, p_squared and x_p in scaled coordinates; phonon_number = ⟨X² + P²⟩ − ½; g2 =
    ⟨a†a†aa⟩/⟨a†a⟩², see `wheelwork.states.oscillator`; purity = π ∫ W² dX dP.
    """
    nodes = distribution.nodes

    def mean(values: FloatArray) -> float:
        return float(np.sum(nodes.weight * values))

    square = nodes.X**2 + nodes.P**2
    second = mean(square)
    return {
        "x": mean(nodes.X),
        "p": mean(nodes.P),
        "x_squared": mean(nodes.X**2),
        "p_squared": mean(nodes.P**2),
        "x_p": mean(nodes.X * nodes.P),
        "phonon_number": second - 0.5,
        "g2": g2_from_wigner(second, mean(square**2)),
        "purity": np.pi * mean(nodes.density),
    }


@dataclass(frozen=True)
class Ring:
    """The crest of W in scaled coordinates, centred at the mean of (X, P).

    radius: √(X² + P²) of the crest from the centre; zero for a state that is largest there.
    curvature: −∂² ln W/∂R² at the crest. contrast: ln of W on the crest over W at the centre.
    """

    radius: float
    curvature: float
    contrast: float


def find_ring(distribution: Distribution) -> Ring:
    """Return the crest of W, averaged over 64 angles."""
    nodes = distribution.nodes
    X = float(np.sum(nodes.weight * nodes.X))
    P = float(np.sum(nodes.weight * nodes.P))
    phi = 2.0 * np.pi * (np.arange(RING_ANGLES) + 0.5) / RING_ANGLES

    def mean(R: FloatArray) -> FloatArray:
        r = R[:, None]
        values = distribution.density(X + r * np.cos(phi), P + r * np.sin(phi))
        return np.asarray(np.mean(values, axis=1))

    step = distribution.extent / RING_RADII
    some = np.arange(0.0, RING_RADII, FIRST_STRIDE)
    about = some[np.argmax(mean(step * some))]
    near = np.arange(max(about - FIRST_STRIDE, 0.0), about + FIRST_STRIDE + 1.0)
    near = np.concatenate([np.zeros(1), near[near > 0.0]])
    W = mean(step * near)
    highest = int(np.argmax(W))
    peak, radius = int(near[highest]), 0.0
    if peak > 0 and W[highest] > W[0] * (1.0 + FLAT_TOP):
        radius = _crest(mean, step * (peak - 1), step * (peak + 1))
    width = 2.0 * step
    with np.errstate(divide="ignore", invalid="ignore"):  # W may be negative where not converged
        around = np.array([0.0, abs(radius - width), radius, radius + width])
        centre, below, at, above = np.log(mean(around))
    return Ring(radius, float(2.0 * at - below - above) / width**2, float(at - centre))


def _crest(mean: Callable[[FloatArray], FloatArray], low: float, high: float) -> float:
    """Where a polynomial through points of [low, high] is largest."""
    series = Chebyshev.interpolate(mean, CREST_DEGREE, (low, high))
    turns = series.deriv().roots()
    inner = turns.real[(np.abs(turns.imag) <= 1e-6 * (high - low)) & np.isfinite(turns)]
    candidates = np.clip(np.concatenate([[low, high], inner]), low, high)
    return float(candidates[np.argmax(series(candidates))])


def detection_weight(distribution: Distribution) -> Weight:
    """Return w(X, P), the Wigner function of aρa† over that of ρ.

    Weighting trajectories by w gives the state after a detection (one quantum has left), from which
    normally ordered correlations start.

    aρa† ↔ (α + ½∂_{α*})(α* + ½∂_α)W with α = X + iP, hence
    w = |α|² + ½ + [½(X ∂_X + P ∂_P)W + (∂_X² + ∂_P²)W/16]/W. Its mean over W is ⟨a†a⟩. Derivatives
    are spectral, on a mesh fine enough for the mean to be right; w is interpolated by cubic
    splines.

    Raises NotConverged where a mesh of 1024² points is too coarse.
    """
    points, nodes = FEWEST_DETECTION_POINTS, distribution.nodes
    number = float(np.sum(nodes.weight * (nodes.X**2 + nodes.P**2))) - 0.5
    while True:
        weight = _detection_weight_on(distribution, points)
        mean = float(np.sum(nodes.weight * weight(nodes.X, nodes.P)))
        if abs(mean - number) <= DETECTION_RTOL * (number + 0.5):
            return weight
        if points >= MOST_DETECTION_POINTS:
            raise NotConverged(
                f"the state after a detection needs a mesh of more than {points}² points: its mean "
                f"weight is {mean:.6g} instead of {number:.6g}"
            )
        points *= 2


def _detection_weight_on(distribution: Distribution, points: int) -> Weight:
    reach = distribution.extent
    axis = np.linspace(-reach, reach, points, endpoint=False)
    X, P = np.meshgrid(axis, axis, indexing="ij")
    W = distribution.density(X, P)
    k = 2.0 * np.pi * np.fft.fftfreq(points, axis[1] - axis[0])
    kx, kp = k[:, None], k[None, :]
    transform = np.fft.fft2(W)

    def derived(factor: np.ndarray) -> FloatArray:
        return np.asarray(np.fft.ifft2(factor * transform).real)

    change = 0.5 * (X * derived(1j * kx) + P * derived(1j * kp)) - derived(kx**2 + kp**2) / 16.0
    present = np.max(W) * NEGLIGIBLE_DENSITY < W
    weight = X**2 + P**2 + 0.5 + np.where(present, change, 0.0) / np.where(present, W, 1.0)
    step = axis[1] - axis[0]

    def at(X: FloatArray, P: FloatArray) -> FloatArray:
        indices = np.stack([(np.ravel(X) + reach) / step, (np.ravel(P) + reach) / step])
        values = map_coordinates(weight, indices, order=3, mode="nearest")
        return np.asarray(values.reshape(np.shape(X)))

    return at
