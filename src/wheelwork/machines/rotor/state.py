"""The steady state of a rotor engine: flows, operation, stored work, statistics, and the audit."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from wheelwork import lindblad, thermodynamics
from wheelwork.machines.labelled import add_observables
from wheelwork.machines.rotor.accuracy import audit, errors, flow_errors
from wheelwork.machines.rotor.blocks import BlockState, ComplexArray
from wheelwork.machines.rotor.flows import RotorFlows, stationary_flows
from wheelwork.machines.rotor.labels import LABELS, OBSERVABLES
from wheelwork.machines.rotor.pairs import pairs_of, total_energies
from wheelwork.machines.rotor.regime import REGIMES, Operation
from wheelwork.machines.rotor.solve import Solution
from wheelwork.machines.rotor.window import Window
from wheelwork.machines.rotor.work import PARTS, ergotropies
from wheelwork.results import AuditEntry
from wheelwork.states import to_qutip

if TYPE_CHECKING:
    from qutip import Qobj

    from wheelwork.machines.rotor.machine import RotorEngine


@dataclass(frozen=True, eq=False)
class RotorState:
    """What `RotorEngine.steady_state` returns.

    machine and method: what was asked for. solution: the state on its window of l. Everything else
    is computed from these when it is first read. Heat into the machine and work done on it are
    positive.
    """

    machine: "RotorEngine"
    method: Any
    solution: Solution

    # ------------------------------------------------------------------ quantum state

    @property
    def blocks(self) -> BlockState:
        """Populations and the coherences that the symmetries allow."""
        return self.solution.blocks

    @property
    def window(self) -> Window:
        """The angular momenta that were kept."""
        return self.blocks.window

    @cached_property
    def density_matrix(self) -> ComplexArray:
        """ρ, complex (4N, 4N), in the basis |s_1 s_2 l⟩: s = 0, 1 (excited), l varying fastest."""
        return self.blocks.matrix()

    def to_qutip(self) -> "Qobj":
        """Return the density matrix as a qutip.Qobj (extra `qutip`)."""
        return to_qutip(self.density_matrix)

    @property
    def rotor_distribution(self) -> xr.DataArray:
        """Populations of l."""
        return xr.DataArray(
            self.blocks.rotor,
            coords={"l": np.arange(self.window.lowest, self.window.highest + 1)},
            dims="l",
            name="rotor_population",
            attrs={"long_name": "population of the angular momentum"},
        )

    # ------------------------------------------------------------------ flows

    @cached_property
    def flows(self) -> RotorFlows:
        """All heat, work and power."""
        return stationary_flows(self.solution.model, self.blocks)

    @property
    def heat_cold(self) -> float:
        """Q̇_1 from the cold bath (Leitch et al., Eq. (18) or (29))."""
        return self.flows.heat_cold

    @property
    def heat_hot(self) -> float:
        """Q̇_2 from the hot bath (Leitch et al., Eq. (18) or (29))."""
        return self.flows.heat_hot

    @property
    def heat_load(self) -> float:
        """Q̇_r from the load (Leitch et al., Eq. (21)); negative where the load takes power."""
        return self.flows.heat_load

    @property
    def work_qubits(self) -> float:
        """Ẇ^(Q) of the local baths (Leitch et al., Eqs. (23), (24)); zero for global ones."""
        return self.flows.work_qubits

    @property
    def work_load(self) -> float:
        """Ẇ^(r) of the local load (Leitch et al., Eq. (25))."""
        return self.flows.work_load

    @property
    def particle_current(self) -> float:
        """J, excitations per time that pass from the hot to the cold bath; J = γ⟨L_z⟩."""
        return 0.5 * (self.flows.excitations_hot - self.flows.excitations_cold)

    @property
    def intrinsic_power(self) -> float:
        """Ẇ_int, done by the qubits on the rotor (Leitch et al., Eq. (32))."""
        return self.flows.intrinsic_power

    @property
    def back_action(self) -> float:
        """Q̇_BA, from the baths to the rotor's motion (Leitch et al., Eq. (33)); it is −Ẇ_int."""
        return self.flows.back_action

    # ------------------------------------------------------------------ rotor

    @property
    def angular_momentum(self) -> float:
        """⟨L_z⟩."""
        return self.blocks.moment(1)

    @property
    def angular_momentum_variance(self) -> float:
        """⟨L_z²⟩ − ⟨L_z⟩²."""
        return float(self.blocks.rotor @ (self.window.momenta - self.angular_momentum) ** 2)

    @property
    def kinetic_energy(self) -> float:
        """⟨L_z²⟩/2I."""
        return self.blocks.moment(2) / (2.0 * self.machine.moment_of_inertia)

    # ------------------------------------------------------------------ operation

    @cached_property
    def operation(self) -> Operation:
        """Regime, efficiency, COP and their bounds.

        The work is Ẇ^(Q) as in Leitch et al., Table I. For a global equation, in which it is
        zero, it is Q̇_r + Ẇ^(r), what the load gives. The cold bath is the colder one.
        """
        flow, machine, error = self.flows, self.machine, self.flow_errors
        if self.solution.model.cold.quantum is not None:
            work, unsure = flow.work_qubits, error["work_qubits"]
        else:
            work = flow.heat_load + flow.work_load
            unsure = error["heat_load"] + error["work_load"]
        baths = (
            (machine.temperature_cold, flow.heat_cold, error["heat_cold"]),
            (machine.temperature_hot, flow.heat_hot, error["heat_hot"]),
        )
        cold, hot = sorted(baths, key=lambda bath: bath[0])
        return Operation(cold[1], hot[1], work, cold[0], hot[0], (cold[2], hot[2], unsure))

    @property
    def regime(self) -> str:
        """ "engine", "accelerator", "refrigerator", "heater", or as `Operation.regime` says."""
        return self.operation.regime

    @property
    def regime_code(self) -> int:
        """Place of the regime in `REGIMES`."""
        return REGIMES.index(self.regime)

    @property
    def efficiency(self) -> float:
        """η = −Ẇ/Q̇_2 of an engine, else NaN."""
        return self.operation.efficiency

    @property
    def cop(self) -> float:
        """Q̇_1/Ẇ of a refrigerator, else NaN."""
        return self.operation.cop

    @property
    def carnot_efficiency(self) -> float:
        """1 − β_2/β_1."""
        return self.operation.carnot_efficiency

    @property
    def carnot_cop(self) -> float:
        """β_2/(β_1 − β_2); infinite at equal temperatures."""
        return self.operation.carnot_cop

    # ------------------------------------------------------------------ stored work

    @cached_property
    def ergotropy(self) -> Mapping[str, float]:
        """Ergotropy of "total", "qubits", "rotor", "cold" and "hot" (see `ergotropies`)."""
        return ergotropies(self.machine, self.blocks)

    @property
    def qubit_inversion(self) -> float:
        """p_01 − p_10: the two qubits hold ergotropy while it is positive, if B_2 > B_1."""
        return float(self.blocks.qubits[1] - self.blocks.qubits[2])

    @cached_property
    def energy(self) -> float:
        """⟨H_S⟩."""
        populations = self.blocks.in_eigenstates(pairs_of(self.machine, self.window))
        return float(populations @ total_energies(self.machine, self.window))

    @cached_property
    def entropy(self) -> float:
        """S = −Tr ρ ln ρ."""
        return thermodynamics.spectral_entropy(np.maximum(self.blocks.eigenvalues, 0.0))

    @property
    def entropy_production(self) -> float:
        """−Q̇_1/T_1 − Q̇_2/T_2 − Q̇_r/T_r, the entropy that goes to the baths as heat.

        The load of Leitch et al., Eq. (17), is thermal only for a small β_r/16I (audit: "load's
        departure from Gibbs"): beyond, currents flow even at equal temperatures, and this is less
        than the entropy production of the jumps.
        """
        flow, machine = self.flows, self.machine
        return -(
            flow.heat_cold / machine.temperature_cold
            + flow.heat_hot / machine.temperature_hot
            + flow.heat_load / machine.temperature_load
        )

    # ------------------------------------------------------------------ statistics

    def counting(self, order: int = 2) -> lindblad.CountingStatistics:
        """Long-time cumulants per time of the excitations given to the cold bath."""
        model = self.solution.model
        down, up, others = len(model.cold.down), len(model.cold.up), len(model.lindblad.jumps)
        weights = np.zeros(others)
        weights[:down], weights[down : down + up] = 1.0, -1.0
        return lindblad.counting_statistics(self.solution.steady, weights, order)

    @cached_property
    def counting_statistics(self) -> lindblad.CountingStatistics:
        """Mean and noise of that count."""
        return self.counting()

    @property
    def particle_noise(self) -> float:
        """d⟨⟨N²⟩⟩/dt of the excitations N that pass from the hot to the cold bath."""
        return self.counting_statistics.noise

    @property
    def fano_factor(self) -> float:
        """Noise over current; infinite without a current."""
        return self.particle_noise / abs(self.particle_current) if self.flowing else math.inf

    @property
    def uncertainty_ratio(self) -> float:
        """S_J Σ̇/2J², with Σ̇ = `entropy_production`.

        Not below one for classical jumps between thermal baths; the load is one only as far as
        its departure from Gibbs is small.
        """
        if not self.flowing:
            return math.inf
        return 0.5 * self.particle_noise * self.entropy_production / self.particle_current**2

    @property
    def flowing(self) -> bool:
        """Whether the particle current exceeds its error."""
        return abs(self.particle_current) > self.flow_errors["particle_current"]

    # ------------------------------------------------------------------ results and warrant

    @cached_property
    def observables(self) -> Mapping[str, float]:
        """All scalar observables by name; ergotropies as "ergotropy_total" and so on."""
        values = {f"ergotropy_{part}": self.ergotropy[part] for part in PARTS}
        for name in OBSERVABLES.keys() - values.keys():
            values[name] = float(getattr(self, name))
        return MappingProxyType({name: values[name] for name in OBSERVABLES})

    @cached_property
    def flow_errors(self) -> Mapping[str, float]:
        """Those of heat, work and current."""
        return flow_errors(self)

    @cached_property
    def errors(self) -> Mapping[str, float]:
        """Estimated absolute errors of the observables, for the equations as they stand."""
        return errors(self)

    @cached_property
    def validity(self) -> Mapping[str, AuditEntry]:
        """Ratios that the master equation takes for small."""
        found: Mapping[str, AuditEntry] = self.method.validity(self.solution.model, self.blocks)
        return found

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Everything that could make the numbers wrong, checked."""
        return MappingProxyType(audit(self) | dict(self.validity))

    def to_xarray(self) -> xr.Dataset:
        """Observables with errors and the distribution of l as one labelled dataset."""
        dataset = xr.Dataset({"rotor_population": self.rotor_distribution})
        dataset.attrs["regime"] = self.regime
        add_observables(dataset, self.observables, self.errors, LABELS)
        return dataset
