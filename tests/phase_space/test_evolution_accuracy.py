"""Orders, estimates and long times of the evolution, on models without a closed form."""

from dataclasses import replace

import numpy as np
import pytest
from phase_space_systems import boltzmann, constant, damped_oscillator, lopsided, van_der_pol

from wheelwork.phase_space import FokkerPlanck, PhaseSpaceModel
from wheelwork.phase_space.evolution.evolve import evolve
from wheelwork.phase_space.evolution.mesh import Field, Mesh
from wheelwork.phase_space.evolution.split_steps import Flow, Step, combined
from wheelwork.states import Cat, Coherent, Ground, Thermal
from wheelwork.transport import Lead, Lorentzian, ResonantLevel


def distance(one, other):
    """∫|W − W′| (1 + H/⟨H⟩ + H²/⟨H²⟩) of two snapshots, on the finer mesh."""
    fine, coarse = sorted((one, other), key=lambda snapshot: snapshot.field.mesh.step)
    axis = fine.field.mesh.axis
    return fine.field.size(fine.field.values - coarse.wigner(axis, axis))


def random_model(rng):
    """Friction of either sign near the centre, positive outside; no symmetry."""
    a, b, c, strength = *rng.uniform(-1.0, 1.0, 3), rng.uniform(0.01, 0.06)
    return PhaseSpaceModel.from_functions(
        force=lambda x: 0.2 * np.tanh(0.7 * x - a),
        friction=lambda x: strength * (1.0 - 1.5 / (1.0 + (x - b) ** 2 / 9.0)),
        diffusion=lambda x: strength * (1.5 + 0.5 * np.tanh((x + c) / 3.0)),
    )


def flywheel(bias):
    """The device of Culhane et al., Fig. 2, without the machine around it."""
    force = 0.2 / np.sqrt(10.0)
    leads = tuple(
        Lead(sign * bias / 2, 2.0, Lorentzian(rate=2.0, centre=sign * 0.5, width=1.0))
        for sign in (1.0, -1.0)
    )
    dot = ResonantLevel(leads, 0.0, force)

    def coefficients(x):
        c = dot.coefficients(x, 1e-12)
        pull = force * (c.occupation - 0.5)
        return np.stack([pull, c.friction, c.diffusion, *c.particle_currents])

    return PhaseSpaceModel(coefficients, 0.2, 1.0, ("left", "right"))


def test_one_step_keeps_the_trace_to_rounding():
    mesh = Mesh(64, 7.0)
    flow = Flow(lopsided(0.3), 1e-11)
    step = Step(mesh, flow.rates(7.0), 1.0, 0.2)
    values = Coherent(1.0 + 0.5j).wigner(mesh.axis, mesh.axis)
    after = step.advance(values, 500, 6)
    assert np.sum(after) / np.sum(values) - 1.0 == pytest.approx(0.0, abs=1e-13)


@pytest.mark.parametrize("part", ["force", "friction", "diffusion"])
def test_weak_coefficients_act_right_at_any_step(part):
    """To first order in force, friction and noise, twelve steps per period are as good as many:
    the sum over equally spaced angles of a smooth periodic function is its integral.
    """
    weak = {"force": constant(0.0), "friction": constant(0.0), "diffusion": constant(0.0)}
    weak[part] = lambda x: 1e-6 * (1.0 + 0.3 * x + 0.2 * x**2)
    mesh = Mesh(80, 7.0)
    flow = Flow(PhaseSpaceModel.from_functions(**weak), 1e-12)
    start = Coherent(1.0 - 0.7j).wigner(mesh.axis, mesh.axis)

    def change(count):
        step = Step(mesh, flow.rates(7.0), 1.0, 2.0 * np.pi / count)
        return step.advance(start, count, 3) - start

    few, many = change(12), change(60)
    assert np.max(np.abs(many)) > 1e-7
    assert np.max(np.abs(few - many)) < 1e-3 * np.max(np.abs(many))


