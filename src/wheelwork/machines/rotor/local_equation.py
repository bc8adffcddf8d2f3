"""The local master equation: each bath sees its qubit alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.machines.rotor.block_state import BlockState, IndexArray, Window, fixed_window
from wheelwork.machines.rotor.model import SMALL, Jumps, QubitDissipator, RotorModel, UpDown, matrix
from wheelwork.machines.rotor.parameters import QubitBath, RotorParameters
from wheelwork.methods import Method
from wheelwork.parameters import parameter
from wheelwork.results import AuditEntry


@dataclass(frozen=True)
class LocalMasterEquation(Method):
    """The collision model of Leitch et al., Eqs. (13)–(17): jumps of each qubit by itself.

    rtol: relative error of the state and of ⟨L_z²⟩, hence of the flows against the largest of
    them. The window of l grows until the share beyond it is smaller. window: a fixed window
    instead, as (lowest, highest).

    Exact for a collision model, however strong the baths. As a description of permanent baths it
    needs λ small against the gaps, so that a bath does not see the coupling; the audit holds the
    ratio.
    """

    rtol: float = parameter(r"\epsilon", "1", "relative tolerance", _checks.tolerance, default=1e-9)
    window: tuple[int, int] | None = parameter(
        "l", "1", "lowest and highest angular momentum", fixed_window, optional=True, default=None
    )

    def model(self, parameters: RotorParameters, window: Window) -> RotorModel:
        """Return the equations on a window."""
        cold = LocalDissipator(parameters.cold, 0, window, parameters.coupling)
        hot = LocalDissipator(parameters.hot, 1, window, parameters.coupling)
        return RotorModel(parameters, window, cold, hot)

    def chain_rates(self, parameters: RotorParameters, momenta: FloatArray) -> UpDown:
        """Rates of l → l + 1 and back: the hop of a pair by its coherence, then the baths."""
        cold, hot = parameters.cold, parameters.hot
        if 0.0 in (cold.total_rate, hot.total_rate, parameters.coupling):
            return np.zeros_like(momenta), np.zeros_like(momenta)
        width = 0.5 * (cold.total_rate + hot.total_rate)
        square = width**2 + parameters.detuning(momenta) ** 2
        slow = 1.0 / cold.total_rate + 1.0 / hot.total_rate
        hop = 1.0 / (0.5 * square / parameters.coupling**2 / width + slow)
        up = hop * hot.excited * (1.0 - cold.excited)
        return up, hop * cold.excited * (1.0 - hot.excited)

    def validity(self, model: RotorModel, blocks: BlockState) -> Mapping[str, AuditEntry]:
        """λ against the smaller gap, and how far the load's own state is from a Gibbs state."""
        parameters = model.parameters
        gap = min(parameters.cold.gap, parameters.hot.gap)
        return {
            "coupling / gap": AuditEntry(abs(parameters.coupling) / gap, SMALL),
            "load's departure from Gibbs": AuditEntry(parameters.departure_from_gibbs, SMALL),
        }


@dataclass(frozen=True, eq=False)
class LocalDissipator(QubitDissipator):
    """g_i² (n D[σ⁺] + (n + 1) D[σ⁻]) (Leitch et al., Eq. (14)).

    site: 0 for qubit 1, 1 for qubit 2. coupling: λ.
    """

    bath: QubitBath
    site: int
    window: Window
    coupling: float

    @property
    def heat_per_excitation(self) -> float:
        """2B_i, the same for all."""
        return self.bath.gap

    @cached_property
    def up(self) -> Jumps:
        """√(g_i² n) σ_i⁺."""
        rows, columns = self._indices
        strength = np.full(rows.size, np.sqrt(self.bath.rate_up))
        return (matrix(self.window, [(rows, columns, strength)]),)

    @cached_property
    def down(self) -> Jumps:
        """√(g_i² (n + 1)) σ_i⁻."""
        rows, columns = self._indices
        strength = np.full(rows.size, np.sqrt(self.bath.rate_down))
        return (matrix(self.window, [(columns, rows, strength)]),)

    @property
    def _indices(self) -> tuple[IndexArray, IndexArray]:
        """Of the basis states with the qubit excited, and of the same without."""
        N = self.window.levels
        step = 2 * N if self.site == 0 else N
        starts = (0, N) if self.site == 0 else (0, 2 * N)
        columns = np.concatenate([start + np.arange(N) for start in starts])
        return columns + step, columns

    def excitations(self, blocks: BlockState) -> float:
        """g_i² (n ⟨σ⁻σ⁺⟩ − (n + 1) ⟨σ⁺σ⁻⟩)."""
        excited = blocks.excited(self.site)
        return self.bath.rate_up * (blocks.trace - excited) - self.bath.rate_down * excited

    def heat(self, blocks: BlockState) -> float:
        """Tr(H_S,0 L_i ρ), Leitch et al., Eq. (19)."""
        return self.bath.gap * self.excitations(blocks)

    def work(self, blocks: BlockState) -> float:
        """Tr(H_S,I L_i ρ) = −½ g_i² (2n + 1) ⟨H_S,I⟩, its part of Leitch et al., Eq. (23)."""
        return -0.5 * self.bath.total_rate * blocks.interaction(self.coupling)
