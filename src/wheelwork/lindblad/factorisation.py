"""LU of the sparse matrices of a sector: in a narrow band where they have one, else by fill."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.linalg import get_lapack_funcs
from scipy.sparse.csgraph import reverse_cuthill_mckee
from scipy.sparse.linalg import SuperLU, splu

from wheelwork.errors import NotConverged
from wheelwork.lindblad.operators import IndexArray

WIDEST_BAND = 64  # diagonals beside the main one: beyond, a sparse LU fills less
SINGULAR = "the matrix to be inverted is singular to rounding"

Numbers = npt.NDArray[Any]  # real or complex


class Factorisation(Protocol):
    """L and U of a matrix."""

    def solve(self, b: Numbers) -> Numbers:
        """Return x with matrix · x = b, of the shape of b, (n,) or (n, k); real b if L is."""

    @property
    def filled(self) -> int:
        """Numbers kept."""


def factorised(matrix: sp.csc_array) -> Factorisation:
    """Return the LU with partial pivoting of a sparse matrix.

    Raises:
        NotConverged: when it is singular.
    """
    order = narrow_order(matrix)
    if order.lower + order.upper <= WIDEST_BAND:
        return BandedLU.of(matrix, order)
    return FilledLU.of(matrix)


class NarrowOrder(NamedTuple):
    """place: (n,), where each row and column goes. lower, upper: diagonals beside the main one."""

    place: IndexArray
    lower: int
    upper: int


def narrow_order(matrix: sp.csc_array) -> NarrowOrder:
    """Return the reverse Cuthill–McKee order of rows and columns, and the band it leaves."""
    n = matrix.shape[0]
    # ones, as opposite entries would cancel when the pattern is made symmetric
    pattern = sp.csr_array((np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=(n, n))
    place = np.empty(n, dtype=np.int64)
    place[reverse_cuthill_mckee(pattern, symmetric_mode=False)] = np.arange(n)
    below = place[matrix.indices] - np.repeat(place, np.diff(matrix.indptr))
    return NarrowOrder(place, int(below.max(initial=0)), int((-below).max(initial=0)))


@dataclass(frozen=True, eq=False)
class BandedLU:
    """LAPACK's LU of a band matrix: rows are swapped within the band, which bounds the fill."""

    order: NarrowOrder
    factors: Numbers
    pivots: npt.NDArray[np.int32]

    @classmethod
    def of(cls, matrix: sp.csc_array, order: NarrowOrder) -> "BandedLU":
        place, lower, upper = order
        column = np.repeat(place, np.diff(matrix.indptr))
        band = np.zeros((2 * lower + upper + 1, place.size), dtype=matrix.dtype, order="F")
        band[lower + upper + place[matrix.indices] - column, column] = matrix.data
        factorise: Any = get_lapack_funcs("gbtrf", (band,))
        factors, pivots, zero = factorise(band, lower, upper, overwrite_ab=True)
        if zero:
            raise NotConverged(SINGULAR)
        return cls(order, factors, pivots)

    def solve(self, b: Numbers) -> Numbers:
        """Return x with matrix · x = b."""
        place, lower, upper = self.order
        right = np.empty(b.shape, dtype=self.factors.dtype, order="F")
        right[place] = b
        x, _ = self._substitute(self.factors, lower, upper, right, self.pivots, overwrite_b=True)
        return np.asarray(x[place])

    @cached_property
    def _substitute(self) -> Any:
        return get_lapack_funcs("gbtrs", (self.factors,))

    @property
    def filled(self) -> int:
        """Entries of the band and of what swapping may add to it."""
        return int(self.factors.size)


@dataclass(frozen=True, eq=False)
class FilledLU:
    """SuperLU by an ordering whose fill is bounded whatever rows are swapped.

    Minimum degree on A + Aᵀ fills half as much where no pivoting is needed, and a hundred times as
    much where coherences oscillate faster than they decay and rows are swapped.
    """

    lu: SuperLU

    @classmethod
    def of(cls, matrix: sp.csc_array) -> "FilledLU":
        try:
            return cls(splu(matrix, permc_spec="COLAMD", diag_pivot_thresh=0.1))
        except RuntimeError:  # a pivot is exactly zero
            raise NotConverged(SINGULAR) from None

    def solve(self, b: Numbers) -> Numbers:
        """Return x with matrix · x = b."""
        return np.asarray(self.lu.solve(b))

    @cached_property
    def filled(self) -> int:
        """Entries of L and U that are not zero."""
        return int(self.lu.L.nnz + self.lu.U.nnz)
