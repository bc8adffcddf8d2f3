"""Events: what is different on the two sides of a boundary."""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from wheelwork import _checks
from wheelwork.errors import InvalidArgument
from wheelwork.sweeps.point import Point


@runtime_checkable
class Event(Protocol):
    """Sorts points into sides; a boundary runs between points of different sides."""

    def side(self, point: Point) -> Hashable | None:
        """Return the side, None where the point does not say: it then has no boundary."""


@dataclass(frozen=True)
class Crossing:
    """An observable becomes larger than `value`."""

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
    """An observable that counts or names something, such as `regime_code`, takes another value."""

    observable: str

    def side(self, point: Point) -> Hashable | None:
        """The value itself; None where it is NaN or missing."""
        number = _number(point, self.observable)
        return None if math.isnan(number) else number


@dataclass(frozen=True)
class Verdict:
    """The audit passes, fails, or there is no result."""

    def side(self, point: Point) -> Hashable | None:
        """1 where every check passed, 0 where one failed, -1 where the point has no result."""
        if point.failure:
            return -1
        return int(all(check.ok for check in point.audit.values()))


def _number(point: Point, name: str) -> float:
    if point.failure:
        return math.nan
    if name not in point.observables:
        known = ", ".join(point.observables)
        raise InvalidArgument(f"`observable` must be one of {known}, but is {name!r}")
    return point.observables[name]
