"""The preconditioner of a graded equation: exact solutions between jumps, swept over the sectors.

A sweep up in charge, the exact chain of populations for the slow part of what is left, and a sweep
down. Where all matrices are real, each part is one compiled loop: in sectors of some ten states
most of the time would go into calls. Derived in docs/developers/lindblad.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack, schur

from wheelwork._checks import FloatArray
from wheelwork.lindblad.graded.equation import Block, GradedLindblad
from wheelwork.lindblad.graded.kernels import correct_real, solve_real, sweep_real
from wheelwork.lindblad.graded.population_chain import PopulationChain
from wheelwork.lindblad.operators import ComplexArray, IndexArray

# Decay added to every mode, relative to the largest rate of jumps, or to H where that is much
# larger: a state without jumps, as the vacuum at zero temperature, would lead to a division by
# zero. GMRES converges to the same solution.
SMALLEST_DECAY, ROUNDING = 1e-9, 1e-16
# Largest ‖V‖‖V⁻¹‖ of eigenvectors that are used: five of sixteen digits are lost there, still far
# better than a preconditioner needs. Beyond, Schur vectors are used.
LARGEST_CONDITION = 1e5


@dataclass(frozen=True, eq=False)
class ComplexModes:
    """Modes of D = −iH − ½ Σ L†L in one sector, D = V diag(λ) V⁻¹. quotient: 1/(λ_i + λ_j*)."""

    vectors: ComplexArray
    inverse: ComplexArray
    quotient: ComplexArray

    def solve(self, right: Block) -> Block:
        """Return X = X† with D X + X D† = B, for Hermitian B."""
        inner = (self.inverse @ right @ self.inverse.conj().T) * self.quotient
        X = self.vectors @ inner @ self.vectors.conj().T
        return np.asarray(0.5 * (X + X.conj().T))


@dataclass(frozen=True, eq=False)
class RealModes:
    """`ComplexModes` of a real D in real numbers; one of each pair of conjugate modes is kept.

    left, right: real and imaginary parts of the h kept rows of V⁻¹ and columns of V, (h + p, d) and
    (d, h + p); the p pairs come first, and real modes have no imaginary part. quotient, mirrored:
    (h, h), 1/(λ_i + λ_j*) and 1/(λ_i + λ_j), the latter for mode i and the conjugate of mode j.
    """

    left: FloatArray
    right: FloatArray
    pairs: int
    quotient: ComplexArray
    mirrored: ComplexArray

    def solve(self, right: Block) -> Block:
        quotients = self.quotient, self.mirrored
        return np.asarray(solve_real(self.left, self.right, self.pairs, *quotients, right))


@dataclass(frozen=True, eq=False)
class SchurModes:
    """D = U T U† with T upper triangular (in 2×2 blocks where D is real): for any D.

    At an exceptional point, as where the loss of one of two nodes reaches 2g, D has too few
    eigenvectors.
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
        X = U @ part @ U.conj().T / scale
        return np.asarray(0.5 * (X + X.conj().T))


Modes = ComplexModes | RealModes | SchurModes


def modes_of(drift: Block, largest_rate: float) -> Modes:
    """Return the modes of a dense drift D, whose decay is raised by 1e-9 of `largest_rate`."""
    rates, vectors = np.linalg.eig(drift)
    shift = max(SMALLEST_DECAY * largest_rate, ROUNDING * float(np.max(np.abs(drift))))
    try:
        inverse = np.linalg.inv(vectors)
        condition = float(np.linalg.norm(vectors, 1) * np.linalg.norm(inverse, 1))
    except np.linalg.LinAlgError:
        condition = np.inf
    if not condition <= LARGEST_CONDITION:
        triangle, unitary = schur(drift - shift * np.eye(len(drift)))
        return SchurModes(unitary, triangle)
    rates = rates - shift
    if np.iscomplexobj(drift):
        quotient = (1.0 / (rates[:, None] + rates.conj()[None, :])).astype(np.complex128)
        return ComplexModes(vectors.astype(np.complex128), inverse.astype(np.complex128), quotient)
    return _real_modes(rates.astype(np.complex128), vectors, inverse)


def _real_modes(rates: ComplexArray, vectors: npt.NDArray[np.inexact], inverse: Block) -> RealModes:
    paired, single = np.flatnonzero(rates.imag > 0.0), np.flatnonzero(rates.imag == 0.0)
    kept = np.concatenate((paired, single))
    weight = np.where(np.arange(kept.size) < paired.size, 1.0, 0.5)  # of 2 Re, for a mode alone
    values = rates[kept]
    return RealModes(
        np.vstack((inverse[kept].real, inverse[paired].imag)),
        np.ascontiguousarray(np.hstack((vectors[:, kept].real * weight, vectors[:, paired].imag))),
        paired.size,
        1.0 / (values[:, None] + values.conj()[None, :]),
        1.0 / (values[:, None] + values[None, :]),
    )


