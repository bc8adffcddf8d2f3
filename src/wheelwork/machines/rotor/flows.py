"""Heat, work and power of a rotor engine in one state."""

from dataclasses import dataclass, replace

from wheelwork.machines.rotor.blocks import BlockState
from wheelwork.machines.rotor.model import RotorModel


@dataclass(frozen=True)
class RotorFlows:
    """Energy per time; what enters the machine is positive.

    heat_cold, heat_hot, heat_load: Q̇_1, Q̇_2, Q̇_r (Leitch et al., Eqs. (18), (21), (29)).
    work_qubits, work_load: Ẇ^(Q), Ẇ^(r) (Eqs. (24), (25)), what the locality of the baths does.
    excitations_cold, excitations_hot: number per time that enters from the two baths.
    intrinsic_power, back_action: Ẇ_int and Q̇_BA of the rotor (Eqs. (32), (33)).
    torque: change of ⟨L_z⟩ by H_S. net_power: Ẇ_net (Eq. (34)).
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


def flows(model: RotorModel, blocks: BlockState) -> RotorFlows:
    """Return the flows of any state.

    The load's are exact for an unbounded rotor: Q̇_r = γ/β − (γ/I)(1 − β/16I)⟨L_z²⟩ and
    Ẇ^(r) = −(γβ/16I)⟨H_S,I⟩, as Leitch et al., Eq. (17) gives them.
    """
    machine = model.machine
    inertia, damping = machine.moment_of_inertia, machine.load_damping
    departure = 0.25 * machine.load_tilt  # β/16I
    square = blocks.moment(2)
    heat_load = damping * (
        machine.temperature_load * blocks.trace - (1.0 - departure) * square / inertia
    )
    torque = blocks.torque(machine.coupling)
    by_baths = model.cold.angular_momentum_rate(blocks) + model.hot.angular_momentum_rate(blocks)
    momentum = blocks.moment(1)
    return RotorFlows(
        heat_cold=model.cold.heat(blocks),
        heat_hot=model.hot.heat(blocks),
        heat_load=heat_load,
        work_qubits=model.cold.work(blocks) + model.hot.work(blocks),
        work_load=-damping * departure * blocks.interaction(machine.coupling),
        excitations_cold=model.cold.excitations(blocks),
        excitations_hot=model.hot.excitations(blocks),
        intrinsic_power=blocks.torque(machine.coupling, 1) / (2.0 * inertia),
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
    found = flows(model, blocks)
    if model.cold.quantum is None or model.hot.quantum is None:
        return found
    return replace(
        found,
        heat_cold=-model.cold.quantum * found.torque,
        heat_hot=model.hot.quantum * found.torque,
        excitations_cold=-found.torque,
        excitations_hot=found.torque,
    )
