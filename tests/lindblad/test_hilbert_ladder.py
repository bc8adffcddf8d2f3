"""Ladders: exactly solved ones, and agreement with the generator on all elements."""

import numpy as np
import pytest
import scipy.sparse as sp

from wheelwork import lindblad
from wheelwork.errors import NotConverged
from wheelwork.lindblad.graded import Ladder, Link, ladder_steady_state, required_bytes
from wheelwork.lindblad.graded.compiled import RealCorrection, RealSweeps
from wheelwork.lindblad.graded.modes import modes_of
from wheelwork.lindblad.graded.populations import PopulationChain
from wheelwork.lindblad.graded.preconditioner import AnySweeps, Preconditioner


def random_ladder(top, real, seed=1):
    """Rungs of 1, 2, 3 … states; two kinds of excitation with amplitudes at random."""
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
    return Ladder(tuple(coherent), tuple(links))


def whole(ladder, vector):
    return sp.block_diag(ladder.blocks(vector)).toarray()


def lindblad_of(ladder):
    """The same equation as matrices on the whole basis, every jump written out."""
    starts = np.concatenate(([0], np.cumsum(ladder.sizes)))
    H = 1j * sp.block_diag(ladder.coherent).toarray()
    jumps = []
    for kind in range(len(ladder.links[0])):
        for name in ("down", "up"):
            for row in range(len(getattr(ladder.links[0][kind], name))):
                L = np.zeros((starts[-1], starts[-1]))
                for K, links in enumerate(ladder.links):
                    link = links[kind]
                    below = starts[K] + np.arange(link.above.size)
                    above = starts[K + 1] + link.above
                    at = (below, above) if name == "down" else (above, below)
                    L[at] = getattr(link, name)[row]
                jumps.append(L)
    return H, jumps


def hermitian_vector(ladder, seed=2):
    generator = np.random.default_rng(seed)
    vector = ladder.zeros()
    for block in ladder.blocks(vector):
        matrix = generator.normal(size=block.shape)
        if np.iscomplexobj(vector):
            matrix = matrix + 1j * generator.normal(size=block.shape)
        block[:] = matrix + matrix.conj().T
    return vector


@pytest.mark.parametrize("real", [True, False])
def test_rate_is_that_of_the_lindblad_equation(real):
    ladder = random_ladder(4, real)
    H, jumps = lindblad_of(ladder)
    vector = hermitian_vector(ladder)
    rho = whole(ladder, vector)
    expected = -1j * (H @ rho - rho @ H)
    for L in jumps:
        rate = L.conj().T @ L
        expected += L @ rho @ L.conj().T - 0.5 * (rate @ rho + rho @ rate)
    np.testing.assert_allclose(whole(ladder, ladder.rate(vector)), expected, atol=1e-12)
    assert abs(ladder.trace(ladder.rate(vector))) < 1e-12
    assert np.all(np.abs(ladder.rate(vector)) <= ladder.magnitude(vector) * (1.0 + 1e-12))


@pytest.mark.parametrize("real", [True, False])
def test_steady_state_agrees_with_sparse_lu_within_its_error(real):
    ladder = random_ladder(6, real)
    H, jumps = lindblad_of(ladder)
    reference = lindblad.steady_state(lindblad.Lindblad(H, tuple(jumps)), lindblad.SparseLU())
    found = ladder_steady_state(ladder, 1e-6)
    off = np.abs(whole(ladder, found.values) - reference.state.density_matrix).sum()
    assert off <= found.error + reference.error
    assert found.error < 1e-5
    sharp = ladder_steady_state(ladder, 1e-11, start=found.values)
    off = np.abs(whole(ladder, sharp.values) - reference.state.density_matrix).sum()
    assert off < 1e-10
    assert ladder.trace(sharp.values) == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("real", [True, False])
def test_modes_solve_between_jumps(real):
    ladder = random_ladder(7, real)
    block = ladder.blocks(hermitian_vector(ladder))[-1]
    D = ladder.drifts[-1].toarray()
    X = modes_of(D, 0.0).solve(block)
    np.testing.assert_allclose(D @ X + X @ D.conj().T, block, atol=1e-10)


@pytest.mark.parametrize("real", [True, False])
def test_population_chain_inverts_the_rates_between_eigenstates(real):
    """What is found has, as far as populations of eigenstates go, the rate asked for."""
    ladder = random_ladder(5, real)
    chain = PopulationChain.of(ladder)
    right = hermitian_vector(ladder)
    right[ladder.places] -= ladder.trace(right) / ladder.places.size
    found = ladder.zeros()
    chain.correct(right, found)
    rate = ladder.rate(found)
    for each, got, wanted in zip(
        chain.eigenstates, ladder.blocks(rate), ladder.blocks(right), strict=True
    ):
        np.testing.assert_allclose(each.populations(got), each.populations(wanted), atol=1e-10)


def test_compiled_loops_do_the_same():
    ladder = random_ladder(6, True)
    chain = PopulationChain.of(ladder)
    fast = Preconditioner.of(chain)
    assert isinstance(fast.sweeps, RealSweeps)
    assert isinstance(fast.correction, RealCorrection)
    fastest = max(float(rates.max()) for rates in ladder.losses)
    modes = [modes_of(drift.toarray(), fastest) for drift in ladder.drifts]
    slow = Preconditioner(ladder, AnySweeps(ladder, modes), chain)
    right = hermitian_vector(ladder)
    np.testing.assert_allclose(fast(right), slow(right), rtol=1e-9, atol=1e-9)
    start, other = hermitian_vector(ladder, seed=3), hermitian_vector(ladder, seed=3)
    fast.correction.correct(right, start)
    chain.correct(right, other)
    np.testing.assert_allclose(start, other, rtol=1e-10, atol=1e-10)


def thermal_mode(top, occupation, damping=0.3):
    """One mode: rungs of a single state."""
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
    return Ladder(tuple(np.zeros((1, 1)) for _ in range(top + 1)), tuple(links))


@pytest.mark.parametrize("occupation", [0.0, 0.4, 30.0])
def test_thermal_mode_is_geometric(occupation):
    ladder = thermal_mode(40, occupation)
    expected = (occupation / (occupation + 1.0)) ** np.arange(41.0)
    found = ladder_steady_state(ladder, 1e-10)
    np.testing.assert_allclose(found.values, expected / expected.sum(), atol=1e-11)
    np.testing.assert_allclose(ladder.charges(found.values), found.values, atol=0.0)


def test_separate_parts_are_refused():
    """Two uncoupled two-state ladders side by side: each could hold all of the probability."""
    links = [[Link(np.arange(2), np.ones((1, 2)), np.full((1, 2), 0.5))]]
    ladder = Ladder((np.zeros((2, 2)), np.zeros((2, 2))), tuple(links))
    with pytest.raises(NotConverged, match="several steady states"):
        ladder_steady_state(ladder, 1e-8)


def test_required_memory_counts_numbers():
    real, complexes = required_bytes([1, 2, 3], 40, False), required_bytes([1, 2, 3], 40, True)
    assert complexes == 2.0 * real
    assert real == 8.0 * 14.0 * 60.0
