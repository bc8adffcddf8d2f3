"""Steady states against closed forms, the full equation, QuTiP, and each other."""

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
from open_systems import (
    EXAMPLES,
    SIGMA,
    basis,
    driven_cavity,
    exact_state,
    exact_steady_state,
    lowering,
    product,
    rotor,
    two_modes,
    unit,
)

from wheelwork.errors import NoSteadyState, NotConverged
from wheelwork.lindblad import Krylov, Lindblad, SparseLU, steady_state
from wheelwork.lindblad.block_preconditioner import BlockSweeps
from wheelwork.lindblad.sector import diagonal_sector, jump_superoperator
from wheelwork.lindblad.steady_methods import _by_cost
from wheelwork.lindblad.uniqueness import _distinct_columns


def test_a_driven_cavity_is_coherent():
    system = driven_cavity(40, detuning=0.7, drive=0.8, rate=1.3)
    alpha = -1j * 0.8 / (0.65 + 0.7j)
    result = steady_state(system.lindblad)
    a = lowering(40)
    assert result.expect(a) == pytest.approx(alpha, abs=1e-12)
    assert result.expect(a.T @ a) == pytest.approx(abs(alpha) ** 2, abs=1e-12)
    assert result.state.eigenvalues[0] == pytest.approx(1.0, abs=1e-11)


def test_a_driven_qubit_obeys_the_optical_bloch_equations():
    drive, detuning, rate = 0.9, -0.4, 0.6
    H = 0.5 * drive * (SIGMA + SIGMA.T) + detuning * (SIGMA.T @ SIGMA)
    result = steady_state(Lindblad(H, [np.sqrt(rate) * SIGMA]))
    saturation = 0.5 * drive**2 / (detuning**2 + 0.25 * rate**2)
    up = 0.5 * saturation / (1.0 + saturation)
    assert result.state.populations[1] == pytest.approx(up, abs=1e-14)
    # d(up)/dt = 0: what the drive pumps decays; fixes the sign of the coherence
    coherence = result.state.density_matrix[0, 1]
    assert drive * coherence.imag == pytest.approx(rate * up, abs=1e-14)


@pytest.mark.parametrize("occupation", [0.05, 1.0])
def test_a_warm_cavity_is_thermal(occupation):
    a = lowering(60)
    jumps = [np.sqrt(occupation + 1.0) * a, np.sqrt(occupation) * a.T]
    result = steady_state(Lindblad(0.3 * a.T @ a, jumps))
    ratio = occupation / (occupation + 1.0)
    expected = ratio ** np.arange(60) * (1.0 - ratio) / (1.0 - ratio**60)
    np.testing.assert_allclose(result.state.populations, expected, atol=1e-14)
    assert result.sector.size == 60
    assert result.relaxation_rate == pytest.approx(1.0, rel=0.3)


def test_detailed_balance_between_the_levels_of_a_hamiltonian_gives_gibbs():
    random = np.random.default_rng(5)
    H = random.normal(size=(6, 6))
    energies, vectors = np.linalg.eigh(H + H.T)
    jumps = []
    for i in range(6):
        for k in range(i):
            move = np.outer(vectors[:, k], vectors[:, i])
            jumps += [move, np.exp(-0.5 * 0.7 * (energies[i] - energies[k])) * move.T]
    result = steady_state(Lindblad(H + H.T, jumps))
    gibbs = scipy.linalg.expm(-0.7 * (H + H.T))
    np.testing.assert_allclose(result.state.density_matrix, gibbs / np.trace(gibbs), atol=1e-13)


@pytest.mark.parametrize("method", [SparseLU(), Krylov()])
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_method_solves_the_full_equation(name, method):
    system = EXAMPLES[name]
    result = steady_state(system.lindblad, method)
    off = np.abs(result.state.density_matrix - exact_steady_state(system))
    assert np.max(off) < 1e-8
    assert result.error < 1e-8
    assert result.residual < 1e-12
    assert result.state.trace == pytest.approx(1.0, abs=1e-13)
    assert result.state.eigenvalues[-1] > -1e-12


