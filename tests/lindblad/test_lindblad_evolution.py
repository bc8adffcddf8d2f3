"""States in time: the full equation, QuTiP, two methods, the order of the steps."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.sparse as sp
from open_systems import (
    EXAMPLES,
    basis,
    driven_cavity,
    exact_state,
    lowering,
    random_system,
    rotor,
)

from wheelwork.errors import NotConverged
from wheelwork.lindblad import (
    ExplicitSteps,
    Exponential,
    ImplicitSteps,
    Lindblad,
    State,
    evolve,
    steady_state,
)
from wheelwork.lindblad.sector import driven_sector
from wheelwork.lindblad.steps import ORDER, _interval, _Step

TIMES = np.array([0.0, 0.3, 1.0, 1.7, 4.0])


@pytest.mark.parametrize("method", [ImplicitSteps(), ExplicitSteps(), Exponential()])
@pytest.mark.parametrize("name", EXAMPLES)
def test_states_are_those_of_the_full_equation(name, method):
    system = EXAMPLES[name]
    rho = np.outer(system.start, system.start.conj())
    result = evolve(system.lindblad, system.start, TIMES, method=method)
    for i, time in enumerate(TIMES):
        off = np.abs(result.state(i).density_matrix - exact_state(system, rho, time))
        assert np.sum(np.tril(off)) <= 10.0 * result.error[i] + 1e-11
    assert result.error[-1] <= 1e-9


@pytest.mark.parametrize("name", EXAMPLES)
def test_evolution_agrees_with_qutip(name):
    qutip = pytest.importorskip("qutip")
    system = EXAMPLES[name]
    observables = system.observables
    theirs = qutip.mesolve(
        qutip.Qobj(system.hamiltonian),
        qutip.Qobj(system.start),
        TIMES,
        [qutip.Qobj(jump) for jump in system.jumps],
        e_ops=[qutip.Qobj(operator) for operator in observables.values()],
        options={"atol": 1e-12, "rtol": 1e-11, "nsteps": 100_000, "progress_bar": ""},
    )
    result = evolve(system.lindblad, qutip.Qobj(system.start), TIMES, observables=observables)
    for name_, expected in zip(observables, theirs.expect, strict=True):
        np.testing.assert_allclose(result.means[name_], expected, atol=1e-8)


@pytest.mark.parametrize("method", [ImplicitSteps(), ExplicitSteps()])
def test_the_largest_mean_on_the_way(method):
    """A qubit that turns once, looked at only at the end: cos² and sin² of half the angle."""
    flip, excited = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([0.0, 1.0])
    result = evolve(
        Lindblad(0.5 * flip),
        basis(2, 0),
        [0.0, 2.0 * np.pi, 5.0 * np.pi],
        observables={"up": excited, "down": -excited},
        method=method,
    )
    np.testing.assert_allclose(result.means["up"], [0.0, 0.0, 1.0], atol=1e-8)
    np.testing.assert_allclose(result.largest["up"], [0.0, 1.0, 1.0], atol=0.1)
    np.testing.assert_allclose(result.largest["down"], 0.0, atol=1e-8)
    assert np.all(result.largest["up"] >= result.means["up"])


def test_a_superposition_of_all_elements():
    """A generic system from a generic state: signs of phases, outside any symmetry."""
    system = random_system(3, dimension=4)
    psi = np.random.default_rng(0).normal(size=8).view(complex)
    psi /= np.linalg.norm(psi)
    rho = np.outer(psi, psi.conj())
    result = evolve(system.lindblad, psi, [0.05, 0.2])
    np.testing.assert_allclose(
        result.final.density_matrix, exact_state(system, rho, 0.2), atol=1e-10
    )


def test_a_coherent_state_spirals():
    """A coherent state of a damped cavity stays one: α(t) = α exp(−(iΔ + κ/2) t)."""
    a = lowering(40)
    alpha, n = 1.2 - 0.7j, np.arange(40)
    psi = np.cumprod(np.concatenate(([1.0 + 0j], alpha / np.sqrt(n[1:]))))
    psi /= np.linalg.norm(psi)
    lindblad = Lindblad(0.8 * a.T @ a, [np.sqrt(0.3) * a])
    result = evolve(lindblad, psi, [0.0, 1.0, 5.0])
    for i, time in enumerate(result.times):
        expected = alpha * np.exp(-(0.8j + 0.15) * time)
        assert result.state(i).expect(a) == pytest.approx(expected, abs=1e-9)


def test_decay_is_exponential():
    a = lowering(30)
    jumps = [np.sqrt(0.4 * 1.5) * a, np.sqrt(0.4 * 0.5) * a.T]
    times = np.linspace(0.0, 8.0, 9)
    result = evolve(Lindblad(a.T @ a, jumps), basis(30, 3), times, observables={"n": a.T @ a})
    np.testing.assert_allclose(result.means["n"], 0.5 + 2.5 * np.exp(-0.4 * times), atol=1e-8)
    assert result.sector.size == 30


def test_long_times_land_on_the_steady_state():
    system = rotor(41, lowest=-15, damping=1e-3)
    lindblad = system.lindblad
    result = evolve(lindblad, system.start, np.linspace(0.0, 5e4, 11))
    steady = steady_state(lindblad)
    assert abs(result.final.matrix - steady.state.matrix).max() < 1e-9
    for i in range(11):
        assert result.state(i).trace == pytest.approx(1.0, abs=1e-14)


def test_the_order_of_the_implicit_steps():
    system = driven_cavity(10, occupation=0.1)
    result = evolve(system.lindblad, system.start, [1.0])
    generator = sp.csc_array(_generator(system))
    start = result.sector.vector(sp.csc_array(np.outer(system.start, system.start.conj())))
    errors = []
    steps = np.array([2, 3, 4])
    for count in steps:
        x = start
        for _ in range(count):
            x = _Step.of(generator, 1.0 / count).apply(x)
        errors.append(np.abs(x - result.final.values).sum())
    slope = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope == pytest.approx(ORDER, abs=1.0)


def _generator(system):
    return driven_sector(system.lindblad, evolve(system.lindblad, system.start, [0.0]).sector.keys)[
        1
    ]


@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-8])
def test_the_tolerance_is_met(rtol):
    system = EXAMPLES["optomechanics"]
    exact = exact_state(system, np.outer(system.start, system.start.conj()), 3.0)
    result = evolve(system.lindblad, system.start, [1.0, 3.0], method=ImplicitSteps(rtol))
    off = float(np.abs(np.tril(result.final.density_matrix - exact)).sum())
    assert off <= result.error[-1] + 1e-12
    assert result.error[-1] <= rtol


@pytest.mark.parametrize(
    ("method", "rate"), [(ImplicitSteps(), 1e2), (ExplicitSteps(), 1e4), (Exponential(), 1e4)]
)
def test_every_digit_of_a_time_counts(method, rate):
    """ρ_01 = ½ exp(i ω t), which turns by 5·10⁻¹⁰ in the last bits of t if ω = 10⁴."""
    lindblad = Lindblad(np.diag([0.0, rate]))
    times = np.array([0.05, 1.0000000000000495, 1.0000000000000495, 1.05])
    result = evolve(lindblad, np.ones(2) / np.sqrt(2.0), times, method=method)
    for i, time in enumerate(times):
        off = result.state(i).density_matrix[0, 1] - 0.5 * np.exp(1j * _turned(rate, time))
        assert abs(off.real) + abs(off.imag) <= 2.0 * result.error[i] <= 2e-9


def _turned(rate, time):
    """rate · time modulo a turn, exactly."""
    with mpmath.workdps(40):
        return float(mpmath.fmod(mpmath.mpf(rate) * mpmath.mpf(time), 2 * mpmath.pi))


def test_a_uniform_sequence_has_equal_intervals():
    times = np.linspace(0.0, 7.3, 101)
    now, last, used, late = Fraction(0), 0.0, set(), []
    for time in times[1:]:
        last, left = _interval(float(time), now, last)
        now += Fraction(last)
        assert float(Fraction(float(time)) - now) == left
        used.add(last)
        late.append(abs(left))
    assert len(used) <= 2
    assert max(late) <= 1e-15 * 7.3


def test_stiff_rates_cost_nothing():
    fast, slow = np.zeros((3, 3)), np.zeros((3, 3))
    fast[0, 1], slow[1, 2] = 1e4, 1.0
    result = evolve(Lindblad(np.zeros((3, 3)), [fast, slow]), basis(3, 2), [0.5, 3.0])
    assert result.final.populations[2] == pytest.approx(np.exp(-3.0), abs=1e-9)
    with pytest.raises(NotConverged, match="ImplicitSteps"):
        evolve(Lindblad(np.zeros((3, 3)), [fast, slow]), basis(3, 2), [3.0], method=ExplicitSteps())


def test_a_tolerance_beyond_rounding_is_refused():
    system = rotor(41, lowest=-15)
    with pytest.raises(NotConverged, match=r"is known to .* only, not to 1e-12"):
        evolve(system.lindblad, system.start, [1e5, 2e5], method=ImplicitSteps(1e-12))


def test_means_without_states():
    system = EXAMPLES["spin chain"]
    full = evolve(system.lindblad, system.start, TIMES, observables=system.observables)
    bare = evolve(
        system.lindblad, system.start, TIMES, observables=system.observables, states=False
    )
    for name in system.observables:
        np.testing.assert_array_equal(full.means[name], bare.means[name])
    assert bare.values is None
    np.testing.assert_array_equal(bare.final.values, full.final.values)


def test_a_state_goes_on_from_where_another_stopped():
    system = EXAMPLES["Jaynes–Cummings"]
    half = evolve(system.lindblad, system.start, [2.0]).final
    assert isinstance(half, State)
    whole = evolve(system.lindblad, system.start, [4.0]).final
    again = evolve(system.lindblad, half, [2.0]).final
    np.testing.assert_allclose(again.density_matrix, whole.density_matrix, atol=1e-9)


def rabi(detuning, coupling, times, method=None):
    """Mean of σ_x from the lower state on, and what it should be."""
    H = np.array([[0.0, coupling], [coupling, detuning]])
    sigma_x = np.array([[0.0, 1.0], [1.0, 0.0]])
    result = evolve(Lindblad(H), basis(2, 0), times, observables={"x": sigma_x}, method=method)
    energies, vectors = np.linalg.eigh(H)
    phases = np.exp(-1j * np.outer(energies, times)) * vectors[0][:, None]
    psi = vectors @ phases
    return result, 2.0 * (psi[0].conj() * psi[1]).real


@pytest.mark.parametrize("coupling", [1e-2, 1e-5])
@pytest.mark.parametrize("times", [[40.0], [1e-4, 40.0], np.linspace(0.0, 40.0, 5)])
@pytest.mark.parametrize("method", [ImplicitSteps(), None])
def test_an_oscillation_without_decay_is_followed(times, coupling, method):
    """A long implicit step damps it, all the more quietly the weaker it is."""
    result, expected = rabi(100.0, coupling, times, method)
    assert np.max(np.abs(expected)) > 1e-2 * coupling
    assert np.all(np.abs(result.means["x"] - expected) <= result.error + 1e-15)


def test_an_oscillation_too_fast_to_follow_is_refused():
    method = ImplicitSteps(steps=2000)
    for detuning in (1e6, 1e12, 1e20):
        with pytest.raises(NotConverged, match=r"a rotating frame"):
            rabi(detuning, 1e-2 * detuning, [1.0], method)
    with pytest.raises(NotConverged, match="is too long a time"):
        rabi(1e20, 1.0, [1e20], method)