def test_orders_of_convergence():
    """Second order as it is, fourth and sixth by extrapolation; all of it against tiny steps."""
    mesh = Mesh(80, 8.0)
    flow = Flow(lopsided(0.2), 1e-12)
    start = Coherent(1.0 - 0.7j).wigner(mesh.axis, mesh.axis)

    def after(count):
        return Step(mesh, flow.rates(8.0), 1.0, 2.0 / count).advance(start, count, 14)

    exact = combined([after(n) for n in (60, 80, 100)], (3, 4, 5))
    counts = np.array([6, 8, 12])

    def order(solve):
        errors = [np.max(np.abs(solve(n) - exact)) for n in counts]
        return -np.polyfit(np.log(counts), np.log(errors), 1)[0]

    assert order(after) == pytest.approx(2.0, abs=0.1)
    assert order(lambda n: combined([after(n), after(2 * n)], (1, 2))) == pytest.approx(4, abs=0.3)
    three = [1, 2, 3]
    assert order(lambda n: combined([after(j * n) for j in three], three)) > 5.3


def test_estimates_are_honest_and_meet_rtol():
    rng = np.random.default_rng(5)
    states = [Ground(), Coherent(1.0 + 1.5j), Cat(1.2, 0.5), Thermal(2.0)]
    for state in states:
        schedule = [(0.0, random_model(rng))]
        rough = evolve(schedule, state, [3.0, 25.0], rtol=1e-4)
        fine = evolve(schedule, state, [3.0, 25.0], rtol=1e-7)
        for a, b in zip(rough.snapshots, fine.snapshots, strict=True):
            assert distance(a, b) <= a.distance <= 1e-4
            for name, value in a.moments.items():
                assert abs(value - b.moments[name]) <= a.errors[name], name


def test_two_stretches_are_as_good_as_one():
    model = random_model(np.random.default_rng(8))
    whole = evolve([(0.0, model)], Cat(1.0 + 0.5j), [10.0, 25.0], rtol=1e-7).snapshots
    later = evolve([(10.0, model)], whole[0], [25.0], rtol=1e-7).snapshots[0]
    assert distance(whole[1], later) <= later.distance + whole[1].distance


def test_a_step_of_the_model_is_a_stop_and_a_new_start():
    rng = np.random.default_rng(9)
    one, two = random_model(rng), random_model(rng)
    stepped = evolve([(0.0, one), (7.5, two)], Ground(), [7.5, 20.0], rtol=1e-7).snapshots
    first = evolve([(0.0, one)], Ground(), [7.5], rtol=1e-7).snapshots[0]
    second = evolve([(7.5, two)], first, [20.0], rtol=1e-7).snapshots[0]
    assert stepped[0].model is two
    assert distance(stepped[0], first) <= stepped[0].distance + first.distance
    assert distance(stepped[1], second) <= stepped[1].distance + second.distance
    other = evolve([(0.0, one)], Ground(), [20.0], rtol=1e-7).snapshots[0]
    assert distance(stepped[1], other) > 0.01


def test_local_observables_are_averaged():
    def rates(x):
        return np.stack([0.0 * x, 0.1 + 0.0 * x, 0.4 + 0.0 * x, x**2, x])

    model = PhaseSpaceModel(rates, local_observables=("square", "place"))
    found = evolve([(0.0, model)], Coherent(1.0), [0.0, 2.0], rtol=1e-6)
    for name, moment, unit in (("square", "x_squared", 2.0), ("place", "x", np.sqrt(2.0))):
        assert found.local_means[name] == pytest.approx(unit * found.moments[moment], abs=1e-9)
        error = np.abs(found.local_means[name] - unit * found.moments[moment])
        assert np.all(error <= found.local_errors[name])


def landed(late, steady):
    """Moments and W itself agree with a stationary solution to 1e-6."""
    for name in ("x_squared", "p_squared", "x_p", "phonon_number", "g2", "purity"):
        assert late.moments[name] == pytest.approx(steady.moments[name], rel=1e-6, abs=1e-6), name
    X, P = np.meshgrid(late.field.mesh.axis, late.field.mesh.axis, indexing="ij")
    inside = np.hypot(X, P) < steady.distribution.extent
    expected = np.where(inside, steady.distribution.density(X, P), 0.0)
    assert np.sum(np.abs(late.field.values - expected)) * late.field.mesh.cell < 1e-6
    assert abs(late.trace_drift) < 1e-12


