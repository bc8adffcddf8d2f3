"""One sheet for a flywheel: its Wigner functions, its coherence, its stored work."""

from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from wheelwork.plots.curves import (
    axis_label,
    leave_out,
    mark_failures,
    mark_threshold,
    plot_observable,
    symbol_of,
    with_units,
)
from wheelwork.plots.style import (
    BLACK,
    BLUE,
    GREY,
    STYLE,
    TWO_COLUMNS,
    VERMILION,
    letter_panels,
)
from wheelwork.plots.wigner import draw_wigner_row

PANELS = 3  # in each row
WORK_LINES = (
    ("energy", "energy", BLACK, ":"),
    ("free_energy_gain", "free energy", VERMILION, "--"),
    ("ergotropy", "ergotropy", VERMILION, "-"),
)
SIZE = (TWO_COLUMNS, 5.0)  # inches


def flywheel_sheet(dataset: xr.Dataset) -> Figure:
    """Draw the content of Figs. 2-4 of Culhane et al., PRE 106, L032104, on one sheet.

    `dataset` is a sweep over one parameter with `g2`, `energy`, `ergotropy`, `free_energy_gain`
    and `entropy`, to which are added `wigner` over (a few parameter values, x, p), the scalars
    `x0` and `p0` (the scales in a = x/x0 + i p/p0) and, where there is one, `threshold`.
    Nothing is computed here.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout=ConstrainedLayoutEngine(h_pad=0.05, w_pad=0.05))
        rows = figure.add_gridspec(2, 1, height_ratios=(1.08, 1.0))
        top, bottom = figure.add_subfigure(rows[0]), figure.add_subfigure(rows[1])
        panels = [*top.subplots(1, PANELS, sharey=True), *bottom.subplots(1, PANELS)]
        _draw_wigner_row(top, panels[:PANELS], dataset)
        _draw_coherence(panels[3], dataset)
        _draw_work(panels[4], dataset)
        _draw_entropy(panels[5], dataset)
        if dataset.attrs.get("energy_unit", "1") == "1":
            note = r"Energies in the unit of the parameters, $\hbar = e = k_B = 1$."
            figure.supxlabel(note, fontsize=6.5, color=GREY, x=0.99, ha="right")
        letter_panels(panel for panel in panels if panel.axison)
    return figure


def _draw_wigner_row(figure: SubFigure, row: list[Axes], dataset: xr.Dataset) -> None:
    if "wigner" not in dataset:
        for panel in row:
            leave_out(panel)
        return
    draw_wigner_row(figure, row, dataset, lambda value: _value_title(value, dataset))


def _value_title(value: xr.DataArray, dataset: xr.Dataset) -> str:
    axis = dataset[dataset["g2"].dims[0]]
    units = axis.attrs.get("units", "1")
    return f"{symbol_of(axis)} = {float(value):g}" + ("" if units in {"", "1"} else f" {units}")


def _finish(panel: Axes, dataset: xr.Dataset, label: str) -> None:
    axis = dataset[dataset["g2"].dims[0]]
    panel.set_xlim(float(axis.min()), float(axis.max()))
    panel.set_xlabel(axis_label(axis))
    panel.set_ylabel(label)
    mark_threshold(panel, dataset)
    mark_failures(panel, dataset)


def _draw_coherence(panel: Axes, dataset: xr.Dataset) -> None:
    axis = dataset[dataset["g2"].dims[0]]
    plot_observable(panel, dataset, "g2", color=BLACK)
    for level, kind in ((1.0, "coherent"), (2.0, "thermal")):
        panel.axhline(level, color=GREY, linewidth=0.5, linestyle=":", zorder=0)
        _note(panel, (0.97, level), kind, panel.get_yaxis_transform(), ha="right")
    if "threshold" in dataset:
        threshold = float(dataset["threshold"])
        side = "right" if threshold > 0.5 * float(axis.min() + axis.max()) else "left"
        _note(panel, (threshold, 0.2), " threshold ", panel.get_xaxis_transform(), ha=side)
    _mark_wigner_values(panel, dataset)
    panel.set_ylim(0.95, max(2.1, 1.05 * float(np.nanmax(dataset["g2"], initial=0.0))))
    _finish(panel, dataset, axis_label(dataset["g2"]))


def _note(panel: Axes, position: tuple[float, float], text: str, transform: Any, ha: str) -> None:
    panel.text(
        *position, text, ha=ha, va="bottom", fontsize="small", color=GREY, transform=transform
    )


def _mark_wigner_values(panel: Axes, dataset: xr.Dataset) -> None:
    """Mark on the curve the points whose Wigner functions are drawn in the upper row."""
    if "wigner" not in dataset:
        return
    coherence = dataset["g2"]
    axis = coherence[coherence.dims[0]].values
    for letter, position in zip("abc", dataset[dataset["wigner"].dims[0]].values, strict=False):
        height = coherence.values[np.argmin(np.abs(axis - position))]
        panel.plot(position, height, "o", color=BLACK, markersize=3, clip_on=False)
        side = -1 if position > axis.mean() else 1
        panel.annotate(
            letter,
            (position, height),
            (5 * side, 4),
            textcoords="offset points",
            ha="left" if side > 0 else "right",
        )


def _draw_work(panel: Axes, dataset: xr.Dataset) -> None:
    for name, words, color, linestyle in WORK_LINES:
        label = f"{words} {symbol_of(dataset[name])}"
        plot_observable(panel, dataset, name, color=color, linestyle=linestyle, label=label)
    panel.set_ylim(bottom=0.0)
    panel.legend(loc="best", frameon=True, framealpha=1.0, edgecolor="none", borderpad=0.2)
    _finish(panel, dataset, with_units("energy, work", dataset["energy"].attrs.get("units", "1")))


def _draw_entropy(panel: Axes, dataset: xr.Dataset) -> None:
    plot_observable(panel, dataset, "entropy", color=BLUE)
    _finish(panel, dataset, axis_label(dataset["entropy"]))
