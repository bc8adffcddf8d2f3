"""Steady states of amplitude equations on systems with known answers, and by independent routes."""

import numpy as np
import pytest
from network_systems import Absorber, Hidden, PowerLaw, chain_matrix, chain_model, laser
from scipy.linalg import expm
from scipy.optimize import brentq

from wheelwork.errors import InvalidArgument
from wheelwork.oscillator_networks import AmplitudeModel, MeanField, growth_rates, rest_growth_rate
from wheelwork.oscillator_networks.model import find_mirror
from wheelwork.oscillator_networks.motion import follow_motion
from wheelwork.oscillator_networks.newton import newton
from wheelwork.oscillator_networks.steady_states import standing_waves
from wheelwork.oscillator_networks.two_site_curve import PassiveNetwork


def complex_normal(*shape):
    """The same numbers in every call: tests do not depend on each other."""
    random = np.random.default_rng(3)
    return random.standard_normal(shape) + 1j * random.standard_normal(shape)


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0])
def test_laser(exponent):
    """Γ/(1 + n/n0)^ν = γ; the amplitude relaxes at nΓ'(n), the phase is free, ω = Δ."""
    gain, damping, detuning, n0 = 3.0, 0.2, 0.7, 5.0
    found = MeanField().solve(laser(gain, damping, detuning, n0, exponent))
    assert len(found.solutions) == 1
    n = n0 * ((gain / damping) ** (1.0 / exponent) - 1.0)
    assert abs(found.solutions.amplitudes[0, 0]) ** 2 == pytest.approx(n, rel=1e-12)
    assert found.solutions.frequency[0] == pytest.approx(detuning, rel=1e-12)
    (only,) = found.deviations
    rate = -exponent * n / (n0 + n) * damping
    assert only.exponents == pytest.approx([rate], rel=1e-9)
    assert only.relaxation_times["amplitude"] == pytest.approx([-1.0 / rate], rel=1e-9)
    assert only.relaxation_times["phase"].size == 0
    assert not found.at_rest.stable
    assert found.at_rest.growth_rate == pytest.approx(0.5 * (gain - damping))
    assert rest_growth_rate(found.model) == pytest.approx(0.5 * (gain - damping))


def test_laser_below_threshold_rests():
    found = MeanField().solve(laser(0.19, 0.2, 0.0))
    assert len(found.solutions) == 0
    assert found.at_rest.stable
    assert found.motions == ()


def test_bistable_laser():
    """A saturable absorber: two states with amplitudes, the lower one unstable."""
    growth = Absorber(a=1.5, b=1.0, s=0.1)
    model = AmplitudeModel(chain_matrix(1, 0.8), np.array([0]), growth)
    found = MeanField().solve(model)
    n = np.sort(np.abs(found.solutions.amplitudes[:, 0]) ** 2)
    assert growth.roots(0.8).size == 2
    assert n == pytest.approx(growth.roots(0.8), rel=1e-10)
    pairs = zip(found.solutions.amplitudes[:, 0], found.deviations, strict=True)
    stable = {abs(a) ** 2: each.stable for a, each in pairs}
    assert [stable[key] for key in sorted(stable)] == [False, True]
    assert found.at_rest.stable


def test_jacobian_is_the_derivative():
    model = chain_model(4, 3.0, 2.0, damping=[0.1, 0.2, 0.3, 0.4], detuning=[0.3, 0.0, -0.2, 0.1])
    alpha, omega, h = complex_normal(1, 4), np.array([0.37]), 1e-6
    matrix = model.jacobian(alpha, omega)[0]
    for k in range(8):
        step = np.zeros((1, 4), complex)
        step[0, k % 4] = h if k < 4 else 1j * h
        change = model.residual(alpha + step, omega) - model.residual(alpha - step, omega)
        column = np.concatenate([change.real[0], change.imag[0]]) / (2.0 * h)
        assert matrix[:, k] == pytest.approx(column, abs=1e-8)


