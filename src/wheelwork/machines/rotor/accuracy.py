"""How far the numbers of a rotor engine can be trusted: estimated errors, and the audit."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from wheelwork.machines.rotor.solve import share_beyond
from wheelwork.results import AuditEntry

if TYPE_CHECKING:
    from wheelwork.machines.rotor.state import RotorState

SUMMATION = 1e-14  # rounding in sums over the levels
ROUNDING = 1e-14  # of the gross flows of energy, which the net ones are left of
NEGATIVE = 1e-12
NOISE_RESPONSE = 30.0  # of the noise to what lies beyond the window, over that of ⟨L_z²⟩
SORTING = 4.0  # what is lost of small eigenvalues also moves them to other levels
UNIQUE = 1e-3
RESIDUAL = 1e-13  # of the terms that cancel in dρ/dt


@dataclass(frozen=True)
class Distance:
    """How far a state found may be from the true one, as errors of Tr ρ, ⟨|L_z|⟩ and ⟨L_z²⟩."""

    trace: float
    momentum: float
    square: float


def distance(state: "RotorState") -> Distance:
    """Return what lies beyond the window and is missing, or too much, within; and residual and
    rounding.
    """
    beyond = state.solution.beyond
    square = state.blocks.moment(2)
    trace = float(beyond[0]) + state.solution.steady.error + SUMMATION
    return Distance(
        trace, float(beyond[1]) + trace * math.sqrt(square), float(beyond[2]) + trace * square
    )


def flow_errors(state: "RotorState") -> Mapping[str, float]:
    """Estimated absolute errors of heat, work and current."""
    machine, flow, off = state.machine, state.flows, distance(state)
    damping, model = machine.load_damping, state.solution.model
    defect = _current_defect(state)
    current = defect + damping * off.momentum
    load = damping * off.square / machine.moment_of_inertia
    heat = {"cold": machine.cold.gap * current, "hot": machine.hot.gap * current}
    work = (machine.cold.total_rate + machine.hot.total_rate) * abs(machine.coupling) * off.trace
    if model.cold.quantum is None:  # heats are differences of gross flows, and there is no work
        heat = {bath: error + abs(flow.total) for bath, error in heat.items()}
        work = 0.0
    produced = heat["cold"] / machine.temperature_cold + heat["hot"] / machine.temperature_hot
    return {
        "heat_cold": heat["cold"],
        "heat_hot": heat["hot"],
        "heat_load": load,
        "work_qubits": work,
        "work_load": damping * machine.load_tilt * abs(machine.coupling) * off.trace,
        "particle_current": current,
        "angular_momentum": off.momentum + defect / damping,
        "intrinsic_power": load + defect,
        "back_action": load + defect,
        "entropy_production": produced + load / machine.temperature_load,
    }


def errors(state: "RotorState") -> Mapping[str, float]:
    """Estimated absolute errors of the observables."""
    machine, off = state.machine, distance(state)
    gap_cold, gap_hot = machine.cold.gap, machine.hot.gap
    kinetic = 0.5 * off.square / machine.moment_of_inertia
    energy = kinetic + (gap_cold + gap_hot + 2.0 * abs(machine.coupling)) * off.trace
    momenta = state.window.momenta
    # eigenvalues are known to rounding, and count with the energy of their level
    rounding = float(
        np.finfo(np.float64).eps * np.sum(momenta**2) / (2.0 * machine.moment_of_inertia)
    )
    found = {
        "angular_momentum_variance": off.square + 2.0 * abs(state.angular_momentum) * off.momentum,
        "kinetic_energy": kinetic,
        "energy": energy,
        "entropy": off.trace * (state.entropy + 1.0 - math.log(off.trace)),
        "qubit_inversion": off.trace,
        "ergotropy_total": SORTING * energy + rounding,
        "ergotropy_qubits": (gap_cold + gap_hot) * off.trace,
        "ergotropy_rotor": SORTING * kinetic + rounding,
        "ergotropy_cold": gap_cold * off.trace,
        "ergotropy_hot": gap_hot * off.trace,
    }
    return MappingProxyType({**state.flow_errors, **found, **_ratio_errors(state)})


def _ratio_errors(state: "RotorState") -> dict[str, float]:
    flow, operation = state.flow_errors, state.operation
    work = flow["work_qubits"] if flow["work_qubits"] else flow["heat_load"] + flow["work_load"]
    heat = max(flow["heat_cold"], flow["heat_hot"])
    relative = distance(state).square / state.blocks.moment(2)
    noise = float(state.counting_statistics.errors[1]) + NOISE_RESPONSE * relative * abs(
        state.particle_noise
    )
    found = {"particle_noise": noise}
    if operation.regime == "engine":
        found["efficiency"] = (work + operation.efficiency * heat) / operation.heat_hot
    if operation.regime == "refrigerator":
        found["cop"] = (heat + operation.cop * work) / operation.work
    if state.flowing:
        current = flow["particle_current"] / abs(state.particle_current)
        relative = noise / state.particle_noise + current
        produced = flow["entropy_production"] * state.uncertainty_ratio / state.entropy_production
        found["fano_factor"] = relative * state.fano_factor
        found["uncertainty_ratio"] = (relative + current) * state.uncertainty_ratio + produced
    return found


def _current_defect(state: "RotorState") -> float:
    """Largest difference between J from the two baths, from H_S, and γ⟨L_z⟩; all are equal."""
    flow, damped = state.flows, state.machine.load_damping * state.angular_momentum
    return max(abs(flow.excitations_hot - damped), abs(flow.excitations_cold + damped))


def _rounding_rate(state: "RotorState") -> float:
    """A relaxation rate that could not be told from zero, where a second state might hide."""
    fastest = np.max(np.abs(state.solution.steady.generator.diagonal()))
    return float(np.finfo(np.float64).eps * fastest)


def audit(state: "RotorState") -> dict[str, AuditEntry]:
    """Checks of the solution and of the laws; those of validity come from the method."""
    blocks, flow, rtol = state.blocks, state.flows, state.method.rtol
    machine, steady = state.machine, state.solution.steady
    off, rates = distance(state), machine.cold.total_rate + machine.hot.total_rate
    gross = machine.cold.gap * machine.cold.rate_up + machine.hot.gap * machine.hot.rate_up
    carried = (machine.cold.gap + machine.hot.gap) * machine.load_damping * off.momentum
    uncertain = carried + state.flow_errors["heat_load"] + state.flow_errors["work_qubits"]
    share = share_beyond(state.solution)
    scale = flow.scale / min(
        machine.temperature_cold, machine.temperature_hot, machine.temperature_load
    )
    edges = max(float(blocks.rotor[0]), float(blocks.rotor[-1]))
    return {
        "estimated error": AuditEntry(share + steady.error, rtol),
        "residual": AuditEntry(steady.residual, RESIDUAL),
        "uniqueness": AuditEntry(_rounding_rate(state) / steady.relaxation_rate, UNIQUE),
        "trace": AuditEntry(abs(blocks.trace - 1.0), ROUNDING),
        "negativity": AuditEntry(max(0.0, -float(blocks.eigenvalues[-1])), NEGATIVE),
        "edge population": AuditEntry(edges, rtol),
        "kinetic energy beyond the window": AuditEntry(share, rtol),
        "another motion beyond the window": AuditEntry(state.solution.elsewhere, rtol),
        "first law": AuditEntry(abs(flow.total), ROUNDING * gross + uncertain),
        "current through the rotor": AuditEntry(
            _current_defect(state), ROUNDING * rates + machine.load_damping * off.momentum
        ),
        "second law": AuditEntry(
            -state.entropy_production, 1e-10 * scale + state.flow_errors["entropy_production"]
        ),
    }
