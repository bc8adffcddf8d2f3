"""Parts of panels: labels from attributes, curves with errors, marks, and panels without data."""

import math
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from wheelwork.plots.style import GREY, VERMILION

__all__ = ["mark_failures", "mark_threshold", "plot_observable"]

DOT = 3.0  # points, size of the marker of one point
POINTS_PER_INCH = 72.0
LINE = 1.35  # height of a line of a legend, in units of its letters
AXIS = 25.0  # points that ticks and labels will take from the height of a panel
MOST_OF_A_PANEL = 0.6  # that a legend may take
BAND = 0.25  # opacity of a band of errors, through which other curves are seen


def axis_label(variable: xr.DataArray) -> str:
    """Return "long name symbol (units)" from the variable's attributes, as far as they are set."""
    name = variable.attrs.get("long_name", str(variable.name).replace("_", " "))
    symbol = f" {symbol_of(variable)}" if "symbol" in variable.attrs else ""
    return with_units(name + symbol, variable.attrs.get("units", "1"))


def symbol_of(variable: xr.DataArray) -> str:
    """Return the symbol of a variable as mathematics, or its name where it has none."""
    if "symbol" in variable.attrs:
        return f"${variable.attrs['symbol']}$"
    return str(variable.name).replace("_", " ")


def with_units(label: str, units: str) -> str:
    """Return "label (units)", or the label alone where the number is dimensionless."""
    return label if units in {"", "1"} else f"{label} ({units})"


def converged(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """Return a variable of a sweep, NaN at points that failed; an array keeps its dimensions."""
    right = dataset["failed"] == 0 if "failed" in dataset else None
    values = dataset[name]
    return values if right is None or not {*right.dims} <= {*values.dims} else values.where(right)


def plot_observable(axes: Axes, dataset: xr.Dataset, name: str, **line: Any) -> None:
    """Draw one observable of a one-parameter sweep, a curve through the points that have it.

    Points without a number leave a gap; one between two gaps is a dot. Numbers of points that did
    not converge are open circles, which no curve joins.
    """
    ordered = dataset.sortby(dataset[name].dims[0])
    values, every = converged(ordered, name), ordered[name].values
    axis = values[values.dims[0]].values
    known = np.isfinite(values.values)
    label = line.pop("label", symbol_of(values))
    line["label"] = label if known.any() else None  # no legend without a curve
    beside = np.pad(known, 1)
    alone = known & ~beside[:-2] & ~beside[2:]
    if alone.any():
        line |= {"marker": "o", "markersize": DOT, "markevery": np.flatnonzero(alone).tolist()}
    (curve,) = axes.plot(axis, values, **line)
    reached = np.isfinite(every) & ~known
    if reached.any():
        axes.plot(axis[reached], every[reached], "o", markersize=DOT + 1.0, fillstyle="none",
                  color=curve.get_color())  # fmt: skip


def plot_with_error(axes: Axes, dataset: xr.Dataset, name: str, **line: Any) -> None:
    """Draw one observable as `plot_observable`, and a band of `<name>_error` on either side."""
    plot_observable(axes, dataset, name, **line)
    if f"{name}_error" in dataset:
        ordered = dataset.sortby(dataset[name].dims[0])
        value, error = converged(ordered, name), ordered[f"{name}_error"]
        axes.fill_between(value[value.dims[0]], value - error, value + error,
                          color=line.get("color"), alpha=BAND, linewidth=0)  # fmt: skip


def add_legend(axes: Axes, columns: int = 1, side: str = "right") -> None:
    """Add a legend to a panel whose curves are drawn, above all of them.

    The range of y is extended upwards by what the legend takes of the panel.
    """
    labels = axes.get_legend_handles_labels()[1]
    if not labels:
        return
    legend = axes.legend(loc=f"upper {side}", ncols=columns, columnspacing=1.0)
    points = axes.get_window_extent().height * POINTS_PER_INCH / axes.figure.dpi
    size = legend.get_texts()[0].get_fontproperties().get_size_in_points()
    lines = math.ceil(len(labels) / columns)
    share = (lines * LINE + 1.0) * size / (points - AXIS)
    scale = axes.yaxis.get_transform()
    low, high = scale.transform(np.array(axes.get_ylim()))
    top = low + (high - low) / (1.0 - min(share, MOST_OF_A_PANEL))
    axes.set_ylim(top=float(scale.inverted().transform(np.array([top]))[0]))


def leave_out(axes: Axes) -> None:
    """Say in an empty panel that its data were not computed."""
    axes.text(0.5, 0.5, "not computed", ha="center", transform=axes.transAxes)
    axes.set(xticks=[], yticks=[])


def mark_threshold(axes: Axes, dataset: xr.Dataset) -> None:
    """Draw a vertical dash-dotted line at the dataset's `threshold`, where it has one."""
    if "threshold" in dataset and np.isfinite(dataset["threshold"]):
        value = float(dataset["threshold"])
        axes.axvline(value, color=GREY, linewidth=0.8, linestyle="-.", zorder=0, label="threshold")


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
                fillstyle="none", clip_on=False, linestyle="none",
                transform=axes.get_xaxis_transform(), label=label,
            )  # fmt: skip
