"""Sheets for power grids: flows over one parameter, and the figures of Huber and Rabl."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure

from wheelwork.plots.curves import (
    add_legend,
    axis_label,
    converged,
    leave_out,
    mark_failures,
    plot_with_error,
    with_units,
)
from wheelwork.plots.network import draw_network
from wheelwork.plots.style import (
    BLACK,
    BLUE,
    CURRENT_COLOURS,
    GREEN,
    GREY,
    ORANGE,
    VERMILION,
    letter_panels,
    new_sheet,
)

__all__ = ["grid_sweep_sheet", "power_grid_sheet"]

HEIGHT, HEIGHT_OF_ROW = 6.6, 2.4  # inches
FLOWS = (("injected", BLUE, "--"), ("extracted", BLACK, "-"), ("dissipated", VERMILION, ":"))
EXTRACTION, INJECTION = r"extraction $\Gamma_e/g$", r"injection $\Gamma_i/g$"
QUANTUM_LABELS = {
    "quantum_fluctuation": r"quantum noise $\Delta J/g$",
    "quantum_negativity": r"negativity $\mathcal{N}$",
}
CURRENT = r"current $\langle J\rangle/gn_0$"
SERIES = (BLACK, VERMILION, BLUE, GREEN, ORANGE)
LINES = ("-", "--", ":", "-.", (0, (4, 1, 1, 1)))
MARKS = ("o", "s", "^", "v", "D")


def grid_sweep_sheet(dataset: xr.Dataset) -> Figure:
    """Draw a sweep of a power grid over one parameter.

    `dataset` has `injected`, `extracted`, `dissipated` and `occupation`, perhaps their `_error`s,
    and `extracted_lowest` and `extracted_highest` where several states attract; for the network
    what `draw_network` takes, of which the last value that has a result is drawn.
    """
    with new_sheet(HEIGHT_OF_ROW) as figure:
        flows, occupation, network = figure.subplots(1, 3)
        _draw_flows(flows, dataset)
        plot_with_error(occupation, dataset, "occupation", color=BLACK, label="occupation")
        occupation.set_ylabel(dataset["occupation"].attrs.get("long_name", "occupation"))
        occupation.set_ylim(bottom=0.0)
        for panel in (flows, occupation):
            panel.set_xlabel(axis_label(dataset[dataset["extracted"].dims[0]]))
            mark_failures(panel, dataset)
        last = _last(dataset)
        if last is not None and {"node_x", "node_occupation", "edge_current"} <= set(last):
            _draw_grid(figure, network, last, r"occupation $\langle n\rangle$")
        else:
            leave_out(network)
        letter_panels([flows, occupation, network])
    return figure


def _last(dataset: xr.Dataset) -> xr.Dataset | None:
    """The last value of a sweep that has a result, None where there is none."""
    (dim,) = dataset["failure"].dims
    done = np.flatnonzero(dataset["failure"].values == "")
    return dataset.isel({dim: int(done[-1])}) if done.size else None


def _draw_flows(panel: Axes, dataset: xr.Dataset) -> None:
    if "extracted_lowest" in dataset:
        ordered = dataset.sortby(dataset["extracted"].dims[0])
        panel.fill_between(
            ordered[dataset["extracted"].dims[0]], converged(ordered, "extracted_lowest"),
            converged(ordered, "extracted_highest"), color=GREY, alpha=0.3, linewidth=0,
            label="extracted, all that attract",
        )  # fmt: skip
    for name, color, linestyle in FLOWS:
        plot_with_error(panel, dataset, name, color=color, linestyle=linestyle, label=name)
    add_legend(panel)
    panel.set_ylabel(with_units("quanta per time", dataset["extracted"].attrs.get("units", "1")))


def power_grid_sheet(dataset: xr.Dataset) -> Figure:
    """Draw the content of Figs. 2-5 of Huber and Rabl on one sheet.

    Each panel is drawn from variables of one prefix, and says so where they are missing:
    `map_current` and `map_stable_branches` over (map_injection, map_extraction);
    `profile_occupation` over (profile_extraction, site); `noisy_current`, `noisy_fluctuation`,
    `noisy_damping` and `quiet_damping` over noisy_extraction, and `equilibrium_fluctuation`;
    `quantum_fluctuation` and `quantum_negativity` over (quantum_saturation, quantum_extraction);
    `port_current` over (port, port_extraction); and what `draw_network` takes.
    """
    with new_sheet(HEIGHT) as figure:
        panels = list(figure.subplots(3, 3).flat)
        for panel, (draw, needed) in zip(panels, PANELS, strict=True):
            if needed in dataset:
                draw(figure, panel, dataset)
            else:
                leave_out(panel)
        note = r"Rates in units of the coupling $g$; $n_0$: saturation number."
        figure.supxlabel(note, fontsize=6.5, color=GREY, x=0.99, ha="right")
        letter_panels(panels)
    return figure


def _draw_map(
    figure: Figure, panel: Axes, values: xr.DataArray, label: str, ticks: Any = None, **colours: Any
) -> Colorbar:
    values = values.transpose("map_injection", "map_extraction")
    x, y = values["map_extraction"], values["map_injection"]
    image = panel.pcolormesh(x, y, values, rasterized=True, **colours)
    panel.set(xlabel=EXTRACTION, ylabel=INJECTION)
    return figure.colorbar(image, ax=panel, pad=0.02, ticks=ticks, label=label)


def _draw_current_map(figure: Figure, panel: Axes, dataset: xr.Dataset) -> None:
    """Draw the current; outline and name the rates at which only the state at rest is stable."""
    _draw_map(figure, panel, dataset["map_current"], CURRENT, cmap=CURRENT_COLOURS, vmin=0.0)
    stable = dataset["map_stable_branches"].transpose("map_injection", "map_extraction")
    x, y = stable["map_extraction"].values, stable["map_injection"].values
    at_rest = stable.values == 0
    if not at_rest.any():
        return
    panel.contour(x, y, at_rest.astype(float), levels=[0.5], colors="white", linewidths=0.7)
    rows, columns = np.nonzero(at_rest)
    panel.annotate("stalled", (float(np.median(x[columns])), float(np.median(y[rows]))),
                   (0.97, 0.03), textcoords="axes fraction", color="white", ha="right",
                   va="bottom", fontsize="small")  # fmt: skip


def _draw_multiplicity(figure: Figure, panel: Axes, dataset: xr.Dataset) -> None:
    values = dataset["map_stable_branches"]
    most = max(2, int(values.max()))
    norm = BoundaryNorm(np.arange(-0.5, most + 1.0), ncolors=256)
    ticks = range(0, most + 1, 1 + most // 7)
    bar = _draw_map(figure, panel, values, "stable branches", ticks, cmap="cividis", norm=norm)
    bar.ax.minorticks_off()


def _draw_profiles(figure: Figure, panel: Axes, dataset: xr.Dataset) -> None:
    values = dataset["profile_occupation"]
    for i, row in enumerate(values.transpose("profile_extraction", "site")):
        rate = float(row["profile_extraction"])
        panel.plot(row["site"], row, linestyle=LINES[i], marker=MARKS[i], markersize=3,
                   color=SERIES[i], label=rf"$\Gamma_e$ = {rate:.3g}")  # fmt: skip
    panel.set_yscale("log")
    panel.set_ylim(0.1 * float(values.min()), 1.5 * float(values.max()))  # room for the legend
    panel.legend(loc="lower center")
    panel.set(xlabel=r"site $\ell$", ylabel=r"occupation $|\alpha_\ell|^2/n_0$")


def _draw_noisy_current(figure: Figure, panel: Axes, dataset: xr.Dataset) -> None:
    axis, mean = dataset["noisy_extraction"].values, dataset["noisy_current"].values
    spread = dataset["noisy_fluctuation"].values
    panel.fill_between(axis, mean - spread, mean + spread, color=BLUE, alpha=0.25, linewidth=0,
                       label=r"$\pm\Delta J$")  # fmt: skip
    panel.plot(axis, mean, color=BLUE, label=r"$\langle J\rangle$")
    _mark_mixed(panel, dataset, "noisy_current")
    if "equilibrium_fluctuation" in dataset:
        level = float(dataset["equilibrium_fluctuation"])
        for sign in (-1.0, 1.0):
            panel.axhline(sign * level, color=GREY, linewidth=0.8, linestyle="--",
                          label=r"$\pm\Delta J$, equilibrium" if sign > 0 else None)  # fmt: skip
    panel.set_ylim(-1.1 * float(np.max(spread)), 1.1 * float(np.max(spread)))
    add_legend(panel)
    label = r"current with noise $J/gn_0$"
    panel.set(xlabel=EXTRACTION, ylabel=label, xlim=(axis[0], axis[-1]))


def _mark_mixed(panel: Axes, dataset: xr.Dataset, name: str) -> None:
    """Draw marks on a curve, open where trajectories had not mixed."""
    if "noisy_mixed" not in dataset:
        return
    for kind, fill in ((1.0, BLUE), (0.0, "white")):
        chosen = dataset[name].where(dataset["noisy_mixed"] == kind)
        panel.plot(dataset["noisy_extraction"], chosen, "o", markersize=3, color=BLUE,
                   markerfacecolor=fill)  # fmt: skip


def _draw_damping(figure: Figure, panel: Axes, dataset: xr.Dataset) -> None:
    axis = dataset["noisy_extraction"].values
    panel.axhline(0.0, color=GREY, linewidth=0.5, zorder=0)
    panel.plot(axis, dataset["quiet_damping"], color=BLACK, linestyle="--", label="without noise")
    panel.plot(axis, dataset["noisy_damping"], color=BLUE, label="with noise")
    _mark_mixed(panel, dataset, "noisy_damping")
    add_legend(panel, side="left")
    label = r"mean damping $\bar\Gamma/g$"
    panel.set(xlabel=EXTRACTION, ylabel=label, xlim=(axis[0], axis[-1]))


def _draw_quantum(figure: Figure, panel: Axes, dataset: xr.Dataset, name: str) -> None:
    values = dataset[name].transpose("quantum_saturation", "quantum_extraction")
    for i, row in enumerate(values):
        if not bool(row.notnull().any()):
            continue
        panel.plot(row["quantum_extraction"], row, color=SERIES[i], linestyle=LINES[i],
                   label=f"$n_0$ = {float(row['quantum_saturation']):g}")  # fmt: skip
    panel.set_ylim(bottom=0.0)
    add_legend(panel)
    axis = values["quantum_extraction"].values
    panel.set(xlabel=EXTRACTION, ylabel=QUANTUM_LABELS[name], xlim=(axis[0], axis[-1]))


def _draw_ports(figure: Figure, panel: Axes, dataset: xr.Dataset) -> None:
    panel.axhline(0.0, color=GREY, linewidth=0.5, zorder=0)
    for i, row in enumerate(dataset["port_current"].transpose("port", "port_extraction")):
        axis, port = row["port_extraction"], row["port"].item()
        panel.plot(axis, row, color=SERIES[i], linestyle=LINES[i], marker=MARKS[i], markersize=3,
                   label=f"into {port}")  # fmt: skip
    add_legend(panel, columns=2, side="left")
    panel.set(xlabel=r"extraction at 7 $\Gamma_e^{(7)}/g$", ylabel=CURRENT)


def _draw_grid(figure: Figure, panel: Axes, dataset: xr.Dataset, label: str) -> None:
    figure.colorbar(draw_network(panel, dataset), ax=panel, pad=0.02, label=label)


# How each panel is drawn, and the variable that it needs.
PANELS: tuple[tuple[Callable[..., None], str], ...] = (
    (_draw_current_map, "map_current"),
    (_draw_multiplicity, "map_stable_branches"),
    (_draw_profiles, "profile_occupation"),
    (_draw_noisy_current, "noisy_current"),
    (_draw_damping, "noisy_damping"),
    (partial(_draw_quantum, name="quantum_fluctuation"), "quantum_fluctuation"),
    (partial(_draw_quantum, name="quantum_negativity"), "quantum_negativity"),
    (_draw_ports, "port_current"),
    (partial(_draw_grid, label=r"occupation $\langle n\rangle/n_0$"), "node_x"),
)
