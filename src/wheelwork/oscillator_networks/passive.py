"""Response of the linear network to what its active sites give it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg

from wheelwork._checks import FloatArray
from wheelwork.oscillator_networks.model import ComplexArray, IntArray


@dataclass(frozen=True, eq=False)
class PassiveNetwork:
    """(−iω − L) α = E v: amplitudes α, (N,), that v, (K,), at the active sites keeps turning."""

    linear: ComplexArray
    active: IntArray

    @cached_property
    def _schur(self) -> tuple[ComplexArray, ComplexArray]:
        triangle, unitary = linalg.schur(self.linear, output="complex")
        return triangle, unitary

    def response(self, frequency: FloatArray) -> ComplexArray:
        """X(ω) with α = X v, (M, N, K), by back substitution in Schur form."""
        triangle, unitary = self._schur
        N, K, M = self.linear.shape[0], self.active.size, frequency.size
        driven = unitary.conj().T[:, self.active]
        turned = np.empty((N, K, M), dtype=np.complex128)
        for i in range(N - 1, -1, -1):
            fed = np.tensordot(triangle[i, i + 1 :], turned[i + 1 :], axes=1)
            turned[i] = (driven[i][:, None] + fed) / (-1j * frequency - triangle[i, i])
        found: ComplexArray = np.moveaxis(np.tensordot(unitary, turned, axes=1), 2, 0)
        return found
