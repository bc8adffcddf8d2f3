"""The sheet shows the dataset as it is: values, orientation, threshold, gaps, units."""

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from wheelwork.plots import flywheel_sheet, plot_wigner, save_figure


@pytest.fixture(scope="module")
def parts(whole):
    """The panels of the sheet, by their letter."""
    return panels(flywheel_sheet(whole))


def panels(figure):
    """Return the six panels by their letter."""
    named = {axes.get_title(loc="left"): axes for axes in figure.axes}
    return {title[1]: axes for title, axes in named.items() if title}


def line(axes, label):
    return next(item for item in axes.lines if item.get_label().endswith(label))


def test_every_panel_draws_the_numbers_of_the_dataset(dataset, parts):
    assert sorted(parts) == list("abcdef")
    for letter, name in [("d", "g2"), ("e", "energy"), ("e", "ergotropy"),
                         ("e", "free_energy_gain"), ("f", "entropy")]:  # fmt: skip
        drawn = line(parts[letter], f"${dataset[name].attrs['symbol']}$")
        np.testing.assert_array_equal(drawn.get_xdata(), dataset.bias)
        np.testing.assert_array_equal(drawn.get_ydata(), dataset[name])


def test_the_work_is_solid_and_the_free_energy_dashed_in_one_colour(parts):
    work = parts["e"]
    ergotropy, free_energy = line(work, "$W_E$"), line(work, "$W_F$")
    assert ergotropy.get_linestyle() == "-"
    assert free_energy.get_linestyle() == "--"
    assert ergotropy.get_color() == free_energy.get_color()


def test_the_threshold_stands_in_every_curve_panel(dataset, parts):
    for letter in "def":
        assert line(parts[letter], "$V$ = 8.46").get_xdata()[0] == dataset.threshold


def test_no_threshold_no_line(dataset):
    parts = panels(flywheel_sheet(dataset.drop_vars("threshold")))
    labels = [item.get_label() for letter in "def" for item in parts[letter].lines]
    assert not any(str(label).startswith("threshold") for label in labels)


def test_legend_and_words_lie_on_no_curve_and_on_no_threshold(parts):
    work = parts["e"]
    work.figure.figure.draw_without_rendering()
    box = work.get_legend().get_window_extent()
    for one in work.lines:
        path = one.get_transform().transform_path(one.get_path())
        assert not path.intersects_bbox(box, filled=False), one.get_label()


def test_the_key_names_threshold_and_dots(parts):
    (key,) = parts["e"].figure.figure.legends
    words = [text.get_text() for text in key.get_texts()]
    assert words == ["threshold, $V$ = 8.46", "states shown above"]


def test_negative_parts_have_a_colour_of_their_own():
    x, p = np.linspace(-3, 3, 31), np.linspace(-2, 2, 21)
    image = plot_wigner(Figure().subplots(), x, p, np.outer(x, np.ones(21)))
    assert image.get_clim() == (-1.0, 1.0)


def test_each_wigner_panel_has_its_bias_and_the_common_scale(parts):
    for letter, bias in zip("abc", (0, 12, 32), strict=True):
        assert parts[letter].get_title() == f"$V$ = {bias}"
        image = parts[letter].collections[0]
        assert image.get_clim() == (0.0, 1.0)
        assert image.get_array().max() == 1.0
        assert parts[letter].get_xlabel() == "$x/x_0$"
        assert parts[letter].get_xlim() == parts["a"].get_xlim()


def test_x_is_to_the_right_and_p_up():
    x, p = np.linspace(-3, 3, 31), np.linspace(-2, 2, 21)
    wigner = np.exp(-((x[:, None] - 2.0) ** 2) - (p[None, :] + 1.0) ** 2)
    axes = Figure().subplots()
    image = plot_wigner(axes, x, p, wigner)
    row, column = np.unravel_index(np.argmax(image.get_array()), (p.size, x.size))
    assert (x[column], p[row]) == pytest.approx((2.0, -1.0))


def test_a_failed_point_leaves_a_gap_and_a_mark(dataset):
    dataset["failure"][5] = "NotConverged: the mesh ran out"
    dataset["g2"][5] = np.nan
    coherence = panels(flywheel_sheet(dataset))["d"]
    assert np.isnan(line(coherence, "$g^{(2)}$").get_ydata()[5])
    np.testing.assert_array_equal(line(coherence, "no result").get_xdata(), [dataset.bias[5]])


def test_units_stand_on_the_axes(dataset):
    dataset.bias.attrs["units"] = dataset.energy.attrs["units"] = "meV"
    parts = panels(flywheel_sheet(dataset))
    assert parts["d"].get_xlabel() == "bias $V$ (meV)"
    assert parts["e"].get_ylabel() == "energy, work (meV)"
    assert parts["b"].get_title() == "$V$ = 12 meV"


def test_an_unfinished_sweep_without_wigner_functions_is_drawn(dataset):
    rest = dataset.drop_dims(["wigner_bias", "x", "p"]).drop_vars(["x0", "p0", "threshold"])
    for name in ("g2", "energy", "ergotropy", "free_energy_gain", "entropy"):
        rest[name][20:] = np.nan
    rest["failure"][20:] = "not computed"
    assert sorted(panels(flywheel_sheet(rest))) == list("abcdef")


def test_two_wigner_functions_leave_the_third_panel_out(dataset):
    parts = panels(flywheel_sheet(dataset.isel(wigner_bias=[0, 2])))
    assert sorted(parts) == list("abcde")


def test_values_in_any_order_are_joined_from_left_to_right(dataset):
    shuffled = dataset.isel(bias=np.random.default_rng(1).permutation(dataset.bias.size))
    drawn = line(panels(flywheel_sheet(shuffled))["d"], "$g^{(2)}$")
    np.testing.assert_array_equal(drawn.get_ydata(), dataset.g2)


def test_the_file_has_the_width_of_a_page(dataset, tmp_path):
    save_figure(flywheel_sheet(dataset), tmp_path / "sheet.png")
    height, width, _ = matplotlib.image.imread(tmp_path / "sheet.png").shape
    assert (width, height) == (2100, 1560)
