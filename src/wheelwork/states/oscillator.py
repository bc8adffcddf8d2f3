"""The harmonic oscillator: units, normal order, and its functions in position and phase space.

Units: a = x/x0 + i p/p0 with x0 = sqrt(2/(m omega)) and p0 = sqrt(2 m omega), hence x0 p0 = 2.

Normal order: means over W are those of symmetrically ordered products, so that with
|alpha|² = (x/x0)² + (p/p0)²

    <a†a> = <|alpha|²> - 1/2,    <a†a†aa> = <|alpha|⁴> - 2 <|alpha|²> + 1/2.

Hermite and Laguerre functions both obey a three-term recurrence in n that is stable upwards. Their
first member may underflow where a later one is of order one (exp(-x²/2) vanishes at x = 39,
phi_1000 reaches to x = 45), so such a point climbs with its logarithm kept apart until it is
representable.
"""

import math

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray, finite_array, integer
from wheelwork.errors import InvalidArgument
from wheelwork.numerics.compiling import compiled, compiled_sums

_LOG_SMALL = -600.0  # its exponential is a normal double, with room for one step of the recurrence
_RESCALE = 2.0**200  # size from which a climbing point is scaled back, far from overflow
_LOG_RESCALE = 200.0 * math.log(2.0)
_TOGETHER = 256  # points of a sum at once: what is kept of them stays in the nearest cache
_SAFE_STEPS = 16  # of the recurrence between looks at its size: factors of 4 |alpha|², no overflow


def length_unit(mass: float, frequency: float) -> float:
    """x0 = sqrt(2/(m omega)), the position at which a coherent state has alpha = 1."""
    return math.sqrt(2.0 / (mass * frequency))


def momentum_unit(mass: float, frequency: float) -> float:
    """p0 = sqrt(2 m omega) = 2/x0."""
    return math.sqrt(2.0 * mass * frequency)


def pair_number(second: float, fourth: float) -> float:
    """<a†a†aa> from the means over W of |alpha|² and |alpha|⁴; floats or arrays."""
    return fourth - 2.0 * second + 0.5


def g2_from_wigner(second: float, fourth: float) -> float:
    """g²(0) = <a†a†aa>/<a†a>² from the means over W of |alpha|² and |alpha|⁴; floats or arrays.

    Loses digits as 1/<a†a>² near the vacuum, where it is undefined.
    """
    return pair_number(second, fourth) / (second - 0.5) ** 2


def hermite_functions(x: npt.ArrayLike, levels: int) -> FloatArray:
    """Eigenfunctions phi_n(x) of the harmonic oscillator with m = omega = hbar = 1.

    phi_n(x) = (2^n n! sqrt(pi))^(-1/2) H_n(x) exp(-x²/2), normalised on the line.

    Args:
        x: positions in units of sqrt(1/(m omega)), shape (n_x,), in any order.
        levels: number of functions, n = 0 ... levels - 1.

    Returns:
        Array of shape (levels, n_x). Values below 1e-150 may be returned as zero.

    Accurate to about 1e-13 absolutely for n up to 2000 at any x.
    """
    x = finite_array("x", x, ndim=1)
    levels = integer("levels", levels, 1)
    n = np.arange(levels, dtype=np.float64)
    slope, back = np.sqrt(2.0 / (n + 1.0)), np.sqrt(n / (n + 1.0))
    return _climb(np.zeros(levels), slope, back, x, -0.5 * x**2 - 0.25 * math.log(math.pi))


def laguerre_functions(order: int, y: npt.ArrayLike, levels: int) -> FloatArray:
    """Laguerre functions l_n^k(y), orthonormal on the half line y >= 0.

    l_n^k(y) = sqrt(n!/(n+k)!) y^(k/2) exp(-y/2) L_n^k(y) = <n+k| D(sqrt(y)) |n>, with D the
    displacement operator.

    Args:
        order: k, not negative.
        y: arguments, not negative, shape (n_y,), in any order.
        levels: number of functions, n = 0 ... levels - 1.

    Returns:
        Array of shape (levels, n_y). Values below 1e-150 may be returned as zero.
    """
    order = integer("order", order, 0)
    y = finite_array("y", y, ndim=1)
    levels = integer("levels", levels, 1)
    if y.size and y.min() < 0.0:
        raise InvalidArgument(f"`y` must not be negative, but is {float(y.min())!r}")
    return _climb(*_laguerre_recurrence(order, y, levels))


def laguerre_sums(order: int, y: FloatArray, weights: FloatArray, levels: int) -> FloatArray:
    """Return sum_j l_n^k(y_j) weights[i, j] for two rows of weights, (levels, 2); y: (n_y,).

    As `laguerre_functions` times weights, without the table: 0.3 ns for each level and point.
    """
    total = np.zeros((levels, 2))
    points = _laguerre_recurrence(order, np.ascontiguousarray(y), levels)
    _sum(*points, np.ascontiguousarray(weights), total)
    return total


