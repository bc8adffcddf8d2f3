"""One sheet for a power grid over one parameter: its flows, its occupation, its network."""

import matplotlib as mpl
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from wheelwork.plots.curves import (
    axis_label,
    leave_out,
    mark_failures,
    plot_with_error,
    with_units,
)
from wheelwork.plots.network import draw_network
from wheelwork.plots.style import (
    BLACK,
    BLUE,
    GREY,
    STYLE,
    TWO_COLUMNS,
    VERMILION,
    letter_panels,
)

SIZE = (TWO_COLUMNS, 2.4)  # inches
FLOWS = (("injected", BLUE, "--"), ("extracted", BLACK, "-"), ("dissipated", VERMILION, ":"))


def grid_sweep_sheet(dataset: xr.Dataset) -> Figure:
    """Draw a sweep of a power grid over one parameter.

    `dataset` has `injected`, `extracted`, `dissipated` and `occupation`, perhaps their `_error`s,
    and `extracted_lowest` and `extracted_highest` where several states attract; for the network,
    which is that at the last value, what `draw_network` takes.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout=ConstrainedLayoutEngine(h_pad=0.05, w_pad=0.05))
        flows, occupation, network = figure.subplots(1, 3)
        _draw_flows(flows, dataset)
        _draw_occupation(occupation, dataset)
        if "node_x" in dataset:
            bar = figure.colorbar(draw_network(network, dataset), ax=network, pad=0.02)
            bar.set_label(r"occupation $\langle n\rangle$")
        else:
            leave_out(network)
        letter_panels([flows, occupation, network])
    return figure


def _draw_flows(panel: Axes, dataset: xr.Dataset) -> None:
    if "extracted_lowest" in dataset:
        ordered = dataset.sortby(_axis(dataset))
        panel.fill_between(
            _axis(ordered), ordered["extracted_lowest"], ordered["extracted_highest"],
            color=GREY, alpha=0.3, linewidth=0, label="extracted, all that attract",
        )  # fmt: skip
    for name, color, linestyle in FLOWS:
        plot_with_error(panel, dataset, name, color=color, linestyle=linestyle, label=name)
    panel.legend(loc="best")
    panel.set_ylabel(with_units("quanta per time", dataset["extracted"].attrs.get("units", "1")))
    _finish(panel, dataset)


def _draw_occupation(panel: Axes, dataset: xr.Dataset) -> None:
    plot_with_error(panel, dataset, "occupation", color=BLACK, label="occupation")
    panel.set_ylabel(dataset["occupation"].attrs.get("long_name", "occupation"))
    panel.set_ylim(bottom=0.0)
    _finish(panel, dataset)


def _axis(dataset: xr.Dataset) -> xr.DataArray:
    return dataset[dataset["extracted"].dims[0]]


def _finish(panel: Axes, dataset: xr.Dataset) -> None:
    axis = _axis(dataset)
    panel.set_xlabel(axis_label(axis))
    mark_failures(panel, dataset)
