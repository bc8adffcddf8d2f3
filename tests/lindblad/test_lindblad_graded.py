"""Graded equations: exactly solved ones, and agreement with the generator on all elements."""

import numpy as np
import pytest
import scipy.sparse as sp

from wheelwork import lindblad
from wheelwork.errors import NotConverged
from wheelwork.lindblad import graded
from wheelwork.lindblad.graded import GradedLindblad, Link, required_bytes
from wheelwork.lindblad.graded.population_chain import PopulationChain
from wheelwork.lindblad.graded.preconditioner import (
    GeneralSweeps,
    Preconditioner,
    RealCorrection,
    RealSweeps,
    modes_of,
)


def random_equation(top, real, seed=1):
    """Sectors of 1, 2, 3 … states; two kinds of excitation with amplitudes at random."""
    generator = np.random.default_rng(seed)
    coherent, links = [], []
    for K in range(top + 1):
        matrix = generator.normal(size=(K + 1, K + 1))
        if not real:
            matrix = matrix + 1j * generator.normal(size=(K + 1, K + 1))
        coherent.append(matrix - matrix.conj().T)
        if top > K:
            links.append(
                [
                    Link(
                        np.arange(K + 1) + kind,
                        generator.random((2, K + 1)) + 0.5,
                        generator.random((1, K + 1)),
                    )
                    for kind in (0, 1)
                ]
            )
    return GradedLindblad(tuple(coherent), tuple(links))


def whole(equation, vector):
    return sp.block_diag(equation.blocks(vector)).toarray()


def lindblad_of(equation):
    """The same equation as matrices on the whole basis, every jump written out."""
    starts = np.concatenate(([0], np.cumsum(equation.sizes)))
    H = 1j * sp.block_diag(equation.coherent).toarray()
    jumps = []
    for kind in range(len(equation.links[0])):
        for name in ("down", "up"):
            for row in range(len(getattr(equation.links[0][kind], name))):
                L = np.zeros((starts[-1], starts[-1]))
                for K, links in enumerate(equation.links):
                    link = links[kind]
                    below = starts[K] + np.arange(link.above.size)
                    above = starts[K + 1] + link.above
                    at = (below, above) if name == "down" else (above, below)
                    L[at] = getattr(link, name)[row]
                jumps.append(L)
    return H, jumps


def hermitian_vector(equation, seed=2):
    generator = np.random.default_rng(seed)
    vector = equation.zeros()
    for block in equation.blocks(vector):
        matrix = generator.normal(size=block.shape)
        if np.iscomplexobj(vector):
            matrix = matrix + 1j * generator.normal(size=block.shape)
        block[:] = matrix + matrix.conj().T
    return vector


@pytest.mark.parametrize("real", [True, False])
def test_rate_is_that_of_the_lindblad_equation(real):
    equation = random_equation(4, real)
    H, jumps = lindblad_of(equation)
    vector = hermitian_vector(equation)
    rho = whole(equation, vector)
    expected = -1j * (H @ rho - rho @ H)
    for L in jumps:
        rate = L.conj().T @ L
        expected += L @ rho @ L.conj().T - 0.5 * (rate @ rho + rho @ rate)
    np.testing.assert_allclose(whole(equation, equation.rate(vector)), expected, atol=1e-12)
    assert abs(equation.trace(equation.rate(vector))) < 1e-12
    assert np.all(np.abs(equation.rate(vector)) <= equation.magnitude(vector) * (1.0 + 1e-12))


@pytest.mark.parametrize("real", [True, False])
def test_steady_state_agrees_with_sparse_lu_within_its_error(real):
    equation = random_equation(6, real)
    H, jumps = lindblad_of(equation)
    reference = lindblad.steady_state(lindblad.Lindblad(H, tuple(jumps)), lindblad.SparseLU())
    result = graded.steady_state(equation, 1e-6)
    off = np.abs(whole(equation, result.values) - reference.state.density_matrix).sum()
    assert off <= result.error + reference.error
    assert result.error < 1e-5
    sharp = graded.steady_state(equation, 1e-11, start=result.values)
    off = np.abs(whole(equation, sharp.values) - reference.state.density_matrix).sum()
    assert off < 1e-10
    assert equation.trace(sharp.values) == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("real", [True, False])
