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
    converged,
    leave_out,
    plot_observable,
    say_if_empty,
    show_range,
    zero_line,
)
from wheelwork.plots.labels import add_bar, label_axis, label_by, readable, units_of
from wheelwork.plots.legends import MARK, add_legend
from wheelwork.plots.marks import mark_failures, mark_warnings
from wheelwork.plots.network import add_network_key, draw_network
from wheelwork.plots.sheet import finish_sheet, new_sheet
from wheelwork.plots.style import (
    BLACK,
    BLUE,
    CURRENT_COLOURS,
    GREY,
    VERMILION,
    marker,
    series,
)

__all__ = ["grid_sweep_sheet", "power_grid_sheet"]

HEIGHT, HEIGHT_OF_ROW = 6.8, 2.6  # inches
FLOWS = (("injected", BLUE, "--"), ("extracted", BLACK, "-"), ("dissipated", VERMILION, ":"))
EXTRACTION, INJECTION = r"extraction $\Gamma_e/g$", r"injection $\Gamma_i/g$"
QUANTUM_LABELS = {
    "quantum_fluctuation": r"quantum noise $\Delta J/g$",
    "quantum_negativity": r"negativity $\mathcal{N}$",
}
CURRENT = r"current $\langle J\rangle/gn_0$"
MIXED, APART = "sampled, trajectories mixed", "sampled, trajectories had not mixed"
NOTE = r"Rates in units of the coupling $g$; $n_0$: saturation number."
ONE_UNIT = "Rates and currents in the unit of the parameters."
SIZE = 3.0  # points, of a marker


def grid_sweep_sheet(dataset: xr.Dataset) -> Figure:
    """Draw a sweep of a power grid over one parameter.

    `dataset` has `injected`, `extracted`, `dissipated` and `occupation`, perhaps their `_error`s,
    and `extracted_lowest` and `extracted_highest` where several states attract; for the network
    what `draw_network` takes, of which the last value that has a result is drawn.
    """
    with new_sheet(HEIGHT_OF_ROW) as figure:
        flows, occupation, network = figure.subplots(1, 3)
        _draw_flows(flows, dataset)
        plot_observable(occupation, dataset, "occupation", color=BLACK, label="occupation")
        occupation.set_ylim(bottom=0.0)
        label_by(occupation.yaxis, dataset["occupation"])
        axis = dataset[dataset["extracted"].dims[0]]
        for panel in (flows, occupation):
            say_if_empty(panel)
            show_range(panel, axis)
            label_by(panel.xaxis, axis)
            mark_failures(panel, dataset)
            mark_warnings(panel, dataset)
        last = _last(dataset)
        if last is not None and {"node_x", "node_occupation", "edge_current"} <= set(last):
            _draw_grid(figure, network, last, r"occupation $\langle n\rangle$", "current")
        else:
            leave_out(network)
        nameless = units_of(dataset["extracted"]) == "rate"
        finish_sheet(figure, [flows, occupation, network], ONE_UNIT if nameless else "")
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
    zero_line(panel)
    for name, color, linestyle in FLOWS:
        plot_observable(panel, dataset, name, color=color, linestyle=linestyle, label=name)
    add_legend(panel)
    label_axis(panel.yaxis, "quanta per time", units_of(dataset["extracted"]))


def power_grid_sheet(dataset: xr.Dataset) -> Figure:
    """Draw the content of Figs. 2-5 of Huber and Rabl on one sheet.

    Each panel is drawn from variables of one prefix, and says so where they are missing:
    `map_current` and `map_stable_branches` over (map_injection, map_extraction);
    `profile_occupation` over (profile_extraction, site); `noisy_current`, `noisy_fluctuation`,
    `noisy_damping` and `quiet_damping` over noisy_extraction, perhaps `noisy_mixed` (0 where
    trajectories stayed apart), and `equilibrium_fluctuation`; `quantum_fluctuation` and
    `quantum_negativity` over (quantum_saturation, quantum_extraction); `port_current` over (port,
    port_extraction); and what `draw_network` takes. Bars are the `_error` of a variable.
    """
    with new_sheet(HEIGHT) as figure:
        panels = list(figure.subplots(3, 3).flat)
        for panel, (draw, needed) in zip(panels, PANELS, strict=True):
            if needed in dataset:
                draw(figure, panel, dataset)
            else:
                leave_out(panel)
        finish_sheet(figure, panels, NOTE)
    return figure


def _draw_map(
    figure: Figure, panel: Axes, values: xr.DataArray, label: str, ticks: Any = None, **colours: Any
) -> Colorbar:
    values = values.transpose("map_injection", "map_extraction")
    x, y = values["map_extraction"], values["map_injection"]
    image = panel.pcolormesh(x, y, values, rasterized=True, **colours)
    label_axis(panel.xaxis, EXTRACTION)
    label_axis(panel.yaxis, INJECTION)
    return add_bar(figure, panel, image, label, pad=0.02, ticks=ticks)


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
    for i, row in enumerate(dataset["profile_occupation"].transpose("profile_extraction", "site")):
        label = rf"$\Gamma_e/g$ = {float(row['profile_extraction']):.3g}"
        panel.plot(row["site"], row, marker=marker(i), markersize=SIZE, label=label, **series(i))
    panel.set_yscale("log")
    add_legend(panel)
    label_axis(panel.xaxis, r"site $\ell$", whole=True)
    label_axis(panel.yaxis, r"occupation $|\alpha_\ell|^2/n_0$")


