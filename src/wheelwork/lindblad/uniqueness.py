"""Whether a steady state is the only one, also for coherences that populations do not drive."""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from wheelwork._checks import FloatArray
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.exploration import element_keys
from wheelwork.lindblad.inverse import ShiftedLU
from wheelwork.lindblad.kernel import zero_eigenvalues
from wheelwork.lindblad.operators import IndexArray
from wheelwork.lindblad.sector import explored
from wheelwork.lindblad.state import State

OCCUPIED = 1e-14
PURE = 1e-12
DISTINCT = 1e-9
LARGEST_FULL = 32  # basis states


def is_irreducible(lindblad: Lindblad, state: State) -> bool:
    """Whether a simple sufficient condition proves the steady state the only one.

    All steady states live on the support of the one of largest support. On it, where ρ is
    faithful, whatever is conserved commutes with H, every L and every L† (A. Frigerio, Lett. Math.
    Phys. 2, 79 (1977)). If those of L†L and LL† that are diagonal tell all its basis
    states apart, it is diagonal, and a number where H and L connect them.
    """
    eigenvalues = state.eigenvalues
    if eigenvalues.size == 1 or eigenvalues[1] <= PURE:
        return True
    occupied = np.flatnonzero(state.populations > OCCUPIED)
    rank = int(np.count_nonzero(eigenvalues > OCCUPIED))
    if rank < occupied.size:
        return False
    jumps = [sp.csc_array(jump[:, occupied][occupied]) for jump in lindblad.jumps]
    marks = [mark for jump in jumps for mark in _diagonals(jump)]
    if not marks or _distinct(np.array(marks)) < occupied.size:
        return False
    links = abs(lindblad.hamiltonian[:, occupied][occupied])
    for jump in jumps:
        links = links + abs(jump)
    return bool(connected_components(links, directed=False)[0] == 1)


def count_in_full_space(lindblad: Lindblad) -> int | None:
    """Number of steady states among all elements, or None: beyond 32 basis states, or not known."""
    D = lindblad.dimension
    if D > LARGEST_FULL:
        return None
    _, generator = explored(lindblad, _all_keys(D))
    zeros = zero_eigenvalues(ShiftedLU.of(generator))
    return None if zeros.slow.size else zeros.number


def _all_keys(dimension: int) -> IndexArray:
    a, b = np.tril_indices(dimension)
    element = element_keys(a, b)
    return np.sort(np.concatenate((element, element[a > b] + 1)))


def _diagonals(jump: sp.csc_array) -> list[FloatArray]:
    products = [sp.csc_array(jump.conj().T @ jump), sp.csc_array(jump @ jump.conj().T)]
    return [p.diagonal().real for p in products if _is_diagonal(p)]


def _is_diagonal(matrix: sp.csc_array) -> bool:
    off = matrix - sp.diags_array(matrix.diagonal())
    scale = float(abs(matrix.data).max(initial=0.0))
    return bool(abs(off.data).max(initial=0.0) <= 1e-14 * scale)


def _distinct(marks: FloatArray) -> int:
    """Number of columns that differ by a gap of 1e-9 of the largest entry of a row."""
    order = np.argsort(marks, axis=1)
    gaps = np.diff(np.take_along_axis(marks, order, axis=1), axis=1, prepend=-np.inf)
    wide = gaps > DISTINCT * np.abs(marks).max(axis=1, keepdims=True)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.cumsum(wide, axis=1), axis=1)
    return int(np.unique(rank, axis=1).shape[1])