def test_modes_solve_between_jumps(real):
    equation = random_equation(7, real)
    block = equation.blocks(hermitian_vector(equation))[-1]
    D = equation.drifts[-1].toarray()
    X = modes_of(D, 0.0).solve(block)
    np.testing.assert_allclose(D @ X + X @ D.conj().T, block, atol=1e-10)


@pytest.mark.parametrize("real", [True, False])
def test_population_chain_inverts_the_rates_between_eigenstates(real):
    """The rate of the solution has the populations of the eigenstates that were asked for."""
    equation = random_equation(5, real)
    chain = PopulationChain.of(equation)
    right = hermitian_vector(equation)
    right[equation.diagonal] -= equation.trace(right) / equation.diagonal.size
    result = equation.zeros()
    chain.correct(right, result)
    rate = equation.rate(result)
    for each, got, wanted in zip(
        chain.eigenstates, equation.blocks(rate), equation.blocks(right), strict=True
    ):
        np.testing.assert_allclose(each.populations(got), each.populations(wanted), atol=1e-10)


def test_compiled_loops_do_the_same():
    equation = random_equation(6, True)
    chain = PopulationChain.of(equation)
    fast = Preconditioner.of(chain)
    assert isinstance(fast.sweeps, RealSweeps)
    assert isinstance(fast.correction, RealCorrection)
    fastest = max(float(rates.max()) for rates in equation.losses)
    modes = [modes_of(drift.toarray(), fastest) for drift in equation.drifts]
    slow = Preconditioner(equation, GeneralSweeps(equation, modes), chain)
    right = hermitian_vector(equation)
    np.testing.assert_allclose(fast(right), slow(right), rtol=1e-9, atol=1e-9)
    start, other = hermitian_vector(equation, seed=3), hermitian_vector(equation, seed=3)
    fast.correction.correct(right, start)
    chain.correct(right, other)
    np.testing.assert_allclose(start, other, rtol=1e-10, atol=1e-10)


def thermal_mode(top, occupation, damping=0.3):
    """One mode: sectors of a single state."""
    links = [
        [
            Link(
                np.array([0]),
                np.sqrt([[damping * (occupation + 1.0) * (K + 1.0)]]),
                np.sqrt([[damping * occupation * (K + 1.0)]]),
            )
        ]
        for K in range(top)
    ]
    return GradedLindblad(tuple(np.zeros((1, 1)) for _ in range(top + 1)), tuple(links))


@pytest.mark.parametrize("occupation", [0.0, 0.4, 30.0])
def test_thermal_mode_is_geometric(occupation):
    equation = thermal_mode(40, occupation)
    expected = (occupation / (occupation + 1.0)) ** np.arange(41.0)
    result = graded.steady_state(equation, 1e-10)
    np.testing.assert_allclose(result.values, expected / expected.sum(), atol=1e-11)
    np.testing.assert_allclose(
        equation.charge_probabilities(result.values), result.values, atol=0.0
    )


def test_separate_parts_are_refused():
    """Two uncoupled pairs of states side by side: each could hold all of the probability."""
    links = [[Link(np.arange(2), np.ones((1, 2)), np.full((1, 2), 0.5))]]
    equation = GradedLindblad((np.zeros((2, 2)), np.zeros((2, 2))), tuple(links))
    with pytest.raises(NotConverged, match="several steady states"):
        graded.steady_state(equation, 1e-8)


def test_required_memory_counts_numbers():
    real, complexes = required_bytes([1, 2, 3], 40, False), required_bytes([1, 2, 3], 40, True)
    assert complexes == 2.0 * real
    assert real == 8.0 * 14.0 * 60.0