@pytest.mark.parametrize("name", EXAMPLES)
def test_steady_states_agree_with_qutip(name):
    qutip = pytest.importorskip("qutip")
    system = EXAMPLES[name]
    H, jumps = qutip.Qobj(system.hamiltonian), [qutip.Qobj(jump) for jump in system.jumps]
    theirs = qutip.steadystate(H, jumps, method="direct").full()
    ours = steady_state(Lindblad(H, jumps))
    assert np.max(np.abs(ours.state.density_matrix - theirs)) < 1e-8
    for operator in system.observables.values():
        assert ours.expect(operator) == pytest.approx(
            np.trace(operator.toarray() @ theirs), abs=1e-8
        )


@pytest.mark.parametrize("name", [*EXAMPLES, "weakly damped rotor"])
def test_the_estimated_error_is_honest(name):
    """Against the same problem with another rounding: basis states in another order."""
    system = EXAMPLES.get(name) or rotor(64)
    result = steady_state(system.lindblad)
    order = np.random.default_rng(4).permutation(system.hamiltonian.shape[0])
    turned = [sp.csc_array(m[order][:, order]) for m in (system.hamiltonian, *system.jumps)]
    other = steady_state(Lindblad(turned[0], turned[1:])).state.density_matrix
    off = np.abs(result.state.density_matrix[np.ix_(order, order)] - other)
    assert np.sum(np.tril(off)) <= 2.0 * result.error
    assert result.error < 1e-9


def test_the_relaxation_rate_is_an_eigenvalue():
    system = rotor(6, coupling=1.0, damping=0.05)
    result = steady_state(system.lindblad)
    eigenvalues = np.sort(np.abs(np.linalg.eigvals(result.generator.toarray())))
    assert result.relaxation_rate == pytest.approx(eigenvalues[1], rel=0.3)
    assert result.relaxation_rate > 0.9 * eigenvalues[1]
    iterative = steady_state(system.lindblad, Krylov())
    assert 0.5 < iterative.relaxation_rate / eigenvalues[1] < 10.0


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_preconditioner_is_exact_between_jumps(name):
    """Without the gain of the jumps, its sweeps undo the equation up to their small shift."""
    lindblad = EXAMPLES[name].lindblad
    sector, generator = diagonal_sector(lindblad)
    gain, outside = jump_superoperator(lindblad, sector, np.ones(len(lindblad.jumps)))
    assert outside.size == 0
    loss = sp.csc_array(generator - gain)
    x = np.random.default_rng(7).normal(size=sector.size)
    again = BlockSweeps.of(lindblad, sector, loss).solve(loss @ x)
    alive = np.abs(loss.diagonal()) > 1e-2  # what never decays is shifted, not inverted
    np.testing.assert_allclose(again[alive], x[alive], rtol=2e-2, atol=2e-3)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_inverse_solves_for_traceless_states(name):
    for method in (SparseLU(), Krylov()):
        result = steady_state(EXAMPLES[name].lindblad, method)
        b = np.random.default_rng(6).normal(size=result.sector.size)
        b[result.sector.populations] -= np.mean(b[result.sector.populations])
        b[result.sector.populations[0]] -= np.sum(b[result.sector.populations])
        x = result.inverse.solve(b)
        np.testing.assert_allclose(result.generator @ x, b, atol=1e-9)
        assert np.sum(x[result.sector.populations]) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("system", "method"),
    [(rotor(1024), SparseLU), (two_modes(20), SparseLU), (two_modes(50), Krylov)],
)
def test_the_method_suits_the_size(system, method):
    lindblad = system.lindblad
    assert isinstance(_by_cost(lindblad, *diagonal_sector(lindblad))[0], method)


