"""Quantum-jump unravelling: the sets of basis states of trajectories, and their compiled loop.

Basis states are ordered so that each set that −iH − ½ΣL†L mixes is a range. A state vector lies in
one such set, and a jump takes it to one other. Between jumps it is a Taylor series in time whose
last term is below rounding, so that the time of a jump is exact to rounding.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from wheelwork._checks import FloatArray
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.factorisation import column_sums
from wheelwork.lindblad.operators import IndexArray, Parts, csc_parts
from wheelwork.numerics.compiling import compiled
from wheelwork.numerics.random import philox4x32

LONGEST_STEP = 1e300  # of a set where nothing happens; finite, as h · 0 is computed
TERMS = 20  # of the Taylor series, with |G| h ≤ 1: 1/20! = 4e-19
FIRST_JUMPS = 16  # room for the record of a trajectory, which doubles when full
HALVINGS = 52  # of a step, in search of the time of a jump: to the last bit
JUMPS, STARTS = np.uint64(1), np.uint64(2)  # streams of random numbers
_WORD, _BITS = np.uint64(0xFFFFFFFF), np.uint64(32)


@dataclass(frozen=True, eq=False)
class Unravelling:
    """Operators with basis states ordered by set.

    order: (D,), basis states set after set. starts: (sets + 1,), where sets begin. targets:
    (kinds, sets), the set to which a jump leads from each set, −1 where the jump does not act.
    drift, jumps: CSC parts in this order. steps: (sets,), 1/|G|, G the drift within a set.
    """

    order: IndexArray
    starts: IndexArray
    targets: IndexArray
    drift: Parts
    jumps: Parts
    steps: FloatArray

    @classmethod
    def of(cls, lindblad: Lindblad, together: IndexArray) -> "Unravelling":
        """together: (m, 2), pairs of basis states that an initial state vector may superpose."""
        label = _labels(lindblad, together)
        order = np.argsort(label, kind="stable").astype(np.int64)
        sizes = np.bincount(label)
        starts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        drift = _ordered(lindblad.drift, order)
        # the mean of H's diagonal in a set is a phase without effect; without it steps get longer
        energy = np.add.reduceat(drift.diagonal().imag, starts[:-1]) / sizes
        drift = sp.csc_array(drift - sp.diags_array(1j * np.repeat(energy, sizes)))
        drift.sort_indices()
        jumps = [_ordered(jump, order) for jump in lindblad.jumps]
        rates = np.maximum.reduceat(column_sums(drift), starts[:-1])
        steps = 1.0 / np.maximum(rates, 1.0 / LONGEST_STEP)
        stacked = Lindblad(_ordered(lindblad.hamiltonian, order), tuple(jumps)).stacked_jumps
        targets = np.full((len(jumps), sizes.size), -1, dtype=np.int64)
        for k, jump in enumerate(jumps):
            row, column = sp.coo_array(jump).coords
            targets[k, label[order[column]]] = label[order[row]]
        return cls(order, starts, targets, csc_parts(drift), csc_parts(stacked), steps)

    def least_operations(self, time: float) -> float:
        """Operations that a trajectory over this time takes at least, whichever sets it visits."""
        entries = np.diff(self.drift[0][self.starts]) + 2.0 * np.diff(self.starts)
        return float(TERMS * np.min(entries / self.steps)) * time

    def ordered(self, operator: sp.csc_array) -> Parts:
        """An operator in this order of basis states, as CSC parts."""
        return csc_parts(_ordered(operator, self.order))


def _ordered(matrix: sp.csc_array, order: IndexArray) -> sp.csc_array:
    ordered = sp.csc_array(sp.csc_array(matrix[:, order])[order])
    ordered.sort_indices()
    return ordered


def _labels(lindblad: Lindblad, together: IndexArray) -> IndexArray:
    """The number of every basis state's set.

    Those are together that the drift mixes, and those to which one jump leads from one set.
    """
    drift = sp.coo_array(lindblad.drift)
    row: list[IndexArray] = [drift.coords[0].astype(np.int64), together[:, 0]]
    column: list[IndexArray] = [drift.coords[1].astype(np.int64), together[:, 1]]
    jumps = [sp.coo_array(jump).coords for jump in lindblad.jumps]
    D = lindblad.dimension
    count = D + 1
    while True:
        ends = np.concatenate(row), np.concatenate(column)
        links = sp.coo_array((np.ones(ends[0].size), ends), shape=(D, D))
        number, label = connected_components(links, directed=False)
        if number == count:
            return np.asarray(label, dtype=np.int64)
        count = number
        for target, source in jumps:
            order = np.argsort(label[source], kind="stable")
            same = label[source[order]][1:] == label[source[order]][:-1]
            row.append(target[order][1:][same])
            column.append(target[order][:-1][same])


@compiled
def uniforms(seed, trajectory, position, stream):  # type: ignore[no-untyped-def]
    """Return two numbers between 0 and 1, exclusive, as a function of the arguments alone."""
    at = np.uint64(position)
    counter = np.array([at & _WORD, at >> _BITS, np.uint64(trajectory), stream])
    words = philox4x32(counter, np.array([seed & _WORD, seed >> _BITS]))
    first = np.float64(words[0]) * 2.0**-32 + (np.float64(words[1]) + 0.5) * 2.0**-64
    second = np.float64(words[2]) * 2.0**-32 + (np.float64(words[3]) + 0.5) * 2.0**-64
    return min(first, 1.0 - 2.0**-53), min(second, 1.0 - 2.0**-53)


@compiled
def _series(v, start, stop, drift, h):  # type: ignore[no-untyped-def]
    """Fill v[m] = (h G)^m v[0]/m!, with G restricted to basis states start … stop − 1."""
    indptr, indices, data = drift
    b = stop - start
    for m in range(1, TERMS):
        for i in range(b):
            v[m, i] = 0.0
        for c in range(b):
            x = v[m - 1, c] * (h / m)
            for e in range(indptr[start + c], indptr[start + c + 1]):
                v[m, indices[e] - start] += data[e] * x


@compiled
def _evaluate(v, b, part, psi):  # type: ignore[no-untyped-def]
    """Fill psi with Σ v[m] part^m and return its squared norm."""
    norm = 0.0
    for i in range(b):
        x = v[TERMS - 1, i]
        for m in range(TERMS - 2, -1, -1):
            x = x * part + v[m, i]
        psi[i] = x
        norm += x.real * x.real + x.imag * x.imag
    return norm


@compiled
def _jump_time(v, b, threshold, psi):  # type: ignore[no-untyped-def]
    """Return the part of the step at which the squared norm falls to `threshold`."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if _evaluate(v, b, middle, psi) > threshold:
            low = middle
        else:
            high = middle
    _evaluate(v, b, high, psi)
    return high


