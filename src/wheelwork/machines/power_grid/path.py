"""A branch of steady states along a parameter, with its folds and losses of stability."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.machines.power_grid.branch import Branch
from wheelwork.machines.power_grid.labels import PARAMETERS
from wheelwork.oscillator_networks import Continuation, Event, MeanField, Point

if TYPE_CHECKING:
    from wheelwork.machines.power_grid.machine import PowerGrid


@dataclass(frozen=True, eq=False)
class BranchPath:
    """What `PowerGrid.follow` returns: steady states in the order met, P of them.

    name: the parameter. points: the states; the parameter need not be monotonic.
    events: folds, Hopf points and branch points, each with the error of its parameter, and "trivial
    branch" where the branch merges with α = 0. `error` of a branch is the tolerance of the method.
    """

    machine: "PowerGrid"
    name: str
    points: tuple[Point, ...]
    events: tuple[Event, ...]
    rtol: float

    @property
    def parameter(self) -> FloatArray:
        """(P,)."""
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
        """(P,), bool."""
        return np.array([point.deviations.stable for point in self.points])

    @property
    def end(self) -> Branch:
        """The last state."""
        return self.branches[-1]

    def to_xarray(self) -> xr.Dataset:
        """Return parameter, frequency, stability and flows along the path."""
        branches = self.branches
        label = PARAMETERS.get(self.name.partition("[")[0], ("", "", self.name))
        return xr.Dataset(
            {
                self.name: (
                    "step",
                    self.parameter,
                    dict(zip(("symbol", "units", "long_name"), label, strict=True)),
                ),
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
    machine: "PowerGrid", branch: Branch, name: str, stop: float, method: MeanField
) -> BranchPath:
    """Return the path of `branch` while the parameter `name` goes from its value to `stop`.

    Raises InvalidArgument for a branch at rest or of another machine, and for a parameter without
    a single value; NotConverged where the path cannot be continued.
    """
    if not isinstance(branch, Branch) or branch.at_rest:
        raise InvalidArgument(f"`branch` must be a branch with amplitudes, but is {branch!r}")
    if branch.machine != machine:
        raise InvalidArgument("`branch` must be a branch of this machine, but is one of another")
    start, last = value_of(machine, name), _checks.real("stop", stop)
    if start == last:
        raise InvalidArgument(f"`stop` must differ from the present {name}, but is {last!r}")
    machine.replace(**{name: last})
    continuation = Continuation(
        lambda value: machine.replace(**{name: value}).amplitude_model,
        min(start, last),
        max(start, last),
        method.rtol,
    )
    points, events = continuation.run(branch.amplitudes, branch.frequency, start, last)
    return BranchPath(machine, name, tuple(points), tuple(events), method.rtol)


def value_of(machine: "PowerGrid", name: str) -> float:
    """Return the present value of a parameter as `PowerGrid.replace` names it."""
    base, bracket, place = name.partition("[")
    holders = {
        "injection": ("generators",),
        "extraction": ("engines",),
        "saturation": ("generators", "engines"),
        "exponent": ("generators", "engines"),
    }
    if base in holders:
        field = "rate" if base in ("injection", "extraction") else base
        values = {
            getattr(element, field, None)
            for holder in holders[base]
            for node, element in getattr(machine, holder).items()
            if not bracket or str(node) == place[:-1]
        }
    else:
        values = {getattr(machine, name, None)}
    if len(values) != 1:
        raise InvalidArgument(
            f"`{name}` must have a single value to follow a branch from, but has {len(values)}"
        )
    (value,) = values
    if not isinstance(value, int | float):
        raise InvalidArgument(f"`{name}` must be a number of this machine, but is {value!r}")
    return float(value)
