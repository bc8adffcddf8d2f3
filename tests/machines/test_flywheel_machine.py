"""The dataclass and its door: parameters, derived names, errors, labels."""

import numpy as np
import pytest

import wheelwork as ww
from wheelwork.errors import (
    InvalidArgument,
    NotConverged,
    UnphysicalState,
    ValidityWarning,
)
from wheelwork.transport import resonant_level

SHAPE = ww.Lorentzian(2.0, 0.5, 1.0)


def test_paper_parameters():
    device = ww.Flywheel.paper(bias=16.0)
    assert [lead.chemical_potential for lead in device.leads] == [8.0, -8.0]
    assert device.coupling == pytest.approx(0.1)
    assert device.force == pytest.approx(0.2 / np.sqrt(10.0))
    assert device.length * device.momentum == pytest.approx(2.0)
    assert device.bias == 16.0
    assert ww.Flywheel.paper(force=0.1, mass=2.0).force == 0.1


def test_definition_of_the_force_follows_overridden_fields():
    assert ww.Flywheel.paper(frequency=0.1, mass=3.0).coupling == pytest.approx(0.1)


def test_bias_is_a_derived_parameter_about_the_mean():
    leads = (ww.Lead(3.0, 1.0, SHAPE), ww.Lead(1.0, 2.0, SHAPE))
    device = ww.Flywheel(leads, force=0.05).replace(bias=5.0)
    assert [lead.chemical_potential for lead in device.leads] == [4.5, -0.5]
    assert device.replace(level=0.3).bias == 5.0


def test_coefficients_of_the_reference_table():
    c = ww.Flywheel.paper(bias=16.0).coefficients(np.array([0.0, -20.0]))
    assert c.occupation == pytest.approx([0.5, 0.5921077375003153], rel=1e-12)
    assert c.diffusion == pytest.approx([0.001222181851140638, 0.00191181216527617], rel=1e-12)
    assert c.friction == pytest.approx([-0.000168163744142141, 0.0001564529127470895], rel=1e-12)
    assert c.particle_current == pytest.approx([0.4264747753654184, 0.3043745576868303], rel=1e-12)
    c = ww.Flywheel.paper(bias=0.0).coefficients(np.array([0.0, 5.0]))
    assert c.diffusion == pytest.approx([0.00130057578547299, 0.001326185010380438], rel=1e-12)
    assert c.diffusion / c.friction == pytest.approx(4.0, rel=1e-12)


def test_frozen_and_comparable():
    device = ww.Flywheel.paper(bias=2.0)
    with pytest.raises(AttributeError):
        device.force = 1.0
    assert device == ww.Flywheel.paper(bias=2.0)
    assert device != device.replace(bias=3.0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"leads": ()}, "`leads` must hold at least one lead"),
        ({"frequency": -0.2}, r"`frequency` must be positive, but is -0\.2"),
        ({"mass": 0.0}, r"`mass` must be positive, but is 0\.0"),
        ({"level": float("nan")}, "`level` must be finite, but is nan"),
        ({"force": "strong"}, "`force` must be a real number, but is 'strong'"),
        ({"temperature": -1.0}, r"`temperature` must be positive, but is -1\.0"),
    ],
)
def test_bad_fields_are_named(fields, message):
    with pytest.raises(InvalidArgument, match=message):
        ww.Flywheel(**{"leads": (ww.Lead(0.0, 1.0, SHAPE),), "force": 0.1} | fields)


def test_misspelt_field_is_named():
    with pytest.raises(InvalidArgument, match="`massa` must be one of leads, level"):
        ww.Flywheel.paper().replace(massa=1.0)


def test_bias_needs_two_leads():
    device = ww.Flywheel((ww.Lead(0.0, 1.0, SHAPE),), force=0.1)
    with pytest.raises(InvalidArgument, match="two leads, but there are 1"):
        device.replace(bias=1.0)


