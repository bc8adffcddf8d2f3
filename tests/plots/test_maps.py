"""Maps of a quantity over a parameter and the nodes or edges of a network."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from wheelwork.errors import InvalidArgument
from wheelwork.plots import plot_map


@pytest.fixture
def dataset():
    """Rates that are not in order, of which the second failed."""
    values = np.array([[1.0, 2.0, 3.0], [8.0, 8.0, 8.0], [0.5, 1.0, 1.5]])
    text = {"symbol": "n", "units": "1", "long_name": "quanta at the node"}
    return xr.Dataset(
        {
            "node_occupation": (("rate", "node"), values, text),
            "current": (("rate", "edge"), [[1.0, -2.0], [0.0, 0.0], [0.5, 1.0]]),
            "failed": ("rate", [0, 1, 0]),
            "failure": ("rate", np.array(["", "NoSteadyState: none", ""], dtype=object)),
        },
        coords={"rate": [2.0, 4.0, 1.0], "node": [0, 1, 5], "edge": ["(0, 1)", "(1, 5)"]},
    )


def test_nodes_stand_in_rows_over_the_parameter(dataset):
    axes = Figure().subplots()
    drawn = plot_map(axes, dataset, "node_occupation")
    numbers = drawn.get_array()
    assert numbers[:, 0].tolist() == [0.5, 1.0, 1.5]
    assert numbers[:, 1].tolist() == [1.0, 2.0, 3.0]
    assert numbers.mask.tolist() == [[False, False, True]] * 3
    assert drawn.get_clim() == (0.5, 3.0)
    x = drawn.get_coordinates()[0, :, 0]
    np.testing.assert_allclose(x, [0.5, 1.5, 3.0, 5.0])
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["0", "1", "5"]
    bar = axes.figure.axes[1]
    assert bar.get_ylabel().split() == ["quanta", "at", "the", "node", "$n$"]
    assert [line.get_label() for line in axes.lines] == ["no result"]


def test_what_has_no_two_dimensions_is_refused(dataset):
    for name in ("failed", "nope"):
        with pytest.raises(InvalidArgument, match="must name a variable over two dimensions"):
            plot_map(Figure().subplots(), dataset, name)


def test_both_signs_are_shown_about_zero(dataset):
    drawn = plot_map(Figure().subplots(), dataset, "current", cmap="PuOr")
    assert drawn.get_clim() == (-2.0, 2.0)
    assert drawn.get_cmap().name == "PuOr"


def test_many_rows_have_few_labels_and_one_point_is_drawn():
    data = xr.Dataset(
        {"n": (("rate", "node"), np.ones((1, 60))), "failure": ("rate", np.array([""], object))},
        coords={"rate": [2.0], "node": np.arange(60)},
    )
    axes = Figure().subplots()
    plot_map(axes, data, "n")
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [str(5 * i) for i in range(12)]
    nothing = data.assign(n=np.nan * data.n)
    assert plot_map(Figure().subplots(), nothing, "n").get_array().mask.all()
