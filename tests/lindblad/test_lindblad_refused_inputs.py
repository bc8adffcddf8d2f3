"""What is refused at the door, and how."""

import numpy as np
import pytest
import scipy.sparse as sp
from open_systems import EXAMPLES, SIGMA, basis, lowering

from wheelwork.errors import InvalidArgument
from wheelwork.lindblad import (
    ExplicitSteps,
    Exponential,
    ImplicitSteps,
    Krylov,
    Lindblad,
    SparseLU,
    State,
    counting_covariance,
    counting_statistics,
    diagonal_sector,
    evolve,
    grow,
    sample_jumps,
    steady_state,
)

ONE = np.eye(2)


@pytest.mark.parametrize(
    ("hamiltonian", "jumps", "message"),
    [
        (SIGMA, [], "`hamiltonian` must be Hermitian, but is off by 1.0e"),
        (1j * ONE, [], "`hamiltonian` must be Hermitian"),
        (np.ones((2, 3)), [], r"`hamiltonian` must be square, but has shape \(2, 3\)"),
        (np.ones(2), [], "`hamiltonian` must be a matrix"),
        (np.diag([1.0, np.nan]), [], "`hamiltonian` must be finite"),
        ("H", [], "`hamiltonian` must be a matrix, but is of type str"),
        (ONE, [SIGMA, np.eye(3)], r"`jumps` must have shape \(2, 2\), .*\(3, 3\) \(jump 1\)"),
        (ONE, [SIGMA * np.inf], r"`jumps` must be finite.*\(jump 0\)"),
        (ONE, SIGMA, "`jumps` must be a sequence of matrices"),
        (ONE, 3, "`jumps` must be a sequence"),
    ],
)
def test_no_lindblad_equation(hamiltonian, jumps, message):
    with pytest.raises(InvalidArgument, match=message):
        Lindblad(hamiltonian, jumps)


H = np.diag([0.0, 1.0])
DAMPED = Lindblad(H, [SIGMA])
RAGGED = [[1, 2], [3]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: steady_state(DAMPED, SparseLU), "`method` must be a method .*, but is <class"),
        (lambda: steady_state(DAMPED, 10**5000), "`method` must be a .*, but is of type int"),
        (lambda: steady_state(DAMPED, initial=RAGGED), "`initial` must be a matrix or a vector"),
        (lambda: steady_state(DAMPED, initial=["a", "b"]), "`initial` must hold numbers"),
        (lambda: steady_state(DAMPED, initial=[DAMPED]), "`initial` must hold numbers"),
        (lambda: steady_state(DAMPED, initial=1e200 * ONE), "`initial` must have entries below"),
        (lambda: evolve(DAMPED, [1e200, 0.0], [1.0]), "`initial` must be finite and of length one"),
        (lambda: evolve(DAMPED, ONE, [1.0], observables=True), "`observables` must be a dict"),
        (lambda: evolve(DAMPED, ONE, [1.0], observables={1: ONE}), "`observables` must be a dict"),
        (lambda: evolve(DAMPED, ONE, [1.0], observables={"O": 1e308 * ONE}), "below 1e.150"),
        (lambda: evolve(DAMPED, ONE, [1.0], states=ONE), "`states` must be True or False"),
        (lambda: evolve(DAMPED, ONE, ["1.0"]), "`times` must be an array of real numbers"),
        (lambda: evolve(DAMPED, ONE, np.array([1j])), "`times` must be an array of real numbers"),
        (lambda: sample_jumps(DAMPED, [1, 0], [1.0], records="no"), "`records` must be True or"),
        (lambda: sample_jumps(DAMPED, [1, 0], [1.0], seed=np.timedelta64(3)), "an integer"),
        (lambda: DAMPED.adjoint_dissipator(H, True), "`jumps` must be positions, but is True"),
        (lambda: evolve(DAMPED, ONE, [1.0]).state(1), "`position` must be below 1, but is 1"),
        (lambda: grow(None, [2]), "`build` must be a function of the cutoffs"),
        (lambda: grow(lambda cutoffs: cutoffs, [2]), "`build` must return a Truncation"),
        (lambda: counting_statistics(None, [1.0]), "`steady` must be a SteadyState"),
        (lambda: counting_statistics(steady_state(DAMPED), [1.0], 10**9), "`order` must be at"),
        (lambda: counting_statistics(steady_state(DAMPED), [1e100]), "`weights` must have powers"),
        (lambda: counting_covariance(steady_state(DAMPED), [[1e100]]), "must have squares"),
    ],
)  # fmt: skip
def test_wrong_kinds_of_arguments(call, message):
    with pytest.raises(InvalidArgument, match=message) as info:
        call()
    assert len(str(info.value)) < 250


