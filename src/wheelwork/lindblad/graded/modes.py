"""Exact solutions between jumps: D X + X D† = B on one rung."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack, schur

from wheelwork._checks import FloatArray
from wheelwork.lindblad.graded.kernels import solve_real
from wheelwork.lindblad.graded.model import Block
from wheelwork.lindblad.operators import ComplexArray

SMALLEST_DECAY = 1e-9  # of the largest rate: a shift for what would never jump
MOST_SKEW = 1e5  # ‖V‖‖V⁻¹‖ of eigenvectors that are used


class Modes(Protocol):
    def solve(self, right: Block) -> Block:
        """Return X = X† with D X + X D† = B, for Hermitian B."""


@dataclass(frozen=True, eq=False)
class ComplexModes:
    """D = V diag(λ) V⁻¹; quotient: 1/(λ_i + λ_j*)."""

    vectors: ComplexArray
    inverse: ComplexArray
    quotient: ComplexArray

    def solve(self, right: Block) -> Block:
        inner = (self.inverse @ right @ self.inverse.conj().T) * self.quotient
        found = self.vectors @ inner @ self.vectors.conj().T
        return np.asarray(0.5 * (found + found.conj().T))


@dataclass(frozen=True, eq=False)
class RealModes:
    """The same of a real D in real numbers, one of each pair of conjugate modes kept.

    left, right: real and imaginary parts of the h kept rows of V⁻¹ and columns of V; the p pairs
    come first, and real modes have no imaginary part. like, unlike: 1/(λ_i + λ_j*), 1/(λ_i + λ_j).
    """

    left: FloatArray
    right: FloatArray
    pairs: int
    unlike: ComplexArray
    like: ComplexArray

    def solve(self, right: Block) -> Block:
        found = solve_real(self.left, self.right, self.pairs, self.unlike, self.like, right)
        return np.asarray(found)


@dataclass(frozen=True, eq=False)
class SchurModes:
    """D = U T U† with T upper triangular, by 2×2 blocks where D is real: for any D.

    At exceptional points, as where loss in one of two nodes reaches 2g, D has too few eigenvectors.
    """

    vectors: Block
    triangle: Block

    def solve(self, right: Block) -> Block:
        U, T = self.vectors, self.triangle
        inner = U.conj().T @ right @ U
        if np.iscomplexobj(T):
            part, scale, _ = lapack.ztrsyl(T, T, inner, tranb="C")
        else:
            part, scale, _ = lapack.dtrsyl(T, T, inner, tranb="T")
        found = U @ part @ U.conj().T / scale
        return np.asarray(0.5 * (found + found.conj().T))


def modes_of(drift: Block, largest_rate: float) -> Modes:
    """Return the modes of a dense drift."""
    rates, vectors = np.linalg.eig(drift)
    shift = SMALLEST_DECAY * largest_rate
    inverse = _inverse(vectors)
    if inverse is None:
        triangle, unitary = schur(drift - shift * np.eye(len(drift)))
        return SchurModes(unitary, triangle)
    rates = rates - shift
    if np.iscomplexobj(drift):
        quotient = (1.0 / (rates[:, None] + rates.conj()[None, :])).astype(np.complex128)
        return ComplexModes(vectors.astype(np.complex128), inverse.astype(np.complex128), quotient)
    return _real(rates.astype(np.complex128), vectors, inverse)


def _inverse(vectors: npt.NDArray[np.inexact]) -> npt.NDArray[np.inexact] | None:
    """V⁻¹, or None where eigenvectors are too nearly parallel."""
    try:
        inverse = np.linalg.inv(vectors)
    except np.linalg.LinAlgError:
        return None
    skew = float(np.linalg.norm(vectors, 1) * np.linalg.norm(inverse, 1))
    return inverse if skew <= MOST_SKEW else None


def _real(rates: ComplexArray, vectors: npt.NDArray[np.inexact], inverse: Block) -> RealModes:
    paired, single = np.flatnonzero(rates.imag > 0.0), np.flatnonzero(rates.imag == 0.0)
    kept = np.concatenate((paired, single))
    weight = np.where(np.arange(kept.size) < paired.size, 1.0, 0.5)
    values = rates[kept]
    return RealModes(
        np.vstack((inverse[kept].real, inverse[paired].imag)),
        np.ascontiguousarray(np.hstack((vectors[:, kept].real * weight, vectors[:, paired].imag))),
        paired.size,
        1.0 / (values[:, None] + values.conj()[None, :]),
        1.0 / (values[:, None] + values[None, :]),
    )
