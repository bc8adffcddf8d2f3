import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wheelwork.errors import NotConverged
from wheelwork.phase_space.chebyshev import tabulate


def both(x):
    return np.stack([np.sin(3.0 * x), 1.0 / (1.0 + (x / 0.05) ** 2)])


@pytest.fixture
def table():
    return tabulate(both, -2.0, 3.0, 1e-11)


def test_meets_its_tolerance_on_a_narrow_line(table):
    x = np.linspace(-2.0, 3.0, 5001)
    assert np.max(np.abs(table(x) - both(x))) < 2e-11
    assert np.all(table.error <= 1e-11)
    assert table.breaks.size > 4  # refined where the line is, not everywhere
    assert np.min(np.diff(table.breaks)) < 0.2 < np.max(np.diff(table.breaks))


def test_derivative_and_antiderivative(table):
    x = np.linspace(-1.9, 2.9, 801)
    assert np.allclose(table.derivative()(x)[0], 3.0 * np.cos(3.0 * x), atol=1e-8)
    integral = 0.05 * (np.arctan(x / 0.05) + np.arctan(2.0 / 0.05))
    assert np.allclose(table.antiderivative()(x)[1], integral, atol=1e-11)


@settings(deadline=None)  # the first call compiles
@given(st.floats(1e-10, 1e-3))
def test_error_estimate_bounds_the_error(rtol):
    def lorentzian(x):
        return np.atleast_2d(1.0 / (1.0 + (x - 0.3) ** 2))

    table = tabulate(lorentzian, -8.0, 8.0, rtol)
    x = np.linspace(-8.0, 8.0, 1000)
    assert np.max(np.abs(table(x) - lorentzian(x))) <= 10.0 * rtol


def test_joined_tables_continue_each_other():
    left, right = tabulate(both, -1.0, 0.5, 1e-10), tabulate(both, 0.5, 2.0, 1e-10)
    x = np.linspace(-1.0, 2.0, 301)
    assert np.allclose(left.joined(right)(x), both(x), atol=1e-9)


def test_unchecked_components_do_not_steer_but_tell_their_error():
    def with_step(x):
        return np.stack([np.cos(x), np.sign(x - 0.1)])

    table = tabulate(with_step, -1.0, 1.0, 1e-10, checked=1)
    assert table.breaks.size == 2
    assert table.error[0] <= 1e-10
    x = np.linspace(-1.0, 1.0, 999)
    assert np.max(np.abs(table(x)[1] - with_step(x)[1])) <= table.error[1]
    assert np.all(np.abs(table(x)[1] - with_step(x)[1]) <= table.bound(x)[1])


def test_too_many_jumps_are_refused():
    with pytest.raises(NotConverged, match="structure near"):
        tabulate(lambda x: np.sign(np.sin(40.0 * x))[None], 0.0, 1.0, 1e-12)


def test_a_table_times_its_argument():
    table = tabulate(lambda x: np.stack([np.exp(x), np.abs(x) ** 5]), -1.0, 2.0, 1e-12)
    x = np.linspace(-1.0, 2.0, 301)
    found, exact = table.times_argument(2.0), 2.0 * x * np.stack([np.exp(x), np.abs(x) ** 5])
    np.testing.assert_allclose(found(x), 2.0 * x * table(x), rtol=0, atol=1e-13)
    np.testing.assert_array_less(np.abs(found(x) - exact), found.bound(x) + 1e-12)
