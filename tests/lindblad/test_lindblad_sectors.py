"""The search finds what the equation couples, all of it and nothing else."""

import numpy as np
import pytest
import scipy.sparse as sp
from open_systems import (
    EXAMPLES,
    SIGMA,
    exact_steady_state,
    liouvillian,
    random_system,
    rotor,
    two_modes,
)

from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.lindblad import Lindblad, State, evolve, steady_state
from wheelwork.lindblad.sector import diagonal_sector, jump_superoperator, state_sector


def weights(lindblad, jumps):
    """One for these jumps, zero for the others."""
    return np.isin(np.arange(len(lindblad.jumps)), jumps).astype(float)


@pytest.mark.parametrize("seed", range(4))
def test_the_generator_is_the_lindblad_equation(seed):
    system = random_system(seed)
    sector, generator = diagonal_sector(system.lindblad)
    assert sector.size == 25
    x = np.random.default_rng(seed).normal(size=25)
    rho = sector.matrix(x).toarray()
    np.testing.assert_allclose(rho, rho.conj().T, atol=1e-15)
    slope = (liouvillian(system) @ rho.ravel()).reshape(5, 5)
    np.testing.assert_allclose(sector.matrix(generator @ x).toarray(), slope, atol=2e-13)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_generator_keeps_the_trace(name):
    sector, generator = diagonal_sector(EXAMPLES[name].lindblad)
    assert np.max(np.abs(sector.trace @ generator)) < 1e-13


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_lies_in_the_sector_stays_there(name):
    system = EXAMPLES[name]
    sector, generator = diagonal_sector(system.lindblad)
    x = np.random.default_rng(1).normal(size=sector.size)
    rho = sector.matrix(x).toarray()
    slope = (liouvillian(system) @ rho.ravel()).reshape(rho.shape)
    np.testing.assert_allclose(sector.matrix(generator @ x).toarray(), slope, atol=1e-12)


@pytest.mark.parametrize("levels", [2, 8, 64, 200])
def test_the_rotor_has_six_unknowns_for_each_level(levels):
    assert diagonal_sector(rotor(levels).lindblad)[0].size == 6 * levels - 2


def test_jumps_that_lack_a_symmetry_their_sum_has():
    sector, generator = diagonal_sector(rotor(12).lindblad)
    other, same = diagonal_sector(rotor(12, cartesian=True).lindblad)
    np.testing.assert_array_equal(other.keys, sector.keys)
    assert abs(same - generator).max() < 1e-13


@pytest.mark.parametrize("angle", [0.7, 1.234])
def test_jumps_mixed_by_a_unitary_are_the_same_equation(angle):
    """Their sums cancel to rounding only; the sector must not grow for that."""
    system = rotor(12)
    up, down = system.jumps[4:]
    phase = np.exp(0.4j * angle)
    mixed = [
        np.cos(angle) * up + phase * np.sin(angle) * down,
        -np.conj(phase) * np.sin(angle) * up + np.cos(angle) * down,
    ]
    sector, generator = diagonal_sector(Lindblad(system.hamiltonian, system.jumps[:4] + mixed))
    other, same = diagonal_sector(system.lindblad)
    np.testing.assert_array_equal(other.keys, sector.keys)
    assert abs(same - generator).max() < 1e-13


@pytest.mark.parametrize(("most", "unknowns"), [(10, 286), (50, 23426)])
def test_hopping_on_a_bipartite_graph_is_real(most, unknowns):
    """Of each coherence only the real or only the imaginary part is driven."""
    assert diagonal_sector(two_modes(most).lindblad)[0].size == unknowns


def test_reduced_and_full_solutions_of_the_rotor_agree():
    system = rotor(8)
    result = steady_state(system.lindblad).state.density_matrix
    assert np.max(np.abs(result - exact_steady_state(system))) < 1e-12


def test_memory_grows_as_the_number_of_levels():
    sizes = [diagonal_sector(rotor(levels).lindblad)[1].nnz for levels in (256, 512, 1024)]
    assert sizes[2] - sizes[1] == 2 * (sizes[1] - sizes[0])


def test_a_state_needs_the_sectors_of_its_elements():
    chain = EXAMPLES["spin chain"].lindblad
    mixed = np.eye(16) / 16
    assert state_sector(chain, sp.csc_array(mixed))[0].size == diagonal_sector(chain)[0].size
    superposed = np.zeros((16, 16))
    superposed[np.ix_([0, 8], [0, 8])] = 0.5
    larger, _ = state_sector(chain, sp.csc_array(superposed))
    assert larger.size > diagonal_sector(chain)[0].size


def test_vectors_functionals_and_matrices_agree():
    system = EXAMPLES["Jaynes–Cummings"]
    sector, _ = diagonal_sector(system.lindblad)
    x = np.random.default_rng(2).normal(size=sector.size)
    rho = sector.matrix(x)
    np.testing.assert_array_equal(sector.vector(sp.csc_array(rho)), x)
    state = State(sector, x)
    for operator in [*system.observables.values(), system.jumps[0], system.jumps[2] * 1j]:
        expected = np.trace(operator.toarray() @ rho.toarray())
        assert state.expect(operator) == pytest.approx(expected, abs=1e-13)
    assert state.trace == pytest.approx(np.trace(rho.toarray()).real)


