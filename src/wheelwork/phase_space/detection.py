"""The state after one quantum has left: what normally ordered correlations start from."""

from collections.abc import Callable

import numpy as np
from scipy.ndimage import map_coordinates

from wheelwork._checks import FloatArray
from wheelwork.phase_space.distribution import Distribution

POINTS = 256
NEGLIGIBLE = 1e-9  # of the maximum of W: beyond, the weight is that of large |α|


def detection_weight(distribution: Distribution) -> Callable[[FloatArray, FloatArray], FloatArray]:
    """Return w(X, P), the Wigner function of aρa† over that of ρ.

    aρa† ↔ (α + ½∂_{α*})(α* + ½∂_α)W with α = X + iP, hence
    w = |α|² + ½ + [½(X ∂_X + P ∂_P)W + (∂_X² + ∂_P²)W/16]/W. Its mean over W is ⟨a†a⟩. Derivatives
    are spectral, on a mesh of 256² points that holds W, and w is interpolated by cubic splines.
    """
    reach = distribution.extent
    axis = np.linspace(-reach, reach, POINTS, endpoint=False)
    X, P = np.meshgrid(axis, axis, indexing="ij")
    W = distribution.density(X, P)
    k = 2.0 * np.pi * np.fft.fftfreq(POINTS, axis[1] - axis[0])
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
