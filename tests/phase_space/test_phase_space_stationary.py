"""Textbook models before any device: closed forms, laws, orders, independent routes."""

from dataclasses import replace

import numpy as np
import pytest
from phase_space_systems import (
    boltzmann,
    constant,
    damped_oscillator,
    lopsided,
    van_der_pol,
    van_der_pol_energy,
)

from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.phase_space import EnergyDiffusion, FokkerPlanck, PhaseSpaceModel, moments
from wheelwork.phase_space.stationary import circle_solver, plane
from wheelwork.phase_space.stationary.orbit_distribution import Circles, OrbitDistribution
from wheelwork.phase_space.stationary.orbits import find_orbits

METHODS = [FokkerPlanck(1e-7), EnergyDiffusion(1e-7)]


def mesh_integral(distribution, function):
    """∫ function · W dX dP on a uniform mesh, independent of the distribution's own nodes."""
    axis = np.linspace(-distribution.extent, distribution.extent, 401)
    X, P = np.meshgrid(axis, axis, indexing="ij")
    return np.sum(function(X, P) * distribution.density(X, P)) * (axis[1] - axis[0]) ** 2


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("friction", [0.01, 0.3, 2.0])
def test_ornstein_uhlenbeck_moments(method, friction):
    """⟨x⟩ = F/mω², ⟨x²⟩ − ⟨x⟩² = T/mω², ⟨p²⟩ = mT at any damping."""
    temperature, mass, frequency, pull = 2.0, 1.3, 0.7, 0.4
    model = damped_oscillator(friction, 2.0 * friction * temperature, frequency, mass, pull)
    found = method.solve(model)
    values, x0, p0 = found.moments, model.length, model.momentum
    shift = pull / (mass * frequency**2)
    assert values["x"] * x0 == pytest.approx(shift, rel=1e-9)
    assert values["x_squared"] * x0**2 == pytest.approx(
        temperature / (mass * frequency**2) + shift**2, rel=1e-9
    )
    assert values["p_squared"] * p0**2 == pytest.approx(mass * temperature, rel=1e-9)
    assert values["x_p"] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("damping", [0.02, 1.0])
def test_kramers_double_well_is_boltzmann(damping):
    """U = x⁴/20 − x²/2: no orbits common to both wells, so solved on the plane."""
    temperature = 0.5
    model = boltzmann(lambda x: 2.0 * x - 0.2 * x**3, constant(damping), temperature)
    found = FokkerPlanck(1e-6).solve(model)
    x = np.linspace(-9.0, 9.0, 20001)
    weight = np.exp((x**2 / 2.0 - x**4 / 20.0) / temperature)
    exact = np.sum(x**2 * weight) / np.sum(weight)
    assert 2.0 * found.moments["x_squared"] == pytest.approx(exact, rel=1e-6)
    assert found.moments["p_squared"] == pytest.approx(temperature / 2.0, rel=1e-6)
    top, well = found.distribution.density(np.array([0.0, np.sqrt(2.5)]), np.zeros(2))
    assert well / top == pytest.approx(np.exp(1.25 / temperature), rel=1e-5)


def test_strongly_damped_single_well_is_boltzmann():
    temperature = 0.8
    model = boltzmann(lambda x: -0.3 * x**3 + 0.2, lambda x: 3.0 + np.cos(x), temperature)
    found = FokkerPlanck(1e-8).solve(model)
    x = np.linspace(-9.0, 9.0, 20001)
    weight = np.exp(-(x**2 / 2.0 + 0.075 * x**4 - 0.2 * x) / temperature)
    assert found.moments["x"] * np.sqrt(2.0) == pytest.approx(
        np.sum(x * weight) / np.sum(weight), rel=1e-8
    )


