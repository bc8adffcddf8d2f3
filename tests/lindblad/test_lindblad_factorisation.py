"""LU of sparse matrices: a band where there is one, else by fill; both solve the same equations."""

import numpy as np
import pytest
import scipy.sparse as sp

from wheelwork.errors import NotConverged
from wheelwork.lindblad.factorisation import (
    BandedLU,
    DenseLU,
    FilledLU,
    factorised,
    narrow_order,
    separator,
)


def scattered(size: int, reach: int, dtype: type) -> sp.csc_array:
    """An unsymmetric band matrix without large diagonal, its rows and columns shuffled."""
    random = np.random.default_rng(5)
    dense = np.triu(np.tril(random.normal(size=(size, size)), reach), -2 * reach).astype(dtype)
    if dtype is complex:
        dense *= np.exp(1j * random.uniform(0.0, 6.0, size=dense.shape))
    shuffle = random.permutation(size)
    return sp.csc_array(dense[shuffle][:, shuffle])


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("columns", [None, 3])
def test_both_solve(dtype: type, columns: int | None) -> None:
    matrix = scattered(60, 3, dtype)
    shape = (60,) if columns is None else (60, columns)
    x = np.random.default_rng(6).normal(size=shape).astype(dtype)
    banded, filled = BandedLU.of(matrix, narrow_order(matrix)), FilledLU.of(matrix)
    for lu in (banded, filled, DenseLU.of(matrix)):
        result = lu.solve(matrix @ x)
        assert result.shape == shape
        np.testing.assert_allclose(result, x, atol=1e-9)


def test_the_order_finds_the_band() -> None:
    """Also where opposite entries would cancel: the pattern counts, not the sum."""
    n = 200
    chain = sp.diags_array([np.ones(n - 1), -np.ones(n - 1)], offsets=[1, -1])
    shuffle = np.random.default_rng(7).permutation(n)
    matrix = sp.csc_array(sp.csr_array(chain)[shuffle][:, shuffle])
    order = narrow_order(matrix)
    assert (order.lower, order.upper) == (1, 1)
    assert isinstance(factorised(sp.csc_array(matrix + sp.eye_array(n))), BandedLU)


def test_full_matrices_are_dense_and_lattices_are_not() -> None:
    dense = np.random.default_rng(8).normal(size=(80, 80))
    assert isinstance(factorised(sp.csc_array(dense)), DenseLU)
    path = sp.diags_array([np.ones(69), -np.ones(70), np.ones(69)], offsets=[-1, 0, 1])
    one = sp.eye_array(70)
    plane = sp.csc_array(sp.kron(path, one) + sp.kron(one, path) - sp.eye_array(4900))
    assert isinstance(factorised(plane), FilledLU)
    order = narrow_order(plane)
    assert separator(plane, order.position) == pytest.approx(70, abs=20)


def test_a_singular_matrix_is_refused() -> None:
    matrix = sp.csc_array(np.diag([1.0, 2.0, 0.0, 3.0]))
    with pytest.raises(NotConverged, match="singular"):
        factorised(matrix)
    dense = np.ones((100, 100))
    with pytest.raises(NotConverged, match="singular"):
        factorised(sp.csc_array(dense))
