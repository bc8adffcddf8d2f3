"""Flows of heat and work in a state, the regime of operation, and the stored work."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from wheelwork import thermodynamics
from wheelwork.machines.rotor.block_state import (
    BlockState,
    Window,
    pairs_of,
    rotor_energies,
    total_energies,
)
from wheelwork.machines.rotor.model import RotorModel
from wheelwork.machines.rotor.parameters import RotorParameters


@dataclass(frozen=True)
class RotorFlows:
    """Energy per time; what enters the machine is positive.

    heat_cold, heat_hot: Q̇_1, Q̇_2 (Leitch et al., Eq. (18), of global baths Eq. (29)).
    heat_load: Q̇_r (Eq. (21)), negative where the load takes power. work_qubits, work_load: Ẇ^(Q),
    zero for global baths, and Ẇ^(r) (Eqs. (24), (25)), done by the locality of the baths.
    excitations_cold, excitations_hot: number per time that enters from the two baths.
    intrinsic_power: Ẇ_int, done by the qubits on the rotor (Eq. (32)). back_action: Q̇_BA, heat to
    the rotor's motion (Eq. (33)), −Ẇ_int when steady. torque: change of ⟨L_z⟩ by H_S. net_power:
    Ẇ_net, the change of ⟨L_z⟩²/2I (Eq. (34)).
    """

    heat_cold: float
    heat_hot: float
    heat_load: float
    work_qubits: float
    work_load: float
    excitations_cold: float
    excitations_hot: float
    intrinsic_power: float
    back_action: float
    torque: float
    net_power: float

    @property
    def kinetic_power(self) -> float:
        """Ẇ_kin = Ẇ_int + Q̇_BA, the change of ⟨L_z²⟩/2I (Leitch et al., Eqs. (30), (31))."""
        return self.intrinsic_power + self.back_action

    @property
    def total(self) -> float:
        """U̇, the sum of all heat and work (Leitch et al., Eqs. (26), (28))."""
        return self.heat_cold + self.heat_hot + self.heat_load + self.work_qubits + self.work_load

    @property
    def scale(self) -> float:
        """Sum of their magnitudes."""
        heat = abs(self.heat_cold) + abs(self.heat_hot) + abs(self.heat_load)
        return heat + abs(self.work_qubits) + abs(self.work_load)

    @property
    def particle_current(self) -> float:
        """J, excitations per time that pass from the hot to the cold bath; γ⟨L_z⟩ when steady."""
        return 0.5 * (self.excitations_hot - self.excitations_cold)

    @property
    def heat_currents(self) -> Mapping[str, float]:
        """Heat from the baths "cold", "hot" and "load"."""
        return {"cold": self.heat_cold, "hot": self.heat_hot, "load": self.heat_load}


def flows(model: RotorModel, blocks: BlockState) -> RotorFlows:
    """Return the flows of any state.

    The load's are exact for an unbounded rotor: Q̇_r = γ/β − (γ/I)(1 − β/16I)⟨L_z²⟩ and
    Ẇ^(r) = −(γβ/16I)⟨H_S,I⟩, as Leitch et al., Eq. (17) gives them.
    """
    parameters = model.parameters
    inertia, damping = parameters.moment_of_inertia, parameters.load_damping
    departure = parameters.departure_from_gibbs
    square = blocks.moment(2)
    heat_load = damping * (
        parameters.temperature_load * blocks.trace - (1.0 - departure) * square / inertia
    )
    torque = blocks.torque(parameters.coupling)
    by_baths = model.cold.angular_momentum_rate(blocks) + model.hot.angular_momentum_rate(blocks)
    momentum = blocks.moment(1)
    return RotorFlows(
        heat_cold=model.cold.heat(blocks),
        heat_hot=model.hot.heat(blocks),
        heat_load=heat_load,
        work_qubits=model.cold.work(blocks) + model.hot.work(blocks),
        work_load=-damping * departure * blocks.interaction(parameters.coupling),
        excitations_cold=model.cold.excitations(blocks),
        excitations_hot=model.hot.excitations(blocks),
        intrinsic_power=blocks.torque(parameters.coupling, 1) / (2.0 * inertia),
        back_action=heat_load + model.cold.kinetic_power(blocks) + model.hot.kinetic_power(blocks),
        torque=torque,
        net_power=momentum * (torque + by_baths - damping * momentum) / inertia,
    )


def stationary_flows(model: RotorModel, blocks: BlockState) -> RotorFlows:
    """Return the flows of the steady state.

    Where each excitation brings the same heat, both heats are taken from the one flow of
    excitations through the interaction, Q̇_1 = −2B_1 J and Q̇_2 = 2B_2 J with
    J = 2λ Im⟨σ_1⁺σ_2⁻e^{iφ}⟩: in Eq. (19) nearly equal terms would cancel.
    """
    general = flows(model, blocks)
    cold, hot = model.cold.heat_per_excitation, model.hot.heat_per_excitation
    if cold is None or hot is None:
        return general
    return replace(
        general,
        heat_cold=-cold * general.torque,
        heat_hot=hot * general.torque,
        excitations_cold=-general.torque,
        excitations_hot=general.torque,
    )


REGIMES = ("idle", "engine", "accelerator", "refrigerator", "heater", "load-driven")
# Keys: signs of (colder heat, warmer heat, work).
_BY_SIGN: Mapping[tuple[float, float, float], str] = {
    (0, 0, 0): "idle",
    (-1, 1, -1): "engine",
    (-1, 1, 1): "accelerator",
    (1, -1, 1): "refrigerator",
}


@dataclass(frozen=True)
class Operation:
    """Signs of heat and work, read as an operation (Leitch et al., Table I).

    heat_colder, heat_warmer: from the colder and the warmer of the qubits' baths. work: done on the
    machine. temperature_cold, temperature_hot: of the two baths, the lower first. errors: of
    heat_colder, heat_warmer and work, magnitudes below which they count as zero.
    """

    heat_colder: float
    heat_warmer: float
    work: float
    temperature_cold: float
    temperature_hot: float
    errors: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def regime(self) -> str:
        """The operation by name.

        "engine": heat flows from hot to cold and the machine does work. "accelerator": work
        speeds this flow up. "refrigerator": work reverses it. "heater": work becomes heat in both
        baths. "load-driven": any other signs, possible because the load is a third bath. "idle":
        no flow exceeds its error.
        """
        values = zip((self.heat_colder, self.heat_warmer, self.work), self.errors, strict=True)
        cold, hot, work = (math.copysign(abs(x) > error, x) for x, error in values)
        if work > 0 and cold <= 0 and hot <= 0:
            return "heater"
        return _BY_SIGN.get((cold, hot, work), "load-driven")

    @property
    def efficiency(self) -> float:
        """η = −Ẇ/Q̇_hot of an engine (Leitch et al., Eq. (36)), else NaN."""
        return -self.work / self.heat_warmer if self.regime == "engine" else math.nan

    @property
    def cop(self) -> float:
        """Q̇_cold/Ẇ of a refrigerator (Leitch et al., Eq. (37)), else NaN."""
        return self.heat_colder / self.work if self.regime == "refrigerator" else math.nan

    @property
    def ratio_errors(self) -> Mapping[str, float]:
        """Estimated absolute errors of `efficiency` and `cop`, where these are not NaN."""
        heat, work = max(self.errors[:2]), self.errors[2]
        if self.regime == "engine":
            return {"efficiency": (work + self.efficiency * heat) / self.heat_warmer}
        return (
            {"cop": (heat + self.cop * work) / self.work} if self.regime == "refrigerator" else {}
        )

    @property
    def carnot_efficiency(self) -> float:
        """1 − T_cold/T_hot, the bound on `efficiency`."""
        return 1.0 - self.temperature_cold / self.temperature_hot

    @property
    def carnot_cop(self) -> float:
        """T_cold/(T_hot − T_cold) = β_2/(β_1 − β_2), the bound on `cop`.

        The text after Leitch et al., Eq. (37), has β_1/(β_1 − β_2), which is a heat pump's.
        """
        difference = self.temperature_hot - self.temperature_cold
        return self.temperature_cold / difference if difference > 0.0 else math.inf


def operation(model: RotorModel, flow: RotorFlows, errors: Mapping[str, float]) -> Operation:
    """Return the operation with the given flows and their errors.

    The work is Ẇ^(Q) as in Leitch et al., Table I. For a global equation, in which it is zero, it
    is Q̇_r + Ẇ^(r), the energy from the load. The cold bath is the colder one.
    """
    parameters = model.parameters
    if model.cold.heat_per_excitation is not None:
        work, work_error = flow.work_qubits, errors["work_qubits"]
    else:
        work = flow.heat_load + flow.work_load
        work_error = errors["heat_load"] + errors["work_load"]
    baths = (
        (parameters.temperature_cold, flow.heat_cold, errors["heat_cold"]),
        (parameters.temperature_hot, flow.heat_hot, errors["heat_hot"]),
    )
    cold, hot = sorted(baths, key=lambda bath: bath[0])
    return Operation(cold[1], hot[1], work, cold[0], hot[0], (cold[2], hot[2], work_error))


def ergotropies(parameters: RotorParameters, blocks: BlockState) -> Mapping[str, float]:
    """Return the ergotropies of the whole and of its parts (Leitch et al., Eq. (35)).

    "total": the whole state against H_S, with its interaction. "qubits": the reduced state of both
    against B_1 σ_1^z + B_2 σ_2^z. "rotor": the reduced state against L_z²/2I. "cold", "hot": one
    qubit against B_i σ_i^z. Reduced states have no coherences, and every spectrum is known in
    closed form. Unitaries may reach any l, so the levels that the passive states need are added.
    """
    window = blocks.window
    reach = max(abs(window.lowest), abs(window.highest), 2 * window.levels)
    blocks = blocks.on(Window(-reach, reach))
    cold, hot = parameters.field_cold, parameters.field_hot
    excited_cold, excited_hot = blocks.excited(0), blocks.excited(1)
    parts = {  # populations and energies
        "qubits": (blocks.qubits, np.array([-cold - hot, -cold + hot, cold - hot, cold + hot])),
        "rotor": (blocks.rotor, rotor_energies(parameters, blocks.window)),
        "cold": (np.array([blocks.trace - excited_cold, excited_cold]), np.array([-cold, cold])),
        "hot": (np.array([blocks.trace - excited_hot, excited_hot]), np.array([-hot, hot])),
    }
    total = thermodynamics.spectral_ergotropy(
        blocks.eigenvalues,
        blocks.in_eigenstates(pairs_of(parameters, blocks.window)),
        total_energies(parameters, blocks.window),
    )
    return {"total": total} | {
        name: thermodynamics.spectral_ergotropy(np.sort(populations)[::-1], populations, energies)
        for name, (populations, energies) in parts.items()
    }
