"""The force-noise spectrum ties diffusion and friction together by a route of its own."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from transport_systems import FORCE, LINES, paper

from wheelwork.errors import InvalidArgument
from wheelwork.transport import Lead, Lorentzian, ResonantLevel, Semicircle, WideBand
from wheelwork.transport.lineshapes import Landmarks
from wheelwork.transport.noise import _mesh
from wheelwork.transport.panels import crowded

BIASED = {
    "paper": paper(16.0),
    "two temperatures": ResonantLevel(
        (Lead(0.5, 0.2, Lorentzian(1.0, 0.4, 0.3)), Lead(-0.3, 0.8, WideBand(0.6))), 0.1, 0.4
    ),
    "cold": ResonantLevel(
        (Lead(1.0, 0.05, Lorentzian(2.0, 0.5, 1.0)), Lead(-1.0, 0.05, Lorentzian(2.0, -0.5, 1.0))),
        0.0,
        FORCE,
    ),
}


@pytest.mark.parametrize("name", BIASED)
def test_value_and_slope_at_zero_are_diffusion_and_friction(name):
    device, h, x = BIASED[name], 2e-3, 1.5
    s = device.force_noise_spectrum([0.0, h, -h, 2 * h, -2 * h], x, rtol=1e-12)
    c = device.coefficients(x)
    assert s[0] == pytest.approx(c.diffusion, rel=1e-11)
    slope = (8.0 * (s[1] - s[2]) - (s[3] - s[4])) / (12.0 * h)
    assert slope == pytest.approx(c.friction, rel=1e-6)


def test_slope_at_zero_with_band_edges():
    """Edges make S_x only once differentiable: differences converge like h log h."""
    leads = (Lead(0.2, 0.1, Semicircle(1.0, 0.0, 2.0)), Lead(-0.2, 0.3, Semicircle(0.5, 1.2, 1.0)))
    device = ResonantLevel(leads, 0.0, 0.1)
    friction = device.coefficients(1.0).friction
    errors = []
    for h in (1e-3, 1e-4):
        s = device.force_noise_spectrum([h, -h], 1.0, rtol=1e-12)
        errors.append(abs((s[0] - s[1]) / (2.0 * h) / friction - 1.0))
    assert errors[0] < 1e-3
    assert errors[1] < errors[0] / 5.0


@pytest.mark.parametrize("name", LINES)
def test_detailed_balance_at_equilibrium(name):
    leads = (Lead(0.2, 0.5, LINES[name]), Lead(0.2, 0.5, WideBand(0.1)))
    device = ResonantLevel(leads, 0.1, 1.0)
    w = np.array([0.01, 0.7, 3.0, 9.0])
    forth, back = (device.force_noise_spectrum(s * w, 0.4, rtol=1e-11) for s in (1.0, -1.0))
    np.testing.assert_allclose(back, np.exp(-w / 0.5) * forth, rtol=1e-10)


def test_against_plain_quadrature():
    device, x = BIASED["two temperatures"], 0.7
    left, right = device.leads

    def empty(w):
        f = (lead.kappa(w) * (1.0 - lead.occupation(w)) for lead in (left, right))
        return abs(device.green_function(w, x)) ** 2 * sum(f)

    def occupied(w):
        f = (lead.kappa(w) * lead.occupation(w) for lead in (left, right))
        return abs(device.green_function(w, x)) ** 2 * sum(f)

    ends = [-60.0, -5.0, -1.0, 0.0, 0.5, 1.0, 5.0, 60.0]
    for shift in (-0.8, 1.3):
        pieces = [
            quad(lambda w, s=shift: occupied(w) * empty(w + s), a, b, epsabs=1e-13, limit=200)[0]
            for a, b in pairwise(ends)
        ]
        expected = device.force**2 * sum(pieces) / (2.0 * np.pi)
        assert device.force_noise_spectrum(shift, x) == pytest.approx(expected, rel=1e-7)


def test_total_power_is_the_variance_of_the_charge():
    """int dw/2pi S_x(w) = F^2 <n>(1 - <n>): equal-time correlation of a single level."""
    device = paper(6.0)
    t, weight = np.polynomial.legendre.leggauss(120)
    tan = np.tan(0.5 * np.pi * t)
    s = device.force_noise_spectrum(3.0 * tan, 4.0, rtol=1e-9)
    total = np.sum(weight * s * 3.0 * 0.5 * np.pi * (1.0 + tan**2)) / (2.0 * np.pi)
    n = device.coefficients(4.0).occupation
    assert total == pytest.approx(device.force**2 * n * (1.0 - n), rel=1e-6)


def test_narrow_resonance_is_not_missed():
    """Sequential tunnelling: a Lorentzian of the width of the rates, 1e-6 here."""
    rate = 1e-6
    device = ResonantLevel((Lead(0.1, 1.0, WideBand(rate)),), 0.0, 1.0)
    n = device.coefficients(0.0).occupation
    w = rate * np.array([0.0, 0.5, 1.0, 3.0])
    expected = 2.0 * n * (1.0 - n) * rate / (rate**2 + w**2)
    np.testing.assert_allclose(device.force_noise_spectrum(w, 0.0), expected, rtol=1e-5)


def test_shapes_and_refusals():
    device = paper(1.0)
    assert device.force_noise_spectrum(0.3).shape == ()
    assert device.force_noise_spectrum(np.zeros((2, 3))).shape == (2, 3)
    assert device.force_noise_spectrum([]).shape == (0,)
    with pytest.raises(InvalidArgument, match=r"^`frequency` must be finite, but holds NaN"):
        device.force_noise_spectrum(np.nan)
    with pytest.raises(InvalidArgument, match=r"^`x` must fit the shape of `frequency`, \(3,\)"):
        device.force_noise_spectrum([0.1, 0.2, 0.3], [0.0, 1.0])
    with pytest.raises(InvalidArgument, match=r"^`x` must fit the shape of `frequency`"):
        device.green_function([0.1, 0.2, 0.3], [0.0, 1.0])


def test_positions_and_frequencies_broadcast():
    device = paper(1.0)
    w, x = np.array([[-0.2], [0.3]]), np.array([0.0, 1.0, 0.0])
    one_by_one = [[float(device.force_noise_spectrum(f, at)) for at in x] for f in w[:, 0]]
    assert device.force_noise_spectrum(w, x) == pytest.approx(np.array(one_by_one), rel=1e-9)


def test_mesh_looks_at_the_peaks_of_both_factors():
    """The second factor is moved down by the frequency: so are its poles and its edges."""
    mesh = _mesh(Landmarks(poles=((1.0, 1e-3),), edges=(-2.0,)), 0.4)
    assert not crowded(mesh, np.array([1.0, 0.6]), np.array([1e-3, 1e-3])).any()
    assert {-2.0, -2.4} <= set(mesh.start)
