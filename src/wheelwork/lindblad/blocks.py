"""The blocks that a sparse Hermitian matrix falls into."""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from wheelwork.lindblad.operators import ComplexArray, IndexArray


def hermitian_blocks(matrix: sp.csr_array | sp.csc_array) -> list[tuple[IndexArray, ComplexArray]]:
    """Return the blocks by size b: basis states (m, b) and dense matrices (m, b, b)."""
    entries = sp.coo_array(matrix)
    row, column = entries.coords
    links = sp.coo_array((np.ones(entries.nnz), (row, column)), shape=matrix.shape)
    _, label = connected_components(links, directed=False)
    order = np.argsort(label, kind="stable")
    size = np.bincount(label)
    place = np.empty(order.size, dtype=np.int64)  # of a basis state within its block
    place[order] = np.arange(order.size) - np.repeat(np.cumsum(size) - size, size)
    found = []
    for b in np.unique(size):
        states = order[size[label[order]] == b].reshape(-1, b)
        block = np.zeros(size.size, dtype=np.int64)
        block[label[states[:, 0]]] = np.arange(len(states))
        here = size[label[row]] == b
        dense = np.zeros((len(states), b, b), dtype=np.complex128)
        at = row[here], column[here]
        dense[block[label[at[0]]], place[at[0]], place[at[1]]] = entries.data[here]
        found.append((states, dense))
    return found
