"""Eigenvalues next to zero: steady states are counted, slow rates are not taken for them."""

from time import perf_counter

import numpy as np
import pytest
import scipy.sparse as sp
from open_systems import basis

from wheelwork.errors import NoSteadyState, NotConverged
from wheelwork.lindblad import Lindblad, steady_state


def hops(dimension, moves):
    """Classical jumps (to, from, rate)."""
    shape = (dimension, dimension)
    jumps = [sp.csc_array(([np.sqrt(rate)], ([to], [at])), shape=shape) for to, at, rate in moves]
    return Lindblad(sp.csc_array(shape), jumps)


def pairs(count, between):
    """2k ⇄ 2k + 1 at rates ½ and 1; `between` is the rate of hops between neighbours 2k."""
    moves = [(2 * k + 1, 2 * k, 0.5) for k in range(count)]
    moves += [(2 * k, 2 * k + 1, 1.0) for k in range(count)]
    if between:
        moves += [(2 * k, 2 * k - 2, between) for k in range(1, count)]
        moves += [(2 * k - 2, 2 * k, between) for k in range(1, count)]
    return hops(2 * count, moves)


def leaking(rate):
    """0 ⇄ 1 and 2 ⇄ 3, and a way from the first pair to the second."""
    moves = [(1, 0, 0.5), (0, 1, 1.0), (3, 2, 0.5), (2, 3, 1.0), (2, 0, rate)]
    return hops(4, moves)


LAST = [0.0, 0.0, 2.0 / 3.0, 1.0 / 3.0]


@pytest.mark.parametrize("rate", [1e-12, 1e-13, 1e-14])
@pytest.mark.parametrize("start", [0, None])
def test_a_metastable_state_is_not_the_last(rate, start):
    initial = None if start is None else basis(4, start)
    with pytest.raises(NotConverged, match=r"relaxation rates of about \d\.\de-1\d are above"):
        steady_state(leaking(rate), initial=initial)


def test_the_slow_rate_is_named():
    """The first pair holds 2/3 of its probability where it leaks."""
    with pytest.raises(NotConverged, match=r"about 6\.[5-9]e-13 "):
        steady_state(leaking(1e-12), initial=basis(4, 0))


@pytest.mark.parametrize("start", [0, None])
def test_a_slow_rate_that_is_resolved_is_followed(start):
    initial = None if start is None else basis(4, start)
    result = steady_state(leaking(1e-6), initial=initial)
    assert result.state.populations == pytest.approx(LAST, abs=1e-8)


def test_a_start_behind_the_leak_knows_nothing_of_it():
    result = steady_state(leaking(1e-13), initial=basis(4, 2))
    assert result.state.populations == pytest.approx(LAST, abs=1e-14)


def test_a_large_kernel_is_not_counted_to_its_end():
    begun = perf_counter()
    with pytest.raises(NoSteadyState, match="there are at least 8 independent"):
        steady_state(pairs(500, 0.0))
    mixed = np.eye(1000) / 1000.0
    with pytest.raises(NotConverged, match="at least 64 independent"):
        steady_state(pairs(500, 0.0), initial=mixed)
    assert perf_counter() - begun < 20.0


@pytest.mark.parametrize("initial", [None, np.eye(1000) / 1000.0])
def test_many_rates_lost_in_rounding_are_no_steady_states(initial):
    with pytest.raises(NotConverged, match="relaxation rates of about"):
        steady_state(pairs(500, 1e-12), initial=initial)


def test_kernels_of_moderate_size_are_counted():
    result = steady_state(pairs(20, 0.0), initial=np.eye(40) / 40.0)
    assert result.details["steady_states"] == 20.0
    assert result.state.populations[::2] == pytest.approx(np.full(20, 1.0 / 30.0), abs=1e-9)
    with pytest.raises(NoSteadyState, match="there are 3 independent"):
        steady_state(pairs(3, 0.0))


def test_a_coherence_that_hardly_decays_leaves_uniqueness_open():
    sigma_x = np.array([[0.0, 1.0], [1.0, 0.0]])
    flip = Lindblad(np.zeros((2, 2)), [sigma_x, 3e-7 * np.diag([1.0, -1.0])])
    assert steady_state(flip).unique is None
