"""The picture of states that coexist shows each well, and the ridge between them."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from wheelwork.phase_space import Well, Wells
from wheelwork.plots import plot_wells


def well(number, barrier, *, rest=False):
    return Well(0.5, 0.0, barrier, 0.0, 1e-3, 0.0, np.log(1e-3), 0.0, number, 0.0, 0.0, rest)


@pytest.fixture
def double():
    """ln W = −(r − 1)² (r − 5)²/10: maxima at r = 1 and 5, a ridge of −1.6 at 3."""
    r = np.linspace(0.0, 9.0, 91)
    log_density = -((r - 1.0) ** 2) * (r - 5.0) ** 2 / 10.0
    ridge = int(np.argmin(log_density[10:50])) + 10
    label = (np.arange(r.size) >= ridge).astype(np.intp)
    wells = (well(1.0, 1.6, rest=True), well(25.0, 1.6))
    return Wells(wells, np.zeros((2, 2)), r**2, log_density, label), r[ridge]


def test_each_well_has_its_colour_and_the_ridge_its_line(double):
    wells, ridge = double
    axes = Figure().subplots()
    plot_wells(axes, wells)
    inner, outer, *lines = axes.lines
    assert inner.get_color() != outer.get_color()
    assert inner.get_xdata().max() < ridge == outer.get_xdata().min()
    assert {line.get_ydata()[0] for line in lines} == {-1.6}
    low, high = axes.get_ylim()
    assert low < -1.6 < 0.0 < high
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["1 quanta, from rest", "25 quanta", "ridge between states"]


def test_families_of_orbits_are_not_joined_and_named_once(double):
    wells, _ = double
    both = Wells(
        wells.wells, wells.rates, np.tile(wells.E, 2), np.tile(wells.log_density, 2),
        np.tile(wells.well, 2),
    )  # fmt: skip
    axes = Figure().subplots()
    plot_wells(axes, both)
    assert all(np.all(np.diff(line.get_xdata()) >= 0.0) for line in axes.lines)
    assert len(axes.get_legend().get_texts()) == 3
