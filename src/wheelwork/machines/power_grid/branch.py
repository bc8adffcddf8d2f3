"""One rotating steady state of a power grid, and motion that does not settle."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.machines.power_grid.numbers import EdgeNumbers, edge_currents
from wheelwork.oscillator_networks import ComplexArray, Deviations, TimeAverage

if TYPE_CHECKING:
    from wheelwork.machines.power_grid.machine import PowerGrid


@dataclass(frozen=True, eq=False)
class Branch:
    """Amplitudes α_j e^{−iωt} that solve the equations without noise.

    amplitudes: (N,), complex, in the order of `machine.nodes`; the first active node has a positive
    one. frequency: ω against the frame of the oscillators; zero at rest. error: absolute, of the
    norm of the amplitudes and of ω times that norm.
    Quanta per time: multiply by ω0 for energy.
    """

    machine: "PowerGrid"
    amplitudes: ComplexArray
    frequency: float
    error: float
    deviations: Deviations

    @property
    def stable(self) -> bool:
        """Whether all small deviations decay."""
        return self.deviations.stable

    @property
    def growth_rate(self) -> float:
        """Largest real part of the exponents of small deviations."""
        return self.deviations.growth_rate

    @property
    def exponents(self) -> ComplexArray:
        """Exponents of small deviations, without that of the free phase."""
        return self.deviations.exponents

    @property
    def relaxation_times(self) -> Mapping[str, FloatArray]:
        """−1/Re λ of the decaying deviations, longest first: sectors "amplitude" and "phase"."""
        return self.deviations.relaxation_times

    @property
    def at_rest(self) -> bool:
        """Whether this is the state α = 0."""
        return not np.any(self.amplitudes)

    @cached_property
    def occupation(self) -> FloatArray:
        """|α_j|², (N,)."""
        return np.abs(self.amplitudes) ** 2

    @cached_property
    def current(self) -> EdgeNumbers:
        """g Im(α_u* α_v) of each edge: positive from u to v."""
        machine = self.machine
        coherence = np.outer(self.amplitudes.conj(), self.amplitudes)
        found = edge_currents(machine.edge_indices, machine.couplings, coherence)
        return EdgeNumbers(machine.edges, found, np.full(found.size, self.current_error))

    @property
    def current_error(self) -> float:
        """Absolute error of every current."""
        largest = float(np.max(np.abs(self.machine.couplings), initial=0.0))
        size = float(np.sqrt(np.max(self.occupation)))
        return largest * self.error * (2.0 * size + self.error)

    @property
    def injected(self) -> float:
        """Σ G_j(n_j) n_j."""
        return float(self.machine.gain_rates(self.occupation) @ self.occupation)

    @property
    def extracted(self) -> float:
        """Σ Λ_j(n_j) n_j of the engines."""
        return float(self.machine.loss_rates(self.occupation) @ self.occupation)

    @property
    def dissipated(self) -> float:
        """Σ γ_j n_j."""
        return float(self.machine.dampings @ self.occupation)

    @property
    def mean_damping(self) -> float:
        """Γ̄ = Σ Λ_j(n_j) − Σ G_j(n_j) (Huber and Rabl, Sec. V): of order γ if symmetric."""
        machine = self.machine
        loss, gain = machine.loss_rates(self.occupation), machine.gain_rates(self.occupation)
        return float(np.sum(loss) - np.sum(gain))

    @property
    def balance(self) -> FloatArray:
        """Quanta per time that each node gains in all, (N,): zero in a steady state."""
        return node_balance(self.machine, self.occupation, self.current)

    def occupations(self) -> Mapping[Hashable, float]:
        """|α_j|² by node."""
        return dict(zip(self.machine.nodes, self.occupation.tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class Oscillation:
    """Means over a motion without a steady state: a limit cycle, or several modes at once."""

    machine: "PowerGrid"
    motion: TimeAverage

    @property
    def periodic(self) -> bool:
        """Whether it is a limit cycle; otherwise several modes beat, or it is chaotic."""
        return self.motion.periodic

    @property
    def period(self) -> float:
        """Of the occupations; NaN if not periodic."""
        return self.motion.period

    @property
    def occupation(self) -> FloatArray:
        """⟨|α_j|²⟩, (N,)."""
        return self.motion.occupation

    @cached_property
    def current(self) -> EdgeNumbers:
        """g Im⟨α_u* α_v⟩ of each edge: positive from u to v; errors from the halves of the time."""
        machine = self.machine
        found, doubt = (
            edge_currents(machine.edge_indices, machine.couplings, coherence)
            for coherence in (self.motion.coherence, 1j * self.motion.coherence_error)
        )
        return EdgeNumbers(machine.edges, found, np.abs(doubt))

    @property
    def injected(self) -> float:
        """Σ ⟨G_j(n_j) n_j⟩."""
        n = self.motion.occupations.T
        return float(np.mean(np.sum(self.machine.gain_rates(n) * n, axis=1)))

    @property
    def extracted(self) -> float:
        """Σ ⟨Λ_j(n_j) n_j⟩."""
        n = self.motion.occupations.T
        return float(np.mean(np.sum(self.machine.loss_rates(n) * n, axis=1)))

    @property
    def dissipated(self) -> float:
        """Σ γ_j ⟨n_j⟩."""
        return float(self.machine.dampings @ self.occupation)


def node_balance(machine: "PowerGrid", occupation: FloatArray, current: EdgeNumbers) -> FloatArray:
    """Gain − loss − damping + currents into each node."""
    net = machine.gain_rates(occupation) - machine.loss_rates(occupation) - machine.dampings
    total = net * occupation
    u, v = machine.edge_indices.T
    np.subtract.at(total, u, current.array)
    np.add.at(total, v, current.array)
    return total
