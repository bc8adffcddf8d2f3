"""The sets of basis states that quantum-jump trajectories move in."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from wheelwork._checks import FloatArray
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.inverse import column_sums
from wheelwork.lindblad.operators import ComplexArray, IndexArray

LONGEST_STEP = 1e300
Parts = tuple[IndexArray, IndexArray, ComplexArray]


@dataclass(frozen=True, eq=False)
class Unravelling:
    """Operators with basis states ordered by set.

    order: (D,), basis states set after set. starts: (sets + 1,), where sets begin. targets:
    (kinds, sets), the set that a jump leads to, −1 where there is none. drift, jumps: CSC
    parts in this order. steps: (sets,), 1/|G|.
    """

    order: IndexArray
    starts: IndexArray
    targets: IndexArray
    drift: Parts
    jumps: Parts
    steps: FloatArray

    @classmethod
    def of(cls, lindblad: Lindblad, together: IndexArray) -> "Unravelling":
        """together: (m, 2), pairs of basis states that one initial state vector holds."""
        label = _labels(lindblad, together)
        order = np.argsort(label, kind="stable").astype(np.int64)
        sizes = np.bincount(label)
        starts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        drift = _without_mean_energy(_ordered(lindblad.drift, order), starts)
        jumps = [_ordered(jump, order) for jump in lindblad.jumps]
        rates = np.maximum.reduceat(column_sums(drift), starts[:-1])
        steps = np.divide(1.0, rates, out=np.full(rates.size, LONGEST_STEP), where=rates > 0.0)
        stacked = Lindblad(_ordered(lindblad.hamiltonian, order), tuple(jumps)).stacked_jumps
        return cls(
            order, starts, _targets(jumps, label[order]), parts(drift), parts(stacked), steps
        )

    def ordered(self, operator: sp.csc_array) -> Parts:
        """An operator in this order of basis states."""
        return parts(_ordered(operator, self.order))


def parts(matrix: sp.csc_array) -> Parts:
    """Index pointers, indices and data."""
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data


def _ordered(matrix: sp.csc_array, order: IndexArray) -> sp.csc_array:
    ordered = sp.csc_array(sp.csc_array(matrix[:, order])[order])
    ordered.sort_indices()
    return ordered


def _labels(lindblad: Lindblad, together: IndexArray) -> IndexArray:
    """Set of every basis state: mixed by the drift, or by a jump from one set to several."""
    drift = sp.coo_array(lindblad.drift)
    row: list[IndexArray] = [drift.coords[0].astype(np.int64), together[:, 0]]
    column: list[IndexArray] = [drift.coords[1].astype(np.int64), together[:, 1]]
    jumps = [sp.coo_array(jump).coords for jump in lindblad.jumps]
    D = lindblad.dimension
    count = D + 1
    while True:
        ends = np.concatenate(row), np.concatenate(column)
        links = sp.coo_array((np.ones(ends[0].size), ends), shape=(D, D))
        found, label = connected_components(links, directed=False)
        if found == count:
            return np.asarray(label, dtype=np.int64)
        count = found
        for target, source in jumps:
            order = np.argsort(label[source], kind="stable")
            same = label[source[order]][1:] == label[source[order]][:-1]
            row.append(target[order][1:][same])
            column.append(target[order][:-1][same])


def _targets(jumps: list[sp.csc_array], label: IndexArray) -> IndexArray:
    targets = np.full((len(jumps), int(label.max()) + 1), -1, dtype=np.int64)
    for k, jump in enumerate(jumps):
        row, column = sp.coo_array(jump).coords
        targets[k, label[column]] = label[row]
    return targets


def _without_mean_energy(drift: sp.csc_array, starts: IndexArray) -> sp.csc_array:
    """Take the mean of H's diagonal off in every set: a phase, but shorter steps."""
    energy = drift.diagonal().imag
    sizes = np.diff(starts)
    mean = np.repeat(np.add.reduceat(energy, starts[:-1]) / sizes, sizes)
    shifted = sp.csc_array(drift - sp.diags_array(1j * mean))
    shifted.sort_indices()
    return shifted
