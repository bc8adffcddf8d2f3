"""Evolution of oscillators that are solved in closed form."""

import numpy as np
import pytest
from phase_space_systems import constant
from scipy.linalg import expm

from wheelwork.phase_space import PhaseSpaceModel
from wheelwork.phase_space.evolution.evolve import evolve
from wheelwork.states import (
    Cat,
    Coherent,
    FromDensityMatrix,
    Ground,
    Thermal,
    cat_state,
    coherent_state,
)

FREE = PhaseSpaceModel.from_functions(
    force=constant(0.0), friction=constant(0.0), diffusion=constant(0.0), frequency=0.2, mass=1.7
)


def linear(friction, diffusion, pull=0.0, spring=0.0, frequency=0.7, mass=1.3):
    """Force pull − spring·x, constant friction m γ and diffusion D."""
    return PhaseSpaceModel.from_functions(
        force=lambda x: pull - spring * x,
        friction=constant(friction),
        diffusion=constant(diffusion),
        frequency=frequency,
        mass=mass,
    )


def exact_flow(friction, diffusion, pull, spring, frequency, mass, time):
    """z(t) = G z(0) + shift + Gaussian noise of covariance S, in scaled coordinates."""
    x0, p0 = np.sqrt(2.0 / (mass * frequency)), np.sqrt(2.0 * mass * frequency)
    drift = np.array([[0.0, frequency], [-frequency - spring * x0 / p0, -friction / mass]])
    kick = np.array([0.0, pull / p0])
    noise = np.diag([0.0, diffusion / p0**2])
    affine = expm(time * np.block([[drift, kick[:, None]], [np.zeros((1, 3))]]))
    # Van Loan: the integral of e^(As) Q e^(Aᵀs) from one exponential
    pair = expm(time * np.block([[-drift, noise], [np.zeros((2, 2)), drift.T]]))
    return affine[:2, :2], affine[:2, 2], pair[2:, 2:].T @ pair[:2, 2:]


def characteristic(W, axis, k):
    """∫ W exp(−i k·z) dX dP for k of shape (n, 2)."""
    step = axis[1] - axis[0]
    over_X, over_P = (np.exp(-1j * np.outer(k[:, i], axis)) for i in (0, 1))
    return step**2 * np.sum((over_X @ W) * over_P, axis=1)


@pytest.mark.parametrize("state", [Coherent(2.0 - 1.1j), Cat(1.5 + 1.2j, 0.4)])
def test_free_rotation_is_exact(state):
    """W(X, P, t) = W(X cos ω0t − P sin ω0t, P cos ω0t + X sin ω0t, 0), negative parts too."""
    times = [0.0, 7.3, 500.0]
    found = evolve([(0.0, FREE)], state, times, rtol=1e-8)
    for one, time in zip(found.snapshots, times, strict=True):
        turned = type(state)(state.amplitude * np.exp(-0.2j * time), *_phase(state))
        axis = one.field.mesh.axis
        assert np.max(np.abs(one.field.values - turned.wigner(axis, axis))) < 1e-12
    assert np.min(found.snapshots[-1].field.values) < (-0.1 if isinstance(state, Cat) else 1e-13)
    assert np.max(np.abs(found.trace_drift)) < 1e-13


def _phase(state):
    return (state.phase,) if isinstance(state, Cat) else ()


def test_free_coherent_state_follows_its_classical_path():
    times = np.linspace(0.0, 1200.0, 7)
    moments = evolve([(0.0, FREE)], Coherent(3.0 + 1.0j), times, rtol=1e-8).moments
    path = (3.0 + 1.0j) * np.exp(-0.2j * times)
    assert np.max(np.abs(moments["x"] + 1j * moments["p"] - path)) < 1e-12
    assert np.max(np.abs(moments["x_squared"] - path.real**2 - 0.25)) < 1e-11
    assert np.max(np.abs(moments["x_p"] - path.real * path.imag)) < 1e-11
    assert np.max(np.abs(moments["purity"] - 1.0)) < 1e-11
    assert np.max(np.abs(moments["g2"] - 1.0)) < 1e-11