def test_velocity_of_a_linear_network():
    """Without elements the amplitudes follow exp(Lt)."""
    model = AmplitudeModel(
        chain_matrix(3, 0.1, [0.2, 0.0, -0.1]),
        np.empty(0, np.intp),
        PowerLaw(np.empty(0), np.empty(0)),
    )
    start = complex_normal(3)
    end = follow_motion(model, start, 1.0, 2.0).last
    assert end == pytest.approx(expm(3.0 * model.linear) @ start, abs=1e-8)


def flux_ring():
    """Three sites in a ring with a phase of the hopping, so that L is not symmetric."""
    linear = np.diag([-0.1, -0.2, -0.15]).astype(complex)
    for j in range(3):
        k = (j + 1) % 3
        linear[j, k], linear[k, j] = 0.5j * np.exp(0.4j), 0.5j * np.exp(-0.4j)
    return linear


def test_hopping_with_a_phase():
    """A ring with a flux: dα/dt = Lα, not Lᵀα; the search along the curve solves it as well."""
    linear = flux_ring()
    model = AmplitudeModel(linear, np.array([0, 1]), PowerLaw(np.array([3.0, -1.0]), np.ones(2)))
    alpha = 0.1 * complex_normal(3)
    n = np.abs(alpha) ** 2
    net = 0.5 * np.array([3.0 / (1.0 + n[0]) ** 2, -1.0 / (1.0 + n[1]) ** 2, 0.0])
    assert model.velocity(alpha) == pytest.approx(linear @ alpha + net * alpha)
    assert find_mirror(linear) is None
    found = MeanField().solve(model).solutions
    assert len(found) > 0
    for a, w in zip(found.amplitudes, found.frequency, strict=True):
        n = np.abs(a) ** 2
        net = 0.5 * np.array([3.0 / (1.0 + n[0]) ** 2, -1.0 / (1.0 + n[1]) ** 2, 0.0])
        assert linear @ a + net * a == pytest.approx(-1j * w * a, abs=1e-12)


def test_standing_waves():
    """ω = −g cos k, k = mπ/(N + 1), each at the amplitude where it gains what it loses."""
    model = chain_model(5, 4.0, 2.0, damping=0.01)
    waves, frequency = standing_waves(model)
    exact = -np.cos(np.pi * np.arange(1, 6) / 6.0)
    assert np.sort(frequency) == pytest.approx(np.sort(exact), abs=1e-12)
    n = np.abs(waves) ** 2
    rates = model.growth.rates(n[:, [0, 4]])
    power = np.sum(rates * n[:, [0, 4]], axis=1) - 0.01 * np.sum(n, axis=1)
    assert np.max(np.abs(power)) < 0.05 * np.min(0.01 * np.sum(n, axis=1))


@pytest.mark.parametrize("distance", [1e-3, 1e-5, 1e-7, 1e-9])
def test_both_states_are_found_close_to_their_fold(distance):
    """Γ_i = 6, N = 2: two states at ω = 0 merge at Γ_e = 5.2143651615 (γ = 1e-3)."""
    below, above = (
        MeanField().solve(chain_model(2, 6.0, 5.214365161515 + sign * distance)).solutions
        for sign in (-1.0, 1.0)
    )
    counts = [int(np.sum(np.abs(found.frequency) < 1e-6)) for found in (below, above)]
    assert counts == [1, 3]


def test_passive_response():
    linear = chain_matrix(5, [0.1, 0.0, 0.3, 0.2, 0.1], [0.0, 0.5, 0.1, -0.4, 0.2])
    active, omega = np.array([1, 4]), np.array([0.3, -0.8])
    found = PassiveNetwork(linear, active).response(omega)
    for k, w in enumerate(omega):
        exact = np.linalg.inv(-1j * w * np.eye(5) - linear)[:, active]
        assert found[k] == pytest.approx(exact, abs=1e-12)


