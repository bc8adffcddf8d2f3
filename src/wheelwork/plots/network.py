"""A network of oscillators: nodes coloured by their occupation, edges by their current."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch

from wheelwork.plots.labels import decimal
from wheelwork.plots.style import BLACK, FLOW_COLOURS, OCCUPATION_COLOURS

NODE = 150.0  # square points: a name of two digits fits into the circle
THINNEST, THICKEST = 0.8, 5.0  # points, widths of edges; the thickest is less than a node
MARGIN, SLIMMEST = 0.15, 0.3  # around the nodes, and half of a side, against the larger extent
NEGLIGIBLE = 1e-3  # of the largest flow: drawn without an arrow
FITS, LONGEST = 2, 12  # characters of a name in a circle, and of one below it
BELOW = 7.0  # points, from the middle of a node to the names below
SHOWN = (0.25, 0.5, 1.0)  # of the largest current, in the key
ROLES = {"G": "G: generator", "E": "E: engine"}


def draw_network(axes: Axes, dataset: xr.Dataset) -> Any:
    """Draw a power grid; return the image, from which a colour bar can be made.

    `dataset` has over `node`: `node_x`, `node_y`, `node_occupation` and `node_role` ("G" for a
    generator, "E" for an engine, else ""); over `edge`: `edge_from` and `edge_to`, indices of
    nodes, and `edge_current`, positive in this direction. The darker and thicker an edge, the
    larger its current; arrows show the direction.
    """
    positions = np.column_stack([dataset["node_x"], dataset["node_y"]])
    ends = np.column_stack([dataset["edge_from"], dataset["edge_to"]]).astype(int)
    flow = dataset["edge_current"].values
    largest = _largest(flow)
    share = np.nan_to_num(np.abs(flow)) / largest
    segments = positions[ends]
    edges = LineCollection(
        list(segments), linewidths=[_width(part) for part in share], cmap=FLOW_COLOURS,
        norm=_scale(largest), zorder=1,
    )  # fmt: skip
    edges.set_array(np.abs(flow))
    axes.add_collection(edges)
    for (start, stop), current, part in zip(segments, flow, share, strict=True):
        if part > NEGLIGIBLE:
            # the head of an arrow in the middle of the edge
            first, last = (start, stop) if current > 0.0 else (stop, start)
            before, after = first + 0.42 * (last - first), first + 0.58 * (last - first)
            axes.add_patch(FancyArrowPatch(
                before, after, arrowstyle="-|>", mutation_scale=11.0, color=BLACK, linewidth=0.0,
                shrinkA=0.0, shrinkB=0.0, zorder=2,
            ))  # fmt: skip
    image = axes.scatter(
        positions[:, 0], positions[:, 1], c=dataset["node_occupation"].values, s=NODE, vmin=0.0,
        cmap=OCCUPATION_COLOURS, edgecolors=BLACK, linewidths=0.7, zorder=3,
    )  # fmt: skip
    _name_nodes(axes, dataset, positions)
    axes.set_aspect("equal")
    axes.set(**_limits(positions))
    axes.set_axis_off()
    return image


def add_network_key(axes: Axes, dataset: xr.Dataset, current: str) -> None:
    """Explain below a network the widths of its edges, by three currents, and its letters.

    current: words and symbol of the current.
    """
    largest = _largest(dataset["edge_current"].values)
    colours, scale = colormaps[FLOW_COLOURS], _scale(largest)
    edges = [
        Line2D([], [], color=colours(scale(part * largest)), linewidth=_width(part),
               label=decimal(part * largest, digits=2))
        for part in SHOWN
    ]  # fmt: skip
    roles = set("".join(dataset["node_role"].values.tolist()))
    words = ", ".join(text for letter, text in ROLES.items() if letter in roles)
    axes.legend(
        handles=edges, title=f"{current}\n{words}" if words else current, ncols=len(edges),
        loc="upper center", bbox_to_anchor=(0.5, 0.0), borderaxespad=0.0, handlelength=1.5,
        columnspacing=1.0,
    )  # fmt: skip


def _largest(flow: np.ndarray) -> float:
    return float(np.max(np.abs(flow), initial=0.0, where=np.isfinite(flow))) or 1.0


def _width(share: float) -> float:
    return THINNEST + (THICKEST - THINNEST) * share


def _scale(largest: float) -> Normalize:
    return Normalize(-0.25 * largest, 1.3 * largest)  # the palest colours would not be seen


def _limits(positions: np.ndarray) -> dict[str, tuple[float, float]]:
    """Ranges of x and y with room for the nodes, also above and below a chain."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    span = max(float(np.max(high - low)), 1.0)
    half = np.maximum(0.5 * (high - low) + MARGIN * span, SLIMMEST * span)
    left, bottom = (0.5 * (low + high) - half).tolist()
    right, top = (0.5 * (low + high) + half).tolist()
    return {"xlim": (left, right), "ylim": (bottom, top)}


def _name_nodes(axes: Axes, dataset: xr.Dataset, positions: np.ndarray) -> None:
    occupation, roles = dataset["node_occupation"].values, dataset["node_role"].values
    half = 0.5 * float(np.max(occupation, initial=0.0))
    nodes = zip(positions, dataset["node"].values, roles, occupation, strict=True)
    for position, name, role, n in nodes:
        inside = len(str(name)) <= FITS
        axes.annotate(
            str(name) if len(str(name)) <= LONGEST else f"{str(name)[:LONGEST]}…", position,
            (0.0, 0.0 if inside else -BELOW), textcoords="offset points", ha="center",
            va="center" if inside else "top", zorder=4, parse_math=False,
            fontsize="small" if inside else "x-small",
            color="white" if inside and n < half else BLACK,
            bbox=None if inside else {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none"},
        )  # fmt: skip
        if role:
            axes.annotate(str(role), position, (6.5, 6.5), textcoords="offset points", ha="left",
                          fontweight="bold", zorder=4)  # fmt: skip
