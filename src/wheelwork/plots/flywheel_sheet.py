"""Sheets for a flywheel, over one parameter and in time: Wigner functions, coherence, work."""

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wheelwork.plots.curves import (
    add_legend,
    axis_label,
    converged,
    mark_failures,
    mark_threshold,
    plot_observable,
    symbol_of,
    with_units,
)
from wheelwork.plots.style import BLACK, BLUE, GREY, VERMILION, letter_panels, new_sheet
from wheelwork.plots.wigner import draw_wigner_row

__all__ = ["charging_sheet", "flywheel_sheet"]

HEIGHT, HEIGHT_IN_TIME = 5.0, 4.8  # inches
PANELS = 3  # in each row
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
    units = axis.attrs.get("units", "1")

    def title(value: xr.DataArray) -> str:
        return f"{symbol_of(axis)} = {float(value):g}" + ("" if units in {"", "1"} else f" {units}")

    with new_sheet(HEIGHT) as figure:
        panels = _panels(figure, dataset, title)
        _draw_coherence(panels[3], dataset, BLACK)
        _mark_wigner_values(panels[3], dataset)
        _draw_work(panels[4], dataset)
        panels[4].set_ylim(bottom=0.0)
        add_legend(panels[4], side="left")
        plot_observable(panels[5], dataset, "entropy", color=BLUE)
        panels[5].set_ylabel(axis_label(dataset["entropy"]))
        for panel in panels[PANELS:]:
            panel.set(xlim=(float(axis.min()), float(axis.max())), xlabel=axis_label(axis))
            mark_threshold(panel, dataset)
            mark_failures(panel, dataset)
        if dataset.attrs.get("energy_unit", "1") == "1":
            note = r"Energies in the unit of the parameters, $\hbar = e = k_B = 1$."
            figure.supxlabel(note, fontsize=6.5, color=GREY, x=0.99, ha="right")
        letter_panels(panel for panel in panels if panel.axison)
    return figure


def charging_sheet(dataset: xr.Dataset) -> Figure:
    """Draw an evolution of a flywheel.

    `dataset` is that of `FlywheelEvolution.to_xarray`, to which are added `wigner` over
    (wigner_time, x, p) with up to three times, and the scalars `x0` and `p0`. Vertical lines
    mark where the bias changes.
    """
    time = dataset["time"].values
    label = with_units("time $t$", dataset["time"].attrs.get("units", "1"))
    with new_sheet(HEIGHT_IN_TIME) as figure:
        panels = _panels(figure, dataset, lambda value: f"$t$ = {float(value):.6g}")
        _draw_work(panels[3], dataset)
        panels[3].set_ylim(bottom=0.0)
        add_legend(panels[3], side="left")
        _draw_power(panels[4], dataset)
        _draw_coherence(panels[5], dataset, BLUE)
        for panel in panels[PANELS:]:
            panel.set(xlim=(time[0], time[-1]), xlabel=label)
            panel.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4))
            for index in np.flatnonzero(np.diff(dataset["bias"])) if "bias" in dataset else ():
                panel.axvline(time[index + 1], color=GREY, linewidth=0.8, linestyle="-.", zorder=0)
        letter_panels(panel for panel in panels if panel.axison)
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
    for level, kind in ((1.0, "coherent"), (2.0, "thermal")):
        panel.axhline(level, color=GREY, linewidth=0.5, linestyle=":", zorder=0)
        _note(panel, (0.97, level), kind, panel.get_yaxis_transform(), "right")
    panel.set_ylim(0.95, max(2.1, 1.05 * float(np.nanmax(dataset["g2"], initial=0.0))))
    panel.set_ylabel(axis_label(dataset["g2"]))


def _note(panel: Axes, at: tuple[float, float], text: str, transform: Any, ha: str) -> None:
    panel.text(*at, text, ha=ha, va="bottom", fontsize="small", color=GREY, transform=transform)


def _mark_wigner_values(panel: Axes, dataset: xr.Dataset) -> None:
    """Name the threshold, and mark the points whose Wigner functions are in the upper row."""
    coherence = converged(dataset, "g2")
    axis = coherence[coherence.dims[0]].values
    if "threshold" in dataset:
        threshold = float(dataset["threshold"])
        side = "right" if threshold > 0.5 * float(axis.min() + axis.max()) else "left"
        _note(panel, (threshold, 0.2), " threshold ", panel.get_xaxis_transform(), side)
    shown = dataset[dataset["wigner"].dims[0]].values if "wigner" in dataset else ()
    for letter, position in zip("abc", shown, strict=False):
        height = coherence.values[np.argmin(np.abs(axis - position))]
        panel.plot(position, height, "o", color=BLACK, markersize=3, clip_on=False)
        left = position > axis.mean()
        panel.annotate(letter, (position, height), (-5 if left else 5, 4),
                       textcoords="offset points", ha="right" if left else "left")  # fmt: skip


def _draw_work(panel: Axes, dataset: xr.Dataset) -> None:
    for name, words, color, linestyle in WORK_LINES:
        label = f"{words} {symbol_of(dataset[name])}"
        plot_observable(panel, dataset, name, color=color, linestyle=linestyle, label=label)
    panel.set_ylabel(with_units("energy, work", dataset["energy"].attrs.get("units", "1")))


def _draw_power(panel: Axes, dataset: xr.Dataset) -> None:
    panel.axhline(0.0, color=GREY, linewidth=0.5, zorder=0)
    plot_observable(panel, dataset, "charging_power", color=BLACK)
    panel.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    units = dataset["charging_power"].attrs.get("units", "1").replace("^2", "²")
    panel.set_ylabel(with_units(r"charging power $\dot U$", units))
