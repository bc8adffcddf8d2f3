"""The sheets of power grids, and the network."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from wheelwork.plots import grid_sweep_sheet, power_grid_sheet
from wheelwork.plots.network import NODE, draw_network


@pytest.fixture(scope="module")
def network():
    """A path a-b-c with a current from a to b, and one from c to b."""
    return xr.Dataset(
        {
            "node_x": ("node", [0.0, 1.0, 2.0]),
            "node_y": ("node", [0.0, 0.0, 0.0]),
            "node_occupation": ("node", [4.0, 1.0, 2.0]),
            "node_role": ("node", np.array(["G", "E", ""], dtype=object)),
            "edge_from": ("edge", [0, 1]),
            "edge_to": ("edge", [1, 2]),
            "edge_current": ("edge", [0.8, -0.2]),
        },
        coords={"node": ["a", "b", "c"]},
    )


@pytest.fixture(scope="module")
def sheet_data(network):
    rates = np.array([1.0, 2.0, 3.0])
    stable = np.array([[0, 0, 1], [1, 2, 2], [1, 1, 1]])
    return network.assign(
        map_current=(("map_injection", "map_extraction"), 0.1 * stable),
        map_stable_branches=(("map_injection", "map_extraction"), stable),
        profile_occupation=(("profile_extraction", "site"), [[1.0, 2.0], [3.0, 1.0]]),
        noisy_current=("noisy_extraction", [0.1, 0.5, 0.6]),
        noisy_fluctuation=("noisy_extraction", [9.0, 1.0, 1.0]),
        noisy_damping=("noisy_extraction", [0.0, 0.2, 5.0]),
        quiet_damping=("noisy_extraction", [0.0, 0.0, 5.5]),
        equilibrium_fluctuation=7.0,
        quantum_fluctuation=(("quantum_saturation", "quantum_extraction"), [[1.0, 2.0, 3.0]]),
        quantum_negativity=(("quantum_saturation", "quantum_extraction"), [[0.1, 0.2, 0.1]]),
        port_current=(("port_extraction", "port"), [[0.1, 0.0], [0.2, 0.3], [0.3, 0.4]]),
    ).assign_coords(
        map_injection=rates, map_extraction=rates, profile_extraction=[3.0, 6.0], site=[1, 2],
        noisy_extraction=rates, quantum_extraction=rates, quantum_saturation=[1.0],
        port_extraction=rates, port=[7, 9],
    )  # fmt: skip


@pytest.fixture(scope="module")
def sheet(sheet_data):
    """The sheet, with samples of which one had not mixed, and errors of a tenth."""
    return power_grid_sheet(sheet_data.assign(
        noisy_mixed=("noisy_extraction", [0.0, 1.0, 1.0]),
        port_current_error=0.1 * sheet_data["port_current"],
    ))  # fmt: skip


def panels(figure):
    return {axes.get_title("left"): axes for axes in figure.axes}


def arrows(axes):
    patches = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    return [np.array(patch._posA_posB)[:, 0] for patch in patches]


def test_arrows_point_where_the_current_flows(network):
    axes = Figure().subplots()
    draw_network(axes, network)
    first, second = arrows(axes)
    assert 0.0 < first[0] < first[1] < 1.0  # from a to b
    assert 2.0 > second[0] > second[1] > 1.0  # from c to b


def test_nodes_and_edges_carry_their_numbers(network):
    axes = Figure().subplots()
    image = draw_network(axes, network)
    np.testing.assert_array_equal(image.get_array(), network["node_occupation"])
    (edges,) = [c for c in axes.collections if isinstance(c, LineCollection)]
    np.testing.assert_array_equal(edges.get_array(), [0.8, 0.2])
    assert edges.get_linewidths()[0] > edges.get_linewidths()[1]
    assert {text.get_text() for text in axes.texts} == {"a", "b", "c", "G", "E"}


def test_whole_nodes_are_inside(network):
    """Also of a chain, which has no height of its own, and after the layout has been made."""
    figure = Figure(figsize=(1.2, 3.0))
    axes = figure.subplots()
    draw_network(axes, network)
    figure.draw_without_rendering()
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    radius = 0.5 * np.sqrt(4.0 / np.pi * NODE) / 72.0  # inches
    scale = (right - left) / (axes.get_window_extent().width / figure.dpi)
    assert left < 0.0 - radius * scale
    assert right > 2.0 + radius * scale
    assert bottom < -radius * scale
    assert top > radius * scale


def test_a_network_at_rest_has_no_arrows(network):
    axes = Figure().subplots()
    draw_network(axes, network.assign(edge_current=("edge", [0.0, 0.0])))
    assert arrows(axes) == []
    assert any(isinstance(c, PathCollection) for c in axes.collections)


def test_the_sheet_draws_what_it_is_given(sheet, sheet_data):
    drawn = panels(sheet)
    noise, level, mean, *_ = drawn["(d)"].lines
    np.testing.assert_array_equal(noise.get_ydata(), sheet_data["noisy_fluctuation"])
    assert level.get_ydata()[0] == 7.0
    np.testing.assert_array_equal(mean.get_ydata(), sheet_data["noisy_current"])
    into = {line.get_label(): line.get_ydata() for line in drawn["(h)"].lines}
    np.testing.assert_array_equal(into["into 9"], [0.0, 0.3, 0.4])
    shown = drawn["(a)"].collections[0].get_array()
    np.testing.assert_array_equal(np.ravel(shown), sheet_data["map_current"].values.ravel())


def test_a_mean_that_is_small_against_its_noise_is_seen(sheet):
    panel = panels(sheet)["(d)"]
    heights = panel.transAxes.inverted().transform(panel.transData.transform([(2, 0.1), (2, 9.0)]))
    assert np.all(np.diff(heights[:, 1]) > 0.3)
    assert np.all((heights[:, 1] > 0.05) & (heights[:, 1] < 0.95))


def test_open_marks_and_widths_of_edges_have_a_key(sheet):
    (key,) = sheet.legends
    words = [text.get_text() for text in key.get_texts()]
    assert words == ["sampled, trajectories mixed", "sampled, trajectories had not mixed"]
    marks = {line.get_label(): line for line in panels(sheet)["(e)"].lines}
    assert np.isfinite(marks[words[1]].get_ydata()).tolist() == [True, False, False]
    assert marks[words[1]].get_markerfacecolor() == "white"
    edges = panels(sheet)["(i)"].get_legend()
    shown = zip(edges.get_lines(), edges.get_texts(), strict=True)
    widths = {text.get_text(): line.get_linewidth() for line, text in shown}
    assert list(widths) == ["0.2", "0.4", "0.8"]
    (drawn,) = [c for c in panels(sheet)["(i)"].collections if isinstance(c, LineCollection)]
    assert widths["0.8"] == max(drawn.get_linewidths())
    assert "G: generator, E: engine" in edges.get_title().get_text()


def test_errors_are_drawn_as_bars(sheet):
    drawn = panels(sheet)["(h)"]
    bars = [c for c in drawn.collections if isinstance(c, LineCollection)]
    np.testing.assert_allclose(bars[0].get_segments()[2], [[3.0, 0.27], [3.0, 0.33]])


def test_names_of_nodes_are_taken_literally(network):
    network = network.assign_coords(node=["(0, 1)", "a$b", "the longest of all names"])
    figure = Figure()
    axes = figure.subplots()
    draw_network(axes, network)
    figure.draw_without_rendering()
    assert {"(0, 1)", "a$b", "the longest …"} <= {text.get_text() for text in axes.texts}


def test_missing_parts_say_so(sheet_data):
    missing = {"map_current": "a", "noisy_damping": "e", "port_current": "h", "node_x": "i"}
    drawn = panels(power_grid_sheet(sheet_data.drop_vars(missing)))
    for letter in missing.values():
        assert drawn[f"({letter})"].texts[0].get_text() == "not computed"
    assert not drawn["(g)"].texts


def test_a_sweep_of_any_grid(network):
    data = network.assign(
        {
            name: ("extraction", values)
            for name, values in {
                "injected": [1.0, 2.0, 3.0],
                "extracted": [0.5, 1.0, 2.0],
                "extracted_error": [0.1, 0.1, 0.1],
                "dissipated": [0.5, 1.0, 1.0],
                "extracted_lowest": [0.1, 0.5, 1.0],
                "extracted_highest": [0.7, 1.5, 2.0],
                "occupation": [3.0, 2.0, 1.0],
                "failure": ["", "", ""],
            }.items()
        }
    ).assign_coords(extraction=[3.0, 2.0, 1.0])
    drawn = panels(grid_sweep_sheet(data))
    lines = {line.get_label(): line for line in drawn["(a)"].lines}
    np.testing.assert_array_equal(lines["extracted"].get_xdata(), [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(lines["extracted"].get_ydata(), [2.0, 1.0, 0.5])
    bare = grid_sweep_sheet(data.drop_vars("node_x"))
    assert panels(bare)["(c)"].texts[0].get_text() == "not computed"
