"""Line shapes: causality ties the real part of the self energy to the width."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from transport_systems import LINES, bump

from wheelwork.errors import InvalidArgument
from wheelwork.transport import Lead, LineShape, Lorentzian, Semicircle, WideBand

POINTS = [-4.1, -1.93, -0.21, 0.17, 0.52, 1.1, 2.05, 2.6, 5.0]


def _kappa(shape, frequency):
    return float(shape.sample(np.array(frequency)).kappa)


def _hilbert(shape, frequency):
    """P int dw'/2pi kappa(w')/(w - w'), folded about w so that the integrand is regular."""

    def folded(u):
        return (_kappa(shape, frequency - u) - _kappa(shape, frequency + u)) / u

    marks = shape.landmarks
    places = [at for at, _ in marks.poles] + list(marks.edges)
    knees = {abs(frequency - at) for at in places}
    knees |= {abs(abs(frequency - at) - width) for at, width in marks.poles}
    ends = sorted({0.0, *knees, 10.0, 40.0})
    pieces = [
        quad(folded, a, b, epsabs=1e-13, epsrel=1e-11, limit=200)[0] for a, b in pairwise(ends)
    ]
    return (sum(pieces) + quad(folded, 40.0, np.inf, epsabs=1e-13)[0]) / (2.0 * np.pi)


@pytest.mark.parametrize("name", LINES)
def test_real_part_of_self_energy_is_hilbert_transform_of_width(name):
    shape = LINES[name]
    expected = [_hilbert(shape, w) for w in POINTS]
    scale = max(np.max(np.abs(expected)), 1e-3)
    np.testing.assert_allclose(shape.sample(np.array(POINTS)).shift, expected, atol=2e-9 * scale)


@pytest.mark.parametrize("name", LINES)
def test_slope_is_derivative_of_width(name):
    shape, step, points = LINES[name], 1e-5, np.array(POINTS)
    difference = (shape.sample(points + step).kappa - shape.sample(points - step).kappa) / (
        2 * step
    )
    scale = max(np.max(np.abs(difference)), 1e-3)
    np.testing.assert_allclose(shape.sample(points).slope, difference, atol=1e-6 * scale)


def test_self_energy_of_lorentzian_in_closed_form():
    lead = Lead(0.0, 1.0, Lorentzian(2.0, 0.5, 0.7))
    w = np.array(POINTS)
    np.testing.assert_allclose(lead.self_energy(w), 0.7 / (w - 0.5 + 0.7j), rtol=1e-14)
    np.testing.assert_allclose(lead.kappa(w), 2.0 * 0.49 / ((w - 0.5) ** 2 + 0.49), rtol=1e-14)


def test_semicircle_closes_on_itself():
    """The end of a uniform chain: chi = (rate width / 4) / (w - centre - chi) at rate = width."""
    lead = Lead(0.0, 1.0, Semicircle(2.0, 0.3, 2.0))
    w = np.array([-5.0, -1.5, 0.3, 1.2, 2.2, 2.4, 9.0])
    chi = lead.self_energy(w)
    np.testing.assert_allclose(chi, 1.0 / (w - 0.3 - chi), rtol=1e-13)
    assert np.all(chi.imag <= 0.0)


def test_wide_band_is_limit_of_lorentzian():
    w = np.array(POINTS)
    wide = Lead(0.0, 1.0, Lorentzian(0.7, 0.0, 1e9)).self_energy(w)
    np.testing.assert_allclose(wide, Lead(0.0, 1.0, WideBand(0.7)).self_energy(w), atol=1e-8)


@pytest.mark.parametrize("name", LINES)
def test_line_shapes_are_values(name):
    shape = LINES[name]
    assert isinstance(shape, LineShape)
    assert shape == dataclasses.replace(shape)
    assert hash(shape) == hash(dataclasses.replace(shape))
    assert shape.sample(np.zeros((2, 3))).kappa.shape == (2, 3)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Lorentzian(2.0, 0.5, -1.0), "`width` must be positive, but is -1.0"),
        (lambda: Lorentzian(0.0, 0.5, 1.0), "`rate` must be positive, but is 0.0"),
        (lambda: Lorentzian(1.0, np.nan, 1.0), "`centre` must be finite, but is nan"),
        (lambda: WideBand(-1.0), "`rate` must be positive, but is -1.0"),
        (lambda: Semicircle(1.0, 0.0, 0.0), "`width` must be positive, but is 0.0"),
        (lambda: Semicircle(1.0, "a", 1.0), "`centre` must be a real number, but is 'a'"),
    ],
)
def test_bad_line_shapes_are_refused(build, message):
    with pytest.raises(InvalidArgument, match=f"^{message}$"):
        build()


def test_tabulated_vanishes_outside():
    sample = bump().sample(np.array([-3.1, 3.1, 50.0]))
    assert np.all(sample.kappa == 0.0)
    assert np.all(sample.slope == 0.0)
    assert sample.shift[0] < 0.0 < sample.shift[2]
