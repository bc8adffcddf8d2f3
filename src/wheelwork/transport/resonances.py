"""Resonances: where the level, shifted by its leads, sits for each value of its bare energy."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.transport.leads import Lead

_STEPS = 10
# Below this ratio of width to position, rounding of the frequency itself would show in the peak.
_NARROW = 2e-3


@dataclass(frozen=True)
class Resonances:
    """Peaks of the spectral function, shape (levels, most peaks of any level) each.

    A level with fewer peaks is filled up with peaks of infinite width, which ask for nothing.
    """

    position: FloatArray
    """Frequency of the peak."""
    offset: FloatArray
    """Re chi there: the position relative to the bare energy of the level."""
    half_width: FloatArray
    """Half width at half maximum."""
    narrow: npt.NDArray[np.bool_]
    """So narrow that the frequency must be measured from the peak itself."""


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
        c = np.clip(b - fb * _ratio(b - a, fb - fa), np.minimum(a, b), np.maximum(a, b))
        fc = c - width_and_shift(leads, c)[1] - level
        crossed = fc * fb < 0.0
        a, fa = np.where(crossed, b, a), np.where(crossed, fb, 0.5 * fa)
        b, fb = c, fc
    return b


def _ratio(one: FloatArray, other: FloatArray) -> FloatArray:
    return np.divide(one, other, out=np.zeros_like(one), where=other != 0.0)


def _tabulate(
    levels: int,
    which: npt.NDArray[np.intp],
    root: FloatArray,
    offset: FloatArray,
    width: FloatArray,
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
