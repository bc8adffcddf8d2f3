"""Maps: a quantity over two dimensions, such as a parameter and the nodes of a network."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.plots.curves import axis_label, converged, mark_failures
from wheelwork.plots.style import OCCUPATION_COLOURS

__all__ = ["plot_map"]

MOST_TICKS = 12  # labels that stand beside a map without touching
NO_NUMBER = "0.85"  # light grey, which no colour of the maps is
SIGNED_COLOURS = "RdBu_r"  # white at zero


def plot_map(axes: Axes, dataset: xr.Dataset, name: str, **image: Any) -> Any:
    """Draw an observable over two dimensions, its first to the right; return the image.

    Numbers stand at their place; other keys, as nodes and edges, in rows of equal height. Points
    without a number, and those that did not converge, are grey. The scale of colours begins at
    zero, or is white there and the same on both sides, if there are both signs. image: arguments
    of `pcolormesh`. The figure gets a colour bar with the name, the symbol and the unit.
    Raises InvalidArgument for what has other than two dimensions.
    """
    if name not in dataset or dataset[name].ndim != 2:
        raise InvalidArgument(
            f"`name` must name a variable over two dimensions, but is {name!r}: select along others"
        )
    values = converged(dataset, name)
    right, up = map(str, values.dims)
    ordered = values.sortby([dim for dim in values.dims if _is_scale(values[dim], dataset)])
    numbers = np.ma.masked_invalid(ordered.transpose(up, right).values)
    chosen: dict[str, Any] = {"cmap": OCCUPATION_COLOURS, "rasterized": True}
    largest = float(np.max(np.abs(numbers))) if numbers.count() else 1.0
    if numbers.count() and numbers.min() < 0.0 < numbers.max():
        chosen |= {"cmap": SIGNED_COLOURS, "vmin": -largest, "vmax": largest}
    elif numbers.count():
        chosen |= {"vmin": min(0.0, float(numbers.min())), "vmax": max(0.0, float(numbers.max()))}
    edges = [_edges(_places(ordered[dim], dataset)) for dim in (right, up)]
    drawn = axes.pcolormesh(*edges, numbers, **chosen | image)
    axes.set_facecolor(NO_NUMBER)
    axes.tick_params(which="both", top=False, right=False, direction="out")
    for dim, axis in ((right, axes.xaxis), (up, axes.yaxis)):
        axis.set_label_text(axis_label(ordered[dim]))
        if not _is_scale(ordered[dim], dataset):
            every = -(-ordered.sizes[dim] // MOST_TICKS)
            labels = [str(key) for key in ordered[dim].values]
            axis.set_ticks(range(0, len(labels), every), labels[::every])
    if "failure" in dataset and dataset["failure"].dims == (right,):
        mark_failures(axes, dataset)
    axes.figure.colorbar(drawn, ax=axes, pad=0.02, label=axis_label(values))
    return drawn


def _is_scale(coordinate: xr.DataArray, dataset: xr.Dataset) -> bool:
    """Whether the numbers of a dimension are places on a scale: those of a swept parameter."""
    swept = dataset["failure"].dims if "failure" in dataset else (coordinate.name,)
    return coordinate.dtype.kind in "if" and coordinate.name in swept


def _places(coordinate: xr.DataArray, dataset: xr.Dataset) -> FloatArray:
    if _is_scale(coordinate, dataset):
        return np.asarray(coordinate.values, dtype=np.float64)
    return np.arange(float(coordinate.size))


def _edges(places: FloatArray) -> FloatArray:
    """Halfway between neighbours, and as far beyond the first and the last; one unit for one."""
    if places.size == 1:
        return np.array([-0.5, 0.5]) + places
    middle = 0.5 * (places[1:] + places[:-1])
    return np.concatenate([2.0 * places[:1] - middle[:1], middle, 2.0 * places[-1:] - middle[-1:]])
