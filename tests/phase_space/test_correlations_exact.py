"""Correlations and spectra against the Ornstein–Uhlenbeck oscillator, which is solved exactly."""

import numpy as np
import pytest
from phase_space_systems import damped_oscillator
from scipy.linalg import expm

from wheelwork.errors import InvalidArgument, NotConverged, UnphysicalState
from wheelwork.phase_space.response.correlations import response
from wheelwork.phase_space.response.decay import find_line

TEMPERATURE, MASS, FREQUENCY = 2.0, 1.3, 0.7
DELAYS = np.array([0.0, 0.3, 1.7, 6.0, 40.0])
FREQUENCIES = np.array([-1.1, 0.0, 0.4, 0.7, 0.9, 5.0])
CASES = [(0.004, 0.0), (0.3, 0.4), (2.0 * MASS * FREQUENCY, 0.4), (4.0, -0.2)]


def oscillator(friction, pull):
    return damped_oscillator(friction, 2.0 * friction * TEMPERATURE, FREQUENCY, MASS, pull)


class Exact:
    """Gaussian state: covariances of (X, P) at delay τ are e^{Aτ}Σ, in scaled coordinates."""

    def __init__(self, friction, pull):
        self.decay = friction / MASS
        self.drift = np.array([[0.0, FREQUENCY], [-FREQUENCY, -self.decay]])
        self.mean = pull / (MASS * FREQUENCY**2) / np.sqrt(2.0 / (MASS * FREQUENCY))
        self.variance = TEMPERATURE / (2.0 * FREQUENCY)  # of X and of P

    def two_time(self, left, right, variance):
        """⟨left(τ) right(0)⟩ of fluctuations with given equal-time variance."""
        steps = np.array([expm(self.drift * tau) for tau in DELAYS])
        return variance * (steps @ np.array(right)) @ np.array(left)

    @property
    def number(self):
        return 2.0 * self.variance - 0.5 + self.mean**2


@pytest.mark.parametrize(("friction", "pull"), CASES)
def test_classical_correlations(friction, pull):
    model, exact = oscillator(friction, pull), Exact(friction, pull)
    found = response(model)
    x = exact.two_time([1, 0], [1, 0], exact.variance) + exact.mean**2
    p = exact.two_time([0, 1], [0, 1], exact.variance)
    alpha = exact.two_time([1, -1j], [1, 1j], exact.variance) + exact.mean**2
    assert found.position(DELAYS) == pytest.approx(x * model.length**2, rel=1e-9, abs=1e-9)
    assert found.momentum(DELAYS) == pytest.approx(p * model.momentum**2, rel=1e-9, abs=1e-9)
    assert found.amplitude(DELAYS) == pytest.approx(alpha, rel=1e-9, abs=1e-9)
    intensity = exact.two_time([1, -1j], [1, 1j], exact.variance)
    squares = exact.two_time([1, 1j], [1, 1j], exact.variance)
    fluctuation = np.abs(intensity) ** 2 + np.abs(squares) ** 2
    fluctuation += 2.0 * exact.mean**2 * (intensity + squares).real
    mean = 2.0 * exact.variance + exact.mean**2
    assert found.intensity(DELAYS) == pytest.approx(fluctuation + mean**2, rel=1e-9)


@pytest.mark.parametrize(("friction", "pull"), CASES)
def test_emission_and_bunching(friction, pull):
    """Normal order takes ¼ from the variances; g² then follows from Wick's theorem."""
    exact, found = Exact(friction, pull), response(oscillator(friction, pull))
    normal = exact.variance - 0.25
    emitted = exact.two_time([1, -1j], [1, 1j], normal)
    squares = exact.two_time([1, 1j], [1, 1j], normal)
    expected = emitted + exact.mean**2
    assert found.emission(DELAYS) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert found.g1(DELAYS) == pytest.approx(expected / exact.number, rel=1e-9, abs=1e-9)
    pairs = np.abs(emitted) ** 2 + np.abs(squares) ** 2
    pairs += 2.0 * exact.mean**2 * (emitted + squares).real
    g2 = 1.0 + pairs / exact.number**2
    assert found.g2(DELAYS) == pytest.approx(g2, rel=1e-8)
    assert found.phonon_number == pytest.approx(exact.number, rel=1e-10)


def test_weakly_damped_thermal_state_is_bunched():
    """g² = 1 + |g¹|² of thermal light, up to γ/ω0."""
    found = response(oscillator(1e-4, 0.0))
    tau = np.linspace(0.0, 3e4, 7)
    assert found.g2(tau) == pytest.approx(1.0 + np.abs(found.g1(tau)) ** 2, rel=1e-6)


