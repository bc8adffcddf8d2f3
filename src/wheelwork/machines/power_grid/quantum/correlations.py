"""States of some nodes of a power grid, and how they are correlated."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from wheelwork._checks import FloatArray
from wheelwork.machines.power_grid.quantum.model import QuantumModel

IndexArray = npt.NDArray[np.int64]


def joint_state(
    model: QuantumModel,
    values: npt.NDArray[np.inexact],
    first: Sequence[int],
    second: Sequence[int],
) -> tuple[sp.csr_array, tuple[int, int]]:
    """Return the state of two sets of nodes, all others traced out, and the sizes of the sets.

    The index of the second set varies fastest; each set's basis is its occupations in
    lexicographic order, those that the cutoff allows. In the gauge of the model.
    """
    one, dA = _numbers(model, first)
    two, dB = _numbers(model, second)
    taken = {*first, *second}
    others, _ = _numbers(model, [j for j in range(model.space.modes) if j not in taken])
    starts = np.concatenate(([0], np.cumsum(model.space.sizes)))
    rows, columns, data = [], [], []
    for start, block in zip(starts, model.ladder.blocks(values), strict=False):
        row, column = np.divmod(np.arange(block.size), len(block))
        row, column = row + start, column + start
        kept = others[row] == others[column]
        rows.append(one[row[kept]] * dB + two[row[kept]])
        columns.append(one[column[kept]] * dB + two[column[kept]])
        data.append(block.ravel()[kept])
    entries = np.concatenate(data), (np.concatenate(rows), np.concatenate(columns))
    return sp.csr_array(sp.coo_array(entries, shape=(dA * dB, dA * dB))), (dA, dB)


def node_populations(model: QuantumModel, values: npt.NDArray[np.inexact], j: int) -> FloatArray:
    """Populations of the number states of node j, (M + 1,): its state has no coherences."""
    total = np.zeros(model.space.cutoff + 1)
    for n, block in zip(model.space.occupations, model.ladder.blocks(values), strict=True):
        np.add.at(total, n[:, j], block.diagonal().real)
    return total


def _numbers(model: QuantumModel, nodes: Sequence[int]) -> tuple[IndexArray, int]:
    """For every state of the basis the number of its occupations of `nodes`, and how many."""
    occupations = model.space.all_occupations[:, list(nodes)]
    if occupations.shape[1] == 0:
        return np.zeros(len(occupations), dtype=np.int64), 1
    different, number = np.unique(occupations, axis=0, return_inverse=True)
    return number.ravel().astype(np.int64), len(different)
