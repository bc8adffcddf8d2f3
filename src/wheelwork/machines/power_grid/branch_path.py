"""A branch of steady states along a parameter, with its folds and losses of stability."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.machines.power_grid.branch import Branch
from wheelwork.machines.power_grid.model import amplitude_model
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.oscillator_networks import Continuation, Event, MeanField, Point
from wheelwork.results import Summary, attributes, with_error

SHOWN = 6  # events of a printout


@dataclass(frozen=True, eq=False, repr=False)
class BranchPath(Summary):
    """What `PowerGrid.follow` returns: steady states in the order met, P of them.

    name: the parameter. points: the states; the parameter need not be monotonic.
    events: folds, Hopf points and branch points, each with the error of its parameter, and "trivial
    branch" where the branch merges with α = 0. `error` of a branch is the tolerance of the method.
    """

    machine: GridParameters
    name: str
    points: tuple[Point, ...]
    events: tuple[Event, ...]
    rtol: float

    @property
    def summary(self) -> Mapping[str, str]:
        """The parameter, its ends, and the first events."""
        events = [
            f"{event.kind} at {with_error(event.parameter, event.error)}"
            for event in self.events[:SHOWN]
        ]
        if len(self.events) > SHOWN:
            events.append(f"{len(self.events) - SHOWN} more")
        first, last = self.points[0].parameter, self.points[-1].parameter
        return {
            "name": self.name,
            "from": with_error(first),
            "to": with_error(last),
            "points": str(len(self.points)),
            "events": "; ".join(events) or "none",
        }

    @property
    def parameter(self) -> FloatArray:
        """Values of the parameter, (P,)."""
        return np.array([point.parameter for point in self.points])

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """The states, each of the machine at its parameter."""
        return tuple(
            Branch(
                self.machine.replace(**{self.name: point.parameter}),
                point.amplitudes,
                point.frequency,
                self.rtol * float(np.linalg.norm(point.amplitudes)),
                point.deviations,
            )
            for point in self.points
        )

    @property
    def stable(self) -> np.ndarray:
        """Whether each state is stable, (P,), bool."""
        return np.array([point.deviations.stable for point in self.points])

    @property
    def end(self) -> Branch:
        """The last state."""
        return self.branches[-1]

    def to_xarray(self) -> xr.Dataset:
        """Return parameter, frequency, stability and flows along the path."""
        branches = self.branches
        label = self.machine.label_of(self.name)
        return xr.Dataset(
            {
                self.name: ("step", self.parameter, attributes(label)),
                "stable": ("step", self.stable.astype(np.int8)),
                "frequency": ("step", [branch.frequency for branch in branches]),
                "growth_rate": ("step", [branch.growth_rate for branch in branches]),
                "extracted": ("step", [branch.extracted for branch in branches]),
                "injected": ("step", [branch.injected for branch in branches]),
                "edge_current": (("step", "edge"), [b.current.array for b in branches]),
                "event": ("number", np.array([event.kind for event in self.events], dtype=object)),
                f"event_{self.name}": ("number", [event.parameter for event in self.events]),
                f"event_{self.name}_error": ("number", [event.error for event in self.events]),
            },
            coords={"edge": self.machine.coordinates["edge"]},
        )


def follow(
    parameters: GridParameters, branch: Branch, name: str, stop: float, method: MeanField
) -> BranchPath:
    """Return the path of `branch` while the parameter `name` goes from its value to `stop`.

    Raises InvalidArgument for a branch at rest or of another machine, and for a parameter without
    a single value; NotConverged where the path cannot be continued.
    """
    if not isinstance(branch, Branch) or branch.at_rest:
        raise InvalidArgument(f"`branch` must be a branch with amplitudes, but is {branch!r}")
    if branch.machine != parameters:
        raise InvalidArgument("`branch` must be a branch of this machine, but is one of another")
    start, last = parameters.number(name), _checks.real("stop", stop)
    if start == last:
        raise InvalidArgument(f"`stop` must differ from the present {name}, but is {last!r}")
    parameters.replace(**{name: last})
    continuation = Continuation(
        lambda value: amplitude_model(parameters.replace(**{name: value})),
        min(start, last),
        max(start, last),
        method.rtol,
    )
    points, events = continuation.run(branch.amplitudes, branch.frequency, start, last)
    return BranchPath(parameters, name, tuple(points), tuple(events), method.rtol)