def test_an_imaginary_coherence_counts_as_a_link():
    rho = np.array([[0.5, 0.4j, 0], [-0.4j, 0.3, 0], [0, 0, 0.2]])
    H = sp.csc_array(np.zeros((3, 3)))
    sector, _ = state_sector(Lindblad(H), sp.csc_array(rho))
    state = State(sector, sector.vector(sp.csc_array(rho)))
    np.testing.assert_allclose(state.eigenvalues, np.linalg.eigvalsh(rho)[::-1], atol=1e-15)


@pytest.mark.parametrize("name", EXAMPLES)
def test_eigenvalues_by_block_are_those_of_the_whole(name):
    state = steady_state(EXAMPLES[name].lindblad).state
    whole = np.linalg.eigvalsh(state.density_matrix)[::-1]
    np.testing.assert_allclose(state.eigenvalues, whole, atol=1e-14)
    assert sum(states.size for states, _ in state.blocks) == state.sector.dimension


def test_elements_outside_are_refused():
    sector, _ = diagonal_sector(rotor(3).lindblad)
    outside = np.eye(12, dtype=complex) / 12
    outside[0, 5] = outside[5, 0] = 0.01
    with pytest.raises(InvalidArgument, match="elements outside"):
        sector.vector(sp.csc_array(outside))


def test_counted_jumps_are_those_of_the_equation():
    system = EXAMPLES["collective decay"]
    sector, _ = diagonal_sector(system.lindblad)
    matrix, outside = jump_superoperator(system.lindblad, sector, weights(system.lindblad, [0]))
    assert outside.size == 0
    x = np.random.default_rng(3).normal(size=sector.size)
    L, rho = system.jumps[0].toarray(), sector.matrix(x).toarray()
    np.testing.assert_allclose(
        sector.matrix(matrix @ x).toarray(), L @ rho @ L.conj().T, atol=1e-14
    )


def test_a_single_jump_may_leave_the_sector_that_the_sum_keeps():
    lindblad = rotor(5, cartesian=True).lindblad
    sector, _ = diagonal_sector(lindblad)
    assert jump_superoperator(lindblad, sector, weights(lindblad, [4]))[1].size > 0
    assert jump_superoperator(lindblad, sector, weights(lindblad, [4, 5]))[1].size == 0


def test_adjoints_are_the_other_side_of_the_trace():
    system = random_system(9)
    lindblad, O = system.lindblad, random_system(10).hamiltonian  # noqa: E741
    rho = exact_steady_state(system)
    H, L = system.hamiltonian.toarray(), system.jumps[1].toarray()
    turned = np.trace(lindblad.adjoint_unitary(O).toarray() @ rho)
    assert turned == pytest.approx(np.trace(O.toarray() @ (-1j * (H @ rho - rho @ H))))
    rate = L.conj().T @ L
    change = L @ rho @ L.conj().T - 0.5 * (rate @ rho + rho @ rate)
    moved = np.trace(lindblad.adjoint_dissipator(O, [1]).toarray() @ rho)
    assert moved == pytest.approx(np.trace(O.toarray() @ change))


def test_loss_that_cancels_to_rounding_mixes_nothing():
    """L†L of jumps with off-diagonal elements that cancel in the sum, but not to the last bit."""
    plain = [SIGMA.toarray(), np.diag([0.0, 1.0]), np.diag([0.3, 0.0])]
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    jumps = [sum(turn[i, k] * plain[k] for k in range(3)) for i in range(3)]
    assert sum(jump.T @ jump for jump in jumps)[0, 1] != 0.0
    drift = Lindblad(np.zeros((2, 2)), jumps).drift
    assert drift[0, 1] == 0.0
    assert drift[1, 0] == 0.0


def two_levels_high_up(energy, detuning=0.0):
    """Two coupled levels that lose at rates 1 and 3 to one that is pumped, ω in rad/s of light."""
    H = np.diag([0.0, energy, energy + detuning])
    H[1, 2] = H[2, 1] = 5.0
    jumps = np.zeros((3, 3, 3))
    jumps[0, 1, 0], jumps[1, 0, 1], jumps[2, 0, 2] = 1.0, 1.0, np.sqrt(3.0)
    return Lindblad(H, list(jumps))


@pytest.mark.parametrize("energy", [1e3, 1e15, 1e18])
def test_decay_is_no_rounding_of_an_energy(energy):
    near = steady_state(two_levels_high_up(0.0))
    result = steady_state(two_levels_high_up(energy))
    np.testing.assert_allclose(result.state.density_matrix, near.state.density_matrix, atol=1e-13)
    assert result.state.populations[2] == pytest.approx(25.0 / 156.0, abs=1e-13)


def test_a_difference_that_may_be_rounding_must_not_decide():
    assert steady_state(two_levels_high_up(1e12, 4.0)).error < 1e-14
    with pytest.raises(NotConverged, match="count energies from a level near by"):
        steady_state(two_levels_high_up(1e15, 4.0))
    rounding = 0.1 + 0.2 - 0.3
    assert rounding != 0.0
    assert steady_state(two_levels_high_up(0.3, rounding)).error < 1e-14


def test_a_slow_rotation_of_one_coherence_is_kept():
    lindblad = Lindblad(np.diag([1e15, 1e15 + 8.0]))
    plus = np.full((2, 2), 0.5)
    result = evolve(lindblad, plus, [0.1], observables={"x": 2.0 * plus - np.eye(2)})
    assert result.means["x"][0] == pytest.approx(np.cos(0.8), abs=1e-9)
