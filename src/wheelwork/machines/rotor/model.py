"""The equations on a window of l: Hamiltonian and jumps as sparse matrices, named by bath."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import scipy.sparse as sp

from wheelwork import lindblad
from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.machines.rotor.block_state import (
    BlockState,
    IndexArray,
    Window,
    free_energies,
    pair_indices,
)
from wheelwork.machines.rotor.parameters import RotorParameters
from wheelwork.results import AuditEntry

UpDown = tuple[FloatArray, FloatArray]  # two rates of each transition, there and back
Jumps = tuple[sp.csc_array, ...]
Entries = tuple[IndexArray, IndexArray, FloatArray]  # rows, columns, values

SMALL = 0.25  # bound of ratios that must be small


class QubitDissipator(Computed):
    """Dissipator of the bath of one qubit."""

    @property
    def up(self) -> Jumps:
        """Jumps that take an excitation from the bath."""
        raise NotImplementedError

    @property
    def down(self) -> Jumps:
        """Jumps that give an excitation to the bath."""
        raise NotImplementedError

    @property
    def heat_per_excitation(self) -> float | None:
        """Heat that an excitation brings, None where it is not the same for all."""
        return None

    def excitations(self, blocks: BlockState) -> float:
        """Excitations that enter the machine."""
        raise NotImplementedError

    def heat(self, blocks: BlockState) -> float:
        """Heat that enters the machine."""
        raise NotImplementedError

    def work(self, blocks: BlockState) -> float:
        """Work done on the machine: energy other than heat."""
        return 0.0

    def angular_momentum_rate(self, blocks: BlockState) -> float:
        """Change of ⟨L_z⟩; zero where the jumps do not act on the rotor."""
        return 0.0

    def kinetic_power(self, blocks: BlockState) -> float:
        """Change of ⟨L_z²⟩/2I; zero where the jumps do not act on the rotor."""
        return 0.0


@dataclass(frozen=True, eq=False, repr=False)
class RotorModel(Computed):
    """H_S and the jumps of each bath, for one machine on one window; matrices are (4N, 4N)."""

    parameters: RotorParameters
    window: Window
    cold: QubitDissipator
    hot: QubitDissipator

    def __repr__(self) -> str:
        return f"RotorModel({self.parameters!r}, {self.window!r})"

    @property
    def free(self) -> sp.csc_array:
        """H_S,0 (Leitch et al., Eq. (2)), diagonal."""
        return sp.csc_array(sp.diags_array(free_energies(self.parameters, self.window).ravel()))

    @property
    def interaction(self) -> sp.csc_array:
        """H_S,I = λ (σ_1⁺σ_2⁻e^{iφ} + h.c.) (Leitch et al., Eq. (3))."""
        rows, columns = pair_indices(self.window.levels)
        strength = np.full(rows.size, self.parameters.coupling)
        return matrix(self.window, [(rows, columns, strength), (columns, rows, strength)])

    @cached_property
    def load(self) -> Jumps:
        """√(Iγ/β) e^{iφ}(1 − a L_z) and √(Iγ/β) e^{−iφ}(1 + a L_z) with a = β/4I.

        The same generator as Leitch et al., Eq. (17), in a form where each jump moves l by one.
        """
        N, strength = self.window.levels, np.sqrt(self.parameters.load_rate)
        tilt = self.parameters.load_tilt * self.window.momenta
        below = np.concatenate([pair * N + np.arange(N - 1) for pair in range(4)])
        up = np.tile(strength * (1.0 - tilt[:-1]), 4)
        down = np.tile(strength * (1.0 + tilt[1:]), 4)
        entries = (below + 1, below, up), (below, below + 1, down)
        return tuple(matrix(self.window, [each]) for each in entries)

    @cached_property
    def lindblad(self) -> lindblad.Lindblad:
        """The equation for `wheelwork.lindblad`.

        Its jumps are cold.down, cold.up, hot.down, hot.up and load, in this order.
        """
        jumps = (*self.cold.down, *self.cold.up, *self.hot.down, *self.hot.up, *self.load)
        return lindblad.Lindblad(self.free + self.interaction, jumps)


@dataclass(frozen=True, eq=False, repr=False)
class WindowState:
    """A state on a window of l, with the equations that it solves."""

    model: RotorModel
    blocks: BlockState


class RotorMethod(Protocol):
    """A description of the baths, with the tolerance to which it is solved."""

    @property
    def rtol(self) -> float: ...

    @property
    def window(self) -> tuple[int, int] | None: ...

    def guard(self) -> AbstractContextManager[None]:
        """Apply the time limit of the method to the calculation in the block."""

    def model(self, parameters: RotorParameters, window: Window) -> RotorModel:
        """The equations on a window."""

    def chain_rates(self, parameters: RotorParameters, momenta: FloatArray) -> UpDown:
        """Rough rates of l → l + 1 and back by the qubits' baths, from which a window is chosen."""

    def validity(self, model: RotorModel, blocks: BlockState) -> Mapping[str, AuditEntry]:
        """Ratios that must be small for the description to hold."""


def matrix(window: Window, parts: Sequence[Entries]) -> sp.csc_array:
    """Return the real matrix with the given (rows, columns, values)."""
    rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    size = 4 * window.levels
    return sp.csc_array((values, (rows, columns)), shape=(size, size))
