"""Symbols, units and names of what a rotor engine has and gives."""

from collections.abc import Mapping
from types import MappingProxyType

PARAMETERS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "beta_ratio": (r"\beta_2/\beta_1", "1", "inverse temperatures, hot over cold"),
        "temperature_cold": (r"T_1", "energy", "temperature of the cold bath"),
        "temperature_hot": (r"T_2", "energy", "temperature of the hot bath"),
        "temperature_load": (r"T_r", "energy", "temperature of the load"),
        "field_cold": (r"B_1", "energy", "field on the cold qubit"),
        "field_hot": (r"B_2", "energy", "field on the hot qubit"),
        "coupling": (r"\lambda", "energy", "coupling of qubits and rotor"),
        "bath_coupling": (r"g", "1", "coupling to the baths"),
        "bath_asymmetry": (r"\chi", "1", "asymmetry of the couplings to the baths"),
        "load_damping": (r"\gamma", "energy", "damping by the load"),
        "moment_of_inertia": (r"I", "1/energy", "moment of inertia"),
    }
)

OBSERVABLES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "heat_cold": (r"\dot Q_1", "energy^2", "heat flow from the cold bath"),
        "heat_hot": (r"\dot Q_2", "energy^2", "heat flow from the hot bath"),
        "heat_load": (r"\dot Q_r", "energy^2", "heat flow from the load"),
        "work_qubits": (r"\dot W^{(Q)}", "energy^2", "work done on the qubits"),
        "work_load": (r"\dot W^{(r)}", "energy^2", "work done by the load's locality"),
        "particle_current": (r"J", "energy", "excitations from the hot to the cold bath"),
        "angular_momentum": (r"\langle L_z\rangle", "1", "mean angular momentum"),
        "angular_momentum_variance": (r"\mathrm{Var}\,L_z", "1", "variance of the momentum"),
        "kinetic_energy": (r"\langle L_z^2\rangle/2I", "energy", "kinetic energy of the rotor"),
        "intrinsic_power": (r"\dot W_\mathrm{int}", "energy^2", "intrinsic power"),
        "back_action": (r"\dot Q_\mathrm{BA}", "energy^2", "back-action heat of the rotor"),
        "efficiency": (r"\eta", "1", "efficiency of the engine"),
        "carnot_efficiency": (r"\eta_C", "1", "Carnot bound of the efficiency"),
        "cop": (r"\mathrm{COP}", "1", "coefficient of performance of the refrigerator"),
        "carnot_cop": (r"\mathrm{COP}_C", "1", "Carnot bound of the COP"),
        "ergotropy_total": (r"W_E", "energy", "ergotropy of the whole machine"),
        "ergotropy_qubits": (r"W_E^{Q}", "energy", "ergotropy of the two qubits"),
        "ergotropy_rotor": (r"W_E^{r}", "energy", "ergotropy of the rotor"),
        "ergotropy_cold": (r"W_E^{1}", "energy", "ergotropy of the cold qubit"),
        "ergotropy_hot": (r"W_E^{2}", "energy", "ergotropy of the hot qubit"),
        "qubit_inversion": (r"p_{01}-p_{10}", "1", "population of the hot qubit over the cold"),
        "energy": (r"U", "energy", "mean energy"),
        "entropy": (r"S", "1", "von Neumann entropy"),
        "entropy_production": (r"\dot\Sigma", "energy", "entropy production rate"),
        "particle_noise": (r"S_J", "energy", "zero-frequency noise of the particle current"),
        "fano_factor": (r"F", "1", "Fano factor of the particle current"),
        "uncertainty_ratio": (r"S_J\dot\Sigma/2J^2", "1", "thermodynamic uncertainty ratio"),
        "regime_code": (
            r"\#",
            "1",
            "0 idle, 1 engine, 2 accelerator, 3 refrigerator, 4 heater, 5 load-driven",
        ),
    }
)

EVOLVING: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "kinetic_power": (r"\dot W_\mathrm{kin}", "energy^2", "change of the kinetic energy"),
        "intrinsic_power": OBSERVABLES["intrinsic_power"],
        "net_power": (r"\dot W_\mathrm{net}", "energy^2", "net power"),
        "back_action": OBSERVABLES["back_action"],
        "heat_cold": OBSERVABLES["heat_cold"],
        "heat_hot": OBSERVABLES["heat_hot"],
        "heat_load": OBSERVABLES["heat_load"],
        "work_qubits": OBSERVABLES["work_qubits"],
        "work_load": OBSERVABLES["work_load"],
        "angular_momentum": OBSERVABLES["angular_momentum"],
        "kinetic_energy": OBSERVABLES["kinetic_energy"],
    }
)

LABELS: Mapping[str, tuple[str, str, str]] = MappingProxyType({**PARAMETERS, **OBSERVABLES})
