"""Estimated errors of what a flywheel's steady state tells."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from wheelwork.phase_space import jackknife_error, moments

if TYPE_CHECKING:
    from wheelwork.machines.flywheel.state import FlywheelState

FOCK_SHARE = 1e-2  # of rtol, left to the cutoff of the Fock basis
STANDARD_ERRORS = 5.0  # within which a sampled state must balance
NONLINEAR = ("entropy", "ergotropy", "ergotropy_diagonal", "ring_radius")


def errors(state: "FlywheelState") -> Mapping[str, float]:
    """Return estimated absolute errors of the observables.

    Of phonon number, g2 and purity: from the refinement of the mesh and from the tables. Of the
    others: a bound from the distance between the last W and the true one; for a sampled state,
    the standard error by the jackknife over trajectories.
    """
    moment, frequency = state.stationary.errors, state.machine.frequency
    known = {name: moment[name] for name in ("phonon_number", "g2", "purity")}
    known["energy"] = frequency * moment["phonon_number"]
    if state.stationary.replicas:
        return MappingProxyType(known | _standard_errors(state))
    return MappingProxyType(known | _work_bounds(state) | _flow_bounds(state))


def balance_bound(state: "FlywheelState") -> float:
    """How far what friction takes may differ from what noise gives, as a fraction."""
    bound = float(state.method.rtol)
    if state.stationary.replicas:
        found = [one.stationary.imbalance for one in _replicas(state)]
        bound += STANDARD_ERRORS * jackknife_error(found)
    return bound


def _work_bounds(state: "FlywheelState") -> dict[str, float]:
    distance = state.stationary.distance + FOCK_SHARE * state.method.rtol
    energy = distance * state.energy
    entropy = distance * (state.observables["entropy"] + 1.0)
    bounds = {
        "entropy": entropy,
        "ergotropy": energy,
        "ergotropy_diagonal": energy,
        "inversion": distance,
        # where the top is flat, a small error of W moves it far
        "ring_radius": float(np.sqrt(2.0 * distance / max(state.ring.curvature, 1e-300))),
    }
    temperature = state.machine.bath_temperature
    if temperature is not None:
        bounds["free_energy_gain"] = energy + temperature * entropy
    return bounds


def _flow_bounds(state: "FlywheelState") -> dict[str, float]:
    bounds = state.stationary.local_errors
    names = state.stationary.model.local_observables
    particle, energy = np.reshape([bounds[name] for name in names], (2, -1))
    work = np.abs(state.flows.chemical_potentials) * particle
    return {
        "particle_current": float(particle[0]),
        "electrical_power": float(np.sum(work)),
        "entropy_production": float(np.sum((energy + work) / state.flows.temperatures)),
    }


def _replicas(state: "FlywheelState") -> list["FlywheelState"]:
    """The states with one group of trajectories left out each."""
    found = state.stationary
    return [
        replace(
            state, stationary=replace(found, distribution=one, moments=moments(one), replicas=())
        )
        for one in found.replicas
    ]


def _standard_errors(state: "FlywheelState") -> dict[str, float]:
    names = [*NONLINEAR, "particle_current", "electrical_power", "entropy_production"]
    if state.machine.bath_temperature is not None:
        names.append("free_energy_gain")
    replicas = _replicas(state)
    found = {name: jackknife_error([getattr(one, name) for one in replicas]) for name in names}
    bounds = _work_bounds(state)
    for name in ("ergotropy", "ergotropy_diagonal", "ring_radius"):
        if found[name] == 0.0:  # clipped at zero in every replica, which says nothing
            found[name] = bounds[name]
    # A difference of neighbours feels the stiffness of the fit, which the jackknife does not see.
    return found | {"inversion": state.stationary.distance}
