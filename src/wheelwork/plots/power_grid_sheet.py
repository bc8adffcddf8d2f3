"""One sheet for a power grid: maps of current and branches, profiles, noise, quantum effects."""

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from wheelwork.plots.curves import leave_out
from wheelwork.plots.network import draw_network
from wheelwork.plots.style import (
    BLACK,
    BLUE,
    CURRENT_COLOURS,
    GREEN,
    GREY,
    ORANGE,
    STYLE,
    TWO_COLUMNS,
    VERMILION,
    letter_panels,
)

SIZE = (TWO_COLUMNS, 6.6)  # inches
EXTRACTION, INJECTION = r"extraction $\Gamma_e/g$", r"injection $\Gamma_i/g$"
SERIES = (BLACK, VERMILION, BLUE, GREEN, ORANGE)
LINES = ("-", "--", ":", "-.", (0, (4, 1, 1, 1)))
MARKS = ("o", "s", "^", "v", "D")


def power_grid_sheet(dataset: xr.Dataset) -> Figure:
    """Draw the content of Figs. 2-5 of Huber and Rabl on one sheet.

    Each panel is drawn from variables of one prefix, and says so where they are missing:
    `map_current` and `map_stable_branches` over (map_injection, map_extraction);
    `profile_occupation` over (profile_extraction, site); `noisy_current`, `noisy_fluctuation`,
    `noisy_damping` and `quiet_damping` over noisy_extraction, and `equilibrium_fluctuation`;
    `quantum_fluctuation` and `quantum_negativity` over (quantum_saturation, quantum_extraction);
    `port_current` over (port, port_extraction); and what `draw_network` takes.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout=ConstrainedLayoutEngine(h_pad=0.05, w_pad=0.05))
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


def _draw_current_map(figure: Figure, panel: Axes, dataset: xr.Dataset) -> None:
    values = dataset["map_current"].transpose("map_injection", "map_extraction")
    image = panel.pcolormesh(
        values["map_extraction"], values["map_injection"], values,
        cmap=CURRENT_COLOURS, vmin=0.0, rasterized=True,
    )  # fmt: skip
    bar = figure.colorbar(image, ax=panel, pad=0.02)
    bar.set_label(r"current $\langle J\rangle/gn_0$")
    _outline_stalled(panel, dataset)
    panel.set_xlabel(EXTRACTION)
    panel.set_ylabel(INJECTION)


def _outline_stalled(panel: Axes, dataset: xr.Dataset) -> None:
    """Outline and name the rates at which only the state at rest is stable."""
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
    values = dataset["map_stable_branches"].transpose("map_injection", "map_extraction")
    most = max(2, int(values.max()))
    norm = BoundaryNorm(np.arange(-0.5, most + 1.0), ncolors=256)
    image = panel.pcolormesh(
        values["map_extraction"], values["map_injection"], values,
        cmap="cividis", norm=norm, rasterized=True,
    )  # fmt: skip
    bar = figure.colorbar(image, ax=panel, pad=0.02, ticks=range(0, most + 1, 1 + most // 7))
    bar.ax.minorticks_off()
    bar.set_label("stable branches")
    panel.set_xlabel(EXTRACTION)
    panel.set_ylabel(INJECTION)


def _draw_profiles(figure: Figure, panel: Axes, dataset: xr.Dataset) -> None:
    values = dataset["profile_occupation"]
    for i, row in enumerate(values.transpose("profile_extraction", "site")):
        rate = float(row["profile_extraction"])
        panel.plot(row["site"], row, linestyle=LINES[i], marker=MARKS[i], markersize=3,
                   color=SERIES[i], label=rf"$\Gamma_e$ = {rate:.3g}")  # fmt: skip
    panel.set_yscale("log")
    panel.set_ylim(0.1 * float(values.min()), 1.5 * float(values.max()))  # room for the legend
    panel.legend(loc="lower center")
    panel.set_xlabel(r"site $\ell$")
    panel.set_ylabel(r"occupation $|\alpha_\ell|^2/n_0$")


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
    panel.set_ylim(-1.1 * float(np.max(spread)), 2.2 * float(np.max(spread)))  # and legend
    panel.legend(loc="upper right")
    panel.set_xlabel(EXTRACTION)
    panel.set_ylabel(r"current with noise $J/gn_0$")
    panel.set_xlim(axis[0], axis[-1])


def _mark_mixed(panel: Axes, dataset: xr.Dataset, name: str) -> None:
    """Draw marks on a curve, open where trajectories had not mixed."""
    if "noisy_mixed" not in dataset:
        return
    for kind, fill in ((1.0, BLUE), (0.0, "white")):
        chosen = dataset[name].where(dataset["noisy_mixed"] == kind)
        panel.plot(dataset["noisy_extraction"], chosen, "o", markersize=3, color=BLUE,
                   markerfacecolor=fill)  # fmt: skip


def _draw_damping(figure: Figure, panel: Axes, dataset: xr.Dataset) -> None:
    axis = dataset["noisy_extraction"]
    panel.axhline(0.0, color=GREY, linewidth=0.5, zorder=0)
    panel.plot(axis, dataset["quiet_damping"], color=BLACK, linestyle="--", label="without noise")
    panel.plot(axis, dataset["noisy_damping"], color=BLUE, label="with noise")
    _mark_mixed(panel, dataset, "noisy_damping")
    panel.legend(loc="upper left")
    panel.set_xlabel(EXTRACTION)
    panel.set_ylabel(r"mean damping $\bar\Gamma/g$")
    panel.set_xlim(float(axis[0]), float(axis[-1]))


def _draw_quantum(panel: Axes, dataset: xr.Dataset, name: str, label: str) -> None:
    values = dataset[name].transpose("quantum_saturation", "quantum_extraction")
    for i, row in enumerate(values):
        if not bool(row.notnull().any()):
            continue
        panel.plot(row["quantum_extraction"], row, color=SERIES[i], linestyle=LINES[i],
                   label=f"$n_0$ = {float(row['quantum_saturation']):g}")  # fmt: skip
    panel.legend(loc="best")
    panel.set_ylim(bottom=0.0)
    panel.set_xlim(float(values["quantum_extraction"][0]), float(values["quantum_extraction"][-1]))
    panel.set_xlabel(EXTRACTION)
    panel.set_ylabel(label)


def _draw_fluctuation(figure: Figure, panel: Axes, dataset: xr.Dataset) -> None:
    _draw_quantum(panel, dataset, "quantum_fluctuation", r"quantum noise $\Delta J/g$")


def _draw_negativity(figure: Figure, panel: Axes, dataset: xr.Dataset) -> None:
    _draw_quantum(panel, dataset, "quantum_negativity", r"negativity $\mathcal{N}$")


def _draw_ports(figure: Figure, panel: Axes, dataset: xr.Dataset) -> None:
    panel.axhline(0.0, color=GREY, linewidth=0.5, zorder=0)
    for i, row in enumerate(dataset["port_current"].transpose("port", "port_extraction")):
        axis, port = row["port_extraction"], row["port"].item()
        panel.plot(axis, row, color=SERIES[i], linestyle=LINES[i], marker=MARKS[i], markersize=3,
                   label=f"into {port}")  # fmt: skip
    panel.set_ylim(top=1.45 * float(dataset["port_current"].max()))  # room for the legend
    panel.legend(loc="upper left", ncols=2, columnspacing=1.0)
    panel.set_xlabel(r"extraction at 7 $\Gamma_e^{(7)}/g$")
    panel.set_ylabel(r"current $\langle J\rangle/gn_0$")


def _draw_grid(figure: Figure, panel: Axes, dataset: xr.Dataset) -> None:
    bar = figure.colorbar(draw_network(panel, dataset), ax=panel, pad=0.02)
    bar.set_label(r"occupation $\langle n\rangle/n_0$")


PANELS = (
    (_draw_current_map, "map_current"),
    (_draw_multiplicity, "map_stable_branches"),
    (_draw_profiles, "profile_occupation"),
    (_draw_noisy_current, "noisy_current"),
    (_draw_damping, "noisy_damping"),
    (_draw_fluctuation, "quantum_fluctuation"),
    (_draw_negativity, "quantum_negativity"),
    (_draw_ports, "port_current"),
    (_draw_grid, "node_x"),
)
