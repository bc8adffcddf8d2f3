"""One sheet for any machine over one parameter: every observable with its error."""

import math
import re
import textwrap

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wheelwork.plots.curves import mark_failures, plot_with_error, symbol_of, with_units
from wheelwork.plots.style import BLUE, TWO_COLUMNS, letter_panels, new_sheet

__all__ = ["observables_of", "sweep_sheet"]

COLUMNS = 3  # of panels
ROW = 2.1  # inches, height of a row of panels
LABEL = 22  # characters of a line beside or below a panel: no wider than the panel
MOST_PANELS = 12  # a page of them; further observables are in the data only
OF_A_SWEEP = ("failed", "audit_passed")  # numbers of every sweep that are no observables


def observables_of(dataset: xr.Dataset) -> list[str]:
    """Return the observables of a sweep over one parameter that are a number somewhere."""
    dims = dataset["failure"].dims
    return [
        str(name)
        for name, values in dataset.data_vars.items()
        if values.dims == dims
        and values.dtype.kind in "fi"
        and name not in OF_A_SWEEP
        and not str(name).endswith("_error")
        and bool(np.isfinite(values).any())
    ]


def sweep_sheet(dataset: xr.Dataset) -> Figure:
    """Draw the observables of a sweep over one parameter, twelve at most, one in each panel.

    The shade about a curve is `NAME_error`, the estimated absolute error. Axes are named by the
    attributes of the variables (symbol, units, long_name), or by their names.
    """
    names = observables_of(dataset)[:MOST_PANELS]
    columns = min(COLUMNS, max(1, len(names)))
    rows = max(1, math.ceil(len(names) / columns))
    with new_sheet(ROW * rows, TWO_COLUMNS * columns / COLUMNS) as figure:
        panels = list(figure.subplots(rows, columns, squeeze=False).flat)
        for panel, name in zip(panels, names, strict=False):
            _draw(panel, dataset, name)
        for panel in panels[len(names) :]:
            panel.remove()
        letter_panels(panels[: len(names)])
    return figure


def _draw(panel: Axes, dataset: xr.Dataset, name: str) -> None:
    axis, values = dataset[dataset["failure"].dims[0]], dataset[name]
    plot_with_error(panel, dataset, name, color=BLUE, marker="o" if axis.size == 1 else None)
    panel.set(xlabel=_label(axis), ylabel=_label(values))
    mark_failures(panel, dataset)


def _label(values: xr.DataArray) -> str:
    """The long name in short lines, with symbol and unit on a line of their own."""
    units = re.sub(r"\^(\d+)", r"$^{\1}$", values.attrs.get("units", "1"))
    words = textwrap.wrap(values.attrs.get("long_name", ""), LABEL)
    return "\n".join([*words, with_units(symbol_of(values), units)])
