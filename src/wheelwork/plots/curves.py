"""Parts of panels: curves with errors, families of curves, and panels without data."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from wheelwork.plots.labels import symbol_of
from wheelwork.plots.legends import MARK
from wheelwork.plots.style import GREY

__all__ = ["plot_observable"]

DOT = 3.0  # points, size of the marker of one point
BAND = 0.25  # opacity of a band of errors, through which other curves are seen
FLAT = 1e-9  # relative change that is drawn as none: a range of it would magnify rounding
ROOM = 0.05  # of the value, above and below a curve that is flat


def converged(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """Return a variable of a sweep, NaN at points that failed; an array keeps its dimensions."""
    right = dataset["failed"] == 0 if "failed" in dataset else None
    values = dataset[name]
    return values if right is None or not {*right.dims} <= {*values.dims} else values.where(right)


def plot_observable(axes: Axes, dataset: xr.Dataset, name: str, **line: Any) -> None:
    """Draw one observable of a one-parameter sweep, a curve through the points that have it.

    Points without a number leave a gap; one between two gaps is a dot. Numbers of points that did
    not converge are open circles, which no curve joins. The shade on either side of the curve is
    `<name>_error`, where the dataset has it.
    """
    ordered = dataset.sortby(dataset[name].dims[0])
    values, every = converged(ordered, name), ordered[name].values
    axis = values[values.dims[0]].values
    known = np.isfinite(values.values)
    label = line.pop("label", symbol_of(values))
    line["label"] = label if known.any() else None  # no legend without a curve
    beside = np.pad(known, 1)
    alone = known & ~beside[:-2] & ~beside[2:]
    if alone.any() and "marker" not in line:
        line |= {"marker": "o", "markersize": DOT, "markevery": np.flatnonzero(alone).tolist()}
    (curve,) = axes.plot(axis, values, **line)
    reached = np.isfinite(every) & ~known
    if reached.any():
        axes.plot(axis[reached], every[reached], "o", markersize=DOT + 1.0, fillstyle="none",
                  color=curve.get_color(), label="not converged", gid=MARK)  # fmt: skip
    if known.any():
        _frame(axes, axis[known], values.values[known])
    if known.any() and f"{name}_error" in ordered:
        error = np.where(known, ordered[f"{name}_error"].values, np.nan)
        _shade_errors(axes, axis, values.values, error, curve.get_color())
        if alone.any():
            axes.errorbar(axis[alone], values.values[alone], error[alone], fmt="none",
                          ecolor=curve.get_color(), elinewidth=0.8)  # fmt: skip


def _frame(axes: Axes, axis: np.ndarray, value: np.ndarray) -> None:
    """Let the range of y be no smaller than what rounding leaves of a constant."""
    low, high = float(value.min()), float(value.max())
    size = max(abs(low), abs(high))
    if high - low <= FLAT * size:
        ends = (low - ROOM * size, high + ROOM * size)
        axes.update_datalim([(axis[0], end) for end in ends])
        axes.autoscale_view()


def _shade_errors(
    axes: Axes, axis: np.ndarray, value: np.ndarray, error: np.ndarray, color: Any
) -> None:
    """Shade errors, and let the range of y follow: to twice the extent of the curve, not beyond."""
    held = axes.dataLim.frozen()
    axes.fill_between(axis, value - error, value + error, color=color, alpha=BAND, linewidth=0)
    axes.dataLim.set(held)
    extent = float(np.nanmax(value) - np.nanmin(value)) or float(np.nanmax(abs(value)))
    bounded = np.clip(np.nan_to_num(error), 0.0, 0.5 * extent)
    seen = np.isfinite(value)
    for ends in (value[seen] - bounded[seen], value[seen] + bounded[seen]):
        axes.update_datalim(np.column_stack([axis[seen], ends]))
    axes.autoscale_view()


def show_range(axes: Axes, axis: xr.DataArray, *, margin: bool = False) -> None:
    """Fix the range of x: that of the points, with a margin where asked or where there is one."""
    low, high = float(axis.min()), float(axis.max())
    axes.set_xlim((low, high) if low < high and not margin else axes.get_xlim())


def zero_line(axes: Axes) -> None:
    """Draw a thin line at zero, behind the curves."""
    axes.axhline(0.0, color=GREY, linewidth=0.5, zorder=0)


def say_if_empty(axes: Axes) -> None:
    """Say in a panel without any curve, before marks are drawn, that there is none."""
    if not axes.get_legend_handles_labels()[1]:
        axes.text(0.5, 0.5, "none in this range", ha="center", va="center",
                  transform=axes.transAxes)  # fmt: skip
        axes.tick_params(labelleft=False)


def leave_out(axes: Axes, words: str = "not computed") -> None:
    """Say in an empty panel why it is empty."""
    axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes)
    axes.set(xticks=[], yticks=[])
