"""One sheet for a rotor engine: flows and regimes, bounds, stored work, rectification."""

from collections.abc import Iterable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wheelwork.plots.curves import (
    converged,
    leave_out,
    plot_observable,
    say_if_empty,
    show_range,
    zero_line,
)
from wheelwork.plots.labels import label_axis, label_by, symbol_of, units_of
from wheelwork.plots.legends import MARK, add_legend
from wheelwork.plots.marks import key_of_warnings, mark_failures, mark_warnings, stretches
from wheelwork.plots.sheet import finish_sheet, new_sheet
from wheelwork.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PALE, PURPLE, VERMILION, series

__all__ = ["rotor_sheet"]

HEIGHT = 5.3  # inches
FLOWS = (
    ("heat_cold", BLUE, "--"),
    ("heat_hot", VERMILION, "-"),
    ("heat_load", GREY, ":"),
    ("work_qubits", BLACK, "-."),
)
ERGOTROPIES = (
    ("ergotropy_total", "total", BLACK, "-"),
    ("ergotropy_rotor", "rotor", VERMILION, "--"),
    ("ergotropy_qubits", "qubits", BLUE, ":"),
)
SHADES = {1: ORANGE, 2: GREY, 3: BLUE, 4: GREEN, 5: PURPLE}  # by regime code
REGIMES = {1: "engine", 2: "accel.", 3: "refrigerator", 4: "heater", 5: "load-driven"}
RECTIFIED = (("heat", "heat"), ("momentum", "angular momentum"))
MERITS = {"efficiency": "efficiency of the engine", "cop": "COP of the refrigerator"}
LARGEST_RATIO = 3.0  # R has poles; larger values are left out, as they would flatten the rest
ROOM = 0.08  # of the flows' panel, below the curves: the names of regimes stand there
HALO = 6.0  # points, width of the shade behind what a warning concerns
PERFORMANCE = r"$\Gamma_\alpha = \alpha R + (1-\alpha) J$."
OPTIMA = ("o", "s", "^", "v", "D")  # one for each alpha


def rotor_sheet(dataset: xr.Dataset) -> Figure:
    """Draw the content of Figs. 2-5 of Leitch et al. on one sheet.

    `dataset` is a sweep over one parameter with the observables of `RotorState`, to which may be
    added `heat_rectification`, `heat_size`, `momentum_rectification`, `momentum_size` and the
    texts `rectification_warning` over (rectified_beta_ratio, bath_asymmetry), and
    `heat_best_asymmetry` and `momentum_best_asymmetry` over (rectified_beta_ratio, alpha).
    Nothing is computed here.
    """
    with new_sheet(HEIGHT) as figure:
        panels = list(figure.subplots(2, 3).flat)
        _draw_flows(panels[0], dataset)
        _draw_bounded(panels[1], dataset, "efficiency", "carnot_efficiency")
        _draw_bounded(panels[2], dataset, "cop", "carnot_cop")
        _draw_ergotropies(panels[3], dataset)
        for panel, (name, words) in zip(panels[4:], RECTIFIED, strict=True):
            _draw_rectification(panel, dataset, name, words)
        natural = dataset.attrs.get("energy_unit", "1") == "1"
        notes = [PERFORMANCE] if "heat_best_asymmetry" in dataset else []
        notes += [r"Energies in the unit of the parameters, $\hbar = k_B = 1$."] if natural else []
        finish_sheet(figure, panels, "\n".join(notes))
    return figure


def _axis(dataset: xr.Dataset) -> xr.DataArray:
    return dataset[dataset["heat_hot"].dims[0]]


def _finish(
    panel: Axes,
    dataset: xr.Dataset,
    label: str,
    units: str = "1",
    shown: xr.DataArray | None = None,
) -> None:
    """Name the axes and mark failures; shown: what the range of x covers, if not everything."""
    axis = _axis(dataset)
    say_if_empty(panel)
    show_range(panel, axis if shown is None else shown)
    label_axis(panel.xaxis, symbol_of(axis), units_of(axis))
    label_axis(panel.yaxis, label, units)
    mark_failures(panel, dataset)
    mark_warnings(panel, dataset)


def _draw_flows(panel: Axes, dataset: xr.Dataset) -> None:
    ordered = dataset.sortby(_axis(dataset))
    zero_line(panel)
    for name, color, linestyle in FLOWS:
        plot_observable(panel, dataset, name, color=color, linestyle=linestyle)
    show_range(panel, _axis(dataset))
    _shade_regimes(panel, _axis(ordered).values, converged(ordered, "regime_code").values)
    low, high = panel.get_ylim()
    panel.set_ylim(low - ROOM * (high - low), high)
    add_legend(panel, columns=2)
    _finish(panel, dataset, "heat and work flows", units_of(dataset["heat_hot"]))


