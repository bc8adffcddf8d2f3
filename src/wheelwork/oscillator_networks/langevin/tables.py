"""Functions of an occupation as cubics on cells of u = 1 + n/scale, found from the bits of u.

Every octave 2^e ≤ u < 2^(e+1) is cut into 2^k equal cells: fine where the functions bend, and
up to n = 2^40 scale without a logarithm.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np
from scipy.interpolate import CubicSpline

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged

OCTAVES = 40
COARSEST, FINEST = 4, 9  # k
ACCURACY = 2e-5  # of a function, against its own size
SMALL = 0.1  # of its largest value in an octave, below which accuracy does not matter
LARGEST_ERROR = 1e-2

Function = Callable[[FloatArray], FloatArray]
"""Occupations (M,) -> values (M,)."""

_EXPONENT_ONE = np.uint64(0x3FF0000000000000)
_MANTISSA = np.uint64(0x000FFFFFFFFFFFFF)
_FIFTY_TWO = np.uint64(52)


@dataclass(frozen=True, eq=False)
class Table:
    """coefficients: (F, cells, 4) of F functions. fineness: k. error: largest, relative."""

    coefficients: FloatArray
    fineness: int
    error: float


def tabulate(functions: list[Function], scale: float, fineness: int = COARSEST) -> Table:
    """Return a table of `functions`, finer until it meets 2e-5 or 512 cells per octave.

    Raises NotConverged where it then is off by more than a hundredth.
    """
    for k in range(fineness, FINEST + 1):
        u = _mesh(k)
        splines = [CubicSpline(u, function((u - 1.0) * scale)) for function in functions]
        middle = 0.5 * (u[1:] + u[:-1])
        error = 0.0
        for function, spline in zip(functions, splines, strict=True):
            exact = function((middle - 1.0) * scale)
            error = max(error, float(np.max(np.abs(spline(middle) - exact) / _size(exact, k))))
        if error <= ACCURACY:
            break
    if not error <= LARGEST_ERROR:
        raise NotConverged(
            f"a rate or noise varies too sharply with the occupation: a table of {2**k} cells per "
            f"factor of two is off by {error:.2g} of it; smooth it"
        )
    width = np.diff(u)[:, None] ** np.arange(4)
    cells = [spline.c[::-1].T * width for spline in splines]
    return Table(np.ascontiguousarray(np.array(cells).reshape(-1, u.size - 1, 4)), k, error)


def _size(values: FloatArray, k: int) -> FloatArray:
    """Against what an error is held: a value, or a tenth of the largest in its octave."""
    size = np.abs(values)
    largest = np.repeat(np.max(size.reshape(OCTAVES, 2**k), axis=1), 2**k)
    found: FloatArray = np.maximum(size, SMALL * largest) + 1e-300
    return found


def _mesh(k: int) -> FloatArray:
    within = 1.0 + np.arange(2**k) / 2**k
    octaves = 2.0 ** np.arange(OCTAVES)
    return np.append((octaves[:, None] * within).ravel(), 2.0**OCTAVES)


@numba.njit(inline="always", error_model="numpy")
def locate(u, k, last):  # type: ignore[no-untyped-def]
    """Return the cell of u ≥ 1 and the place in it, 0 … 1; beyond the table, its end."""
    bits = np.float64(u).view(np.uint64)
    shift = _FIFTY_TWO - k
    cell = (bits >> shift) - (_EXPONENT_ONE >> shift)
    rest = ((bits << k) & _MANTISSA) | _EXPONENT_ONE
    t = np.uint64(rest).view(np.float64) - 1.0
    inside = cell < last
    return (np.int64(cell) if inside else np.int64(last) - 1), (t if inside else 1.0)


@numba.njit(inline="always", error_model="numpy")
def cubic(table, cell, t):  # type: ignore[no-untyped-def]
    """Evaluate one function, (cells, 4)."""
    value = table[cell, 3] * t + table[cell, 2]
    return (value * t + table[cell, 1]) * t + table[cell, 0]
