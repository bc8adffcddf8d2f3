"""The state of a rotor engine: flows, operation, stored work, statistics, and the audit."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import xarray as xr

from wheelwork import lindblad, thermodynamics
from wheelwork.errors import NotConverged
from wheelwork.machines.rotor import accuracy, energetics
from wheelwork.machines.rotor.block_state import (
    BlockState,
    ComplexArray,
    Window,
    pairs_of,
    total_energies,
)
from wheelwork.machines.rotor.energetics import REGIMES, Operation, RotorFlows
from wheelwork.machines.rotor.model import RotorMethod, RotorModel, WindowState
from wheelwork.machines.rotor.parameters import RotorParameters
from wheelwork.machines.rotor.stationary import Solution
from wheelwork.results import AuditEntry, Labels, Result, entry, observable
from wheelwork.states import to_qutip

if TYPE_CHECKING:
    from qutip import Qobj

estimate = partial(entry, error="error_estimates")

ERGOTROPIES: Labels = {
    "total": ("W_E", "energy", "ergotropy of the whole machine"),
    "qubits": ("W_E^{Q}", "energy", "ergotropy of the two qubits"),
    "rotor": ("W_E^{r}", "energy", "ergotropy of the rotor"),
    "cold": ("W_E^{1}", "energy", "ergotropy of the cold qubit"),
    "hot": ("W_E^{2}", "energy", "ergotropy of the hot qubit"),
}


def _heat_errors(state: "RotorResult") -> dict[str, float]:
    known = state.error_estimates
    return {bath: known.get(f"heat_{bath}", math.nan) for bath in state.heat_currents}


def _entropy_errors(state: "RotorResult") -> dict[str, float]:
    errors = _heat_errors(state).items()
    return {bath: Q / getattr(state.machine, f"temperature_{bath}") for bath, Q in errors}


class RotorResult(Result):
    """Quantities common to all states of a rotor engine. Heat into it and work on it are positive.

    solution: the state on its window of l. All else is computed when first read.
    """

    machine: RotorParameters
    method: RotorMethod
    solution: WindowState

    @property
    def model(self) -> RotorModel:
        """The equations on the window of the state."""
        return self.solution.model

    @property
    def blocks(self) -> BlockState:
        """Populations and the coherences that the symmetries allow."""
        return self.solution.blocks

    @property
    def flows(self) -> RotorFlows:
        """Heat, work and power."""
        raise NotImplementedError

    @property
    def error_estimates(self) -> Mapping[str, Any]:
        """Estimated absolute errors by name, of ergotropies by part; empty if unknown."""
        return MappingProxyType({})

    @property
    def window(self) -> Window:
        """Range of angular momenta in the calculation."""
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
        coords = {"l": np.arange(self.window.lowest, self.window.highest + 1)}
        text = {"long_name": "population of the angular momentum"}
        return xr.DataArray(self.blocks.rotor, coords, ("l",), "rotor_population", text)

    @cached_property
    def validity(self) -> Mapping[str, AuditEntry]:
        """Ratios that must be small for the master equation to hold."""
        return self.method.validity(self.model, self.blocks)

    def arrays(self) -> xr.Dataset:
        """Populations of l."""
        return xr.Dataset({"rotor_population": self.rotor_distribution})

    heat_cold = estimate("flows.heat_cold", r"\dot Q_1", "energy^2", "heat flow from the cold bath")
    heat_hot = estimate("flows.heat_hot", r"\dot Q_2", "energy^2", "heat flow from the hot bath")
    heat_load = estimate("flows.heat_load", r"\dot Q_r", "energy^2", "heat flow from the load")
    work_qubits = estimate(
        "flows.work_qubits", r"\dot W^{(Q)}", "energy^2", "work done on the qubits"
    )
    work_load = estimate(
        "flows.work_load", r"\dot W^{(r)}", "energy^2", "work done by the load's locality"
    )
    particle_current = estimate(
        "flows.particle_current", "J", "energy", "excitations from the hot to the cold bath"
    )
    intrinsic_power = estimate(
        "flows.intrinsic_power", r"\dot W_\mathrm{int}", "energy^2", "intrinsic power"
    )
    back_action = estimate(
        "flows.back_action", r"\dot Q_\mathrm{BA}", "energy^2", "back-action heat of the rotor"
    )

    @observable(r"\dot Q", "energy^2", "heat flows from the baths", over="bath", error=_heat_errors)
    def heat_currents(self) -> Mapping[str, float]:
        """Q̇ from each bath: "cold", "hot" and "load"."""
        return self.flows.heat_currents

    @observable(r"\langle L_z\rangle", "1", "mean angular momentum", error="error_estimates")
    def angular_momentum(self) -> float:
        """⟨L_z⟩."""
        return self.blocks.moment(1)

    @observable(r"\mathrm{Var}\,L_z", "1", "variance of the momentum", error="error_estimates")
    def angular_momentum_variance(self) -> float:
        """⟨L_z²⟩ − ⟨L_z⟩²."""
        return float(self.blocks.rotor @ (self.window.momenta - self.angular_momentum) ** 2)

    @observable(
        r"\langle L_z^2\rangle/2I", "energy", "kinetic energy of the rotor", error="error_estimates"
    )
    def kinetic_energy(self) -> float:
        """⟨L_z²⟩/2I."""
        return self.blocks.moment(2) / (2.0 * self.machine.moment_of_inertia)

    @observable(error="error_estimates", parts=ERGOTROPIES)
    def ergotropy(self) -> Mapping[str, float]:
        """Ergotropy of "total", "qubits", "rotor", "cold" and "hot" (Leitch et al., Eq. (35)).

        Of the whole state against H_S, and of reduced states against their own Hamiltonians.
        """
        return energetics.ergotropies(self.machine, self.blocks)

    @observable(
        "p_{01}-p_{10}", "1", "population of the hot qubit over the cold", error="error_estimates"
    )
    def qubit_inversion(self) -> float:
        """p_01 − p_10: the two qubits hold ergotropy if it is positive and B_2 > B_1."""
        return float(self.blocks.qubits[1] - self.blocks.qubits[2])

    @observable("U", "energy", "mean energy", error="error_estimates")
    def energy(self) -> float:
        """⟨H_S⟩."""
        populations = self.blocks.in_eigenstates(pairs_of(self.machine, self.window))
        return float(populations @ total_energies(self.machine, self.window))

    @observable("S", "1", "von Neumann entropy", error="error_estimates")
    def entropy(self) -> float:
        """S = −Tr ρ ln ρ."""
        return thermodynamics.spectral_entropy(np.maximum(self.blocks.eigenvalues, 0.0))


@dataclass(frozen=True, eq=False, repr=False)
class RotorState(RotorResult):
    """Steady state of a rotor engine, returned by `RotorEngine.steady_state`."""

    headline: ClassVar[tuple[str, ...]] = (
        "heat_cold", "heat_hot", "heat_load", "work_qubits", "efficiency", "cop",
        "angular_momentum", "ergotropy_total", "entropy_production",
    )  # fmt: skip

    machine: RotorParameters
    method: RotorMethod
    solution: Solution

    def undefined(self, name: str) -> str:
        """Which operation a figure of merit belongs to."""
        owner = {"efficiency": "an engine", "cop": "a refrigerator"}.get(name)
        if owner is None:
            return super().undefined(name)
        return f"`{name}` is that of {owner}, but the regime is {self.regime}"

    @cached_property
    def flows(self) -> RotorFlows:
        """All heat, work and power."""
        return energetics.stationary_flows(self.model, self.blocks)

    @cached_property
    def operation(self) -> Operation:
        """Regime, efficiency, COP and their bounds."""
        return energetics.operation(self.model, self.flows, self.flow_errors)

    @property
    def regime(self) -> str:
        """ "engine", "accelerator", "refrigerator", "heater", or as `Operation.regime` says."""
        return self.operation.regime

    @observable(r"\#", "1", ", ".join(f"{code} {name}" for code, name in enumerate(REGIMES)))
    def regime_code(self) -> int:
        """Index of the regime in `REGIMES`."""
        return REGIMES.index(self.regime)

    efficiency = entry(
        "operation.efficiency", r"\eta", "1", "efficiency of the engine", "operation.ratio_errors"
    )
    carnot_efficiency = entry(
        "operation.carnot_efficiency", r"\eta_C", "1", "Carnot bound of the efficiency"
    )
    cop = entry(
        "operation.cop",
        r"\mathrm{COP}",
        "1",
        "coefficient of performance of the refrigerator",
        "operation.ratio_errors",
    )
    carnot_cop = entry("operation.carnot_cop", r"\mathrm{COP}_C", "1", "Carnot bound of the COP")

    @observable(
        r"\dot\Sigma", "energy", "entropy production rates of the baths", over="bath",
        error=_entropy_errors,
    )  # fmt: skip
    def entropy_productions(self) -> Mapping[str, float]:
        """−Q̇/T of each bath: "cold", "hot" and "load"."""
        heats = self.heat_currents.items()
        return {bath: -Q / getattr(self.machine, f"temperature_{bath}") for bath, Q in heats}

    @observable(r"\dot\Sigma", "energy", "entropy production rate", error="error_estimates")
    def entropy_production(self) -> float:
        """−Q̇_1/T_1 − Q̇_2/T_2 − Q̇_r/T_r, the entropy that goes to the baths as heat.

        The load of Leitch et al., Eq. (17), is thermal only for a small β_r/16I (audit: "load's
        departure from Gibbs"): beyond, currents flow even at equal temperatures, and this is less
        than the entropy production of the jumps.
        """
        return sum(self.entropy_productions.values())

    def counting(self, order: int = 2) -> lindblad.CountingStatistics:
        """Long-time cumulants per time of the excitations given to the cold bath."""
        down, up = len(self.model.cold.down), len(self.model.cold.up)
        weights = np.zeros(len(self.model.lindblad.jumps))
        weights[:down], weights[down : down + up] = 1.0, -1.0
        return lindblad.counting_statistics(self.solution.steady, weights, order)

    @cached_property
    def counting_statistics(self) -> lindblad.CountingStatistics:
        """Mean and noise of that count."""
        return self.counting()

    @observable(
        "S_J", "energy", "zero-frequency noise of the particle current", error="statistics_errors"
    )
    def particle_noise(self) -> float:
        """d⟨⟨N²⟩⟩/dt of the excitations N that pass from the hot to the cold bath."""
        return self.counting_statistics.noise

    @observable("F", "1", "Fano factor of the particle current", error="statistics_errors")
    def fano_factor(self) -> float:
        """Noise over current; undefined where no current exceeds its error."""
        return self.particle_noise / abs(self._current())

    @observable(
        r"S_J\dot\Sigma/2J^2", "1", "thermodynamic uncertainty ratio", error="statistics_errors"
    )
    def uncertainty_ratio(self) -> float:
        """S_J Σ̇/2J², with Σ̇ = `entropy_production`.

        Not below one for classical jumps between thermal baths; the load is one only as far as
        its departure from Gibbs is small. Undefined where no current exceeds its error.
        """
        return 0.5 * self.particle_noise * self.entropy_production / self._current() ** 2

    def _current(self) -> float:
        if not self.flowing:
            raise NotConverged(
                f"the particle current {self.particle_current:.1e} does not exceed its error "
                f"{self.flow_errors['particle_current']:.1e}"
            )
        return self.particle_current

    @property
    def flowing(self) -> bool:
        """Whether the particle current exceeds its error."""
        return abs(self.particle_current) > self.flow_errors["particle_current"]

    # ------------------------------------------------------------------ errors and audit

    @cached_property
    def flow_errors(self) -> Mapping[str, float]:
        """Estimated absolute errors of heat, work and current."""
        return accuracy.flow_errors(self.solution, self.flows)

    @cached_property
    def error_estimates(self) -> Mapping[str, Any]:
        """Estimated absolute errors by name, without those of ratios and of the noise."""
        error = accuracy.state_error(self.solution)
        variance = error.square + 2.0 * abs(self.angular_momentum) * error.momentum
        moments = {
            "angular_momentum_variance": variance,
            "entropy": error.trace * (self.entropy + 1.0 - math.log(error.trace)),
            "qubit_inversion": error.trace,
        }
        return {**self.flow_errors, **accuracy.energy_errors(self.solution), **moments}

    @cached_property
    def statistics_errors(self) -> Mapping[str, float]:
        """Those of the noise, and of its ratios where a current flows."""
        noise = accuracy.noise_error(self.solution, self.counting_statistics)
        if not self.flowing:
            return {"particle_noise": noise}
        current = self.flow_errors["particle_current"] / abs(self.particle_current)
        fano, ratio = noise / self.particle_noise + current, self.uncertainty_ratio
        production = self.flow_errors["entropy_production"] * ratio / self.entropy_production
        return {
            "particle_noise": noise,
            "fano_factor": fano * self.fano_factor,
            "uncertainty_ratio": (fano + current) * ratio + production,
        }

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Named checks with value, bound and verdict."""
        checks = accuracy.audit(
            self.solution, self.flows, self.flow_errors, self.entropy_production, self.method.rtol
        )
        return MappingProxyType(checks | dict(self.validity))

    def arrays(self) -> xr.Dataset:
        """Populations of l; the attribute `regime` names the operation."""
        return super().arrays().assign_attrs(regime=self.regime)
