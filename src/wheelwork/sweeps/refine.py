"""Adaptive sweeps along one or two parameters, with more points where an event happens."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from wheelwork import _checks
from wheelwork._deferred import xr
from wheelwork.errors import InvalidArgument, shown
from wheelwork.numerics.progress import progress_if
from wheelwork.numerics.work import Report
from wheelwork.results import Labels
from wheelwork.sweeps.case_sweep import NO_SEAL, labels_of, ledger_of, store_for, tell_of
from wheelwork.sweeps.cases import Product, side_by_side
from wheelwork.sweeps.cells import Cell, Lattice, Position, depth_for
from wheelwork.sweeps.dataset import Columns, to_dataset
from wheelwork.sweeps.execution import Processes, Work, compute, open_pool
from wheelwork.sweeps.identity import provenance
from wheelwork.sweeps.names import replace_at
from wheelwork.sweeps.point import Point, Task, checked_observables
from wheelwork.sweeps.stopping import STOPS, load_datasets, sigterm_raised, with_dataset
from wheelwork.sweeps.store import REFINED
from wheelwork.verbs import Machine, State, require_machine

# Halvings of an interval: 2^40 parts of a cell leave 12 of the 52 bits of a double for its ends.
DEEPEST = 40
# Halvings of a rectangle: its rim, of 4 · 2^12 positions, is searched one by one.
WIDEST_RIM = 12


@runtime_checkable
class Event(Protocol):
    """Assigns points to sides; a boundary runs between points of different sides."""

    def side(self, point: Point) -> Hashable | None:
        """Return the side; None where it is unknown: no boundary is then drawn at the point."""


@dataclass(frozen=True)
class Crossing:
    """An observable becomes larger than `value`.

    Numbers of a point that did not converge do not count.
    """

    observable: str
    value: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", _checks.real("value", self.value))

    def side(self, point: Point) -> Hashable | None:
        """Whether the observable exceeds the value; None where it is NaN or missing."""
        number = _number(point, self.observable)
        return None if math.isnan(number) else number > self.value


@dataclass(frozen=True)
class Change:
    """An observable that counts or names something, such as `regime_code`, takes another value.

    Numbers of a point that did not converge do not count.
    """

    observable: str

    def side(self, point: Point) -> Hashable | None:
        """The value; None where it is NaN or missing."""
        number = _number(point, self.observable)
        return None if math.isnan(number) else number


@dataclass(frozen=True)
class Verdict:
    """Whether the audit passes, fails, or the point failed (no result, or not converged)."""

    def side(self, point: Point) -> Hashable | None:
        """1 where every check passed, 0 where one failed, -1 where the point failed."""
        if point.failure:
            return -1
        return int(all(entry.ok for entry in point.audit.values()))


def _number(point: Point, name: str) -> float:
    if point.failure:  # also where a method that did not converge has left numbers
        return math.nan
    if name not in point.observables:
        known = ", ".join(point.observables)
        raise InvalidArgument(f"`observable` must be one of {known}, but is {shown(name)}")
    return point.observables[name]


def refine(
    machine: Machine[State],
    values: Mapping[str, Any],
    event: Event,
    width: float | Mapping[str, float],
    method: Any = None,
    *,
    observables: Sequence[str] | None = None,
    store: str | Path | None = None,
    executor: Executor | Processes | None = None,
    workers: int | None = None,
    progress: bool | Report = False,
    on_point: Callable[[Point], None] | None = None,
) -> "xr.Dataset":
    """Sweep one or two parameters, refining the points where `event` happens.

    values: one or two parameters with ascending values, (n,), n ≥ 2: the initial points. Intervals,
    or rectangles, that have points of different sides on their boundary are halved, until they are
    no wider than `width`, a number or one per parameter. All new points of a round are computed
    together, by `executor`. event: `Crossing`, `Change`, `Verdict`, or anything with `side`. The
    rest as in `sweep`; a store is resumed with the same arguments.

    The dataset has the dimension "point", ordered by the parameters; and, over "cell", the smallest
    cells in which the event lies: `<parameter>_low` and `<parameter>_high`.
    An event between the initial points that touches no boundary of their cells is not detected:
    choose the initial points dense enough. Raises as `sweep`.
    """
    require_machine(machine, "replace", "steady_state")
    lattice = _lattice(values, width)
    names = list(values)
    if not isinstance(event, Event):
        raise InvalidArgument(
            f"`event` must be such as Crossing('energy', 0.0), but is {shown(event)}"
        )
    corner = lattice.values((0,) * len(names))
    replace_at(machine, dict(zip(names, corner, strict=True)))
    task = Task(machine, method, checked_observables(observables))
    labels = labels_of(machine, names)
    opened = store_for(store, task, {REFINED: names}, labels)
    search = _Search(lattice, names, event, NO_SEAL if opened is None else opened.manifest.seal)
    attributes = provenance(machine, method) if opened is None else opened.manifest.attributes

    def kept() -> "xr.Dataset":
        return search.dataset(labels).assign_attrs(attributes)

    load_datasets()
    try:
        with (
            sigterm_raised(),
            ledger_of(opened) as ledger,
            progress_if(progress),
            open_pool(task, executor, workers) as pool,
        ):
            while positions := search.wanted():
                cases = side_by_side(names, [lattice.values(position) for position in positions])
                work = Work(cases, search.seal, search.receiver(positions, on_point), ledger)
                compute(task, work, pool)
            search.finished = True
        return kept()
    except STOPS as reason:
        count = sum(not point.transient for point in search.points.values())
        dataset = kept() if search.points else None
        raise with_dataset(reason, dataset, str(count), store) from None


@dataclass
class _Search:
    """The points so far. cells: those not halved yet. finished: whether no round is left."""

    lattice: Lattice
    names: list[str]
    event: Event
    seal: bytes
    points: dict[Position, Point] = field(default_factory=dict)
    sides: dict[Position, Hashable | None] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    finished: bool = False

    def wanted(self) -> list[Position]:
        """Return the positions of the next round, in order; none when the search is finished."""
        if not self.cells:
            self.cells = self.lattice.cells()
        else:
            self.cells = [part for cell in self.cells for part in self._parts(cell)]
        corners = {corner for cell in self.cells for corner in cell.corners()}
        missing = sorted(corners - self.points.keys())
        # a cell may be crossed by points of smaller neighbours alone: look again
        if not missing and any(cell.size > 1 and self._crossed(cell) for cell in self.cells):
            return self.wanted()
        return missing

    def receiver(
        self, positions: Sequence[Position], on_point: Callable[[Point], None] | None
    ) -> Callable[[int, Point], None]:
        """Return the function that receives the points of a round."""

        def receive(index: int, point: Point) -> None:
            self.points[positions[index]] = point
            self.sides[positions[index]] = self.event.side(point)
            tell_of(point, len(self.points), math.nan)
            if on_point is not None:
                on_point(point)

        return receive

    def dataset(self, labels: Labels) -> "xr.Dataset":
        """Return all points, in the order of their parameters, and the cells of the event."""
        positions = sorted(self.points)
        cases = side_by_side(self.names, [self.lattice.values(position) for position in positions])
        columns = Columns(len(positions))
        for index, position in enumerate(positions):
            columns.put(index, self.points[position])
        dataset = to_dataset(cases, columns, labels)
        lows = sorted(cell.low for cell in self.cells if cell.size == 1 and self._crossed(cell))
        for axis, name in enumerate(self.names):
            for end, step in (("low", 0), ("high", 1)):
                positions = [(*low[:axis], low[axis] + step, *low[axis + 1 :]) for low in lows]
                bounds = np.array([self.lattice.values(position)[axis] for position in positions])
                dataset[f"{name}_{end}"] = ("cell", bounds, dict(dataset[name].attrs))
        return dataset.assign_attrs(complete=int(self.finished))

    def _crossed(self, cell: Cell) -> bool:
        """Whether known points on the rim of `cell` lie on different sides."""
        sides = {self.sides[at] for at in cell.rim() if self.sides.get(at) is not None}
        return len(sides) > 1

    def _parts(self, cell: Cell) -> list[Cell]:
        return cell.halves() if cell.size > 1 and self._crossed(cell) else [cell]


def _lattice(values: Any, width: Any) -> Lattice:
    axes = Product(values).axes
    if len(axes) > 2:
        raise InvalidArgument(
            f"`values` must name one or two parameters, but names {shown(list(axes))}"
        )
    for name, axis in axes.items():
        if axis.size < 2 or not np.all(np.diff(axis) > 0.0):
            raise InvalidArgument(
                f"`{name}` must hold at least two ascending values, but is {shown(axis)}"
            )
    widths = width if isinstance(width, Mapping) else dict.fromkeys(axes, width)
    if widths.keys() != axes.keys():
        raise InvalidArgument(f"`width` must name {list(axes)}, but names {shown(list(widths))}")
    limits = tuple(_checks.positive("width", widths[name], name) for name in axes)
    depth = depth_for(tuple(axes.values()), limits)
    deepest = DEEPEST if len(axes) == 1 else WIDEST_RIM
    if depth > deepest:
        raise InvalidArgument(
            f"`width` must be reached with {deepest} halvings, but takes {depth}: "
            "start with more values or be content with less"
        )
    return Lattice(tuple(axes.values()), depth)
