"""The state of a rotor engine: flows, operation, stored work, statistics, and the audit."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import xarray as xr

from wheelwork import lindblad, thermodynamics
from wheelwork.machines.rotor import accuracy, energetics
from wheelwork.machines.rotor.block_state import (
    BlockState,
    ComplexArray,
    Window,
    pairs_of,
    total_energies,
)
from wheelwork.machines.rotor.energetics import REGIMES, Operation, RotorFlows
from wheelwork.machines.rotor.model import RotorMethod, RotorModel
from wheelwork.machines.rotor.parameters import RotorParameters
from wheelwork.machines.rotor.stationary import Solution, on_window
from wheelwork.results import AuditEntry, Labels, Observable, Result, Value, observable
from wheelwork.states import to_qutip

if TYPE_CHECKING:
    from qutip import Qobj

ERGOTROPIES: Labels = MappingProxyType(
    {
        "total": (r"W_E", "energy", "ergotropy of the whole machine"),
        "qubits": (r"W_E^{Q}", "energy", "ergotropy of the two qubits"),
        "rotor": (r"W_E^{r}", "energy", "ergotropy of the rotor"),
        "cold": (r"W_E^{1}", "energy", "ergotropy of the cold qubit"),
        "hot": (r"W_E^{2}", "energy", "ergotropy of the hot qubit"),
    }
)


def _estimated(
    symbol: str, unit: str, meaning: str, parts: Labels = MappingProxyType({})
) -> Callable[[Callable[[Any], Value]], Observable[Value]]:
    """Declare an observable whose error is the entry of its name in `error_estimates`."""

    def declare(compute: Callable[[Any], Value]) -> Observable[Value]:
        name = compute.__name__
        return observable(
            symbol, unit, meaning, parts=parts, error=lambda state: state.error_estimates.get(name)
        )(compute)

    return declare


def flow_observable(
    name: str, symbol: str, meaning: str, unit: str = "energy^2"
) -> Observable[float]:
    """Declare an entry of `RotorFlows`, which has its formula, as an observable."""

    def compute(state: Any) -> float:
        return float(getattr(state.flows, name))

    compute.__name__, compute.__doc__ = name, f"{meaning.capitalize()}, see `RotorFlows`."
    return _estimated(symbol, unit, meaning)(compute)


class RotorResult(Result):
    """What holds of a rotor engine in any state. Heat into it and work done on it are positive.

    solution: offers `model`, the equations on a window of l, and `blocks`, a state on it.
    """

    machine: RotorParameters
    method: RotorMethod
    solution: Any

    @property
    def model(self) -> RotorModel:
        """The equations on the window of the state."""
        model: RotorModel = self.solution.model
        return model

    @property
    def blocks(self) -> BlockState:
        """Populations and the coherences that the symmetries allow."""
        blocks: BlockState = self.solution.blocks
        return blocks

    @property
    def flows(self) -> RotorFlows:
        """Heat, work and power."""
        raise NotImplementedError

    @property
    def error_estimates(self) -> Mapping[str, Any]:
        """Estimated absolute errors by name, of ergotropies by part; empty where there are none."""
        return MappingProxyType({})

    # ------------------------------------------------------------------ quantum state

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

    @cached_property
    def validity(self) -> Mapping[str, AuditEntry]:
        """Ratios that the master equation takes for small."""
        return self.method.validity(self.model, self.blocks)

    def arrays(self) -> xr.Dataset:
        """Populations of l."""
        return xr.Dataset({"rotor_population": self.rotor_distribution})

    # ------------------------------------------------------------------ flows

    heat_cold = flow_observable("heat_cold", r"\dot Q_1", "heat flow from the cold bath")
    heat_hot = flow_observable("heat_hot", r"\dot Q_2", "heat flow from the hot bath")
    heat_load = flow_observable("heat_load", r"\dot Q_r", "heat flow from the load")
    work_qubits = flow_observable("work_qubits", r"\dot W^{(Q)}", "work done on the qubits")
    work_load = flow_observable("work_load", r"\dot W^{(r)}", "work done by the load's locality")
    particle_current = flow_observable(
        "particle_current", r"J", "excitations from the hot to the cold bath", unit="energy"
    )
    intrinsic_power = flow_observable("intrinsic_power", r"\dot W_\mathrm{int}", "intrinsic power")
    back_action = flow_observable(
        "back_action", r"\dot Q_\mathrm{BA}", "back-action heat of the rotor"
    )

    @property
    def heat_currents(self) -> Mapping[str, float]:
        """Q̇ from each bath: "cold", "hot" and "load"."""
        return self.flows.heat_currents

    # ------------------------------------------------------------------ rotor

    @_estimated(r"\langle L_z\rangle", "1", "mean angular momentum")
    def angular_momentum(self) -> float:
        """⟨L_z⟩."""
        return self.blocks.moment(1)

    @_estimated(r"\mathrm{Var}\,L_z", "1", "variance of the momentum")
    def angular_momentum_variance(self) -> float:
        """⟨L_z²⟩ − ⟨L_z⟩²."""
        return float(self.blocks.rotor @ (self.window.momenta - self.angular_momentum) ** 2)

    @_estimated(r"\langle L_z^2\rangle/2I", "energy", "kinetic energy of the rotor")
    def kinetic_energy(self) -> float:
        """⟨L_z²⟩/2I."""
        return self.blocks.moment(2) / (2.0 * self.machine.moment_of_inertia)

    # ------------------------------------------------------------------ energy and stored work

    @_estimated(r"W_E", "energy", "ergotropy", parts=ERGOTROPIES)
    def ergotropy(self) -> Mapping[str, float]:
        """Ergotropy of "total", "qubits", "rotor", "cold" and "hot" (Leitch et al., Eq. (35)).

        Of the whole state against H_S, and of reduced states against their own Hamiltonians.
        """
        return energetics.ergotropies(self.machine, self.blocks)

    @_estimated(r"p_{01}-p_{10}", "1", "population of the hot qubit over the cold")
    def qubit_inversion(self) -> float:
        """p_01 − p_10: the two qubits hold ergotropy while it is positive, if B_2 > B_1."""
        return float(self.blocks.qubits[1] - self.blocks.qubits[2])

    @_estimated(r"U", "energy", "mean energy")
    def energy(self) -> float:
        """⟨H_S⟩."""
        populations = self.blocks.in_eigenstates(pairs_of(self.machine, self.window))
        return float(populations @ total_energies(self.machine, self.window))

    @_estimated(r"S", "1", "von Neumann entropy")
    def entropy(self) -> float:
        """S = −Tr ρ ln ρ."""
        return thermodynamics.spectral_entropy(np.maximum(self.blocks.eigenvalues, 0.0))


def _noise_error(state: "RotorState") -> float:
    return accuracy.noise_error(state.solution, state.counting_statistics)


def _relative_errors(state: "RotorState") -> tuple[float, float]:
    """Of the Fano factor, and of the current alone."""
    current = state.flow_errors["particle_current"] / abs(state.particle_current)
    return _noise_error(state) / state.particle_noise + current, current


def _fano_error(state: "RotorState") -> float | None:
    return _relative_errors(state)[0] * state.fano_factor if state.flowing else None


def _uncertainty_error(state: "RotorState") -> float | None:
    if not state.flowing:
        return None
    fano, current = _relative_errors(state)
    ratio, production = state.uncertainty_ratio, state.entropy_production
    return (fano + current) * ratio + state.flow_errors["entropy_production"] * ratio / production


@dataclass(frozen=True, eq=False, repr=False)
class RotorState(RotorResult):
    """What `RotorEngine.steady_state` returns.

    machine and method: as asked for. solution: the state on its window of l. Everything else is
    computed from these when it is first read. Heat into the machine and work done on it are
    positive. A pickled state is solved again, on the same window, when it is loaded.
    """

    headline: ClassVar[tuple[str, ...]] = (
        "heat_cold",
        "heat_hot",
        "heat_load",
        "work_qubits",
        "efficiency",
        "cop",
        "angular_momentum",
        "ergotropy_total",
        "entropy_production",
    )

    machine: RotorParameters
    method: RotorMethod
    solution: Solution

    def __reduce__(self) -> tuple[Any, ...]:
        # The factorisation behind the statistics cannot be pickled: solve again when loaded.
        return _solved_on, (self.machine, self.method, self.window)

    @cached_property
    def flows(self) -> RotorFlows:
        """All heat, work and power."""
        return energetics.stationary_flows(self.model, self.blocks)

    # ------------------------------------------------------------------ operation

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

    @observable(
        r"\eta", "1", "efficiency of the engine", error=lambda one: one.operation.efficiency_error
    )
    def efficiency(self) -> float:
        """η = −Ẇ/Q̇_2 of an engine, else NaN."""
        return self.operation.efficiency

    @observable(r"\eta_C", "1", "Carnot bound of the efficiency")
    def carnot_efficiency(self) -> float:
        """1 − β_2/β_1."""
        return self.operation.carnot_efficiency

    @observable(
        r"\mathrm{COP}",
        "1",
        "coefficient of performance of the refrigerator",
        error=lambda state: state.operation.cop_error,
    )
    def cop(self) -> float:
        """Q̇_1/Ẇ of a refrigerator, else NaN."""
        return self.operation.cop

    @observable(r"\mathrm{COP}_C", "1", "Carnot bound of the COP")
    def carnot_cop(self) -> float:
        """β_2/(β_1 − β_2); infinite at equal temperatures."""
        return self.operation.carnot_cop

    # ------------------------------------------------------------------ entropy

    @property
    def entropy_productions(self) -> Mapping[str, float]:
        """−Q̇/T of each bath: "cold", "hot" and "load"."""
        return self.flows.entropy_productions(self.machine)

    @_estimated(r"\dot\Sigma", "energy", "entropy production rate")
    def entropy_production(self) -> float:
        """−Q̇_1/T_1 − Q̇_2/T_2 − Q̇_r/T_r, the entropy that goes to the baths as heat.

        The load of Leitch et al., Eq. (17), is thermal only for a small β_r/16I (audit: "load's
        departure from Gibbs"): beyond, currents flow even at equal temperatures, and this is less
        than the entropy production of the jumps.
        """
        production = self.entropy_productions
        return production["cold"] + production["hot"] + production["load"]

    # ------------------------------------------------------------------ statistics

    def counting(self, order: int = 2) -> lindblad.CountingStatistics:
        """Long-time cumulants per time of the excitations given to the cold bath."""
        model = self.model
        down, up = len(model.cold.down), len(model.cold.up)
        weights = np.zeros(len(model.lindblad.jumps))
        weights[:down], weights[down : down + up] = 1.0, -1.0
        return lindblad.counting_statistics(self.solution.steady, weights, order)

    @cached_property
    def counting_statistics(self) -> lindblad.CountingStatistics:
        """Mean and noise of that count."""
        return self.counting()

    @observable(
        r"S_J", "energy", "zero-frequency noise of the particle current", error=_noise_error
    )
    def particle_noise(self) -> float:
        """d⟨⟨N²⟩⟩/dt of the excitations N that pass from the hot to the cold bath."""
        return self.counting_statistics.noise

    @observable(r"F", "1", "Fano factor of the particle current", error=_fano_error)
    def fano_factor(self) -> float:
        """Noise over current; infinite without a current."""
        return self.particle_noise / abs(self.particle_current) if self.flowing else math.inf

    @observable(
        r"S_J\dot\Sigma/2J^2", "1", "thermodynamic uncertainty ratio", error=_uncertainty_error
    )
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

    # ------------------------------------------------------------------ accuracy

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
    def audit(self) -> Mapping[str, AuditEntry]:
        """Everything that could make the numbers wrong, checked."""
        checks = accuracy.audit(
            self.solution, self.flows, self.flow_errors, self.entropy_production, self.method.rtol
        )
        return MappingProxyType(checks | dict(self.validity))

    def arrays(self) -> xr.Dataset:
        """Populations of l; the attribute `regime` names the operation."""
        return super().arrays().assign_attrs(regime=self.regime)


def _solved_on(machine: RotorParameters, method: RotorMethod, window: Window) -> RotorState:
    return RotorState(machine, method, on_window(machine, method, window))