def test_two_sites_in_the_broken_phase():
    """(C5), (C6) of Huber and Rabl, solved by elimination and bisection."""
    gain, loss, damping = 4.0, 9.0, 1e-2

    def last(a2):  # |B|² from the first equation
        return a2 * (gain / (1.0 + a2) ** 2 - damping) ** 2

    def second(a2):
        b2 = last(a2)
        return (loss / (1.0 + b2) ** 2 + damping) ** 2 * b2 - a2

    grid = np.linspace(1e-3, 40.0, 4000)
    signs = np.sign([second(a) if gain / (1.0 + a) ** 2 > damping else np.nan for a in grid])
    exact = [
        brentq(second, grid[i], grid[i + 1], xtol=1e-14)
        for i in np.flatnonzero(signs[1:] * signs[:-1] < 0.0)
    ]
    found = MeanField().solve(chain_model(2, gain, loss, damping)).solutions
    centred = np.abs(found.frequency) < 1e-9
    n = np.sort(np.abs(found.amplitudes[centred, 0]) ** 2)
    assert n == pytest.approx(exact, rel=1e-9)


CASES = [
    (2, 6.0, 5.5, {}),
    (3, 4.0, 2.0, {}),
    (5, 6.0, 5.6, {}),
    (6, 4.0, 6.0, {"damping": 0.05}),
    (4, 6.0, 5.5, {"detuning": [0.1, -0.2, 0.05, 0.3]}),
    (4, 2.0, 3.0, {"saturation": (1.0, 1.7), "exponent": 1.0, "damping": [0.1, 0.0, 0.2, 0.01]}),
    (3, 3.0, 2.0, {"detuning": 0.4}),
    (4, 1.0, -2.0, {"damping": 0.3}),  # two generators
]


@pytest.mark.parametrize(("sites", "gain", "loss", "more"), CASES)
def test_exhaustive_search_holds_all_that_random_starts_find(sites, gain, loss, more):
    model = chain_model(sites, gain, loss, **more)
    whole = MeanField().solve(model)
    hidden = AmplitudeModel(model.linear, model.active, Hidden(model.growth))
    by_starts = MeanField(random_starts=300, seed=2).solve(hidden)
    assert whole.exhaustive
    assert not by_starts.exhaustive
    assert len(by_starts.solutions) > 0
    ours = np.column_stack([whole.solutions.frequency, np.abs(whole.solutions.amplitudes)])
    others = by_starts.solutions
    theirs = np.column_stack([others.frequency, np.abs(others.amplitudes)])
    distance = np.max(np.abs(theirs[:, None] - ours), axis=2)
    assert np.max(np.min(distance, axis=1)) < 1e-7
    assert len(whole.solutions) >= len(by_starts.solutions)
    for found in (whole, by_starts):
        solutions = found.solutions
        residual = np.abs(model.residual(solutions.amplitudes, solutions.frequency))
        assert np.max(residual) < 1e-12 * (1.0 + np.max(np.abs(solutions.amplitudes)))


def test_mirror_of_a_bipartite_network():
    """α → σα*, ω → 2ω_c − ω; none with detuning, none on a triangle."""
    linear = chain_matrix(4, [0.1, 0.2, 0.3, 0.4], 0.25)
    mirror = find_mirror(linear)
    assert mirror.centre == 0.25
    assert find_mirror(chain_matrix(4, 0.1, [0.0, 0.1, 0.0, 0.0])) is None
    triangle = chain_matrix(3, 0.1)
    triangle[0, 2] = triangle[2, 0] = 0.5j
    assert find_mirror(triangle) is None
    model = chain_model(4, 6.0, 5.5, damping=[0.01, 0.02, 0.03, 0.04], detuning=0.25)
    found = MeanField().solve(model)
    image, turned = mirror.image(found.solutions.amplitudes, found.solutions.frequency)
    assert np.max(np.abs(model.residual(image, turned))) < 1e-11
    rates = growth_rates(model, found.solutions.amplitudes, found.solutions.frequency)
    assert rates == pytest.approx([each.growth_rate for each in found.deviations], abs=1e-11)
    short = growth_rates(model, found.solutions.amplitudes, found.solutions.frequency, mirror)
    assert short == pytest.approx(rates, abs=1e-11)


