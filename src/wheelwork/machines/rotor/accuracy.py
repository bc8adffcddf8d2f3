"""Estimated errors and audit of a rotor engine."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wheelwork import lindblad
from wheelwork.machines.rotor.energetics import RotorFlows
from wheelwork.machines.rotor.stationary import Solution
from wheelwork.results import AuditEntry

SUMMATION = 1e-14  # rounding in sums over the levels
ROUNDING = 1e-14  # over the gross flows of energy, whose difference the net flows are
NEGATIVE = 1e-12  # largest negative eigenvalue of ρ that rounding explains
NOISE_RESPONSE = 30.0  # relative error of the noise by a cut tail, over that of ⟨L_z²⟩
SORTING = 4.0  # lost small eigenvalues also shift the others to different levels of a passive state
UNIQUE = 1e-3  # largest ratio of the rate that rounding can hide to the slowest relaxation
RESIDUAL = 1e-13  # of the terms that cancel in dρ/dt
# Σ̇ ≥ 0 holds for baths with Gibbs states; that of the load is none (Leitch et al., Eq. (17)), and
# where the qubits' flows are small against the load's own Σ̇ < 0 is possible: then this entry fails.
LAW = "second law, with the local load"
SECOND_LAW = 1e-10  # rounding of Σ̇, over the sum of the flows at the lowest temperature


@dataclass(frozen=True)
class StateError:
    """Estimated errors of Tr ρ, ⟨|L_z|⟩ and ⟨L_z²⟩."""

    trace: float
    momentum: float
    square: float


def state_error(solution: Solution) -> StateError:
    """Return the effect of the levels beyond the window, of the residual and of rounding."""
    square = solution.blocks.moment(2)
    share, momentum, kinetic = map(float, solution.beyond)
    trace = share + solution.steady.error + SUMMATION
    return StateError(trace, momentum + trace * math.sqrt(square), kinetic + trace * square)


def flow_errors(solution: Solution, flow: RotorFlows) -> Mapping[str, float]:
    """Return estimated absolute errors of heat, work, power and current."""
    model, error = solution.model, state_error(solution)
    parameters = model.parameters
    damping, coupling = parameters.load_damping, abs(parameters.coupling)
    defect = _current_defect(solution, flow)
    current = defect + damping * error.momentum
    load = damping * error.square / parameters.moment_of_inertia
    cold, hot = parameters.cold.gap * current, parameters.hot.gap * current
    work = (parameters.cold.total_rate + parameters.hot.total_rate) * coupling * error.trace
    if model.cold.heat_per_excitation is None:
        # heats are differences of gross flows, and the baths do no work
        cold, hot, work = cold + abs(flow.total), hot + abs(flow.total), 0.0
    produced = cold / parameters.temperature_cold + hot / parameters.temperature_hot
    return {
        "heat_cold": cold,
        "heat_hot": hot,
        "heat_load": load,
        "work_qubits": work,
        "work_load": damping * parameters.load_tilt * coupling * error.trace,
        "particle_current": current,
        "angular_momentum": error.momentum + defect / damping,
        "intrinsic_power": load + defect,
        "back_action": load + defect,
        "entropy_production": produced + load / parameters.temperature_load,
    }


def energy_errors(solution: Solution) -> Mapping[str, Any]:
    """Return those of energies, and of the ergotropies by part."""
    parameters, error = solution.model.parameters, state_error(solution)
    gap_cold, gap_hot = parameters.cold.gap, parameters.hot.gap
    kinetic = 0.5 * error.square / parameters.moment_of_inertia
    energy = kinetic + (gap_cold + gap_hot + 2.0 * abs(parameters.coupling)) * error.trace
    momenta = solution.blocks.window.momenta
    # eigenvalues are known to rounding, and count with the energy of their level
    inertia = parameters.moment_of_inertia
    rounding = float(np.finfo(np.float64).eps * np.sum(momenta**2) / (2.0 * inertia))
    ergotropy = {
        "total": SORTING * energy + rounding,
        "qubits": (gap_cold + gap_hot) * error.trace,
        "rotor": SORTING * kinetic + rounding,
        "cold": gap_cold * error.trace,
        "hot": gap_hot * error.trace,
    }
    return {"kinetic_energy": kinetic, "energy": energy, "ergotropy": ergotropy}


def noise_error(solution: Solution, counting: lindblad.CountingStatistics) -> float:
    """Return the error of the noise of the particle current."""
    relative = state_error(solution).square / solution.blocks.moment(2)
    return float(counting.errors[1]) + NOISE_RESPONSE * relative * abs(counting.noise)


def _current_defect(solution: Solution, flow: RotorFlows) -> float:
    """Largest difference between J from the two baths, from H_S, and γ⟨L_z⟩; all are equal."""
    damped = solution.model.parameters.load_damping * solution.blocks.moment(1)
    return max(abs(flow.excitations_hot - damped), abs(flow.excitations_cold + damped))


def audit(
    solution: Solution,
    flow: RotorFlows,
    errors: Mapping[str, float],
    entropy_production: float,
    rtol: float,
) -> dict[str, AuditEntry]:
    """Return checks of the solution and of conservation laws; the method provides those of
    validity.

    errors: of the flows, as `flow_errors` gives them.
    """
    blocks, steady, parameters = solution.blocks, solution.steady, solution.model.parameters
    cold, hot = parameters.cold, parameters.hot
    error, rates = state_error(solution), cold.total_rate + hot.total_rate
    gross = cold.gap * cold.rate_up + hot.gap * hot.rate_up
    carried = (cold.gap + hot.gap) * parameters.load_damping * error.momentum
    uncertain = carried + errors["heat_load"] + errors["work_qubits"]
    share = solution.share_beyond
    current = ROUNDING * rates + parameters.load_damping * error.momentum
    coldest = min(
        parameters.temperature_cold, parameters.temperature_hot, parameters.temperature_load
    )
    production = SECOND_LAW * (flow.scale / coldest) + errors["entropy_production"]
    edges = max(float(blocks.rotor[0]), float(blocks.rotor[-1]))
    # Below this rate rounding hides relaxation: a second steady state could not be told.
    hidden = np.finfo(np.float64).eps * np.max(np.abs(steady.generator.diagonal()))
    return {
        "estimated error": AuditEntry(share + steady.error, rtol),
        "residual": AuditEntry(steady.residual, RESIDUAL),
        "uniqueness": AuditEntry(float(hidden) / steady.relaxation_rate, UNIQUE),
        "trace": AuditEntry(abs(blocks.trace - 1.0), ROUNDING),
        "negativity": AuditEntry(max(0.0, -float(blocks.eigenvalues[-1])), NEGATIVE),
        "edge population": AuditEntry(edges, rtol),
        "kinetic energy beyond the window": AuditEntry(share, rtol),
        "another motion beyond the window": AuditEntry(solution.secondary_population, rtol),
        "first law": AuditEntry(abs(flow.total), ROUNDING * gross + uncertain),
        "current through the rotor": AuditEntry(_current_defect(solution, flow), current),
        LAW: AuditEntry(-entropy_production, production),
    }