def _shade_regimes(panel: Axes, axis: np.ndarray, codes: np.ndarray) -> None:
    """Shade runs of one regime, with borders midway between the points, and name them below."""
    known = np.isfinite(codes)
    axis, codes = axis[known], codes[known]
    width = float(np.ptp(panel.get_xlim()))
    for code, low, high in stretches(panel, axis, codes):
        if code not in SHADES:
            continue
        panel.axvspan(low, high, color=SHADES[int(code)], alpha=0.13, linewidth=0, zorder=0)
        if high - low > 0.04 * width:
            panel.text(0.5 * (low + high), 0.02, REGIMES[int(code)], ha="center", va="bottom",
                       rotation=90 if high - low < 0.15 * width else 0,
                       fontsize="small", transform=panel.get_xaxis_transform())  # fmt: skip


def _draw_bounded(panel: Axes, dataset: xr.Dataset, name: str, bound: str) -> None:
    """Draw a figure of merit and its bound, where the regime of the machine has that merit."""
    ordered = dataset.sortby(_axis(dataset))
    axis, present = _axis(ordered), np.isfinite(converged(ordered, name).values)
    plot_observable(panel, dataset, name, color=BLACK)
    if np.any(present):
        panel.plot(axis, ordered[bound].where(present), color=GREY, linestyle="--",
                   label=symbol_of(ordered[bound]))  # fmt: skip
        panel.set_yscale("log" if name == "cop" else "linear")
    add_legend(panel)
    _finish(panel, dataset, MERITS[name], shown=axis[present] if np.any(present) else None)


def _draw_ergotropies(panel: Axes, dataset: xr.Dataset) -> None:
    for name, words, color, linestyle in ERGOTROPIES:
        label = f"{words} {symbol_of(dataset[name])}"
        plot_observable(panel, dataset, name, color=color, linestyle=linestyle, label=label)
    panel.set_ylim(bottom=0.0)
    add_legend(panel)
    _finish(panel, dataset, "ergotropy", units_of(dataset["ergotropy_total"]))


def _draw_rectification(panel: Axes, dataset: xr.Dataset, name: str, words: str) -> None:
    """Draw R over J for each temperature ratio, a shade behind what a warning concerns, and marks
    where Γ_α = α R + (1 − α) J is largest.
    """
    if f"{name}_rectification" not in dataset:
        leave_out(panel)
        return
    sizes, ratios = dataset[f"{name}_size"], dataset["rectified_beta_ratio"]
    rectified = dataset[f"{name}_rectification"]
    rectified = rectified.where(rectified <= LARGEST_RATIO)
    warned = dataset.get("rectification_warning", xr.full_like(sizes, "", dtype=object))
    for i, (J, R, texts) in enumerate(zip(sizes, rectified, warned, strict=True)):
        label = f"{symbol_of(ratios)} = {float(ratios[i]):g}"
        panel.plot(J, R, label=label, **series(i))
        if (texts != "").any():
            panel.plot(J, R.where(texts != ""), color=PALE, linewidth=HALO, zorder=0.5, gid=MARK,
                       label=key_of_warnings(warned.values))  # fmt: skip
        _mark_optima(panel, dataset, J, R, dataset[f"{name}_best_asymmetry"][i])
    panel.margins(0.08)
    add_legend(panel)
    label_by(panel.xaxis, sizes)
    label_axis(panel.yaxis, f"rectification $R$\nof {words}")


def _mark_optima(
    panel: Axes, dataset: xr.Dataset, J: xr.DataArray, R: xr.DataArray, best: Iterable[xr.DataArray]
) -> None:
    chi = dataset["bath_asymmetry"].values
    for marker, optimum in zip(OPTIMA, best, strict=False):
        if not np.isfinite(optimum):
            continue
        nearest = int(np.argmin(np.abs(chi - float(optimum))))
        weight = f", $\\alpha$ = {float(optimum['alpha']):g}" if "alpha" in optimum.coords else ""
        panel.plot(
            J[nearest], R[nearest], marker, color=BLACK, markersize=4, fillstyle="none",
            markeredgewidth=0.8, gid=MARK, label=rf"$\Gamma_\alpha$ largest{weight}",
        )  # fmt: skip
