"""Sampled amplitudes against closed results: Gaussian networks, lasers, orders of convergence."""

import itertools

import numpy as np
import pytest
from network_noise_systems import (
    Local,
    chain,
    gaussian_covariance,
    gaussian_fluctuation,
    laser,
    laser_moment,
    network,
    nothing,
    saturable,
    settings,
)
from numpy.polynomial.hermite_e import hermegauss

from wheelwork.oscillator_networks.langevin import steps as linear_steps
from wheelwork.oscillator_networks.langevin.kernel import propagate, stirred
from wheelwork.oscillator_networks.langevin.samples import sample_amplitudes
from wheelwork.oscillator_networks.langevin.steps import euler_steps, split_steps

UNEVEN = network(
    [(0, 1), (1, 2), (2, 3), (3, 0), (1, 3)],
    coupling=[1.0, -0.7, 0.4, 1.3, 0.6],
    damping=[0.2, 0.05, 0.3, 0.1],
    thermal=[3.0, 0.0, 1.0, 7.0],
    detuning=[0.3, 0.0, -0.4, 0.1],
)


def assert_within(estimates, exact, errors=4.0):
    for (mean, error), value in zip(estimates, exact, strict=True):
        assert abs(mean - value) < errors * error, (mean, error, value)


# ---------------------------------------------------------------- the linear step


def linear_map(step, sites):
    """(N, N) of a linear step without noise, from what the kernel does to unit vectors."""
    state = np.zeros((2 * sites, sites))
    state[2 * np.arange(sites), np.arange(sites)] = 1.0
    parts = (
        step.kind, step.matrix, np.zeros((2, 0, 0)), step.turn, np.zeros(sites), step.bonds,
        step.angles,
    )  # fmt: skip
    passive = (
        np.zeros(0, np.intp), np.zeros((0, 1, 3, 4)), np.zeros(0, bool), np.zeros(0), np.uint64(4)
    )  # fmt: skip
    unmeasured = (np.zeros((0, 2), np.intp), np.zeros(0), np.zeros((0, 1, 0, 4)), np.zeros(0))
    groups = np.zeros(sites, np.intp)
    counts = np.zeros((0, 1, 1), np.uint32)
    propagate(
        state, np.zeros((0, 1)), counts, groups, parts, passive, unmeasured, (np.uint64(0), 0),
        0, 1, False,
    )  # fmt: skip
    return state[::2] + 1j * state[1::2]


def linear_covariance(step, sites):
    if step.mixing.shape[1]:
        root = step.mixing[0] + 1j * step.mixing[1]
        return 2.0 * root @ root.conj().T
    return np.diag(2.0 * step.spread**2).astype(complex)


@pytest.mark.parametrize("model", [UNEVEN, chain(5, coupling=1.0, damping=0.1, thermal=2.0)])
@pytest.mark.parametrize("step", [0.01, 1.0, 50.0, 100.0, 1e5])
def test_the_dense_step_keeps_the_stationary_covariance_at_any_step(model, step):
    dense = linear_steps.dense_step(model, step)
    move, exact = linear_map(dense, model.sites), gaussian_covariance(model)
    kept = move @ exact @ move.conj().T + linear_covariance(dense, model.sites)
    assert np.allclose(kept, exact, rtol=0.0, atol=1e-11 * np.max(np.abs(exact)))


def test_one_dense_step_is_many_small_ones():
    large, small = (linear_map(linear_steps.dense_step(UNEVEN, h), 4) for h in (1.0, 0.125))
    assert np.allclose(np.linalg.matrix_power(small, 8), large, atol=1e-12)


def test_bonds_are_of_second_order_and_contract():
    exact = linear_map(linear_steps.dense_step(UNEVEN, 1.0), 4)
    errors = []
    for parts in (8, 16, 32):
        step = linear_map(linear_steps.bond_step(UNEVEN, 1.0 / parts), 4)
        errors.append(np.max(np.abs(np.linalg.matrix_power(step, parts) - exact)))
        assert np.linalg.norm(step, 2) <= 1.0
    assert np.allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2.0, atol=0.1)
    assert errors[-1] < 1e-3


def test_edges_of_one_colour_share_no_site():
    edges = np.array(list(itertools.combinations(range(7), 2)), dtype=np.intp)
    order = linear_steps.coloured(edges, 7)
    assert sorted(order) == list(range(len(edges)))
    busy, colours = set(), 1
    for u, v in edges[order]:
        if busy & {u, v}:
            busy, colours = set(), colours + 1
        busy |= {u, v}
    assert colours <= 11


def fluctuation_ratio(step, model):
    """Mean over the edges of ΔJ √2/N_th in what a linear step settles in."""
    N = model.sites
    move = linear_map(step, N)
    # C = M C M† + S, row by row
    system = np.eye(N * N) - np.kron(move, move.conj())
    covariance = np.linalg.solve(system, linear_covariance(step, N).ravel()).reshape(N, N)
    occupation = covariance.diagonal().real
    u, v = model.edges.T
    c = covariance[v, u]
    square = 0.5 * (occupation[u] * occupation[v] + np.abs(c) ** 2) - (c**2).real - c.imag**2
    return np.mean(np.sqrt(2.0 * square)) / model.thermal[0]


