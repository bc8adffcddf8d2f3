"""Correlations and spectra of trajectories against the closed forms of linear models."""

from dataclasses import replace

import numpy as np
import pytest
from phase_space_systems import damped_oscillator, lopsided, van_der_pol
from scipy.linalg import expm, solve_continuous_lyapunov

from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.phase_space import FokkerPlanck
from wheelwork.phase_space.langevin import run
from wheelwork.phase_space.langevin.correlations import BatchMeans, Windows
from wheelwork.phase_space.langevin.methods import Langevin
from wheelwork.phase_space.response.correlations import response

FRICTION, DIFFUSION, FREQUENCY, MASS, PULL = 0.15, 0.6, 1.3, 1.7, 0.9
METHOD = Langevin(duration=8000.0, step=0.2, seed=3, checked=0)
DELAYS = np.linspace(0.0, 40.0, 26)


def linear_model():
    return damped_oscillator(FRICTION, DIFFUSION, FREQUENCY, MASS, PULL)


def linear_motion():
    """Matrix A and stationary covariance of d(X, P) = A (X, P) dt + noise, and the mean of X."""
    model = linear_model()
    A = np.array([[0.0, FREQUENCY], [-FREQUENCY, -FRICTION / MASS]])
    noise = np.diag([0.0, DIFFUSION / model.momentum**2])
    mean = PULL / (MASS * FREQUENCY**2) / model.length
    return A, solve_continuous_lyapunov(A, -noise), mean


def thermal_weight(number):
    """w = [(α + ½∂_{α*})(α* + ½∂_α) W]/W of the thermal W ∝ exp(−|α|²/(N + ½)), N = `number`."""
    share = number / (number + 0.5)
    return lambda X, P: share * (share * (X**2 + P**2) + 0.5)


def exact(delays, weight_number):
    """The five correlations of the linear model; a Gaussian process, so that Wick's rule holds."""
    A, covariance, mean = linear_motion()
    C = np.array([expm(A * tau) @ covariance for tau in delays])  # E[z(τ) z(0)ᵀ], mean taken off
    means = np.array([mean, 0.0])
    second = C + np.outer(means, means)
    amplitude = second[:, 0, 0] + second[:, 1, 1] + 1j * (second[:, 0, 1] - second[:, 1, 0])
    square = np.trace(covariance) + mean**2
    intensity = square**2 + 2.0 * np.sum(C**2, axis=(1, 2))
    intensity += 4.0 * np.einsum("i,tij,j->t", means, C, means)
    share = weight_number / (weight_number + 0.5)
    weighted = share * (share * (intensity - 0.5 * square) + 0.5 * (square - 0.5))
    return linear_model().length ** 2 * second[:, 0, 0], amplitude, intensity, weighted


def deviations(seed, method):
    """(found − exact)/error of position, real amplitude, intensity and weighted intensity."""
    found = replace(method, seed=seed).correlations(linear_model(), DELAYS, thermal_weight(1.2))
    position, amplitude, intensity, weighted = exact(found.delays, 1.2)
    return np.stack(
        [
            (found.position - position) / found.position_error,
            (found.amplitude - amplitude).real / found.amplitude_error.real,
            (found.intensity - intensity) / found.intensity_error,
            (found.weighted - weighted) / found.weighted_error,
        ]
    )


def test_ornstein_uhlenbeck_within_three_errors():
    weight = thermal_weight(1.2)
    found = METHOD.correlations(linear_model(), DELAYS, weight)
    position, amplitude, intensity, weighted = exact(found.delays, 1.2)
    assert np.all(np.abs(found.position - position) < 3.0 * found.position_error)
    later = found.delays > 0.0  # the imaginary part vanishes exactly at zero
    off = (found.amplitude - amplitude)[later]
    assert np.all(np.abs(off.real) < 3.0 * found.amplitude_error.real[later])
    assert np.all(np.abs(off.imag) < 3.0 * found.amplitude_error.imag[later])
    assert np.all(np.abs(found.intensity - intensity) < 3.0 * found.intensity_error)
    assert np.all(np.abs(found.weighted - weighted) < 3.0 * found.weighted_error)
    # The errors are small enough for these to be tests.
    assert np.max(found.position_error) < 0.02 * position[0]
    assert np.max(found.amplitude_error.imag) < 0.02 * amplitude[0].real
    assert np.max(found.intensity_error) < 0.05 * intensity[0]


def test_amplitude_turns_as_stated():
    """⟨α*(τ)α(0)⟩ of a hardly damped oscillator is ⟨|α|²⟩ e^{+iω0τ}."""
    model = damped_oscillator(0.005, 0.02)
    found = Langevin(duration=20000.0, step=0.1, checked=0).correlations(model, [0.0, 1.2])
    turned = found.amplitude[1] / found.amplitude[0]
    assert np.angle(turned) == pytest.approx(1.2, abs=0.01)
    assert abs(turned) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("trajectories", [64, 5])
