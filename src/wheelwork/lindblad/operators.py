"""Operators from NumPy, SciPy or QuTiP as sparse matrices, checked once; their diagonal blocks."""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from wheelwork.errors import InvalidArgument

ComplexArray = npt.NDArray[np.complex128]
IndexArray = npt.NDArray[np.int64]
Parts = tuple[IndexArray, IndexArray, ComplexArray]  # indptr, indices, data

# Asymmetry, relative to the largest entry, that products of matrices may leave in a Hermitian one.
HERMITIAN_RTOL = 1e-12
LARGEST = 1e150  # of an entry
# A sum below this times the sum of its terms' magnitudes is taken as zero. Sums of some ten terms
# stay within some ten rounding errors; a symmetry is lost if one such sum is taken as nonzero.
CANCELLED = 64.0 * float(np.finfo(np.float64).eps)


def sparse_operator(
    name: str, value: Any, dimension: int | None = None, where: str = ""
) -> sp.csc_array:
    """Return `value` as a finite square complex CSC array with sorted columns and no zeros.

    value: NumPy array, SciPy sparse matrix or array, or `qutip.Qobj`; of `dimension` rows where
    that is given. Raises InvalidArgument for others, naming the argument and which entry of it.
    """
    entry = f" ({where})" if where else ""
    _refuse_unsupported(name, value, entry)
    try:
        plain = plain_matrix(value)
        if hasattr(plain, "tocsc"):
            plain = plain.tocsc(copy=True)
        matrix = sp.csc_array(plain, dtype=np.complex128)
    except Exception:  # whatever the value's own conversion raises
        raise InvalidArgument(
            f"`{name}` must be a matrix, but is of type {type(value).__name__}{entry}"
        ) from None
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
        raise InvalidArgument(f"`{name}` must be square, but has shape {matrix.shape}{entry}")
    if dimension is not None and matrix.shape[0] != dimension:
        raise InvalidArgument(
            f"`{name}` must have shape {(dimension, dimension)}, "
            f"but has shape {matrix.shape}{entry}"
        )
    if not np.all(np.isfinite(matrix.data)):
        raise InvalidArgument(f"`{name}` must be finite, but holds NaN or infinity{entry}")
    if np.any(np.maximum(abs(matrix.data.real), abs(matrix.data.imag)) > LARGEST):
        raise InvalidArgument(
            f"`{name}` must have entries below {LARGEST:g}, whose squares are finite{entry}"
        )
    matrix.sum_duplicates()
    if not np.all(matrix.data):
        matrix.eliminate_zeros()
    return matrix


def _refuse_unsupported(name: str, value: Any, entry: str) -> None:
    """Say what is not supported, where it is known by its kind: H(t), and superoperators."""
    if _varies(value):
        raise InvalidArgument(
            f"`{name}` must be a constant matrix, but is a function of time, which is not "
            f"supported{entry}"
        )
    if getattr(value, "issuper", False) is True:
        raise InvalidArgument(
            f"`{name}` must be an operator, but is a superoperator, which is not supported: "
            f"give H and the jumps{entry}"
        )


def _varies(value: Any) -> bool:
    """Whether it is H(t) as QuTiP has it: a function, a QobjEvo, a list with functions or text."""
    if isinstance(value, list | tuple):
        return any(isinstance(part, str) or _varies(part) for part in value)
    return hasattr(value, "isconstant") or (callable(value) and not hasattr(value, "isherm"))


def hermitian_operator(name: str, value: Any, dimension: int | None = None) -> sp.csc_array:
    """Return what `sparse_operator` does, if it is Hermitian to 1e-12 of its largest entry."""
    matrix = sparse_operator(name, value, dimension)
    adjoint = _adjoint(matrix)
    off = _asymmetry(matrix, adjoint)
    if off > HERMITIAN_RTOL * float(abs(matrix.data).max(initial=0.0)):
        raise InvalidArgument(f"`{name}` must be Hermitian, but is off by {off:.1e}")
    return matrix if off == 0.0 else sp.csc_array(0.5 * (matrix + adjoint))


def hermitian_parts(matrix: sp.csc_array) -> list[sp.csc_array]:
    """Return Hermitian A and B with matrix = A + iB, without B where it is rounding (1e-12)."""
    adjoint = _adjoint(matrix)
    off = _asymmetry(matrix, adjoint)
    real = matrix if off == 0.0 else sp.csc_array(0.5 * (matrix + adjoint))
    if off <= HERMITIAN_RTOL * float(abs(matrix.data).max(initial=0.0)):
        return [real]
    return [real, sp.csc_array(-0.5j * (matrix - adjoint))]


def _adjoint(matrix: sp.csc_array) -> sp.csc_array:
    parts = matrix.data.conj(), matrix.indices, matrix.indptr  # its columns are rows of H†
    return sp.csr_array(parts, shape=matrix.shape).tocsc()


def _asymmetry(matrix: sp.csc_array, adjoint: sp.csc_array) -> float:
    if np.array_equal(matrix.indptr, adjoint.indptr) and np.array_equal(
        matrix.indices, adjoint.indices
    ):
        return float(abs(matrix.data - adjoint.data).max(initial=0.0))
    return float(abs(matrix - adjoint).max())


def plain_matrix(value: Any) -> Any:
    """Return a `qutip.Qobj` as a SciPy matrix, a list as an array, anything else as it is."""
    if hasattr(value, "data_as") and hasattr(value, "isherm"):
        return value.to("CSR").data_as("csr_matrix")
    if isinstance(value, list | tuple):
        return np.asarray(value)
    return value


def csc_parts(matrix: sp.csc_array) -> Parts:
    """Return index pointers, indices and data for compiled loops."""
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data


def block_sizes(matrix: sp.csr_array | sp.csc_array) -> IndexArray:
    """Sizes of the diagonal blocks of a sparse matrix."""
    return np.bincount(_block_labels(matrix))


def diagonal_blocks(
    matrix: sp.csr_array | sp.csc_array,
) -> list[tuple[IndexArray, ComplexArray]]:
    """Return the diagonal blocks of a sparse matrix, those of equal size b together.

    For each size: the basis states of the m blocks, (m, b), and their dense matrices, (m, b, b).
    """
    label = _block_labels(matrix)
    entries = sp.coo_array(matrix)
    row, column = entries.coords
    order = np.argsort(label, kind="stable")
    size = np.bincount(label)
    position = np.empty(order.size, dtype=np.int64)  # of a basis state within its block
    position[order] = np.arange(order.size) - np.repeat(np.cumsum(size) - size, size)
    blocks = []
    for b in np.unique(size):
        states = order[size[label[order]] == b].reshape(-1, b)
        block = np.zeros(size.size, dtype=np.int64)
        block[label[states[:, 0]]] = np.arange(len(states))
        here = size[label[row]] == b
        dense = np.zeros((len(states), b, b), dtype=np.complex128)
        at = row[here], column[here]
        dense[block[label[at[0]]], position[at[0]], position[at[1]]] = entries.data[here]
        blocks.append((states, dense))
    return blocks


def _block_labels(matrix: sp.csr_array | sp.csc_array) -> IndexArray:
    row, column = sp.coo_array(matrix).coords
    links = sp.coo_array((np.ones(row.size), (row, column)), shape=matrix.shape)
    return np.asarray(connected_components(links, directed=False)[1])
