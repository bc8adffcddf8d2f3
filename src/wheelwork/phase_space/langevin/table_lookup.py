"""Functions of X as cubic polynomials on equal cells: one multiplication finds the cell."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged

TERMS = 4
FEWEST_CELLS, MOST_CELLS = 128, 131072
_NODES = np.array([0.0, 0.25, 0.75, 1.0])
_CHECKS = np.array([0.1, 0.5, 0.9])
_TO_CUBIC = np.linalg.inv(np.vander(_NODES, TERMS, increasing=True))


@dataclass(frozen=True)
class Cells:
    """Cubic pieces of a vector-valued function on |X| ≤ reach.

    spacing: length of a cell. coefficients: (cells, components, 4), rising powers of the
    position in the cell, from 0 to 1. error: largest error found between the nodes, relative to
    the value there or to 1e-2 of the largest value, whichever is more.
    """

    spacing: float
    coefficients: FloatArray
    error: float

    @property
    def reach(self) -> float:
        return 0.5 * self.spacing * len(self.coefficients)

    def __call__(self, X: FloatArray) -> FloatArray:
        """Return values (components, n) at X (n,)."""
        place = X / self.spacing
        whole = np.floor(place)
        index = np.clip(whole + len(self.coefficients) // 2, 0, len(self.coefficients) - 1)
        pieces = self.coefficients[index.astype(int)]
        powers = (place - whole)[:, None] ** np.arange(TERMS)
        return np.asarray(np.einsum("ict,it->ci", pieces, powers))


def cubic_cells(function: Callable[[FloatArray], FloatArray], reach: float, rtol: float) -> Cells:
    """Fit `function`, (n,) -> (components, n), on |X| ≤ reach, halving the cells down to `rtol`.

    Raises NotConverged when 131072 cells do not suffice.
    """
    cells = FEWEST_CELLS
    while cells <= MOST_CELLS:
        found = _fitted(function, reach, cells)
        if found.error <= rtol:
            return found
        cells *= 2
    raise NotConverged(
        f"the look-up table on |x/x0| <= {reach:g} did not reach rtol = {rtol:g} with "
        f"{MOST_CELLS} cells, but {found.error:.1e}; the coefficients have too fine a structure"
    )


def _fitted(function: Callable[[FloatArray], FloatArray], reach: float, cells: int) -> Cells:
    spacing = 2.0 * reach / cells
    left = spacing * (np.arange(cells) - cells // 2)
    nodes = left[:, None] + spacing * _NODES
    values = function(nodes.ravel()).reshape((-1, cells, TERMS))
    coefficients = np.ascontiguousarray(np.swapaxes(values @ _TO_CUBIC.T, 0, 1))
    checks = (left[:, None] + spacing * _CHECKS).ravel()
    exact = function(checks)
    size = np.abs(exact) + 1e-2 * np.max(np.abs(exact), axis=1, keepdims=True) + 1e-300
    found = Cells(spacing, coefficients, 0.0)
    return Cells(spacing, coefficients, float(np.max(np.abs(found(checks) - exact) / size)))


@numba.njit(inline="always", error_model="numpy")
def locate(X, per_cell, half, last):  # type: ignore[no-untyped-def]
    """Return the index of the cell at X, kept within 0 … last, and the position in it.

    per_cell = 1/spacing, half = cells/2 as floats. NaN falls into the first cell.
    """
    place = X * per_cell
    whole = math.floor(place)
    index = whole + half
    index = index if index > 0.0 else 0.0
    index = index if index < last else last
    return np.uint64(np.int64(index)), place - whole


@numba.njit(inline="always", error_model="numpy")
def cubic(table, cell, component, t):  # type: ignore[no-untyped-def]
    """Evaluate one component of coefficients (cells, components, 4)."""
    value = table[cell, component, 3] * t + table[cell, component, 2]
    return (value * t + table[cell, component, 1]) * t + table[cell, component, 0]
