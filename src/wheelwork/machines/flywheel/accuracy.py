"""Errors, audit and validity of a flywheel's states.

Computed from the solution in phase space, the state in the Fock basis, and the flows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NoSteadyState, NotConverged, UnphysicalState
from wheelwork.machines.flywheel.fock_state import AnyFockState, StoredWork
from wheelwork.machines.flywheel.model import Flows, noise_colour, per_lead, tunnelling_rate
from wheelwork.machines.flywheel.parameters import FlywheelParameters
from wheelwork.phase_space import Snapshot, Stationary, jackknife_error, moments
from wheelwork.phase_space.distribution import Ring
from wheelwork.results import AuditEntry

FOCK_SHARE = 1e-2  # of rtol, left to the cutoff of the Fock basis
STANDARD_ERRORS = 5.0  # tolerance of the balance of a sampled state
LARGEST_COLOUR = 0.5  # of the force noise within ± the frequency
SMALL = 0.25  # bound of ratios that must be small
FLAT = np.finfo(float).tiny  # keeps the error of the ring radius finite where W has no curvature

# Bounds of the audit that do not follow `rtol`: room for rounding.
LARGEST_EDGE = 1e-10  # probability outside the domain
LARGEST_DIP = 1e-12  # of W below zero, relative to its maximum
FIRST_LAW = 1e-9  # relative to the flows
SECOND_LAW = 1e-10  # relative to the flows
LARGEST_NEGATIVITY = 1e-9  # of an eigenvalue of a steady state
LARGEST_TRACE_DRIFT = 1e-12  # of ∫ W in time
LARGEST_FOCK_LOSS = 1e-7  # of probability that may be lost on the way to the Fock basis, in time
TRANSIENT_NEGATIVITY = 1e-3  # of an eigenvalue in time, beyond the error of W


def moment_errors(
    solution: Stationary | Snapshot, parameters: FlywheelParameters
) -> dict[str, float]:
    """Return estimated absolute errors of the quantities computed from moments of W.

    From the refinement of the mesh and from the tables; for a sampled state, standard errors.
    """
    known = solution.errors
    return {
        "phonon_number": known["phonon_number"],
        "g2": known["g2"],
        "purity": known["purity"],
        "energy": parameters.frequency * known["phonon_number"],
        "position": parameters.length * known["x"],
        "momentum": parameters.momentum * known["p"],
    }


def flow_errors(solution: Stationary | Snapshot, flows: Flows) -> dict[str, Any]:
    """Return bounds on the absolute errors of the flows, from those of the local means.

    Those of currents out of all leads are mappings by the index of the lead.
    """
    particle, energy = per_lead(solution.local_errors, solution.model.local_observables)
    heat = energy + np.abs(flows.chemical_potentials) * particle
    return {
        "particle_current": float(particle[0]),
        "electrical_power": float(np.sum(heat - energy)),
        "entropy_production": float(np.sum(heat / flows.temperatures)),
        "particle_currents": by_lead(particle),
        "energy_currents": by_lead(energy),
        "heat_currents": by_lead(heat),
    }


def by_lead(values: FloatArray) -> Mapping[int, float]:
    """Return numbers of the leads by index."""
    return dict(enumerate(map(float, values)))


def require_lawful(flows: Flows, error: float) -> float:
    """Return the entropy production; UnphysicalState where it is negative beyond `error`.

    At every position each pair of leads produces entropy, so no average can be negative.
    """
    value = flows.entropy_production
    size = float(np.sum(np.abs(flows.heat_currents) / flows.temperatures))
    if value < -(STANDARD_ERRORS * error + SECOND_LAW * size):
        raise UnphysicalState(
            f"the entropy production is {value:.3g}, below zero by more than its error {error:.1g}"
        )
    return value


def require_possible(
    name: str, solution: Stationary | Snapshot, low: float, high: float = np.inf
) -> float:
    """Return the moment `name`; UnphysicalState where it leaves its range beyond its error."""
    value, error = solution.moments[name], solution.errors[name]
    if not low - error <= value <= high + error:
        raise UnphysicalState(
            f"`{name}` would be {value:.4g}, which no quantum state has: the Wigner function is "
            "narrower than the vacuum allows (the quasi-adiabatic description needs temperatures "
            "and tunnelling rates above the frequency)"
        )
    return value


def work_errors(stationary: Stationary, rtol: float, work: StoredWork) -> dict[str, float]:
    """Return bounds for a steady state, from the distance between its W and the true one."""
    distance = stationary.distance + FOCK_SHARE * rtol
    energy = distance * work.energy
    entropy = distance * (work.entropy + 1.0)
    return {
        "entropy": entropy,
        "ergotropy": energy,
        "ergotropy_diagonal": energy,
        "inversion": distance,
        "free_energy_gain": energy + (work.temperature or 0.0) * entropy,
    }


def ring_error(stationary: Stationary, rtol: float, ring: Ring) -> float:
    """Return a bound for the radius of the ring: where the top is flat, it moves far."""
    distance = stationary.distance + FOCK_SHARE * rtol
    return float(np.sqrt(2.0 * distance / max(ring.curvature, FLAT)))


def transient_work_errors(
    snapshot: Snapshot, fock: AnyFockState, work: StoredWork
) -> dict[str, float]:
    """Return bounds for a state in time, from the distance between its W and the true one."""
    lost = abs(fock.lost)
    energy = work.frequency * snapshot.errors["phonon_number"]
    changed = snapshot.distance + fock.negativity + lost
    # Fannes' inequality: the misplaced probability may be in any level
    entropy = changed * (np.log(fock.levels) + 1.0 - np.log(changed))
    ergotropy = energy + (fock.negativity + lost) * work.frequency * fock.levels
    return {
        "entropy": entropy,
        "ergotropy": ergotropy,
        "ergotropy_diagonal": ergotropy,
        "inversion": changed,
        "free_energy_gain": energy + (work.temperature or 0.0) * entropy,
    }


def leave_one_out(stationary: Stationary) -> list[Stationary]:
    """Return a sampled solution with one group of trajectories left out each; else nothing."""
    return [
        replace(stationary, distribution=one, moments=moments(one), replicas=())
        for one in stationary.replicas
    ]


def stationary_audit(
    stationary: Stationary,
    rtol: float,
    flows: Flows,
    fock: AnyFockState | None,
    replicas: Sequence[Stationary],
) -> dict[str, AuditEntry]:
    """Return the audit of a steady state; fock: None where W has no density matrix.

    replicas: of `leave_one_out`, for a sampled state.
    """
    density, number = stationary.distribution.nodes.density, stationary.moments["phonon_number"]
    edge, dip = stationary.distribution.edge_probability, -np.min(density) / np.max(density)
    balance = float(rtol)
    if replicas:
        balance += STANDARD_ERRORS * jackknife_error([one.imbalance for one in replicas])
    entries = {
        "estimated error": AuditEntry(stationary.relative_error, rtol),
        "edge probability": AuditEntry(edge, LARGEST_EDGE),
        "negativity of W": AuditEntry(max(0.0, dip), LARGEST_DIP),
        "negativity of phonon number": AuditEntry(max(0.0, -number), 0.0),
        "first law": AuditEntry(flows.first_law, FIRST_LAW),
        "oscillator balance": AuditEntry(abs(stationary.imbalance), balance),
        "second law": AuditEntry(-flows.entropy_production, SECOND_LAW * flows.scale),
    }
    if fock is None:
        return entries | {"state in the Fock basis": AuditEntry(np.inf, 0.0)}
    difference = abs(fock.phonon_number / number - 1.0)
    return entries | {
        "probability lost in Fock basis": AuditEntry(abs(fock.lost), FOCK_SHARE * rtol),
        "negativity of density matrix": AuditEntry(fock.negativity, LARGEST_NEGATIVITY),
        "phonon number, Wigner against Fock": AuditEntry(difference, rtol),
    }


def transient_audit(
    snapshots: Sequence[Snapshot], fock: Sequence[AnyFockState | None], allowed: float
) -> dict[str, AuditEntry]:
    """Return the audit of states in time, the worst over all of them.

    fock: of each, None where W has no density matrix. allowed: the error of W that may be.
    """
    distance = float(max(one.distance for one in snapshots))
    drift = float(max(abs(one.trace_drift) for one in snapshots))
    entries = {
        "estimated error": AuditEntry(distance, allowed),
        "trace drift": AuditEntry(drift, LARGEST_TRACE_DRIFT),
    }
    known = [one for one in fock if one is not None]
    if len(known) < len(fock):
        return entries | {"state in the Fock basis": AuditEntry(np.inf, 0.0)}
    numbers = [one.moments["phonon_number"] for one in snapshots]
    negativity = max(one.negativity for one in known)
    lost = max(abs(one.lost) for one in known)
    differing = max(
        abs(one.phonon_number - number) / (number + 0.5)
        for one, number in zip(known, numbers, strict=True)
    )
    bound, most = LARGEST_FOCK_LOSS + 2.0 * distance, TRANSIENT_NEGATIVITY + 2.0 * distance
    return entries | {
        "negativity of density matrix": AuditEntry(negativity, most),
        "probability lost in Fock basis": AuditEntry(lost, bound),
        "phonon number, Wigner against Fock": AuditEntry(differing, bound),
    }


def validity(
    parameters: FlywheelParameters, positions: Sequence[float]
) -> Mapping[str, AuditEntry]:
    """Return the ratios that must be small for the quasi-adiabatic description to hold.

    Those of Culhane et al., Eq. (5), and the largest noise colour (`model.noise_colour`) at
    `positions`: it sees a level far from the lines, or lines narrower than the frequency, where the
    height of the band does not.
    """
    temperature = min(parameters.temperatures)
    rate = tunnelling_rate(parameters)
    ratios = {
        "frequency / temperature": parameters.frequency / temperature,
        "frequency / tunnelling rate": parameters.frequency / rate,
        "coupling / temperature": abs(parameters.coupling) / temperature,
        "coupling / tunnelling rate": abs(parameters.coupling) / rate,
    }
    entries = {name: AuditEntry(value, SMALL) for name, value in ratios.items()}
    if parameters.force != 0.0:
        try:
            colour = float(np.max(noise_colour(parameters, positions)))
        except (NotConverged, NoSteadyState):  # far outside of the range of the description
            colour = np.inf
        entries["noise colour"] = AuditEntry(colour, LARGEST_COLOUR)
    return MappingProxyType(entries)


def orbit_positions(solution: Stationary | Snapshot, length: float) -> tuple[float, ...]:
    """Return the mean position and the turning points of a typical orbit."""
    mean = solution.moments["x"]
    swing = np.sqrt(max(2.0 * (solution.moments["x_squared"] - mean**2), 0.0))
    return tuple(float(length * (mean + side * swing)) for side in (-1.0, 0.0, 1.0))
