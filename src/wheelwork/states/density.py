"""Density matrices as arrays: the full matrix, and the few diagonals of a nearly diagonal one.

`diagonals` has shape (K + 1, levels) and holds diagonals[k, n] = rho_{n+k,n}, zero where
n + k >= levels: the lower band form of LAPACK.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from wheelwork._checks import non_negative
from wheelwork.errors import InvalidArgument

if TYPE_CHECKING:
    from qutip import Qobj
else:
    Qobj = Any

LARGEST = 1e150  # of an entry: sums and squares are finite
ComplexArray = npt.NDArray[np.complex128]
Matrix = npt.NDArray[np.float64] | ComplexArray


def plain_array(name: str, value: Any) -> npt.NDArray[Any]:
    """Return an array of numbers from one, a SciPy sparse matrix or a `qutip.Qobj`.

    Raises InvalidArgument for anything else, a superoperator among them.
    """
    if getattr(value, "issuper", False):
        raise InvalidArgument(f"`{name}` must be a density matrix, but is a superoperator")
    for dense in ("full", "toarray"):  # of QuTiP, of SciPy
        if hasattr(value, dense):
            value = getattr(value, dense)()
    try:
        array = np.asarray(value)
    except Exception:  # rows of different lengths, or whatever the value's own conversion raises
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "biufc":
        kind = type(value).__name__
        raise InvalidArgument(f"`{name}` must be an array of numbers, but is of type {kind}")
    if np.any(np.isfinite(array) & (np.abs(array) > LARGEST)):
        raise InvalidArgument(f"`{name}` must have entries below {LARGEST:g}")
    return array


def hermitian(density_matrix: Any) -> Matrix:
    """Checked density matrix, as a real array where it is real."""
    rho = plain_array("density_matrix", density_matrix).astype(np.complex128)
    if rho.ndim != 2 or rho.shape[0] != rho.shape[1] or rho.size == 0:
        raise InvalidArgument(f"`density_matrix` must be square, but has shape {rho.shape}")
    asymmetry = float(np.abs(rho - rho.conj().T).max())
    if not asymmetry <= 1e-9 * max(1.0, float(np.abs(rho).max())):  # NaN too
        raise InvalidArgument(f"`density_matrix` must be Hermitian, but is off by {asymmetry:.1e}")
    return rho if np.any(rho.imag) else rho.real


def expand_diagonals(diagonals: ComplexArray) -> ComplexArray:
    """Full Hermitian matrix, shape (levels, levels), of its lower diagonals."""
    levels = diagonals.shape[1]
    matrix = np.zeros((levels, levels), dtype=np.complex128)
    for k in range(min(diagonals.shape[0], levels)):
        n = np.arange(levels - k)
        matrix[n, n + k] = diagonals[k, : levels - k].conj()
        matrix[n + k, n] = diagonals[k, : levels - k]
    return matrix


def trim_levels(diagonals: ComplexArray, tolerance: float) -> ComplexArray:
    """Drop the highest levels as long as they hold at most `tolerance` of probability together.

    Only the probability within `diagonals` counts: 1 minus their trace was lost before.
    """
    non_negative("tolerance", tolerance)
    tail = np.cumsum(np.abs(diagonals[0, ::-1].real))[::-1]
    levels = max(1, int(np.count_nonzero(tail > tolerance)))
    trimmed = diagonals[:, :levels].copy()
    for k in range(1, diagonals.shape[0]):
        trimmed[k, max(levels - k, 0) :] = 0.0
    return trimmed


def to_qutip(density_matrix: npt.ArrayLike, dims: Sequence[int] | None = None) -> Qobj:
    """The same matrix as a `qutip.Qobj` of type "oper".

    dims: the dimensions of its factors, by default a single one.

    QuTiP's Wigner function of it, at our x and p (m = omega = 1), is
    `qutip.wigner(to_qutip(rho), x, p, g=sqrt(2)).T`: it puts p on the first axis.

    Raises:
        ImportError: when QuTiP is not installed.
        InvalidArgument: when the matrix is not square, finite and Hermitian.
    """
    matrix = hermitian(density_matrix)
    try:
        import qutip  # optional, and slow to load: only when asked for
    except ImportError as missing:
        raise ImportError('to_qutip needs QuTiP: pip install "wheelwork[qutip]"') from missing
    factors = None if dims is None else [list(dims), list(dims)]
    return qutip.Qobj(matrix.astype(complex), dims=factors)
