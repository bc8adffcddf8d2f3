"""Polynomials orthonormal under a weight given on quadrature nodes."""

from typing import NamedTuple

import numpy as np

from wheelwork._checks import FloatArray

GAUSS_ORDER = 32


class Polynomials(NamedTuple):
    """Functions g p_n(z), n = 0 … N − 1, and their derivatives, times √weight.

    values, slopes: (N, nodes). The rows of `values` are orthonormal.
    """

    values: FloatArray
    slopes: FloatArray


def orthonormal(
    z: FloatArray, z_slope: FloatArray, first: FloatArray, first_slope: FloatArray, count: int
) -> Polynomials:
    """Lanczos' recurrence in z, from g (times √weight) and its derivative, `first_slope`."""
    values = np.zeros((count, z.size))
    slopes = np.zeros((count, z.size))
    size = np.linalg.norm(first)
    values[0], slopes[0] = first / size, first_slope / size
    for n in range(1, count):
        following = z * values[n - 1]
        slope = z * slopes[n - 1] + z_slope * values[n - 1]
        for _ in range(2):  # the second pass takes out what rounding left
            overlap = values[:n] @ following
            following -= overlap @ values[:n]
            slope -= overlap @ slopes[:n]
        size = np.linalg.norm(following)
        values[n], slopes[n] = following / size, slope / size
    return Polynomials(values, slopes)


def gauss_panels(low: float, high: float, panels: int) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of a composite Gauss–Legendre rule."""
    x, w = np.polynomial.legendre.leggauss(GAUSS_ORDER)
    width = (high - low) / panels
    nodes = low + width * (np.arange(panels)[:, None] + 0.5 * (x + 1.0))
    return nodes.ravel(), np.tile(0.5 * width * w, panels)
