"""Sampled moments against closed forms and the direct solution; orders; honest errors."""

import numpy as np
import pytest
from phase_space_systems import boltzmann, constant, damped_oscillator, lopsided, van_der_pol
from scipy.linalg import solve_discrete_lyapunov

from wheelwork import Flywheel
from wheelwork.phase_space import FokkerPlanck, PhaseSpaceModel
from wheelwork.phase_space.langevin.methods import EulerMaruyama, Langevin


def agrees(estimate, exact, errors=3.0):
    return abs(estimate.mean - exact) <= errors * estimate.standard_error


@pytest.mark.parametrize("step", [0.05, 0.4, 1.0])
def test_ornstein_uhlenbeck_is_exact_at_any_step(step):
    """⟨x²⟩ = T/mω², ⟨p²⟩ = mT, thermal g² = 2 in the limit of high T; here T = 2, ω0 = m = 1."""
    samples = Langevin(duration=6000.0, trajectories=128, step=step, seed=1).sample(
        damped_oscillator()
    )
    assert agrees(samples.moments["x_squared"], 1.0)
    assert agrees(samples.moments["p_squared"], 1.0)
    assert agrees(samples.moments["x_p"], 0.0)
    assert agrees(samples.moments["phonon_number"], 1.5)
    assert agrees(samples.moments["g2"], (8.0 - 4.0 + 0.5) / 1.5**2)
    assert samples.moments["x_squared"].standard_error < 0.01
    # The check on the step must not see an error where there is none.
    assert agrees(samples.step_change["x_squared"], 0.0)


def test_units_of_mass_and_frequency():
    temperature, mass, frequency = 3.0, 1.7, 0.6
    model = damped_oscillator(0.5 * mass, 2.0 * 0.5 * mass * temperature, frequency, mass)
    samples = Langevin(duration=20000.0, step=0.5, seed=2).sample(model)
    square = samples.moments["x_squared"]
    exact = temperature / (mass * frequency**2) / model.length**2
    assert agrees(square, exact)
    assert square.standard_error < 0.01 * exact


def test_strong_and_vanishing_friction_together():
    """γ(x) = 2(1 + sin 3x) touches zero; noise in balance keeps Boltzmann's state."""
    temperature = 0.7
    model = boltzmann(constant(0.0), lambda x: 2.0 * (1.0 + np.sin(3.0 * x)), temperature)
    samples = Langevin(duration=4000.0, trajectories=64, step=0.02, seed=4).sample(model)
    assert agrees(samples.moments["x_squared"], temperature / 2.0)
    assert agrees(samples.moments["p_squared"], temperature / 2.0)


@pytest.mark.parametrize("model", [van_der_pol(0.1, 0.2), lopsided(0.05)], ids=["ring", "lopsided"])
def test_moments_agree_with_fokker_planck(model):
    exact = FokkerPlanck(1e-6).solve(model).moments
    samples = Langevin(duration=30000.0, step=0.2, seed=5).sample(model)
    for name, estimate in samples.moments.items():
        assert agrees(estimate, exact[name]), name
    assert samples.moments["phonon_number"].standard_error < 0.01 * exact["phonon_number"]


@pytest.mark.parametrize(
    ("bias", "duration", "number", "g2", "current"),
    [(0.0, 1.4e6, 9.55831, 1.99996, 0.0), (8.0, 1.4e6, 28.8617, 1.67795, 0.291609),
     (12.0, 1.7e6, 59.5501, 1.43145, 0.319838), (16.0, 1.2e6, 98.6163, 1.30470, 0.310530)],
)  # fmt: skip
def test_flywheel_at_its_paper_biases(bias, duration, number, g2, current):
    """Δt = 0.5, one percent, against the direct solution to its last digit."""
    model = Flywheel.paper(bias).model(1e-9)
    samples = Langevin(duration=duration, step=0.5, seed=6, checked=0).sample(model)
    assert agrees(samples.moments["phonon_number"], number)
    assert agrees(samples.moments["g2"], g2)
    assert agrees(samples.local_means["particle_0"], current)
    assert samples.local_means["particle_1"].mean == pytest.approx(-current, rel=0.01, abs=1e-3)
    assert samples.moments["phonon_number"].standard_error < 0.01 * number


