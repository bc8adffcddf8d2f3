"""Parts of panels: labels from attributes, curves with errors, marks, and panels without data."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from wheelwork.plots.style import GREY, VERMILION

__all__ = ["mark_failures", "mark_threshold", "plot_observable"]

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


def plot_observable(axes: Axes, dataset: xr.Dataset, name: str, **line: Any) -> None:
    """Draw one observable of a one-parameter sweep; points without a number leave a gap."""
    values = dataset[name].sortby(dataset[name].dims[0])
    line.setdefault("label", symbol_of(values))
    axes.plot(values[values.dims[0]], values, **line)


def plot_with_error(axes: Axes, dataset: xr.Dataset, name: str, **line: Any) -> None:
    """Draw one observable as `plot_observable`, and a band of `<name>_error` on either side."""
    plot_observable(axes, dataset, name, **line)
    if f"{name}_error" in dataset:
        ordered = dataset.sortby(dataset[name].dims[0])
        value, error = ordered[name], ordered[f"{name}_error"]
        axes.fill_between(value[value.dims[0]], value - error, value + error,
                          color=line.get("color"), alpha=BAND, linewidth=0)  # fmt: skip


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
    """Mark on the lower edge the parameter values of the points that have no numbers."""
    failure = dataset["failure"]
    missing = ~np.isin(failure.values, ["", "not computed"])
    failed = failure[failure.dims[0]].values[missing]
    if failed.size:
        axes.plot(
            failed, np.zeros_like(failed), "x", color=VERMILION, markersize=4, clip_on=False,
            transform=axes.get_xaxis_transform(), label="no result",
        )  # fmt: skip
