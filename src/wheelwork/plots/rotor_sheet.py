"""One sheet for a rotor engine: flows and regimes, bounds, stored work, rectification."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wheelwork.plots.curves import (
    add_legend,
    axis_label,
    converged,
    leave_out,
    mark_failures,
    plot_observable,
    symbol_of,
    with_units,
)
from wheelwork.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    VERMILION,
    letter_panels,
    new_sheet,
)

__all__ = ["rotor_sheet"]

HEIGHT = 5.0  # inches
FLOWS = (
    ("heat_cold", BLUE, "-"),
    ("heat_hot", VERMILION, "-"),
    ("heat_load", GREY, "--"),
    ("work_qubits", BLACK, "-"),
)
ERGOTROPIES = (
    ("ergotropy_total", "total", BLACK, "-"),
    ("ergotropy_rotor", "rotor", VERMILION, "--"),
    ("ergotropy_qubits", "qubits", BLUE, ":"),
)
SHADES = {1: ORANGE, 2: GREY, 3: BLUE, 4: GREEN}  # by regime code
REGIMES = {1: "engine", 2: "accel.", 3: "refrigerator", 4: "heater"}
RECTIFIED = (("heat", "heat"), ("momentum", "angular momentum"))
MERITS = {"efficiency": "efficiency of the engine", "cop": "COP of the refrigerator"}
LARGEST_RATIO = 3.0  # R has poles; larger values are left out, as they would flatten the rest
RATIO_LINES = ((VERMILION, "-"), (BLACK, "--"), (BLUE, ":"))  # one for each temperature ratio


def rotor_sheet(dataset: xr.Dataset) -> Figure:
    """Draw the content of Figs. 2-5 of Leitch et al. on one sheet.

    `dataset` is a sweep over one parameter with the observables of `RotorState`, to which may be
    added `heat_rectification`, `heat_size`, `momentum_rectification` and `momentum_size` over
    (rectified_beta_ratio, bath_asymmetry). Nothing is computed here.
    """
    with new_sheet(HEIGHT) as figure:
        panels = list(figure.subplots(2, 3).flat)
        _draw_flows(panels[0], dataset)
        _draw_bounded(panels[1], dataset, "efficiency", "carnot_efficiency")
        _draw_bounded(panels[2], dataset, "cop", "carnot_cop")
        _draw_ergotropies(panels[3], dataset)
        for panel, (name, words) in zip(panels[4:], RECTIFIED, strict=True):
            _draw_rectification(panel, dataset, name, words)
        if dataset.attrs.get("energy_unit", "1") == "1":
            note = r"Energies in the unit of the parameters, $\hbar = k_B = 1$."
            figure.supxlabel(note, fontsize=6.5, color=GREY, x=0.99, ha="right")
        letter_panels(panel for panel in panels if panel.axison)
    return figure


def _axis(dataset: xr.Dataset) -> xr.DataArray:
    return dataset[dataset["heat_hot"].dims[0]]


def _finish(
    panel: Axes, dataset: xr.Dataset, label: str, shown: xr.DataArray | None = None
) -> None:
    """Name the axes and mark failures; shown: what the range of x covers, if not everything."""
    axis = _axis(dataset)
    ends = axis if shown is None else shown
    panel.set(xlim=(float(ends.min()), float(ends.max())), xlabel=symbol_of(axis), ylabel=label)
    mark_failures(panel, dataset)


def _draw_flows(panel: Axes, dataset: xr.Dataset) -> None:
    ordered = dataset.sortby(_axis(dataset))
    _shade_regimes(panel, _axis(ordered).values, converged(ordered, "regime_code").values)
    panel.axhline(0.0, color=GREY, linewidth=0.5, zorder=0)
    for name, color, linestyle in FLOWS:
        plot_observable(panel, dataset, name, color=color, linestyle=linestyle)
    panel.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    add_legend(panel, columns=2)
    units = ordered["heat_hot"].attrs.get("units", "1").replace("^2", "²")
    _finish(panel, dataset, with_units("heat and work flows", units))


def _shade_regimes(panel: Axes, axis: np.ndarray, codes: np.ndarray) -> None:
    """Shade runs of one regime, with borders midway between the points, and name them."""
    known = np.isfinite(codes)
    axis, codes = axis[known], codes[known]
    if axis.size == 0:
        return
    changes = np.flatnonzero(np.diff(codes)) + 1
    borders = [axis[0], *(0.5 * (axis[changes - 1] + axis[changes])), axis[-1]]
    for i, first in enumerate([0, *changes]):
        code = int(codes[first])
        if code not in SHADES:
            continue
        low, high = borders[i], borders[i + 1]
        panel.axvspan(low, high, color=SHADES[code], alpha=0.13, linewidth=0, zorder=0)
        if high - low > 0.04 * (axis[-1] - axis[0]):
            panel.text(0.5 * (low + high), 0.02, REGIMES[code], ha="center", va="bottom",
                       rotation=90 if high - low < 0.15 * (axis[-1] - axis[0]) else 0,
                       fontsize="small", transform=panel.get_xaxis_transform())  # fmt: skip


def _draw_bounded(panel: Axes, dataset: xr.Dataset, name: str, bound: str) -> None:
    """Draw a figure of merit and its bound, where the regime of the machine has that merit."""
    ordered = dataset.sortby(_axis(dataset))
    axis, present = _axis(ordered), np.isfinite(converged(ordered, name).values)
    plot_observable(panel, dataset, name, color=BLACK)
    if np.any(present):
        panel.plot(axis, ordered[bound].where(present), color=GREY, linestyle="--",
                   label=symbol_of(ordered[bound]))  # fmt: skip
    if name == "cop" and np.any(present):
        panel.set_yscale("log")
    add_legend(panel)
    if not np.any(present):
        panel.text(0.5, 0.5, "none in this range", ha="center", transform=panel.transAxes)
    several = np.count_nonzero(present) > 1
    _finish(panel, dataset, MERITS[name], axis[present] if several else None)


def _draw_ergotropies(panel: Axes, dataset: xr.Dataset) -> None:
    for name, words, color, linestyle in ERGOTROPIES:
        label = f"{words} {symbol_of(dataset[name])}"
        plot_observable(panel, dataset, name, color=color, linestyle=linestyle, label=label)
    panel.set_ylim(bottom=0.0)
    add_legend(panel)
    units = dataset["ergotropy_total"].attrs.get("units", "1")
    _finish(panel, dataset, with_units("ergotropy", units))


def _draw_rectification(panel: Axes, dataset: xr.Dataset, name: str, words: str) -> None:
    """Draw R over J for each temperature ratio, and dots where Γ_α is largest."""
    if f"{name}_rectification" not in dataset:
        leave_out(panel)
        return
    sizes, chi = dataset[f"{name}_size"], dataset["bath_asymmetry"].values
    ratios = dataset["rectified_beta_ratio"]
    for i, (color, linestyle) in enumerate(RATIO_LINES[: ratios.size]):
        R, J = dataset[f"{name}_rectification"].values[i], sizes.values[i]
        label = f"{symbol_of(ratios)} = {float(ratios[i]):g}"
        shown = np.where(LARGEST_RATIO >= R, R, np.nan)
        panel.plot(J, shown, color=color, linestyle=linestyle, label=label)
        best = dataset[f"{name}_best_asymmetry"].values[i]
        for optimum in best[np.isfinite(best)]:
            nearest = int(np.argmin(np.abs(chi - optimum)))
            if R[nearest] <= LARGEST_RATIO:
                panel.plot(J[nearest], R[nearest], "o", color=color, markersize=3)
    panel.margins(0.08)
    add_legend(panel)
    panel.set(xlabel=axis_label(sizes), ylabel=f"rectification $R$, {words}")
