"""One sheet for a flywheel in time: Wigner functions, stored energy, charging power, coherence."""

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from wheelwork.plots.curves import axis_label, symbol_of, with_units
from wheelwork.plots.flywheel_sheet import WORK_LINES
from wheelwork.plots.style import BLACK, BLUE, GREY, STYLE, TWO_COLUMNS, letter_panels
from wheelwork.plots.wigner import draw_wigner_row

SIZE = (TWO_COLUMNS, 4.8)  # inches
PANELS = 3  # in each row


def charging_sheet(dataset: xr.Dataset) -> Figure:
    """Draw an evolution of a flywheel.

    `dataset` is that of `FlywheelEvolution.to_xarray`, to which are added `wigner` over
    (wigner_time, x, p) with up to three times, and the scalars `x0` and `p0`. Vertical lines
    mark where the bias changes.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout=ConstrainedLayoutEngine(h_pad=0.05, w_pad=0.05))
        rows = figure.add_gridspec(2, 1, height_ratios=(1.08, 1.0))
        top, bottom = figure.add_subfigure(rows[0]), figure.add_subfigure(rows[1])
        panels = [*top.subplots(1, PANELS, sharey=True), *bottom.subplots(1, PANELS)]
        draw_wigner_row(top, panels[:PANELS], dataset, _time_title)
        _draw_stored(panels[3], dataset)
        _draw_power(panels[4], dataset)
        _draw_coherence(panels[5], dataset)
        letter_panels(panel for panel in panels if panel.axison)
    return figure


def _time_title(time: xr.DataArray) -> str:
    return f"$t$ = {float(time):.6g}"


def _finish(panel: Axes, dataset: xr.Dataset, label: str) -> None:
    time = dataset["time"].values
    panel.set_xlim(time[0], time[-1])
    panel.set_xlabel(with_units("time $t$", dataset["time"].attrs.get("units", "1")))
    panel.set_ylabel(label)
    panel.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4))
    if "bias" in dataset:
        for index in np.flatnonzero(np.diff(dataset["bias"].values)):
            panel.axvline(time[index + 1], color=GREY, linewidth=0.8, linestyle="-.", zorder=0)


def _draw_stored(panel: Axes, dataset: xr.Dataset) -> None:
    for name, words, color, linestyle in WORK_LINES:
        label = f"{words} {symbol_of(dataset[name])}"
        panel.plot(dataset["time"], dataset[name], color=color, linestyle=linestyle, label=label)
    panel.set_ylim(0.0, 1.5 * float(dataset["energy"].max()))  # room for the legend
    panel.legend(loc="upper left")
    _finish(panel, dataset, with_units("energy, work", dataset["energy"].attrs.get("units", "1")))


def _draw_power(panel: Axes, dataset: xr.Dataset) -> None:
    panel.axhline(0.0, color=GREY, linewidth=0.5, zorder=0)
    panel.plot(dataset["time"], dataset["charging_power"], color=BLACK)
    panel.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    units = dataset["charging_power"].attrs.get("units", "1").replace("^2", "²")
    _finish(panel, dataset, with_units(r"charging power $\dot U$", units))


def _draw_coherence(panel: Axes, dataset: xr.Dataset) -> None:
    panel.plot(dataset["time"], dataset["g2"], color=BLUE)
    for level, kind in ((1.0, "coherent"), (2.0, "thermal")):
        panel.axhline(level, color=GREY, linewidth=0.5, linestyle=":", zorder=0)
        panel.text(0.97, level, kind, ha="right", va="bottom", fontsize="small", color=GREY,
                   transform=panel.get_yaxis_transform())  # fmt: skip
    panel.set_ylim(0.95, max(2.1, 1.05 * float(np.nanmax(dataset["g2"], initial=0.0))))
    _finish(panel, dataset, axis_label(dataset["g2"]))
