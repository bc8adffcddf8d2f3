"""Random systems and operators in time, random states: right, or refused by name."""

import numpy as np
import pytest
from evolution_strategies import CALLS, equations, exact, operators
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judge import judge

from wheelwork.lindblad import Lindblad, evolve

quick = settings(
    derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("kind", CALLS)
def test_right_or_refused(kind):
    refused, tried = [], []

    @given(CALLS[kind])
    @settings(quick, max_examples=100)
    def run(case):
        text, call, check = case
        outcome = judge(call, check, text)
        assert not outcome.bad, f"{text}: {outcome.reason}"
        tried.append(text)
        if outcome.kind != "right":
            refused.append(outcome.reason)

    run()
    assert len(refused) <= 0.1 * len(tried), refused


@st.composite
def combinations(draw):
    H, jumps = draw(equations(most=4))
    kinds = ("hermitian", "any", "unit")
    return H, jumps, draw(operators(len(H), kinds)), draw(operators(len(H), kinds))


@given(combinations(), st.complex_numbers(max_magnitude=10.0, allow_nan=False))
@settings(quick, max_examples=40)
def test_evolution_is_linear_and_keeps_trace_and_adjoint(case, z):
    H, jumps, X, Y = case
    system, norm = Lindblad(H, jumps), np.linalg.norm
    time = 1.0 / (norm(H) + sum(norm(jump) ** 2 for jump in jumps) + 1e-300)

    def after(M):
        return evolve(system, M, [time]).final.density_matrix

    size = norm(X) * abs(z) + norm(Y)
    assert norm(after(z * X + Y) - z * after(X) - after(Y)) <= 1e-8 * size
    assert norm(after(X.conj().T) - after(X).conj().T) <= 1e-8 * norm(X)
    assert abs(np.trace(after(X)) - np.trace(X)) <= 1e-9 * norm(X)


@given(equations(most=3), st.floats(-5.0, 5.0), st.integers(0, 5))
@settings(quick, max_examples=30)
def test_a_shift_of_energies_and_another_order_of_levels_do_not_matter(case, shift, seed):
    H, jumps = case
    order = np.random.default_rng(seed).permutation(len(H))
    start = np.eye(len(H))[0]
    time = 1.0 / (np.linalg.norm(H) + 1.0)
    one = evolve(Lindblad(H, jumps), start, [time]).final.density_matrix
    moved = H + shift * np.linalg.norm(H) * np.eye(len(H))
    other = evolve(Lindblad(moved, jumps), start, [time]).final.density_matrix
    np.testing.assert_allclose(other, one, atol=1e-8)
    turned = [M[np.ix_(order, order)] for M in (H, *jumps)]
    again = evolve(Lindblad(turned[0], turned[1:]), start[order], [time]).final.density_matrix
    np.testing.assert_allclose(again, one[np.ix_(order, order)], atol=1e-8)
    np.testing.assert_allclose(one, exact(H, jumps, start, time), atol=1e-8)
