"""A sweep along one or two parameters that closes in on an event."""

import contextlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from wheelwork import _checks
from wheelwork.errors import InvalidArgument
from wheelwork.sweeps.cases import Product
from wheelwork.sweeps.collect import REFINED, side_by_side
from wheelwork.sweeps.columns import Columns
from wheelwork.sweeps.dataset import to_dataset
from wheelwork.sweeps.execution import Processes, Work, compute, crew_of
from wheelwork.sweeps.loop import NO_SEAL, kept_in, labels_of, ledger_of
from wheelwork.sweeps.nested import replace_at
from wheelwork.sweeps.point import Point, Task, checked_observables
from wheelwork.sweeps.provenance import provenance
from wheelwork.sweeps.refinement.cells import Cell, Lattice, Place, depth_for, is_crossed
from wheelwork.sweeps.refinement.events import Event
from wheelwork.verbs import Machine, State

DEEPEST = 40  # halvings: beyond, doubles run out
WIDEST_RIM = 12  # halvings of a rectangle, whose rim is searched place by place


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
    on_point: Callable[[Point], None] | None = None,
) -> xr.Dataset:
    """Sweep one or two parameters, with points ever denser where `event` happens.

    values: one or two parameters with ascending values, (n,), n ≥ 2: the start. Intervals, or
    rectangles, that have points of different sides on their boundary are halved, until they are
    no wider than `width`, a number or one per parameter. All new points of a round are computed
    together, by `executor`. event: `Crossing`, `Change`, `Verdict`, or anything with `side`. The
    rest as in `sweep`; a store resumes with the same arguments.

    The dataset has the dimension "point", ordered by the parameters; and, over "cell", the smallest
    cells in which the event lies: `<parameter>_low` and `<parameter>_high`.
    What lies between the points of the start and touches none of their cells' boundaries is not
    seen: choose the start dense enough. Raises as `sweep`, and KeyboardInterrupt where that comes
    before the first point; a later one leaves `complete` at 0.
    """
    lattice = _lattice(values, width)
    names = list(values)
    if not isinstance(event, Event):
        raise InvalidArgument(f"`event` must be such as Crossing('energy', 0.0), but is {event!r}")
    corner = lattice.values((0,) * len(names))
    replace_at(machine, dict(zip(names, corner, strict=True)))
    task = Task(machine, method, checked_observables(observables))
    kept = kept_in(store, task, {REFINED: names}, None)
    search = _Search(lattice, names, event, NO_SEAL if kept is None else kept.manifest.seal)
    interruptible = contextlib.suppress(KeyboardInterrupt)
    with interruptible, ledger_of(kept) as ledger, crew_of(task, executor, workers) as crew:
        while places := search.wanted():
            cases = side_by_side(names, [lattice.values(place) for place in places])
            work = Work(cases, search.seal, search.receiver(places, on_point), ledger)
            compute(task, work, crew)
        search.finished = True
    if not search.points:  # interrupted before there was anything to return
        raise KeyboardInterrupt
    attributes = provenance(machine, method) if kept is None else kept.manifest.attributes
    return search.dataset(labels_of(machine)).assign_attrs(attributes)


@dataclass
class _Search:
    """What is known so far. cells: those not halved yet. finished: whether no round is left."""

    lattice: Lattice
    names: list[str]
    event: Event
    seal: bytes
    points: dict[Place, Point] = field(default_factory=dict)
    sides: dict[Place, Hashable | None] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    finished: bool = False

    def wanted(self) -> list[Place]:
        """Return the places of the next round, in order; none when it is done."""
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
        self, places: Sequence[Place], on_point: Callable[[Point], None] | None
    ) -> Callable[[int, Point], None]:
        """Return what takes the points of a round."""

        def receive(index: int, point: Point) -> None:
            self.points[places[index]] = point
            self.sides[places[index]] = self.event.side(point)
            if on_point is not None:
                on_point(point)

        return receive

    def dataset(self, labels: Mapping[str, Sequence[str]]) -> xr.Dataset:
        """Return all points, in the order of their parameters, and the cells of the event."""
        places = sorted(self.points)
        cases = side_by_side(self.names, [self.lattice.values(place) for place in places])
        columns = Columns(len(places))
        for index, place in enumerate(places):
            columns.put(index, self.points[place])
        dataset = to_dataset(cases, columns, labels)
        found = sorted(cell.low for cell in self.cells if self._final(cell))
        for axis, name in enumerate(self.names):
            for end, step in (("low", 0), ("high", 1)):
                places = [(*low[:axis], low[axis] + step, *low[axis + 1 :]) for low in found]
                bounds = np.array([self.lattice.values(place)[axis] for place in places])
                dataset[f"{name}_{end}"] = ("cell", bounds, dict(dataset[name].attrs))
        return dataset.assign_attrs(complete=int(self.finished))

    def _crossed(self, cell: Cell) -> bool:
        return is_crossed(cell, self.sides)

    def _final(self, cell: Cell) -> bool:
        return cell.size == 1 and self._crossed(cell)

    def _parts(self, cell: Cell) -> list[Cell]:
        return cell.halves() if cell.size > 1 and self._crossed(cell) else [cell]


def _lattice(values: Any, width: Any) -> Lattice:
    axes = Product(values).axes
    if len(axes) > 2:
        raise InvalidArgument(f"`values` must name one or two parameters, but names {list(axes)}")
    for name, axis in axes.items():
        if axis.size < 2 or not np.all(np.diff(axis) > 0.0):
            raise InvalidArgument(
                f"`{name}` must hold at least two ascending values, but is {axis.tolist()}"
            )
    widths = width if isinstance(width, Mapping) else dict.fromkeys(axes, width)
    if widths.keys() != axes.keys():
        raise InvalidArgument(f"`width` must name {list(axes)}, but names {list(widths)}")
    limits = tuple(_checks.positive("width", widths[name], name) for name in axes)
    depth = depth_for(tuple(axes.values()), limits)
    deepest = DEEPEST if len(axes) == 1 else WIDEST_RIM
    if depth > deepest:
        raise InvalidArgument(
            f"`width` must be reached with {deepest} halvings, but takes {depth}: "
            "start with more values or be content with less"
        )
    return Lattice(tuple(axes.values()), depth)
