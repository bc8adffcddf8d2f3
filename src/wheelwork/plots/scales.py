"""Scales that suit the numbers: logarithmic where they spread over decades."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize, SymLogNorm
from matplotlib.ticker import FixedLocator

from wheelwork._checks import FloatArray

SPREAD = 1e3  # between the tenths of the smallest and of the largest that a linear scale can show
TICKS = 3  # on a side of a scale that is linear about zero
APART = 0.7  # decades from the linear part to the first tick: labels would touch that of zero
ENDS = (0.1, 0.9)  # these quantiles: a curve that only passes through zero stays linear


def spans_decades(values: FloatArray, errors: FloatArray | None = None) -> bool:
    """Whether magnitudes spread over decades; those within their errors do not count."""
    low, high = _ends(values, errors)
    return high >= SPREAD * low > 0.0


def suit_scale(axes: Axes, values: FloatArray, errors: FloatArray | None = None) -> None:
    """Set the scale of y that suits `values`: of both signs, linear about zero between decades."""
    if spans_decades(values, errors):
        known = values[np.isfinite(values)]
        if np.all(known > 0.0):
            axes.set_yscale("log")
        else:
            linear = _ends(values, errors)[0]
            axes.set_yscale("symlog", linthresh=linear)
            axes.yaxis.set_major_locator(_few(linear, float(np.max(np.abs(known)))))


def suitable_norm(values: FloatArray) -> Any:
    """Return the scale of colours that suits `values`."""
    known = values[np.isfinite(values)]
    if known.size == 0:
        return Normalize(0.0, 1.0)
    low, high = float(known.min()), float(known.max())
    largest = max(abs(low), abs(high))
    if spans_decades(known):
        if low > 0.0:
            return LogNorm(low, high)
        return SymLogNorm(_ends(known, None)[0], vmin=-largest, vmax=largest)
    return Normalize(-largest, largest) if low < 0.0 < high else Normalize(low, high)


def few_ticks(norm: Any) -> Any:
    """Return ticks of a scale of colours that is linear about zero between decades, else None."""
    return _few(norm.linthresh, float(norm.vmax or 1.0)) if isinstance(norm, SymLogNorm) else None


def _few(linear: float, largest: float) -> FixedLocator:
    """Ticks at zero and at powers of ten that are far enough from it, two to four on a side."""
    top, first = math.floor(math.log10(largest)), math.ceil(math.log10(linear) + APART)
    step = max(1, math.ceil((top - first + 1) / TICKS))
    powers = 10.0 ** np.arange(top, min(first, top) - 1, -step)
    return FixedLocator([*-powers, 0.0, *powers])


def _ends(values: FloatArray, errors: FloatArray | None) -> tuple[float, float]:
    sizes = np.abs(values)
    counted = np.isfinite(sizes) & (sizes > (0.0 if errors is None else np.nan_to_num(errors)))
    if not np.any(counted):
        return 0.0, 0.0
    low, high = np.quantile(sizes[counted], ENDS)
    return float(low), float(high)
