"""Legends that cover nothing: in a free place of a panel, else above what it shows."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.transforms import Bbox

MARK = "mark"  # gid of what the key below all panels explains
APART = 4.0  # points between a legend and lines or edges: markers have a radius of 2
PLACES = 13  # tried along each side of a panel
MOST_ENTRIES = 8  # of a legend; further curves are not named
MOST_OF_A_PANEL = 0.5  # that may be added above what it shows; a larger legend goes outside
LETTER = 20.0  # points, width of "(a)" in bold
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of what a legend takes, by which the range is extended
TRIES = 3  # a range that changes can change the widths of tick labels, and these the panels


def add_legend(axes: Axes, columns: int = 1) -> None:
    """Add a legend of the curves of a panel, but of no marks; `settle_legends` places it."""
    found = zip(*axes.get_legend_handles_labels(), strict=True)
    entries = [(handle, label) for handle, label in found if _gid(handle) != MARK]
    if entries:
        handles, labels = zip(*entries[:MOST_ENTRIES], strict=True)
        title = f"{len(handles)} of {len(entries)}" if len(entries) > MOST_ENTRIES else None
        legend = axes.legend(handles, labels, loc="upper right", ncols=columns, title=title,
                             columnspacing=1.0, borderaxespad=0.0)  # fmt: skip
        legend.set_in_layout(False)


def settle_legends(figure: Figure, panels: Iterable[Axes]) -> None:
    """Move the legend of each panel to where it covers no line, area or text of its panel.

    Where there is no such place the range of y is extended upwards, by no more than the legend
    takes; one that is too large for that, or that a vertical line would cross, goes above the
    panel.
    """
    ranges = {axes: axes.get_ylim() for axes in panels if axes.get_legend() is not None}
    for _ in range(TRIES):
        engine = figure.get_layout_engine()
        if engine is not None:
            engine.execute(figure)
        unsettled = [axes for axes in ranges if covers_something(axes)]
        changes = [_settle(axes, ranges[axes]) for axes in unsettled]
        if not any(changes):
            return


def covers_something(axes: Axes) -> bool:
    """Whether the legend of a panel that has been laid out lies on what is drawn, or sticks out."""
    legend = axes.get_legend()
    if legend is None or legend.get_in_layout():
        return False
    box = legend.get_window_extent().padded(0.5 * _apart(axes))
    return not (_inside(box, axes.bbox) and _free(box, list(_drawn(axes))))


def _settle(axes: Axes, range_of_y: tuple[float, float]) -> bool:
    """Find a place for a legend; return whether the layout may have changed.

    range_of_y: what the panel must show.
    """
    legend: Any = axes.get_legend()
    panel, apart = axes.bbox, _apart(axes)
    box = legend.get_window_extent()
    share = (box.height + 2.0 * apart) / panel.height
    for part in STEPS if share < MOST_OF_A_PANEL else STEPS[:1]:
        axes.set_ylim(range_of_y)
        _make_room(axes, part * share)
        place = _place(axes, box.width, box.height)
        if place is not None:
            legend.set_loc(tuple(axes.transAxes.inverted().transform(place)))
            return part > 0.0
    axes.set_ylim(range_of_y)
    _put_above(axes, legend, box)
    return True


def _put_above(axes: Axes, legend: Any, box: Bbox) -> None:
    """Put a legend above a panel, to the right of its letter where there is room, else below it."""
    panel, apart, points = axes.bbox, _apart(axes), 72.0 / axes.figure.dpi
    legend.set_bbox_to_anchor((1.0, 1.0 + apart / panel.height), axes.transAxes)
    legend.set_loc("lower right")
    legend.set_in_layout(True)
    if box.width * points > panel.width * points - LETTER:
        pad = (box.height + 2.0 * apart) * points
        axes.set_title(axes.get_title("left"), loc="left", fontweight="bold", pad=pad)


def _place(axes: Axes, width: float, height: float) -> tuple[float, float] | None:
    """Return the lower left corner of a free place, as near to a corner of the panel as can be."""
    panel, apart, drawn = axes.bbox, _apart(axes), list(_drawn(axes))
    right = np.linspace(panel.x1 - apart - width, panel.x0 + apart, PLACES)
    up = np.linspace(panel.y1 - apart - height, panel.y0 + apart, PLACES)
    steps = [(min(i, PLACES - 1 - i) + min(j, PLACES - 1 - j), j, i)
             for i in range(PLACES) for j in range(PLACES)]  # fmt: skip
    for _, j, i in sorted(steps):
        there = Bbox.from_bounds(right[i], up[j], width, height)
        if _inside(there, panel) and _free(there.padded(apart), drawn):
            return float(right[i]), float(up[j])
    return None


def _apart(axes: Axes) -> float:
    return float(APART / 72.0 * axes.figure.dpi)


def _gid(handle: object) -> object:
    """The gid of what a legend explains; of several artists drawn together, such as error bars,
    none.
    """
    return handle.get_gid() if hasattr(handle, "get_gid") else None


def _inside(box: Bbox, panel: Bbox) -> bool:
    return bool(
        panel.x0 <= box.x0 and box.x1 <= panel.x1 and panel.y0 <= box.y0 and box.y1 <= panel.y1
    )


def _drawn(axes: Axes) -> Iterator[Path]:
    """What is drawn in a panel, in pixels; shades of whole ranges are background."""
    for line in axes.lines:
        yield line.get_transform().transform_path(line.get_path())
    for collection in axes.collections:
        if isinstance(collection, PathCollection):
            yield Path(collection.get_offset_transform().transform(collection.get_offsets()))
        else:
            yield from map(collection.get_transform().transform_path, collection.get_paths())
    for text in axes.texts:
        yield Path(text.get_window_extent().corners()[[0, 1, 3, 2, 0]])


def _free(box: Bbox, drawn: list[Path]) -> bool:
    return not any(path.intersects_bbox(box, filled=_is_area(path)) for path in drawn)


def _is_area(path: Path) -> bool:
    return path.codes is not None and bool(np.any(path.codes == Path.CLOSEPOLY))


def _make_room(axes: Axes, share: float) -> None:
    """Extend the range of y upwards, so that `share` of the panel is above what it held."""
    scale = axes.yaxis.get_transform()
    low, high = scale.transform(np.array(axes.get_ylim()))
    top = low + (high - low) / (1.0 - share)
    axes.set_ylim(top=float(scale.inverted().transform(np.array([top]))[0]))