def test_van_der_pol_ring():
    found = FokkerPlanck(1e-7).solve(van_der_pol(0.002, temperature=0.1))
    assert found.moments["phonon_number"] + 0.5 == pytest.approx(van_der_pol_energy(0.1), rel=1e-5)
    radius = np.linspace(0.0, 2.5, 2501)
    ring = radius[np.argmax(found.distribution.density(radius, 0.0 * radius))]
    assert ring * np.sqrt(2.0) == pytest.approx(2.0, abs=2e-3)
    assert found.distribution.density(np.zeros(1), np.zeros(1)) < 1e-3


def test_energy_diffusion_is_second_order_in_the_damping():
    strengths = np.array([0.01, 0.02, 0.04])
    errors = []
    for strength in strengths:
        model = van_der_pol(strength, temperature=0.2)
        averaged = EnergyDiffusion(1e-9).solve(model)
        exact = FokkerPlanck(1e-9).solve(model).moments["phonon_number"]
        errors.append(abs(averaged.moments["phonon_number"] - exact))
        assert errors[-1] < averaged.errors["phonon_number"] * 1.01
    order = np.polyfit(np.log(strengths), np.log(errors), 1)[0]
    assert order == pytest.approx(2.0, abs=0.1)


def test_radial_differences_converge_at_sixth_order():
    orbits = find_orbits(lopsided(0.05), 1e-12)
    start = OrbitDistribution(orbits, Circles(orbits), circle_solver.flat(orbits))

    def number(nodes):
        found = replace(start, modulation=circle_solver.solve(orbits, nodes, 12))
        return moments(found)["phonon_number"]

    best = number(240)
    nodes = np.array([30, 42, 60])
    errors = [abs(number(n) - best) for n in nodes]
    assert np.polyfit(np.log(nodes), np.log(errors), 1)[0] < -5.0


def test_orbits_and_plane_agree():
    model = lopsided(0.05)
    on_orbits = FokkerPlanck(1e-6).solve(model)
    box = plane.find_box(model, 1e-11)
    on_plane = moments(plane.solve(box, 130))
    for name, value in on_orbits.moments.items():
        assert on_plane[name] == pytest.approx(value, rel=3e-6, abs=3e-7), name


@pytest.mark.parametrize("model", [lopsided(0.01), van_der_pol(0.005, 0.3)])
def test_laws(model):
    """Normalised, positive, in balance, contained; ⟨xp⟩ follows from stationarity of x²."""
    found = FokkerPlanck(1e-7).solve(model)
    W = found.distribution
    assert mesh_integral(W, lambda X, P: 1.0) == pytest.approx(1.0, abs=1e-8)
    assert mesh_integral(W, lambda X, P: X**2 * P**2) == pytest.approx(
        np.sum(W.nodes.weight * W.nodes.X**2 * W.nodes.P**2), rel=1e-7
    )
    assert np.min(W.nodes.density) > 0.0
    assert abs(found.imbalance) < 1e-7
    assert abs(found.moments["x_p"]) < 1e-7
    assert abs(found.moments["p"]) < 1e-7
    assert W.edge_probability < 1e-14


def test_stationary_equation_holds_pointwise():
    """Put W back into the equation by finite differences on a mesh that knows nothing of orbits."""
    model = lopsided(0.01)
    W = FokkerPlanck(1e-7).solve(model).distribution
    axis, h = np.linspace(-2.0, 2.0, 21), 1e-3
    X, P = np.meshgrid(axis, axis, indexing="ij")

    def flux(X, P):
        force, friction, diffusion = model.scaled(X)
        slope = (W.density(X, P + h) - W.density(X, P - h)) / (2.0 * h)
        return (X - force + friction * P) * W.density(X, P) + diffusion * slope

    change = (flux(X, P + h) - flux(X, P - h)) / (2.0 * h)
    change -= P * (W.density(X + h, P) - W.density(X - h, P)) / (2.0 * h)
    assert np.max(np.abs(change)) < 2e-6 * np.max(W.density(X, P))


