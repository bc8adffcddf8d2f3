"""Functions of one variable as cubic polynomials on cells, for compiled look-up.

Positions use equal cells about zero, located by one multiplication. Occupations n ≥ 0 use cells of
u = 1 + n/scale in octaves, located from the bits of u: every octave 2^e ≤ u < 2^(e+1) is cut into
2^k equal cells, fine where the functions bend, and up to n = 2^40 scale without a logarithm.
Coefficients of both are (cells, functions, 4), rising powers of the position in the cell, 0 … 1:
what is looked up together lies together.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.numerics.compiling import inlined
from wheelwork.numerics.work import tick

TERMS = 4
FEWEST_CELLS, MOST_CELLS = 128, 131072  # the finest table, of seven functions, takes 30 MB
SMALL_VALUE = 1e-2  # of the largest, below which a value's own size does not matter
_NODES = np.array([0.0, 0.25, 0.75, 1.0])  # of a cell: its Chebyshev–Lobatto points
_CHECKS = np.array([0.1, 0.5, 0.9])  # near the extremes of the error between the nodes
_TO_CUBIC = np.linalg.inv(np.vander(_NODES, TERMS, increasing=True))

OCTAVES = 40  # n up to 1e12 scale: far beyond what is reached
COARSEST, FINEST = 4, 9  # k
OCTAVE_RTOL = 2e-5  # of a function, against its own size: far below sampling errors
SMALL_IN_OCTAVE = 0.1  # of the largest value in an octave, below which accuracy does not matter
LARGEST_ERROR = 1e-2  # of the finest table, where a function has a kink
_EXPONENT_ONE = np.uint64(0x3FF0000000000000)  # the bits of 1.0
_MANTISSA = np.uint64(0x000FFFFFFFFFFFFF)
_MANTISSA_BITS = np.uint64(52)

Function = Callable[[FloatArray], FloatArray]
"""Values (M,) -> function (M,), or several functions (functions, M)."""


@dataclass(frozen=True, eq=False)
class EqualCells:
    """Cubic pieces of a vector-valued function on |X| ≤ reach.

    spacing: length of a cell. coefficients: (cells, functions, 4). error: largest error between
    the nodes, relative to the value there or to 1e-2 of the largest value, whichever is more.
    """

    spacing: float
    coefficients: FloatArray
    error: float

    def __call__(self, X: FloatArray) -> FloatArray:
        """Return values (functions, n) at X (n,)."""
        position = X / self.spacing
        whole = np.floor(position)
        index = np.clip(whole + len(self.coefficients) // 2, 0, len(self.coefficients) - 1)
        pieces = self.coefficients[index.astype(int)]
        powers = (position - whole)[:, None] ** np.arange(TERMS)
        return np.asarray(np.einsum("ict,it->ci", pieces, powers))


def equal_cells(function: Function, reach: float, rtol: float) -> EqualCells:
    """Fit `function`, (n,) -> (functions, n), on |X| ≤ reach, halving the cells down to `rtol`.

    Raises NotConverged when 131072 cells do not suffice.
    """
    cells = FEWEST_CELLS
    while cells <= MOST_CELLS:
        tick("a table of step coefficients", cells, MOST_CELLS)
        table = _fitted(function, reach, cells)
        if table.error <= rtol:
            return table
        cells *= 2
    raise NotConverged(
        f"the look-up table on |x/x0| <= {reach:g} did not reach rtol = {rtol:g} with "
        f"{MOST_CELLS} cells, but {table.error:.1e}; the coefficients have too fine a structure"
    )


def _fitted(function: Function, reach: float, cells: int) -> EqualCells:
    spacing = 2.0 * reach / cells
    left = spacing * (np.arange(cells) - cells // 2)
    nodes = left[:, None] + spacing * _NODES
    values = function(nodes.ravel()).reshape((-1, cells, TERMS))
    coefficients = np.ascontiguousarray(np.swapaxes(values @ _TO_CUBIC.T, 0, 1))
    checks = (left[:, None] + spacing * _CHECKS).ravel()
    exact = function(checks)
    largest = np.max(np.abs(exact), axis=1, keepdims=True)
    size = np.abs(exact) + SMALL_VALUE * largest + 1e-300
    table = EqualCells(spacing, coefficients, 0.0)
    error = float(np.max(np.abs(table(checks) - exact) / size))
    return EqualCells(spacing, coefficients, error)


@dataclass(frozen=True, eq=False)
class OctaveCells:
    """coefficients: (cells, functions, 4). fineness: k. error: largest, relative."""

    coefficients: FloatArray
    fineness: int
    error: float


def octave_cells(functions: list[Function], scale: float, fineness: int = COARSEST) -> OctaveCells:
    """Return a table of `functions` of n, refined to an error of 2e-5 or 512 cells per octave.

    Raises NotConverged where it then is off by more than a hundredth.
    """
    for k in range(fineness, FINEST + 1):
        tick("a table of rates", k, FINEST)
        within = 1.0 + np.arange(2**k) / 2**k
        octaves = 2.0 ** np.arange(OCTAVES)
        u = np.append((octaves[:, None] * within).ravel(), 2.0**OCTAVES)
        splines = [CubicSpline(u, function((u - 1.0) * scale)) for function in functions]
        middle, error = 0.5 * (u[1:] + u[:-1]), 0.0
        for function, spline in zip(functions, splines, strict=True):
            exact = function((middle - 1.0) * scale)
            off = np.abs(spline(middle) - exact)
            error = max(error, float(np.max(off / _octave_size(exact, k))))
        if error <= OCTAVE_RTOL:
            break
    if not error <= LARGEST_ERROR:
        raise NotConverged(
            f"a rate or noise varies too sharply with the occupation: a table of {2**k} cells per "
            f"factor of two is off by {error:.2g} of it; smooth it"
        )
    width = np.diff(u)[:, None] ** np.arange(TERMS)
    pieces = [spline.c[::-1].T * width for spline in splines]
    return OctaveCells(np.stack(pieces, axis=1), k, error)


def _octave_size(values: FloatArray, k: int) -> FloatArray:
    """Scale of relative errors: the value, or a tenth of the largest in its octave."""
    size = np.abs(values)
    largest = np.repeat(np.max(size.reshape(OCTAVES, 2**k), axis=1), 2**k)
    return np.asarray(np.maximum(size, SMALL_IN_OCTAVE * largest) + 1e-300)


@inlined
def locate_equal(X, per_cell, half, last):  # type: ignore[no-untyped-def]
    """Return the index of the cell at X, kept within 0 … last, and the position in it.

    per_cell = 1/spacing, half = cells/2 as floats. NaN falls into the first cell.
    """
    position = X * per_cell
    whole = math.floor(position)
    index = whole + half
    index = index if index > 0.0 else 0.0
    index = index if index < last else last
    return np.uint64(np.int64(index)), position - whole


@inlined
def locate_octave(u, k, cells):  # type: ignore[no-untyped-def]
    """Return the index of the cell of u ≥ 1 and the position in it; beyond the table, its end."""
    bits = np.float64(u).view(np.uint64)
    shift = _MANTISSA_BITS - k
    cell = (bits >> shift) - (_EXPONENT_ONE >> shift)
    rest = ((bits << k) & _MANTISSA) | _EXPONENT_ONE
    t = np.uint64(rest).view(np.float64) - 1.0
    inside = cell < cells
    return (np.int64(cell) if inside else np.int64(cells) - 1), (t if inside else 1.0)


@inlined
def cubic(table, cell, function, t):  # type: ignore[no-untyped-def]
    """Evaluate one function of coefficients (cells, functions, 4)."""
    value = table[cell, function, 3] * t + table[cell, function, 2]
    return (value * t + table[cell, function, 1]) * t + table[cell, function, 0]
