"""LUs of the sparse matrices of a sector, and the pseudo-inverse of its generator by one."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.linalg import get_lapack_funcs
from scipy.sparse.csgraph import reverse_cuthill_mckee
from scipy.sparse.linalg import SuperLU, splu

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.lindblad.operators import IndexArray
from wheelwork.lindblad.sector import Sector

WIDEST_BAND = 64  # diagonals beside the main one: beyond, a sparse LU fills less
PIVOT_THRESHOLD = 0.1  # SuperLU keeps a diagonal pivot this large relative to its column
SHIFT = 1e-13  # of the generator's norm: far below every rate, above the rounding of an LU
REFINEMENTS = 20  # most; each reduces the error by shift/rate, so that one or two are usual
REFINED = 1e-13  # last step of a refinement, relative to the solution
SINGULAR = "the matrix to be inverted is singular to rounding"

Numbers = npt.NDArray[Any]  # real or complex


class NarrowOrder(NamedTuple):
    """position: (n,), new number of each row and column. lower, upper: diagonals of the band."""

    position: IndexArray
    lower: int
    upper: int


def narrow_order(matrix: sp.csc_array) -> NarrowOrder:
    """Return the reverse Cuthill–McKee order of rows and columns, and the band it leaves."""
    n = matrix.shape[0]
    # ones, as opposite entries would cancel when the pattern is made symmetric
    pattern = sp.csr_array((np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=(n, n))
    position = np.empty(n, dtype=np.int64)
    position[reverse_cuthill_mckee(pattern, symmetric_mode=False)] = np.arange(n)
    below = position[matrix.indices] - np.repeat(position, np.diff(matrix.indptr))
    return NarrowOrder(position, int(below.max(initial=0)), int((-below).max(initial=0)))


@dataclass(frozen=True, eq=False)
class BandedLU:
    """LAPACK's LU of a band matrix: row interchanges stay near the band, which bounds the fill."""

    order: NarrowOrder
    factors: Numbers
    pivots: npt.NDArray[np.int32]

    @classmethod
    def of(cls, matrix: sp.csc_array, order: NarrowOrder) -> "BandedLU":
        position, lower, upper = order
        column = np.repeat(position, np.diff(matrix.indptr))
        band = np.zeros((2 * lower + upper + 1, position.size), dtype=matrix.dtype, order="F")
        band[lower + upper + position[matrix.indices] - column, column] = matrix.data
        factorise: Any = get_lapack_funcs("gbtrf", (band,))
        factors, pivots, zero = factorise(band, lower, upper, overwrite_ab=True)
        if zero:
            raise NotConverged(SINGULAR)
        return cls(order, factors, pivots)

    def solve(self, b: Numbers) -> Numbers:
        """Return x with matrix · x = b, of the shape of b, (n,) or (n, k); real b if L is."""
        position, lower, upper = self.order
        right = np.empty(b.shape, dtype=self.factors.dtype, order="F")
        right[position] = b
        x, _ = self._substitute(self.factors, lower, upper, right, self.pivots, overwrite_b=True)
        return np.asarray(x[position])

    @cached_property
    def _substitute(self) -> Any:
        return get_lapack_funcs("gbtrs", (self.factors,))

    @property
    def filled(self) -> int:
        """Entries of the band, with the diagonals that row interchanges may fill."""
        return int(self.factors.size)


@dataclass(frozen=True, eq=False)
class FilledLU:
    """SuperLU with an ordering (COLAMD) whose fill is bounded for any row interchanges.

    Minimum degree on A + Aᵀ fills half as much where no pivoting is needed, and a hundred times as
    much where coherences oscillate faster than they decay and rows are swapped.
    """

    lu: SuperLU

    @classmethod
    def of(cls, matrix: sp.csc_array) -> "FilledLU":
        try:
            return cls(splu(matrix, permc_spec="COLAMD", diag_pivot_thresh=PIVOT_THRESHOLD))
        except RuntimeError:  # a pivot is exactly zero
            raise NotConverged(SINGULAR) from None

    def solve(self, b: Numbers) -> Numbers:
        return np.asarray(self.lu.solve(b))

    @cached_property
    def filled(self) -> int:
        """Entries of L and U that are not zero."""
        return int(self.lu.L.nnz + self.lu.U.nnz)


Factorisation = BandedLU | FilledLU


def factorised(matrix: sp.csc_array) -> Factorisation:
    """Return the LU with partial pivoting of a sparse matrix; NotConverged if it is singular."""
    order = narrow_order(matrix)
    banded = order.lower + order.upper <= WIDEST_BAND
    return BandedLU.of(matrix, order) if banded else FilledLU.of(matrix)


class Inverse(Protocol):
    """The pseudo-inverse of a generator: x with generator · x = b; x and b have trace zero."""

    def solve(self, b: FloatArray) -> FloatArray:
        """Return x to the precision of the method."""

    def rough(self, b: FloatArray) -> FloatArray:
        """Return x to about a tenth, enough for estimates of rates and errors."""


@dataclass(frozen=True, eq=False)
class ShiftedLU:
    """An LU of A − σ, with σ > 0 far below every nonzero rate.

    A is singular; A − σ is not, and no row of A has to be replaced by the trace, a choice whose
    accuracy depends on which states are occupied.
    """

    generator: sp.csc_array
    shift: float
    lu: Factorisation

    @classmethod
    def of(cls, generator: sp.csc_array, shift: float | None = None) -> "ShiftedLU":
        sigma = SHIFT * (norm(generator) or 1.0) if shift is None else shift
        identity = sp.eye_array(generator.shape[0], format="csc")
        return cls(generator, sigma, factorised(sp.csc_array(generator - sigma * identity)))

    def __reduce__(self) -> tuple[Any, ...]:
        return ShiftedLU.of, (self.generator, self.shift)  # the LU is made again when loaded


@dataclass(frozen=True, eq=False)
class TracelessInverse:
    """`Inverse` by a shifted LU, refined until the shift has no effect; `steady` has trace one."""

    factorisation: ShiftedLU
    sector: Sector
    steady: FloatArray

    def solve(self, b: FloatArray) -> FloatArray:
        x, residual, last = np.zeros_like(b), self._traceless(b), np.inf
        for _ in range(REFINEMENTS):
            step = self._traceless(self.factorisation.lu.solve(residual))
            size = float(np.abs(step).sum())
            if size > 0.5 * last:
                break
            x += step
            residual = self._traceless(b - self.factorisation.generator @ x)
            last = size
            if size <= REFINED * float(np.abs(x).sum()):
                break
        return x

    def rough(self, b: FloatArray) -> FloatArray:
        """Return x without refinement; b of shape (n,) or (n, k)."""
        return self._traceless(self.factorisation.lu.solve(b))

    def _traceless(self, x: FloatArray) -> FloatArray:
        return np.asarray(x - np.multiply.outer(self.steady, self.sector.trace @ x))


def column_sums(generator: sp.csc_array) -> FloatArray:
    """Return the sum of magnitudes of each column, (n,)."""
    running = np.concatenate(([0.0], np.cumsum(np.abs(generator.data))))
    return np.asarray(np.diff(running[generator.indptr]))


def norm(generator: sp.csc_array) -> float:
    """Return the 1-norm: the largest of the column sums."""
    return float(column_sums(generator).max(initial=0.0))
