"""Correlations between parts of a system: reduced states, negativity, mutual information.

A state is an array, a SciPy sparse matrix or a `qutip.Qobj`; of several parts, the index of the
last varies fastest.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray, integer, listed, shown
from wheelwork.errors import InvalidArgument
from wheelwork.lindblad.operators import diagonal_blocks, sparse_operator
from wheelwork.thermodynamics.entropy import spectral_entropy
from wheelwork.thermodynamics.spectrum import normalised

ASYMMETRY = 1e-8  # of the largest element: rounding of a Hermitian matrix
NEGATIVE = -1e-3  # an eigenvalue below this is no error of a numerical state


def negativity(state: Any, dimensions: tuple[int, int]) -> float:
    """𝒩 = (‖ρ^T_B‖₁ − 1)/2, the sum of |negative eigenvalues| of the partial transpose.

    (G. Vidal, R. F. Werner, Phys. Rev. A 65, 032314 (2002).) Zero for separable states; also for
    entangled ones whose partial transpose is positive.

    Args:
        state: Hermitian, (d_A d_B, d_A d_B). The partial transpose is diagonalised in the blocks
            that it falls into.
        dimensions: (d_A, d_B).

    Raises:
        InvalidArgument: for another shape, a matrix that is not Hermitian or not of trace one (to
            1e-3), NaN, more than two parts.
    """
    dA, dB = _two_parts(dimensions)
    matrix = _hermitian(state, dA * dB)
    row, column = matrix.coords
    normalised("state", matrix.data[row == column].real)
    turned_row = row // dB * dB + column % dB
    turned_column = column // dB * dB + row % dB
    turned = sp.coo_array((matrix.data, (turned_row, turned_column)), shape=matrix.shape)
    values = matrix_spectrum(sp.csr_array(turned))
    return float(np.sum(np.abs(values[values < 0.0])))


def reduced_state(state: Any, dimensions: Sequence[int], kept: int | Sequence[int]) -> sp.csr_array:
    """Return the sparse state of the part or parts `kept`, in their order, the others traced out.

    Args:
        state: (D, D), with D the product of all dimensions.
        dimensions: of the parts, one or more.
        kept: position of a part (0 for the first), or distinct ones in ascending order.

    Raises:
        InvalidArgument: for another shape, NaN, and positions that are not as above. The map is
            linear: any operator will do.
    """
    parts = _dimensions(dimensions)
    several = listed(kept)
    positions = [kept] if several is None else several
    held = [integer("kept", position, 0) for position in positions]
    if sorted(set(held)) != held or held[-1:] > [len(parts) - 1]:
        raise InvalidArgument(
            f"`kept` must be positions below {len(parts)} in ascending order, but is {shown(kept)}"
        )
    matrix = sp.coo_array(sparse_operator("state", state, int(np.prod(parts))))
    rows, columns = (np.unravel_index(part, parts) for part in matrix.coords)
    same = np.ones(matrix.nnz, dtype=bool)
    for position in set(range(len(parts))) - set(held):
        same &= rows[position] == columns[position]
    d, row, column = 1, np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    for position in held:
        d *= parts[position]
        row = row * parts[position] + rows[position][same]
        column = column * parts[position] + columns[position][same]
    data = matrix.data[same]
    row, column = (np.broadcast_to(part, data.shape) for part in (row, column))
    return sp.csr_array(sp.coo_array((data, (row, column)), shape=(d, d)))


def mutual_information(state: Any, dimensions: tuple[int, int]) -> float:
    """I = S_A + S_B − S_AB ≥ 0, in nats.

    Args and raises: as `negativity`; also when an eigenvalue lies below -1e-3. Those between that
    and zero count as zero.
    """
    both = _two_parts(dimensions)
    matrix = _hermitian(state, both[0] * both[1])
    parts = [_entropy(reduced_state(matrix, both, kept)) for kept in (0, 1, (0, 1))]
    return max(0.0, parts[0] + parts[1] - parts[2])


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


def _dimensions(dimensions: Any) -> tuple[int, ...]:
    parts = listed(dimensions)
    if not parts:
        raise InvalidArgument(
            f"`dimensions` must be a sequence such as (2, 3), but is {shown(dimensions)}"
        )
    return tuple(integer("dimensions", d, 1) for d in parts)


def _two_parts(dimensions: Any) -> tuple[int, int]:
    parts = _dimensions(dimensions)
    if len(parts) != 2:
        raise InvalidArgument(
            f"`dimensions` must be those of two parts, but is {parts}: join some, or trace them "
            "out by `reduced_state`"
        )
    return parts[0], parts[1]


def _hermitian(state: Any, dimension: int) -> sp.coo_array:
    matrix = sp.coo_array(sparse_operator("state", state, dimension))
    skew = float(abs(matrix - matrix.conj().T).max()) if matrix.nnz else 0.0
    if skew > ASYMMETRY * float(np.max(np.abs(matrix.data), initial=0.0)):
        raise InvalidArgument(f"`state` must be Hermitian, but differs from it by {skew:.3g}")
    return matrix
