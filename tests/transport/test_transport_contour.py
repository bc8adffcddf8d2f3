"""Integrals above the axis and at far levels: what the adaptive panels give, and honest errors."""

import json
from dataclasses import replace

import numpy as np
import pytest
from transport_reference import CASES, PATH
from transport_systems import paper

from wheelwork.transport import Lead, Lorentzian, ResonantLevel, Semicircle, WideBand
from wheelwork.transport.contour import integrate_on_contour, is_rational, mesh_over
from wheelwork.transport.far_levels import integrate_far
from wheelwork.transport.integrands import bath, panel_integrals, quantities
from wheelwork.transport.panels import landmarks
from wheelwork.transport.quadrature import integrate

ROUNDING = 2e-15  # of the panels' own sums


def _random_leads(rng, scale=1.0):
    """One to four leads, wide and narrow, at one temperature or several."""
    coldest = 10.0 ** rng.uniform(-2.0, 1.0)
    bias = coldest * 10.0 ** rng.uniform(-2.0, 2.5)
    several = rng.random() < 0.5
    leads = []
    for _ in range(rng.integers(1, 5)):
        rate, width = scale * 10.0 ** rng.uniform([-3.0, -2.0], [1.0, 1.5])
        centre = scale * rng.uniform(-1.0, 1.0) * max(1.0, bias)
        line = WideBand(rate) if rng.random() < 0.25 else Lorentzian(rate, centre, width)
        temperature = coldest * (10.0 ** rng.uniform(0.0, 1.0) if several else 1.0)
        leads.append(Lead(scale * bias * rng.uniform(-1.0, 1.0), scale * temperature, line))
    return tuple(leads), scale * max(bias, coldest) * rng.uniform(-1.2, 1.2, 8)


def _assert_within_errors(one, other, chosen=slice(None)):
    for field in (one, other):
        assert np.all(field.error >= 0.0)
    allowed = one.error + other.error + ROUNDING * (one.scale + other.scale)
    allowed += np.abs(1.0 - other.value[:, :1]) * other.scale  # the panels' spectral weight
    np.testing.assert_array_less(
        np.abs(one.value - other.value)[chosen], 2.0 * allowed[chosen] + 1e-300
    )


@pytest.mark.parametrize("scale", [1.0, 1e-24, 1e15])
def test_contour_and_panels_agree_within_their_errors(scale):
    rng = np.random.default_rng(20)
    accepted = total = 0
    for _ in range(16):
        leads, levels = _random_leads(rng, scale)
        on_contour = integrate_on_contour(leads, levels)
        if on_contour is not None:
            _assert_within_errors(on_contour, integrate(leads, levels, 1e-12))
            accepted += np.sum(np.all(on_contour.error <= 1e-10 * on_contour.scale, axis=1))
        total += levels.size
    assert accepted > 0.6 * total


@pytest.mark.parametrize("name", CASES)
def test_errors_against_thirty_digits(name):
    level, _, numbers = CASES[name]
    leads = tuple(Lead(mu, t, Lorentzian(rate, at, width)) for mu, t, rate, at, width in numbers)
    found = integrate_on_contour(leads, np.array([level]))
    reference = json.loads(PATH.read_text())[name]
    for quantity in ("occupation", "diffusion", "friction"):
        column = quantities(len(leads)).index(quantity)
        off = abs(found.value[0, column] - float(reference[quantity]))
        assert off <= found.error[0, column] + ROUNDING * found.scale[0, column], quantity


