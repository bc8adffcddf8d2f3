"""Exponentials of a generator, exact to rounding: any time from the first, however many turns."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray, positive, tolerance
from wheelwork.lindblad.factorisation import Numbers, column_sums
from wheelwork.lindblad.operators import ComplexArray, IndexArray, block_sizes, diagonal_blocks
from wheelwork.lindblad.steps import EPS, TAYLOR_TERMS, Motion, Reached, Watch
from wheelwork.methods import Method
from wheelwork.numerics.work import require_budget, tick
from wheelwork.parameters import parameter

OPERATIONS = 7e11  # by default, some 12 s
EIGENSYSTEM = 60.0  # operations that take as long as a complex Hermitian one, in b³
OVERHEAD = 5e5  # operations that cost as much as a few calls of NumPy
NARROW = 200.0  # a product of b² elements takes as long as one of b + 200 in each sum
POWERS = 4  # of A that are formed for its exponential, which takes seven products
MOST_NUMBERS = 2e7  # that are held at once, of all times together: 160 MB
SEED = 20240215  # of the rounding errors that are tried
ENERGY_ROUNDING = 0.5 * EPS  # of an element of H, as it is stored
RATE_ROUNDING = 2.0 * EPS  # of an element of a generator, a sum of a few products
MARGIN = 3.0  # of an error, over that of one sample of rounding


@dataclass(frozen=True)
class Exponential(Method):
    """exp(A t), to rounding, at any time: neither its size nor the other times matter.

    Without jumps by eigenstates of H, on each of its blocks. With jumps, on each block of unknowns
    that the generator couples, by scaling and squaring: exp(A h) from its Taylor series, |A| h ≤ 1,
    then exp(2^k A h) by squaring; the binary digits of t/h tell which of these x is multiplied
    with. Squares are of exp − 1, and conserve the trace.

    The calculation is repeated with rounding errors of random sign in every element of H or A; the
    error is three times the difference. It grows as 2e-16 |A| t where oscillations do not decay.

    rtol: bounds Σ|δx|. operations: the budget: about 4 b² (b + 200) log2(|A| t) for each block of b
    unknowns, or 120 b³ for each block of H; some 6e10 a second. Memory: 100 b² bytes.
    """

    rtol: float = parameter("", "1", "largest estimated Σ|δρ|", check=tolerance, default=1e-9)
    operations: float = parameter("", "1", "most operations", check=positive, default=OPERATIONS)

    def states(self, motion: Motion, times: FloatArray, watch: Watch) -> Iterator[Reached]:
        """Yield x at each time; raises NotConverged at once beyond the budget.

        `watch` is not called: there are no steps on the way.
        """
        need = exponential_cost(motion, times)
        task, advice = "a matrix exponential", "use ImplicitSteps, or raise `operations`"
        require_budget(task, need, self.operations, "operations", advice)
        several = max(1, int(MOST_NUMBERS / (2.0 * motion.start.size)))
        unitary = _Unitary.of(motion) if is_closed(motion) else None
        for first in range(0, times.size, several):
            some = times[first : first + several]
            yield from unitary.states(some) if unitary else _squared(motion, some)


def exponential_cost(motion: Motion, times: FloatArray) -> float:
    """Operations that `Exponential` takes."""
    k = motion.start.shape[1]
    if is_closed(motion):
        sizes = block_sizes(motion.lindblad.hamiltonian).astype(np.float64)
        rank = np.count_nonzero(np.diff(motion.sector.matrix(motion.start[:, 0]).indptr))
        once = 2.0 * EIGENSYSTEM * np.sum(sizes**3) + 20.0 * rank**3
        return float(once + times.size * (160.0 * rank * np.sum(sizes**2) + OVERHEAD))
    sizes = block_sizes(motion.generator).astype(np.float64)
    levels = _levels(float(column_sums(motion.generator).max(initial=0.0)), float(times[-1]))
    each = 10.0 * float(np.sum(sizes**2))  # a product with a vector reads the matrix anew
    applied = (TAYLOR_TERMS + 0.5 * levels) * times.size * k * each
    products = levels + POWERS - 1 + (TAYLOR_TERMS - 1) // POWERS
    squared = products * float(np.sum(sizes**2 * (sizes + NARROW)))
    return float(4.0 * (squared + applied) + OVERHEAD)


def is_closed(motion: Motion) -> bool:
    """Whether there are no jumps."""
    return not any(jump.nnz for jump in motion.lindblad.jumps)


def _levels(rate: float, time: float) -> int:
    """Number of squarings to cover a time; none where nothing happens."""
    if rate == 0.0 or time == 0.0:
        return 0
    return max(0, math.frexp(rate)[1] + math.frexp(time)[1] + 1)


def _rounded(data: Numbers, rounding: float) -> Numbers:
    """The same numbers with a rounding error of random sign each."""
    signs = np.random.default_rng(SEED).choice([-rounding, rounding], data.shape)
    return np.asarray(data * (1.0 + signs))


def _squared(motion: Motion, times: FloatArray) -> Iterator[Reached]:
    """By scaling and squaring, block by block of the generator."""
    n, k = motion.start.shape
    T, x = times.size, np.zeros((2, n, times.size, k))
    for unknowns, blocks in diagonal_blocks(motion.generator):
        both = np.stack((blocks.real, _rounded(blocks.real, RATE_ROUNDING)))  # (2, m, b, b)
        trace = motion.sector.trace[unknowns]
        start = np.repeat(motion.start[unknowns][:, :, None, :], T, axis=2)  # (m, b, T, k)
        done = _exponentials(both, np.stack((start, start)), times, trace)
        x[:, unknowns.ravel()] = done.reshape(2, -1, T, k)
    for i in range(T):
        difference = float(np.abs(x[0, :, i] - x[1, :, i]).sum())
        size = float(np.abs(x[0, :, i]).sum())
        yield Reached(x[0, :, i], MARGIN * difference + EPS * size if times[i] > 0.0 else 0.0)


def _exponentials(A: FloatArray, x: FloatArray, times: FloatArray, trace: FloatArray) -> FloatArray:
    """exp(A t) x of matrices A (2, m, b, b) and columns x (2, m, b, T, k), one time per T."""
    *batch, b = A.shape[:-1]
    T, k = x.shape[-2:]
    if times[-1] == 0.0:
        return x
    levels = _levels(float(np.abs(A).sum(axis=-2).max()), float(times[-1]))
    h = math.ldexp(1.0, math.frexp(float(times[-1]))[1] - levels)  # |A| h ≤ 1
    steps = [int(time / h) for time in times]
    rest = np.repeat(np.array([t - h * s for t, s in zip(times, steps, strict=True)]), k)
    x = x.reshape(*batch, b, T * k)
    term = x
    for m in range(1, TAYLOR_TERMS):
        term = (A @ term) * (rest / m)
        x = x + term
    change = _taylor(A * h)
    for level in range(levels + 1):  # change: exp(2^level A h) − 1
        tick("squarings of an exponential", level, levels)
        change = _traceless(change, trace)
        chosen = np.repeat([bool(s >> level & 1) for s in steps], k)
        if np.any(chosen):
            x[..., chosen] += change @ x[..., chosen]
        if level < levels:
            change = 2.0 * change + change @ change
    return x.reshape(*batch, b, T, k)


def _taylor(A: FloatArray) -> FloatArray:
    """exp(A) − 1 with |A| ≤ 1: the terms in groups, a polynomial in A⁴ (Paterson, Stockmeyer)."""
    powers = [np.eye(A.shape[-1]), A]
    while len(powers) <= POWERS:
        powers.append(powers[-1] @ A)
    total = np.zeros_like(A)
    for first in range(TAYLOR_TERMS - POWERS, -1, -POWERS):
        total = total @ powers[POWERS] if first < TAYLOR_TERMS - POWERS else total
        for m in range(max(first, 1), first + POWERS):
            total = total + powers[m - first] / math.factorial(m)
    return np.asarray(total)


def _traceless(change: FloatArray, trace: FloatArray) -> FloatArray:
    """Remove what rounding adds to the trace, so that it does not double with each squaring."""
    count = np.maximum(trace.sum(axis=-1), 1.0)
    off = np.einsum("mi,cmij->cmj", trace, change) / count[:, None]
    return np.asarray(change - trace[:, :, None] * off[:, :, None, :])


class _Eigenstates(NamedTuple):
    """Blocks of H of one size: basis states (m, b), energies (m, b), eigenstates (m, b, b)."""

    states: IndexArray
    energies: FloatArray
    vectors: ComplexArray


@dataclass(frozen=True, eq=False)
class _Unitary:
    """An operator U W† as two factors (D, r) on eigenstates of H, with and without rounding."""

    motion: Motion
    eigenstates: tuple[list[_Eigenstates], list[_Eigenstates]]
    factors: tuple[ComplexArray, ComplexArray]

    @classmethod
    def of(cls, motion: Motion) -> "_Unitary":
        plain: list[_Eigenstates] = []
        rounded: list[_Eigenstates] = []
        hamiltonian = motion.lindblad.hamiltonian
        energy = float(hamiltonian.diagonal().real.mean())  # one for all: no phase of ρ
        for states, blocks in diagonal_blocks(hamiltonian):
            tick("eigenstates of H")
            blocks = blocks - energy * np.eye(blocks.shape[1])
            for kind, H in ((plain, blocks), (rounded, _rounded(blocks, ENERGY_ROUNDING))):
                used = H if np.any(H.imag) else H.real
                kind.append(_Eigenstates(states, *np.linalg.eigh(used)))
        return cls(motion, (plain, rounded), _factors(motion))

    def states(self, times: FloatArray) -> Iterator[Reached]:
        for time in times:
            tick("times")
            x, other = (self._at(float(time), kind) for kind in self.eigenstates)
            error = MARGIN * float(np.abs(x - other).sum()) + EPS * float(np.abs(x).sum())
            yield Reached(x, error) if time > 0.0 else Reached(self.motion.start, 0.0)

    def _at(self, time: float, eigenstates: list[_Eigenstates]) -> FloatArray:
        left, right = (np.empty_like(factor) for factor in self.factors)
        for states, energies, vectors in eigenstates:
            phases = np.exp(-1j * time * energies)[:, :, None]
            for factor, turned in zip(self.factors, (left, right), strict=True):
                inside = phases * (vectors.conj().swapaxes(1, 2) @ factor[states])
                turned[states] = vectors @ inside
        sector = self.motion.sector
        below = np.einsum("nr,nr->n", left[sector.row], right[sector.column].conj())
        above = np.einsum("nr,nr->n", left[sector.column], right[sector.row].conj())
        both = 0.5 * (below + above.conj()), -0.5j * (below - above.conj())  # A and B of A + iB
        parts = [np.where(sector.imaginary, part.imag, part.real) for part in both]
        return np.stack(parts[: self.motion.start.shape[1]], axis=1)


def _factors(motion: Motion) -> tuple[ComplexArray, ComplexArray]:
    """U and W of the initial operator U W†, by the singular values of what is not zero of it."""
    values = motion.start @ np.array([1.0, 1j])[: motion.start.shape[1]]
    matrix = sp.coo_array(motion.sector.matrix(values))
    used = [np.unique(part) for part in matrix.coords]
    dense = sp.csr_array(matrix)[used[0]][:, used[1]].toarray()
    left, size, right = np.linalg.svd(dense, full_matrices=False)
    kept = size > EPS * size.max(initial=0.0)
    D = motion.sector.dimension
    factors = np.zeros((2, D, int(np.count_nonzero(kept))), dtype=np.complex128)
    factors[0, used[0]] = left[:, kept] * size[kept]
    factors[1, used[1]] = right[kept].conj().T
    return factors[0], factors[1]
