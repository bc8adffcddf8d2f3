"""Correlations between two parts of a system: reduced states, negativity, mutual information."""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from wheelwork._checks import FloatArray, integer
from wheelwork.errors import InvalidArgument
from wheelwork.lindblad.operators import IndexArray, diagonal_blocks
from wheelwork.thermodynamics.entropy import spectral_entropy
from wheelwork.thermodynamics.spectrum import normalised

ASYMMETRY = 1e-8  # of the largest element: rounding of a Hermitian matrix
NEGATIVE = -1e-3  # an eigenvalue below this is no error of a numerical state


def negativity(state: Any, dimensions: tuple[int, int]) -> float:
    """𝒩 = (‖ρ^T_B‖₁ − 1)/2, the sum of |negative eigenvalues| of the partial transpose.

    (G. Vidal, R. F. Werner, Phys. Rev. A 65, 032314 (2002).) Zero for separable states; also for
    entangled ones whose partial transpose is positive.

    Args:
        state: Hermitian, (d_A d_B, d_A d_B), an array or a SciPy sparse matrix; the index of B
            varies fastest. The partial transpose is diagonalised in the blocks that it falls into.
        dimensions: (d_A, d_B).

    Raises:
        InvalidArgument: for another shape, a matrix that is not Hermitian or not of trace one (to
            1e-3), NaN.
    """
    row, column, data, (dA, dB) = _entries(state, dimensions)
    normalised("state", data[row == column].real)
    turned_row = row // dB * dB + column % dB
    turned_column = column // dB * dB + row % dB
    turned = sp.coo_array((data, (turned_row, turned_column)), shape=(dA * dB, dA * dB))
    values = matrix_spectrum(sp.csr_array(turned))
    return float(np.sum(np.abs(values[values < 0.0])))


def reduced_state(state: Any, dimensions: tuple[int, int], kept: int) -> sp.csr_array:
    """Return the sparse state of part A (kept = 0) or B (kept = 1), the other traced out.

    Args and raises: as `negativity`, but for the trace, which is not checked.
    """
    row, column, data, (dA, dB) = _entries(state, dimensions)
    rows, columns = (row // dB, row % dB), (column // dB, column % dB)
    if kept not in (0, 1):
        raise InvalidArgument(f"`kept` must be 0 or 1, but is {kept!r}")
    same = rows[1 - kept] == columns[1 - kept]
    d = (dA, dB)[kept]
    entries = data[same], (rows[kept][same], columns[kept][same])
    return sp.csr_array(sp.coo_array(entries, shape=(d, d)))


def mutual_information(state: Any, dimensions: tuple[int, int]) -> float:
    """I = S_A + S_B − S_AB ≥ 0, in nats.

    Args and raises: as `negativity`; also when an eigenvalue lies below -1e-3. Those between that
    and zero count as zero.
    """
    parts = [_entropy(reduced_state(state, dimensions, kept)) for kept in (0, 1)]
    return float(sum(parts)) - _entropy(sp.csr_array(state))


def matrix_spectrum(matrix: sp.csr_array) -> FloatArray:
    """Eigenvalues of a sparse Hermitian matrix, block by block, in no order."""
    parts = []
    for _, blocks in diagonal_blocks(matrix):
        used = blocks if np.any(blocks.imag) else blocks.real
        parts.append(np.linalg.eigvalsh(used).ravel())
    return np.concatenate(parts)


def _entropy(matrix: sp.csr_array) -> float:
    values = normalised("state", matrix_spectrum(matrix))
    if values.min() < NEGATIVE:
        raise InvalidArgument(
            f"`state` must have no negative eigenvalue, but has {float(values.min())!r}"
        )
    return spectral_entropy(np.maximum(values, 0.0))


def _entries(
    state: Any, dimensions: tuple[int, int]
) -> tuple[IndexArray, IndexArray, npt.NDArray[np.inexact], tuple[int, int]]:
    dA, dB = (integer("dimensions", d, 1) for d in dimensions)
    matrix = sp.coo_array(state)
    if matrix.shape != (dA * dB, dA * dB):
        raise InvalidArgument(
            f"`state` must have shape {(dA * dB, dA * dB)}, but has shape {matrix.shape}"
        )
    if not np.all(np.isfinite(matrix.data)):
        raise InvalidArgument("`state` must be finite, but holds NaN or infinity")
    skew = float(abs(matrix - matrix.conj().T).max()) if matrix.nnz else 0.0
    if skew > ASYMMETRY * float(np.max(np.abs(matrix.data), initial=0.0)):
        raise InvalidArgument(f"`state` must be Hermitian, but differs from it by {skew:.3g}")
    row, column = (part.astype(np.int64) for part in matrix.coords)
    return row, column, matrix.data, (dA, dB)
