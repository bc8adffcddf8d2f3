"""Cubic tables on equal cells and on octaves against the functions that they hold."""

import numba
import numpy as np
import pytest

from wheelwork.errors import NotConverged
from wheelwork.numerics.cubic_cells import (
    OCTAVES,
    cubic,
    equal_cells,
    locate_equal,
    locate_octave,
    octave_cells,
)


def test_look_up_reaches_its_tolerance():
    def function(X):
        return np.stack([np.tanh(3.0 * X), X**3 - X])

    cells = equal_cells(function, 8.0, 1e-8)
    X = np.random.default_rng(1).uniform(-8.0, 8.0, 1000)
    assert cells(X)[0] == pytest.approx(np.tanh(3.0 * X), abs=2e-8)
    assert cells(X)[1] == pytest.approx(X**3 - X, rel=1e-9, abs=1e-9)
    with pytest.raises(NotConverged, match="too fine a structure"):
        equal_cells(lambda X: np.sign(X - 0.1)[None], 8.0, 1e-6)


def test_a_rate_with_a_jump_is_refused():
    with pytest.raises(NotConverged, match="varies too sharply"):
        octave_cells([lambda n: np.where(n > 3.3, 1.0, 0.0)], 1.0)


def test_tables_reach_far_and_end_flat():
    table = octave_cells([saturable], 1.0)
    assert table.error < 2e-5
    assert table.coefficients.shape[0] == OCTAVES * 2**table.fineness


def saturable(n):
    return 2.0 * (1.0 + n) ** -2.0


@numba.njit
def equal_values(table, spacing, X):
    half = len(table) / 2.0
    values = np.empty(X.size)
    for i in range(X.size):
        cell, t = locate_equal(X[i], 1.0 / spacing, half, 2.0 * half - 1.0)
        values[i] = cubic(table, cell, 1, t)
    return values


@numba.njit
def octave_values(table, k, n):
    values = np.empty(n.size)
    for i in range(n.size):
        cell, t = locate_octave(1.0 + n[i], k, np.uint64(len(table)))
        values[i] = cubic(table, cell, 1, t)
    return values


def test_compiled_look_up_on_equal_cells():
    cells = equal_cells(lambda X: np.stack([X, np.cos(X)]), 8.0, 1e-8)
    X = np.random.default_rng(2).uniform(-8.0, 8.0, 1000)
    values = equal_values(cells.coefficients, cells.spacing, X)
    assert values == pytest.approx(cells(X)[1], abs=1e-12)
    beyond = equal_values(cells.coefficients, cells.spacing, np.array([-8.5, 8.5, np.nan]))
    assert np.all(np.isfinite(beyond[:2]))


def test_compiled_look_up_in_octaves():
    table = octave_cells([np.log1p, saturable], 1.0, 6)
    n = np.concatenate([[0.0], np.logspace(-3.0, 4.0, 500)])
    values = octave_values(table.coefficients, np.uint64(table.fineness), n)
    assert values == pytest.approx(saturable(n), rel=2e-5, abs=1e-9)
    end = octave_values(table.coefficients, np.uint64(table.fineness), np.array([1e300]))
    assert end[0] == pytest.approx(0.0, abs=1e-12)
