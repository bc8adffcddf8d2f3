"""Functions of one variable as tables of piecewise Chebyshev series, refined to a tolerance."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from numpy.polynomial import chebyshev
from scipy.fft import dct

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import NotConverged
from wheelwork.numerics.compiling import compiled
from wheelwork.numerics.work import tick

DEGREES = (32, 64)  # tried on each piece, on nested points, before it is halved
MAXIMUM_PIECES = 1000  # bounds the time spent on a function that no table follows
_TOGETHER = 32  # points evaluated side by side: four wide vectors of arithmetic
SMALLEST_PIECE = 1e-5  # of the interval; structure on a shorter length counts as a discontinuity

VectorFunction = Callable[[FloatArray], FloatArray]
Piece = tuple[float, float, FloatArray, FloatArray, FloatArray]  # ends, series, bound, error


@dataclass(frozen=True, eq=False, repr=False)
class ChebyshevTable(Computed):
    """Piecewise Chebyshev series of a vector-valued function.

    breaks: (pieces + 1,) increasing. series: (pieces, components, terms) coefficients on
    [-1, 1] of each piece. bounds: (pieces, components) estimated absolute errors. error:
    (components,) largest estimated error relative to the local magnitude. Outside
    [breaks[0], breaks[-1]] the series of the nearest piece is continued: callers stay inside.
    """

    breaks: FloatArray
    series: FloatArray
    bounds: FloatArray
    error: FloatArray

    def __repr__(self) -> str:
        pieces, components, _ = self.series.shape
        size = f"{components} components on {pieces} pieces"
        return f"ChebyshevTable(<{size} from {self.low:.4g} to {self.high:.4g}>)"

    def __call__(self, x: FloatArray) -> FloatArray:
        """Return values of shape (components, *x.shape)."""
        points = np.ascontiguousarray(x, dtype=np.float64)
        values = _evaluate(self.breaks, self._by_term, self._terms, points.ravel())
        return np.asarray(values.reshape((self.series.shape[1], *points.shape)))

    @cached_property
    def _by_term(self) -> FloatArray:
        return np.ascontiguousarray(np.swapaxes(self.series, 1, 2))

    @cached_property
    def _terms(self) -> npt.NDArray[np.intp]:
        """Terms of each piece up to the last that is not zero."""
        present = np.any(self.series != 0.0, axis=1)
        return np.asarray(np.maximum(present.shape[1] - np.argmax(present[:, ::-1], axis=1), 1))

    def bound(self, x: FloatArray) -> FloatArray:
        """Estimated absolute errors at x, (components, *x.shape)."""
        piece = np.searchsorted(self.breaks, x) - 1
        return np.moveaxis(self.bounds[np.clip(piece, 0, len(self.bounds) - 1)], -1, 0)

    @property
    def low(self) -> float:
        return float(self.breaks[0])

    @property
    def high(self) -> float:
        return float(self.breaks[-1])

    @cached_property
    def finest(self) -> float:
        """Smallest distance over which the table resolves structure."""
        return float(np.min(np.diff(self.breaks)) / self.series.shape[2])

    @cached_property
    def magnitude(self) -> FloatArray:
        """Bound on the largest absolute value of each component."""
        return np.asarray(np.max(np.sum(np.abs(self.series), axis=2), axis=0))

    def component(self, index: int) -> "ChebyshevTable":
        """One component as a separate table."""
        one = slice(index, index + 1)
        series = np.ascontiguousarray(self.series[:, one])
        return ChebyshevTable(self.breaks, series, self.bounds[:, one], self.error[one])

    def derivative(self) -> "ChebyshevTable":
        """The table of the derivative."""
        half = 0.5 * np.diff(self.breaks)[:, None, None]
        series = chebyshev.chebder(self.series, axis=2) / half
        bounds = self.bounds * self.series.shape[2] / half[:, :, 0]
        return ChebyshevTable(self.breaks, np.ascontiguousarray(series), bounds, self.error)

    def antiderivative(self) -> "ChebyshevTable":
        """The table of the integral from the lower end."""
        half = 0.5 * np.diff(self.breaks)[:, None, None]
        series = chebyshev.chebint(self.series, lbnd=-1.0, axis=2) * half
        steps = np.sum(series, axis=2)
        series[1:, :, 0] += np.cumsum(steps, axis=0)[:-1]
        bounds = np.cumsum(2.0 * self.bounds * half[:, :, 0], axis=0)
        return ChebyshevTable(self.breaks, np.ascontiguousarray(series), bounds, self.error)

    def times_argument(self, factor: float = 1.0) -> "ChebyshevTable":
        """The table of factor x f(x)."""
        low, high = self.breaks[:-1, None, None], self.breaks[1:, None, None]
        half, turned = 0.25 * factor * (high - low), self.series.copy()
        turned[:, :, 0] *= 2.0  # 2 t T_n = T_{n+1} + T_{n−1}, 2 t T_0 = 2 T_1
        series = _padded(0.5 * factor * (low + high) * self.series, self.series.shape[2] + 1)
        series[:, :, 1:] += half * turned
        series[:, :, :-2] += half * self.series[:, :, 1:]
        bounds = abs(factor) * np.maximum(np.abs(low), np.abs(high))[:, :, 0] * self.bounds
        return ChebyshevTable(self.breaks, series, bounds, self.error)

    def joined(self, other: "ChebyshevTable") -> "ChebyshevTable":
        """Return this table continued by `other`, which starts where this one ends."""
        terms = max(self.series.shape[2], other.series.shape[2])
        return ChebyshevTable(
            np.concatenate([self.breaks, other.breaks[1:]]),
            np.concatenate([_padded(self.series, terms), _padded(other.series, terms)]),
            np.concatenate([self.bounds, other.bounds]),
            np.maximum(self.error, other.error),
        )


def tabulate(
    function: VectorFunction,
    low: float,
    high: float,
    rtol: float,
    floor: FloatArray | float = 0.0,
    checked: int | None = None,
    pieces: int = 1,
) -> ChebyshevTable:
    """Tabulate `function` on [low, high] to `rtol` of its magnitude.

    function: (n,) -> (components, n). The magnitude of a component is its largest value on the
    piece, at least a hundredth of that on the whole interval, and at least `floor`. Only the
    first `checked` components decide on the refinement; the others are tabulated on the same
    pieces, with the error that this gives. It begins with `pieces` equal ones. Each is tried at
    degrees 32 and 64 on nested Chebyshev-Lobatto points, then halved. Raises NotConverged after
    1000 pieces, or when one would be shorter than 1e-5 of the interval.
    """
    ends = np.linspace(low, high, pieces + 1).tolist()
    pending = list(pairwise(ends))
    done: list[Piece] = []
    while pending:
        a, b = min(pending, key=lambda ends: ends[1] - ends[0])
        if b - a < SMALLEST_PIECE * (high - low) or len(done) + len(pending) > MAXIMUM_PIECES:
            raise NotConverged(
                f"a table on [{low:g}, {high:g}] did not reach rtol = {rtol:g} with "
                f"{len(done) + len(pending)} pieces; the function has structure near {a:g}"
            )
        tick("tables", len(done), len(done) + len(pending))
        finished, failed, floor = _fit(function, pending, rtol, floor, checked)
        done += finished
        pending = [half for a, b in failed for half in ((a, (a + b) / 2), ((a + b) / 2, b))]
    done.sort(key=lambda piece: piece[0])
    trimmed = [series[..., : _needed(series, rtol)] for _, _, series, *_ in done]
    terms = max(series.shape[-1] for series in trimmed)
    breaks = np.array([piece[0] for piece in done] + [high])
    stacked = np.stack([_padded(series, terms) for series in trimmed])
    bounds = np.stack([bound for *_, bound, _ in done])
    return ChebyshevTable(breaks, stacked, bounds, np.max([error for *_, error in done], axis=0))


def _fit(
    function: VectorFunction,
    intervals: list[tuple[float, float]],
    rtol: float,
    floor: FloatArray | float,
    checked: int | None,
) -> tuple[list[Piece], list[tuple[float, float]], FloatArray | float]:
    """Try all `intervals` at rising degrees; return the fitted pieces, the failures, the floor."""
    finished: list[Piece] = []
    values: FloatArray | None = None
    for degree in DEGREES:
        values = _sample(function, intervals, degree, values)
        series = dct(values, type=1, axis=-1) / degree
        series[..., 0] *= 0.5
        series[..., -1] *= 0.5
        tail = np.max(np.abs(series[..., -3:]), axis=-1)
        magnitude = np.max(np.abs(values), axis=-1)
        floor = np.maximum(floor, 1e-2 * np.max(magnitude, axis=0))
        error = tail / np.maximum(magnitude, np.maximum(floor, np.finfo(float).tiny))
        converged = np.all(error[:, :checked] <= rtol, axis=1)
        # The remainder of a series that has not converged may be many times its last terms.
        remainder = np.where(error > rtol, 2.0 * degree, 1.0)
        tail, error = remainder * tail, remainder * error
        finished += [
            (*interval, series[i], tail[i], error[i])
            for i, interval in enumerate(intervals)
            if converged[i]
        ]
        intervals = [interval for i, interval in enumerate(intervals) if not converged[i]]
        values = values[~converged]
        if not intervals:
            break
    return finished, intervals, floor


def _sample(
    function: VectorFunction,
    intervals: list[tuple[float, float]],
    degree: int,
    coarser: FloatArray | None,
) -> FloatArray:
    """Values (intervals, components, degree + 1) at Lobatto points, reusing the coarser ones."""
    ends = np.array(intervals)
    centre, half = ends.mean(axis=1)[:, None], 0.5 * np.diff(ends, axis=1)
    index = np.arange(degree + 1) if coarser is None else np.arange(1, degree, 2)
    points = centre + half * np.cos(np.pi * index / degree)
    fresh = np.asarray(function(points.ravel()))
    fresh = np.moveaxis(fresh.reshape((-1, *points.shape)), 0, 1)
    if coarser is None:
        return fresh
    values = np.empty((*fresh.shape[:2], degree + 1))
    values[..., index] = fresh
    values[..., ::2] = coarser
    return values


def _needed(series: FloatArray, rtol: float) -> int:
    """Terms up to the last that matters at a thousandth of the tolerance."""
    matters = np.abs(series) > 1e-3 * rtol * np.max(np.abs(series), axis=-1, keepdims=True)
    return int(np.max(np.nonzero(matters)[-1], initial=0)) + 1


def _padded(series: FloatArray, terms: int) -> FloatArray:
    missing = terms - series.shape[-1]
    return np.pad(series, [(0, 0)] * (series.ndim - 1) + [(0, missing)])


@compiled
def _evaluate(breaks, series, terms, points):  # type: ignore[no-untyped-def]
    """Clenshaw's recurrence; series: (pieces, terms, components).

    Points of a piece go side by side, as a single recurrence waits on itself at each term.
    """
    pieces, _, components = series.shape
    values = np.empty((components, points.size))
    order, start = _by_piece(breaks, points)
    t, b1, b2 = np.empty(_TOGETHER), np.empty(_TOGETHER), np.empty(_TOGETHER)
    for piece in range(pieces):
        low, high = breaks[piece], breaks[piece + 1]
        for begin in range(start[piece], start[piece + 1], _TOGETHER):
            count = min(_TOGETHER, start[piece + 1] - begin)
            for j in range(count):
                t[j] = 2.0 * ((2.0 * points[order[begin + j]] - low - high) / (high - low))
            for c in range(components):
                b1[:] = 0.0
                b2[:] = 0.0
                for k in range(terms[piece] - 1, 0, -1):
                    coefficient = series[piece, k, c]
                    for j in range(_TOGETHER):
                        new = coefficient + t[j] * b1[j] - b2[j]
                        b2[j] = b1[j]
                        b1[j] = new
                for j in range(count):
                    value = series[piece, 0, c] + 0.5 * t[j] * b1[j] - b2[j]
                    values[c, order[begin + j]] = value
    return values


@compiled
def _by_piece(breaks, points):  # type: ignore[no-untyped-def]
    """Indices of the points piece by piece, and where the run of each piece starts."""
    pieces = breaks.size - 1
    piece, order = np.empty(points.size, np.int64), np.empty(points.size, np.int64)
    start = np.zeros(pieces + 2, np.int64)
    for i in range(points.size):
        piece[i] = min(max(np.searchsorted(breaks, points[i]) - 1, 0), pieces - 1)
        start[piece[i] + 2] += 1
    for p in range(pieces):
        start[p + 2] += start[p + 1]
    for i in range(points.size):
        order[start[piece[i] + 1]] = i
        start[piece[i] + 1] += 1
    return order, start