DEGENERATE = {
    "two equal leads": [Lorentzian(1.0, 0.2, 0.7), Lorentzian(1.0, 0.2, 0.7)],
    "poles of G coincide": [Lorentzian(2.0, 0.0, 4.0)],  # w (w + i width) = rate width / 2
    "poles of G and of the line": [Lorentzian(1e-9, 0.0, 1.0), WideBand(2.0)],
    "three wide bands": [WideBand(0.3), WideBand(0.3), WideBand(1.0)],
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_coincident_poles_are_no_special_case(name):
    potentials = [0.5, -0.5, 0.1]
    lines = zip(potentials, DEGENERATE[name], strict=False)
    leads = tuple(Lead(mu, 0.3, line) for mu, line in lines)
    levels = np.array([-1.0, 0.0, 0.2, 1.5])
    found = integrate_on_contour(leads, levels)
    _assert_within_errors(found, integrate(leads, levels, 1e-12))
    assert np.all(found.error[:, 1] <= 1e-12)


def test_scale_is_below_the_integral_of_the_absolute_integrand():
    """And not by orders of magnitude, or zeros of friction and currents would cost digits."""
    leads = (*paper(12.0).leads, Lead(1.0, 0.5, WideBand(0.3)))
    levels = np.linspace(-6.0, 6.0, 25)
    mesh = mesh_over(landmarks(leads), 4.0)
    here = bath(leads, mesh.nodes())
    here = replace(here, numerators=np.abs(here.numerators))
    z = (mesh.nodes() - here.shift)[:, None] - levels[:, None]
    absolute = np.sum(panel_integrals(here, mesh.weights(), z)[0], axis=0)
    scale = integrate_on_contour(leads, levels).scale
    assert np.all(scale <= (1.0 + 1e-3) * absolute)
    assert np.all(scale[:, :-1] >= 0.02 * absolute[:, :-1])
    assert np.all(scale[:, -1] >= 0.005 * absolute[:, -1])


def test_value_does_not_depend_on_other_positions():
    device, x = paper(12.0), np.linspace(-60.0, 60.0, 129)
    together = device.coefficients(x)
    for at in (0, 63, 64, 128):
        alone = device.coefficients(x[at])
        for name in ("occupation", "diffusion", "friction", "particle_current"):
            assert getattr(together, name)[at] == getattr(alone, name), name


@pytest.mark.parametrize("temperature", [0.1, 2.0])
def test_far_levels_keep_all_digits(temperature):
    leads = paper(12.0, temperature).leads
    levels = np.array([-400.0, -150.0, 150.0, 400.0])
    far = integrate_far(leads, levels)
    assert np.all(far.error <= 1e-12 * far.scale)
    _assert_within_errors(far, integrate(leads, levels, 1e-12))
    assert np.all(integrate_on_contour(leads, levels).error[:, -1] > 1e-9 * far.scale[:, -1])


def test_a_hidden_resonance_is_counted_as_an_error():
    """Weak coupling: no node falls into the peak, which carries all of the noise."""
    leads = (Lead(0.5, 1.0, WideBand(1e-7)), Lead(-0.5, 1.0, WideBand(1e-7)))
    levels = np.linspace(-3.0, 3.0, 41)
    far = integrate_far(leads, levels)
    assert np.all(np.any(far.error > 0.1 * far.scale, axis=1))
    _assert_within_errors(far, integrate(leads, levels, 1e-12))


def test_only_shapes_that_continue_off_the_axis_are_continued():
    class Dip(Lorentzian):
        """A user's own line shape: another `sample`."""

    assert is_rational(paper(2.0).leads)
    for line in (Semicircle(1.0, 0.0, 2.0), Dip(1.0, 0.0, 2.0)):
        assert not is_rational((*paper(2.0).leads, Lead(0.0, 1.0, line)))


def test_leads_of_too_many_scales_are_left_to_the_panels():
    potentials = np.arange(-7.0, 8.0)
    leads = tuple(Lead(mu, 1e-4, Lorentzian(0.1, 0.0, 1.0)) for mu in potentials)
    assert integrate_on_contour(leads, np.zeros(1)) is None
    assert integrate_far(leads, np.zeros(1)) is None
    assert ResonantLevel(leads, 0.0, 0.1).coefficients(0.0, 1e-9).occupation == pytest.approx(0.5)