@pytest.mark.parametrize("friction", [0.004, 0.5])
@pytest.mark.parametrize(
    "state",
    [Ground(), Thermal(1.5), Coherent(1.4 - 0.8j), Cat(1.1 + 1.3j, 0.6)],
    ids=["ground", "thermal", "coherent", "cat"],
)
def test_ornstein_uhlenbeck_from_any_state(state, friction):
    """The characteristic function at time t is that of the start at Gᵀk, moved and damped."""
    given = {"friction": friction, "diffusion": 3.0 * friction, "pull": 0.05, "spring": 0.03}
    times = np.array([0.9, 6.0, 31.0])
    found = evolve([(0.0, linear(**given))], state, times, rtol=1e-7)
    start = evolve([(0.0, FREE)], state, [0.0], rtol=1e-9).snapshots[0].field
    k = np.random.default_rng(1).normal(size=(60, 2)) * 3.0
    for one, time in zip(found.snapshots, times, strict=True):
        G, shift, S = exact_flow(**given, frequency=0.7, mass=1.3, time=time)
        expected = characteristic(start.values, start.mesh.axis, k @ G)
        expected *= np.exp(-1j * k @ shift - 0.5 * np.einsum("ni,ij,nj->n", k, S, k))
        ours = characteristic(one.field.values, one.field.mesh.axis, k)
        assert np.max(np.abs(ours - expected)) < min(1e-7, one.distance)


def test_moments_follow_the_matrix_exponential():
    given = {"friction": 0.02, "diffusion": 0.1, "pull": 0.2, "spring": 0.0}
    times = np.array([0.0, 2.0, 40.0])
    found = evolve([(0.0, linear(**given))], Coherent(2.0 + 1.0j), times, rtol=1e-7)
    for i, time in enumerate(times):
        G, shift, S = exact_flow(**given, frequency=0.7, mass=1.3, time=time)
        mean, spread = G @ [2.0, 1.0] + shift, G @ G.T / 4.0 + S
        second = spread + np.outer(mean, mean)
        assert found.moments["x"][i] == pytest.approx(mean[0], abs=1e-7)
        assert found.moments["p"][i] == pytest.approx(mean[1], abs=1e-7)
        assert found.moments["x_squared"][i] == pytest.approx(second[0, 0], rel=1e-7)
        assert found.moments["p_squared"][i] == pytest.approx(second[1, 1], rel=1e-7)
        assert found.moments["x_p"][i] == pytest.approx(second[0, 1], abs=1e-7)
        purity = 0.25 / np.sqrt(np.linalg.det(spread))
        assert found.moments["purity"][i] == pytest.approx(purity, rel=1e-6)


def test_fringes_of_a_cat_decay_as_diffusion_says():
    """ln of the transform at k = 4α turned along: −½ kᵀ S k, nearly −d k² t/2 over periods."""
    d, time, alpha = 2e-3, 100.0, 2.0
    diffusion = 2.0 * FREE.momentum**2 * d
    model = linear(0.0, diffusion, frequency=0.2, mass=1.7)
    one = evolve([(0.0, model)], Cat(alpha), [time], rtol=1e-8).snapshots[0]
    k = 4.0 * alpha * np.array([[np.sin(0.2 * time), np.cos(0.2 * time)]])
    kept = characteristic(one.field.values, one.field.mesh.axis, k)[0].real
    # at the start: half from the fringes, and what the two lobes have there
    first = (0.5 + np.exp(-2.0 * alpha**2)) / (1.0 + np.exp(-2.0 * alpha**2))
    lost = -np.log(kept / first)
    S = exact_flow(0.0, diffusion, 0.0, 0.0, 0.2, 1.7, time)[2]
    assert lost == pytest.approx(0.5 * (k @ S @ k.T)[0, 0], rel=1e-5)
    assert lost == pytest.approx(0.5 * d * 64.0 * time, rel=0.05)


def test_a_density_matrix_moves_as_the_state_it_is():
    matrix = cat_state(1.2 + 0.5j, 40, phase=0.3)
    model = linear(0.01, 0.05, pull=0.1)
    one, other = (
        evolve([(0.0, model)], state, [5.0], rtol=1e-7).moments
        for state in (FromDensityMatrix(matrix), Cat(1.2 + 0.5j, 0.3))
    )
    for name, value in one.items():
        assert value == pytest.approx(other[name], rel=1e-6, abs=1e-7), name


def test_a_truncated_density_matrix_is_the_state_of_its_levels():
    """Trace short of one by 3e-7, far more than the errors stated."""
    matrix = coherent_state(3.0, 28, tolerance=1e-6)
    whole = matrix / np.trace(matrix).real
    [found] = evolve([(0.0, FREE)], FromDensityMatrix(matrix), [0.0], rtol=1e-8).snapshots
    number = float(np.arange(28) @ np.diagonal(whole).real)
    assert abs(found.trace_drift) < 1e-12
    assert abs(found.moments["phonon_number"] - number) <= found.errors["phonon_number"] < 1e-9
    purity = float(np.sum(np.abs(whole) ** 2))
    assert abs(found.moments["purity"] - purity) <= found.errors["purity"] < 1e-9
