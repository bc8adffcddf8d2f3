"""The generator turned round: what counting, relaxation rates and steady states are found with."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray
from wheelwork.lindblad.factorisation import Factorisation, factorised
from wheelwork.lindblad.sector import Sector

SHIFT = 1e-13  # of the generator's norm: far below every rate, above the rounding of an LU
REFINEMENTS = 20
REFINED = 1e-13


class Inverse(Protocol):
    """Solves generator · x = b with zero trace, for b of zero trace."""

    def solve(self, b: FloatArray) -> FloatArray: ...

    def rough(self, b: FloatArray) -> FloatArray:
        """Return the solution as far as an estimate of a rate needs it."""


@dataclass(frozen=True, eq=False)
class ShiftedLU:
    """An LU of A − σ, with σ far below every rate but zero.

    A is singular, A − σ is not, whatever the populations are: no row need be chosen and replaced.
    """

    generator: sp.csc_array
    shift: float
    lu: Factorisation

    @classmethod
    def of(cls, generator: sp.csc_array, shift: float | None = None) -> "ShiftedLU":
        sigma = SHIFT * (norm(generator) or 1.0) if shift is None else shift
        identity = sp.eye_array(generator.shape[0], format="csc")
        shifted = sp.csc_array(generator - sigma * identity)
        return cls(generator, sigma, factorised(shifted))


@dataclass(frozen=True, eq=False)
class TracelessInverse:
    """`Inverse` by a shifted LU: refined until the shift no longer matters.

    steady: the one steady state, trace one.
    """

    factorisation: ShiftedLU
    sector: Sector
    steady: FloatArray

    def solve(self, b: FloatArray) -> FloatArray:
        x = np.zeros_like(b)
        residual = self._traceless(b)
        last = np.inf
        for _ in range(REFINEMENTS):
            step = self._traceless(self.factorisation.lu.solve(residual))
            size = float(np.abs(step).sum())
            if size > 0.5 * last:
                break
            x += step
            residual = self._traceless(b - self.factorisation.generator @ x)
            last = size
            if size <= REFINED * float(np.abs(x).sum()):
                break
        return x

    def rough(self, b: FloatArray) -> FloatArray:
        """Return the solution without refinement, for estimates; b of shape (n,) or (n, k)."""
        return self._traceless(self.factorisation.lu.solve(b))

    def _traceless(self, x: FloatArray) -> FloatArray:
        return np.asarray(x - np.multiply.outer(self.steady, self.sector.trace @ x))


def column_sums(generator: sp.csc_array) -> FloatArray:
    """Sums of magnitudes over each column."""
    running = np.concatenate(([0.0], np.cumsum(np.abs(generator.data))))
    return np.asarray(np.diff(running[generator.indptr]))


def norm(generator: sp.csc_array) -> float:
    """Largest of the column sums."""
    return float(column_sums(generator).max(initial=0.0))
