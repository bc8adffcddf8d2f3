"""The steady branches of a power grid without noise: observables, errors, audit."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from wheelwork._checks import FloatArray
from wheelwork.machines.labelled import add_observables
from wheelwork.machines.power_grid.branch import Branch, Oscillation
from wheelwork.machines.power_grid.elements import Saturable
from wheelwork.machines.power_grid.labels import LABELS
from wheelwork.machines.power_grid.model import require_bounded
from wheelwork.oscillator_networks import Attractors, MeanField
from wheelwork.oscillator_networks.newton import largest_rate
from wheelwork.results import AuditEntry

if TYPE_CHECKING:
    from wheelwork.machines.power_grid.machine import PowerGrid

BALANCE = 1e-12  # of quanta, against all that flow through a node
MARGIN = 1e-2  # rounding of an exponent against the one that decides on stability
MOST_NOISE = 0.2  # of one quantum, and of thermal ones, against those that saturate


@dataclass(frozen=True, eq=False)
class MeanFieldState:
    """What `PowerGrid.steady_state(MeanField())` returns: every steady branch found.

    A sequence of its branches: `for branch in state`, `state[0]`, `len(state)`.
    branches: the stable ones first, of these and of the others the nearest to the centre of the
    band; last the state at rest, α = 0.
    oscillations: motion that does not settle, as far as the method looked for it.
    exhaustive: whether there can be no other branch.
    """

    machine: "PowerGrid"
    method: MeanField
    attractors: Attractors

    def __len__(self) -> int:
        return len(self.branches)

    def __getitem__(self, place: int) -> Branch:
        return self.branches[place]

    def __iter__(self) -> Iterator[Branch]:
        return iter(self.branches)

    @property
    def exhaustive(self) -> bool:
        """Whether the search leaves no branch out (see `MeanField`)."""
        return self.attractors.exhaustive

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """All steady states found, stable or not."""
        solutions, machine = self.attractors.solutions, self.machine
        found = [
            Branch(machine, alpha, float(omega), float(error), deviations)
            for alpha, omega, error, deviations in zip(
                solutions.amplitudes,
                solutions.frequency,
                solutions.error,
                self.attractors.deviations,
                strict=True,
            )
        ]
        found.sort(key=lambda branch: not branch.stable)
        nothing = np.zeros(len(machine.nodes), dtype=np.complex128)
        return (*found, Branch(machine, nothing, 0.0, 0.0, self.attractors.at_rest))

    @cached_property
    def oscillations(self) -> tuple[Oscillation, ...]:
        """Time averages over motion that does not settle."""
        return tuple(Oscillation(self.machine, motion) for motion in self.attractors.motions)

    @property
    def stable_branches(self) -> tuple[Branch, ...]:
        """The branches that attract, in their order."""
        return tuple(branch for branch in self.branches if branch.stable)

    @property
    def branch(self) -> Branch | None:
        """The stable branch nearest to the centre of the band; None if there is none."""
        return next(iter(self.stable_branches), None)

    @cached_property
    def observables(self) -> Mapping[str, float]:
        """Numbers for sweeps: of `branch`, and the range over all attractors."""
        chosen: Branch | Oscillation | None = self.branch
        if chosen is None:
            chosen = next(iter(self.oscillations), None)
        ends = [branch.extracted for branch in self.stable_branches]
        ends.extend(motion.extracted for motion in self.oscillations)
        single = self.branch
        found = {
            "branches": float(len(self.branches) - 1),
            "stable_branches": float(len(self.stable_branches)),
            "motions": float(len(self.oscillations)),
            "injected": math.nan if chosen is None else chosen.injected,
            "extracted": math.nan if chosen is None else chosen.extracted,
            "dissipated": math.nan if chosen is None else chosen.dissipated,
            "extracted_lowest": min(ends, default=math.nan),
            "extracted_highest": max(ends, default=math.nan),
            "occupation": math.nan if chosen is None else float(np.sum(chosen.occupation)),
            "frequency": math.nan if single is None else single.frequency,
            "growth_rate": math.nan if single is None else single.growth_rate,
        }
        return MappingProxyType(found)

    @cached_property
    def errors(self) -> Mapping[str, float]:
        """Estimated absolute errors of the observables, for the equations as they stand."""
        branch = self.branch
        if branch is None:
            return MappingProxyType({})
        flow = _flow_error(self.machine, branch)
        worst = max(_flow_error(self.machine, each) for each in self.stable_branches)
        size = float(np.linalg.norm(branch.amplitudes))
        found = {
            "injected": flow,
            "extracted": flow,
            "dissipated": float(np.max(self.machine.dampings)) * 2.0 * size * branch.error,
            "extracted_lowest": worst,
            "extracted_highest": worst,
            "occupation": 2.0 * size * branch.error,
            "frequency": branch.error / size * self._scale if size else 0.0,
            "growth_rate": branch.deviations.rounding
            + (branch.error / size * self._scale if size else 0.0),
        }
        return MappingProxyType(found)

    @property
    def _scale(self) -> float:
        return largest_rate(self.machine.amplitude_model)

    @cached_property
    def validity(self) -> Mapping[str, AuditEntry]:
        """Ratios that equations without noise take for small; of saturable elements.

        Apart from the audit: with n0 as the unit of quanta (n0 = 1) they say nothing.
        """
        elements = (*self.machine.generators.values(), *self.machine.engines.values())
        numbers = [each.saturation for each in elements if isinstance(each, Saturable)]
        least = min(numbers, default=math.inf)
        thermal = float(np.max(self.machine.thermal_occupations))
        return MappingProxyType(
            {
                "1 / saturation": AuditEntry(1.0 / least, MOST_NOISE),
                "thermal_occupation / saturation": AuditEntry(thermal / least, MOST_NOISE),
            }
        )

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Everything that could make the numbers wrong, checked, over all branches."""
        moving = self.branches[:-1]
        sizes = [float(np.linalg.norm(branch.amplitudes)) for branch in moving]
        relative = [branch.error / size for branch, size in zip(moving, sizes, strict=True)]
        safe = [branch.deviations.rounding / abs(branch.growth_rate) for branch in self.branches]
        return MappingProxyType(
            {
                "estimated error": AuditEntry(max(relative, default=0.0), self.method.rtol),
                "energy balance": AuditEntry(
                    max((_imbalance(branch) for branch in moving), default=0.0), BALANCE
                ),
                "stability in doubt": AuditEntry(max(safe), MARGIN),
                "states in the last search": AuditEntry(float(self.attractors.fresh), 0.0),
                "no attractor": AuditEntry(
                    float(not self.stable_branches and not self.oscillations), 0.0
                ),
            }
        )

    def to_xarray(self) -> xr.Dataset:
        """Return branches and their observables as one labelled dataset, without `at rest`."""
        moving, machine = self.branches[:-1], self.machine

        def table(rows: list[FloatArray], width: int) -> FloatArray:
            return np.array(rows, dtype=np.float64).reshape(len(moving), width)

        per_node, per_edge = ("branch", "node"), ("branch", "edge")
        N, E = len(machine.nodes), len(machine.edges)
        amplitudes = [branch.amplitudes for branch in moving]
        dataset = xr.Dataset(
            {
                "amplitude_real": (per_node, table([a.real for a in amplitudes], N)),
                "amplitude_imag": (per_node, table([a.imag for a in amplitudes], N)),
                "node_occupation": (per_node, table([b.occupation for b in moving], N)),
                "edge_current": (
                    per_edge,
                    table([b.current.array for b in moving], E),
                    {"units": "rate", "long_name": "quanta per time along the edge"},
                ),
                "edge_current_error": ("branch", [b.current_error for b in moving]),
                "branch_frequency": ("branch", [b.frequency for b in moving]),
                "branch_growth_rate": ("branch", [b.growth_rate for b in moving]),
                "stable": ("branch", np.array([b.stable for b in moving], dtype=np.int8)),
            },
            coords={"branch": np.arange(len(moving)), **machine.coordinates},
        )
        add_observables(dataset, self.observables, self.errors, LABELS)
        return dataset


def settle(machine: "PowerGrid", method: MeanField) -> MeanFieldState:
    """Return the steady branches of `machine`.

    Raises NoSteadyState where amplitudes are unbounded.
    """
    require_bounded(machine.amplitude_model)
    return MeanFieldState(machine, method, method.solve(machine.amplitude_model))


def _imbalance(branch: Branch) -> float:
    """Largest gain or loss of quanta that a node is left with, against what flows through it."""
    machine, occupation = branch.machine, branch.occupation
    through = machine.gain_rates(occupation) + machine.loss_rates(occupation) + machine.dampings
    through = through * occupation
    size = np.abs(branch.amplitudes)
    for (u, v), g in zip(machine.edge_indices, np.abs(machine.couplings), strict=True):
        through[[u, v]] += g * size[u] * size[v]
    return float(np.max(np.abs(branch.balance)) / np.max(through))


def _flow_error(machine: "PowerGrid", branch: Branch) -> float:
    """Error of Σ Γ_j n_j: Γ does not grow with n."""
    rates = machine.gain_rates(branch.occupation) + machine.loss_rates(branch.occupation)
    size = float(np.max(np.abs(branch.amplitudes)))
    return float(np.sum(rates)) * branch.error * (2.0 * size + branch.error) * 2.0
