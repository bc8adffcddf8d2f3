"""States of two qubits and a rotor that respect the symmetries of the machine.

The equations keep two charges apart, s_1 + s_2 and l − s_1 (s = 1 excited, 0 not): a mixture of
different charges stays one, and coherences between charges influence neither populations nor
flows. Such a mixture has populations and the coherences ⟨1,0,l+1|ρ|0,1,l⟩: 6N − 2 real numbers for
N values of l.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from wheelwork import lindblad
from wheelwork._checks import FloatArray
from wheelwork.machines.rotor.pairs import Pairs
from wheelwork.machines.rotor.window import Window

ComplexArray = npt.NDArray[np.complex128]


@dataclass(frozen=True)
class BlockState:
    """A state on a window of l.

    populations: (4, N), of |s_1 s_2 l⟩ with s_1 s_2 in the order 00, 01, 10, 11.
    coherences: (N − 1,), ⟨1,0,l+1|ρ|0,1,l⟩.
    """

    window: Window
    populations: FloatArray
    coherences: ComplexArray

    @property
    def trace(self) -> float:
        """Tr ρ."""
        return float(self.populations.sum())

    @cached_property
    def rotor(self) -> FloatArray:
        """Populations of l, (N,)."""
        return np.asarray(self.populations.sum(axis=0))

    @cached_property
    def qubits(self) -> FloatArray:
        """Populations of the two qubits in the order 00, 01, 10, 11; they have no coherences."""
        return np.asarray(self.populations.sum(axis=1))

    def excited(self, site: int) -> float:
        """⟨σ_i⁺σ_i⁻⟩ of qubit 1 (site 0) or qubit 2 (site 1)."""
        return float(self.qubits[3] + self.qubits[2 - site])

    def moment(self, power: int) -> float:
        """⟨L_z^power⟩."""
        return float(self.rotor @ self.window.momenta**power)

    def interaction(self, coupling: float) -> float:
        """⟨H_S,I⟩ = 2λ Re⟨σ_1⁺σ_2⁻e^{iφ}⟩; the mean is the sum of conjugate coherences."""
        return 2.0 * coupling * float(self.coherences.real.sum())

    def torque(self, coupling: float, power: int = 0) -> float:
        """2λ Im⟨σ_1⁺σ_2⁻e^{iφ} (2L_z + 1)^power⟩.

        With power 0 the rate at which H_S changes ⟨L_z⟩, with power 1 that of ⟨L_z²⟩.
        """
        weight = (2.0 * self.window.momenta[:-1] + 1.0) ** power
        return -2.0 * coupling * float(self.coherences.imag @ weight)

    # ------------------------------------------------------------------ pairs

    @cached_property
    def pairs(self) -> FloatArray:
        """Real parts of the blocks of |1,0,l+1⟩ and |0,1,l⟩ as in `Pairs`, (N + 1, 2, 2)."""
        blocks = np.zeros((self.window.levels + 1, 2, 2))
        blocks[:-1, 0, 0], blocks[1:, 1, 1] = self.populations[2], self.populations[1]
        blocks[1:-1, 0, 1] = blocks[1:-1, 1, 0] = self.coherences.real
        return blocks

    def in_eigenstates(self, pairs: Pairs) -> FloatArray:
        """Populations of the eigenstates of H_S, (4N,): of pairs, then of 00 and of 11."""
        vectors = pairs.eigenvectors
        values = np.einsum("jek,jkm,jem->je", vectors, self.pairs, vectors)
        return self._all(values)

    @cached_property
    def eigenvalues(self) -> FloatArray:
        """All 4N eigenvalues of ρ, descending, with the pairs in closed form."""
        mean = 0.5 * (self.pairs[:, 0, 0] + self.pairs[:, 1, 1])
        half = 0.5 * np.abs(self.pairs[:, 0, 0] - self.pairs[:, 1, 1])
        half[1:-1] = np.hypot(half[1:-1], np.abs(self.coherences))
        values = np.stack([mean + half, mean - half], axis=1)
        return np.sort(self._all(values))[::-1]

    def _all(self, values: FloatArray) -> FloatArray:
        return np.concatenate(
            [values[:, 0], values[1:-1, 1], self.populations[0], self.populations[3]]
        )

    def on(self, window: Window) -> "BlockState":
        """The same state on a window that holds this one."""
        start = self.window.lowest - window.lowest
        populations = np.zeros((4, window.levels))
        populations[:, start : start + self.window.levels] = self.populations
        coherences = np.zeros(window.levels - 1, dtype=np.complex128)
        coherences[start : start + self.window.levels - 1] = self.coherences
        return BlockState(window, populations, coherences)

    def matrix(self) -> ComplexArray:
        """ρ, (4N, 4N), in the basis |s_1 s_2 l⟩ with l varying fastest."""
        rho = np.diag(self.populations.ravel()).astype(np.complex128)
        rows, columns = pair_places(self.window.levels)
        rho[rows, columns] = self.coherences
        rho[columns, rows] = self.coherences.conj()
        return rho


def pair_places(levels: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Places of |1,0,l+1⟩ and of |0,1,l⟩ in the basis of `BlockState.matrix`."""
    below = np.arange(levels - 1)
    return 2 * levels + below + 1, levels + below


def block_state(window: Window, state: lindblad.State) -> BlockState:
    """Return a state found by `wheelwork.lindblad`."""
    N, sector = window.levels, state.sector
    off = sector.row != sector.column  # only |1,0,l+1⟩⟨0,1,l|, real and imaginary parts
    coherences = np.zeros(N - 1, dtype=np.complex128)
    np.add.at(coherences, sector.column[off] - N, (state.values * sector.factors)[off])
    return BlockState(window, state.populations.reshape(4, N), coherences)
