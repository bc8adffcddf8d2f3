"""The resonant level: Green function, shapes, and what it refuses."""

import numpy as np
import pytest
from transport_systems import FORCE, LINES, paper

from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged
from wheelwork.transport import Lead, Lorentzian, ResonantLevel, Semicircle, WideBand

LEAD = Lead(0.0, 1.0, WideBand(1.0))


def test_spectral_function_is_what_the_leads_broaden():
    """a = -2 Im G = |G|^2 sum kappa: no width but that of the leads."""
    device = ResonantLevel(tuple(Lead(0.0, 1.0, s) for s in LINES.values()), 0.2, 0.5)
    w, x = np.linspace(-5.0, 5.0, 31)[:, None], np.array([-2.0, 0.0, 2.0])
    green = device.green_function(w, x)
    width = sum(lead.kappa(w) for lead in device.leads)
    np.testing.assert_allclose(
        device.spectral_function(w, x), np.abs(green) ** 2 * width, rtol=1e-12
    )
    assert green.shape == (31, 3)


def test_force_moves_the_level():
    device = ResonantLevel((Lead(0.0, 1.0, WideBand(0.1)),), 1.0, 0.5)
    w = np.linspace(-2.0, 2.0, 4001)
    for x, place in [(0.0, 1.0), (4.0, -1.0)]:
        assert w[np.argmax(device.spectral_function(w, x))] == pytest.approx(place, abs=1e-3)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (0, 2)])
def test_arrays_have_the_shape_of_x(shape):
    c = paper(4.0).coefficients(np.full(shape, 0.5))
    for name in ("x", "occupation", "diffusion", "friction", "spectral_weight", "particle_current"):
        assert getattr(c, name).shape == shape, name
    for name in ("particle_currents", "energy_currents", "heat_currents"):
        assert getattr(c, name).shape == (2, *shape), name
    for name, error in c.error.items():
        assert error.shape == getattr(c, name).shape
        assert np.all(error >= 0.0)


def test_order_of_positions_is_kept():
    x = np.array([[3.0, -7.0], [0.0, 11.0]])
    c = paper(4.0).coefficients(x)
    np.testing.assert_array_equal(c.x, x)
    assert c.occupation[0, 1] < c.occupation[1, 0] < c.occupation[0, 0] < c.occupation[1, 1]


def test_without_force_nothing_depends_on_x():
    c = ResonantLevel(paper(6.0).leads, 0.3, 0.0).coefficients([-5.0, 0.0, 5.0])
    assert np.ptp(c.occupation) == 0.0
    assert np.all(c.diffusion == 0.0)
    assert np.all(c.friction == 0.0)


def test_coefficients_scale_with_the_force_squared():
    one, three = (ResonantLevel(paper(6.0).leads, 0.3, f).coefficients(0.0) for f in (1.0, -3.0))
    assert three.diffusion == pytest.approx(9.0 * one.diffusion, rel=1e-14)
    assert three.friction == pytest.approx(9.0 * one.friction, rel=1e-14)
    assert three.occupation == one.occupation


@pytest.mark.parametrize("rtol", [1e-3, 1e-6, 1e-9])
def test_loose_tolerance_is_met(rtol):
    left, right = Lorentzian(1.0, 0.5, 0.05), Semicircle(0.3, 0.0, 20.0)
    leads = (Lead(5.0, 0.02, left), Lead(-5.0, 0.02, right))
    device = ResonantLevel(leads, 0.3, FORCE)
    x = np.linspace(-40.0, 40.0, 41)
    loose, tight = device.coefficients(x, rtol), device.coefficients(x, 1e-12)
    for name in ("occupation", "diffusion", "friction", "particle_currents", "energy_currents"):
        difference = np.abs(getattr(loose, name) - getattr(tight, name))
        assert np.all(difference <= loose.error[name] + tight.error[name]), name
    assert np.all(loose.error["occupation"] <= 2.0 * rtol)