def test_estimates_bound_the_true_errors():
    rng = np.random.default_rng(3)
    for _ in range(6):
        a, b, c = rng.uniform(-1.0, 1.0, 3)
        model = PhaseSpaceModel.from_functions(
            force=lambda x, a=a: 0.1 * np.tanh(x - a),
            friction=lambda x, b=b: 0.01 * (1.0 - 1.5 / (1.0 + (x - b) ** 2 / 9.0)),
            diffusion=lambda x, c=c: 0.03 + 0.01 * np.tanh((x + c) / 3.0),
        )
        rough, fine = FokkerPlanck(1e-4).solve(model), FokkerPlanck(1e-7).solve(model)
        for name in ("phonon_number", "g2", "purity"):
            assert abs(rough.moments[name] - fine.moments[name]) <= rough.errors[name]
        assert rough.relative_error <= 1e-4


def test_means_of_local_observables():
    def rates(x):
        return np.stack([0.0 * x, 0.1 + 0.0 * x, 0.4 + 0.0 * x, x**2, x])

    model = PhaseSpaceModel(rates, local_observables=("square", "place"))
    found = FokkerPlanck().solve(model)
    assert found.local_means["square"] == pytest.approx(2.0, rel=1e-8)
    assert found.local_means["place"] == pytest.approx(0.0, abs=1e-8)


def test_tolerance_out_of_reach_is_said():
    with pytest.raises(NotConverged, match="did not reach rtol = 1e-12"):
        FokkerPlanck(1e-12).solve(lopsided(0.01))


@pytest.mark.parametrize("rtol", [0.0, -1e-6, 1.0, float("nan"), "small"])
def test_rtol_is_validated(rtol):
    with pytest.raises(InvalidArgument, match="`rtol` must"):
        FokkerPlanck(rtol)


def test_several_wells_are_refused_by_the_orbit_average():
    with pytest.raises(NotConverged, match="several wells"):
        EnergyDiffusion().solve(boltzmann(lambda x: 2.0 * x - 0.2 * x**3, constant(0.1), 0.5))


@pytest.mark.parametrize("field", ["frequency", "mass"])
def test_model_is_validated(field):
    with pytest.raises(InvalidArgument, match=f"`{field}` must be positive, but is -1"):
        PhaseSpaceModel(lambda x: np.zeros((3, x.size)), **{field: -1.0})


@pytest.mark.parametrize(("width", "least"), [(3.0, 0.0), (0.3, 1e-7)])
def test_local_observables_that_vary_faster_than_the_state(width, least):
    """W = exp(−H/T) whatever the friction; over a thousand quanta a step in it is narrow."""
    temperature = 1000.5

    def coefficients(x):
        step = np.tanh((x - 10.0) / width)
        friction = 1e-3 * (1.0 + 0.5 * step)
        return np.stack([0.0 * x, friction, 2.0 * temperature * friction, step, 1.0 - step**2])

    model = PhaseSpaceModel(coefficients, local_observables=("step", "bump"))
    found = FokkerPlanck(1e-6).solve(model)
    assert found.moments["phonon_number"] == pytest.approx(1000.0, rel=1e-6)
    x = np.linspace(-9.0, 9.0, 200001) * np.sqrt(temperature)
    weight = np.exp(-0.5 * x**2 / temperature)
    for i, name in enumerate(model.local_observables):
        exact = weight @ coefficients(x)[3 + i] / np.sum(weight)
        error = abs(found.local_means[name] - exact)
        assert least < found.local_errors[name] < 1e-2
        assert error <= found.local_errors[name]


def test_a_local_observable_that_the_tables_do_not_follow_tells_its_error():
    """Constant friction and noise ask for no more than a few points; a step beside them would."""

    def coefficients(x):
        return np.stack([0.0 * x, 0.0 * x + 1e-3, 0.0 * x + 0.1, np.tanh(x - 10.0)])

    found = FokkerPlanck(1e-6).solve(PhaseSpaceModel(coefficients, local_observables=("step",)))
    x = np.linspace(-65.0, 65.0, 200001)
    weight = np.exp(-(x**2) / 100.0)
    exact = weight @ np.tanh(x - 10.0) / np.sum(weight)
    error = abs(found.local_means["step"] - exact)
    assert 1e-3 < error <= found.local_errors["step"]
