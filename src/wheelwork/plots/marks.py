"""Marks at points of a sweep: thresholds, failures, warnings; a key below the panels names them."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from wheelwork.plots.labels import symbol_of, units_of, with_value
from wheelwork.plots.legends import MARK
from wheelwork.plots.style import GREY, VERMILION

__all__ = ["mark_failures", "mark_threshold", "mark_warnings"]

SEVERAL = "warnings of several kinds, see the data"
WARNED, AUDIT = "////", "\\\\\\\\"  # hatches: they are seen above colours, and in grey


def mark_threshold(axes: Axes, dataset: xr.Dataset) -> None:
    """Draw a vertical dash-dotted line at the dataset's `threshold`, where it has one."""
    if "threshold" in dataset and np.isfinite(dataset["threshold"]):
        value = float(dataset["threshold"])
        axis = dataset[dataset["failure"].dims[0]]
        label = with_value(f"threshold, {symbol_of(axis)}", value, units_of(axis))
        axes.axvline(value, color=GREY, linewidth=0.8, linestyle="-.", zorder=0, label=label,
                     gid=MARK)  # fmt: skip


def mark_failures(axes: Axes, dataset: xr.Dataset) -> None:
    """Mark on the lower edge the points that failed: crosses; circles where numbers are left.

    Those beyond the range of x are left out: set it before.
    """
    failure = dataset["failure"]
    failed = ~np.isin(failure.values, ["", "not computed"])
    reached = failed & (dataset["audit_passed"].values == 0) if "audit_passed" in dataset else False
    for chosen, marker, label in (
        (failed & ~np.asarray(reached), "x", "no result"),
        (failed & reached, "o", "not converged"),
    ):
        values = failure[failure.dims[0]].values[chosen]
        low, high = sorted(axes.get_xlim())
        values = values[(values >= low) & (values <= high)]
        if values.size:
            axes.plot(
                values, np.zeros_like(values), marker, color=VERMILION, markersize=4,
                fillstyle="none", clip_on=False, linestyle="none", gid=MARK,
                transform=axes.get_xaxis_transform(), label=label,
            )  # fmt: skip


def mark_warnings(axes: Axes, dataset: xr.Dataset) -> None:
    """Hatch the ranges of points with a `warning`, and of others whose audit fails all the same.

    A range reaches half way to the next point without one. Set scale and range of x before.
    """
    ordered = dataset.sortby(dataset["failure"].dims[0])
    axis = ordered[ordered["failure"].dims[0]].values
    texts = ordered["warning"].values if "warning" in ordered else np.full(axis.shape, "")
    _hatch(axes, axis, texts != "", WARNED, key_of_warnings(texts))
    if "audit_passed" in ordered and "failed" in ordered:
        bad = (ordered["audit_passed"].values == 0) & (ordered["failed"].values == 0)
        _hatch(axes, axis, bad & (texts == ""), AUDIT, "a check of the audit fails")


def key_of_warnings(texts: np.ndarray) -> str:
    """Return what warnings say before their numbers, where all say the same."""
    kinds = {str(text).partition(":")[0] for text in texts.ravel() if text}
    return kinds.pop() if len(kinds) == 1 else SEVERAL


def _hatch(axes: Axes, axis: np.ndarray, chosen: np.ndarray, hatch: str, label: str) -> None:
    for held, low, high in stretches(axes, axis, chosen):
        if held:
            axes.axvspan(low, high, facecolor="none", edgecolor=GREY, linewidth=0.0, alpha=0.6,
                         hatch=hatch, zorder=0.5, gid=MARK, label=label)  # fmt: skip


def stretches(
    axes: Axes, axis: np.ndarray, codes: np.ndarray
) -> Iterator[tuple[float, float, float]]:
    """Yield (code, low, high) of each run of equal codes along an ascending axis.

    Borders are midway between points, on the scale of x; one point alone has the whole panel.
    """
    if axis.size == 0:
        return
    scale = axes.xaxis.get_transform()
    at = scale.transform(axis.astype(np.float64))
    changes = np.flatnonzero(codes[1:] != codes[:-1]) + 1
    middles = scale.inverted().transform(0.5 * (at[changes - 1] + at[changes]))
    ends = axes.get_xlim() if axis.size == 1 else (axis[0], axis[-1])
    borders = [ends[0], *middles, ends[1]]
    for first, (low, high) in zip([0, *changes], pairwise(borders), strict=True):
        yield float(codes[first]), float(low), float(high)
