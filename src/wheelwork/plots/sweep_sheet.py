"""One sheet for any machine over one or two parameters: every observable, in panels or maps."""

import math
from collections.abc import Hashable

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wheelwork.errors import InvalidArgument
from wheelwork.plots.curves import leave_out, plot_observable, show_range, zero_line
from wheelwork.plots.labels import label_by
from wheelwork.plots.maps import mark_points, plot_map
from wheelwork.plots.marks import mark_failures, mark_threshold, mark_warnings
from wheelwork.plots.scales import spans_decades, suit_scale
from wheelwork.plots.sheet import finish_sheet, new_sheet
from wheelwork.plots.style import BLUE, ONE_COLUMN, TWO_COLUMNS

__all__ = ["observables_of", "sweep_sheet"]

COLUMNS = 3  # of panels
ROW, KEY = 2.1, 0.3  # inches, heights of a row of panels, and of what stands below all of them
MOST_PANELS = 12  # a page of them; further observables are in the data only
FEW = 16  # points that are marked, each
OF_A_SWEEP = ("failed", "audit_passed")  # numbers of every sweep that are no observables


def observables_of(dataset: xr.Dataset) -> list[str]:
    """Return the observables of a sweep that are a number somewhere."""
    dims = dataset["failure"].dims
    return [
        str(name)
        for name, values in dataset.data_vars.items()
        if values.dims == dims
        and values.dtype.kind in "fi"
        and name not in OF_A_SWEEP
        and not str(name).endswith("_error")
        and bool(values.notnull().any())
    ]


def sweep_sheet(dataset: xr.Dataset) -> Figure:
    """Draw the observables of a sweep, twelve at most, one in each panel.

    Over one parameter: curves, with `NAME_error`, the estimated absolute error, as a shade about
    them. Over two: maps, the first parameter to the right. Axes are named by the attributes of the
    variables (symbol, units, long_name), or by their names; one whose numbers spread over decades
    is logarithmic. Raises InvalidArgument for more parameters.
    """
    dims = several(dataset)
    if len(dims) > 2:
        raise InvalidArgument(
            f"`dataset` must be a sweep over one or two parameters to be drawn, but has "
            f"{len(dims)}: choose values of the others, such as dataset.isel({dims[-1]}=0)"
        )
    dataset = dataset.isel({dim: 0 for dim in dataset["failure"].dims if dim not in dims})
    every = observables_of(dataset)
    names = every[:MOST_PANELS]
    columns = min(COLUMNS, max(1, len(names)))
    rows = max(1, math.ceil(len(names) / columns))
    width = ONE_COLUMN if columns == 1 else TWO_COLUMNS * columns / COLUMNS
    note = f"{len(names)} of {len(every)} observables" if len(every) > len(names) else ""
    with new_sheet(ROW * rows + KEY, width) as figure:
        panels = list(figure.subplots(rows, columns, squeeze=False).flat)
        for panel, name in zip(panels, names, strict=False):
            if len(dims) == 1:
                _draw(panel, dataset, name)
            else:
                plot_map(panel, dataset, name)
                mark_points(panel, dataset)
        if not names:
            leave_out(panels[0], "no observable has a number")
        for panel in panels[max(1, len(names)) :]:
            panel.remove()
        finish_sheet(figure, panels[: len(names)], note)
    return figure


def several(dataset: xr.Dataset) -> list[Hashable]:
    """Return the parameters of a sweep with more than one value, the first where there is none."""
    dims = dataset["failure"].dims
    return [dim for dim in dims if dataset.sizes[dim] > 1] or list(dims[:1])


def _draw(panel: Axes, dataset: xr.Dataset, name: str) -> None:
    axis, values = dataset[dataset["failure"].dims[0]], dataset[name]
    if bool((axis > 0).all()) and spans_decades(axis.values):
        panel.set_xscale("log")
    suit_scale(panel, values.values, dataset[f"{name}_error"].values
               if f"{name}_error" in dataset else None)  # fmt: skip
    points = {"marker": "o", "markersize": 2.5} if axis.size <= FEW else {}
    plot_observable(panel, dataset, name, color=BLUE, **points)
    if panel.get_yscale() == "linear" and panel.get_ylim()[0] < 0.0 < panel.get_ylim()[1]:
        zero_line(panel)
    show_range(panel, axis, margin=bool(points))  # at the edges half of each would be hidden
    label_by(panel.xaxis, axis)
    label_by(panel.yaxis, values)
    mark_threshold(panel, dataset)
    mark_failures(panel, dataset)
    mark_warnings(panel, dataset)