def test_any_matrix_will_do():
    qutip = pytest.importorskip("qutip")
    a = lowering(5)
    reference = steady_state(Lindblad(a.T @ a + a + a.T, [a])).state.density_matrix
    for kind in (sp.csr_matrix, sp.coo_array, lambda m: m.toarray(), qutip.Qobj):
        H, L = kind(a.T @ a + a + a.T), kind(a)
        np.testing.assert_array_equal(
            steady_state(Lindblad(H, (L,))).state.density_matrix, reference
        )
    dense = qutip.Qobj((a.T @ a + a + a.T).toarray())
    result = steady_state(Lindblad(dense, [qutip.destroy(5)]))
    np.testing.assert_allclose(result.state.density_matrix, reference, atol=1e-14)


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        (np.ones(2), "`initial` must have trace one, but has 2.0"),
        (np.ones(3) / np.sqrt(3.0), r"`initial` must have shape \(2, 2\)"),
        (np.array([[0.5, 0.1], [0.2, 0.5]]), "`initial` must be Hermitian"),
        ("up", "`initial` must be a matrix"),
        (np.diag([2.0, -1.0]), "`initial` must have no negative eigenvalue, but has -1"),
        (np.array([[0.5, 0.6], [0.6, 0.5]]), "no negative eigenvalue, but has -0.1"),
        (sp.csc_array(np.array([[0.5, 0.6j], [-0.6j, 0.5]])), "negative eigenvalue, but has -0.1"),
    ],
)
def test_no_state(initial, message):
    with pytest.raises(InvalidArgument, match=message):
        sample_jumps(Lindblad(ONE, [SIGMA]), initial, [1.0], trajectories=2)
    with pytest.raises(InvalidArgument, match=message):
        steady_state(Lindblad(ONE, [SIGMA]), initial=initial)


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        (np.ones(2), "`initial` must have trace one, but has 2.0"),
        (np.ones(3) / np.sqrt(3.0), r"`initial` must have shape \(2, 2\)"),
        ("up", "`initial` must be a matrix"),
        (np.diag([np.nan, 1.0]), "`initial` must be finite"),
    ],
)
def test_no_operator(initial, message):
    with pytest.raises(InvalidArgument, match=message):
        evolve(Lindblad(ONE, [SIGMA]), initial, [1.0])


def test_what_is_not_supported_is_said():
    qutip = pytest.importorskip("qutip")
    H, drive = qutip.sigmaz(), [qutip.sigmax(), lambda t: np.cos(t)]
    for changing in ([H, drive], qutip.QobjEvo([H, drive]), lambda t: H):
        with pytest.raises(InvalidArgument, match="a function of time, which is not supported"):
            Lindblad(changing, [])
    with pytest.raises(InvalidArgument, match="but is a superoperator"):
        Lindblad(qutip.liouvillian(H, [qutip.sigmam()]), [])
    for solve in (evolve, sample_jumps):
        with pytest.raises(InvalidArgument, match=r"superoperators and H\(t\) are not supported"):
            solve(qutip.liouvillian(H, [qutip.sigmam()]), basis(2, 1), [1.0])
    with pytest.raises(InvalidArgument, match="`method` must be a method such as"):
        evolve(Lindblad(H), basis(2, 1), [1.0], method="adams")


def test_a_state_of_the_wrong_sign_is_refused():
    lindblad = Lindblad(ONE, [SIGMA, SIGMA.T])
    sector, _ = diagonal_sector(lindblad)
    with pytest.raises(InvalidArgument, match="negative eigenvalue, but has -1"):
        sample_jumps(lindblad, State(sector, np.array([2.0, -1.0])), [1.0])


def test_states_of_any_rank_and_block_are_accepted():
    random = np.random.default_rng(2)
    factor = random.normal(size=(6, 2)) + 1j * random.normal(size=(6, 2))
    rho = np.zeros((9, 9), dtype=complex)
    rho[3:, 3:] = factor @ factor.conj().T
    rho[1, 1] = 3.0
    result = evolve(Lindblad(np.diag(np.arange(9.0))), rho / np.trace(rho), [0.0])
    np.testing.assert_allclose(result.final.density_matrix, rho / np.trace(rho), atol=1e-14)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([], "`times` must hold at least one"),
        ([-1.0], "`times` must be ascending from 0"),
        ([2.0, 1.0], "`times` must be ascending"),
        ([[1.0]], r"`times` must have 1 dimension\(s\)"),
        ([np.inf], "`times` must be finite"),
    ],
)
def test_no_times(times, message):
    with pytest.raises(InvalidArgument, match=message):
        evolve(Lindblad(ONE, [SIGMA]), basis(2, 1), times)