def test_the_papers_scheme_heats_at_the_papers_step():
    """N = 6, γ = 1e-3: ΔJ is 3 to 5 % too large at Δt = 1e-4, more than twofold at 1e-3."""
    model = chain(6, coupling=1.0, damping=1e-3, thermal=10.0)
    assert 1.03 < fluctuation_ratio(linear_steps.euler_step(model, 1e-4), model) < 1.05
    assert 2.7 < fluctuation_ratio(linear_steps.euler_step(model, 1e-3), model) < 2.9
    for make in (linear_steps.dense_step, linear_steps.bond_step):
        assert fluctuation_ratio(make(model, 0.1), model) == pytest.approx(1.0, abs=1e-9)


def test_euler_steps_add_up_to_first_order():
    exact = linear_map(linear_steps.dense_step(UNEVEN, 1.0), 4)
    errors = []
    for parts in (200, 400):
        step = linear_map(linear_steps.euler_step(UNEVEN, 1.0 / parts), 4)
        errors.append(np.max(np.abs(np.linalg.matrix_power(step, parts) - exact)))
    assert np.isclose(errors[0] / errors[1], 2.0, rtol=0.05)


# ---------------------------------------------------------------- passive networks, sampled


@pytest.mark.parametrize("step", [0.3, 20.0])
def test_passive_networks_at_any_step(step):
    found = sample_amplitudes(UNEVEN, settings(duration=2e4 * step, step=step))
    exact = gaussian_covariance(UNEVEN)
    u, v = UNEVEN.edges.T
    assert_within(found.fine.occupation.estimates, exact.diagonal().real)
    assert_within(found.fine.current.estimates, UNEVEN.couplings * exact[v, u].imag)
    assert_within(found.fine.fluctuation.estimates, gaussian_fluctuation(UNEVEN))
    assert np.all(np.abs(found.fine.current.value) > 5.0 * found.fine.current.errors)


def test_thermal_equilibrium():
    model = chain(4, coupling=1.0, damping=0.05, thermal=3.0)
    found = sample_amplitudes(model, settings(duration=4000.0))
    assert_within(found.fine.occupation.estimates, np.full(4, 3.0))
    assert_within(found.fine.current.estimates, np.zeros(3))
    assert_within(found.fine.fluctuation.estimates, np.full(3, 3.0 / np.sqrt(2.0)))


def test_bonds_and_the_dense_propagator_agree(monkeypatch):
    model = chain(4, coupling=1.0, damping=[0.4, 0.05, 0.1, 0.3], thermal=[4.0, 0.0, 0.0, 1.0])
    monkeypatch.setattr("wheelwork.oscillator_networks.langevin.steps.LARGEST_DENSE", 0)
    found = sample_amplitudes(model, settings(duration=8000.0))
    exact = gaussian_covariance(model)
    u, v = model.edges.T
    assert_within(found.fine.current.estimates, model.couplings * exact[v, u].imag)
    assert_within(found.fine.occupation.estimates, exact.diagonal().real)


# ---------------------------------------------------------------- noise that depends on n


class Polynomial2:
    """Σ c_jk x^j y^k with the generator (D(x² + y²)/4) ∇² of the noise."""

    def __init__(self, c):
        self.c = np.asarray(c, dtype=float)

    def __call__(self, x, y):
        return np.polynomial.polynomial.polyval2d(x, y, self.c)

    def generated(self, diffusion):
        c = self.c
        laplacian = np.zeros_like(c)
        laplacian[:-2] += c[2:] * (np.arange(2, len(c)) * np.arange(1, len(c) - 1))[:, None]
        laplacian[:, :-2] += c[:, 2:] * np.arange(2, len(c)) * np.arange(1, len(c) - 1)
        square = np.zeros((3, 3))
        square[2, 0] = square[0, 2] = 1.0
        total, power = np.zeros((1, 1)), np.ones((1, 1))
        for factor in diffusion:
            total = added(total, factor * product(power, laplacian))
            power = product(power, square)
        return Polynomial2(0.25 * total)


def product(a, b):
    found = np.zeros((len(a) + len(b) - 1,) * 2)
    for (i, j), value in np.ndenumerate(a):
        found[i : i + len(b), j : j + b.shape[1]] += value * b
    return found


def added(a, b):
    size = max(len(a), len(b))
    found = np.zeros((size, size))
    found[: len(a), : len(a)] += a
    found[: len(b), : len(b)] += b
    return found