def _laguerre_recurrence(order: int, y: FloatArray, levels: int) -> tuple[FloatArray, ...]:
    """Arguments of `_climb` and `_sum`."""
    n = np.arange(levels, dtype=np.float64)
    scale = 1.0 / np.sqrt((n + 1.0) * (n + 1.0 + order))
    with np.errstate(divide="ignore"):
        log_power = 0.5 * order * np.log(y) if order else 0.0
    log_first = log_power - 0.5 * y - 0.5 * math.lgamma(order + 1.0)
    return (2 * n + 1 + order) * scale, -scale, np.sqrt(n * (n + order)) * scale, y, log_first


def reach(levels: int, decay: float) -> float:
    """Position beyond which every phi_n, n < levels, is below about exp(-decay).

    From the tunnelling action ∫ sqrt(x² - q²) dx = decay beyond the turning point q of the last.
    """
    q = math.sqrt(2.0 * levels - 1.0)
    x = q + math.sqrt(2.0 * decay)  # beyond the root: Newton on a convex function descends to it
    for _ in range(8):
        slope = math.sqrt(x * x - q * q)
        x -= (0.5 * (x * slope - q * q * math.acosh(x / q)) - decay) / slope
    return x


def _climb(
    offset: FloatArray, slope: FloatArray, back: FloatArray, t: FloatArray, log_first: FloatArray
) -> FloatArray:
    """Table of f_{n+1} = (offset_n + slope_n t) f_n - back_n f_{n-1}, from f_0 = exp(log_first)."""
    levels = offset.size
    t = np.array(t)  # contiguous and writable: one compiled version serves all
    start = np.where(log_first > _LOG_SMALL, 0, levels)
    late = np.flatnonzero((log_first <= _LOG_SMALL) & np.isfinite(log_first))
    entry = np.zeros((2, t.size))
    _enter(offset, slope, back, t, log_first, late, start, entry)
    late = late[np.argsort(start[late], kind="stable")]
    table = np.empty((levels, t.size))
    table[0] = np.where(start == 0, np.exp(np.maximum(log_first, _LOG_SMALL)), 0.0)
    _fill(offset, slope, back, t, late, start, entry, table)
    return table


@compiled
def _enter(offset, slope, back, t, log_first, late, start, entry):  # type: ignore[no-untyped-def]
    """Climb each late point until its value is representable; store the level and two values."""
    levels = offset.size
    for j in late:
        before, now, log_scale = 0.0, 1.0, log_first[j]
        for n in range(levels - 1):
            before, now = now, (offset[n] + slope[n] * t[j]) * now - back[n] * before
            if abs(now) > _RESCALE:
                before, now = before / _RESCALE, now / _RESCALE
                log_scale += math.log(_RESCALE)
                if log_scale > _LOG_SMALL:
                    start[j] = n + 1
                    entry[0, j] = before * math.exp(log_scale)
                    entry[1, j] = now * math.exp(log_scale)
                    break


@compiled
def _fill(offset, slope, back, t, late, start, entry, table):  # type: ignore[no-untyped-def]
    """Run the recurrence level by level over all points; late points enter at their level."""
    waiting = 0
    for n in range(offset.size - 1):
        now, after = table[n], table[n + 1]
        a, b, c = offset[n], slope[n], back[n]
        if n == 0:
            for j in range(t.size):
                after[j] = (a + b * t[j]) * now[j]
        else:
            before = table[n - 1]
            for j in range(t.size):
                after[j] = (a + b * t[j]) * now[j] - c * before[j]
        while waiting < late.size and start[late[waiting]] == n + 1:
            j = late[waiting]
            now[j], after[j] = entry[0, j], entry[1, j]
            waiting += 1


@compiled_sums
def _sum(offset, slope, back, t, log_first, weights, total):  # type: ignore[no-untyped-def]
    """Add to `total` the recurrence of `_climb` times two rows of weights, summed over points.

    All points climb with their logarithms apart, and count once they are representable.
    """
    before, now, log_scale = np.empty(_TOGETHER), np.empty(_TOGETHER), np.empty(_TOGETHER)
    y, first, second = np.empty(_TOGETHER), np.empty(_TOGETHER), np.empty(_TOGETHER)
    for begin in range(0, t.size, _TOGETHER):
        count, counted = min(_TOGETHER, t.size - begin), False
        for j in range(_TOGETHER):
            point = begin + min(j, count - 1)
            before[j], now[j], y[j], log_scale[j] = 0.0, 1.0, t[point], log_first[point]
            first[j], second[j] = 0.0, 0.0
        for n in range(offset.size):
            if n % _SAFE_STEPS == 0:
                for j in range(_TOGETHER):
                    large = abs(now[j]) > _RESCALE
                    if large:
                        before[j], now[j] = before[j] / _RESCALE, now[j] / _RESCALE
                        log_scale[j] += _LOG_RESCALE
                    if (large or n == 0) and log_scale[j] > _LOG_SMALL and j < count:
                        scale, counted = math.exp(log_scale[j]), True
                        first[j] = weights[0, begin + j] * scale
                        second[j] = weights[1, begin + j] * scale
            if counted:
                a, b = 0.0, 0.0
                for j in range(_TOGETHER):
                    a += now[j] * first[j]
                    b += now[j] * second[j]
                total[n, 0] += a
                total[n, 1] += b
            p, q, c = offset[n], slope[n], back[n]
            for j in range(_TOGETHER):
                after = (p + q * y[j]) * now[j] - c * before[j]
                before[j], now[j] = now[j], after
