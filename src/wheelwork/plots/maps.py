"""An observable over two parameters, as colours."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wheelwork.plots.curves import converged
from wheelwork.plots.labels import add_bar, label_by, name_and_symbol, units_of
from wheelwork.plots.legends import MARK
from wheelwork.plots.marks import key_of_warnings
from wheelwork.plots.scales import few_ticks, spans_decades, suitable_norm
from wheelwork.plots.style import BLACK, CURRENT_COLOURS, SIGNED_COLOURS, VERMILION


def draw_map(figure: Figure, panel: Axes, dataset: xr.Dataset, name: str) -> None:
    """Draw one observable of a two-parameter sweep, the first to the right; gaps are white."""
    right, up = dataset["failure"].dims
    values = converged(dataset.sortby([right, up]), name).transpose(up, right)
    norm = suitable_norm(values.values)
    signed = norm.vmin < 0.0 < norm.vmax
    image = panel.pcolormesh(values[right], values[up], values, norm=norm, rasterized=True,
                             cmap=SIGNED_COLOURS if signed else CURRENT_COLOURS)  # fmt: skip
    for axis, dim in ((panel.xaxis, right), (panel.yaxis, up)):
        if bool((values[dim] > 0).all()) and spans_decades(values[dim].values):
            getattr(panel, f"set_{axis.axis_name}scale")("log")
        label_by(axis, values[dim])
    add_bar(figure, panel, image, name_and_symbol(dataset[name]), units_of(dataset[name]),
            pad=0.02, ticks=few_ticks(norm))  # fmt: skip


def mark_points(panel: Axes, dataset: xr.Dataset) -> None:
    """Mark points without a result, those that did not converge, and those warned of."""
    failed = ~np.isin(dataset["failure"].values, ["", "not computed"])
    reached = failed & (dataset["audit_passed"].values == 0) if "audit_passed" in dataset else False
    warning = dataset.get("warning", xr.full_like(dataset["failure"], "")).values
    right, up = (dataset[dim].values for dim in dataset["failure"].dims)
    for chosen, marker, color, label in (
        (failed & ~np.asarray(reached), "x", VERMILION, "no result"),
        (failed & np.asarray(reached), "o", VERMILION, "not converged"),
        ((warning != "") & ~failed, "s", BLACK, key_of_warnings(warning)),
    ):
        columns, rows = np.nonzero(chosen)
        if columns.size:
            panel.plot(
                right[columns], up[rows], marker, color=color, markersize=3, gid=MARK,
                markerfacecolor="white", linestyle="none", label=label,
            )  # fmt: skip
