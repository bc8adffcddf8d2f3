"""Charging: what the evolution of a flywheel must obey, read at the level of the machine."""

import numpy as np
import pytest

import wheelwork as ww
from wheelwork.errors import InvalidArgument
from wheelwork.machines.flywheel.evolution import SteadyStart

TIMES = np.linspace(0.0, 400.0, 9)


@pytest.fixture(scope="module")
def charging():
    """From the ground state, driven for a while and then not."""
    device = ww.Flywheel.paper(bias=16.0)
    return device.evolve(ww.Ground(), TIMES, changes={200.0: device.replace(bias=0.0)})


def test_the_audit_passes(charging):
    assert [name for name, entry in charging.audit.items() if not entry.ok] == []


def test_it_begins_where_it_was_told(charging):
    assert charging[0].phonon_number == pytest.approx(0.0, abs=1e-9)
    assert charging.entropy[0] == pytest.approx(0.0, abs=1e-7)
    assert charging.ergotropy[0] == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(charging.g2[0])


def test_charging_power_is_the_slope_of_the_energy():
    """dU/dt by the equation of motion against central differences of U."""
    device = ww.Flywheel.paper(bias=16.0)
    times = 100.0 + np.array([0.0, 0.02, 0.04])
    run = device.evolve(ww.Coherent(2.0 + 1.0j), times, ww.FokkerPlanck(1e-9))
    slope = (run.energy[2] - run.energy[0]) / 0.04
    assert run.charging_power[1] == pytest.approx(slope, rel=2e-5)
    force, friction, noise = run[1].powers
    assert run.charging_power[1] == pytest.approx(force + friction + noise)
    assert friction > 0.0  # above threshold, at small amplitude, friction drives
    assert noise > 0.0


def test_noise_alone_charges_the_ground_state_at_first(charging):
    """At t = 0: ⟨f P⟩ = 0 by symmetry, and dU/dt = ⟨D⟩/2m − ⟨γ p²⟩/m of the ground state."""
    device = charging[0].machine
    c = device.coefficients(0.0)
    # over the width of the ground state, a tenth of the coefficients' scale, they are constant
    zero_point = 0.25 * device.momentum**2
    expected = 0.5 * c.diffusion / device.mass - c.friction * zero_point / device.mass**2
    assert charging.charging_power[0] == pytest.approx(expected, rel=1e-2)


def test_the_bias_is_switched(charging):
    data = charging.to_xarray()
    assert data["bias"].values.tolist() == [16.0] * 4 + [0.0] * 5
    current = charging.particle_current
    assert np.all(current[:4] > 0.4)
    assert np.max(np.abs(current[4:])) < 1e-3
    assert data["energy_error"].max() < 1e-5


def test_a_switch_is_a_restart(charging):
    device = ww.Flywheel.paper(bias=16.0)
    first = device.evolve(ww.Ground(), [200.0], ww.FokkerPlanck(1e-7))
    second = device.replace(bias=0.0).evolve(first[0], [200.0], ww.FokkerPlanck(1e-7))
    for name in ("energy", "entropy", "free_energy_gain", "purity"):
        bound = second[0].errors[name] + charging[8].errors[name]
        assert abs(second[0].observables[name] - charging[8].observables[name]) < bound < 1e-4


def test_the_steady_state_stays():
    device = ww.Flywheel.paper(bias=12.0)
    state = device.steady_state()
    run = device.evolve(state, [0.0, 150.0])
    for name in ("phonon_number", "g2", "entropy", "ergotropy", "free_energy_gain"):
        np.testing.assert_allclose(getattr(run, name), getattr(state, name), rtol=1e-5)
    assert run.particle_current[1] == pytest.approx(state.particle_current, rel=1e-5)
    assert abs(run.charging_power[1]) < 1e-9


def test_steady_states_say_how_fine_they_are():
    state = ww.Flywheel.paper(bias=0.0).steady_state()
    start = SteadyStart(state.solution.distribution, 0.0)
    # a Gaussian of variance (n + ½)/2 in X: exp(−k² variance/2) = 3e-11
    variance = 0.5 * (state.phonon_number + 0.5)
    assert start.wavenumber == pytest.approx(1.1 * np.sqrt(2.0 * 24.2 / variance), rel=0.1)


def test_without_force_the_oscillator_is_free():
    device = ww.Flywheel.paper(bias=12.0, force=0.0)
    period = 2.0 * np.pi / device.frequency
    run = device.evolve(ww.Coherent(3.0), period * np.array([0.0, 0.25, 50.0]))
    np.testing.assert_allclose(run.position, 3.0 * device.length * np.array([1, 0, 1]), atol=1e-10)
    np.testing.assert_allclose(
        run.momentum, 3.0 * device.momentum * np.array([0, -1, 0]), atol=1e-10
    )
    np.testing.assert_allclose(run.energy, 9.0 * device.frequency, rtol=1e-11)
    # a pure state gives all its energy as work
    np.testing.assert_allclose(run.ergotropy, run.energy, rtol=1e-6)


def test_free_energy_falls_in_equilibrium():
    """Without bias W_F − that of the steady state only falls: the second law."""
    device = ww.Flywheel.paper(bias=0.0)
    run = device.evolve(ww.Coherent(2.5), np.linspace(0.0, 300.0, 7))
    assert np.all(np.diff(run.free_energy_gain) < 0.0)
    assert np.all(np.diff(run.ergotropy) < 0.0)


def test_the_wigner_function_is_handed_out_in_x_and_p(charging):
    snapshot = charging[5]
    wigner = snapshot.wigner
    cell = float(np.diff(wigner["x"])[0] * np.diff(wigner["p"])[0])
    assert float(wigner.sum()) * cell == pytest.approx(1.0, abs=1e-10)
    mean = float((wigner * wigner["x"] ** 2).sum()) * cell
    scaled = snapshot.solution.moments["x_squared"]
    assert mean == pytest.approx(scaled * snapshot.machine.length**2)
    again = snapshot.wigner_on(wigner["x"][20:23], wigner["p"][20:22])
    np.testing.assert_allclose(again, wigner[20:23, 20:22], rtol=1e-8, atol=1e-14)


def test_a_verb_does_the_same(charging):
    device = ww.Flywheel.paper(bias=16.0)
    changes = {200.0: device.replace(bias=0.0)}
    run = ww.evolve(device, ww.Ground(), TIMES[:2], changes=changes)
    np.testing.assert_array_equal(
        run.energy, device.evolve(ww.Ground(), TIMES[:2], changes=changes).energy
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"initial": 3.0}, "`initial` must be a state"),
        ({"times": [1.0, 1.0]}, "`times` must increase"),
        ({"times": [-1.0]}, "`times` must not be before"),
        ({"method": ww.Langevin(duration=10.0)}, "`method` must be a method such as FokkerPlanck"),
        ({"changes": {1.0: "off"}}, "`changes` must hold devices with 2 leads"),
        ({"changes": {-1.0: ww.Flywheel.paper(bias=1.0)}}, "`time` must be positive"),
        (
            {"changes": {1.0: ww.Flywheel.paper(bias=1.0, frequency=0.3)}},
            "must keep the same frequency",
        ),
    ],
)
def test_bad_input(arguments, message):
    device = ww.Flywheel.paper(bias=4.0)
    given = {"initial": ww.Ground(), "times": [1.0]} | arguments
    with pytest.raises(InvalidArgument, match=message):
        device.evolve(given.pop("initial"), given.pop("times"), **given)
