"""Where a rotor engine stands still, relaxes too slowly or outgrows memory: no noise as result."""

import dataclasses

import numpy as np
import pytest

import wheelwork as ww
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.machines.rotor.evolution import RotorStart

pytestmark = pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")


def test_boundaries_are_no_roots_of_noise():
    """Without coupling, or with a bath cut off, nothing flows, so nothing changes sign."""
    idle = ww.RotorEngine.paper(coupling=0.0).regime_boundaries()
    assert np.isnan(idle.work_vanishes)
    assert np.isnan(idle.heat_reverses)
    assert idle.qubit_ergotropy_vanishes == pytest.approx(0.4)  # β_2 B_2 = β_1 B_1
    cut = ww.RotorEngine.paper(bath_asymmetry=1.0).regime_boundaries()
    assert np.isnan(cut.heat_reverses)


def test_rectification_of_nothing_is_unknown():
    machine = ww.RotorEngine.paper(bath_asymmetry=1.0, bath_coupling=0.5)
    result = machine.rectification(ww.LocalMasterEquation())
    assert np.isnan(result.ratio("heat"))
    assert np.isnan(result.ratio("angular_momentum"))
    with pytest.raises(InvalidArgument, match="`coupling` must not be zero for a rectification"):
        ww.RotorEngine.paper(coupling=0.0).best_rectification(0.5)


def test_rectification_errors_cover():
    machine = ww.RotorEngine.paper(bath_coupling=0.5, bath_asymmetry=0.3)
    coarse, fine = (
        machine.rectification(ww.GlobalMasterEquation(rtol=rtol)) for rtol in (1e-5, 1e-9)
    )
    assert abs(coarse.heat - fine.heat) <= coarse.heat_error < 1e-4 * abs(fine.heat)
    assert abs(coarse.momentum - fine.momentum) <= coarse.momentum_error


def test_too_slow_relaxation_is_said():
    with pytest.raises(NotConverged, match="relaxes too slowly"):
        ww.RotorEngine.paper(temperature_hot=1e9).steady_state()


def test_uncoupled_at_resonance():
    """B_2 − B_1 = 1/2I · (2l + 1): without coupling there is no flow at all."""
    state = ww.RotorEngine.paper(coupling=0.0, field_hot=4.25).steady_state(
        ww.GlobalMasterEquation()
    )
    assert abs(state.heat_hot) <= state.errors["heat_hot"]


def test_a_load_without_coupling_is_local():
    state = ww.RotorEngine.paper(coupling=0.0).steady_state(ww.GlobalMasterEquation())
    assert state.audit["load rate / coupling"].value == 0.0
    assert state.angular_momentum == pytest.approx(0.0, abs=1e-9)


def test_heavy_tails_are_held_against_the_tolerance():
    machine = ww.RotorEngine.paper(moment_of_inertia=0.02, load_damping=1e-2)
    window = (-2000, 2000)
    coarse = machine.steady_state(ww.LocalMasterEquation(rtol=1e-4, window=window))
    assert coarse.audit["estimated error"].ok
    with pytest.raises(NotConverged, match="the rotor"):
        machine.steady_state(ww.LocalMasterEquation(rtol=1e-12, window=window))


def test_the_global_audit_knows_a_load_that_is_not_thermal():
    machine = ww.RotorEngine(1.0, 1.0, 1.0, 0.6, 1.1, 0.1, 0.02, 0.0, 1e-4, 0.23)
    state = machine.steady_state(ww.GlobalMasterEquation(rtol=1e-4))
    entry = state.validity["load's departure from Gibbs"]
    assert entry.value == pytest.approx(1.0 / (16.0 * 0.23))
    assert not entry.ok


def test_evolution_refuses_what_is_no_state_or_does_not_fit():
    machine = ww.RotorEngine.paper()
    with pytest.raises(NotConverged, match="GiB"):
        machine.evolve(None, [1.0], ww.LocalMasterEquation(window=(-3000, 3000)))
    start = RotorStart().blocks(machine)
    bad = dataclasses.replace(start, populations=start.populations * 2.0)
    with pytest.raises(InvalidArgument, match="trace"):
        machine.evolve(bad, [1.0])
    shapes = dataclasses.replace(start, populations=start.populations[:, :-1])
    with pytest.raises(InvalidArgument, match="populations"):
        machine.evolve(shapes, [1.0])


def test_a_negative_entropy_production_fails_the_audit_and_names_the_equation():
    """Equal temperatures, and a load that is no thermal bath: β_r/16I = 0.17."""
    engine = ww.RotorEngine(
        temperature_cold=4.195, temperature_hot=4.195, temperature_load=4.195, field_cold=6.52,
        field_hot=3.864, coupling=0.0286, bath_coupling=0.09, bath_asymmetry=0.0,
        load_damping=0.0083, moment_of_inertia=0.08568,
    )  # fmt: skip
    state = engine.steady_state()
    assert state.entropy_production < -1e3 * state.error("entropy_production")
    assert not state.audit["second law, with the local load"].ok
    assert not state.passed
