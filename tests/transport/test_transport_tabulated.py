"""Tabulated widths: a stable principal value, and convergence to what was sampled."""

import numpy as np
import pytest
from transport_systems import bump

from wheelwork.errors import InvalidArgument
from wheelwork.transport import Lead, Lorentzian, ResonantLevel, Semicircle, Tabulated


def _sampled(shape, low, high, samples):
    frequency = np.linspace(low, high, samples)
    return Tabulated(frequency, Lead(0.0, 1.0, shape).kappa(frequency))


def test_interpolates_the_samples_and_stays_positive():
    shape = Tabulated([0.0, 1.0, 2.0, 2.1, 5.0], [0.0, 3.0, 0.0, 0.0, 1.0])
    assert np.allclose(shape.sample(np.array(shape.frequency)).kappa, shape.rate, atol=1e-15)
    assert np.all(shape.sample(np.linspace(-1.0, 6.0, 1001)).kappa >= 0.0)


def test_shift_is_smooth_where_the_formula_changes():
    """Closed form near a piece, Gauss points far from it: the two meet at five half lengths."""
    one = Tabulated([-1.0, -0.9, -0.8, -0.7, -0.6], [0.0, 2.0, 1.0, 4.0, 0.0])
    w = -0.95 + 0.05 * 5.0 + 1e-9 * np.arange(-3, 4)
    shift = one.sample(w).shift
    assert np.max(np.abs(np.diff(shift, 2))) < 5e-14


def test_shift_is_finite_at_and_across_a_knot():
    shape = bump()
    knot = shape.frequency[17]
    below, at, above = shape.sample(knot + np.array([-1e-10, 0.0, 1e-10])).shift
    assert abs(at - below) < 1e-8
    assert abs(above - at) < 1e-8


def test_far_away_only_the_area_counts():
    shape = bump()
    fine = np.linspace(-3.0, 3.0, 100_001)
    area = np.trapezoid(shape.sample(fine).kappa, fine)
    w = 1e7
    assert shape.sample(np.array([w])).shift[0] * 2.0 * np.pi * w == pytest.approx(area, rel=1e-6)


def test_lorentzian_is_approached_with_second_order():
    """A monotone cubic flattens the maximum: second order there, fourth elsewhere."""
    shape, w = Lorentzian(2.0, 0.5, 1.0), np.linspace(-3.0, 3.0, 41)
    errors = []
    for samples in (1001, 2001, 4001):
        table = _sampled(shape, -100.0, 101.0, samples)
        errors.append(np.max(np.abs(table.sample(w).kappa - shape.sample(w).kappa)))
        assert errors[-1] <= table.error_estimate
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert np.all(orders > 1.7)


def test_semicircle_is_approached_as_the_root_at_its_edges_allows():
    """Even mesh, square root at the edges: kappa errs as h^(1/2), what it does as h^(3/2)."""
    shape = Semicircle(1.5, 0.0, 2.0)

    def occupation(line):
        level = ResonantLevel((Lead(0.3, 0.5, line),), 0.2, 1.0)
        return float(level.coefficients(0.0, rtol=1e-9).occupation)

    exact = occupation(shape)
    errors = [abs(occupation(_sampled(shape, -2.0, 2.0, n)) - exact) for n in (41, 81, 161)]
    assert np.all(np.log2(np.divide(errors[:-1], errors[1:])) > 1.2)
    assert errors[-1] < 1e-4


def test_error_estimate_falls_with_the_spacing():
    assert bump(161).error_estimate < bump(41).error_estimate / 4.0


def test_step_at_the_end_of_the_samples_is_a_band_edge():
    shape = Tabulated(np.linspace(-2.0, 2.0, 9), np.ones(9))
    w = np.array([-1.3, 0.0, 0.4, 3.0])
    expected = np.log(np.abs((w + 2.0) / (w - 2.0))) / (2.0 * np.pi)
    np.testing.assert_allclose(shape.sample(w).shift, expected, atol=1e-14)


def test_repr_is_short():
    assert repr(bump()) == "Tabulated(<41 samples from -3.0 to 3.0>)"


@pytest.mark.parametrize(
    ("frequency", "rate", "message"),
    [
        ([0, 1, 2], [0, 1, 0], "`frequency` must hold at least 5 samples, but holds 3"),
        ([0, 1, 2, 3, 4], [0, 1], r"`rate` must have the shape of `frequency`, \(5,\), but has.*"),
        ([0, 1, 1, 3, 4], np.ones(5), "`frequency` must rise, but is 1.0 at sample 1 and 1.0 .*"),
        (np.arange(5), [0, 1, -2, 1, 0], r"`rate` must not be negative, but is -2.0 \(sample 2\)"),
        (np.arange(5), np.zeros(5), "`rate` must be positive somewhere, but is zero at every .*"),
        (np.arange(5), [0, 1, np.nan, 1, 0], "`rate` must be finite, but holds NaN or infinity"),
        (np.eye(5), np.ones(5), r"`frequency` must have 1 dimension\(s\), but has shape \(5, 5\)"),
    ],
)
def test_bad_tables_are_refused(frequency, rate, message):
    with pytest.raises(InvalidArgument, match=f"^{message}$"):
        Tabulated(frequency, rate)