@pytest.mark.parametrize("powers", [(1, 0), (2, 0), (1, 1), (2, 2), (3, 1), (0, 3), (4, 0)])
def test_the_noise_is_of_weak_order_two(powers):
    """E f after τ is f + τ L f + τ² L² f/2 + O(τ³): the coefficients up to τ² are fitted."""
    diffusion = (0.3, 1.5, 0.4)
    c = np.zeros((5, 5))
    c[powers] = 1.0
    f = Polynomial2(c)
    first = f.generated(diffusion)
    second = first.generated(diffusion)
    x, y = 0.8, -0.5
    noise = Local((nothing,), (lambda n: 0.3 + 1.5 * n + 0.4 * n**2,))
    model = network([], 1.0, 0.0, 0.0, active=(0,), local=noise)
    nodes, weights = hermegauss(9)
    weights = weights / weights.sum()
    u, v, area = np.meshgrid(nodes, nodes, nodes, indexing="ij")
    density = weights[:, None, None] * weights[:, None] * weights
    taus, left = np.array([0.04, 0.03, 0.02, 0.01]), []
    for tau in taus:
        n = x * x + y * y
        b, c2 = (value_at(split_steps(model, 2.0 * tau), row, n) for row in (1, 2))
        moved = stirred.py_func(x, y, u, v, area, np.sqrt(b), c2)
        mean = np.sum(density * f(*moved))
        left.append(mean - (f(x, y) + tau * first(x, y) + 0.5 * tau**2 * second(x, y)))
    fitted = np.linalg.solve(taus[:, None] ** np.arange(1, 5), left)
    assert abs(fitted[0]) < 1e-4
    assert abs(fitted[1]) < 0.02


def value_at(steps, row, n):
    """Look a table up by hand, close enough for a test of orders."""
    u = 1.0 + n * steps.inverse_scale[0]
    octave = int(np.floor(np.log2(u)))
    place = (u / 2.0**octave - 1.0) * 2**steps.fineness
    cell = octave * 2**steps.fineness + int(place)
    return np.polyval(steps.steps[0, cell, row][::-1], place - int(place))


@pytest.mark.parametrize("exponent", [1.0, 2.0])
def test_laser(exponent):
    model = laser(exponent=exponent)
    found = sample_amplitudes(model, settings(duration=4e4, step=0.1))
    mean, square = (laser_moment(model, power) for power in (1, 2))
    assert_within(found.fine.total.estimates, [mean])
    assert found.fine.total_variance == pytest.approx(square - mean**2, rel=0.02)
    # what the gain brings is what damping takes, but for noise: ⟨(R − γ) n + D⟩ = 0
    flow, rate = (found.fine.local_observable(name).value[0] for name in ("flow", "rate"))
    assert flow + rate - 0.5 * mean + 0.25 == pytest.approx(0.0, abs=0.01)


def test_absorber_with_noise_of_its_own():
    """Noise that grows with n: the order of the derivative and the noise matters."""
    rate, noise = saturable(-2.0, 3.0, 1.0), lambda n: 0.5 + 0.5 * n / (1.0 + 0.1 * n)
    model = network([], 1.0, 0.5, 1.0, active=(0,), local=Local((rate,), (noise,)))
    found = sample_amplitudes(model, settings(duration=1e4, step=0.05))
    assert_within(found.fine.total.estimates, [laser_moment(model, 1, 3000.0)])


def test_weak_order_two_of_the_whole_step():
    """Large steps on purpose; common noise would not help: the exact answer is known."""
    model = laser(gain=6.0, saturation=2.0, damping=1.0, thermal=2.0)
    exact = laser_moment(model, 1)
    off = []
    for step in (0.6, 1.2):
        found = sample_amplitudes(model, settings(duration=1.2e5, step=step, trajectories=128))
        mean, error = found.fine.total.estimates[0]
        off.append((mean - exact, error))
    assert abs(off[1][0]) > 15.0 * off[1][1]
    assert 2.8 < off[1][0] / off[0][0] < 6.0


def test_euler_is_right_in_the_limit_and_wrong_before():
    model = laser(gain=6.0, saturation=2.0, damping=1.0, thermal=2.0)
    exact = laser_moment(model, 1)
    off = []
    for step in (0.05, 0.1):
        chosen = settings(duration=1.2e4, step=step, euler=True, trajectories=128)
        mean, error = sample_amplitudes(model, chosen).fine.total.estimates[0]
        off.append(mean - exact)
        assert abs(off[-1]) > 4.0 * error
    assert 1.5 < off[1] / off[0] < 2.8


def test_tables_of_euler_hold_rate_and_noise():
    model = laser()
    steps = euler_steps(model, 0.01)
    n = 3.3
    assert value_at(steps, 0, n) == pytest.approx(0.005 * model.activity.rate(0, n), rel=5e-5)
    assert value_at(steps, 1, n) == pytest.approx(0.005 * model.activity.noise(0, n), rel=5e-5)


def test_the_drift_is_exact():
    """dn/dt = R n with R = Γ/(1 + n/n0): ln n + n/n0 = Γt + const."""
    model = network(
        [], 1.0, 0.0, 0.0, active=(0,), local=Local((saturable(3.0, 2.0, 1.0),), (nothing,), (2.0,))
    )
    steps = split_steps(model, 0.8)
    for n in (1e-3, 0.7, 5.0, 300.0):
        after = n * (1.0 + value_at(steps, 0, n)) ** 2
        assert np.log(after / n) + (after - n) / 2.0 == pytest.approx(3.0 * 0.4, rel=5e-5)
