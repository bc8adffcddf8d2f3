"""The sheet of an evolution, made by the example on a few periods."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex

from wheelwork.plots import charging_sheet

EXAMPLE = Path(__file__).parents[2] / "examples" / "charging.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("charging")
    runpy.run_path(str(EXAMPLE))["main"](folder, switch=4, end=6, every=1)
    return folder


@pytest.fixture(scope="module")
def dataset(folder):
    with xr.open_dataset(folder / "charging.nc") as data:
        return data.load()


def test_the_example_writes_data_and_figure(folder, dataset):
    assert (folder / "charging.png").stat().st_size > 10_000
    assert dataset["bias"].values.tolist() == [16.0] * 4 + [0.0] * 3
    assert float(dataset["energy_error"].max()) < 1e-4
    cell = np.diff(dataset["x"])[0] * np.diff(dataset["p"])[0]
    np.testing.assert_allclose(dataset["wigner"].sum(["x", "p"]) * cell, 1.0, atol=1e-3)


def test_every_panel_shows_what_it_says(dataset):
    figure = charging_sheet(dataset)
    panels = {axes.get_title("left"): axes for axes in figure.axes if axes.get_title("left")}
    assert sorted(panels) == [f"({letter})" for letter in "abcdef"]
    stored = {line.get_label(): line for line in panels["(d)"].lines}
    energy = next(line for label, line in stored.items() if label.startswith("energy"))
    np.testing.assert_array_equal(energy.get_ydata(), dataset["energy"])
    switch = [line for line in panels["(e)"].lines if line.get_linestyle() == "-."]
    assert [line.get_xdata()[0] for line in switch] == [float(dataset["time"][4])]
    assert to_hex(panels["(f)"].lines[0].get_color()) == "#0072b2"
    assert "power" in panels["(e)"].get_ylabel()
    (key,) = figure.legends
    assert [text.get_text() for text in key.get_texts()] == ["the bias changes"]
