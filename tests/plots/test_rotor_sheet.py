"""The sheet of a rotor engine."""

import numpy as np
import pytest
import xarray as xr

from wheelwork import RotorEngine, sweep
from wheelwork.plots import rotor_sheet


@pytest.fixture(scope="module")
def dataset():
    data = sweep(RotorEngine.paper(), {"beta_ratio": np.linspace(0.1, 0.9, 9)})
    shape = ("rectified_beta_ratio", "bath_asymmetry")
    numbers = np.array([[0.2, 0.4, 5.0], [0.1, 0.3, 0.2]])
    for name in ("heat", "momentum"):
        data[f"{name}_rectification"] = (shape, numbers)
        data[f"{name}_size"] = (shape, 2.0 * numbers)
        data[f"{name}_best_asymmetry"] = (("rectified_beta_ratio", "alpha"), [[0.5], [1.0]])
    return data.assign_coords(rectified_beta_ratio=[0.1, 0.2], bath_asymmetry=[0.0, 0.5, 1.0])


def panels(figure):
    return {axes.get_title("left"): axes for axes in figure.axes}


def test_flows_are_drawn_as_they_are(dataset):
    flows = panels(rotor_sheet(dataset))["(a)"]
    lines = {line.get_label(): line for line in flows.lines}
    hot = lines[r"$\dot Q_2$"]
    np.testing.assert_array_equal(hot.get_ydata(), dataset["heat_hot"])
    # every word stands in its regime
    words = {text.get_text(): text.get_position()[0] for text in flows.texts}
    assert words["engine"] < 0.434 < words["accel."] < 0.56 < words["refrigerator"]


def test_bounds_lie_above(dataset):
    for letter in "bc":
        merit, bound = panels(rotor_sheet(dataset))[f"({letter})"].lines
        known = np.isfinite(merit.get_ydata())
        assert np.all(merit.get_ydata()[known] < bound.get_ydata()[known])


def test_poles_of_the_ratio_are_left_out(dataset):
    line = panels(rotor_sheet(dataset))["(e)"].lines[0]
    np.testing.assert_array_equal(line.get_ydata(), [0.2, 0.4, np.nan])


def test_without_rectification_the_panels_say_so(dataset):
    rest = dataset.drop_vars([n for n in dataset if n.startswith(("heat_rect", "momentum_rect"))])
    for letter in "ef":
        (text,) = panels(rotor_sheet(rest))[f"({letter})"].texts
        assert text.get_text() == "not computed"


def test_one_regime_is_enough(dataset):
    figure = rotor_sheet(dataset.isel(beta_ratio=slice(0, 2)))
    assert isinstance(panels(figure)["(a)"].get_ylim(), tuple)
    assert "none in this range" in [t.get_text() for t in panels(figure)["(c)"].texts]


def test_failed_points_leave_gaps(dataset):
    broken = dataset.copy(deep=True)
    broken["failure"] = ("beta_ratio", ["NotConverged: no"] + [""] * 8)
    for name in ("heat_hot", "regime_code", "efficiency"):
        broken[name][0] = np.nan
    assert isinstance(broken, xr.Dataset)
    assert panels(rotor_sheet(broken))["(a)"].get_xlim() == (0.1, 0.9)
