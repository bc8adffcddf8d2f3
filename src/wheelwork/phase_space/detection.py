"""The state after one quantum has left: what normally ordered correlations start from."""

from collections.abc import Callable

import numpy as np
from scipy.ndimage import map_coordinates

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.phase_space.distribution import Distribution

Weight = Callable[[FloatArray, FloatArray], FloatArray]

FEWEST_POINTS, MOST_POINTS = 256, 1024
ACCURACY = 1e-6  # of the mean of w, which must be ⟨a†a⟩
NEGLIGIBLE = 1e-9  # of the maximum of W: beyond, the weight is that of large |α|


def detection_weight(distribution: Distribution) -> Weight:
    """Return w(X, P), the Wigner function of aρa† over that of ρ.

    aρa† ↔ (α + ½∂_{α*})(α* + ½∂_α)W with α = X + iP, hence
    w = |α|² + ½ + [½(X ∂_X + P ∂_P)W + (∂_X² + ∂_P²)W/16]/W. Its mean over W is ⟨a†a⟩. Derivatives
    are spectral, on a mesh fine enough for the mean to be right; w is interpolated by cubic
    splines.

    Raises NotConverged where a mesh of 1024² points is too coarse.
    """
    points = FEWEST_POINTS
    nodes = distribution.nodes
    number = float(np.sum(nodes.weight * (nodes.X**2 + nodes.P**2))) - 0.5
    while True:
        weight = _weight(distribution, points)
        mean = float(np.sum(nodes.weight * weight(nodes.X, nodes.P)))
        if abs(mean - number) <= ACCURACY * (number + 0.5):
            return weight
        if points >= MOST_POINTS:
            raise NotConverged(
                f"the state after a detection needs a mesh of more than {points}² points: its mean "
                f"weight is {mean:.6g} instead of {number:.6g}"
            )
        points *= 2


def _weight(distribution: Distribution, points: int) -> Weight:
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
    present = np.max(W) * NEGLIGIBLE < W
    weight = X**2 + P**2 + 0.5 + np.where(present, change, 0.0) / np.where(present, W, 1.0)
    step = axis[1] - axis[0]

    def at(X: FloatArray, P: FloatArray) -> FloatArray:
        places = np.stack([(np.ravel(X) + reach) / step, (np.ravel(P) + reach) / step])
        values = map_coordinates(weight, places, order=3, mode="nearest")
        return np.asarray(values.reshape(np.shape(X)))

    return at
