"""Random Lindblad equations: right to the error given, or refused for a reason that is there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judge import judge
from lindblad_strategies import CALLS, Equation, equations

from wheelwork.errors import NoSteadyState, NotConverged
from wheelwork.lindblad import steady_state

EXAMPLES = {"steady state": 100, "steady state, methods": 20, "counting": 20}
seeds = st.integers(0, 2**32 - 1)
clear = equations(("filled", "sparse", "ladder"), 8, (0.0, 2.0), st.just(1.0))


@pytest.mark.parametrize("name", CALLS)
def test_right_or_refused(name):
    @settings(max_examples=EXAMPLES[name], derandomize=True, deadline=None, database=None)
    @given(CALLS[name])
    def run(case):
        text, call, check = case
        outcome = judge(call, check, text)
        assert not outcome.bad, f"{text}: {outcome.reason}"

    run()


def solved(equation):
    """ρ and its error, or the kind of refusal."""
    try:
        result = steady_state(equation.lindblad)
    except (NoSteadyState, NotConverged) as reason:
        return type(reason), np.inf
    return result.state.density_matrix, result.error


def agree(one, other, back=lambda rho: rho):
    """Whether two solutions are the same state, or neither is one."""
    if isinstance(one[0], type) or isinstance(other[0], type):
        return isinstance(one[0], type) and isinstance(other[0], type)
    return np.abs(one[0] - back(other[0])).sum() <= 20.0 * (one[1] + other[1]) + 1e-12


def unitary(random, size):
    A = random.normal(size=(size, size)) + 1j * random.normal(size=(size, size))
    return np.linalg.qr(A)[0]


@settings(max_examples=25, derandomize=True, deadline=None, database=None)
@given(clear, seeds)
def test_the_basis_has_no_effect(equation, seed):
    """Permuted basis states; any other basis, unless a part of ρ is then out of reach."""
    random, H = np.random.default_rng(seed), equation.hamiltonian
    D, here = len(H), solved(equation)
    order = random.permutation(D)
    moved = [A[np.ix_(order, order)] for A in (H, *equation.jumps)]
    permuted = solved(Equation("permuted", moved[0], tuple(moved[1:])))
    assert agree(here, permuted, lambda rho: rho[np.ix_(np.argsort(order), np.argsort(order))])
    U = unitary(random, D)
    turned = [U @ A @ U.conj().T for A in (H, *equation.jumps)]
    H_turned = 0.5 * (turned[0] + turned[0].conj().T)
    rotated = solved(Equation("rotated", H_turned, tuple(turned[1:])))
    if not isinstance(rotated[0], type):  # several states may be told apart by one basis only
        assert agree(here, rotated, lambda rho: U.conj().T @ rho @ U)


@settings(max_examples=25, derandomize=True, deadline=None, database=None)
@given(clear, seeds)
def test_the_form_of_the_jumps_has_no_effect(equation, seed):
    """L_k → Σ U_kj L_j + c_k with H shifted along, and a shift of all energies."""
    random, H, jumps = np.random.default_rng(seed), equation.hamiltonian, equation.jumps
    one = np.eye(len(H))
    U = unitary(random, len(jumps))
    mixed = [sum(u * L for u, L in zip(row, jumps, strict=True)) for row in U]
    c = random.normal(size=len(jumps)) + 1j * random.normal(size=len(jumps))
    H = H + 3.0 * one
    for ck, L in zip(c, mixed, strict=True):  # −iH → −iH − ½(c* L − c L†) for L → L + c
        H = H - 0.5j * (np.conj(ck) * L - ck * L.conj().T)
    shifted = tuple(L + ck * one for L, ck in zip(mixed, c, strict=True))
    other = solved(Equation("shifted", 0.5 * (H + H.conj().T), shifted))
    here = solved(equation)
    if not isinstance(other[0], type):
        assert agree(here, other)


@settings(max_examples=15, derandomize=True, deadline=None, database=None)
@given(equations(units=st.just(1.0)), st.sampled_from([1e-24, 1e-9, 1e9, 1e15]))
def test_the_unit_of_energy_has_no_effect(equation, unit):
    here = solved(equation)
    other = solved(Equation(equation.kind, equation.hamiltonian, equation.jumps, unit))
    assert agree(here, other)
