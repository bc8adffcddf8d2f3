"""Laws that hold whatever the leads are."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transport_systems import FORCE, LINES, paper

from wheelwork.transport import Lead, Lorentzian, ResonantLevel, Semicircle, WideBand

X = np.linspace(-12.0, 12.0, 7)
PAIRS = [(name,) for name in LINES] + list(combinations(LINES, 2))


def _device(names, mu, temperature, force=FORCE):
    leads = [Lead(m, t, LINES[n]) for n, m, t in zip(names, mu, temperature, strict=True)]
    return ResonantLevel(tuple(leads), 0.1, force)


@pytest.mark.parametrize("names", PAIRS, ids="+".join)
def test_fluctuation_dissipation(names):
    """D = 2 T m gamma at equilibrium, for one lead and for leads of different shape."""
    c = _device(names, [0.4] * len(names), [0.3] * len(names)).coefficients(X, rtol=1e-11)
    assert np.all(c.friction > 0.0)
    np.testing.assert_allclose(c.diffusion, 2.0 * 0.3 * c.friction, rtol=1e-10)
    np.testing.assert_allclose(c.spectral_weight, 1.0, atol=1e-11)
    assert np.all(c.particle_currents == 0.0)
    assert np.all(c.energy_currents == 0.0)


@pytest.mark.parametrize("names", [p for p in PAIRS if len(p) == 2], ids="+".join)
def test_flows_balance_and_obey_the_second_law(names):
    c = _device(names, [1.0, -0.5], [0.2, 0.9]).coefficients(X, rtol=1e-10)
    for flow in (c.particle_currents, c.energy_currents):
        assert np.all(np.abs(flow.sum(axis=0)) <= 1e-12 * np.abs(flow).max(axis=0))
    entropy = -np.sum(c.heat_currents / np.array([[0.2], [0.9]]), axis=0)
    assert np.all(entropy > 0.0)
    power = 1.5 * c.particle_current  # electrical work is what the heat currents lack
    np.testing.assert_allclose(-c.heat_currents.sum(axis=0), power, atol=1e-9)


def test_electrons_flow_downhill():
    c, back = paper(8.0).coefficients(X), paper(-8.0).coefficients(X)
    assert np.all(c.particle_current > 0.0)
    assert np.all(back.particle_current < 0.0)
    np.testing.assert_array_equal(c.particle_currents[1], -c.particle_current)


def test_heat_flows_from_hot_to_cold():
    hot, cold = Lead(0.0, 2.0, WideBand(0.5)), Lead(0.0, 0.5, Lorentzian(0.7, 0.0, 1.0))
    c = ResonantLevel((hot, cold), 0.0, 0.1).coefficients(X)
    assert np.all(c.heat_currents[0] > 0.0)
    assert np.all(c.heat_currents[1] < 0.0)


def test_filled_from_below_the_level():
    """A level pulled far down is full, far up empty; the force pulls it down at positive x."""
    c = ResonantLevel((Lead(0.0, 0.1, Lorentzian(0.5, 0.0, 3.0)),), 0.0, 1.0).coefficients(
        [-9.0, 9.0]
    )
    assert c.occupation[0] < 0.01
    assert c.occupation[1] > 0.99


def test_particle_hole_symmetry_of_the_paper_device():
    right, left = paper(12.0).coefficients(X), paper(12.0).coefficients(-X)
    np.testing.assert_allclose(right.occupation, 1.0 - left.occupation, rtol=1e-12)
    np.testing.assert_allclose(right.diffusion, left.diffusion, rtol=1e-12)
    np.testing.assert_allclose(right.friction, left.friction, atol=1e-12 * right.diffusion.max())
    np.testing.assert_allclose(right.particle_current, left.particle_current, rtol=1e-12)
    np.testing.assert_allclose(right.energy_currents, -left.energy_currents, atol=1e-12)


def test_friction_changes_sign_at_the_known_bias():
    """physics.md A.6: gamma(0) vanishes at a bias of 8.463278, and the lines' order matters."""
    assert paper(8.463277).coefficients(0.0).friction > 0.0
    assert paper(8.463279).coefficients(0.0).friction < 0.0
    assert paper(-16.0).coefficients(0.0).friction > 0.0


