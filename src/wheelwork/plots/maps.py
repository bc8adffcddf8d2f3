"""Maps: a quantity over two parameters, or over one and the nodes or edges of a network."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.plots.curves import converged
from wheelwork.plots.labels import add_bar, label_by, name_and_symbol, readable, units_of
from wheelwork.plots.legends import MARK
from wheelwork.plots.marks import key_of_warnings, mark_failures
from wheelwork.plots.scales import few_ticks, spans_decades, suitable_norm
from wheelwork.plots.style import BLACK, OCCUPATION_COLOURS, SIGNED_COLOURS, VERMILION

__all__ = ["plot_map"]

MOST_TICKS = 12  # labels that stand beside a map without touching
NO_NUMBER = "0.85"  # light grey, which no colour of the maps is


def plot_map(axes: Axes, dataset: xr.Dataset, name: str, **image: Any) -> Any:
    """Draw an observable over two dimensions, its first to the right; return the image.

    Swept parameters stand on a scale, logarithmic where they spread over decades; other keys, as
    nodes and edges, in rows of equal height. Points without a number, and those that did not
    converge, are grey. Colours are on the scale that suits the numbers, white at zero if there
    are both signs. image: arguments of `pcolormesh`. The figure gets a colour bar with name,
    symbol and unit. Raises InvalidArgument for what has other than two dimensions.
    """
    if name not in dataset or dataset[name].ndim != 2:
        raise InvalidArgument(
            f"`name` must name a variable over two dimensions, but is {name!r}: select along others"
        )
    values = converged(dataset, name)
    right, up = map(str, values.dims)
    ordered = values.sortby([dim for dim in (right, up) if _is_scale(values[dim], dataset)])
    numbers = np.ma.masked_invalid(ordered.transpose(up, right).values)
    norm = suitable_norm(values.values)
    signed = norm.vmin < 0.0 < norm.vmax
    edges = [
        _set_axis(axis, ordered[dim], dataset)
        for dim, axis in ((right, axes.xaxis), (up, axes.yaxis))
    ]
    colours = SIGNED_COLOURS if signed else OCCUPATION_COLOURS
    chosen: dict[str, Any] = {"cmap": colours, "norm": norm, "rasterized": True}
    drawn = axes.pcolormesh(*edges, numbers, **chosen | image)
    axes.set_facecolor(NO_NUMBER)
    axes.tick_params(which="both", top=False, right=False, direction="out")
    if "failure" in dataset and dataset["failure"].dims == (right,):
        mark_failures(axes, dataset)
    figure: Any = axes.figure
    add_bar(figure, axes, drawn, name_and_symbol(values), units_of(values),
            pad=0.02, ticks=few_ticks(norm))  # fmt: skip
    return drawn


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


def _set_axis(axis: Any, keys: xr.DataArray, dataset: xr.Dataset) -> FloatArray:
    """Set scale, ticks and label of an axis; return the edges of what stands at each key."""
    if not _is_scale(keys, dataset):
        every = -(-keys.size // MOST_TICKS)
        label_by(axis, keys)
        axis.set_ticks(
            range(0, keys.size, every), [readable(str(key)) for key in keys.values[::every]]
        )
        return _edges(np.arange(float(keys.size)))
    at = np.asarray(keys.values, dtype=np.float64)
    logarithmic = bool(np.all(at > 0.0)) and spans_decades(at)
    if logarithmic:
        getattr(axis.axes, f"set_{axis.axis_name}scale")("log")
    label_by(axis, keys)
    return np.exp(_edges(np.log(at))) if logarithmic else _edges(at)


def _is_scale(keys: xr.DataArray, dataset: xr.Dataset) -> bool:
    """Whether the keys of a dimension are values on a scale: those of a swept parameter."""
    swept = dataset["failure"].dims if "failure" in dataset else (keys.name,)
    return keys.dtype.kind in "if" and keys.name in swept


def _edges(at: FloatArray) -> FloatArray:
    """Halfway between neighbours, and as far beyond the first and the last; one unit for one."""
    if at.size == 1:
        return np.array([-0.5, 0.5]) * (abs(float(at[0])) or 1.0) + at
    middle = 0.5 * (at[1:] + at[:-1])
    return np.concatenate([2.0 * at[:1] - middle[:1], middle, 2.0 * at[-1:] - middle[-1:]])
