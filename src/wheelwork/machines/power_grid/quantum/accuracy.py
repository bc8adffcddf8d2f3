"""Errors of what is computed from a quantum state, and what could make it wrong."""

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from scipy.special import entr

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.machines.power_grid.mean_field import solve_mean_field
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.machines.power_grid.quantum.master_equation import QuantumSolution
from wheelwork.machines.power_grid.quantum.moments import gross_flow, node_populations
from wheelwork.oscillator_networks import MeanField
from wheelwork.results import AuditEntry

BALANCE = 10.0  # rtol: of quanta per time at a node, a sum of several flows, against all that flow
LEAST_NEGATIVE = 1e-12  # an eigenvalue above its negative is rounding


def entropy_error(size: float, dimension: int) -> float:
    """Return how much the entropy of `dimension` levels changes at most for Σ|δρ| = `size`.

    T ln(d − 1) + h(T) with T = ε/2 and ε = Σ|δρ| ≥ ‖δρ‖₁ (K. M. R. Audenaert, J. Phys. A 40, 8127
    (2007)).
    """
    T = min(0.5 * size, 0.5)
    return T * math.log(max(dimension - 1, 1)) + float(entr(T) + entr(1.0 - T))


def mutual_information_error(size: float, levels: int) -> float:
    """Return that error of I = S_1 + S_2 − S_12, for two nodes of `levels` levels each."""
    return 2.0 * entropy_error(size, levels) + entropy_error(size, levels * levels)


def local_ergotropy_errors(solution: QuantumSolution, populations: FloatArray) -> FloatArray:
    """Return estimated absolute errors of the work that each node holds, (N,).

    W = Σ (n − r_n) p_n, where r_n is the rank of p_n among the populations in falling order: it
    changes by (n − r_n) δp_n while that order stays, and by no more if it does not. Populations
    below the error of the state count as zero, and as an error.
    """
    n = np.arange(solution.cutoff + 1.0)
    errors = []
    for j, p in enumerate(populations):
        weight = np.maximum(n, np.argsort(np.argsort(-p)))
        changes = sum(
            np.abs(node_populations(solution.model, sample, j))
            for sample in solution.steady.error_samples
        )
        ignored = np.where(p < solution.error, np.abs(p), 0.0)
        errors.append(float(weight @ (changes + ignored)))
    return np.array(errors)


def master_audit(
    solution: QuantumSolution, rtol: float, lowest_eigenvalue: float, balance: FloatArray
) -> Mapping[str, AuditEntry]:
    """Return the checks of a solution. balance: (N,), quanta per time that each node gains in all.

    "mean-field quanta / cutoff": those of the largest stable branch without noise, which a state
    that grew from few quanta could have missed.
    """
    moments, errors, parameters = (
        solution.moments,
        solution.moment_errors,
        solution.model.parameters,
    )
    quanta, flow = float(np.sum(moments.occupation)), gross_flow(parameters, moments)
    worst = float(np.max(errors.occupation)), float(np.max(errors.current, initial=0.0))
    imbalance = float(np.max(np.abs(balance)))
    branch = brightest_occupation(parameters)
    most = math.nan if branch is None else float(np.sum(branch))
    return MappingProxyType(
        {
            "edge population": AuditEntry(solution.edge, rtol),
            "error of occupations": AuditEntry(worst[0] / max(quanta, rtol), rtol),
            "error of currents": AuditEntry(worst[1] / max(flow, rtol), rtol),
            "energy balance": AuditEntry(imbalance / max(flow, rtol), BALANCE * rtol),
            "residual": AuditEntry(solution.steady.residual, rtol),
            "negative eigenvalue": AuditEntry(
                -lowest_eigenvalue, max(solution.error, LEAST_NEGATIVE)
            ),
            "mean-field quanta / cutoff": AuditEntry(most / solution.cutoff, 1.0),
        }
    )


def brightest_occupation(parameters: GridParameters) -> FloatArray | None:
    """Return |α_j|², (N,), of the stable branch without noise that has most quanta.

    Zeros where no branch is stable, None where the search for branches fails.
    """
    try:
        branches = solve_mean_field(parameters, MeanField()).stable_branches
    except NotConverged:
        return None
    most = max((branch.occupation for branch in branches), key=np.sum, default=None)
    return np.zeros(len(parameters.nodes)) if most is None else most