def test_no_force_no_state():
    with pytest.raises(InvalidArgument, match="`force` must not be zero"):
        ww.Flywheel.paper(force=0.0).steady_state()


def test_growth_beyond_the_largest_domain_is_refused_with_its_position():
    """Line centres against the bias: friction is negative out to where the level leaves it."""
    with pytest.raises(NotConverged, match=r"reaches to \|x\| = \d+.*beyond the largest domain"):
        ww.Flywheel.paper(bias=-400.0).steady_state()


@pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")
def test_a_second_hump_far_out_is_not_lost():
    """Behind a dip of e^-50 lies nearly all of the state, at 5700 quanta instead of 180."""
    leads = (
        ww.Lead(12.0, 1.0, ww.Lorentzian(1.0, -3.0, 2.0)),
        ww.Lead(-12.0, 1.0, ww.Lorentzian(1.0, 0.0, 0.5)),
    )
    device = ww.Flywheel(leads, level=-5.0, frequency=0.2)
    device = device.replace(force=0.2 / device.length)
    with pytest.warns(ww.CoexistenceWarning, match="180.6 quanta \\(from rest\\)"):
        state = device.steady_state(ww.EnergyDiffusion(1e-4))
    assert state.phonon_number == pytest.approx(5677.0, rel=1e-3)
    assert state.g2 == pytest.approx(1.0013, abs=2e-4)


def test_wells_far_from_the_origin_are_seen():
    """A soft spring: two wells at |X| = 48, thermal between them (Boltzmann to 6 digits)."""
    state = ww.Flywheel.paper(0.0, frequency=0.001).steady_state(ww.FokkerPlanck(1e-5))
    assert state.phonon_number == pytest.approx(4430.99, rel=1e-5)


def test_threshold_out_of_range():
    with pytest.raises(NotConverged, match="no threshold between the biases 0 and 5"):
        ww.Flywheel.paper().threshold_bias(0.0, 5.0)


def test_fast_oscillator_warns_and_fails_its_audit():
    device = ww.Flywheel.paper(bias=2.0, frequency=0.8, mass=0.25)
    with pytest.warns(ValidityWarning, match="frequency / temperature = 0.4"):
        state = device.steady_state()
    assert not state.audit["frequency / temperature"].ok
    assert state.audit["estimated error"].ok


@pytest.mark.parametrize(("level", "width"), [(5.0, 0.1), (0.0, 0.02)])
def test_slow_electrons_are_seen_by_the_colour_of_their_noise(level, width):
    """A level far from narrow lines, or lines narrower than ω0: the band height tells nothing."""
    leads = tuple(ww.Lead(side, 2.0, ww.Lorentzian(2.0, 0.5 * side, width)) for side in (1.0, -1.0))
    device = ww.Flywheel(leads, level, 0.2, force=0.0632)
    assert device.noise_colour() > 0.99
    assert ww.Flywheel.paper().noise_colour() < 0.02


def test_paper_keeps_leads_that_are_given():
    leads = (ww.Lead(8.0, 2.0, SHAPE), ww.Lead(-8.0, 2.0, SHAPE))
    assert ww.Flywheel.paper(leads=leads).bias == 16.0
    assert ww.Flywheel.paper(leads=leads, bias=2.0).bias == 2.0
    assert len(ww.Flywheel.paper(leads=leads[:1]).leads) == 1


@pytest.mark.parametrize("method", ["fokker-planck", 1e-6, ww.FokkerPlanck])
def test_a_method_must_be_one(method):
    with pytest.raises(InvalidArgument, match="`method` must be a method such as FokkerPlanck"):
        ww.Flywheel.paper().steady_state(method)


def test_a_state_of_too_many_levels_keeps_its_moments():
    state = ww.Flywheel.paper(12.0, force=0.003).steady_state(ww.EnergyDiffusion(1e-4))
    assert state.phonon_number > 8000.0
    assert np.isnan(state.observables["entropy"])
    assert state.errors["phonon_number"] > 0.0
    assert not state.audit["state in the Fock basis"].ok
    with pytest.raises(NotConverged, match="Fock levels"):
        _ = state.entropy