def test_no_observable():
    lindblad = Lindblad(ONE, [SIGMA])
    with pytest.raises(InvalidArgument, match=r"`observables\['x'\]` must have shape \(2, 2\)"):
        evolve(lindblad, basis(2, 1), [1.0], observables={"x": np.eye(3)})
    with pytest.raises(InvalidArgument, match=r"`operator` must have shape \(2, 2\)"):
        steady_state(lindblad).expect(np.eye(3))
    with pytest.raises(InvalidArgument, match="`jumps` must be positions below 1, but holds 1"):
        lindblad.adjoint_dissipator(ONE, [1])


@pytest.mark.parametrize("method", [SparseLU, Krylov, ImplicitSteps, ExplicitSteps, Exponential])
def test_no_tolerance(method):
    with pytest.raises(InvalidArgument, match="`rtol` must lie between"):
        method(rtol=1e-15)


def test_no_room():
    lindblad = Lindblad(sp.eye_array(9000, format="csc"))
    sector, _ = diagonal_sector(lindblad)
    state = State(sector, sector.trace / 9000)
    with pytest.raises(InvalidArgument, match="at most 8192 basis states"):
        _ = state.density_matrix
    assert state.matrix.nnz == 9000


def test_states_that_were_not_kept():
    system = EXAMPLES["spin chain"]
    result = evolve(system.lindblad, system.start, [1.0], states=False)
    with pytest.raises(InvalidArgument, match="`states` must be True"):
        result.state(0)


def test_the_matrices_given_are_left_alone():
    H = sp.csc_array((np.array([1.0, 0.0, 0.5, 0.5]) + 0j, [1, 1, 0, 0], [0, 2, 4]), shape=(2, 2))
    before = H.data.copy(), H.indices.copy()
    lindblad = Lindblad(H, [SIGMA])
    np.testing.assert_array_equal(H.data, before[0])
    np.testing.assert_array_equal(H.indices, before[1])
    H.data[:] = 7.0
    np.testing.assert_array_equal(lindblad.hamiltonian.toarray(), [[0.0, 1.0], [1.0, 0.0]])


def test_a_hamiltonian_hermitian_to_rounding_is_made_so():
    H = np.array([[0.0, 1.0 + 1e-14], [1.0, 0.5 + 1e-15j]])
    kept = Lindblad(H, [SIGMA]).hamiltonian.toarray()
    np.testing.assert_array_equal(kept, kept.conj().T)


class TestUnsupported:
    """H(t), superoperators and what is no equation at all are named, not passed to NumPy."""

    def test_functions_of_time(self):
        for H in (lambda t: ONE, [ONE, [ONE, lambda t: t]], [ONE, [ONE, "sin(t)"]]):
            with pytest.raises(
                InvalidArgument, match=r"`hamiltonian` .* function of time, which is"
            ):
                Lindblad(H, [SIGMA])

    def test_qutip_kinds(self):
        qutip = pytest.importorskip("qutip")
        H, L = qutip.num(3), qutip.destroy(3)
        with pytest.raises(InvalidArgument, match=r"`hamiltonian` .* function of time"):
            Lindblad(qutip.QobjEvo([H, [L + L.dag(), lambda t: t]]), [L])
        with pytest.raises(InvalidArgument, match=r"`hamiltonian` .* superoperator"):
            Lindblad(qutip.liouvillian(H, [L]), [L])
        with pytest.raises(InvalidArgument, match=r"`jumps` .* superoperator.*\(jump 0\)"):
            Lindblad(H, [qutip.lindblad_dissipator(L)])
        with pytest.raises(InvalidArgument, match=r"`hamiltonian` must be square, .*\(3, 1\)"):
            Lindblad(qutip.basis(3, 0), [L])

    def test_no_equation_and_no_method(self):
        with pytest.raises(InvalidArgument, match="`lindblad` must be a Lindblad"):
            steady_state(np.eye(2))
        with pytest.raises(InvalidArgument, match="`method` must be a method such as SparseLU"):
            steady_state(Lindblad(ONE, [SIGMA]), "direct")
        with pytest.raises(InvalidArgument, match="`method` must be a method such as SparseLU"):
            steady_state(Lindblad(ONE, [SIGMA]), ImplicitSteps())

    def test_squares_that_overflow(self):
        with pytest.raises(InvalidArgument, match="whose squares are finite"):
            steady_state(Lindblad(ONE, [1e200 * SIGMA]))
