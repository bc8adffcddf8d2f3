"""Points as entries of a journal."""

from collections.abc import Mapping
from typing import Any

from wheelwork.sweeps.point import Check, Point


def to_entry(key: str, point: Point) -> dict[str, Any]:
    """Return what a journal keeps of a point."""
    return {
        "point": key,
        "at": point.parameters,
        "observables": point.observables,
        "errors": point.errors,
        "audit": {name: [c.value, c.bound, int(c.ok)] for name, c in point.audit.items()},
        "failure": point.failure,
        "seconds": round(point.seconds, 6),
    }


def from_entry(entry: Mapping[str, Any], index: int, total: int) -> Point:
    """Return the point of an entry that `to_entry` made."""
    return Point(
        index,
        total,
        entry["at"],
        entry["observables"],
        entry["errors"],
        {
            name: Check(value, bound, bool(ok))
            for name, (value, bound, ok) in entry["audit"].items()
        },
        entry["failure"],
        entry["seconds"],
        stored=True,
    )
