"""Energies of the machine without its baths: the pairs of states that the interaction mixes.

H_S mixes |1,0,l+1⟩ only with |0,1,l⟩. A window of N values of l has N + 1 such pairs,
l + 1 = lowest … highest + 1, of which the first lacks its second member and the last its first. The
upper eigenstate of these two is the member that is there, and the lower one does not count.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.machines.rotor.window import Window

if TYPE_CHECKING:
    from wheelwork.machines.rotor.machine import RotorEngine


@dataclass(frozen=True)
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


def pairs_of(machine: "RotorEngine", window: Window) -> Pairs:
    """Return the pairs of a machine on a window."""
    free = free_energies(machine, window)
    rotor = (window.lowest - 1.0) ** 2, (window.highest + 1.0) ** 2
    missing = (np.array(rotor) - np.array([window.lowest, window.highest]) ** 2.0) / (
        2.0 * machine.moment_of_inertia
    )
    upper = np.append(free[2], free[2, -1] + missing[1])
    lower = np.append(free[1, 0] + missing[0], free[1])
    coupling = np.full(upper.size, machine.coupling)
    coupling[[0, -1]] = 0.0
    return Pairs(np.stack([upper, lower], axis=1), coupling)


def free_energies(machine: "RotorEngine", window: Window) -> FloatArray:
    """Energies of B_1 σ_1^z + B_2 σ_2^z + L_z²/2I (Leitch et al., Eq. (2)), (4, N).

    Rows are s_1 s_2 = 00, 01, 10, 11, with s = 1 the excited state.
    """
    cold, hot = machine.field_cold, machine.field_hot
    qubits = np.array([-cold - hot, -cold + hot, cold - hot, cold + hot])
    return qubits[:, None] + rotor_energies(machine, window)


def rotor_energies(machine: "RotorEngine", window: Window) -> FloatArray:
    """L_z²/2I, (N,)."""
    return np.asarray(window.momenta**2 / (2.0 * machine.moment_of_inertia))


def total_energies(machine: "RotorEngine", window: Window) -> FloatArray:
    """Eigenvalues of H_S in the order of `BlockState.in_eigenstates`, (4N,)."""
    free = free_energies(machine, window)
    values = pairs_of(machine, window).eigenvalues
    return np.concatenate([values[:, 0], values[1:-1, 1], free[0], free[3]])