def test_triangle_with_three_active_sites():
    """Threefold rotation: the waves 1, e^{±2πi/3} are exact, with n from Γ/(1 + n)² = γ."""
    linear = chain_matrix(3, 0.1)
    linear[0, 2] = linear[2, 0] = 0.5j
    growth = PowerLaw(np.full(3, 2.0), np.ones(3))
    found = MeanField().solve(AmplitudeModel(linear, np.arange(3), growth)).solutions
    n = np.sqrt(2.0 / 0.1) - 1.0
    even = np.max(np.abs(np.abs(found.amplitudes) ** 2 - n), axis=1) < 1e-9
    # e^{−iωt} with ω = −cos(2πm/3)·g
    assert np.sort(found.frequency[even]) == pytest.approx([-1.0, 0.5, 0.5], abs=1e-10)


@pytest.mark.parametrize("stable", [True, False])
def test_deviations_in_time(stable):
    """A small deviation follows the linear equations; an unstable state is left at its rate."""
    model = chain_model(3, 4.0, 2.0, damping=0.05)
    found = MeanField().solve(model)
    index = next(k for k, each in enumerate(found.deviations) if each.stable == stable)
    alpha, omega = found.solutions.amplitudes[index], found.solutions.frequency[index]
    kick, time = 1e-5 * np.array([1.0 - 0.5j, -0.3 + 1.2j, 0.7 + 0.4j]), 2.0
    moved = follow_motion(model, alpha + kick, time, 1e-3)
    turned = moved.path[:, 0] * np.exp(1j * omega * time) - alpha
    matrix = model.jacobian(alpha[None], np.array([omega]))[0]
    packed = expm(time * matrix) @ np.concatenate([kick.real, kick.imag])
    # what is left is of second order in the kick
    assert turned == pytest.approx(packed[:3] + 1j * packed[3:], abs=1e-7)


def test_newton_converges_quadratically_and_knows_its_error():
    model = chain_model(6, 4.0, 2.0)
    whole = MeanField().solve(model).solutions
    alpha, omega = whole.amplitudes[:1], whole.frequency[:1]
    distances = []
    for size in (1e-2, 1e-3):
        kicked = newton(model, alpha * (1.0 + size), omega, steps=1)
        distances.append(np.linalg.norm(np.abs(kicked.amplitudes) - np.abs(alpha)))
    assert distances[0] / distances[1] == pytest.approx(100.0, rel=0.1)
    again = newton(model, alpha * (1.0 + 1e-3), omega)
    phase = np.vdot(again.amplitudes[0], alpha[0])
    off = np.linalg.norm(again.amplitudes[0] * phase / abs(phase) - alpha[0])
    assert off <= 3.0 * (again.error[0] + whole.error[0])
    assert again.error[0] < 1e-10 * np.linalg.norm(alpha)


def test_zero_and_failures_are_never_solutions():
    model = chain_model(4, 0.3, 0.5)  # stalled
    starts = 0.1 * complex_normal(20, 4)
    assert np.all(np.isinf(newton(model, starts, np.zeros(20)).error))
    assert len(MeanField().solve(model).solutions) == 0


def test_limit_cycle_has_its_period_and_means():
    """Two detuned lasers that hardly couple beat at their difference."""
    linear = chain_matrix(2, 0.5, [1.0, 0.0], coupling=0.05)
    growth = PowerLaw(np.array([2.0, 2.0]), np.ones(2))
    found = MeanField(trajectories=2, duration=400.0).solve(
        AmplitudeModel(linear, np.arange(2), growth)
    )
    assert not any(each.stable for each in found.deviations)
    (motion,) = found.motions
    assert motion.periodic
    assert motion.period == pytest.approx(2.0 * np.pi, rel=5e-3)
    assert motion.occupation == pytest.approx([1.0, 1.0], abs=0.01)
    assert not motion.steady
    assert np.all(motion.coherence_error < 0.02)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rtol": 0.0}, "`rtol` must be positive"),
        ({"random_starts": -1}, "`random_starts` must be at least 0"),
        ({"seed": 1.5}, "`seed` must be an integer"),
        ({"trajectories": -2}, "`trajectories` must be at least 0"),
        ({"duration": 0.0}, "`duration` must be positive"),
    ],
)
def test_bad_methods(fields, message):
    with pytest.raises(InvalidArgument, match=message):
        MeanField(**fields)


def test_too_many_sites():
    with pytest.raises(InvalidArgument, match="must have at most 400 nodes for MeanField"):
        MeanField().solve(chain_model(401, 1.0, 1.0))