def _draw_noisy_current(figure: Figure, panel: Axes, dataset: xr.Dataset) -> None:
    """Draw mean and fluctuation, which differ hundredfold, on one logarithmic scale."""
    axis = dataset["noisy_extraction"]
    panel.plot(axis, dataset["noisy_fluctuation"], color=VERMILION, linestyle="--",
               label=r"$\Delta J$")  # fmt: skip
    if "equilibrium_fluctuation" in dataset:
        panel.axhline(float(dataset["equilibrium_fluctuation"]), color=GREY, linewidth=0.8,
                      linestyle=":", label=r"$\Delta J_\mathrm{eq}$")  # fmt: skip
    _draw_sampled(panel, dataset, "noisy_current", r"$\langle J\rangle$")
    panel.set_yscale("log", nonpositive="mask")
    low, high = panel.get_ylim()
    panel.set_ylim(0.25 * low, 1.5 * high)  # room for the legend below the mean
    show_range(panel, axis)
    add_legend(panel)
    label_axis(panel.xaxis, EXTRACTION)
    label_axis(panel.yaxis, "current and noise", "$gn_0$")


def _draw_sampled(panel: Axes, dataset: xr.Dataset, name: str, label: str) -> None:
    """Draw a mean of trajectories, with bars of errors, and marks that are open where these had
    not mixed.
    """
    axis, mean = dataset["noisy_extraction"], dataset[name]
    mixed = dataset.get("noisy_mixed", xr.ones_like(axis))
    panel.plot(axis, mean, color=BLUE, label=label)
    if f"{name}_error" in dataset:
        _draw_bars(panel, axis, mean, dataset[f"{name}_error"], BLUE)
    for kind, fill, words in ((1.0, BLUE, MIXED), (0.0, "white", APART)):
        if (mixed == kind).any():
            panel.plot(axis, mean.where(mixed == kind), "o", markersize=SIZE, color=BLUE,
                       markerfacecolor=fill, linestyle="none", label=words, gid=MARK,
                       clip_on=False, zorder=3)  # fmt: skip


def _draw_bars(
    panel: Axes, x: xr.DataArray, y: xr.DataArray, error: xr.DataArray, color: Any
) -> None:
    panel.errorbar(x.values, y.values, error.values, fmt="none", ecolor=color, elinewidth=0.8)


def _draw_damping(figure: Figure, panel: Axes, dataset: xr.Dataset) -> None:
    axis = dataset["noisy_extraction"]
    zero_line(panel)
    panel.plot(axis, dataset["quiet_damping"], color=BLACK, linestyle="--", label="without noise")
    _draw_sampled(panel, dataset, "noisy_damping", "with noise")
    show_range(panel, axis)
    add_legend(panel)
    label_axis(panel.xaxis, EXTRACTION)
    label_axis(panel.yaxis, r"mean damping $\bar\Gamma/g$")


def _draw_quantum(figure: Figure, panel: Axes, dataset: xr.Dataset, name: str) -> None:
    values = dataset[name].transpose("quantum_saturation", "quantum_extraction")
    for i, row in enumerate(values):
        if bool(row.notnull().any()):
            label = f"$n_0$ = {float(row['quantum_saturation']):g}"
            panel.plot(row["quantum_extraction"], row, label=label, **series(i))
    panel.set_ylim(bottom=0.0)
    show_range(panel, values["quantum_extraction"])
    add_legend(panel)
    label_axis(panel.xaxis, EXTRACTION)
    label_axis(panel.yaxis, QUANTUM_LABELS[name])


def _draw_ports(figure: Figure, panel: Axes, dataset: xr.Dataset) -> None:
    zero_line(panel)
    axis, errors = dataset["port_extraction"], dataset.get("port_current_error")
    for i, port in enumerate(dataset["port"].values.tolist()):
        current, style = dataset["port_current"].sel(port=port), series(i)
        panel.plot(axis, current, marker=marker(i), markersize=SIZE,
                   label=readable(f"into {port}"), **style)  # fmt: skip
        if errors is not None:
            _draw_bars(panel, axis, current, errors.sel(port=port), style["color"])
    add_legend(panel)
    label_axis(panel.xaxis, r"extraction at 7 $\Gamma_e^{(7)}/g$")
    label_axis(panel.yaxis, CURRENT)


def _draw_grid(
    figure: Figure, panel: Axes, dataset: xr.Dataset, occupation: str, current: str
) -> None:
    image = draw_network(panel, dataset)
    add_bar(figure, panel, image, occupation, pad=0.02)
    add_network_key(panel, dataset, current)


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
    (
        partial(_draw_grid, occupation=r"occupation $\langle n\rangle/n_0$", current=CURRENT),
        "node_x",
    ),
)