@compiled
def _jump(psi, out, block, starts, targets, jumps, dimension, choice):  # type: ignore[no-untyped-def]
    """Set psi to L_k psi, normalised, with k of probability ∝ |L_k psi|²; return k and the set."""
    indptr, indices, data = jumps
    kinds = targets.shape[0]
    b = starts[block + 1] - starts[block]
    for k in range(kinds):
        if targets[k, block] >= 0:
            width = starts[targets[k, block] + 1] - starts[targets[k, block]]
            out[k, :width] = 0.0
    for c in range(b):
        for e in range(indptr[starts[block] + c], indptr[starts[block] + c + 1]):
            k = indices[e] // dimension
            a = indices[e] - k * dimension - starts[targets[k, block]]
            out[k, a] += data[e] * psi[c]
    weights = np.zeros(kinds)
    for k in range(kinds):
        if targets[k, block] >= 0:
            width = starts[targets[k, block] + 1] - starts[targets[k, block]]
            for i in range(width):
                weights[k] += out[k, i].real ** 2 + out[k, i].imag ** 2
    left = choice * np.sum(weights)
    chosen = 0
    for k in range(kinds):
        if weights[k] > 0.0:
            chosen = k
            left -= weights[k]
            if left < 0.0:
                break
    target = targets[chosen, block]
    width = starts[target + 1] - starts[target]
    scale = 1.0 / np.sqrt(weights[chosen])
    for i in range(width):
        psi[i] = out[chosen, i] * scale
    return chosen, target