def test_weak_order_two():
    """Bias of ⟨p²⟩ in a strongly damped quartic well, where Boltzmann's state is exact."""
    model = boltzmann(lambda x: -0.3 * x**3, constant(1.0), 0.8)
    steps = np.array([0.25, 0.35, 0.5])
    bias = []
    for step in steps:
        method = Langevin(duration=3e4, trajectories=512, step=step, start=(0.0, 0.0), checked=0)
        p_squared = method.sample(model).moments["p_squared"]
        bias.append(p_squared.mean - 0.4)
        assert bias[-1] > 8.0 * p_squared.standard_error
    assert np.polyfit(np.log(steps), np.log(bias), 1)[0] == pytest.approx(2.0, abs=0.25)


def test_step_change_tells_the_error_of_the_step():
    """With order two the error at Δt is a third of the change from Δt to 2Δt."""
    model = boltzmann(lambda x: -0.3 * x**3, constant(1.0), 0.8)
    method = Langevin(duration=3e4, trajectories=512, step=0.25, burn_in=100.0, seed=7)
    samples = method.sample(model)
    change, bias = samples.step_change["p_squared"], samples.moments["p_squared"]
    assert change.mean > 20.0 * change.standard_error
    assert change.mean / 3.0 == pytest.approx(bias.mean - 0.4, abs=4.0 * bias.standard_error)
    # The pairing pays: a quarter of the trajectories, and yet a smaller error.
    assert change.standard_error < 0.8 * bias.standard_error


def test_local_observables_are_averaged():
    model = PhaseSpaceModel(
        lambda x: np.stack([0.0 * x, 0.3 + 0.0 * x, 1.2 + 0.0 * x, x**2, x**3]),
        local_observables=("square", "cube"),
    )
    samples = Langevin(duration=8000.0, step=0.2, seed=8).sample(model)
    assert agrees(samples.local_means["square"], 2.0)
    assert agrees(samples.local_means["cube"], 0.0)
    assert samples.local_means["square"].mean == pytest.approx(
        2.0 * samples.moments["x_squared"].mean, rel=1e-5
    )


@pytest.mark.slow
@pytest.mark.parametrize(("trajectories", "duration"), [(64, 400.0), (4, 4000.0), (1, 16000.0)])
def test_error_bars_are_honest(trajectories, duration):
    """Over 40 seeds, one standard error holds the truth about two times in three."""
    model = van_der_pol(0.1, 0.2)
    exact = FokkerPlanck(1e-6).solve(model).moments
    off = []
    for seed in range(40):
        method = Langevin(duration=duration, trajectories=trajectories, step=0.25, seed=seed)
        moments = method.sample(model).moments
        off.append(
            [(m.mean - exact[name]) / m.standard_error for name, m in moments.items()
             if name in ("x_squared", "phonon_number", "g2")]
        )  # fmt: skip
    covered = np.mean(np.abs(off) < 1.0, axis=0)
    assert np.all((covered >= 0.5) & (covered <= 0.85)), covered


def test_effective_samples_count_independent_draws():
    """OU: the energy decorrelates as e^{−γτ}, so that n = T/(2/γ) for each trajectory."""
    friction = 0.2
    samples = Langevin(duration=20000.0, trajectories=200, step=0.25, seed=3).sample(
        damped_oscillator(friction, 4.0 * friction)
    )
    assert samples.details["correlation_time"] == pytest.approx(1.0 / friction, rel=0.25)


def test_euler_maruyama_pumps_energy_as_predicted():
    """The scheme is linear here: its stationary covariance follows from a Lyapunov equation."""
    step, friction, diffusion = 0.1, 0.3, 1.2
    map_ = np.array([[1.0, step], [-step, 1.0 - friction * step]])
    noise = np.diag([0.0, diffusion * step / 2.0])
    exact = solve_discrete_lyapunov(map_, noise)
    samples = EulerMaruyama(step, duration=6000.0, trajectories=128, seed=9).sample(
        damped_oscillator(friction, diffusion)
    )
    assert agrees(samples.moments["x_squared"], exact[0, 0])
    assert agrees(samples.moments["p_squared"], exact[1, 1])
    assert agrees(samples.moments["x_p"], exact[0, 1])
    # Against ⟨X² + P²⟩ = 2: friction less by ω0² Δt, within the next order.
    pumped = samples.moments["phonon_number"].mean + 0.5
    assert pumped == pytest.approx(2.0 * friction / (friction - step), rel=0.05)
    assert samples.step_change["phonon_number"].mean > 0.5
