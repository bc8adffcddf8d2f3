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


@pytest.fixture(scope="module")
def drawn(dataset):
    """The panels of the sheet, by their letter."""
    return panels(rotor_sheet(dataset))


def panels(figure):
    return {axes.get_title("left"): axes for axes in figure.axes}


def test_flows_are_drawn_as_they_are(dataset, drawn):
    flows = drawn["(a)"]
    lines = {line.get_label(): line for line in flows.lines}
    hot = lines[r"$\dot Q_2$"]
    np.testing.assert_array_equal(hot.get_ydata(), dataset["heat_hot"])
    # every word stands in its regime
    words = {text.get_text(): text.get_position()[0] for text in flows.texts}
    assert words["engine"] < 0.434 < words["accel."] < 0.56 < words["refrigerator"]


def test_bounds_lie_above(drawn):
    for letter in "bc":
        merit, bound = drawn[f"({letter})"].lines
        known = np.isfinite(merit.get_ydata())
        assert np.all(merit.get_ydata()[known] < bound.get_ydata()[known])


def test_poles_of_the_ratio_are_left_out(drawn):
    line = drawn["(e)"].lines[0]
    np.testing.assert_array_equal(line.get_ydata(), [0.2, 0.4, np.nan])


def test_what_the_run_warns_of_is_shaded_and_optima_are_named(dataset):
    texts = np.array([["", "too strong: 4", "too strong: 3"], ["", "", ""]], object)
    data = dataset.assign(
        rectification_warning=(("rectified_beta_ratio", "bath_asymmetry"), texts)
    ).assign_coords(alpha=[0.5])
    figure = rotor_sheet(data)
    (key,) = figure.legends
    words = [text.get_text() for text in key.get_texts()]
    assert words == ["too strong", r"$\Gamma_\alpha$ largest, $\alpha$ = 0.5"]
    (shade,) = [line for line in panels(figure)["(e)"].lines if line.get_label() == "too strong"]
    np.testing.assert_array_equal(shade.get_ydata(), [np.nan, 0.4, np.nan])  # 5.0 is near a pole


def test_the_power_of_ten_stands_in_the_label(dataset):
    figure = rotor_sheet(dataset.isel(beta_ratio=slice(4, None)))
    figure.draw_without_rendering()
    flows = panels(figure)["(a)"]
    assert flows.yaxis.get_offset_text().get_text() == ""
    assert flows.get_ylabel() == "heat and work flows\n($10^{-4}$ energy$^{2}$)"
    ticks = [float(text.get_text().replace("−", "-")) for text in flows.get_yticklabels()]
    np.testing.assert_allclose(1e-4 * np.array(ticks), flows.get_yticks(), atol=1e-12)


def test_without_rectification_the_panels_say_so(dataset):
    rest = dataset.drop_vars([n for n in dataset if n.startswith(("heat_rect", "momentum_rect"))])
    bare = panels(rotor_sheet(rest))
    for letter in "ef":
        (text,) = bare[f"({letter})"].texts
        assert text.get_text() == "not computed"


def test_one_regime_is_enough(dataset):
    one = panels(rotor_sheet(dataset.isel(beta_ratio=slice(0, 2))))
    assert [text.get_text() for text in one["(a)"].texts] == ["engine"]
    assert "none in this range" in [text.get_text() for text in one["(c)"].texts]


def test_failed_points_leave_gaps(dataset):
    broken = dataset.copy(deep=True)
    broken["failure"] = ("beta_ratio", ["NotConverged: no"] + [""] * 8)
    for name in ("heat_hot", "regime_code", "efficiency"):
        broken[name][0] = np.nan
    assert isinstance(broken, xr.Dataset)
    assert panels(rotor_sheet(broken))["(a)"].get_xlim() == (0.1, 0.9)