@pytest.mark.parametrize("state", [Coherent(2.0j), Cat(1.5)], ids=["coherent", "cat"])
def test_long_times_are_boltzmann_at_equilibrium(state):
    """exp(−H/T) with U = x²/2 + 0.9 ln cosh(x/3) − x/10, at friction that varies with x."""
    model = boltzmann(
        lambda x: 0.1 - 0.3 * np.tanh(x / 3.0), lambda x: 0.12 + 0.04 / (1.0 + x**2 / 9.0), 0.9
    )
    late = evolve([(0.0, model)], state, [250.0], rtol=1e-6).snapshots[0]
    landed(late, FokkerPlanck(1e-8).solve(model))
    x = np.sqrt(2.0) * late.field.mesh.axis
    potential = x**2 / 2.0 + 0.9 * np.logaddexp(x / 3.0, -x / 3.0) - 0.1 * x
    exact = np.exp(-(potential[:, None] + x**2 / 2.0) / 0.9)
    exact /= np.sum(exact) * late.field.mesh.cell
    assert np.sum(np.abs(late.field.values - exact)) * late.field.mesh.cell < 1e-6


@pytest.mark.slow
def test_long_times_land_on_the_van_der_pol_ring():
    model = van_der_pol(0.05, temperature=0.6)
    late = evolve([(0.0, model)], Ground(), [620.0], rtol=3e-6).snapshots[0]
    landed(late, FokkerPlanck(1e-8).solve(model))


def test_the_flywheel_lands_on_its_steady_state():
    """At V = 0 it relaxes at about 3.3e-4, from a start that is 0.6 % off."""
    model = flywheel(0.0)
    steady = FokkerPlanck(1e-8).solve(model)
    late = evolve([(0.0, model)], Thermal(9.5), [3e4], rtol=1e-5).snapshots[0]
    for name in ("x_squared", "p_squared", "phonon_number", "g2"):
        assert late.moments[name] == pytest.approx(steady.moments[name], rel=1e-6), name
    assert abs(late.trace_drift) < 1e-12


def test_the_flywheel_charges():
    """Ground state at V = 16: early growth at rate −γ(0), with the noise of the electrons."""
    model = flywheel(16.0)
    _, friction, diffusion = model.scaled(np.zeros(1))[:3, 0]
    times = np.array([0.0, 60.0])
    found = evolve([(0.0, model)], Ground(), times, rtol=1e-7)
    expected = 0.5 * np.exp(-friction * 60.0) - 2.0 * diffusion / friction * np.expm1(
        -friction * 60.0
    )
    assert found.moments["phonon_number"][1] + 0.5 == pytest.approx(expected, rel=2e-3)
    assert found.local_means["left"] + found.local_means["right"] == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(found.moments["g2"][0])
    assert np.all(np.diff(found.distance) > 0.0)


def test_fields_survive_a_change_of_mesh():
    mesh = Mesh(60, 5.5)
    field = Field(mesh, Coherent(0.8 - 1.1j).wigner(mesh.axis, mesh.axis))
    for other in (Mesh(72, 5.5), Mesh(80, 7.0), Mesh(54, 5.2)):
        exact = Coherent(0.8 - 1.1j).wigner(other.axis, other.axis)
        assert np.max(np.abs(field.on(other).values - exact)) < 1e-10
    assert field.at(np.array([0.8]), np.array([-1.1])) == pytest.approx(2.0 / np.pi, rel=1e-10)
    assert field.at(np.array([9.0]), np.array([0.0])) == 0.0


def test_what_a_mesh_misses_is_counted():
    """Rim and tail bound what a too small and a too coarse mesh leave out."""
    small = Mesh(40, 1.9)
    field = Field(small, Ground().wigner(small.axis, small.axis))
    assert field.rim > 2.0 * np.exp(-2.0 * 1.9**2)
    assert field.tail < 1e-2
    coarse = Mesh(20, 4.5)
    field = Field(coarse, Ground().wigner(coarse.axis, coarse.axis))
    assert field.tail > np.exp(-(coarse.largest_wavenumber**2) / 8.0)
    assert field.rim < 1e-10


def test_clearing_keeps_the_trace_it_is_given():
    mesh = Mesh(40, 3.0)
    field = Field(mesh, Ground().wigner(mesh.axis, mesh.axis) + 1e-3)
    cleared = field.cleared(0.75)
    assert cleared.trace == pytest.approx(0.75, abs=1e-15)
    assert cleared.rim < 0.4 * field.rim


