"""Standard states: moments, normalisation, refusal of levels that do not hold them."""

import numpy as np
import pytest

from wheelwork.errors import InvalidArgument
from wheelwork.states import (
    cat_state,
    coherent_state,
    number_state,
    squeezed_state,
    thermal_state,
)


def expectation(rho, *powers):
    """Tr(rho a†^i a^j) for (i, j)."""
    a = np.diag(np.sqrt(np.arange(1.0, len(rho))), 1)
    i, j = powers
    return np.trace(rho @ np.linalg.matrix_power(a.T, i) @ np.linalg.matrix_power(a, j))


def test_coherent_state_is_an_eigenstate_of_a():
    alpha = 1.2 - 2.1j
    rho = coherent_state(alpha, 70)
    assert expectation(rho, 0, 1) == pytest.approx(alpha, abs=1e-12)
    assert expectation(rho, 0, 2) == pytest.approx(alpha**2, abs=1e-12)
    assert expectation(rho, 1, 1) == pytest.approx(abs(alpha) ** 2, abs=1e-12)


def test_coherent_state_at_a_thousand_levels():
    rho = coherent_state(18.0 + 17.0j, 1000)
    assert np.trace(rho).real == pytest.approx(1.0, abs=1e-12)
    assert np.arange(1000) @ np.diag(rho).real == pytest.approx(613.0, abs=1e-9)


def test_thermal_state():
    rho = thermal_state(9.5, 400)
    assert expectation(rho, 1, 1) == pytest.approx(9.5, abs=1e-12)
    assert expectation(rho, 2, 2) == pytest.approx(2 * 9.5**2, rel=1e-11)
    np.testing.assert_array_equal(thermal_state(0.0, 5), number_state(0, 5))


@pytest.mark.parametrize("r", [0.6, -0.6])
def test_squeezed_state(r):
    angle = 0.9
    rho = squeezed_state(r, angle, 150)
    assert expectation(rho, 1, 1) == pytest.approx(np.sinh(r) ** 2, abs=1e-12)
    anomalous = -0.5 * np.exp(1j * angle) * np.sinh(2 * r)
    assert expectation(rho, 0, 2) == pytest.approx(anomalous, abs=1e-12)


def test_squeezed_at_angle_zero_has_narrow_x():
    rho = squeezed_state(0.5, 0.0, 100)
    variance_x = 0.5 + expectation(rho, 1, 1) + expectation(rho, 0, 2).real
    assert variance_x.real == pytest.approx(0.5 * np.exp(-1.0), abs=1e-12)


def test_cat_states():
    alpha = 1.5 + 1.1j
    even, odd = cat_state(alpha, 60), cat_state(alpha, 60, phase=np.pi)
    for rho in (even, odd, cat_state(alpha, 60, phase=0.7)):
        assert np.trace(rho).real == pytest.approx(1.0, abs=1e-12)
        assert expectation(rho, 0, 2) == pytest.approx(alpha**2, abs=1e-11)
    assert np.diag(even)[1::2] == pytest.approx(0.0, abs=1e-30)
    assert np.diag(odd)[::2] == pytest.approx(0.0, abs=1e-30)


def test_tiny_odd_cat_is_one_quantum():
    np.testing.assert_allclose(
        cat_state(1e-6, 8, phase=np.pi), number_state(1, 8), rtol=0, atol=1e-6
    )
    with pytest.raises(InvalidArgument, match="`alpha` must not be so small"):
        cat_state(0.0, 8, phase=np.pi)


@pytest.mark.parametrize(
    "make",
    [
        lambda tolerance: thermal_state(5.0, 30, tolerance=tolerance),
        lambda tolerance: coherent_state(3.0, 15, tolerance=tolerance),
        lambda tolerance: squeezed_state(1.5, 0.0, 20, tolerance=tolerance),
        lambda tolerance: cat_state(3.0, 15, tolerance=tolerance),
    ],
)
def test_levels_that_do_not_hold_the_state(make):
    with pytest.raises(InvalidArgument, match=r"`levels` must hold all but 1\.0e-09 of"):
        make(1e-9)
    assert 0.5 < np.trace(make(0.5)).real < 1.0 - 1e-9


def test_bad_input():
    with pytest.raises(InvalidArgument, match="`levels` must exceed n = 5, but is 5"):
        number_state(5, 5)
    with pytest.raises(InvalidArgument, match="`mean_number` must not be negative"):
        thermal_state(-1.0, 5)
    with pytest.raises(InvalidArgument, match="`alpha` must be finite"):
        coherent_state(complex(np.nan, 0.0), 5)
