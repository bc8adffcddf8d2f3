"""Finished points as columns of numbers, whatever order they come in."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.sweeps.point import Point

NOT_COMPUTED = "not computed"
NO_VERDICT = -1

ByteArray = npt.NDArray[np.int8]
Place = tuple[int, int]


@dataclass
class Table:
    """Columns by name, made when a name is first met.

    The order of the names is that of the first point that has them, by index, so that it does not
    depend on the order in which points are put.
    """

    size: int
    columns: dict[str, FloatArray] = field(default_factory=dict)
    first: dict[str, Place] = field(default_factory=dict)

    def put(self, index: int, numbers: Mapping[str, float]) -> None:
        """Write one point."""
        for position, (name, value) in enumerate(numbers.items()):
            if name not in self.columns:
                self.columns[name] = np.full(self.size, math.nan)
            self.columns[name][index] = value
            place = (index, position)
            if place < self.first.get(name, (self.size, 0)):
                self.first[name] = place

    @property
    def names(self) -> list[str]:
        """In the order of the sweep."""
        return sorted(self.columns, key=lambda name: self.first[name])


@dataclass
class Columns:
    """The numbers of a sweep of `size` points; NaN and `NOT_COMPUTED` where there are none yet."""

    size: int
    observables: Table = field(init=False)
    errors: Table = field(init=False)
    audit_value: Table = field(init=False)
    audit_bound: Table = field(init=False)
    audit_ok: dict[str, ByteArray] = field(init=False, default_factory=dict)
    failure: npt.NDArray[Any] = field(init=False)
    passed: ByteArray = field(init=False)

    def __post_init__(self) -> None:
        for name in ("observables", "errors", "audit_value", "audit_bound"):
            setattr(self, name, Table(self.size))
        self.failure = np.full(self.size, NOT_COMPUTED, dtype=object)
        self.passed = np.full(self.size, NO_VERDICT, dtype=np.int8)

    def put(self, index: int, point: Point) -> None:
        """Write the numbers of `point` at `index`."""
        self.observables.put(index, point.observables)
        self.errors.put(index, point.errors)
        self.audit_value.put(index, {name: check.value for name, check in point.audit.items()})
        self.audit_bound.put(index, {name: check.bound for name, check in point.audit.items()})
        for name, check in point.audit.items():
            if name not in self.audit_ok:
                self.audit_ok[name] = np.full(self.size, NO_VERDICT, dtype=np.int8)
            self.audit_ok[name][index] = check.ok
        self.failure[index] = point.failure
        if not point.failure:
            self.passed[index] = all(check.ok for check in point.audit.values())

    @property
    def complete(self) -> bool:
        """Whether every point has been put."""
        return not bool(np.any(self.failure == NOT_COMPUTED))
