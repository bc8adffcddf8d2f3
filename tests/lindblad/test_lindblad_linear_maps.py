"""Evolution of any operator: linear, and two-time correlations by the regression theorem."""

import numpy as np
import pytest
from open_systems import EXAMPLES, basis, driven_cavity, exact_state, lowering, random_system

from wheelwork.errors import InvalidArgument
from wheelwork.lindblad import ExplicitSteps, Exponential, ImplicitSteps, Lindblad, evolve
from wheelwork.lindblad import steady_state as solved

METHODS = [None, ImplicitSteps(), ExplicitSteps(), Exponential()]


def random_operator(dimension, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(dimension, 2 * dimension)).view(complex)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("jumps", [0, 2])
def test_any_operator_evolves_as_by_the_full_equation(method, jumps):
    system = random_system(4, dimension=4, kinds=jumps)
    for scale in (1.0, 1e-20, 1e30):
        X = scale * random_operator(4)
        result = evolve(system.lindblad, X, [0.0, 0.1, 0.3], method=method)
        for i, time in enumerate(result.times):
            off = np.abs(result.state(i).density_matrix - exact_state(system, X, time)).max()
            assert off <= 1e-9 * scale
            assert off <= 5.0 * result.error[i] + 1e-13 * scale


def test_traceless_operators_and_zero():
    system = EXAMPLES["collective decay"]
    X = np.zeros((4, 4))
    X[0, 3] = 1.0
    result = evolve(system.lindblad, X, [0.7])
    expected = exact_state(system, X, 0.7)
    np.testing.assert_allclose(result.final.density_matrix, expected, atol=1e-11)
    assert abs(result.final.trace) < 1e-15
    nothing = evolve(system.lindblad, 0.0 * X, [0.7], observables={"x": np.eye(4)})
    assert nothing.means["x"][0] == 0.0


def test_the_map_is_linear():
    system = EXAMPLES["Jaynes–Cummings"]
    X, Y = random_operator(16, 1), random_operator(16, 2)
    z = 0.3 - 0.8j
    parts = [evolve(system.lindblad, M, [1.5]).final.density_matrix for M in (X, Y, z * X + Y)]
    np.testing.assert_allclose(parts[2], z * parts[0] + parts[1], atol=1e-8)


def test_a_correlation_of_a_damped_cavity():
    """⟨a†(t) a(0)⟩ = n̄ exp((iω − κ/2) t) of a thermal cavity, by hand."""
    levels, omega, kappa, mean = 40, 1.7, 0.4, 0.6
    a = lowering(levels)
    jumps = [np.sqrt(kappa * (mean + 1.0)) * a, np.sqrt(kappa * mean) * a.T]
    lindblad = Lindblad(omega * a.T @ a, jumps)
    rho = solved(lindblad).state.density_matrix
    times = np.linspace(0.0, 6.0, 7)
    result = evolve(lindblad, a @ rho, times, observables={"g1": a.T})
    expected = mean * np.exp((1j * omega - 0.5 * kappa) * times)
    np.testing.assert_allclose(result.means["g1"], expected, atol=1e-8)
    assert result.largest == {}


def test_a_correlation_agrees_with_qutip():
    qutip = pytest.importorskip("qutip")
    system = driven_cavity(12, occupation=0.1)
    a, H = qutip.destroy(12), qutip.Qobj(system.hamiltonian)
    jumps = [qutip.Qobj(jump) for jump in system.jumps]
    rho, times = qutip.steadystate(H, jumps), np.linspace(0.0, 3.0, 7)
    options = {"atol": 1e-13, "rtol": 1e-11, "nsteps": 100_000, "progress_bar": ""}
    theirs = qutip.correlation_2op_1t(H, rho, times, jumps, a.dag() * a, a, options=options)
    result = evolve(
        system.lindblad, a * rho, times, observables={"C": (a.dag() * a).full()}
    )  # ⟨A(t) B(0)⟩ = Tr A exp(Lt) Bρ
    assert np.max(np.abs(theirs.imag)) > 1e-3
    np.testing.assert_allclose(result.means["C"], theirs, atol=1e-8)


def test_what_only_a_hermitian_operator_has_is_refused():
    system = EXAMPLES["collective decay"]
    state = evolve(system.lindblad, random_operator(4), [0.1]).final
    for question in ("purity", "eigenvalues", "populations", "blocks"):
        with pytest.raises(InvalidArgument, match="`state` must be Hermitian"):
            getattr(state, question)
    assert "purity" not in repr(state)
    assert state.expect(np.eye(4)) == pytest.approx(state.trace)
    again = evolve(system.lindblad, state, [0.2]).final
    expected = exact_state(system, random_operator(4), 0.3)
    np.testing.assert_allclose(again.density_matrix, expected, atol=1e-9)


def test_a_mean_of_an_operator_that_is_not_hermitian():
    a = lowering(6)
    result = evolve(Lindblad(a.T @ a), (basis(6, 0) + basis(6, 1)) / np.sqrt(2.0), [0.0, 1.0],
                    observables={"a": a, "n": a.T @ a})  # fmt: skip
    np.testing.assert_allclose(result.means["a"], 0.5 * np.exp([0.0, -1.0j]), atol=1e-13)
    assert result.means["n"].dtype == float
    assert set(result.largest) == {"n"}
