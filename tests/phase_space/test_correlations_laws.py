"""Sum rules, rings, switching, and independent routes to the same correlations."""

import numpy as np
import pytest
import scipy.sparse as sp
from phase_space_systems import boltzmann, constant, lopsided, van_der_pol
from scipy.sparse.linalg import eigs, spsolve

import wheelwork as ww
from wheelwork.errors import NotConverged, UnphysicalState
from wheelwork.phase_space import FokkerPlanck, PhaseSpaceModel
from wheelwork.phase_space.response.correlations import response
from wheelwork.phase_space.response.on_plane import MeshProblem
from wheelwork.phase_space.stationary import plane


def flywheel(bias):
    return ww.Flywheel.paper(bias=bias).model(1e-11)


@pytest.mark.parametrize("model", [lopsided(0.05), van_der_pol(0.01, 0.8), flywheel(12.0)])
def test_correlations_begin_and_end_with_stationary_moments(model):
    """At τ = 0 those of another method; in the end products of means."""
    rtol = 1e-3
    found, moments = response(model, rtol), FokkerPlanck(1e-5).solve(model).moments
    spread = moments["x_squared"] + moments["p_squared"]
    pairs = moments["g2"] * moments["phonon_number"] ** 2
    late = 40.0 / abs(found.eigenvalues(1)[0].real)
    expected = {
        "position": (moments["x_squared"] * model.length**2, (moments["x"] * model.length) ** 2),
        "momentum": (moments["p_squared"] * model.momentum**2, 0.0),
        "amplitude": (spread, moments["x"] ** 2),
        "emission": (moments["phonon_number"], moments["x"] ** 2),
        "intensity": (pairs + 2.0 * spread - 0.5, spread**2),
        "g2": (moments["g2"], 1.0),
    }
    for name, (first, last) in expected.items():
        values = getattr(found, name)([0.0, late])
        assert values[0] == pytest.approx(first, rel=rtol), name
        assert values[1] == pytest.approx(last, rel=rtol, abs=rtol * abs(first)), name


def test_bunching_of_a_state_off_its_orbits():
    """W is no function of the energy alone at this damping: all derivatives of W matter."""
    model = van_der_pol(0.03, 0.6)
    found, stationary = response(model, 1e-6), FokkerPlanck(1e-8).solve(model)
    assert found.g2(0.0) == pytest.approx(stationary.moments["g2"], rel=1e-8)
    assert found.relaxation.traces[5] == pytest.approx(found.phonon_number, rel=1e-9)
    assert found.emission(0.0) == pytest.approx(found.phonon_number, rel=1e-8)


def test_spectra_integrate_to_variances_and_are_positive():
    model = lopsided(0.05)
    found, moments = response(model, 1e-3), FokkerPlanck(1e-5).solve(model).moments
    omega = np.tan(np.linspace(-np.pi / 2, np.pi / 2, 400001)[1:-1])
    weight = (1.0 + omega**2) * np.pi / 400000 / (2.0 * np.pi)
    x = found.position_spectrum(omega)
    assert np.min(x) >= 0.0
    assert np.min(found.amplitude_spectrum(omega)) >= 0.0
    variance = (moments["x_squared"] - moments["x"] ** 2) * model.length**2
    assert weight @ x == pytest.approx(variance, rel=1e-3)
    emitted = moments["phonon_number"] - moments["x"] ** 2
    assert weight @ found.emission_spectrum(omega) == pytest.approx(emitted, rel=2e-3)


def test_velocity_is_the_derivative_of_position():
    """S_pp = m² ω² S_xx, since p = m dx/dt."""
    model = lopsided(0.05)
    found, omega = response(model, 1e-3), np.array([0.3, 0.9, 0.98, 1.0, 1.9])
    expected = (model.mass * omega) ** 2 * found.position_spectrum(omega)
    assert found.momentum_spectrum(omega) == pytest.approx(expected, rel=3e-3)


def test_fluctuation_dissipation_of_a_static_force():
    """d⟨x⟩/dF = var(x)/T at equilibrium, where ⟨x⟩ comes from shifted models."""
    temperature, step = 1.5, 1e-3

    def model(pull):
        return boltzmann(
            lambda x: 0.3 * np.sin(x) + pull, lambda x: 0.05 / (1.0 + x**2 / 20.0), temperature
        )

    above, below = (FokkerPlanck(1e-9).solve(model(side * step)).moments["x"] for side in (1, -1))
    found = response(model(0.0), 1e-5)
    late = 40.0 / abs(found.eigenvalues(1)[0].real)
    variance = found.position(0.0) - found.position(late)
    shift = (above - below) * model(0.0).length
    assert variance / temperature == pytest.approx(shift / (2.0 * step), rel=1e-5)


