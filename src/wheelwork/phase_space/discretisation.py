"""One-dimensional discretisations: finite differences, Gauss panels, orthonormal polynomials."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from wheelwork._checks import FloatArray

GAUSS_ORDER = 32  # nodes per panel
GAUSS_NODES, GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(GAUSS_ORDER)


# (targets,) index of the first neighbour, where a negative −1−j is the node j on the other side of
# the centre, and (derivatives, targets, width) weights for unit spacing.
Stencils = tuple[npt.NDArray[np.intp], FloatArray]


@lru_cache(maxsize=256)
def _weights(position: float, width: int, derivatives: int) -> FloatArray:
    """Weights at `position` for nodes 0..width−1, rows by order of derivative (Fornberg)."""
    weights = np.zeros((derivatives, width))
    weights[0, 0] = 1.0
    c1, c4 = 1.0, -position
    for i in range(1, width):
        c2, c5, c4 = 1.0, c4, i - position
        last = min(i, derivatives - 1)
        for j in range(i):
            c3 = float(i - j)
            c2 *= c3
            if j == i - 1:
                for k in range(last, 0, -1):
                    weights[k, i] = c1 * (k * weights[k - 1, i - 1] - c5 * weights[k, i - 1]) / c2
                weights[0, i] = -c1 * c5 * weights[0, i - 1] / c2
            for k in range(last, 0, -1):
                weights[k, j] = (c4 * weights[k, j] - k * weights[k - 1, j]) / c3
            weights[0, j] = c4 * weights[0, j] / c3
        c1 = c2
    return weights


def stencils(targets: FloatArray, nodes: int, width: int, derivatives: int) -> Stencils:
    """Stencils of `width` nodes for `targets`, given in units where node j stands at j + ½.

    Centred; through the centre they use the mirror nodes, and beyond the outer end none.
    """
    first = np.floor(targets - 0.5 - 0.5 * (width - 2)).astype(int)
    if width % 2:
        first = np.round(targets - 0.5).astype(int) - width // 2
    local = np.round(targets - 0.5 - first, 12)
    present = np.minimum(width, nodes - first)
    weights = np.zeros((derivatives, targets.size, width))
    for position, count in set(zip(local.tolist(), present.tolist(), strict=True)):
        alike = (local == position) & (present == count)
        weights[:, alike, :count] = _weights(position, count, derivatives)[:, None]
    return first, weights


def central(nodes: int, spacing: float, derivative: int, width: int = 9) -> sp.csr_array:
    """Matrix of a central difference, for functions that vanish beyond both ends."""
    weights = _weights(float(width // 2), width, derivative + 1)[derivative] / spacing**derivative
    offsets = np.arange(width) - width // 2
    return sp.csr_array(sp.diags_array(list(weights), offsets=list(offsets), shape=(nodes, nodes)))


def orthonormal(
    z: FloatArray, z_slope: FloatArray, first: FloatArray, first_slope: FloatArray, count: int
) -> tuple[FloatArray, FloatArray]:
    """Orthonormal g p_n(z), n < count, and their derivatives, times √weight: (count, nodes) each.

    By Lanczos' recurrence in z, from g (times √weight) and its derivative, `first_slope`.
    """
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
    return values, slopes


def gauss_panels(low: float, high: float, panels: int) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of a composite Gauss–Legendre rule."""
    x, w = GAUSS_NODES, GAUSS_WEIGHTS
    width = (high - low) / panels
    nodes = low + width * (np.arange(panels)[:, None] + 0.5 * (x + 1.0))
    return nodes.ravel(), np.tile(0.5 * width * w, panels)