@pytest.mark.parametrize("part", ["force", "friction", "diffusion"])
def test_errors_of_the_table_are_bounded(part):
    """A coarse table against a fine one, where only one of the rates has structure."""
    rates = {"force": constant(0.0), "friction": constant(0.1), "diffusion": constant(0.4)}
    rates[part] = lambda x: 0.3 / (1.0 + (x - 0.7) ** 2)
    model = PhaseSpaceModel.from_functions(**rates)
    mesh = Mesh(80, 7.0)
    field = Field(mesh, Coherent(1.0 - 0.7j).wigner(mesh.axis, mesh.axis))
    coarse, fine = Flow(model, 3e-4), Flow(model, 1e-12)
    duration = 0.01
    ends = [
        Step(mesh, flow.rates(7.0), 1.0, duration).advance(field.values, 1, 3)
        for flow in (coarse, fine)
    ]
    change = field.size(ends[1] - ends[0])
    assert 1e-8 < change <= 1.1 * coarse.table_error(field, duration)


def test_zero_diffusion_and_friction_with_a_force_keeps_the_purity():
    """A force alone moves W without loss: ∫W² stays, though W itself is sheared."""
    model = PhaseSpaceModel.from_functions(
        force=lambda x: 0.1 * np.tanh(x), friction=constant(0.0), diffusion=constant(0.0)
    )
    found = evolve([(0.0, model)], Coherent(1.5), [0.0, 30.0], rtol=1e-6)
    assert found.moments["purity"] == pytest.approx(1.0, abs=1e-7)


def test_rates_that_vary_between_the_points_of_a_wide_state():
    """A Gaussian of 1000 quanta needs few points; what stands under its means may need more."""
    deviation = np.sqrt(1000.5)  # of x and of p

    def friction(x):
        return 1e-3 * (1.0 + 1.5 * np.tanh((x - 4.0) / 2.0))

    def diffusion(x):
        return 2e-3 / np.cosh(x / 3.0) ** 2

    def coefficients(x):
        return np.stack([0.0 * x, friction(x), diffusion(x), 1e3 * diffusion(x - 5.0)])

    model = PhaseSpaceModel(coefficients, local_observables=("bump",))
    [found] = evolve([(0.0, model)], Thermal(1000.0), [0.0], 1e-6).snapshots
    x = np.linspace(-9.0 * deviation, 9.0 * deviation, 20001)
    weight = np.exp(-0.5 * (x / deviation) ** 2)
    weight /= np.sum(weight)
    assert found.field.mesh.step * model.length > 8.0
    bump = weight @ coefficients(x)[3]
    assert abs(found.local_means["bump"] - bump) <= found.local_errors["bump"] < 1e-6
    lost = -weight @ friction(x) * 1000.5  # −2⟨γ P²⟩ with P = p/√2
    gained = 0.5 * (weight @ diffusion(x))  # 2⟨D⟩/2p0²
    assert found.energy_rates[1] == pytest.approx(lost, abs=found.energy_rates_error)
    assert found.energy_rates[2] == pytest.approx(gained, abs=found.energy_rates_error)
    assert found.energy_rates_error < 1e-6


def test_error_of_a_coherence_barely_known():
    """g² = 2 of few quanta, of which the number is known to a third."""
    model = damped_oscillator(friction=1e-9, diffusion=1e-9)
    [found] = evolve([(0.0, model)], Thermal(1e-3), [0.0], 1e-6).snapshots
    known = replace(found, distance=0.3 * 1e-3 / found.field.mean_energy)
    off = known.errors["phonon_number"]
    least = known.moments["phonon_number"] - off
    most = known.moments["g2"] * known.moments["phonon_number"] ** 2
    most += known.distance * found.field.mean_energy_squared + 2.0 * off
    assert known.errors["g2"] >= most / least**2 - known.moments["g2"]
    nothing = evolve([(0.0, model)], Ground(), [0.0], 1e-6).snapshots[0]
    assert np.isnan(nothing.moments["g2"])
    assert np.isnan(nothing.errors["g2"])
