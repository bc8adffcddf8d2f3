"""Negativity, reduced states and mutual information on states whose answers are known."""

import numpy as np
import pytest
import scipy.sparse as sp

from wheelwork import thermodynamics as td
from wheelwork.errors import InvalidArgument


def pure(vector):
    return np.outer(vector, vector.conj())


def random_unitary(size, generator):
    matrix = generator.normal(size=(size, size)) + 1j * generator.normal(size=(size, size))
    return np.linalg.qr(matrix)[0]


def random_pure(schmidt, dimensions, seed=0):
    """A pure state with these Schmidt coefficients (squares sum to one) in random local bases."""
    generator = np.random.default_rng(seed)
    dA, dB = dimensions
    diagonal = np.zeros((dA, dB))
    diagonal[range(len(schmidt)), range(len(schmidt))] = schmidt
    U, V = random_unitary(dA, generator), random_unitary(dB, generator)
    return pure((U @ diagonal @ V).ravel())


@pytest.mark.parametrize("dimensions", [(2, 3), (3, 2), (4, 3)])
def test_pure_states_follow_their_schmidt_coefficients(dimensions):
    schmidt = np.sqrt([0.7, 0.3])
    rho = random_pure(schmidt, dimensions)
    expected = (np.sum(schmidt) ** 2 - 1.0) / 2.0
    assert td.negativity(rho, dimensions) == pytest.approx(expected, rel=1e-12)
    entropy = -0.7 * np.log(0.7) - 0.3 * np.log(0.3)
    assert td.mutual_information(rho, dimensions) == pytest.approx(2.0 * entropy, rel=1e-12)


def test_bell_state_has_one_half():
    bell = pure(np.array([0.0, 1.0, 1.0, 0.0]) / np.sqrt(2.0))
    assert td.negativity(bell, (2, 2)) == pytest.approx(0.5, rel=1e-14)


@pytest.mark.parametrize("share", [0.2, 1.0 / 3.0, 0.5, 0.9])
def test_werner_states(share):
    singlet = pure(np.array([0.0, 1.0, -1.0, 0.0]) / np.sqrt(2.0))
    rho = share * singlet + (1.0 - share) * np.eye(4) / 4.0
    expected = max(0.0, (3.0 * share - 1.0) / 4.0)
    assert td.negativity(rho, (2, 2)) == pytest.approx(expected, abs=1e-14)


def test_products_have_neither():
    generator = np.random.default_rng(3)
    parts = []
    for size in (3, 4):
        matrix = generator.normal(size=(size, size)) + 1j * generator.normal(size=(size, size))
        parts.append(matrix @ matrix.conj().T)
        parts[-1] /= np.trace(parts[-1]).real
    rho = np.kron(*parts)
    assert td.negativity(rho, (3, 4)) == pytest.approx(0.0, abs=1e-14)
    assert td.mutual_information(rho, (3, 4)) == pytest.approx(0.0, abs=1e-13)
    for kept, part in enumerate(parts):
        found = td.reduced_state(sp.csr_array(rho), (3, 4), kept).toarray()
        np.testing.assert_allclose(found, part, atol=1e-15)


def test_two_mode_squeezed_vacuum():
    """𝒩 = tanh r/(1 − tanh r) of Σ tanhⁿr |nn⟩ (G. Vidal, R. F. Werner, Sec. V)."""
    t, levels = 0.4, 40
    vector = np.zeros((levels, levels))
    np.fill_diagonal(vector, np.sqrt(1.0 - t**2) * t ** np.arange(levels))
    rho = sp.csr_array(sp.coo_array(pure(vector.ravel()[vector.ravel() > 0.0])))
    places = np.flatnonzero(vector.ravel())
    whole = sp.coo_array(
        (rho.toarray().ravel(), (np.repeat(places, levels), np.tile(places, levels))),
        shape=(levels**2, levels**2),
    )
    assert td.negativity(whole, (levels, levels)) == pytest.approx(t / (1.0 - t), rel=1e-12)


