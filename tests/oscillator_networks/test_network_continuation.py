"""Following steady states: folds, births and losses of stability with known places."""

import numpy as np
import pytest
from network_systems import Absorber, chain_matrix, chain_model, laser

from wheelwork.oscillator_networks import AmplitudeModel, Continuation, MeanField


def absorber(gain, damping=0.8):
    return AmplitudeModel(chain_matrix(1, damping, 0.3), np.array([0]), Absorber(gain, 1.0, 0.1))


def run(family, start, stop, which=0):
    solutions = MeanField().solve(family(start)).solutions
    path = Continuation(family, min(start, stop), max(start, stop), 1e-9)
    return path.run(solutions.amplitudes[which], float(solutions.frequency[which]), start, stop)


def test_fold_and_birth_of_a_bistable_laser():
    """Gain falls: fold where both roots meet; then up again, unstable, to the birth at b + γ."""
    points, events = run(absorber, 2.2, 0.5)
    assert [event.kind for event in events] == ["fold", "trivial branch"]
    fold, birth = events
    # discriminant (γ(1 + s) + bs − a)² − 4γ(γs + bs − as) = 0 in a
    g, b, s = 0.8, 1.0, 0.1
    exact = np.roots(
        [
            1.0,
            -2.0 * (g * (1.0 + s) + b * s) + 4.0 * g * s,
            (g * (1.0 + s) + b * s) ** 2 - 4.0 * g * s * (g + b),
        ]
    )
    assert np.min(np.abs(exact - fold.parameter)) < 1e-9
    assert birth.parameter == pytest.approx(b + g, abs=1e-8)
    assert birth.error < 1e-6
    for point in points:
        n = abs(point.amplitudes[0]) ** 2
        if n > 1e-3:
            roots = Absorber(point.parameter, b, s).roots(g)
            assert np.min(np.abs(roots - n)) < 1e-6 * (1.0 + n)
            assert point.frequency == pytest.approx(0.3, abs=1e-9)
    turn = next(k for k in range(1, len(points)) if points[k].parameter > points[k - 1].parameter)
    assert all(point.deviations.stable for point in points[: turn - 1])
    assert not any(point.deviations.stable for point in points[turn + 1 :])


def test_laser_fades_at_threshold():
    points, events = run(lambda gain: laser(gain, 0.2, 0.1, 3.0), 2.0, 0.0)
    assert [event.kind for event in events] == ["trivial branch"]
    assert events[0].parameter == pytest.approx(0.2, abs=1e-9)
    assert points[-1].parameter < 0.21


def test_end_of_the_range_is_met_exactly():
    points, events = run(lambda gain: laser(gain, 0.2, 0.0, 3.0), 2.0, 3.5)
    assert points[-1].parameter == 3.5
    assert abs(points[-1].amplitudes[0]) ** 2 == pytest.approx(
        3.0 * (np.sqrt(3.5 / 0.2) - 1.0), rel=1e-9
    )
    assert events == []


def test_a_path_keeps_the_equations():
    def family(detuning):
        return chain_model(4, 4.0, 8.0, damping=0.01, detuning=[detuning, 0.0, 0.0, 0.0])

    points, _ = run(family, 0.0, 0.6)
    for point in points:
        model = family(point.parameter)
        residual = model.residual(point.amplitudes[None], np.array([point.frequency]))
        assert np.max(np.abs(residual)) < 1e-8
