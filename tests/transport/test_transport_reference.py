"""Coefficients against numbers computed elsewhere: physics.md A.2, 30 digits, closed forms."""

import json

import numpy as np
import pytest
from scipy.special import digamma
from transport_reference import CASES, PATH
from transport_systems import FORCE, paper

from wheelwork.transport import Lead, Lorentzian, ResonantLevel, WideBand

REFERENCE = json.loads(PATH.read_text())

# bias, x, occupation, D, m gamma, particle current
PUBLISHED = [
    (0, 0, 0.5, 0.00130057578547299, 0.0003251439463682475, 0.0),
    (0, 5, 0.5367982970608081, 0.001326185010380438, 0.0003315462525951096, 0.0),
    (16, 0, 0.5, 0.001222181851140638, -0.000168163744142141, 0.4264747753654184),
    (16, -20, 0.5921077375003153, 0.00191181216527617, 0.0001564529127470895, 0.3043745576868303),
]


@pytest.mark.parametrize(("bias", "x", "occupation", "diffusion", "friction", "current"), PUBLISHED)
def test_paper_device(bias, x, occupation, diffusion, friction, current):
    c = paper(bias).coefficients(x)
    assert c.occupation == pytest.approx(occupation, rel=1e-12)
    assert c.diffusion == pytest.approx(diffusion, rel=1e-12)
    assert c.friction == pytest.approx(friction, rel=1e-12)
    assert c.particle_current == pytest.approx(current, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", CASES)
def test_thirty_digits(name):
    """Cold leads, narrow lines, large bias, sharp resonances: 1e-12, and within the estimate."""
    level, force, leads = CASES[name]
    device = ResonantLevel(
        tuple(Lead(mu, t, Lorentzian(rate, at, width)) for mu, t, rate, at, width in leads),
        level,
        force,
    )
    c = device.coefficients(0.0)
    for quantity, digits in REFERENCE[name].items():
        scale = force**2 if quantity in ("diffusion", "friction") else 1.0
        expected = scale * np.array(digits, dtype=float)
        value = getattr(c, quantity)
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-25, err_msg=quantity)
        assert np.all(np.abs(value - expected) <= c.error[quantity] + 1e-25), quantity


def test_many_positions_agree_with_one_at_a_time():
    """Shared panels, own panels and batches give what a single position gives."""
    device = ResonantLevel(
        (Lead(3.0, 0.05, Lorentzian(1.0, 0.5, 0.02)), Lead(-3.0, 0.5, Lorentzian(2.0, -0.5, 1.0))),
        0.1,
        0.3,
    )
    x = np.random.default_rng(7).uniform(-40.0, 40.0, (5, 60))
    many = device.coefficients(x)
    for at in [(0, 0), (2, 31), (4, 59)]:
        one = device.coefficients(x[at])
        for name in ("occupation", "diffusion", "friction", "particle_current"):
            value, expected = getattr(many, name)[at], getattr(one, name)
            scale = max(abs(expected), float(one.diffusion) if name == "friction" else 0.0)
            assert value == pytest.approx(float(expected), abs=3e-12 * scale), name


@pytest.mark.parametrize("x", [-3.0, 0.0, 1.7])
def test_wide_band_in_closed_form(x):
    """<n> by digamma functions, each lead at its own temperature; the current is a difference."""
    left, right = Lead(2.0, 0.3, WideBand(0.8)), Lead(-1.0, 1.2, WideBand(0.3))
    c = ResonantLevel((left, right), 0.4, 0.5).coefficients(x)
    energy, width = 0.4 - 0.5 * x, 1.1

    def filled(lead):
        beta = 1.0 / lead.temperature
        z = 0.5 + beta * (0.5 * width + 1j * (energy - lead.chemical_potential)) / (2.0 * np.pi)
        return 0.5 - digamma(z).imag / np.pi

    assert c.occupation == pytest.approx(
        (0.8 * filled(left) + 0.3 * filled(right)) / width, rel=1e-12
    )
    flow = 0.8 * 0.3 / width * (filled(left) - filled(right))
    assert c.particle_current == pytest.approx(flow, rel=1e-12)


def test_cold_equilibrium_friction_is_set_by_the_fermi_edge():
    """m gamma -> F^2 a(mu)^2 / 4 pi as T -> 0, with corrections of order T^2."""
    leads = (
        Lead(0.2, 1e-4, Lorentzian(2.0, 0.5, 1.0)),
        Lead(0.2, 1e-4, Lorentzian(1.0, -0.5, 1.0)),
    )
    device = ResonantLevel(leads, 0.3, FORCE)
    a = device.spectral_function(0.2, x=1.0)
    friction = device.coefficients(1.0).friction
    assert friction == pytest.approx(FORCE**2 * a**2 / (4.0 * np.pi), rel=1e-6)


def test_weak_coupling_is_telegraph_noise():
    """Rates below the temperature: D -> 2 F^2 n (1 - n) / rate, two rates in competition."""
    left, right = Lead(0.3, 1.0, WideBand(3e-5)), Lead(-0.3, 1.0, WideBand(1e-5))
    c = ResonantLevel((left, right), 0.1, FORCE).coefficients(0.0)
    n = float(0.75 * left.occupation(0.1) + 0.25 * right.occupation(0.1))
    assert c.occupation == pytest.approx(n, rel=1e-4)
    assert c.diffusion == pytest.approx(2.0 * FORCE**2 * n * (1.0 - n) / 4e-5, rel=1e-4)
