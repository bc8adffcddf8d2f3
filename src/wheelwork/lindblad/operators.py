"""Operators from NumPy, SciPy or QuTiP as sparse matrices, checked once."""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from wheelwork.errors import InvalidArgument

ComplexArray = npt.NDArray[np.complex128]
IndexArray = npt.NDArray[np.int64]

HERMITIAN_RTOL = 1e-12


def sparse_operator(
    name: str, value: Any, dimension: int | None = None, where: str = ""
) -> sp.csc_array:
    """Return `value` as a finite square complex CSC array with sorted columns.

    Args:
        value: NumPy array, SciPy sparse matrix or array, or `qutip.Qobj`.
        dimension: number of rows it must have, where that is given.

    Raises:
        InvalidArgument: when it is not such a matrix.
    """
    place = f" ({where})" if where else ""
    try:
        matrix = _complex_columns(plain_matrix(value))
    except (TypeError, ValueError):
        raise InvalidArgument(
            f"`{name}` must be a matrix, but is of type {type(value).__name__}{place}"
        ) from None
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
        raise InvalidArgument(f"`{name}` must be square, but has shape {matrix.shape}{place}")
    if dimension is not None and matrix.shape[0] != dimension:
        raise InvalidArgument(
            f"`{name}` must have shape {(dimension, dimension)}, "
            f"but has shape {matrix.shape}{place}"
        )
    if not np.all(np.isfinite(matrix.data)):
        raise InvalidArgument(f"`{name}` must be finite, but holds NaN or infinity{place}")
    matrix.sum_duplicates()
    if not np.all(matrix.data):
        matrix.eliminate_zeros()
    return matrix


def hermitian_operator(name: str, value: Any, dimension: int | None = None) -> sp.csc_array:
    """Return `value` as `sparse_operator` does, if it is Hermitian to 1e-12 of its largest entry.

    Raises:
        InvalidArgument: when it is not.
    """
    matrix = sparse_operator(name, value, dimension)
    parts = matrix.data.conj(), matrix.indices, matrix.indptr  # its columns are rows of H†
    adjoint = sp.csr_array(parts, shape=matrix.shape).tocsc()
    if np.array_equal(matrix.indptr, adjoint.indptr) and np.array_equal(
        matrix.indices, adjoint.indices
    ):
        asymmetry = float(abs(matrix.data - adjoint.data).max(initial=0.0))
    else:
        asymmetry = float(abs(matrix - adjoint).max())
    if asymmetry > HERMITIAN_RTOL * float(abs(matrix.data).max(initial=0.0)):
        raise InvalidArgument(f"`{name}` must be Hermitian, but is off by {asymmetry:.1e}")
    return matrix if asymmetry == 0.0 else sp.csc_array(0.5 * (matrix + adjoint))


def plain_matrix(value: Any) -> Any:
    """A `qutip.Qobj` as a SciPy matrix; anything else as it is."""
    if hasattr(value, "data_as") and hasattr(value, "isherm"):
        return value.to("CSR").data_as("csr_matrix")
    if isinstance(value, list | tuple):
        return np.asarray(value)
    return value


def _complex_columns(matrix: Any) -> sp.csc_array:
    """A copy as a complex CSC array."""
    if not hasattr(matrix, "tocsc"):
        return sp.csc_array(matrix, dtype=np.complex128)
    columns = matrix.tocsc(copy=True)
    columns.data = columns.data.astype(np.complex128)
    return columns if isinstance(columns, sp.csc_array) else sp.csc_array(columns)