@dataclass(frozen=True, eq=False)
class GeneralSweeps:
    """Block Gauss–Seidel over sectors, with modes of any kind."""

    equation: GradedLindblad
    modes: Sequence[Modes]

    def sweep(self, sectors: IndexArray, target: Block, x: Block) -> None:
        """Set x in each of `sectors` in turn, so that its rate there is `target`."""
        targets, blocks = self.equation.blocks(target), self.equation.blocks(x)
        for K in sectors.tolist():
            gain = np.zeros_like(blocks[K])
            self.equation.add_gain(x, K, gain)
            blocks[K][:] = self.modes[K].solve(targets[K] - gain)


@dataclass(frozen=True, eq=False)
class RealSweeps:
    """`GeneralSweeps` in one compiled loop, where all modes are `RealModes`.

    modes: left and right of every sector, as the blocks of a vector; p and h of every sector, and
    where it begins in the last two, (M + 1,) each; quotient and mirrored of every sector.
    """

    equation: GradedLindblad
    modes: tuple[npt.NDArray[Any], ...]

    @classmethod
    def of(cls, equation: GradedLindblad, modes: Sequence[RealModes]) -> "RealSweeps":
        kept = np.array([len(each.mirrored) for each in modes])
        counts = np.array([each.pairs for each in modes]), kept, np.cumsum(kept**2) - kept**2
        sides = _flat([each.left for each in modes]), _flat([each.right for each in modes])
        quotient = _flat([each.quotient for each in modes])
        return cls(equation, (*sides, *counts, quotient, _flat([each.mirrored for each in modes])))

    def sweep(self, sectors: IndexArray, target: Block, x: Block) -> None:
        equation, links = self.equation, self.equation.flat_links
        sweep_real(sectors, equation.sizes, equation.starts, links, self.modes, target, x)


@dataclass(frozen=True, eq=False)
class RealCorrection:
    """`PopulationChain.correct` in one compiled loop, for a real equation.

    arrays: where the populations of each sector begin, (M + 2,); real and imaginary parts of its
    eigenstates, (d, 2h); weights; inverses; up and down, which hold for each sector the matrices
    from and to the sector below; where each sector begins in the parts, in inverses, and in up and
    down, (3, M + 2).
    """

    equation: GradedLindblad
    arrays: tuple[npt.NDArray[Any], ...]

    @classmethod
    def of(cls, chain: PopulationChain) -> "RealCorrection":
        eigenstates = chain.eigenstates
        parts = [np.hstack((each.vectors.real, each.vectors.imag)) for each in eigenstates]
        links = [0, *(matrix.size for matrix in chain.up)]
        sizes = [[each.size for each in parts], [each.size for each in chain.inverses], links]
        states = np.cumsum([0, *(each.weights.size for each in eigenstates)])
        flat = parts, [each.weights for each in eigenstates], chain.inverses, chain.up, chain.down
        begins = np.array([np.cumsum([0, *each]) for each in sizes])
        return cls(chain.equation, (states, *map(_flat, flat), begins))

    def correct(self, residual: Block, x: Block) -> None:
        correct_real(self.equation.sizes, self.equation.starts, self.arrays, residual, x)


def _flat(arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """All numbers of all arrays, by rows."""
    return np.concatenate([each.ravel() for each in arrays]) if arrays else np.zeros(0)


@dataclass(frozen=True, eq=False)
class Preconditioner:
    """A sweep upwards, the chain of populations for what is left, a sweep downwards."""

    equation: GradedLindblad
    sweeps: GeneralSweeps | RealSweeps
    correction: PopulationChain | RealCorrection

    @classmethod
    def of(cls, chain: PopulationChain) -> "Preconditioner":
        """Return it for the equation of `chain`, compiled where that is real."""
        equation = chain.equation
        fastest = max(float(rates.max()) for rates in equation.losses)
        modes = [modes_of(drift.toarray(), fastest) for drift in equation.drifts]
        real = [each for each in modes if isinstance(each, RealModes)]
        all_real = len(real) == len(modes)
        sweeps = RealSweeps.of(equation, real) if all_real else GeneralSweeps(equation, modes)
        correction = RealCorrection.of(chain) if equation.dtype == np.float64 else chain
        return cls(equation, sweeps, correction)

    def __call__(self, right: Block) -> Block:
        """Return an approximate x whose rate is `right`."""
        x, sectors = self.equation.zeros(), np.arange(self.equation.top + 1)
        self.sweeps.sweep(sectors, right, x)
        self.correction.correct(right - self.equation.rate(x), x)
        self.sweeps.sweep(sectors[::-1], right, x)
        return x