@pytest.mark.parametrize("model", [lopsided(0.1), van_der_pol(0.2, 0.6)])
def test_circles_agree_with_direct_solves_on_the_plane(model):
    found = response(model, 1e-3)
    problem = MeshProblem(plane.find_box(model, 1e-10), 108)
    unit = sp.eye_array(problem.scale.size)
    read = problem.positions / problem.scale[:, None]
    for omega in (0.05, found.line.frequency):
        shifted = sp.csc_array(1j * omega * unit - problem.generator)
        right = problem.starts[:, [0, 5]].astype(complex)
        states = spsolve(shifted, right)
        x = 2.0 * (read[:, 0] @ states[:, 0]).real * model.length**2
        assert found.position_spectrum(omega) == pytest.approx(x, rel=5e-3)
        pair = found._decay("pair").spectrum(np.array(omega))
        assert pair == pytest.approx(2.0 * (read[:, 2] @ states[:, 1]).real, rel=5e-3, abs=1e-3)


def test_phase_diffusion_of_the_van_der_pol_ring():
    """Amplitude 2 and ⟨dφ²⟩ = (D/2)/4 dt: a line of full width D/8 = strength · T/4."""
    strength, temperature = 0.002, 0.01
    found = response(van_der_pol(strength, temperature))
    width = strength * temperature / 4.0
    assert found.line.width == pytest.approx(width, rel=0.01)
    assert -2.0 * found.eigenvalues(1)[0].real == pytest.approx(found.line.width, rel=1e-3)
    assert found.line.frequency == pytest.approx(1.0, abs=1e-5)
    assert found.rates(1)[0] == pytest.approx(2.0 * strength / 2.0, rel=0.02)


def test_flywheel_line():
    """Weak coupling at V = 0: γ of the coefficients; the line is narrower at threshold."""
    rest, threshold = response(flywheel(0.0)), response(flywheel(8.0))
    assert rest.line.width == pytest.approx(0.00033144, rel=0.05)
    assert threshold.line.width < 0.7 * rest.line.width
    assert threshold.line.coherence_time > 1.5 * rest.line.coherence_time
    assert rest.switching is None


@pytest.mark.parametrize("seed", range(4))
def test_estimates_bound_the_true_errors(seed):
    a, b, c = np.random.default_rng(seed).uniform(-1.0, 1.0, 3)
    model = PhaseSpaceModel.from_functions(
        force=lambda x: 0.1 * np.tanh((x - a) / 2.0),
        friction=lambda x: 0.01 * (1.0 - 1.5 / (1.0 + (x - b) ** 2 / 16.0)),
        diffusion=lambda x: 0.03 + 0.01 * np.tanh((x + c) / 4.0),
    )
    rough, fine = response(model, 1e-3), response(model, 2e-5)
    assert rough.error <= 1e-3
    tau = np.linspace(0.0, 300.0, 200)
    for name in ("position", "momentum", "amplitude", "emission", "intensity", "g2"):
        change = np.abs(getattr(rough, name)(tau) - getattr(fine, name)(tau))
        assert np.max(change) <= rough.errors[name] + fine.errors[name], name
    for name in ("frequency", "width", "coherence_time"):
        key = name if name == "coherence_time" else f"line_{name}"
        change = abs(getattr(rough.line, name) - getattr(fine.line, name))
        assert change <= rough.errors[key] + fine.errors[key]
    slow = abs(rough.rates(1)[0] - fine.rates(1)[0])
    assert slow <= rough.errors["slowest_rate"] + fine.errors["slowest_rate"]


def test_a_number_that_meets_its_value_by_chance_is_not_called_exact():
    """From one basis to the next this width changes by 8e-6, with 1e-5 still to go."""
    rough, fine = response(flywheel(16.0), 1e-3), response(flywheel(16.0), 1e-6)
    assert rough.details["radial_functions"] < fine.details["radial_functions"]
    assert abs(rough.line.width - fine.line.width) <= rough.errors["line_width"]


# ------------------------------------------------------------------ several wells

TEMPERATURE = 0.5
POTENTIAL = np.array([0.05, 0.0, -0.5, -0.02, 0.0])  # of x⁴ … 1: wells at ±√5, tilted


def double_well(friction):
    extra = -np.polyder(POTENTIAL) - np.array([0.0, 0.0, -1.0, 0.0])
    return boltzmann(lambda x: np.polyval(extra, x), constant(friction), TEMPERATURE)


