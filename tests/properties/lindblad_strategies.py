"""Random Lindblad equations, and their steady state by a route of its own: the full D² × D² matrix.

CALLS: strategies of (text, call, check), see `judge`.
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from wheelwork.errors import NoSteadyState, NotConverged
from wheelwork.lindblad import Krylov, Lindblad, SparseLU, counting_statistics, steady_state

EPS = float(np.finfo(float).eps)
CLEAR = 1e-7  # smallest singular value beside zero, of the largest: an equation easily solved
ROUNDED = 1e-12  # of the largest: singular values below may be zero
TINY = 64.0 * EPS  # of the largest: those below are zero


@dataclass(frozen=True)
class Equation:
    """H and jumps as arrays, in units in which both are of order one, and the unit."""

    kind: str
    hamiltonian: np.ndarray
    jumps: tuple
    unit: float = 1.0

    @property
    def lindblad(self):
        return Lindblad(
            self.unit * self.hamiltonian, [np.sqrt(self.unit) * jump for jump in self.jumps]
        )

    @property
    def text(self):
        D, K = len(self.hamiltonian), len(self.jumps)
        return f"{self.kind}: {D} levels, {K} jumps, unit {self.unit:g}"


def generator(equation):
    """The D² × D² matrix on ρ stacked by rows."""
    H = equation.hamiltonian
    one = np.eye(len(H))
    total = -1j * (np.kron(H, one) - np.kron(one, H.T))
    for L in equation.jumps:
        rate = L.conj().T @ L
        total = total + np.kron(L, L.conj()) - 0.5 * (np.kron(rate, one) + np.kron(one, rate.T))
    return total


def reached(equation):
    """What the maximally mixed state becomes, its error, and the singular values over the largest.

    The projection on the kernel, R (L†R)⁻¹ L†, from right and left singular vectors. Oscillations
    that do not decay average out, as they have no part in it.
    """
    D = len(equation.hamiltonian)
    left, sizes, right = np.linalg.svd(generator(equation))
    sizes = sizes / (sizes[0] or 1.0)
    kernel = int(np.count_nonzero(sizes <= ROUNDED)) or 1
    L, R = left[:, -kernel:], right[-kernel:].conj().T
    overlap = L.conj().T @ R
    rho = (R @ np.linalg.solve(overlap, L.conj().T @ (np.eye(D).ravel() / D))).reshape(D, D)
    gap = sizes[-kernel - 1] if kernel < sizes.size else 1.0
    return rho, 100.0 * EPS * D * np.linalg.cond(overlap) / gap, sizes


def _matrix(random, D, share=1.0):
    filled = random.random((D, D)) < share
    return (random.normal(size=(D, D)) + 1j * random.normal(size=(D, D))) * filled


def _hermitian(random, D, share=1.0):
    A = _matrix(random, D, share)
    return A + A.conj().T


def _rates(random, count, decades):
    return 10.0 ** (-decades * random.random(count) / 2.0)


def _filled(random, D, decades):
    count = int(random.integers(1, 5))
    rates = _rates(random, count, decades)
    return _hermitian(random, D), [rate * _matrix(random, D) for rate in rates]


def _sparse(random, D, decades):
    count = int(random.integers(1, 2 * D))
    rates = _rates(random, count, decades)
    share = 2.0 / D
    return _hermitian(random, D, share), [rate * _matrix(random, D, share) for rate in rates]


def _hops(random, D, decades):
    """Jumps between single basis states, H diagonal or nearly so: classical rates, and symmetry."""
    H = np.diag(random.integers(0, 3, D).astype(complex))
    if random.random() < 0.5:
        H = H + _hermitian(random, D, 1.0 / D)
    jumps = []
    for rate in _rates(random, int(random.integers(1, 2 * D)), decades):
        L = np.zeros((D, D), dtype=complex)
        L[random.integers(D), random.integers(D)] = rate
        jumps.append(L)
    return H, jumps


def _ladder(random, D, decades):
    """A driven anharmonic oscillator with loss, and perhaps gain or dephasing."""
    a = np.diag(np.sqrt(np.arange(1.0, D)), 1).astype(complex)
    n = a.conj().T @ a
    detuning, shift, drive = random.normal(size=3)
    H = detuning * n + 0.1 * shift * (n @ n - n) + drive * (a + a.conj().T)
    rates = _rates(random, 3, decades)
    return H, [rates[0] * a, 0.5 * rates[1] * a.conj().T, rates[2] * n][: random.integers(1, 4)]


def _halves(random, D, decades):
    """Two equations that nothing links: two steady states and, if equal, coherences between."""
    d = max(D // 2, 1)
    H, jumps = _filled(random, d, decades)
    equal = random.random() < 0.5
    other, more = (H, jumps) if equal else _filled(random, d, decades)
    zero = np.zeros((d, d))
    upper = [np.block([[L, zero], [zero, zero]]) for L in jumps]
    lower = [np.block([[zero, zero], [zero, L]]) for L in more]
    return np.block([[H, zero], [zero, other]]), upper + lower


def _dephasing(random, D, decades):
    """Diagonal jumps beside a random H: the maximally mixed state, or many."""
    jumps = [rate * np.diag(random.normal(size=D)) for rate in _rates(random, 2, decades)]
    return _hermitian(random, D, random.choice([0.0, 2.0 / D, 1.0])), jumps


def _closed(random, D, decades):
    return _hermitian(random, D), []


KINDS = {
    "filled": _filled,
    "sparse": _sparse,
    "hops": _hops,
    "ladder": _ladder,
    "halves": _halves,
    "dephasing": _dephasing,
    "closed": _closed,
}
UNITS = st.sampled_from([1.0, 1e-24, 1e-9, 1e9, 1e15])


def equations(kinds=tuple(KINDS), most=12, decades=(0.0, 2.0, 6.0, 12.0), units=UNITS):
    """Equations of random kind, size, spread of rates over decades, and unit of energy."""

    def build(kind, D, spread, seed, unit):
        H, jumps = KINDS[kind](np.random.default_rng(seed), D, spread)
        return Equation(f"{kind} (seed {seed}, {spread:g} decades)", H, tuple(jumps), unit)

    seeds = st.integers(0, 2**32 - 1)
    sizes = st.integers(2, most)
    return st.builds(build, st.sampled_from(kinds), sizes, st.sampled_from(decades), seeds, units)


def _solved(equation, solve):
    """`solve()`, whose refusal must have a reason in the singular values."""
    try:
        return solve()
    except (NoSteadyState, NotConverged) as refusal:
        if wrong := _unjustified(equation, refusal):
            raise AssertionError(f"{wrong}: {refusal}") from refusal
        raise


def _unjustified(equation, refusal):
    """What speaks against a refusal, or an empty text."""
    sizes = reached(equation)[2]
    if isinstance(refusal, NoSteadyState):
        unique = np.count_nonzero(sizes <= ROUNDED) == 1
        return "the steady state is unique, but refused" if unique else ""
    if refusal.partial is not None and refusal.partial.passed:
        return "a partial result passes its audit"
    clear = np.all((sizes <= TINY) | (sizes >= CLEAR))
    return "the equation is easily solved, but refused" if clear else ""


def steady_check(equation):
    def check(result):
        rho, off, sizes = reached(equation)
        if np.any((sizes > TINY) & (sizes < ROUNDED)):
            return None  # the full matrix cannot tell how many there are
        ours = result.state.density_matrix
        distance = float(np.abs(ours - rho).sum())
        if not distance <= 10.0 * result.error + off:
            return f"off by {distance:.1e}, error {result.error:.1e}, reference {off:.1e}"
        if not abs(np.trace(ours) - 1.0) <= 1e-13:
            return f"trace {np.trace(ours)!r}"
        if np.linalg.eigvalsh(ours)[0] < -(2.0 * result.error + 1e-14):
            return f"lowest eigenvalue {np.linalg.eigvalsh(ours)[0]:.1e}"
        if not result.passed:
            return "a result whose audit fails was returned"
        return None

    return check


def _steady_call(equation, method):
    def call():
        return _solved(equation, lambda: steady_state(equation.lindblad, method))

    name = "default" if method is None else repr(method)
    return f"steady_state, {name}, {equation.text}", call, steady_check(equation)


def _counting_call(equation):
    def call():
        steady = _solved(equation, lambda: steady_state(equation.lindblad))
        return counting_statistics(steady, np.ones(len(equation.jumps)), 1), steady

    def check(result):
        counts, steady = result
        rate = sum((L.conj().T @ L for L in equation.jumps), np.zeros_like(equation.hamiltonian))
        mean = equation.unit * np.trace(rate @ steady.state.density_matrix).real
        scale = equation.unit * float(np.abs(rate).max(initial=0.0))
        if not abs(counts.mean - mean) <= 1e-12 * scale + float(counts.errors[0]):
            return f"{counts.mean} jumps per time, but {mean} by ⟨L†L⟩"
        return None

    return f"counting_statistics, {equation.text}", call, check


CALLS = {
    "steady state": st.builds(_steady_call, equations(), st.just(None)),
    "steady state, methods": st.builds(
        _steady_call,
        equations(kinds=("filled", "ladder"), most=8, decades=(0.0, 1.0)),
        st.sampled_from([SparseLU(), Krylov()]),
    ),
    "counting": st.builds(_counting_call, equations(kinds=("filled", "sparse", "ladder"), most=6)),
}
