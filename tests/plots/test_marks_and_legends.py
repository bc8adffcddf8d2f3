"""Figures tell apart what converged, what did not, and what is missing; legends hide nothing."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from wheelwork.plots import flywheel_sheet, sweep_sheet
from wheelwork.plots.curves import add_legend, mark_failures, plot_observable

GAP, PARTIAL = 2, 4  # indices: without a number, and with one that did not converge


@pytest.fixture
def swept():
    x, y = np.arange(8.0), np.arange(8.0) ** 2 + 1.0
    y[GAP] = np.nan
    failure = np.full(8, "", dtype=object)
    failure[[GAP, PARTIAL]] = "NotConverged: no luck"
    passed = np.ones(8, dtype=np.int8)
    passed[GAP], passed[PARTIAL] = -1, 0
    failed = (failure != "").astype(np.int8)
    named = {"y": y, "y_error": 0.1 * y, "failure": failure, "failed": failed,
             "audit_passed": passed}  # fmt: skip
    return xr.Dataset({k: ("x", v) for k, v in named.items()}, coords={"x": x})


def test_a_number_that_did_not_converge_is_an_open_circle_beside_the_curve(swept):
    axes = Figure().subplots()
    plot_observable(axes, swept, "y")
    curve, reached = axes.lines
    assert np.flatnonzero(np.isnan(curve.get_ydata())).tolist() == [GAP, PARTIAL]
    assert reached.get_xdata().tolist() == [PARTIAL]
    assert reached.get_ydata().tolist() == [17.0]
    assert (reached.get_fillstyle(), reached.get_linestyle()) == ("none", "None")
    assert reached.get_color() == curve.get_color()


def test_a_point_between_gaps_is_a_dot(swept):
    axes = Figure().subplots()
    plot_observable(axes, swept, "y")
    assert axes.lines[0].get_marker() == "o"
    assert axes.lines[0].get_markevery() == [3]
    whole = swept.isel(x=[0, 1, 5, 6])
    plot_observable(axes, whole, "y")
    assert axes.lines[-1].get_marker() == "None"


def test_failures_are_marked_by_their_kind_within_the_panel(swept):
    axes = Figure().subplots()
    mark_failures(axes, swept)  # the range of x is not set yet: 0 to 1
    assert not axes.lines
    axes.set_xlim(0.0, 7.0)
    mark_failures(axes, swept)
    marks = {line.get_label(): line.get_xdata().tolist() for line in axes.lines}
    assert marks == {"no result": [GAP], "not converged": [PARTIAL]}


def test_the_sheet_of_any_machine_shows_it_so(swept):
    figure = sweep_sheet(swept)
    lines = figure.axes[0].lines
    assert any(line.get_fillstyle() == "none" and line.get_ydata()[0] == 17.0 for line in lines)
    labels = {line.get_label() for line in lines}
    assert {"no result", "not converged"} <= labels


def test_no_legend_without_a_curve(dataset):
    dataset["free_energy_gain"][:] = np.nan
    axes = next(a for a in flywheel_sheet(dataset).axes if a.get_title(loc="left") == "(e)")
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert [word.split()[0] for word in words] == ["energy", "ergotropy"]


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_legend_stands_above_all_curves(scale, count):
    figure = Figure(figsize=(7.0, 5.0), layout="constrained")
    axes = figure.subplots(2, 3)[0, 0]
    for number in range(count):
        axes.plot([0.0, 1.0], [1.0, 10.0 + number], label=f"curve {number}")
    axes.set_yscale(scale)
    add_legend(axes)
    figure.canvas.draw()
    box = axes.get_legend().get_window_extent()
    highest = max(axes.transData.transform((0.0, 10.0 + number))[1] for number in range(count))
    assert box.y0 > highest


def test_a_panel_without_curves_gets_no_legend():
    axes = Figure().subplots()
    add_legend(axes)
    assert axes.get_legend() is None