def brinkman_rate(friction, functions=40, ranks=32):
    """Slowest rate by Brinkman's hierarchy: polynomials in x and p under the Boltzmann weight.

    ∂_t c_m = √T (√(m+1) S c_{m+1} − √m Sᵀ c_{m−1}) − γ m c_m with S = ∫ p_n′ p_n″ w dx.
    """
    x = np.linspace(-6.5, 6.5, 2001)
    root = np.sqrt(np.exp(-(np.polyval(POTENTIAL, x) + 1.3) / TEMPERATURE) * (x[1] - x[0]))
    values, slopes = np.empty((2, functions, x.size))
    values[0], slopes[0] = root / np.linalg.norm(root), 0.0
    for n in range(1, functions):
        values[n], slopes[n] = x * values[n - 1], x * slopes[n - 1] + values[n - 1]
        for _ in range(2):
            overlap = values[:n] @ values[n]
            values[n] -= overlap @ values[:n]
            slopes[n] -= overlap @ slopes[:n]
        size = np.linalg.norm(values[n])
        values[n], slopes[n] = values[n] / size, slopes[n] / size
    S, m = slopes @ values.T, np.arange(float(ranks))
    down = sp.diags_array(np.sqrt(m[1:]), offsets=-1)
    matrix = np.sqrt(TEMPERATURE) * (sp.kron(down.T, S) - sp.kron(down, S.T))
    matrix -= friction * sp.kron(sp.diags_array(m), sp.eye_array(functions))
    moving = sp.csc_array(matrix)[1:, 1:]
    return -eigs(moving, k=1, sigma=0.0, return_eigenvectors=False)[0].real


@pytest.mark.parametrize("friction", [0.5, 3.0])
def test_kramers_rates(friction):
    found = response(double_well(friction), 1e-3)
    assert found.rates(1)[0] == pytest.approx(brinkman_rate(friction), rel=1e-3)
    switching = found.switching
    x = np.linspace(-7.0, 7.0, 20001)
    weight = np.exp(-np.polyval(POTENTIAL, x) / TEMPERATURE)
    ridge = np.polynomial.Polynomial(np.polyder(POTENTIAL)[::-1]).roots()[1].real
    left = np.sum(weight[x < ridge]) / np.sum(weight)
    first = left if switching.X[0] < switching.X[1] else 1.0 - left
    assert switching.weights[0] == pytest.approx(first, abs=0.01)
    assert sum(switching.rates) == pytest.approx(found.rates(1)[0], rel=1e-12)
    flows = np.array(switching.weights) * np.array(switching.rates)
    assert flows[0] == pytest.approx(flows[1], rel=1e-6)
    assert switching.mixing < 0.1


def energy_diffusion_rate(friction, noise, energy):
    """Slowest rate of ∂_t w = ∂_E [E (γ̄ w + 2 d̄ ∂_E w)] by detailed balance between cells."""
    step = energy[1] - energy[0]
    edge = 0.5 * (energy[1:] + energy[:-1])
    rise = -friction(edge) / (2.0 * noise) * step
    log_density = np.concatenate([[0.0], np.cumsum(rise)])
    weight = np.exp(log_density - np.max(log_density))
    exchange = 2.0 * noise * edge * np.sqrt(weight[1:] * weight[:-1]) / step**2
    root = np.sqrt(weight)
    matrix = np.diag(exchange / (root[1:] * root[:-1]), 1)
    matrix = matrix + matrix.T
    losses = np.concatenate([exchange, [0.0]]) + np.concatenate([[0.0], exchange])
    matrix -= np.diag(losses / weight)
    return -np.sort(np.linalg.eigvalsh(matrix))[-2], weight / np.sum(weight)


def test_rest_and_ring_coexist():
    """Orbit-averaged friction 0.01 (1 − E/2)(1 − E/5): stable rest, stable ring at E = 5."""
    model = PhaseSpaceModel.from_functions(
        force=constant(0.0),
        friction=lambda x: 0.01 * (1.0 - 1.4 * x**2 + 0.2 * x**4),
        diffusion=constant(0.0025),
    )
    energy = np.linspace(0.0, 9.0, 1201)[:-1] + 9.0 / 2400
    rate, weight = energy_diffusion_rate(
        lambda E: 0.01 * (1.0 - E / 2.0) * (1.0 - E / 5.0), 0.0025 / 4.0, energy
    )
    found = response(model, 1e-4)
    switching = found.switching
    assert found.rates(1)[0] == pytest.approx(rate, rel=2e-3)
    assert switching.weights[0] == pytest.approx(np.sum(weight[energy < 2.0]), abs=0.01)
    assert switching.intensity[0] < 1.0
    assert switching.intensity[1] == pytest.approx(5.0, abs=0.5)
    assert sum(switching.rates) == pytest.approx(rate, rel=2e-3)


def test_a_state_below_the_vacuum_emits_no_light():
    """⟨X² + P²⟩ = 0.4 < ½: the equation is beyond its validity, and no line stands at +ω0."""
    found = response(boltzmann(constant(0.0), constant(0.05), 0.4))
    assert found.phonon_number == pytest.approx(-0.1)
    assert found.position(0.0) == pytest.approx(0.4)
    for question in (lambda: found.line, lambda: found.g1(0.0), lambda: found.g2(0.0)):
        with pytest.raises(UnphysicalState, match="no quantum state"):
            question()


def test_out_of_reach_is_said():
    with pytest.raises(NotConverged, match="did not reach rtol = 1e-12"):
        response(lopsided(0.02), 1e-12)