def test_the_quantum_power_grid_of_two_sites():
    """ΔJ at n0 = 1, γ = 1e-3, gain 4, loss 8, J² as the square of the operator."""
    system = two_modes(40, loss=8.0)
    J = system.observables["flow"]
    for method in (SparseLU(), Krylov()):
        result = steady_state(system.lindblad, method)
        spread = np.sqrt(result.expect(J @ J) - result.expect(J) ** 2)
        assert spread == pytest.approx(1.64927, abs=6e-6)


class TestSeveral:
    """Dephasing and parity leave more than one state as it is."""

    def test_populations_that_nothing_changes(self):
        lindblad = Lindblad(np.diag([0.0, 1.0, 2.5]), [np.diag([0.0, 1.0, -1.0])])
        with pytest.raises(NoSteadyState, match=r"there are 3 independent .* give `initial`"):
            steady_state(lindblad)

    def test_krylov_refuses_too(self):
        a = lowering(8)
        with pytest.raises((NoSteadyState, NotConverged)):
            steady_state(Lindblad(a.T @ a, [a @ a]), Krylov())

    def test_two_photon_loss_keeps_the_parity(self):
        a = lowering(10)
        lindblad = Lindblad(a.T @ a, [a @ a])
        with pytest.raises(NoSteadyState, match="there are 2 independent"):
            steady_state(lindblad)
        even = steady_state(lindblad, initial=basis(10, 6))
        odd = steady_state(lindblad, initial=basis(10, 7))
        assert even.state.populations[0] == pytest.approx(1.0, abs=1e-9)
        assert odd.state.populations[1] == pytest.approx(1.0, abs=1e-9)

    def test_weights_of_an_initial_mixture_are_kept(self):
        a = lowering(10)
        lindblad = Lindblad(0.0 * a, [a @ a])
        psi = np.zeros(10)
        psi[[2, 3, 4]] = np.sqrt([0.2, 0.3, 0.5])
        result = steady_state(lindblad, initial=psi)
        assert result.state.populations[:2] == pytest.approx([0.7, 0.3], abs=1e-8)
        late = exact_state(
            type("S", (), {"hamiltonian": lindblad.hamiltonian, "jumps": lindblad.jumps}),
            np.outer(psi, psi).astype(complex),
            60.0,
        )
        np.testing.assert_allclose(result.state.density_matrix, late, atol=1e-7)
        assert abs(late[0, 1]) > 0.05  # a coherence that survives
        assert result.inverse is None
        assert result.unique is False

    def test_a_coherence_outside_the_sector_may_be_conserved(self):
        """Populations alone reach one state, but ⟨σ_x⟩ never changes."""
        sigma_x = np.array([[0.0, 1.0], [1.0, 0.0]])
        result = steady_state(Lindblad(np.zeros((2, 2)), [sigma_x]))
        assert result.sector.size == 2
        assert result.unique is False

    def test_two_uncoupled_halves(self):
        one = np.kron(np.diag([1.0, 0.0]), SIGMA.toarray())
        two = np.kron(np.diag([0.0, 1.0]), SIGMA.toarray())
        lindblad = Lindblad(np.zeros((4, 4)), [one, one.T, two, 2.0 * two.T])
        with pytest.raises(NoSteadyState, match="there are 2"):
            steady_state(lindblad)
        result = steady_state(lindblad, initial=basis(4, 3))
        assert result.state.populations == pytest.approx([0.0, 0.0, 0.2, 0.8], abs=1e-9)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("rotor", True), ("driven cavity", True), ("Jaynes–Cummings", True), ("spin chain", True)],
)
def test_uniqueness_is_known(name, expected):
    assert steady_state(EXAMPLES[name].lindblad).unique is expected


def test_uniqueness_of_a_large_problem_is_proved_or_left_open():
    assert steady_state(rotor(64).lindblad).unique is True
    blurred = product(SIGMA, unit(20))
    a = product(unit(2), lowering(20))
    lindblad = Lindblad(a.T @ a, [blurred + 0.1 * a, a, 0.7 * a.T, blurred.T])
    assert steady_state(lindblad).unique in (True, None)


