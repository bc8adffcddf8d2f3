"""Figures tell apart what converged, what did not, and what is missing; legends hide nothing."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from wheelwork.plots import flywheel_sheet, sweep_sheet
from wheelwork.plots.curves import plot_observable
from wheelwork.plots.legends import add_legend, covers_something, settle_legends
from wheelwork.plots.marks import mark_failures, mark_warnings

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


def legend_and_lines(axes):
    """Return the box of a legend, and the paths of lines, of a panel that has been drawn."""
    axes.figure.draw_without_rendering()
    paths = [line.get_transform().transform_path(line.get_path()) for line in axes.lines]
    return axes.get_legend().get_window_extent(), paths


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_legend_lies_on_no_curve_and_no_threshold(scale, count):
    figure = Figure(figsize=(7.0, 5.0), layout="constrained")
    axes = figure.subplots(2, 3)[0, 0]
    x = np.linspace(0.0, 1.0, 200)
    for number in range(count):
        axes.plot(x, 1.0 + 9.0 * np.sin((20.0 + number) * x) ** 2, label=f"curve {number}")
    axes.axvline(0.3)
    axes.set_yscale(scale)
    add_legend(axes)
    settle_legends(figure, [axes])
    box, paths = legend_and_lines(axes)
    assert not any(path.intersects_bbox(box, filled=False) for path in paths)
    low, high = axes.bbox.intervaly
    assert axes.get_ylim()[1] > 10.0
    assert low < box.y0 < box.y1 < high


def test_a_legend_prefers_a_free_corner_to_a_larger_range():
    figure = Figure(figsize=(3.0, 3.0))
    axes = figure.subplots()
    axes.plot([0.0, 1.0], [0.0, 1.0], label="rising")
    before = axes.get_ylim()
    add_legend(axes)
    settle_legends(figure, [axes])
    assert axes.get_ylim() == before
    assert not covers_something(axes)


def test_a_legend_without_any_room_goes_above_the_panel():
    figure = Figure(figsize=(2.0, 2.0), layout="constrained")
    axes = figure.subplots()
    axes.plot([0.0, 1.0], [0.0, 1.0], label="a curve")
    for line in np.linspace(0.0, 1.0, 9):
        axes.axvline(line)
    add_legend(axes)
    settle_legends(figure, [axes])
    box, paths = legend_and_lines(axes)
    assert box.y0 > axes.bbox.y1
    assert not any(path.intersects_bbox(box, filled=False) for path in paths)


def hatched(axes):
    """Return (label, low, high) of the hatched ranges."""
    return [
        (
            patch.get_label(),
            *patch.get_window_extent().transformed(axes.transData.inverted()).intervalx,
        )
        for patch in axes.patches
        if patch.get_hatch()
    ]


def test_exactly_the_points_that_are_warned_of_are_hatched(swept):
    swept["warning"] = (
        "x",
        np.array(["too fast: 3", "too fast: 2", "", "", "", "", "x", ""], object),
    )
    swept["audit_passed"][[1, 7]] = 0
    axes = Figure().subplots()
    axes.set_xlim(0.0, 7.0)
    mark_warnings(axes, swept.isel(x=[7, 1, 0, 3, 2, 4, 5, 6]))
    ranges = hatched(axes)
    assert {label for label, *_ in ranges} == {
        "warnings of several kinds, see the data", "a check of the audit fails"
    }  # fmt: skip
    np.testing.assert_allclose([ends for _, *ends in ranges], [[0.0, 1.5], [5.5, 6.5], [6.5, 7.0]])
    near = 1e-9
    inside = [
        x for x in swept["x"].values for *_, low, high in ranges if low - near <= x <= high + near
    ]
    assert inside == [0.0, 1.0, 6.0, 7.0]


def test_ranges_end_half_way_on_the_scale_of_the_panel():
    axis = np.array([1.0, 100.0, 1e4])
    texts = np.array(["slow: 1", "", ""], object)
    data = xr.Dataset({"warning": ("x", texts), "failure": ("x", [""] * 3)}, coords={"x": axis})
    axes = Figure().subplots()
    axes.set(xscale="log", xlim=(1.0, 1e4))
    mark_warnings(axes, data)
    ((label, low, high),) = hatched(axes)
    assert label == "slow"
    assert (low, high) == pytest.approx((1.0, 10.0))


def test_each_kind_of_mark_is_in_the_key_once(swept):
    swept["warning"] = ("x", np.array(["", "slow: 1"] + [""] * 6, object))
    swept["z"] = swept["y"]
    swept["threshold"] = 3.5
    (key,) = sweep_sheet(swept).legends
    assert sorted(text.get_text() for text in key.get_texts()) == [
        "no result", "not converged", "slow", "threshold, x = 3.5"
    ]  # fmt: skip


def test_a_panel_without_curves_gets_no_legend():
    axes = Figure().subplots()
    add_legend(axes)
    assert axes.get_legend() is None
