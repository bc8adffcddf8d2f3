"""Resonances: where the level, shifted by its leads, sits for each value of its bare energy.

Next to a narrow peak at r, z = w - epsilon - Re chi(w) is a small difference of large numbers. A
level therefore measures its frequencies from an origin at the peak: there z is
t - [Re chi(r + t) - Re chi(r)], and the bracket is a smooth series in t, fitted once.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.transport.leads import Lead
from wheelwork.transport.lineshapes import Landmarks

_STEPS = 10  # of the Illinois method, enough for rounding from brackets one node wide
# Below this ratio of width to position, rounding of the frequency itself would show in the peak.
_NARROW = 2e-3
Index = npt.NDArray[np.intp]
# A series of degree 7 over a hundredth of the distance to the nearest singularity is exact to
# rounding: its terms fall by a hundred each.
_DEGREE = 7
_RADIUS = 0.01
_UNIT = np.polynomial.chebyshev.chebpts1(_DEGREE + 1)
_FIT = np.linalg.inv(np.vander(_UNIT, increasing=True))[1:]


@dataclass(frozen=True, eq=False, repr=False)
class Resonances:
    """Peaks of the spectral function, shape (levels, most peaks of any level) each.

    A level with fewer peaks is filled up with peaks of infinite width, which ask for nothing.
    position: frequency. offset: Re chi there, the position relative to the bare energy. half_width:
    at half maximum. narrow: whether frequencies must be measured from the peak itself.
    """

    position: FloatArray
    offset: FloatArray
    half_width: FloatArray
    narrow: npt.NDArray[np.bool_]


def find_resonances(
    leads: tuple[Lead, ...], levels: FloatArray, frequency: FloatArray, shift: FloatArray
) -> Resonances:
    """Find the roots of w - Re chi(w) = epsilon for every epsilon in `levels`.

    The roots are bracketed between neighbours of `frequency` (rising), where Re chi is `shift`: one
    scan serves all levels, because Re chi does not depend on the level.
    """
    height = frequency - shift
    below = height < levels[:, None]
    which, left = np.nonzero(below[:, 1:] != below[:, :-1])
    bracket = frequency[left], frequency[left + 1]
    excess = height[left] - levels[which], height[left + 1] - levels[which]
    root = _regula_falsi(leads, levels[which], bracket, excess)
    kappa, shift_at_root = width_and_shift(leads, root)
    slope = np.abs((excess[1] - excess[0]) / (bracket[1] - bracket[0]))
    half_width = np.divide(0.5 * kappa, slope, out=np.full_like(root, np.inf), where=kappa > 0.0)
    return _tabulate(levels.size, which, root, shift_at_root, half_width)


def width_and_shift(
    leads: tuple[Lead, ...], frequency: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return kappa and Re chi, summed over leads."""
    samples = [lead.lineshape.sample(frequency) for lead in leads]
    kappa = np.sum([sample.kappa for sample in samples], axis=0)
    return kappa, np.sum([sample.shift for sample in samples], axis=0)


def _regula_falsi(
    leads: tuple[Lead, ...],
    level: FloatArray,
    bracket: tuple[FloatArray, FloatArray],
    excess: tuple[FloatArray, FloatArray],
) -> FloatArray:
    """Polish all roots at once (Illinois variant). A root missed by a little costs speed only."""
    (a, b), (fa, fb) = bracket, excess
    for _ in range(_STEPS if level.size else 0):
        rise = fb - fa
        run = np.divide(b - a, rise, out=np.zeros_like(rise), where=rise != 0.0)
        c = np.clip(b - fb * run, np.minimum(a, b), np.maximum(a, b))
        fc = c - width_and_shift(leads, c)[1] - level
        crossed = fc * fb < 0.0
        a, fa = np.where(crossed, b, a), np.where(crossed, fb, 0.5 * fa)
        b, fb = c, fc
    return b


def _tabulate(
    levels: int, which: Index, root: FloatArray, offset: FloatArray, width: FloatArray
) -> Resonances:
    """Lay the roots out as one row per level; `which` is rising."""
    count = np.bincount(which, minlength=levels)
    column = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
    shape = (levels, int(count.max(initial=1)))
    positions, offsets, widths = np.zeros(shape), np.zeros(shape), np.full(shape, np.inf)
    narrow = np.zeros(shape, dtype=bool)
    positions[which, column] = root
    offsets[which, column] = offset
    widths[which, column] = width
    narrow[which, column] = width < _NARROW * np.abs(root)
    return Resonances(positions, offsets, widths, narrow)


@dataclass(frozen=True, eq=False, repr=False)
class Origins:
    """One per peak of every level, and in the last column its bare energy; (levels, peaks + 1).

    position: frequency; infinite where a level has fewer narrow peaks. offset: Re chi there, which
    is the position above the bare energy. radius: how far the series holds. series: coefficients of
    Re chi(r + t) - Re chi(r) in powers 1, 2, ... of t / radius; a last axis.
    """

    position: FloatArray
    offset: FloatArray
    radius: FloatArray
    series: FloatArray

    def nearest(self, level: Index, frequency: FloatArray) -> Index:
        """Return the column of the narrow peak nearest to `frequency`, else of the bare energy."""
        peaks = self.position[level, :-1]
        column = np.argmin(np.abs(peaks - frequency[:, None]), axis=1)
        narrow = np.isfinite(peaks[np.arange(level.size), column])
        return np.asarray(np.where(narrow, column, self.position.shape[1] - 1))

    def denominator(
        self, level: Index, column: Index, distance: FloatArray, shift: FloatArray
    ) -> FloatArray:
        """Return z at `distance` from the origin, where Re chi is `shift`; (panels, nodes)."""
        at = level, column
        radius = self.radius[at][:, None]
        z = distance + (self.offset[at][:, None] - shift)
        close = np.flatnonzero(np.min(np.abs(distance), axis=1) < radius[:, 0])
        t = distance[close]
        inside = np.abs(t) < radius[close]
        u = np.where(inside, t / radius[close], 0.0)
        bend = np.zeros_like(u)
        for coefficient in self.series[at][close].T[::-1]:
            bend = (bend + coefficient[:, None]) * u
        z[close] = np.where(inside, t - bend, z[close])
        return z


def find_origins(
    leads: tuple[Lead, ...], levels: FloatArray, peaks: Resonances, marks: Landmarks
) -> Origins:
    """Return the origins of all `levels`: their narrow `peaks`, and the bare energies."""
    which = np.nonzero(peaks.narrow)
    root = peaks.position[which]
    singular, distance = np.array(marks.poles + tuple((edge, 0.0) for edge in marks.edges)).T
    radius = _RADIUS * np.min(np.hypot(root[:, None] - singular, distance), axis=1)
    _, values = width_and_shift(leads, root[:, None] + radius[:, None] * _UNIT)
    shape = (levels.size, peaks.narrow.shape[1] + 1)
    position, offset, reach = np.full(shape, np.inf), np.zeros(shape), np.zeros(shape)
    series = np.zeros((*shape, _DEGREE))
    position[which], offset[which], reach[which] = root, peaks.offset[which], radius
    series[which] = values @ _FIT.T
    position[:, -1] = levels
    return Origins(position, offset, reach, series)