def test_a_dark_state_is_found():
    """Two lower levels driven into one decaying level: the dark superposition is pure."""
    H = np.zeros((3, 3))
    H[0, 2] = H[2, 0] = 0.6
    H[1, 2] = H[2, 1] = 0.8
    jumps = [np.zeros((3, 3)), np.zeros((3, 3))]
    jumps[0][0, 2] = jumps[1][1, 2] = 1.0
    for method in (SparseLU(), Krylov()):
        result = steady_state(Lindblad(H, jumps), method)
        np.testing.assert_allclose(
            result.state.density_matrix[:2, :2], [[0.64, -0.48], [-0.48, 0.36]], atol=1e-9
        )
        assert result.unique is True


def test_a_rate_lost_in_rounding_is_refused():
    weak = Lindblad(np.diag([0.0, 1e4]), [1e3 * SIGMA.toarray(), 1e-9 * SIGMA.toarray().T])
    assert steady_state(weak).state.populations[1] == pytest.approx(1e-24, rel=1e-3, abs=1e-15)
    H = np.diag([0.0, 1.0, 2.0, 3.0])
    fast = np.zeros((4, 4))
    fast[0, 1] = fast[2, 3] = 1e3
    slow = np.zeros((4, 4))
    slow[0, 2] = 1e-6
    with pytest.raises((NoSteadyState, NotConverged)):
        steady_state(Lindblad(H, [fast, slow, slow.T, 1e-3 * fast.T]))


def two_wells(slow, levels=12):
    """Cavities warmed differently, with rare jumps between: their weights are 1/3 and 2/3."""
    a, I = lowering(levels), unit(levels)  # noqa: E741
    upper, lower = np.diag([1.0, 0.0]), np.diag([0.0, 1.0])
    H = product(unit(2), 0.7 * (a.T @ a) + 0.3 * (a + a.T))
    jumps = [product(unit(2), a), product(upper, 0.3 * a.T), product(lower, 0.5 * a.T)]
    hops = [np.sqrt(slow) * SIGMA, np.sqrt(2.0 * slow) * SIGMA.T]
    return Lindblad(H, [*jumps, product(lower, I), *(product(hop, I) for hop in hops)])


@pytest.mark.parametrize("method", [Krylov(0.1), SparseLU(0.1)])
@pytest.mark.parametrize("slow", [1e-4, 1e-6, 1e-8, 1e-10])
def test_slow_relaxation_is_in_the_error(slow, method):
    result = steady_state(two_wells(slow), method)
    assert abs(result.state.populations[:12].sum() - 1.0 / 3.0) <= result.error
    assert 1e-19 / slow < result.error < 1e-14 / slow
    if slow < 1e-5:
        with pytest.raises(NotConverged, match="slowest relaxation rate"):
            steady_state(two_wells(slow), type(method)(1e-12))


def test_the_error_does_not_depend_on_the_window():
    """Means of several samples of rounding, and not the luck of one."""
    errors = [steady_state(rotor(levels, damping=1e-7).lindblad).error for levels in range(60, 80)]
    assert max(errors) < 8.0 * min(errors)


def test_an_exceptional_point_of_the_drift():
    """A resonantly driven atom at Ω = γ/2: −iH − ½L†L has one eigenvector."""
    drive = 0.25 * (SIGMA + SIGMA.T)
    result = steady_state(Lindblad(drive, [SIGMA]), Krylov())
    assert result.state.populations[1] == pytest.approx(0.25 / 1.5, abs=1e-13)


def test_rates_equal_to_rounding_do_not_tell_states_apart():
    """2⁻¹⁰ and a number next to it differ in the ninth digit when rounded, yet are the same."""
    rates = np.array([[1.0, 2.0**-10, 2.0**-10 * (1.0 + 2.0**-50)]])
    assert _distinct_columns(rates) == 2
    assert _distinct_columns(np.vstack((rates, [[0.0, 0.0, 1.0]]))) == 3
    assert _distinct_columns(np.zeros((1, 3))) == 1
