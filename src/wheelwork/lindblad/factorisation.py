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
from wheelwork._computed import Computed
from wheelwork.errors import NotConverged
from wheelwork.lindblad.operators import IndexArray
from wheelwork.lindblad.sector import Sector
from wheelwork.numerics.work import require_budget, tick

WIDEST_BAND = 64  # diagonals beside the main one: beyond, a sparse LU fills less
PIVOT_THRESHOLD = 0.1  # SuperLU keeps a diagonal pivot this large relative to its column
# Seconds on one core: of a sparse LU per cube of its separator (13 to 35 ns over grids of two to
# eight dimensions), and of a dense one per cube of its size; and bytes of an entry of each.
FILLED_SECONDS, DENSE_SECONDS = 15e-9, 0.08e-9
FILLED_BYTES, DENSE_BYTES = 12.0, 8.0
FILL = 2.0  # entries of a sparse LU, in unknowns times separator: from 1 to 3
FULL = 0.2  # share of entries that are not zero, from which an LU is dense without a search
BUDGET = 10.0  # estimated seconds of one LU
MOST_BYTES = 2e9  # of the factors
SHIFT = 1e-13  # of the generator's norm: far below every rate, above the rounding of an LU
REFINEMENTS = 20  # most; each reduces the error by shift/rate, so that one or two are usual
REFINED = 1e-13  # last step of a refinement, relative to the solution
LU_ADVICE = "make the system smaller, or raise the `budget` of `SparseLU`"
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
class BandedLU(Computed):
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
class FilledLU(Computed):
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


@dataclass(frozen=True, eq=False)
class DenseLU(Computed):
    """LAPACK's LU of the full matrix, for those whose sparse LU would be nearly full."""

    factors: Numbers
    pivots: npt.NDArray[np.int32]

    @classmethod
    def of(cls, matrix: sp.csc_array) -> "DenseLU":
        full = matrix.toarray(order="F")
        factorise: Any = get_lapack_funcs("getrf", (full,))
        factors, pivots, zero = factorise(full, overwrite_a=True)
        if zero:
            raise NotConverged(SINGULAR)
        return cls(factors, pivots)

    def solve(self, b: Numbers) -> Numbers:
        """Return x with matrix · x = b, of the shape of b."""
        x, _ = self._substitute(self.factors, self.pivots, b)
        return np.asarray(x)

    @cached_property
    def _substitute(self) -> Any:
        return get_lapack_funcs("getrs", (self.factors,))

    @property
    def filled(self) -> int:
        return int(self.factors.size)


Factorisation = BandedLU | FilledLU | DenseLU


@dataclass(frozen=True, eq=False)
class Plan:
    """The kind of LU that suits a matrix, and its estimated cost.

    kind: class of the LU. order: of a band. seconds: on one core, to a factor of three. bytes: of
    the factors.
    """

    kind: type[BandedLU] | type[FilledLU] | type[DenseLU]
    order: NarrowOrder | None
    unknowns: int
    seconds: float
    bytes: float

    @classmethod
    def of(cls, matrix: sp.csc_array) -> "Plan":
        n = matrix.shape[0]
        dense = (DenseLU, None, n, DENSE_SECONDS * float(n) ** 3, DENSE_BYTES * float(n) ** 2)
        if matrix.nnz > FULL * float(n) ** 2:
            return cls(*dense)
        order = narrow_order(matrix)
        width = order.lower + order.upper
        if width <= WIDEST_BAND:
            entries = float(n * (width + order.lower + 1))
            return cls(BandedLU, order, n, 1e-9 * entries * (width + 1), 8.0 * entries)
        s = separator(matrix, order.position)
        seconds = FILLED_SECONDS * float(s) ** 3
        if dense[3] < seconds and dense[4] <= MOST_BYTES:
            return cls(*dense)
        return cls(FilledLU, None, n, seconds, FILLED_BYTES * min(FILL * s, float(n)) * n)

    def require(self, budget: float, advice: str) -> None:
        """Raise NotConverged where the estimated time or memory is above its budget."""
        task = f"an LU of {self.unknowns} unknowns"
        require_budget(task, self.seconds, budget, "seconds", advice)
        require_budget(task, self.bytes, MOST_BYTES, "bytes", advice)

    def factorise(self, matrix: sp.csc_array) -> Factorisation:
        tick("LU of the generator")
        try:
            if self.order is not None:
                return BandedLU.of(matrix, self.order)
            return DenseLU.of(matrix) if self.kind is DenseLU else FilledLU.of(matrix)
        except MemoryError:
            raise NotConverged(
                f"an LU of {self.unknowns} unknowns needs more memory than there is, "
                f"about {self.bytes:.1e} bytes"
            ) from None


def separator(matrix: sp.csc_array, position: IndexArray) -> int:
    """Return the fewest unknowns whose removal cuts the middle third of an order in two."""
    n = position.size
    row, column = position[matrix.indices], np.repeat(position, np.diff(matrix.indptr))
    last = np.arange(n)  # neighbour of each unknown
    np.maximum.at(last, np.minimum(row, column), np.maximum(row, column))
    crossing = np.arange(1, n + 1) - np.cumsum(np.bincount(last, minlength=n))
    return int(crossing[n // 3 : 2 * n // 3 + 1].min(initial=n))


def factorised(
    matrix: sp.csc_array, budget: float = np.inf, advice: str = "make the system smaller"
) -> Factorisation:
    """Return the LU with partial pivoting of a sparse matrix.

    Raises NotConverged if it is singular, or beforehand where its estimated time exceeds `budget`
    seconds or its memory 2 GB; `advice` then tells what to change.
    """
    plan = Plan.of(matrix)
    plan.require(budget, advice)
    return plan.factorise(matrix)


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
    def of(
        cls, generator: sp.csc_array, shift: float | None = None, budget: float = BUDGET
    ) -> "ShiftedLU":
        """Return it; NotConverged where its estimated seconds exceed `budget`."""
        sigma = SHIFT * (norm(generator) or 1.0) if shift is None else shift
        identity = sp.eye_array(generator.shape[0], format="csc")
        matrix = sp.csc_array(generator - sigma * identity)
        return cls(generator, sigma, factorised(matrix, budget, LU_ADVICE))

    def __reduce__(self) -> tuple[Any, ...]:
        return ShiftedLU.of, (
            self.generator,
            self.shift,
            np.inf,
        )  # the LU is made again when loaded


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