def test_coverage_of_the_errors(trajectories):
    """Over 40 seeds, two thirds of all deviations lie within one standard error."""
    duration = 1500.0 * 64 / trajectories
    method = replace(METHOD, trajectories=trajectories, duration=duration, threads=1)
    off = np.array([deviations(seed, method) for seed in range(40)])
    covered = np.mean(np.abs(off) < 1.0, axis=(0, 2))
    assert np.all((covered > 0.57) & (covered < 0.88)), covered
    assert np.mean(np.abs(off) < 3.0) > 0.98
    assert np.all(np.abs(np.mean(off, axis=(0, 2))) < 0.5)


def test_equal_times_are_the_moments():
    """At τ = 0 the same samples give the moments of the run, shifted by what starts the windows."""
    found = METHOD.correlations(lopsided(0.1), [0.0, 8.0])
    moments = found.samples.moments
    assert found.position[0] == pytest.approx(2.0 * moments["x_squared"].mean, rel=2e-2)
    square = moments["x_squared"].mean + moments["p_squared"].mean
    assert found.amplitude[0].real == pytest.approx(square, rel=2e-2)
    assert found.amplitude[0].imag == pytest.approx(0.0, abs=1e-12 * square)
    assert found.weighted is None


def test_delays_keep_their_order_and_fall_on_samples():
    found = METHOD.correlations(linear_model(), [3.1, 0.0, 1.5])
    assert found.delays == pytest.approx([3.2, 0.0, 1.6])
    sorted_ = METHOD.correlations(linear_model(), [0.0, 1.6, 3.2])
    assert found.position[1] == pytest.approx(sorted_.position[0], rel=1e-12)
    assert found.position[0] == pytest.approx(sorted_.position[2], rel=1e-12)


def test_without_a_step_uniform_delays_are_met():
    delays = 0.7 * np.arange(20)
    found = replace(METHOD, step=None).correlations(linear_model(), delays)
    assert found.delays == pytest.approx(delays, rel=1e-12)
    assert 0.05 < found.samples.setup.step <= 0.25 / FREQUENCY
    assert np.max(np.abs(found.position - exact(delays, 1.0)[0])) < 4.0 * found.position_error.max()


def test_windows_do_not_matter(monkeypatch):
    """Longer and shorter windows use nearly the same pairs of samples."""
    found = METHOD.correlations(linear_model(), DELAYS)
    monkeypatch.setattr("wheelwork.phase_space.langevin.correlations.FEWEST_ORIGINS", 100)
    other = METHOD.correlations(linear_model(), DELAYS)
    assert np.all(np.abs(other.position - found.position) < 0.3 * found.position_error)


def test_windows_cut_a_stream_as_a_slice_would():
    series = np.random.default_rng(1).normal(size=(57, 2, 3))
    stream, cut = Windows(3, 10, 4, "delays"), []
    for first, last in ((0, 3), (3, 30), (30, 31), (31, 57)):
        cut += [window.copy() for window in stream.feed(series[first:last])]
    expected = [np.moveaxis(series[i : i + 10], 0, 2) for i in range(0, 48, 4)]
    assert np.array_equal(cut, expected)


def test_batches_of_few_trajectories_are_parts_of_the_run():
    means = BatchMeans(100, 4, (2,))
    assert len(means.counts) == 16
    values = np.random.default_rng(2).normal([1.0, -2.0], 1.0, (100, 4, 2))
    for row in values:
        means.values[means.part] += row
        means.finish()
    found, error = means.estimates()
    assert found == pytest.approx(values.mean(axis=(0, 1)))
    assert error == pytest.approx([0.05, 0.05], rel=0.35)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_do_not_change_a_bit(threads):
    method = replace(METHOD, duration=1500.0, trajectories=37)
    alone, together = (
        replace(method, threads=n).correlations(van_der_pol(0.1, 0.2), DELAYS) for n in (1, threads)
    )
    for name in ("position", "position_error", "amplitude", "intensity", "intensity_error"):
        assert np.array_equal(getattr(alone, name), getattr(together, name)), name
    one, more = (replace(method, threads=n).spectrum(linear_model(), 0.2) for n in (1, threads))
    assert np.array_equal(one.position, more.position)


def test_memory_does_not_grow_with_the_duration(monkeypatch):
    """Windows stay as they are; samples arrive in pieces of bounded size."""
    lengths, pieces = [], []

    def spy(self, series, original=Windows.feed):
        lengths.append(self.length)
        pieces.append(len(series))
        return original(self, series)

    monkeypatch.setattr(Windows, "feed", spy)
    monkeypatch.setattr(run, "CHUNKS_AT_ONCE", 32)
    for duration in (8e3, 64e3):
        replace(METHOD, duration=duration).correlations(linear_model(), [0.0, 30.0])
    assert max(lengths) <= 2 * 2048 + 38
    assert max(pieces) <= 32 * 64


