"""Number of steady states, in a sector or in total, and the one that an initial state reaches.

The criteria are derived in docs/developers/lindblad.md.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.exploration import element_keys
from wheelwork.lindblad.factorisation import ShiftedLU, norm
from wheelwork.lindblad.sector import driven_sector
from wheelwork.lindblad.state import State
from wheelwork.numerics.work import tick

SEPARATE = 30.0  # shifts of the LU: a rate below would not be resolved by a solver
ROUNDED = 8.0 * float(np.finfo(np.float64).eps)  # of the generator's norm: a rate below is zero
FIRST_GUESS, GROWTH = 4, 4  # vectors of inverse iteration: at first, and times which they grow
ITERATIONS = 8  # of inverse iteration: each reduces a mode of rate r by shift/r
MOST_COUNTED = 8  # steady states counted for a message
MOST_PROJECTED = 64  # steady states between which an initial state may be projected
SEED = 8128  # of the first vectors of inverse iteration
# Shifts of the two projections that are compared, as parts of the smallest rate, and their
# repetitions: COARSE^REPEATS = 1e-24 of the decaying modes is left.
FINE, COARSE, REPEATS = 1e-3, 1e-2, 12
OCCUPIED = 1e-14  # a population or eigenvalue of ρ below is rounding
PURE = 1e-12  # second eigenvalue of a pure state
DISTINCT = 1e-9  # of the largest: numbers closer than this do not tell two basis states apart
DIAGONAL = 1e-14  # of the largest entry: off-diagonal ones below are rounding
LARGEST_FULL = 32  # basis states: 1024 unknowns, a fraction of a second


class Unresolved(NotConverged):
    """Rates of the equation are too close to rounding for any method."""


class ZeroEigenvalues(NamedTuple):
    """Eigenvalues of a generator next to zero, as inverse iteration resolves them.

    number: of eigenvalues that are zero to rounding, at least one. complete: whether these are all.
    slow: |eigenvalues| above rounding, but too close to it for a solver. smallest_rate: smallest
    |eigenvalue| above these; infinite where there is none.
    """

    number: int
    complete: bool
    slow: FloatArray
    smallest_rate: float

    @property
    def counted(self) -> str:
        return str(self.number) if self.complete else f"at least {self.number}"


def zero_eigenvalues(factorisation: ShiftedLU, most: int = MOST_COUNTED) -> ZeroEigenvalues:
    """Count steady states by inverse iteration on more and more vectors, until one decays.

    A rate below 8 machine epsilons of the generator's norm counts as zero. Counting ends at `most`.
    """
    generator = factorisation.generator
    n = generator.shape[0]
    random = np.random.default_rng(SEED)
    width = min(FIRST_GUESS, n)
    while True:
        X = random.normal(size=(n, width))
        for step in range(ITERATIONS):
            tick("inverse iteration on slow modes", step, ITERATIONS)
            X, _ = np.linalg.qr(factorisation.lu.solve(X))
        rates = np.sort(np.abs(np.linalg.eigvals(X.T @ (generator @ X))))
        zero, near = rates <= ROUNDED * norm(generator), rates <= SEPARATE * factorisation.shift
        zero[0] = True  # the trace is conserved
        slow, others = rates[near & ~zero], rates[~near & ~zero]
        known = bool(others.size) or width == n
        if known or slow.size or width >= most:
            smallest = float(others.min(initial=np.inf))
            return ZeroEigenvalues(int(np.count_nonzero(zero)), known, slow, smallest)
        width = min(GROWTH * width, most, n)


def refuse_unresolved(zeros: ZeroEigenvalues, generator: sp.csc_array) -> None:
    """Raise Unresolved where a rate lies between rounding and what a solver resolves."""
    if zeros.slow.size:
        rates = ", ".join(f"{rate:.1e}" for rate in zeros.slow)
        raise Unresolved(
            f"relaxation rates of about {rates} are above rounding, but too close to it to find "
            f"the steady state: the largest rate is {norm(generator):.1e}"
        )


def long_time_average(
    generator: sp.csc_array, x: FloatArray, smallest_rate: float, rtol: float
) -> tuple[FloatArray, float]:
    """Return the long-time average of exp(A t) x and its estimated error.

    (−σ (A − σ)⁻¹)^k tends to the projection on the kernel of A as σ falls below all rates or k
    grows. The error is the difference of two such projections, with σ ten times apart; raises
    NotConverged where it exceeds `rtol`.
    """
    if not np.isfinite(smallest_rate):
        return x, 0.0
    results = []
    for shift in (FINE * smallest_rate, COARSE * smallest_rate):
        lu, y = ShiftedLU.of(generator, shift).lu, x
        for _ in range(REPEATS):
            y = -shift * lu.solve(y)
        results.append(y)
    error = float(np.abs(results[0] - results[1]).sum())
    if not error <= rtol:
        raise NotConverged(
            f"the state reached is known to {error:.1e} only: the smallest relaxation rate "
            f"{smallest_rate:.1e} is too close to rounding of the largest {norm(generator):.1e}"
        )
    return results[1], error


def is_irreducible(lindblad: Lindblad, state: State) -> bool:
    """Whether a sufficient condition proves that every initial state reaches `state`.

    `state` must be the only steady state of the diagonal sector; its support then contains that of
    every other one. On the support, where ρ is faithful, conserved quantities commute with H, every
    L and every L† (A. Frigerio, Lett. Math. Phys. 2, 79 (1977)). Where those of the L†L and LL†
    that are diagonal differ between all basis states, conserved quantities are diagonal; where H
    and the L connect all basis states, they are multiples of one.
    """
    eigenvalues = state.eigenvalues
    if eigenvalues.size == 1 or eigenvalues[1] <= PURE:
        return True
    occupied = np.flatnonzero(state.populations > OCCUPIED)
    rank = int(np.count_nonzero(eigenvalues > OCCUPIED))
    if rank < occupied.size:
        return False
    jumps = [sp.csc_array(jump[:, occupied][occupied]) for jump in lindblad.jumps]
    rates = [diagonal for jump in jumps for diagonal in _diagonal_rates(jump)]
    if not rates or _distinct_columns(np.array(rates)) < occupied.size:
        return False
    links = abs(lindblad.hamiltonian[:, occupied][occupied])
    for jump in jumps:
        links = links + abs(jump)
    return bool(connected_components(links, directed=False)[0] == 1)


def count_in_full_space(lindblad: Lindblad) -> int | None:
    """Return the number of steady states among all elements; None for D > 32, or not resolved."""
    D = lindblad.dimension
    if D > LARGEST_FULL:
        return None
    a, b = np.tril_indices(D)
    element = element_keys(a, b)
    every = np.sort(np.concatenate((element, element[a > b] + 1)))
    _, generator = driven_sector(lindblad, every)
    zeros = zero_eigenvalues(ShiftedLU.of(generator))
    return None if zeros.slow.size else zeros.number


def _diagonal_rates(jump: sp.csc_array) -> list[FloatArray]:
    """Diagonals of those of L†L and LL† that are diagonal."""
    rates = []
    for product in (sp.csc_array(jump.conj().T @ jump), sp.csc_array(jump @ jump.conj().T)):
        off = product - sp.diags_array(product.diagonal())
        if abs(off.data).max(initial=0.0) <= DIAGONAL * abs(product.data).max(initial=0.0):
            rates.append(product.diagonal().real)
    return rates


def _distinct_columns(rates: FloatArray) -> int:
    """Number of columns that differ in a row by a gap of 1e-9 of its largest entry."""
    order = np.argsort(rates, axis=1)
    gaps = np.diff(np.take_along_axis(rates, order, axis=1), axis=1, prepend=-np.inf)
    wide = gaps > DISTINCT * np.abs(rates).max(axis=1, keepdims=True)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.cumsum(wide, axis=1), axis=1)
    return int(np.unique(rank, axis=1).shape[1])
