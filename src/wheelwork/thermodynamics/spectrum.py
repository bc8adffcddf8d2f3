"""Populations and eigenvalues of a state, from which this package computes everything else.

A state is an array, a SciPy sparse matrix or a `qutip.Qobj` of type "oper".
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigvals_banded

from wheelwork._checks import FloatArray, finite_array
from wheelwork.errors import InvalidArgument
from wheelwork.states.density import hermitian, plain_array

_NEGATIVE = -1e-9  # an eigenvalue or population below this is not rounding
_LARGEST_LOSS = 1e-3  # of probability, by truncation; with more the trace is a mistake


def normalised(name: str, probabilities: FloatArray) -> FloatArray:
    """Return `probabilities`, or raise InvalidArgument unless they add up to one, to 1e-3."""
    total = float(probabilities.sum())
    if abs(total - 1.0) > _LARGEST_LOSS:
        raise InvalidArgument(f"`{name}` must have trace one (to 1e-3), but has {total!r}")
    return probabilities


def populations(state: Any) -> FloatArray:
    """Populations p_n of a density matrix (n, n), or of populations (n,), which pass through.

    Their sum is not checked.

    Raises:
        InvalidArgument: when one lies below -1e-9, or the shape is neither.
    """
    array = plain_array("state", state)
    if array.ndim == 2 and array.shape[0] == array.shape[1]:
        array = np.diagonal(array).real
    elif np.iscomplexobj(array):
        raise InvalidArgument("`state` must be a square matrix or real populations")
    values = finite_array("state", array, ndim=1)
    if values.size == 0:
        raise InvalidArgument("`state` must not be empty")
    if values.min() < _NEGATIVE:
        raise InvalidArgument(
            "`state` must have populations of at least -1e-9, "
            f"but has {float(values.min())!r} (level {int(values.argmin())})"
        )
    return values


def spectrum(density_matrix: Any) -> FloatArray:
    """Eigenvalues of a density matrix (n, n), descending; rounding below zero is cut to zero.

    Raises:
        InvalidArgument: when the matrix is not square, finite and Hermitian (to 1e-9), an
            eigenvalue lies below -1e-9, or the trace is not one (to 1e-3).
    """
    eigenvalues = np.linalg.eigvalsh(hermitian(density_matrix))
    descending = _descending(np.asarray(eigenvalues, dtype=np.float64))
    return normalised("density_matrix", descending)


def banded_spectrum(diagonals: npt.ArrayLike) -> FloatArray:
    """Eigenvalues, descending, of a density matrix given by its lower diagonals.

    Args:
        diagonals: shape (K + 1, n), diagonals[k, n] = rho_{n+k,n}, as `wheelwork.states.polar`
            returns them.

    Raises:
        InvalidArgument: as `spectrum`, but for the trace, which is not checked.
    """
    band = plain_array("diagonals", diagonals)
    if band.ndim != 2 or band.size == 0:
        raise InvalidArgument(f"`diagonals` must have shape (K + 1, n), but has {band.shape}")
    if not np.all(np.isfinite(band)):
        raise InvalidArgument("`diagonals` must be finite, but holds NaN or infinity")
    band = band[: band.shape[1]]  # a state of few levels has no further diagonals
    if not np.any(band[1::2]):  # even and odd levels do not mix: two problems of half the size
        parts = [_band_eigenvalues(band[::2, parity::2]) for parity in (0, 1)]
        return _descending(np.sort(np.concatenate(parts)))
    return _descending(_band_eigenvalues(band))


def _band_eigenvalues(band: npt.NDArray[np.complex128]) -> FloatArray:
    """Eigenvalues, ascending, of lower diagonals of which the outer may be empty."""
    used = np.flatnonzero(np.any(band != 0.0, axis=1))
    band = band[: used[-1] + 1] if used.size else band[:1]
    if band.shape[0] == 1:
        return np.sort(band[0].real)
    part = band if np.any(band.imag) else band.real
    return np.asarray(eigvals_banded(part, lower=True, check_finite=False), dtype=np.float64)


def _descending(ascending: FloatArray) -> FloatArray:
    if ascending[0] < _NEGATIVE:
        raise InvalidArgument(
            "`density_matrix` must have eigenvalues of at least -1e-9, "
            f"but has {float(ascending[0])!r}"
        )
    return np.maximum(ascending[::-1], 0.0)