def test_bound_state_has_no_steady_state():
    """Its weight is 1 / (1 - chi') at the pole: with w = u + 1/u, chi = u/2, u^2 - 6 u + 2 = 0."""
    device = ResonantLevel((Lead(0.0, 1.0, Semicircle(1.0, 0.0, 2.0)),), 0.0, 1.0)
    assert device.coefficients(0.5).spectral_weight == pytest.approx(1.0, abs=1e-12)
    square = (3.0 - np.sqrt(7.0)) ** 2
    weight = 1.0 / (1.0 + 0.5 * square / (1.0 - square))
    with pytest.raises(NoSteadyState, match=rf"bound state .* at x = -3: {weight:.3g} of its"):
        device.coefficients([-3.0, 0.5])
    with pytest.raises(NoSteadyState):
        device.force_noise_spectrum(0.1, -3.0)


def test_hair_thin_peak_keeps_its_digits():
    """A level in a gap, broadened a little by a distant line: a width of 1e-8 at a shifted place.

    A Lorentzian of weight Z and width Z kappa, filled as the line is: D = 2 F^2 f (1-f) Z / kappa.
    """
    leads = (
        Lead(1.0, 0.1, Semicircle(1.0, 0.0, 2.0)),
        Lead(3.5, 0.1, Lorentzian(1e-4, 0.3, 0.03)),
    )
    device = ResonantLevel(leads, 0.0, 0.1)
    one, two = device.coefficients(-35.0), device.coefficients(-35.0, rtol=1e-8)
    assert abs(one.spectral_weight - 1.0) < 1e-12
    assert one.diffusion == pytest.approx(two.diffusion, rel=1e-8)
    peak = device.level - device.force * -35.0
    for _ in range(50):  # the fixed point of the shift converges outside the band
        peak = 3.5 + sum(lead.self_energy(peak).real for lead in leads)
    weight = one.diffusion * sum(lead.kappa(peak) for lead in leads) / device.force**2
    f = leads[1].occupation(peak)
    assert weight == pytest.approx(2.0 * f * (1.0 - f) * _residue(leads, peak), rel=1e-5)


def _residue(leads, peak):
    step = 1e-4
    chi = [sum(lead.self_energy(peak + s).real for lead in leads) for s in (-step, step)]
    return 1.0 / (1.0 - (chi[1] - chi[0]) / (2.0 * step))


def test_level_far_outside_everything():
    leads = paper(12.0).leads
    c = ResonantLevel(leads, 0.0, 1.0).coefficients([-2.5e5, 2.5e5])
    np.testing.assert_allclose(c.spectral_weight, 1.0, atol=1e-12)
    np.testing.assert_allclose(c.occupation, [0.0, 1.0], atol=1e-4)


def test_a_step_too_sharp_for_the_digits_is_confessed():
    leads = (Lead(6.0, 1e-15, Lorentzian(2.0, 0.5, 1.0)), Lead(-6.0, 1.0, WideBand(1.0)))
    with pytest.raises(NotConverged, match=r"relative error of .* at x = 35, not 1\.0e-12"):
        ResonantLevel(leads, 0.0, 0.1).coefficients(35.0)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ResonantLevel((), 0.0, 1.0), r"`leads` must hold at least one lead, but is \(\)"),
        (lambda: ResonantLevel(3.0, 0.0, 1.0), "`leads` must be a tuple of leads, but is 3.0"),
        (lambda: ResonantLevel((LEAD, 2), 0.0, 1.0), r"`leads` must hold leads .* 2 \(lead 1\)"),
        (lambda: ResonantLevel((LEAD,), np.nan, 1.0), "`level` must be finite, but is nan"),
        (lambda: ResonantLevel((LEAD,), 0.0, np.inf), "`force` must be finite, but is inf"),
        (lambda: paper(1.0).coefficients(np.nan), "`x` must be finite, but holds NaN or infinity"),
        (lambda: paper(1.0).coefficients("a"), "`x` must be an array of real numbers, but is 'a'"),
        (lambda: paper(1.0).coefficients(0.0, 1e-14), "`rtol` must lie between 1e-12 and 0.1, .*"),
        (lambda: paper(1.0).green_function([np.inf]), "`frequency` must be finite, but holds .*"),
    ],
)
def test_bad_input_is_refused(build, message):
    with pytest.raises(InvalidArgument, match=f"^{message}$"):
        build()


def test_lists_of_leads_become_tuples():
    assert ResonantLevel([LEAD], 0.0, 1.0) == ResonantLevel((LEAD,), 0.0, 1.0)
    assert hash(ResonantLevel([LEAD], 0.0, 1.0)) == hash(ResonantLevel((LEAD,), 0.0, 1.0))
