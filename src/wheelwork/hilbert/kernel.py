"""Several steady states: how many there are, and which one an initial state ends in."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.hilbert.inverse import ShiftedLU, norm

SEPARATE = 30.0  # shifts: a rate below is zero to rounding
FIRST_GUESS, GROWTH, ITERATIONS = 4, 4, 8
SEED = 8128
FINE, COARSE, REPEATS = 1e-3, 1e-2, 12  # of the smallest rate: shifts of the projection


class ZeroEigenvalues(NamedTuple):
    """Number of zero eigenvalues of a generator, and the smallest other |eigenvalue|."""

    number: int
    smallest_rate: float


def zero_eigenvalues(factorisation: ShiftedLU) -> ZeroEigenvalues:
    """Count by inverse iteration on ever more vectors, until one of them is not stationary."""
    generator = factorisation.generator
    n = generator.shape[0]
    random = np.random.default_rng(SEED)
    width = min(FIRST_GUESS, n)
    while True:
        X = random.normal(size=(n, width))
        for _ in range(ITERATIONS):
            X, _ = np.linalg.qr(factorisation.lu.solve(X))
        rates = np.abs(np.linalg.eigvals(X.T @ (generator @ X)))
        others = rates[rates > SEPARATE * factorisation.shift]
        if others.size or width == n:
            return ZeroEigenvalues(width - others.size, float(others.min(initial=np.inf)))
        width = min(GROWTH * width, n)


def projected(
    generator: sp.csc_array, x: FloatArray, smallest_rate: float, rtol: float
) -> tuple[FloatArray, float]:
    """Return the long-time average of exp(A t) x and its estimated error.

    (−σ (A − σ)⁻¹)^k projects on the kernel as σ falls below all rates or k grows.

    Raises NotConverged when rounding leaves more than `rtol`.
    """
    if not np.isfinite(smallest_rate):
        return x, 0.0
    results = [_repeated(generator, x, part * smallest_rate) for part in (FINE, COARSE)]
    error = float(np.abs(results[0] - results[1]).sum())
    if not error <= rtol:
        raise NotConverged(
            f"the state reached is known to {error:.1e} only: the smallest relaxation rate "
            f"{smallest_rate:.1e} is too close to rounding of the largest {norm(generator):.1e}"
        )
    return results[1], error


def _repeated(generator: sp.csc_array, x: FloatArray, shift: float) -> FloatArray:
    lu = ShiftedLU.of(generator, shift).lu
    for _ in range(REPEATS):
        x = -shift * lu.solve(x)
    return x
