"""The sheet of any sweep: scales, labels, errors and gaps of data that nobody arranged."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from wheelwork.errors import InvalidArgument
from wheelwork.plots import save_figure, sweep_sheet
from wheelwork.plots.curves import plot_observable
from wheelwork.plots.labels import readable, with_units


def swept(x, failed=(), **observables):
    """Return the dataset of a sweep; points in `failed` have no result."""
    failure = np.full(len(x), "", dtype=object)
    failure[list(failed)] = "NotConverged: no luck"
    columns = {name: np.array(values, dtype=float) for name, values in observables.items()}
    for values in columns.values():
        values[list(failed)] = np.nan
    passed = np.where(failure == "", 1, -1)
    flags = {"failure": failure, "failed": (failure != "").astype(int), "audit_passed": passed}
    named = {name: ("x", values) for name, values in (columns | flags).items()}
    return xr.Dataset(named, coords={"x": np.array(x, dtype=float)})


def drawn(dataset):
    """Return the panels of a sheet that has been laid out."""
    figure = sweep_sheet(dataset)
    figure.draw_without_rendering()
    return figure.axes


X = np.linspace(0.0, 10.0, 41)


@pytest.mark.parametrize(
    ("values", "label", "ticks_times"),
    [
        (1e-24 * (2.0 + np.sin(X)), "y ($10^{-24}$ J)", 1e-24),
        (1e24 * X, "y ($10^{25}$ J)", 1e25),
        (0.1 * X, "y (J)", 1.0),
    ],
)
def test_powers_of_ten_stand_before_the_unit(values, label, ticks_times):
    data = swept(X, y=values)
    data["y"].attrs["units"] = "J"
    (panel,) = drawn(data)
    assert panel.get_ylabel() == label
    assert panel.yaxis.get_offset_text().get_text() == ""
    ticks = [float(text.get_text().replace("−", "-")) for text in panel.get_yticklabels()]
    np.testing.assert_allclose(np.array(ticks) * ticks_times, panel.get_yticks(), rtol=1e-9)


def test_a_common_offset_stands_in_the_label_too():
    (panel,) = drawn(swept(X, y=1.0 + 1e-7 * np.sin(X)))
    assert panel.get_ylabel() == "y − 1 ($10^{-7}$)"


def test_rounding_of_a_constant_is_not_magnified():
    (panel,) = drawn(swept(X, y=2.0 + 1e-13 * np.sin(X)))
    assert np.ptp(panel.get_ylim()) > 0.1


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (10.0 ** (X - 5.0), "log"),
        (-(10.0 ** (X - 5.0)), "symlog"),
        (np.sinh(2.0 * (X - 5.0)), "symlog"),
        (X, "linear"),
        (np.sin(X), "linear"),
        (np.where(X < 1.0, 1e-9, 1.0 + X), "linear"),  # only few are small
    ],
)
def test_numbers_over_decades_have_a_scale_of_decades(values, scale):
    (panel,) = drawn(swept(X, y=values))
    assert panel.get_yscale() == scale
    boxes = [text.get_window_extent() for text in panel.get_yticklabels() if text.get_text()]
    visible = [box for box in boxes if panel.bbox.y0 <= box.y0 <= panel.bbox.y1]
    assert not any(a.overlaps(b) for i, a in enumerate(visible) for b in visible[:i])


def test_numbers_below_their_errors_make_no_decades():
    values = np.where(X < 5.0, 1e-9 * (1.0 + X), 1.0 + X)
    data = swept(X, y=values)
    assert drawn(data)[0].get_yscale() == "log"
    data["y_error"] = ("x", np.full(X.size, 1e-3))
    assert drawn(data)[0].get_yscale() == "linear"


def test_parameters_over_decades_are_drawn_so():
    (panel,) = drawn(swept(np.geomspace(1e-4, 1.0, 9), y=np.arange(9.0)))
    assert panel.get_xscale() == "log"


def test_the_shade_is_the_error_and_has_the_gaps_of_the_curve():
    data = swept(X, failed=[20], y=np.sin(X), y_error=0.1 + 0.0 * X)
    axes = Figure().subplots()
    plot_observable(axes, data, "y")
    (shade,) = axes.collections
    left, right = (path.vertices for path in shade.get_paths())
    assert left[:, 0].max() == X[19]
    assert right[:, 0].min() == X[21]
    assert left[:, 1].max() == pytest.approx(np.sin(X[:20]).max() + 0.1)


def test_a_point_alone_has_a_bar_and_a_hopeless_error_flattens_no_curve():
    one = drawn(swept([1.0], y=[2.0], y_error=[0.5]))[0]
    bars = [segments for c in one.collections if hasattr(c, "get_segments")
            for segments in c.get_segments()]  # fmt: skip
    np.testing.assert_allclose(bars, [[[1.0, 1.5], [1.0, 2.5]]])
    hopeless = drawn(swept(X, y=np.sin(X), y_error=1e5 + 0.0 * X))[0]
    assert np.ptp(hopeless.get_ylim()) < 6.0


def test_a_sweep_without_numbers_says_so():
    (panel,) = drawn(swept([1.0, 2.0], failed=[0, 1], y=[1.0, 2.0]))
    assert panel.texts[0].get_text() == "no observable has a number"


def test_names_and_symbols_that_cannot_be_typeset_are_taken_literally(tmp_path):
    data = swept(X, y=X, z=1e5 * X)
    data["y"].attrs = {"long_name": r"bad $\foo$", "symbol": r"\undefined"}
    data["z"].attrs = {"long_name": "cost in $ of a very long observable " * 9, "units": "1/energy"}
    save_figure(sweep_sheet(data), tmp_path / "sheet.pdf")
    assert b"/Type /Font" in (tmp_path / "sheet.pdf").read_bytes()
    assert b"/Type3" not in (tmp_path / "sheet.pdf").read_bytes()
    assert readable("$x$ and $") == r"\$x\$ and \$"


def test_twelve_observables_of_more_are_drawn_and_counted():
    figure = sweep_sheet(swept(X, **{f"y{i}": X for i in range(15)}))
    assert len(figure.axes) == 12
    assert figure.get_supxlabel() == "12 of 15 observables"


def test_units_are_typeset():
    assert with_units("heat", "meV^2") == "heat (meV$^{2}$)"
    assert with_units("I", "1/1") == "I"
    assert with_units("heat", "1", -3) == "heat ($10^{-3}$)"


@pytest.fixture
def plane():
    """Two parameters, with a failed point, one that did not converge, and one warned of."""
    a, b = np.arange(4.0), np.geomspace(1e-3, 1e3, 5)
    values = np.outer(a + 1.0, np.ones(5))
    failure, warning = np.full((2, 4, 5), "", dtype=object)
    failure[1, 2] = failure[2, 2] = "NotConverged: x"
    warning[0, 0] = "slow: 3"
    passed = np.ones((4, 5), dtype=int)
    passed[1, 2], passed[2, 2] = -1, 0
    failed = (failure != "").astype(int)
    dims = ("a", "b")
    named = {"y": values, "z": 1e-24 * values, "signed": values - 2.5, "failure": failure,
             "warning": warning, "failed": failed, "audit_passed": passed}  # fmt: skip
    return xr.Dataset({k: (dims, v) for k, v in named.items()}, coords={"a": a, "b": b})


def test_two_parameters_make_maps(plane):
    figure = sweep_sheet(plane.isel(a=[2, 0, 1, 3]))
    figure.draw_without_rendering()
    panels = figure.axes[:3]
    shown = panels[0].collections[0].get_array()
    expected = plane["y"].where(plane["failed"] == 0).values.T
    np.testing.assert_array_equal(np.ma.filled(shown, np.nan), expected)
    assert (panels[0].get_xlabel(), panels[0].get_ylabel()) == ("a", "b")
    assert (panels[0].get_xscale(), panels[0].get_yscale()) == ("linear", "log")
    labels = [axes.get_ylabel() for axes in figure.axes[3:]]
    assert labels == ["y", "z ($10^{-24}$)", "signed"]
    low, high = panels[2].collections[0].get_clim()
    assert low == -high
    (key,) = figure.legends
    assert [text.get_text() for text in key.get_texts()] == ["no result", "not converged", "slow"]
    marks = {line.get_label(): line.get_xydata().tolist() for line in panels[0].lines}
    assert marks == {"no result": [[1.0, 1.0]], "not converged": [[2.0, 1.0]],
                     "slow": [[0.0, 1e-3]]}  # fmt: skip


def test_a_parameter_with_one_value_counts_for_none_and_three_are_refused(plane):
    assert drawn(plane.isel(b=[3]))[0].get_xlabel() == "a"
    with pytest.raises(InvalidArgument, match="one or two parameters"):
        sweep_sheet(xr.concat([plane, plane], "c").transpose("a", "b", "c"))