def test_spectrum_of_the_linear_model():
    """S = (D/m²)/((ω0² − ω²)² + γ²ω²), the line resolved by 30 windows' widths."""
    found = replace(METHOD, duration=40000.0).spectrum(linear_model(), 0.004)
    noise, damping = DIFFUSION / MASS**2, FRICTION / MASS
    w = found.frequency
    S = noise / ((FREQUENCY**2 - w**2) ** 2 + (damping * w) ** 2)
    line = (w > 0.9) & (w < 1.7)
    off = (found.position - S)[line] / found.position_error[line]
    assert np.mean(np.abs(off) < 1.0) == pytest.approx(0.68, abs=0.12)
    assert np.mean(np.abs(off) < 3.0) > 0.98
    assert abs(np.mean(off)) < 0.5
    assert np.max(found.position_error[line] / S[line]) < 0.05
    assert found.window == pytest.approx(2.0 * np.pi / 0.004, rel=0.02)


def test_spectrum_holds_the_variance():
    """∫dω S/2π over both signs of ω, for a state whose mean is not zero."""
    found = METHOD.spectrum(linear_model(), 0.02)
    whole = 2.0 * np.sum(found.position[1:]) + found.position[0]
    variance = whole * found.frequency[1] / (2.0 * np.pi)
    moments = found.samples.moments
    expected = moments["x_squared"].mean - moments["x"].mean ** 2
    assert variance == pytest.approx(linear_model().length ** 2 * expected, rel=0.02)


def glauber_weight(distribution):
    """w of `SampledCorrelations` for a known W, by central differences of ln W."""
    h = 1e-3

    def log(X, P):
        return np.log(distribution.density(X, P))

    def weight(X, P):
        # (α + ½∂_{α*})(α* + ½∂_α)W/W, with ∂_α ∂_{α*} = (∂_X² + ∂_P²)/4 and ln W = L:
        # |α|² + ½ + ½(X L_X + P L_P) + (L_XX + L_PP + L_X² + L_P²)/16.
        centre, right, left = log(X, P), log(X + h, P), log(X - h, P)
        up, down = log(X, P + h), log(X, P - h)
        L_X, L_P = (right - left) / (2.0 * h), (up - down) / (2.0 * h)
        second = (right + left + up + down - 4.0 * centre) / h**2
        gradient = 0.5 * (X * L_X + P * L_P)
        return X**2 + P**2 + 0.5 + gradient + (second + L_X**2 + L_P**2) / 16.0

    return weight


@pytest.mark.slow
def test_the_generator_gives_the_same():
    """Every correlation, normally ordered g² included, against the regression theorem."""
    model = lopsided(0.1)
    exact_W = FokkerPlanck(1e-5).solve(model).distribution
    other = response(model, 1e-4)
    found = replace(METHOD, duration=6000.0).correlations(
        model, np.arange(0.0, 40.0, 1.6), glauber_weight(exact_W)
    )
    tau, moments = found.delays, found.samples.moments
    pairs = [
        (found.position, found.position_error, other.position(tau)),
        (found.amplitude.real, found.amplitude_error.real, other.amplitude(tau).real),
        (found.amplitude.imag, found.amplitude_error.imag, other.amplitude(tau).imag),
        (found.intensity, found.intensity_error, other.intensity(tau)),
        (found.weighted, found.weighted_error, other.g2(tau) * other.phonon_number**2),
    ]
    for value, error, expected in pairs:
        assert np.all(np.abs(value - expected)[1:] < 3.5 * error[1:])
    g2 = found.weighted[0] / moments["phonon_number"].mean ** 2
    assert g2 == pytest.approx(moments["g2"].mean, rel=0.05)
    spectrum = replace(METHOD, duration=16000.0).spectrum(model, 0.002)
    line = (spectrum.frequency > 0.6) & (spectrum.frequency < 1.3)
    off = (spectrum.position - other.position_spectrum(spectrum.frequency))[line]
    assert np.mean(np.abs(off) < 3.0 * spectrum.position_error[line]) > 0.97


@pytest.mark.parametrize(
    ("delays", "message"),
    [([], "must hold at least one time"), ([-1.0], "none of them negative"),
     ([1e5], "`delays` must be shorter than the run after burn-in"),
     ([[0.0]], "must have 1 dimension"), ([np.nan], "must be finite")],
)  # fmt: skip
def test_bad_delays_are_refused(delays, message):
    with pytest.raises(InvalidArgument, match=message):
        METHOD.correlations(linear_model(), delays)


def test_bad_resolutions_are_refused():
    with pytest.raises(InvalidArgument, match="`resolution` must be positive"):
        METHOD.spectrum(linear_model(), 0.0)
    with pytest.raises(InvalidArgument, match="`resolution` must be at least"):
        METHOD.spectrum(linear_model(), 1e-6)
    many = replace(METHOD, trajectories=1_000_000)
    with pytest.raises(InvalidArgument, match="`delays` must need windows of less than"):
        Windows(many.trajectories, 200, 100, "delays")


def test_a_run_of_few_correlation_times_is_refused():
    slow = damped_oscillator(0.001, 0.004)
    with pytest.raises(NotConverged, match=r"correlation time|not stationary|do not mix"):
        replace(METHOD, duration=5000.0).correlations(slow, [0.0])
    with pytest.raises(NotConverged, match="leaves nothing after its burn-in"):
        replace(METHOD, duration=40.0).correlations(slow, [0.0])
