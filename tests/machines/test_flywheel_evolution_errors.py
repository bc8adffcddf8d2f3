"""Errors of an evolution cover, are inherited, and nothing of another oscillator slips in."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

import wheelwork as ww
from wheelwork.errors import InvalidArgument, ValidityWarning
from wheelwork.phase_space.distribution import detection_weight

STRONG = ww.Flywheel.paper(bias=12.0, force=0.4)
QUIET = pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")


@QUIET
@pytest.mark.parametrize("rtol", [1e-2, 1e-4, 1e-6])
def test_stored_work_lies_within_its_error(rtol):
    """Against rtol = 1e-8; what lies in high levels must not be cut off unseen."""
    exact = STRONG.evolve(ww.Ground(), [8.0], ww.FokkerPlanck(1e-7))[0]
    state = STRONG.evolve(ww.Ground(), [8.0], ww.FokkerPlanck(rtol))[0]
    for name in ("ergotropy", "entropy", "energy", "purity", "charging_power", "particle_current"):
        deviation = abs(state.observables[name] - exact.observables[name])
        assert deviation <= state.errors[name] + exact.errors[name], name


def test_a_pure_state_far_out_gives_all_its_energy():
    run = ww.Flywheel.paper(bias=8.0).evolve(ww.Coherent(12.0), [0.0])
    assert run.ergotropy[0] == pytest.approx(run.energy[0], rel=1e-6)


def test_an_error_made_before_is_not_forgotten():
    device = ww.Flywheel.paper(bias=8.0)
    coarse = device.evolve(ww.Ground(), [50.0], ww.FokkerPlanck(1e-3))
    on = device.evolve(coarse[0], [1.0], ww.FokkerPlanck(1e-8))
    exact = device.evolve(ww.Ground(), [51.0], ww.FokkerPlanck(1e-8))
    assert on[0].errors["phonon_number"] >= coarse[0].solution.distance * 0.5
    assert abs(on.phonon_number[0] - exact.phonon_number[0]) <= on[0].errors["phonon_number"]
    assert on.audit["estimated error"].ok


def test_a_state_of_another_oscillator_is_refused():
    device = ww.Flywheel.paper(bias=8.0)
    state = device.steady_state()
    for changed in (device.replace(frequency=0.4), device.replace(mass=4.0)):
        with pytest.raises(InvalidArgument, match="oscillator of the same"):
            changed.evolve(state, [1.0])


@pytest.mark.parametrize("time", [0.0, 1e-12, 1e-7, 1e-2, 0.5])
def test_any_early_time_will_do(time):
    device = ww.Flywheel.paper(bias=8.0)
    run = device.evolve(ww.Coherent(1.0), [time])
    assert run.position[0] == pytest.approx(device.length * np.cos(0.2 * time), abs=1e-4)


def test_validity_is_said_in_every_verb():
    leads = tuple(
        ww.Lead(mu, 0.02, ww.Lorentzian(rate=2.0, centre=mu, width=1.0)) for mu in (0.5, -0.5)
    )
    cold = ww.Flywheel(leads, frequency=0.2, force=0.0632)
    with pytest.warns(ValidityWarning, match="frequency / temperature"):
        run = cold.evolve(ww.Ground(), [1.0])
    assert not run.audit["frequency / temperature"].ok
    with pytest.warns(ValidityWarning, match="frequency / temperature"):
        cold.correlations(ww.FokkerPlanck(1e-3))


@QUIET
def test_moments_need_no_density_matrix():
    run = ww.Flywheel.paper(bias=8.0).evolve(ww.Coherent(25.0), [1.0])
    assert run.phonon_number[0] == pytest.approx(625.0, rel=1e-2)
    assert not {"density_matrix", "fock"} & vars(run[0]).keys()


def test_the_weight_of_a_thin_ring_is_resolved():
    """A mesh too coarse would alias: the mean weight is the phonon number."""
    state = ww.Flywheel.paper(bias=16.0, force=0.002).steady_state()
    distribution = state.solution.distribution
    nodes = distribution.nodes
    mean = np.sum(nodes.weight * detection_weight(distribution)(nodes.X, nodes.P))
    assert mean == pytest.approx(state.phonon_number, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: d.evolve(ww.Ground, [1.0]), "`initial` must be a state"),
        (lambda d: d.evolve(np.diag([1.5, -0.5]), [1.0]), "no negative eigenvalue"),
        (lambda d: d.evolve(ww.Ground(), [1.0], changes=[1]), "`changes` must map times"),
        (lambda d: d.evolve(ww.Coherent(1e200), [1.0]), "`amplitude` must be at most"),
        (lambda d: d.sample(ww.FokkerPlanck()), "`method` must be a method such as Langevin"),
        (
            lambda d: d.sampled_correlations(ww.Langevin(duration=1e4), [1e-9]),
            "`delays` must be zero or at least",
        ),
    ],
)
def test_bad_input_ends_at_the_door(call, message):
    with pytest.raises(InvalidArgument, match=message):
        call(ww.Flywheel.paper(bias=8.0))


@QUIET
def test_currents_of_a_state_wide_against_what_they_vary_over():
    """The current varies over a few tens of lengths, the state over hundreds."""
    device = ww.Flywheel.paper(bias=8.0)
    [state] = device.evolve(ww.Thermal(5000.0), [0.0])
    deviation = device.length * np.sqrt(2500.25)
    x = np.linspace(-9.0, 9.0, 20001) * deviation
    weight = np.exp(-0.5 * (x / deviation) ** 2)
    at = device.coefficients(x, 1e-9)
    current = weight @ at.particle_current / np.sum(weight)
    assert abs(state.particle_current - current) <= state.errors["particle_current"] < 1e-7
    lost = weight @ at.friction / np.sum(weight) * device.momentum**2 * 2500.25
    power = 0.5 * (weight @ at.diffusion) / np.sum(weight) - lost
    assert abs(state.charging_power - power) <= state.errors["charging_power"] < 1e-6


@QUIET
def test_moments_are_there_where_no_matrix_holds_the_state():
    run = ww.Flywheel.paper(bias=8.0).evolve(ww.Thermal(2000.0), [0.0])
    assert "entropy" not in run[0].errors
    assert np.isnan(run.entropy[0])
    assert 0.0 < run[0].errors["phonon_number"] < 1e-3
    assert not run.audit["state in the Fock basis"].ok
    dataset = run.to_xarray()
    assert dataset["phonon_number"].item() == pytest.approx(2000.0, rel=1e-6)
    assert np.isnan(dataset["entropy"].item())


def test_line_shapes_need_no_hash():
    @dataclass
    class Plain:
        inner: ww.Lorentzian

        @property
        def landmarks(self):
            return self.inner.landmarks

        def sample(self, frequency):
            return self.inner.sample(frequency)

    device = ww.Flywheel.paper(bias=8.0)
    leads = tuple(replace(lead, lineshape=Plain(lead.lineshape)) for lead in device.leads)
    state = device.replace(leads=leads).evolve(ww.Ground(), [1.0])
    assert state.phonon_number == pytest.approx(device.evolve(ww.Ground(), [1.0]).phonon_number)
