"""Sheets for a flywheel, over one parameter and in time: Wigner functions, coherence, work."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wheelwork.plots.curves import converged, plot_observable, say_if_empty, show_range, zero_line
from wheelwork.plots.labels import label_axis, label_by, symbol_of, units_of, with_value
from wheelwork.plots.legends import MARK, add_legend
from wheelwork.plots.marks import mark_failures, mark_threshold, mark_warnings
from wheelwork.plots.sheet import finish_sheet, new_sheet
from wheelwork.plots.style import BLACK, BLUE, GREY, VERMILION
from wheelwork.plots.wigner import draw_wigner_row

__all__ = ["charging_sheet", "flywheel_sheet"]

HEIGHT, HEIGHT_IN_TIME = 5.2, 5.0  # inches
PANELS = 3  # in each row
NEAR = 0.15  # of a level: a curve that ends there would cross its name
WORK_LINES = (
    ("energy", "energy", BLACK, ":"),
    ("free_energy_gain", "free energy", VERMILION, "--"),
    ("ergotropy", "ergotropy", VERMILION, "-"),
)


def flywheel_sheet(dataset: xr.Dataset) -> Figure:
    """Draw the content of Figs. 2-4 of Culhane et al., PRE 106, L032104, on one sheet.

    `dataset` is a sweep over one parameter with `g2`, `energy`, `ergotropy`, `free_energy_gain`
    and `entropy`, to which are added `wigner` over (a few parameter values, x, p), the scalars
    `x0` and `p0` (the scales in a = x/x0 + i p/p0) and, where there is one, `threshold`.
    Nothing is computed here.
    """
    axis = dataset[dataset["g2"].dims[0]]

    def title(value: xr.DataArray) -> str:
        return with_value(symbol_of(axis), float(value), units_of(axis))

    with new_sheet(HEIGHT) as figure:
        panels = _panels(figure, dataset, title)
        _draw_coherence(panels[3], dataset, BLACK)
        _draw_work(panels[4], dataset)
        panels[4].set_ylim(bottom=0.0)
        add_legend(panels[4])
        plot_observable(panels[5], dataset, "entropy", color=BLUE)
        label_by(panels[5].yaxis, dataset["entropy"])
        for panel in panels[PANELS:]:
            say_if_empty(panel)
            show_range(panel, axis)
            label_by(panel.xaxis, axis)
            mark_threshold(panel, dataset)
            mark_failures(panel, dataset)
            mark_warnings(panel, dataset)
        _mark_wigner_values(panels[3], dataset)
        natural = dataset.attrs.get("energy_unit", "1") == "1"
        note = r"Energies in the unit of the parameters, $\hbar = e = k_B = 1$." if natural else ""
        finish_sheet(figure, [panel for panel in panels if panel.axison], note)
    return figure


def charging_sheet(dataset: xr.Dataset) -> Figure:
    """Draw an evolution of a flywheel.

    `dataset` is that of `FlywheelEvolution.to_xarray`, to which are added `wigner` over
    (wigner_time, x, p) with up to three times, and the scalars `x0` and `p0`. Vertical lines
    mark where the bias changes.
    """
    time = dataset["time"].values
    with new_sheet(HEIGHT_IN_TIME) as figure:
        panels = _panels(figure, dataset, lambda value: with_value("$t$", float(value), "1"))
        _draw_work(panels[3], dataset)
        panels[3].set_ylim(bottom=0.0)
        add_legend(panels[3])
        _draw_power(panels[4], dataset)
        _draw_coherence(panels[5], dataset, BLUE)
        for panel in panels[PANELS:]:
            show_range(panel, dataset["time"])
            label_axis(panel.xaxis, "time $t$", units_of(dataset["time"]))
            for index in np.flatnonzero(np.diff(dataset["bias"])) if "bias" in dataset else ():
                panel.axvline(time[index + 1], color=GREY, linewidth=0.8, linestyle="-.", zorder=0,
                              label="the bias changes", gid=MARK)  # fmt: skip
        finish_sheet(figure, [panel for panel in panels if panel.axison])
    return figure


def _panels(
    figure: Figure, dataset: xr.Dataset, title: Callable[[xr.DataArray], str]
) -> list[Axes]:
    """Return the panels of two rows; Wigner functions are in the upper one."""
    rows = figure.add_gridspec(2, 1, height_ratios=(1.08, 1.0))
    top, bottom = figure.add_subfigure(rows[0]), figure.add_subfigure(rows[1])
    panels = [*top.subplots(1, PANELS, sharey=True), *bottom.subplots(1, PANELS)]
    draw_wigner_row(top, panels[:PANELS], dataset, title)
    return panels


def _draw_coherence(panel: Axes, dataset: xr.Dataset, color: str) -> None:
    plot_observable(panel, dataset, "g2", color=color)
    values = dataset["g2"].values[np.isfinite(dataset["g2"].values)]
    last = float(values[-1]) if values.size else 0.0
    for level, kind in ((1.0, "coherent"), (2.0, "thermal")):
        panel.axhline(level, color=GREY, linewidth=0.5, linestyle=":", zorder=0)
        at, side = (0.03, "left") if abs(last - level) < NEAR else (0.97, "right")
        panel.text(at, level, kind, ha=side, va="bottom", fontsize="small", color=GREY,
                   transform=panel.get_yaxis_transform())  # fmt: skip
    low, high = float(np.min(values, initial=1.0)), float(np.max(values, initial=2.0))
    panel.set_ylim(low - 0.05 * (high - low), high + 0.14 * (high - low))
    label_by(panel.yaxis, dataset["g2"])


def _mark_wigner_values(panel: Axes, dataset: xr.Dataset) -> None:
    """Mark the points whose Wigner functions are in the upper row."""
    coherence = converged(dataset.sortby(dataset["g2"].dims[0]), "g2")
    axis, heights = coherence[coherence.dims[0]].values, coherence.values
    shown = dataset[dataset["wigner"].dims[0]].values if "wigner" in dataset else ()
    for letter, position in zip("abc", shown, strict=False):
        at = int(np.argmin(np.abs(axis - position)))
        panel.plot(position, heights[at], "o", color=BLACK, markersize=3, clip_on=False, gid=MARK,
                   linestyle="none", label="states shown above")  # fmt: skip
        left = position > axis.mean()
        before, after = heights[max(at - 1, 0)], heights[min(at + 1, axis.size - 1)]
        above = bool(before <= after) == left  # where the curve does not go
        panel.annotate(
            letter, (position, heights[at]), (-5 if left else 5, 4 if above else -4),
            textcoords="offset points", ha="right" if left else "left",
            va="bottom" if above else "top",
        )  # fmt: skip


def _draw_work(panel: Axes, dataset: xr.Dataset) -> None:
    for name, words, color, linestyle in WORK_LINES:
        label = f"{words} {symbol_of(dataset[name])}"
        plot_observable(panel, dataset, name, color=color, linestyle=linestyle, label=label)
    label_axis(panel.yaxis, "energy, work", units_of(dataset["energy"]))


def _draw_power(panel: Axes, dataset: xr.Dataset) -> None:
    zero_line(panel)
    plot_observable(panel, dataset, "charging_power", color=BLACK)
    label_axis(panel.yaxis, r"charging power $\dot U$", units_of(dataset["charging_power"]))