def test_bad_shapes_are_refused():
    with pytest.raises(InvalidArgument, match="`state` must have shape"):
        td.negativity(np.eye(5), (2, 2))
    with pytest.raises(InvalidArgument, match="`kept` must be positions below 2"):
        td.reduced_state(np.eye(4) / 4.0, (2, 2), 2)
    with pytest.raises(InvalidArgument, match="`state` must be finite"):
        td.mutual_information(np.full((4, 4), np.nan), (2, 2))
    with pytest.raises(InvalidArgument, match="`dimensions` must be at least 1"):
        td.negativity(np.eye(4), (0, 4))


def test_what_is_no_state_is_refused():
    bell = pure(np.array([1.0, 0.0, 0.0, 1.0]) / np.sqrt(2.0))
    for question in (td.negativity, td.mutual_information):
        with pytest.raises(InvalidArgument, match="`state` must have trace one"):
            question(2.0 * bell, (2, 2))
    with pytest.raises(InvalidArgument, match="`state` must have no negative eigenvalue"):
        td.mutual_information(np.diag([1.5, -0.5, 0.0, 0.0]), (2, 2))
    assert td.mutual_information((1.0 - 1e-5) * bell, (2, 2)) == pytest.approx(
        2.0 * np.log(2.0), abs=1e-4
    )


def test_states_of_three_parts():
    generator = np.random.default_rng(5)
    parts = []
    for size in (2, 3, 4):
        matrix = generator.normal(size=(size, 2 * size)).view(complex)
        parts.append(matrix @ matrix.conj().T)
        parts[-1] /= np.trace(parts[-1]).real
    rho = np.kron(np.kron(parts[0], parts[1]), parts[2])
    for kept, part in enumerate(parts):
        np.testing.assert_allclose(
            td.reduced_state(rho, (2, 3, 4), kept).toarray(), part, atol=1e-15
        )
    outer = np.kron(parts[0], parts[2])
    np.testing.assert_allclose(
        td.reduced_state(rho, (2, 3, 4), (0, 2)).toarray(), outer, atol=1e-15
    )
    np.testing.assert_allclose(td.reduced_state(rho, [2, 3, 4], (0, 1, 2)).toarray(), rho)
    assert td.reduced_state(rho, (2, 3, 4), ()).toarray() == pytest.approx(1.0)
    uniform = td.reduced_state(np.eye(24) / 24.0, (2, 3, 4), 0)
    np.testing.assert_allclose(uniform.toarray(), np.eye(2) / 2.0)
    correlated = random_pure(np.sqrt([0.7, 0.3]), (6, 4))
    middle = td.reduced_state(correlated, (2, 3, 4), (0, 1))
    np.testing.assert_allclose(middle.toarray(), td.reduced_state(correlated, (6, 4), 0).toarray())


@pytest.mark.parametrize(
    ("dimensions", "kept", "message"),
    [
        ((2, 3, 4), 3, "`kept` must be positions below 3 in ascending order, but is 3"),
        ((2, 3, 4), (2, 0), "`kept` must be positions below 3 in ascending order"),
        ((2, 3, 4), (0, 0), "`kept` must be positions below 3 in ascending order"),
        ((2, 3, 4), -1, "`kept` must be at least 0"),
        ((2, 3, 4), "A", "`kept` must be an integer"),
        ((2, 3), 0, r"`state` must have shape \(6, 6\), but has shape \(24, 24\)"),
        (24, 0, r"`dimensions` must be a sequence such as \(2, 3\), but is 24"),
        ((), 0, "`dimensions` must be a sequence"),
        ((2.0, 12), 0, "`dimensions` must be an integer"),
    ],
)
def test_wrong_parts_are_refused(dimensions, kept, message):
    with pytest.raises(InvalidArgument, match=message):
        td.reduced_state(np.eye(24) / 24.0, dimensions, kept)


def test_correlations_are_of_two_parts():
    for question in (td.negativity, td.mutual_information):
        with pytest.raises(InvalidArgument, match="`dimensions` must be those of two parts"):
            question(np.eye(24) / 24.0, (2, 3, 4))


def test_no_information_is_negative():
    for seed in range(20):
        rho = random_pure([1.0], (3, 4), seed)
        assert td.mutual_information(rho, (3, 4)) >= 0.0
        assert td.von_neumann_entropy(rho) >= 0.0
