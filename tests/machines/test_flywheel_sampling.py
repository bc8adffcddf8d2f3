"""Trajectories of a flywheel against its direct solution: states, correlations, line."""

import numpy as np
import pytest

import wheelwork as ww
from wheelwork.errors import InvalidArgument

BIAS = 12.0
SAMPLING = ww.Langevin(duration=4e5, trajectories=64, step=0.5, seed=11, rtol=0.05)
DELAYS = np.array([0.0, 16.0, 400.0, 4000.0])


@pytest.fixture(scope="module")
def device():
    return ww.Flywheel.paper(bias=BIAS)


@pytest.fixture(scope="module")
def direct(device):
    return device.steady_state()


@pytest.fixture(scope="module")
def sampled(device):
    return device.steady_state(SAMPLING)


def test_a_sampled_state_agrees_within_its_errors(direct, sampled):
    for name in ("phonon_number", "g2", "entropy", "ergotropy_diagonal", "free_energy_gain",
                 "purity", "particle_current", "ring_radius"):  # fmt: skip
        deviation = abs(sampled.observables[name] - direct.observables[name])
        assert deviation < 3.5 * sampled.errors[name], name
    assert sampled.errors["ergotropy"] < 0.2


def test_its_audit_passes(sampled):
    assert [name for name, entry in sampled.audit.items() if not entry.ok] == []


def test_correlations_agree_within_errors(device, direct):
    sampled = device.sampled_correlations(SAMPLING, DELAYS)
    exact = device.correlations()
    for name in ("position", "amplitude", "intensity"):
        error = getattr(sampled, f"{name}_error")
        deviation = getattr(sampled, name) - getattr(exact, name)(sampled.delays)
        assert np.all(np.abs(deviation.real) < 4.0 * error.real), name
        if np.iscomplexobj(deviation):
            assert np.all(np.abs(deviation.imag) < 4.0 * error.imag + 1e-9)
    scale = direct.phonon_number**2
    deviation = sampled.weighted / scale - exact.g2(sampled.delays)
    assert np.all(np.abs(deviation) < 4.0 * sampled.weighted_error / scale)


def test_correlations_begin_at_the_moments(device, direct):
    exact = device.correlations()
    square = direct.solution.moments["x_squared"] * device.length**2
    assert exact.position(0.0) == pytest.approx(square, rel=1e-5)
    assert exact.g2(0.0) == pytest.approx(direct.g2, rel=1e-5)
    assert exact.emission(0.0) == pytest.approx(direct.phonon_number, rel=1e-5)


def test_the_line_gets_more_coherent_above_threshold():
    """Coherence time grows with the bias; the width at half maximum need not fall throughout."""
    times = [ww.Flywheel.paper(bias=V).correlations().line.coherence_time for V in (0.0, 8.0, 16.0)]
    assert times[0] < times[1] < times[2]


def test_methods_are_told_apart(device):
    with pytest.raises(InvalidArgument, match="sampled_correlations takes Langevin"):
        device.correlations(SAMPLING)
    with pytest.raises(InvalidArgument, match="`method` must be a method such as Langevin"):
        device.sampled_correlations(ww.FokkerPlanck(), DELAYS)