@pytest.mark.parametrize(("friction", "pull"), CASES)
def test_spectra(friction, pull):
    exact, found = Exact(friction, pull), response(oscillator(friction, pull))
    noise = 2.0 * friction * TEMPERATURE
    stiffness = MASS * (FREQUENCY**2 - FREQUENCIES**2)
    x = noise / (stiffness**2 + (friction * FREQUENCIES) ** 2)
    p = x * (MASS * FREQUENCIES) ** 2
    assert found.position_spectrum(FREQUENCIES) == pytest.approx(x, rel=1e-8)
    assert found.momentum_spectrum(FREQUENCIES) == pytest.approx(p, rel=1e-8, abs=1e-9)
    unit = np.eye(2)
    for i, omega in enumerate(FREQUENCIES):
        resolved = np.linalg.solve(1j * omega * unit - exact.drift, np.array([1, 1j]))
        line = 2.0 * (np.array([1, -1j]) @ resolved).real
        for spectrum, variance in (
            (found.emission_spectrum, exact.variance - 0.25),
            (found.amplitude_spectrum, exact.variance),
        ):
            assert spectrum(FREQUENCIES)[i] == pytest.approx(variance * line, rel=1e-7)


@pytest.mark.parametrize("friction", [0.004, 0.3, 4.0])
def test_eigenvalues_are_sums_of_the_two(friction):
    found = response(oscillator(friction, 0.1))
    single = np.linalg.eigvals(Exact(friction, 0.1).drift.astype(complex))
    powers = [(i, j) for i in range(9) for j in range(9) if i + j > 0]
    expected = np.array([i * single[0] + j * single[1] for i, j in powers])
    for value in found.eigenvalues(4):
        assert np.min(np.abs(expected - value)) < 1e-7 * abs(value)
    assert found.eigenvalues(1)[0].real == pytest.approx(np.max(single.real), rel=1e-9)
    if friction < 1.0:
        assert found.rates(1)[0] == pytest.approx(friction / MASS, rel=1e-9)


def test_line_of_a_weakly_damped_oscillator():
    """A Lorentzian of full width γ; the coherence time is 2/γ."""
    decay = 1e-4 / MASS
    line = response(oscillator(1e-4, 0.0)).line
    assert line.frequency == pytest.approx(FREQUENCY, abs=1e-3 * decay)
    assert line.width == pytest.approx(decay, rel=1e-6)
    assert line.coherence_time == pytest.approx(2.0 / decay, rel=1e-6)
    assert line.height == pytest.approx(4.0 / decay * Exact(1e-4, 0.0).number, rel=1e-6)


def test_an_unphysical_state_has_no_emission_line():
    """Colder than the ground state: ⟨a†a⟩ < 0."""
    found = response(damped_oscillator(2.0, 0.6))
    assert found.phonon_number < 0.0
    with pytest.raises(UnphysicalState, match="no quantum state"):
        _ = found.line
    with pytest.raises(NotConverged, match="no line"):
        find_line(found.relaxation.correlation("emission"))


def test_arrays_keep_their_shape():
    found = response(damped_oscillator())
    assert found.position(np.ones((2, 3))).shape == (2, 3)
    assert found.g2(1.0).shape == ()
    assert found.position_spectrum(np.ones((2, 3))).shape == (2, 3)
    assert found.errors["g2"] < 1e-8


@pytest.mark.parametrize("name", ["position", "emission", "amplitude", "intensity", "g1", "g2"])
def test_bad_delays(name):
    method = getattr(response(damped_oscillator()), name)
    with pytest.raises(InvalidArgument, match=r"`delays` must not be negative, but holds -1\.0"):
        method([0.0, -1.0])
    with pytest.raises(InvalidArgument, match="`delays` must be finite"):
        method([0.0, np.nan])


@pytest.mark.parametrize("name", ["position_spectrum", "emission_spectrum", "amplitude_spectrum"])
def test_bad_frequencies(name):
    with pytest.raises(InvalidArgument, match="`frequencies` must be finite"):
        getattr(response(damped_oscillator()), name)([0.0, np.nan])


def test_bad_arguments():
    with pytest.raises(InvalidArgument, match="`rtol` must"):
        response(damped_oscillator(), 2.0)
    with pytest.raises(InvalidArgument, match="`model` must be a PhaseSpaceModel"):
        response("flywheel")
    with pytest.raises(InvalidArgument, match="`count` must be at least 1"):
        response(damped_oscillator()).rates(0)
