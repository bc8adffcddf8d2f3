"""States of two qubits and a rotor that respect the symmetries of the machine.

The equations conserve two charges of a basis state, s_1 + s_2 and l − s_1 (s = 1 excited, 0 not):
a mixture of different charges stays one, and coherences between charges influence neither
populations nor flows. Such a mixture has populations and the coherences ⟨1,0,l+1|ρ|0,1,l⟩: 6N − 2
real numbers for N values of l.

H_S mixes |1,0,l+1⟩ only with |0,1,l⟩. A window of N values of l has N + 1 such pairs,
l + 1 = lowest … highest + 1. The first pair lacks its second member and the last its first: of
these two the upper eigenstate is the member that exists, and the lower one does not count.

Basis |s_1 s_2 l⟩, l varying fastest: index (2 s_1 + s_2) N + l − lowest.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from wheelwork import _checks, lindblad
from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import InvalidArgument, shown
from wheelwork.machines.rotor.parameters import LARGEST_MOMENTUM, RotorParameters

ComplexArray = npt.NDArray[np.complex128]
IndexArray = npt.NDArray[np.intp]

HERMITIAN = 1e-12  # largest |ρ − ρ†| of a given density matrix: rounding
SMALLEST_GROWTH = 8  # levels, so that few windows are tried


@dataclass(frozen=True)
class Window:
    """The angular momenta lowest ≤ l ≤ highest."""

    lowest: int
    highest: int

    def __post_init__(self) -> None:
        lowest = _checks.integer("lowest", self.lowest, -LARGEST_MOMENTUM, "window")
        highest = _checks.integer("highest", self.highest, -LARGEST_MOMENTUM, "window")
        if highest <= lowest:
            raise InvalidArgument(
                f"`highest` must be larger than `lowest` = {lowest}, but is {highest} (window)"
            )

    @property
    def levels(self) -> int:
        """N, the number of values of l."""
        return self.highest - self.lowest + 1

    @property
    def momenta(self) -> FloatArray:
        """The values of l, (N,)."""
        return np.arange(self.lowest, self.highest + 1, dtype=np.float64)

    def grown(self, ends: npt.NDArray[np.bool_]) -> "Window":
        """Return a window larger by half at each end that is marked, (2,)."""
        below, above = max(SMALLEST_GROWTH, self.levels // 2) * ends.astype(int)
        return Window(self.lowest - int(below), self.highest + int(above))


def fixed_window(name: str, value: Any) -> tuple[int, int]:
    """Return a window given as (lowest, highest), checked."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise InvalidArgument(f"`{name}` must be (lowest, highest), but is {shown(value)}")
    window = Window(*value)
    return window.lowest, window.highest


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pairs of H_S (Leitch et al., Eq. (1)), diagonalised in closed form.

    energies: (N + 1, 2) of the two members by H_S,0. coupling: (N + 1,), λ, or zero at the ends.
    """

    energies: FloatArray
    coupling: FloatArray

    @property
    def half_splitting(self) -> FloatArray:
        """Half the distance of the eigenvalues, (N + 1,)."""
        return np.asarray(
            np.hypot(0.5 * (self.energies[:, 0] - self.energies[:, 1]), self.coupling)
        )

    @property
    def eigenvalues(self) -> FloatArray:
        """(N + 1, 2), the upper first."""
        mean, half = 0.5 * self.energies.sum(axis=1), self.half_splitting
        values = np.stack([mean + half, mean - half], axis=1)
        values[0], values[-1] = self.energies[0, 0], self.energies[-1, 1]
        return values

    @property
    def eigenvectors(self) -> FloatArray:
        """(N + 1, 2, 2): [j, e, k] is the amplitude of member k in eigenstate e, real."""
        angle = 0.5 * np.arctan2(self.coupling, 0.5 * (self.energies[:, 0] - self.energies[:, 1]))
        cos, sin = np.cos(angle), np.sin(angle)
        vectors = np.stack([np.stack([cos, sin], axis=1), np.stack([-sin, cos], axis=1)], axis=1)
        vectors[0], vectors[-1] = [[1.0, 0.0], [0.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]]
        return vectors


def pairs_of(parameters: RotorParameters, window: Window) -> Pairs:
    """Return the pairs of a machine on a window."""
    free = free_energies(parameters, window)
    rotor = (window.lowest - 1.0) ** 2, (window.highest + 1.0) ** 2
    missing = (np.array(rotor) - np.array([window.lowest, window.highest]) ** 2.0) / (
        2.0 * parameters.moment_of_inertia
    )
    upper = np.append(free[2], free[2, -1] + missing[1])
    lower = np.append(free[1, 0] + missing[0], free[1])
    coupling = np.full(upper.size, parameters.coupling)
    coupling[[0, -1]] = 0.0
    return Pairs(np.stack([upper, lower], axis=1), coupling)


def free_energies(parameters: RotorParameters, window: Window) -> FloatArray:
    """Energies of B_1 σ_1^z + B_2 σ_2^z + L_z²/2I (Leitch et al., Eq. (2)), (4, N).

    Rows are s_1 s_2 = 00, 01, 10, 11, with s = 1 the excited state.
    """
    cold, hot = parameters.field_cold, parameters.field_hot
    qubits = np.array([-cold - hot, -cold + hot, cold - hot, cold + hot])
    return qubits[:, None] + rotor_energies(parameters, window)


def rotor_energies(parameters: RotorParameters, window: Window) -> FloatArray:
    """L_z²/2I, (N,)."""
    return np.asarray(window.momenta**2 / (2.0 * parameters.moment_of_inertia))


def total_energies(parameters: RotorParameters, window: Window) -> FloatArray:
    """Eigenvalues of H_S in the order of `BlockState.in_eigenstates`, (4N,)."""
    free = free_energies(parameters, window)
    values = pairs_of(parameters, window).eigenvalues
    return np.concatenate([values[:, 0], values[1:-1, 1], free[0], free[3]])


@dataclass(frozen=True, eq=False, repr=False)
class BlockState(Computed):
    """A state on a window of l.

    populations: (4, N), of |s_1 s_2 l⟩ with s_1 s_2 in the order 00, 01, 10, 11.
    coherences: (N − 1,), ⟨1,0,l+1|ρ|0,1,l⟩.
    """

    window: Window
    populations: FloatArray
    coherences: ComplexArray

    def __repr__(self) -> str:
        return f"BlockState({self.window!r}, mean momentum {self.moment(1):.6g})"

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
        return self._with_unpaired(values)

    @cached_property
    def eigenvalues(self) -> FloatArray:
        """All 4N eigenvalues of ρ, descending, with the pairs in closed form."""
        mean = 0.5 * (self.pairs[:, 0, 0] + self.pairs[:, 1, 1])
        half = 0.5 * np.abs(self.pairs[:, 0, 0] - self.pairs[:, 1, 1])
        half[1:-1] = np.hypot(half[1:-1], np.abs(self.coherences))
        values = np.stack([mean + half, mean - half], axis=1)
        return np.sort(self._with_unpaired(values))[::-1]

    def _with_unpaired(self, values: FloatArray) -> FloatArray:
        return np.concatenate(
            [values[:, 0], values[1:-1, 1], self.populations[0], self.populations[3]]
        )

    def on(self, window: Window) -> "BlockState":
        """The same state on a larger window."""
        start = self.window.lowest - window.lowest
        populations = np.zeros((4, window.levels))
        populations[:, start : start + self.window.levels] = self.populations
        coherences = np.zeros(window.levels - 1, dtype=np.complex128)
        coherences[start : start + self.window.levels - 1] = self.coherences
        return BlockState(window, populations, coherences)

    def matrix(self) -> ComplexArray:
        """ρ, (4N, 4N), in the basis |s_1 s_2 l⟩."""
        rho = np.diag(self.populations.ravel()).astype(np.complex128)
        rows, columns = pair_indices(self.window.levels)
        rho[rows, columns] = self.coherences
        rho[columns, rows] = self.coherences.conj()
        return rho


def pair_indices(levels: int) -> tuple[IndexArray, IndexArray]:
    """Indices of |1,0,l+1⟩ and of |0,1,l⟩ in the basis, (N − 1,) each."""
    below = np.arange(levels - 1)
    return 2 * levels + below + 1, levels + below


def from_matrix(window: Window, rho: Any) -> BlockState:
    """Return a density matrix (4N, 4N) on a window, without its coherences between charges."""
    size = 4 * window.levels
    if np.shape(rho) != (size, size):
        raise InvalidArgument(
            f"`initial` must have the shape {(size, size)} for {window.lowest} ≤ l ≤ "
            f"{window.highest}, but has {np.shape(rho)}"
        )
    matrix = np.asarray(rho, dtype=np.complex128)
    if not np.allclose(matrix, matrix.conj().T, rtol=0.0, atol=HERMITIAN):
        raise InvalidArgument("`initial` must be Hermitian, but is not")
    populations = matrix.diagonal().real.reshape(4, window.levels)
    return BlockState(window, populations, matrix[pair_indices(window.levels)])


def block_state(window: Window, state: lindblad.State) -> BlockState:
    """Return a solution of `wheelwork.lindblad` as a `BlockState`."""
    N, sector = window.levels, state.sector
    off = sector.row != sector.column  # only |1,0,l+1⟩⟨0,1,l|, real and imaginary parts
    coherences = np.zeros(N - 1, dtype=np.complex128)
    np.add.at(coherences, sector.column[off] - N, (state.values * sector.factors)[off])
    return BlockState(window, state.populations.reshape(4, N), coherences)
