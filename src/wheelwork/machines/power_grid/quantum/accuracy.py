"""Errors of what is computed from a quantum state, and what could make it wrong."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import entr

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.machines.power_grid.quantum.correlations import node_populations
from wheelwork.machines.power_grid.quantum.cutoff import gross_flow
from wheelwork.oscillator_networks import MeanField
from wheelwork.results import AuditEntry

if TYPE_CHECKING:
    from wheelwork.machines.power_grid.machine import PowerGrid
    from wheelwork.machines.power_grid.quantum.state import QuantumState

BALANCE = 10.0  # rtol: of quanta per time, against all that flow
LEAST_NEGATIVE = 1e-12  # an eigenvalue above its negative is rounding


def quantum_errors(state: "QuantumState") -> Mapping[str, float]:
    """Return estimated absolute errors, for the equations as they stand.

    Linear means have the sum of their magnitudes on the doubts of the state. With ε = Σ|δρ| ≥ ‖δρ‖₁
    that of the negativity is at most ε/2, of the purity 2ε, of an entropy T ln(d − 1) + h(T) with
    T = ε/2 (K. M. R. Audenaert, J. Phys. A 40, 8127 (2007)).
    """
    size, error = state.solution.error, state.solution.moment_errors
    model = state.solution.model
    one = state.cutoff + 1
    known = {
        "injected": float(np.sum(error.injected)),
        "extracted": float(np.sum(error.extracted)),
        "dissipated": float(np.sum(error.dissipated)),
        "occupation": float(np.sum(error.occupation)),
        "entropy": entropy_error(size, model.space.dimension),
        "purity": 2.0 * size,
        "negativity": 0.5 * size,
        "mutual_information": 2.0 * entropy_error(size, one) + entropy_error(size, one * one),
    }
    if state.machine.edges:
        known["mean_current"] = float(np.mean(error.current))
        for name in ("current_fluctuation", "current_fluctuation_normal"):
            known[name] = float(np.mean(getattr(state, name).errors))
    return MappingProxyType({name: known[name] for name in state.observables})


def local_ergotropy_errors(state: "QuantumState") -> FloatArray:
    """Estimated absolute errors of the work that each node holds, (N,).

    W = Σ (n − r_n) p_n, where r_n is the place of p_n among the populations in falling order: it
    changes by (n − r_n) δp_n while that order stays, and by no more if it does not. Populations
    below the error of the state count as zero, and as an error.
    """
    model, solution = state.solution.model, state.solution
    n = np.arange(state.cutoff + 1.0)
    found = []
    for j, p in enumerate(state.populations):
        weight = np.maximum(n, np.argsort(np.argsort(-p)))
        samples = solution.steady.error_samples
        doubts = sum(np.abs(node_populations(model, each, j)) for each in samples)
        ignored = np.where(p < solution.error, np.abs(p), 0.0)
        found.append(float(weight @ (doubts + ignored)))
    return np.array(found)


def entropy_error(size: float, dimension: int) -> float:
    """Most that the entropy of a state of `dimension` levels changes for Σ|δρ| = `size`."""
    T = min(0.5 * size, 0.5)
    return T * math.log(max(dimension - 1, 1)) + float(entr(T) + entr(1.0 - T))


def quantum_audit(state: "QuantumState") -> Mapping[str, AuditEntry]:
    """Return everything that could make the numbers wrong, checked.

    "mean-field quanta / cutoff": those of the largest stable branch without noise, which a state
    that grew from few quanta could have missed.
    """
    solution, rtol = state.solution, state.method.rtol
    moments, errors = solution.moments, solution.moment_errors
    flow = gross_flow(state.machine, moments)
    quanta = float(np.sum(moments.occupation))
    lowest = float(state.eigenvalues.min())
    return MappingProxyType(
        {
            "edge population": AuditEntry(solution.edge, rtol),
            "error of occupations": AuditEntry(
                float(np.max(errors.occupation)) / max(quanta, rtol), rtol
            ),
            "error of currents": AuditEntry(
                float(np.max(errors.current, initial=0.0)) / max(flow, rtol), rtol
            ),
            "energy balance": AuditEntry(
                float(np.max(np.abs(state.balance))) / max(flow, rtol), BALANCE * rtol
            ),
            "residual": AuditEntry(solution.steady.residual, rtol),
            "negative eigenvalue": AuditEntry(-lowest, max(solution.error, LEAST_NEGATIVE)),
            "mean-field quanta / cutoff": AuditEntry(
                mean_field_quanta(state.machine) / state.cutoff, 1.0
            ),
        }
    )


def mean_field_quanta(machine: "PowerGrid") -> float:
    """Quanta of the largest stable branch without noise; NaN where the branches are not found."""
    try:
        branches = machine.steady_state(MeanField()).stable_branches
    except NotConverged:
        return math.nan
    return max((float(np.sum(branch.occupation)) for branch in branches), default=0.0)
