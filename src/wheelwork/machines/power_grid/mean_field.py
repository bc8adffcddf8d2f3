"""All steady branches of a power grid without noise, as one result."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, partial_as
from wheelwork.machines.power_grid import accuracy
from wheelwork.machines.power_grid.branch import Branch, Oscillation
from wheelwork.machines.power_grid.model import amplitude_model, require_bounded
from wheelwork.machines.power_grid.numbers import (
    ALONG_EDGE,
    AT_NODE,
    DISSIPATED,
    EXTRACTED,
    OCCUPATION,
    EdgeNumbers,
    NodeNumbers,
    labelled,
)
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.numerics.labelled import Axis
from wheelwork.oscillator_networks import Attractors, MeanField
from wheelwork.oscillator_networks.newton import largest_rate
from wheelwork.results import AuditEntry, Label, Observable, Result, observable


def _of_branch(
    name: str, label: Label, error: Callable[[Branch], float], key: str | None = None
) -> Observable[float]:
    """That number of the first stable branch, or else of the first oscillation."""

    def number(state: "MeanFieldState") -> float:
        first = next(iter((*state.stable_branches, *state.oscillations)), None)
        return math.nan if first is None else float(getattr(first, name))

    def off(state: "MeanFieldState") -> float | None:
        return None if state.branch is None else error(state.branch)

    return observable(*label, key=key or name, error=off)(number)


def _flows_error(state: "MeanFieldState") -> float | None:
    return max((accuracy.flow_error(branch) for branch in state.stable_branches), default=None)


def _frequency_error(state: "MeanFieldState") -> float | None:
    """The error of the amplitudes times a bound on their rates."""
    if state.branch is None:
        return None
    size = float(np.linalg.norm(state.branch.amplitudes))
    return state.branch.error / size * largest_rate(state.attractors.model) if size else 0.0


def _growth_error(state: "MeanFieldState") -> float | None:
    error = _frequency_error(state)
    if state.branch is None or error is None:
        return None
    return state.branch.deviations.rounding + error


INJECTED_AT_CENTRE: Label = ("J_i", "rate", "quanta injected, branch at the band's centre")


@dataclass(frozen=True, eq=False, repr=False)
class MeanFieldState(Result):
    """All steady branches that `PowerGrid.steady_state(MeanField())` computed.

    A sequence of its branches: `for branch in state`, `state[0]`, `len(state)`. `branches` has the
    stable ones first, of these and of the others the nearest to the centre of the band; last the
    state at rest, α = 0. `oscillations`: motion that reaches no steady state, if the method
    searched for it. The observables are those of `branch`; where none is stable, means over the
    first oscillation. Flows are quanta per time: multiply by ω0 for energy.
    """

    machine: GridParameters
    method: MeanField
    attractors: Attractors

    headline = (
        "branches",
        "stable_branches",
        "motions",
        "extracted",
        "injected",
        "occupation",
        "frequency",
    )

    def __len__(self) -> int:
        return len(self.branches)

    def __getitem__(self, position: int) -> Branch:
        return self.branches[position]

    def __iter__(self) -> Iterator[Branch]:
        return iter(self.branches)

    @property
    def exhaustive(self) -> bool:
        """Whether there can be no other branch (see `MeanField`)."""
        return self.attractors.exhaustive

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """All steady states of the search, stable or not."""
        machine, solved = self.machine, self.attractors.solutions
        numbers = solved.amplitudes, solved.frequency.tolist(), solved.error.tolist()
        rows = zip(*numbers, self.attractors.deviations, strict=True)
        branches = [Branch(machine, *row) for row in rows]
        branches.sort(key=lambda branch: not branch.stable)
        nothing = np.zeros(len(machine.nodes), dtype=np.complex128)
        return (*branches, Branch(machine, nothing, 0.0, 0.0, self.attractors.at_rest))

    @cached_property
    def oscillations(self) -> tuple[Oscillation, ...]:
        """Time averages over motion that reaches no steady state."""
        return tuple(Oscillation(self.machine, motion) for motion in self.attractors.motions)

    @property
    def stable_branches(self) -> tuple[Branch, ...]:
        """The branches that attract, in their order."""
        return tuple(branch for branch in self.branches if branch.stable)

    @property
    def branch(self) -> Branch | None:
        """The stable branch nearest to the centre of the band; None if there is none."""
        return next(iter(self.stable_branches), None)

    @observable(r"\#", "1", "steady branches with amplitudes", key="branches")
    def branch_count(self) -> float:
        """Number of branches, without the state at rest."""
        return float(len(self.branches) - 1)

    @observable(r"\#", "1", "stable branches", key="stable_branches")
    def stable_branch_count(self) -> float:
        """Number of stable branches, with the state at rest where it is one."""
        return float(len(self.stable_branches))

    @observable(r"\#", "1", "motions that reach no steady state", key="motions")
    def motion_count(self) -> float:
        return float(len(self.oscillations))

    @property
    def axes(self) -> Mapping[str, Axis]:
        """Nodes and edges."""
        return self.machine.axes

    @labelled(AT_NODE, "node")
    def occupation(self) -> NodeNumbers[float]:
        """|α_j|² by node, of the branch that the observables are those of."""
        motion = self._shown
        return NodeNumbers(self.machine.index, motion.occupation, motion.occupation_errors)

    @labelled(ALONG_EDGE, "edge")
    def current(self) -> EdgeNumbers[float]:
        """J by edge, of the same branch: `current[(u, v)]` is positive from u to v."""
        return self._shown.current

    @property
    def _shown(self) -> Branch | Oscillation:
        """The first stable branch, or else the first oscillation."""
        for each in self.stable_branches or self.oscillations:
            return each
        raise InvalidArgument("`method` must find a state that attracts, but found none")

    # Σ G_j(n_j) n_j, Σ Λ_j(n_j) n_j of the engines, Σ γ_j n_j and Σ n_j
    injected = _of_branch("injected", INJECTED_AT_CENTRE, accuracy.flow_error)
    extracted = _of_branch("extracted", EXTRACTED, accuracy.flow_error)
    dissipated = _of_branch("dissipated", DISSIPATED, accuracy.dissipated_error)
    total_occupation = _of_branch("quanta", OCCUPATION, accuracy.occupation_error, key="occupation")

    @observable(
        r"\min J_e", "rate", "quanta extracted, least of the attractors", error=_flows_error
    )
    def extracted_lowest(self) -> float:
        """The least that engines extract on a stable branch or oscillation."""
        return min(self._extracted, default=math.nan)

    @observable(r"\max J_e", "rate", "quanta extracted, most of the attractors", error=_flows_error)
    def extracted_highest(self) -> float:
        """The most that engines extract on a stable branch or oscillation."""
        return max(self._extracted, default=math.nan)

    @property
    def _extracted(self) -> list[float]:
        return [each.extracted for each in (*self.stable_branches, *self.oscillations)]

    @observable(r"\omega", "rate", "frequency of the branch", error=_frequency_error)
    def frequency(self) -> float:
        """ω of `branch`, against the frame of the oscillators."""
        return math.nan if self.branch is None else self.branch.frequency

    @observable(
        r"\max\,\mathrm{Re}\,\lambda", "rate", "slowest exponent of the branch", error=_growth_error
    )
    def growth_rate(self) -> float:
        """Largest real part of the exponents of small deviations from `branch`."""
        return math.nan if self.branch is None else self.branch.growth_rate

    @cached_property
    def validity(self) -> Mapping[str, AuditEntry]:
        """Ratios that must be small for equations without noise; of saturable elements.

        Not part of the audit: with n0 as the unit of quanta (n0 = 1) they are meaningless.
        """
        share = {"thermal_occupation / saturation": accuracy.thermal_share(self.machine)}
        return MappingProxyType({"1 / saturation": accuracy.granularity(self.machine), **share})

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Named checks over all branches, with value, bound and verdict."""
        nothing = not self.stable_branches and not self.oscillations
        return MappingProxyType(
            {
                **accuracy.branch_audit(self.branches, self.method.rtol),
                "states in the last search": AuditEntry(float(self.attractors.last_new), 0.0),
                "no attractor": AuditEntry(float(nothing), 0.0),
                "motions in doubt": AuditEntry(float(self.attractors.in_doubt), 0.0),
            }
        )

    def arrays(self) -> xr.Dataset:
        """Amplitudes and currents of all branches, without that at rest."""
        moving = self.branches[:-1]
        widths = {name: len(axis.keys) for name, axis in self.axes.items()}

        def table(along: str, rows: list[FloatArray], **attrs: str) -> tuple[Any, ...]:
            array = np.array(rows, dtype=np.float64).reshape(len(moving), widths[along])
            return ("branch", along), array, attrs

        flow = {"units": "rate", "long_name": "quanta per time along the edge"}
        return xr.Dataset(
            {
                "amplitude_real": table("node", [b.amplitudes.real for b in moving]),
                "amplitude_imag": table("node", [b.amplitudes.imag for b in moving]),
                "branch_occupation": table("node", [b.occupation for b in moving]),
                "branch_current": table("edge", [b.current.array for b in moving], **flow),
                "branch_current_error": ("branch", [b.current_error for b in moving]),
                "branch_frequency": ("branch", [b.frequency for b in moving]),
                "branch_growth_rate": ("branch", [b.growth_rate for b in moving]),
                "stable": ("branch", np.array([b.stable for b in moving], dtype=np.int8)),
            },
            coords={"branch": np.arange(len(moving))},
        )


def solve_mean_field(parameters: GridParameters, method: MeanField) -> MeanFieldState:
    """Return the steady branches.

    Raises NoSteadyState where amplitudes are unbounded, or where nothing drives or damps some
    modes; NotConverged where the search fails, with the branches it reached as `partial`;
    InvalidArgument for more than 400 nodes, and for rates or saturation numbers beyond 1e±140.
    """
    model = amplitude_model(parameters)
    require_bounded(model)
    with partial_as(lambda reached: MeanFieldState(parameters, method, reached)):
        return MeanFieldState(parameters, method, method.solve(model))
