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
    """Return a variable of a sweep, NaN at points that failed."""
    right = dataset["failed"] == 0 if "failed" in dataset else None
    values = dataset[name]
    return values if right is None or right.dims != values.dims else values.where(right)


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
        errors = ordered.get(f"{name}_error")
        _shade_errors(axes, axis[known], values.values[known],
                      None if errors is None else errors.values[known], curve.get_color())  # fmt: skip


def _shade_errors(
    axes: Axes, axis: np.ndarray, value: np.ndarray, error: np.ndarray | None, color: Any
) -> None:
    """Shade errors, and let the range of y follow: to twice the extent of the curve, not beyond."""
    low, high = float(value.min()), float(value.max())
    extent = high - low
    if extent <= FLAT * max(abs(low), abs(high)):
        extent = ROOM * max(abs(low), abs(high))
        axes.update_datalim([(axis[0], low - extent), (axis[0], high + extent)])
    if error is None or not np.any(error > 0.0):
        return
    held = axes.dataLim.frozen()
    axes.fill_between(axis, value - error, value + error, color=color, alpha=BAND, linewidth=0)
    axes.dataLim.set(held)
    bounded = np.clip(np.nan_to_num(error), 0.0, 0.5 * extent)
    ends = np.concatenate([value - bounded, value + bounded])
    axes.update_datalim(np.column_stack([np.tile(axis, 2), ends]))
    axes.autoscale_view()


def show_range(axes: Axes, axis: xr.DataArray) -> None:
    """Let the range of x be that of the points, where there are several."""
    low, high = float(axis.min()), float(axis.max())
    if low < high:
        axes.set_xlim(low, high)


def zero_line(axes: Axes) -> None:
    """Draw a thin line at zero, behind the curves."""
    axes.axhline(0.0, color=GREY, linewidth=0.5, zorder=0)


def say(axes: Axes, words: str) -> None:
    """Write words into the middle of a panel that has no curve."""
    axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes)


def leave_out(axes: Axes, words: str = "not computed") -> None:
    """Say in an empty panel why it is empty."""
    say(axes, words)
    axes.set(xticks=[], yticks=[])