def test_trajectories_agree_with_the_direct_solution():
    device = ww.Flywheel.paper(bias=8.0)
    samples = device.sample(ww.Langevin(duration=2e6, trajectories=64, step=0.5, seed=1))
    for name in ("phonon_number", "g2"):
        mean, error = samples.moments[name]
        assert abs(mean - device.steady_state().solution.moments[name]) < 4.0 * error
        assert error < 0.02 * mean


def test_noise_below_the_vacuum_is_no_quantum_state():
    leads = tuple(ww.Lead(0.0, 0.02, SHAPE) for _ in range(2))
    with pytest.warns(ValidityWarning):
        state = ww.Flywheel(leads, frequency=0.2, force=0.01).steady_state()
    with pytest.raises(UnphysicalState, match="below the vacuum's"):
        _ = state.entropy


def test_free_energy_needs_a_named_temperature():
    leads = (ww.Lead(1.0, 1.0, SHAPE), ww.Lead(-1.0, 2.0, ww.WideBand(1.0)))
    state = ww.Flywheel(leads, force=0.05).steady_state()
    with pytest.raises(InvalidArgument, match="`temperature` must be given"):
        _ = state.free_energy_gain
    assert np.isnan(state.observables["free_energy_gain"])
    named = ww.Flywheel(leads, force=0.05, temperature=1.5).steady_state()
    assert named.free_energy_gain > 0.0


def test_every_observable_is_labelled_and_exported():
    state = ww.Flywheel.paper(bias=10.0).steady_state()
    dataset = state.to_xarray()
    for name, value in state.observables.items():
        assert name in state.machine.labels
        assert float(dataset[name]) == value
    assert float(dataset["ergotropy_error"]) == state.errors["ergotropy"]
    assert dataset["population"].size == state.fock.levels


def test_qutip_gets_the_same_matrix():
    qutip = pytest.importorskip("qutip")
    state = ww.Flywheel.paper(bias=0.0).steady_state()
    rho = state.to_qutip()
    assert isinstance(rho, qutip.Qobj)
    assert qutip.expect(qutip.num(state.fock.levels), rho) == pytest.approx(
        state.phonon_number, rel=1e-7
    )


def test_bands_that_end_beyond_the_state_do_no_harm():
    """Far out the level leaves the bands and is bound, where the state never gets."""
    frequency = np.linspace(-6.0, 6.0, 61)
    rate = np.maximum(2.0 / (1.0 + frequency**2) - 2.0 / 37.0, 0.0)
    shape = ww.Tabulated(frequency, rate)
    device = ww.Flywheel((ww.Lead(4.0, 2.0, shape), ww.Lead(-4.0, 2.0, shape)), force=0.0632)
    assert device.steady_state(ww.FokkerPlanck(1e-3)).phonon_number == pytest.approx(
        20.959566, rel=1e-6
    )


@pytest.mark.parametrize("bias", [0.0, 12.0])
def test_a_point_of_the_paper_needs_no_adaptive_quadrature(bias, monkeypatch):
    """All frequency integrals take a few per cent of its time, as long as none is adaptive."""

    def refuse(*_):
        raise AssertionError("panels")

    monkeypatch.setattr(resonant_level, "integrate", refuse)
    state = ww.Flywheel.paper(bias).steady_state(ww.FokkerPlanck(1e-6))
    assert state.observables


def test_rough_coefficients_have_five_digits():
    x = np.linspace(-2000.0, 2000.0, 41)
    model = ww.Flywheel.paper(12.0).model()
    fine, rough = model.coefficients(x), model.rough(x)
    np.testing.assert_allclose(rough[2], fine[2], rtol=1e-5)
    np.testing.assert_allclose(rough[0], fine[0], atol=1e-5 * np.max(np.abs(fine[0])))
