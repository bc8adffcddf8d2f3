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
        matrix = sp.csc_array(_plain(value), dtype=np.complex128, copy=True)
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
    adjoint = sp.csc_array(matrix.conj().T)
    adjoint.sort_indices()
    matrix.sort_indices()
    if np.array_equal(matrix.indptr, adjoint.indptr) and np.array_equal(
        matrix.indices, adjoint.indices
    ):
        asymmetry = float(abs(matrix.data - adjoint.data).max(initial=0.0))
    else:
        asymmetry = float(abs(matrix - adjoint).max())
    if asymmetry > HERMITIAN_RTOL * float(abs(matrix.data).max(initial=0.0)):
        raise InvalidArgument(f"`{name}` must be Hermitian, but is off by {asymmetry:.1e}")
    return matrix if asymmetry == 0.0 else sp.csc_array(0.5 * (matrix + adjoint))


def initial_state(value: Any, dimension: int) -> sp.csc_array:
    """Return a density matrix from one, or from a state vector of shape (D,) or (D, 1).

    Raises:
        InvalidArgument: when the shape does not fit, or it is not Hermitian (1e-12 of its largest
            entry) or not of trace one (1e-9).
    """
    plain = _plain(value)
    shape = np.shape(plain) if isinstance(plain, np.ndarray) else getattr(plain, "shape", ())
    if len(shape) == 1 or (shape[1:] == (1,) and dimension != 1):
        dense = plain.toarray() if hasattr(plain, "toarray") else plain
        ket = sp.csr_array(np.asarray(dense, dtype=np.complex128).reshape(-1, 1))
        plain = ket @ ket.conj().T
    rho = hermitian_operator("initial", plain, dimension)
    trace = float(rho.diagonal().real.sum())
    if not abs(trace - 1.0) <= 1e-9:
        raise InvalidArgument(f"`initial` must have trace one, but has {trace!r}")
    return rho


def _plain(value: Any) -> Any:
    """A `qutip.Qobj` as a SciPy matrix; anything else as it is."""
    if hasattr(value, "data_as") and hasattr(value, "isherm"):
        return value.to("CSR").data_as("csr_matrix")
    if isinstance(value, list | tuple):
        return np.asarray(value)
    return value
