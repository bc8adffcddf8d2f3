"""The state after a detection: its norm, and what it is for a thermal state."""

import numpy as np
import pytest
from phase_space_systems import damped_oscillator

from wheelwork import Flywheel
from wheelwork.phase_space import FokkerPlanck
from wheelwork.phase_space.distribution import detection_weight


def test_of_a_thermal_state():
    """W ∝ exp(−2|α|²/s), s = 2n + 1: w = |α|² (1 − 1/s)² + ½(1 − 1/s), by differentiation."""
    distribution = FokkerPlanck(1e-8).solve(damped_oscillator(0.01)).distribution
    square = np.sum(distribution.nodes.weight * distribution.nodes.X**2)
    shrink = 1.0 - 0.25 / square  # 1 − 1/s with ⟨X²⟩ = s/4
    X, P = np.array([0.0, 0.7, -1.1]), np.array([0.3, -0.5, 0.9])
    expected = (X**2 + P**2) * shrink**2 + 0.5 * shrink
    found = detection_weight(distribution)(X, P)
    np.testing.assert_allclose(found, expected, rtol=1e-3)


@pytest.mark.parametrize("bias", [4.0, 16.0])
def test_means_are_those_of_the_quanta(bias):
    """Mean 1: ⟨a†a⟩; with |α|² − ½: ⟨a†a†aa⟩."""
    state = Flywheel.paper(bias=bias).steady_state()
    nodes = state.solution.distribution.nodes
    weight = nodes.weight * detection_weight(state.solution.distribution)(nodes.X, nodes.P)
    assert np.sum(weight) == pytest.approx(state.phonon_number, rel=1e-6)
    pairs = np.sum(weight * (nodes.X**2 + nodes.P**2 - 0.5))
    assert pairs == pytest.approx(state.g2 * state.phonon_number**2, rel=1e-6)