@compiled
def _mean(psi, start, stop, operator):  # type: ignore[no-untyped-def]
    """⟨ψ|O|ψ⟩/⟨ψ|ψ⟩ of a Hermitian operator."""
    indptr, indices, data = operator
    total = norm = 0.0
    for c in range(stop - start):
        norm += psi[c].real ** 2 + psi[c].imag ** 2
        for e in range(indptr[start + c], indptr[start + c + 1]):
            a = indices[e]
            if start <= a < stop:
                total += (np.conj(psi[a - start]) * data[e] * psi[c]).real
    return total / norm


@compiled
def run_trajectory(  # type: ignore[no-untyped-def]
    psi0, block0, equation, operators, times, random, keep, most
):
    """Return a trajectory: means (T, observables), jumps so far (T, kinds), states, jumps, work.

    psi0: normalised, in the set `block0`. equation: starts, steps, drift, jumps, targets of
    `Unravelling`. operators: list of CSC parts. random: seed, trajectory. keep: whether to return
    the states, (T, widest) and their sets (T,), and the jumps' times and kinds; else these are
    empty. most: operations after which it stops, with fewer times; work: operations that it took.
    """
    starts, steps, drift, jumps, targets = equation
    seed, trajectory = random
    dimension, widest = starts[starts.size - 1], 0
    for i in range(starts.size - 1):
        widest = max(widest, starts[i + 1] - starts[i])
    kinds, held = targets.shape[0], times.size if keep else 0
    v = np.zeros((TERMS, widest), np.complex128)
    out = np.zeros((max(kinds, 1), widest), np.complex128)
    psi = np.zeros(widest, np.complex128)
    psi[: psi0.size] = psi0
    means = np.zeros((times.size, len(operators)))
    counts = np.zeros((times.size, kinds), np.int64)
    states, sets = np.zeros((held, widest), np.complex128), np.zeros(held, np.int64)
    at, kind = np.zeros(FIRST_JUMPS), np.zeros(FIRST_JUMPS, np.int64)
    so_far = np.zeros(kinds, np.int64)
    block, now, made, work = block0, 0.0, 0, 0.0
    threshold, choice = uniforms(seed, trajectory, made, JUMPS)
    for i in range(times.size):
        while now < times[i]:
            start, stop = starts[block], starts[block + 1]
            b = stop - start
            work += TERMS * (drift[0][stop] - drift[0][start] + 2.0 * b)
            if work > most:
                return means[:i], counts[:i], states[:i], sets[:i], at[:made], kind[:made], work
            h = min(steps[block], times[i] - now)
            v[0, :b] = psi[:b]
            _series(v, start, stop, drift, h)
            if _evaluate(v, b, 1.0, psi) > threshold:
                now = times[i] if h == times[i] - now else now + h
                continue
            now += h * _jump_time(v, b, threshold, psi)
            chosen, block = _jump(psi, out, block, starts, targets, jumps, dimension, choice)
            so_far[chosen] += 1
            if keep:
                if made == at.size:
                    at, kind = np.append(at, np.zeros(made)), np.append(kind, np.zeros_like(kind))
                at[made], kind[made] = now, chosen
            made += 1
            threshold, choice = uniforms(seed, trajectory, made, JUMPS)
        for o in range(len(operators)):
            means[i, o] = _mean(psi, starts[block], starts[block + 1], operators[o])
        counts[i] = so_far
        if keep:
            states[i], sets[i] = psi, block
    made = made if keep else 0
    return means, counts, states, sets, at[:made], kind[:made], work
