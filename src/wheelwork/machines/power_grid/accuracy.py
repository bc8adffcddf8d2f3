"""Errors of branches, audit checks and validity of a power grid."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from scipy import sparse
from scipy.special import stdtrit

from wheelwork.machines.power_grid.branch import Branch
from wheelwork.machines.power_grid.model import gain_rates, loss_rates
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.numerics.stationarity import RARE
from wheelwork.numerics.statistics import Sampled
from wheelwork.oscillator_networks.langevin.samples import AmplitudeSamples, Means
from wheelwork.results import AuditEntry

BALANCE = 1e-12  # against all that flows through a node: what rounding leaves of quanta per time
MARGIN = 1e-2  # rounding of an exponent against the one that decides on stability
# Of one quantum, or of thermal ones, against those that saturate. At a fifth the amplitude
# equations are off by some 3 %, at a half they are wrong.
MOST_NOISE = 0.2
MOST_TABLE_ERROR = 1e-4  # relative, of tabulated rates: far below what trajectories resolve
FEWEST_MIXING = 4  # trajectories: fewer cannot show that several states attract
MOST_DRIFT = 5.0  # standard errors between the halves of a run: far beyond chance
STATIONARY = 4.0  # correlation times that the burn-in must cover
ROUNDING = 1e-9  # of the largest flow, in a balance of flows
TINY = 1e-300  # where nothing flows: keeps ratios finite


def granularity(parameters: GridParameters) -> AuditEntry:
    """Return the ratio of one quantum to those that saturate, small for amplitude equations."""
    return AuditEntry(1.0 / min(parameters.saturations, default=math.inf), MOST_NOISE)


def thermal_share(parameters: GridParameters) -> AuditEntry:
    """Return the ratio of thermal quanta to those that saturate, small without noise."""
    least = min(parameters.saturations, default=math.inf)
    return AuditEntry(float(np.max(parameters.thermal_occupations)) / least, MOST_NOISE)


def branch_audit(branches: Sequence[Branch], rtol: float) -> Mapping[str, AuditEntry]:
    """Return the checks of branches, of which the last is the state at rest."""
    moving = branches[:-1]
    sizes = [float(np.linalg.norm(branch.amplitudes)) for branch in moving]
    relative = [branch.error / size for branch, size in zip(moving, sizes, strict=True)]
    safe = [branch.deviations.doubt for branch in branches]
    imbalance = max((_imbalance(branch) for branch in moving), default=0.0)
    return {
        "estimated error": AuditEntry(max(relative, default=0.0), rtol),
        "energy balance": AuditEntry(imbalance, BALANCE),
        "stability in doubt": AuditEntry(max(safe), MARGIN),
    }


def _imbalance(branch: Branch) -> float:
    """Largest gain or loss of quanta that a node is left with, against what flows through it."""
    machine, occupation = branch.machine, branch.occupation
    through = gain_rates(machine, occupation) + loss_rates(machine, occupation) + machine.dampings
    through = through * occupation
    size = np.abs(branch.amplitudes)
    for (u, v), g in zip(machine.edge_indices, np.abs(machine.couplings), strict=True):
        through[[u, v]] += g * size[u] * size[v]
    return float(np.max(np.abs(branch.balance)) / np.max(through))


def flow_error(branch: Branch) -> float:
    """Return the error of Σ Γ_j n_j: Γ does not grow with n."""
    n = branch.occupation
    rates = gain_rates(branch.machine, n) + loss_rates(branch.machine, n)
    size = float(np.max(np.abs(branch.amplitudes)))
    return float(np.sum(rates)) * branch.error * (2.0 * size + branch.error) * 2.0


def occupation_error(branch: Branch) -> float:
    """Return the error of Σ |α_j|²."""
    return 2.0 * float(np.linalg.norm(branch.amplitudes)) * branch.error


def dissipated_error(branch: Branch) -> float:
    """Return the error of Σ γ_j |α_j|²."""
    size = float(np.linalg.norm(branch.amplitudes))
    return float(np.max(branch.machine.dampings)) * 2.0 * size * branch.error


def sampling_audit(
    samples: AmplitudeSamples, rtol: float, error: float, step_error: float | None
) -> Mapping[str, AuditEntry]:
    """Return the checks of a run. error, step_error: relative errors of the occupation, statistical
    and due to the step; None if not checked.
    """
    entries = {
        "sampling error": AuditEntry(error, rtol),
        "burn-in": AuditEntry(STATIONARY * samples.correlation_time, samples.burn_in),
        "lookup error": AuditEntry(samples.table_error, MOST_TABLE_ERROR),
    }
    entries["batches"] = AuditEntry(samples.course.wanted, len(samples.course.parts) - 1)
    if samples.time_left > 0.0:
        entries["time left"] = AuditEntry(samples.time_left, 0.0)
    if step_error is not None:
        entries["step error"] = AuditEntry(step_error, rtol + error)
    # NaN where there are too few trajectories: the entry then fails
    mixing, few = samples.mixing, samples.trajectories < FEWEST_MIXING
    entries["mixing"] = AuditEntry(math.nan if few else mixing.ratio, mixing.bound)
    if not math.isnan(samples.drift):
        entries["drift"] = AuditEntry(samples.drift, MOST_DRIFT)
        entries["memory of the start"] = AuditEntry(*samples.memory)
    return MappingProxyType(entries)


def sampled_balance(parameters: GridParameters, means: Means) -> Sampled:
    """Return the quanta per time that each node gains in all, (N,): zero in a stationary state."""
    occupation, current = means.occupation, means.current
    value = parameters.dampings * (parameters.thermal_occupations - occupation.value)
    change = -parameters.dampings * occupation.deviations
    into = _incidence(parameters)
    value = value + current.value @ into
    flat = current.deviations.reshape(change[..., 0].size, len(parameters.edges)) @ into
    change = change + flat.reshape(change.shape)
    for name, sign in (("injected", 1.0), ("extracted", -1.0)):
        flow = means.local_observable(name)
        value[means.model.active] += sign * flow.value
        change[..., means.model.active] += sign * flow.deviations
    return replace(occupation, value=value, deviations=change)


def energy_balance(parameters: GridParameters, samples: AmplitudeSamples) -> AuditEntry:
    """Return the largest of what nodes gain, in its standard errors plus the error of the step.

    The bound is passed by chance once in 1e5 runs (Student's t).
    """
    means, balance = samples.fine, sampled_balance(parameters, samples.fine)
    by_step = np.nan_to_num(samples.step_error(lambda each: sampled_balance(parameters, each)))
    flows = means.local_observable("injected").value, means.local_observable("extracted").value
    lost = parameters.dampings * (means.occupation.value + parameters.thermal_occupations)
    terms = np.concatenate([np.abs(means.current.value), *map(np.abs, flows), lost])
    rounding = ROUNDING * float(np.max(terms, initial=TINY))
    off = float(np.max(np.abs(balance.value) / (balance.errors + by_step + rounding)))
    freedom = balance.deviations.shape[0] * balance.deviations.shape[1] - 1
    bound = float(stdtrit(freedom, 1.0 - 0.5 * RARE / balance.value.size))
    return AuditEntry(off, bound)


def _incidence(parameters: GridParameters) -> sparse.csr_array:
    """(E, N): −1 where an edge begins, 1 where it ends."""
    ends = parameters.edge_indices
    edges = np.repeat(np.arange(len(ends)), 2)
    signs = np.tile([-1.0, 1.0], len(ends))
    return sparse.csr_array(
        (signs, (edges, ends.ravel())), shape=(len(ends), len(parameters.nodes))
    )
