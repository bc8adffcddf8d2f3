"""Several steady states: how many there are, and which one an initial state ends in."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.lindblad.inverse import ShiftedLU, norm

SEPARATE = 30.0  # shifts: a rate below is not resolved
ROUNDED = 8.0 * float(np.finfo(np.float64).eps)  # of the norm: a rate below is zero
FIRST_GUESS, GROWTH, ITERATIONS = 4, 4, 8
MOST_COUNTED, MOST_PROJECTED = 8, 64
SEED = 8128
FINE, COARSE, REPEATS = 1e-3, 1e-2, 12  # of the smallest rate: shifts of the projection


class ZeroEigenvalues(NamedTuple):
    """What inverse iteration tells of the eigenvalues of a generator next to zero.

    number: of those that are zero to rounding, at least one. complete: whether there are no more.
    slow: |eigenvalues| above rounding, yet too close to it to be told from zero by a solver.
    smallest_rate: smallest |eigenvalue| beyond; infinite where there is none.
    """

    number: int
    complete: bool
    slow: FloatArray
    smallest_rate: float

    @property
    def counted(self) -> str:
        """The number in words."""
        return str(self.number) if self.complete else f"at least {self.number}"


def zero_eigenvalues(factorisation: ShiftedLU, most: int = MOST_COUNTED) -> ZeroEigenvalues:
    """Count by inverse iteration on ever more vectors, until one of them is not stationary.

    A rate below 8 machine epsilons of the generator's norm is taken for zero. Counting ends at
    `most`.
    """
    generator = factorisation.generator
    n = generator.shape[0]
    random = np.random.default_rng(SEED)
    width = min(FIRST_GUESS, n)
    while True:
        X = random.normal(size=(n, width))
        for _ in range(ITERATIONS):
            X, _ = np.linalg.qr(factorisation.lu.solve(X))
        rates = np.sort(np.abs(np.linalg.eigvals(X.T @ (generator @ X))))
        zero, near = rates <= ROUNDED * norm(generator), rates <= SEPARATE * factorisation.shift
        zero[0] = True  # the trace is kept
        slow, others = rates[near & ~zero], rates[~near & ~zero]
        known = bool(others.size) or width == n
        if known or slow.size or width >= most:
            smallest = float(others.min(initial=np.inf))
            return ZeroEigenvalues(int(np.count_nonzero(zero)), known, slow, smallest)
        width = min(GROWTH * width, most, n)


def refuse_slow(zeros: ZeroEigenvalues, generator: sp.csc_array) -> None:
    """Raise NotConverged where a rate lies between rounding and what a solver resolves."""
    if zeros.slow.size:
        rates = ", ".join(f"{rate:.1e}" for rate in zeros.slow)
        raise NotConverged(
            f"relaxation rates of about {rates} are above rounding, but too close to it to find "
            f"the steady state: the largest rate is {norm(generator):.1e}"
        )


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