def test_three_leads_two_temperatures():
    leads = (
        Lead(1.0, 0.2, Semicircle(1.0, 0.1, 3.0)),
        Lead(-1.0, 0.9, WideBand(0.5)),
        Lead(0.3, 0.9, Lorentzian(0.8, -0.4, 0.5)),
    )
    c = ResonantLevel(leads, 0.2, 0.3).coefficients(X)
    assert c.particle_currents.shape == (3, X.size)
    scale = np.abs(c.energy_currents).max()
    assert np.all(np.abs(c.particle_currents.sum(axis=0)) < 1e-12)
    assert np.all(np.abs(c.energy_currents.sum(axis=0)) < 1e-12 * scale)
    assert np.all(np.sum(c.heat_currents.T / [0.2, 0.9, 0.9], axis=1) < 0.0)
    # A probe in the middle takes electrons from above and gives them below.
    assert np.all(c.particle_currents[0] > 0.0)
    assert np.all(c.particle_currents[1] < 0.0)


_lines = st.one_of(
    st.builds(Lorentzian, st.floats(0.05, 4.0), st.floats(-3.0, 3.0), st.floats(0.02, 3.0)),
    st.builds(WideBand, st.floats(0.05, 4.0)),
    st.builds(Semicircle, st.floats(0.05, 0.5), st.floats(-1.0, 1.0), st.floats(6.0, 9.0)),
)
_leads = st.builds(Lead, st.floats(-20.0, 20.0), st.floats(0.02, 5.0), _lines)
_devices = st.builds(
    ResonantLevel,
    st.lists(_leads, min_size=2, max_size=3).map(tuple),
    st.floats(-2.0, 2.0),
    st.just(0.1),
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(_devices)
def test_any_device(device):
    c = device.coefficients([-20.0, 0.0, 7.0], rtol=1e-9)  # what peaks near band edges allow
    assert np.all((c.occupation > 0.0) & (c.occupation < 1.0))
    assert np.all(c.diffusion > 0.0)
    np.testing.assert_allclose(c.spectral_weight, 1.0, atol=1e-9)
    temperatures = np.array([lead.temperature for lead in device.leads])[:, None]
    heat = c.heat_currents
    assert np.all(np.sum(heat / temperatures, axis=0) <= 1e-8 * np.abs(heat / temperatures).max())


def test_currents_of_a_bias_near_the_smallest_number_stop_nothing():
    """They are rounded to few digits, or to none, and are nothing beside the other integrals."""
    for bias in (1e-323, 1e-307, 1e-292):
        leads = (Lead(0.0, 1.0, WideBand(0.03)), Lead(bias, 1.0, Semicircle(0.1, 0.0, 6.0)))
        c = ResonantLevel((leads[0], *leads), 0.0, 0.1).coefficients(X)
        np.testing.assert_allclose(c.diffusion, 2.0 * c.friction, rtol=1e-10)
        assert np.all(np.abs(c.particle_currents) <= bias)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(_devices)
def test_a_lead_may_be_split_in_two(device):
    """Two leads of half the rate, equally filled, are one lead: only K and sum kappa f matter."""
    first, *others = device.leads
    shape = first.lineshape
    half = type(shape)(**{**vars(shape), "rate": 0.5 * shape.rate})
    part = Lead(first.chemical_potential, first.temperature, half)
    split = ResonantLevel((part, part, *others), device.level, device.force)
    one, two = device.coefficients(3.0, rtol=1e-11), split.coefficients(3.0, rtol=1e-11)
    for name in ("occupation", "diffusion", "friction"):
        scale = abs(getattr(one, name)) + (one.diffusion if name == "friction" else 0.0)
        assert abs(getattr(one, name) - getattr(two, name)) <= 1e-9 * scale, name
    flow = one.particle_currents[0]
    assert two.particle_currents[:2].sum() == pytest.approx(flow, rel=1e-8, abs=1e-13)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(_devices, st.floats(-30.0, 30.0))
def test_zero_of_energy_is_arbitrary(device, offset):
    def moved(lead):
        shape = vars(lead.lineshape)
        shape = {**shape, "centre": shape["centre"] + offset} if "centre" in shape else shape
        mu = lead.chemical_potential + offset
        return Lead(mu, lead.temperature, type(lead.lineshape)(**shape))

    here = device.coefficients(2.0, rtol=1e-10)
    leads = tuple(moved(lead) for lead in device.leads)
    there = ResonantLevel(leads, device.level + offset, device.force).coefficients(2.0, rtol=1e-10)
    assert there.occupation == pytest.approx(here.occupation, rel=1e-8)
    assert there.diffusion == pytest.approx(here.diffusion, rel=1e-8)
    assert there.friction == pytest.approx(here.friction, rel=1e-8, abs=1e-8 * here.diffusion)
    expected = here.energy_currents + offset * here.particle_currents
    np.testing.assert_allclose(there.energy_currents, expected, atol=1e-8)
