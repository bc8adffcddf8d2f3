"""Hermite and Laguerre functions against high precision, and as orthonormal systems."""

import mpmath
import numpy as np
import pytest
from scipy.special import roots_legendre

from wheelwork.errors import InvalidArgument
from wheelwork.states import hermite_functions, laguerre_functions
from wheelwork.states.oscillator import laguerre_sums, reach


def exact_hermite(n, x):
    with mpmath.workdps(60):
        x = mpmath.mpf(x)
        norm = mpmath.sqrt(mpmath.mpf(2) ** n * mpmath.factorial(n) * mpmath.sqrt(mpmath.pi))
        return float(mpmath.hermite(n, x) * mpmath.exp(-x * x / 2) / norm)


def exact_laguerre(n, k, y):
    with mpmath.workdps(60):
        y = mpmath.mpf(y)
        ratio = mpmath.sqrt(mpmath.factorial(n) / mpmath.factorial(n + k))
        return float(
            ratio * y ** (mpmath.mpf(k) / 2) * mpmath.exp(-y / 2) * mpmath.laguerre(n, k, y)
        )


def test_hermite_functions_beyond_underflow():
    x = np.array([0.3, 60.0, -5.0, 36.0, 38.5, -44.0, 44.7, 62.0])  # not in order
    table = hermite_functions(x, 2000)
    for n in (0, 1, 7, 600, 1000, 1999):
        exact = [exact_hermite(n, point) for point in x]
        np.testing.assert_allclose(table[n], exact, rtol=0, atol=2e-13, err_msg=f"n = {n}")
    assert abs(table[1000, 5]) > 0.05  # alive where phi_0 has underflowed


@pytest.mark.parametrize("order", [0, 1, 8, 300])
def test_laguerre_functions_beyond_underflow(order):
    y = np.array([0.3, 8100.0, 7.0, 400.0, 1500.0, 0.0, 4000.0, 2500.0])
    table = laguerre_functions(order, y, 2000)
    for n in (0, 1, 5, 500, 1999):
        exact = [exact_laguerre(n, order, point) for point in y]
        np.testing.assert_allclose(table[n], exact, rtol=0, atol=2e-12, err_msg=f"n = {n}")


def test_hermite_functions_are_orthonormal_to_2000():
    step = np.pi / 80.0
    x = step * np.arange(-1700, 1701)
    table = hermite_functions(x, 2000)
    some = table[[0, 1, 500, 1200, 1998, 1999]]
    np.testing.assert_allclose(step * some @ some.T, np.eye(6), rtol=0, atol=1e-12)


def test_laguerre_functions_are_orthonormal():
    node, weight = roots_legendre(900)
    r = 20.0 * (node + 1)
    table = laguerre_functions(3, r**2, 300)
    gram = (table * (20.0 * weight * 2 * r)) @ table.T
    np.testing.assert_allclose(gram, np.eye(300), rtol=0, atol=1e-12)


@pytest.mark.parametrize("levels", [1, 2, 50, 1000, 2000])
def test_reach_is_where_the_last_function_has_ended(levels):
    edge = reach(levels, 39.0)
    assert np.abs(hermite_functions([edge, 1.1 * edge], levels)).max() < 1e-16
    assert np.abs(hermite_functions([0.9 * edge - 1.0], levels)[-1]) > 1e-16 or levels == 1


def test_one_level_and_bad_input():
    np.testing.assert_allclose(hermite_functions([0.0], 1), [[np.pi**-0.25]])
    with pytest.raises(InvalidArgument, match=r"`y` must not be negative, but is -1\.0"):
        laguerre_functions(0, [1.0, -1.0], 5)
    with pytest.raises(InvalidArgument, match="`levels` must be at least 1, but is 0"):
        hermite_functions([0.0], 0)
    with pytest.raises(InvalidArgument, match="`order` must be at least 0"):
        laguerre_functions(-1, [1.0], 5)


@pytest.mark.parametrize(("order", "points"), [(0, 700), (1, 256), (17, 300)])
def test_sums_of_laguerre_functions_are_those_of_their_table(order, points):
    """Also of points whose first functions are below the range of floats."""
    r = np.linspace(0.0, 42.0, points)
    weights = np.exp(-(r**2) / 300.0) * np.stack([np.cos(r), np.sin(3.0 * r)])
    sums = laguerre_sums(order, 4.0 * r**2, weights, 1500)
    table = laguerre_functions(order, 4.0 * r**2, 1500)
    np.testing.assert_allclose(sums, table @ weights.T, rtol=0, atol=1e-11)
