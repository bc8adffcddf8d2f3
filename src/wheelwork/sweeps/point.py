"""One point of a sweep: a machine at given parameters, solved and reduced to plain numbers."""

import dataclasses
import math
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from wheelwork.errors import InvalidArgument, WheelworkError
from wheelwork.parameters import ShortRepr
from wheelwork.results import AuditEntry
from wheelwork.verbs import AnyState_co, Machine, State

# A numerical failure belongs to its point; any other exception is an error of the code and raised.
POINT_FAILURES = (WheelworkError, ArithmeticError, ValueError, RuntimeError, MemoryError)

_STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\[\]]+)\]")  # ".name", "name" or "[key]"


@dataclass(frozen=True, repr=False)
class Point(ShortRepr):
    """Record of one point of a sweep: its numbers, or the reason why it has none.

    index: counted from zero in the order of the sweep, of `total` points. failure: empty where
    there is a result. missing: by name, why an observable of the result is NaN. seconds: computing
    time. stored: whether the point was read from a store instead of computed by this call.
    transient: whether the failure may not occur again, such as a lack of memory; such a point is
    not stored.
    """

    index: int
    total: int
    parameters: Mapping[str, float]
    observables: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
    audit: Mapping[str, AuditEntry] = field(default_factory=dict)
    failure: str = ""
    seconds: float = 0.0
    stored: bool = False
    transient: bool = False
    missing: Mapping[str, str] = field(default_factory=dict)

    def entry(self, key: str) -> dict[str, Any]:
        """Return what a journal keeps of this point under `key`, as JSON material."""
        entry: dict[str, Any] = {
            "point": key,
            "at": self.parameters,
            "observables": self.observables,
            "errors": self.errors,
            "audit": {name: [c.value, c.bound, int(c.ok)] for name, c in self.audit.items()},
            "failure": self.failure,
            "seconds": round(self.seconds, 6),
        }
        if self.missing:
            entry["missing"] = self.missing
        return entry

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any], index: int, total: int) -> "Point":
        audit = {
            name: AuditEntry(value, bound) for name, (value, bound, _) in entry["audit"].items()
        }
        kept = {name: entry[name] for name in ("observables", "errors", "failure", "seconds")}
        kept["missing"] = entry.get("missing", {})
        return cls(index, total, entry["at"], audit=audit, stored=True, **kept)


@dataclass(frozen=True, repr=False)
class Task(ShortRepr):
    """Calculation at every point. observables: names to store, None for all."""

    machine: Machine[State]
    method: Any = None
    observables: tuple[str, ...] | None = None

    def solve(self, parameters: Mapping[str, float], index: int, total: int) -> Point:
        """Return the steady state at `parameters` as a point; a numerical failure becomes its text.

        Raises InvalidArgument where the state lacks one of `observables`.
        """
        start = time.perf_counter()
        try:
            state = replace_at(self.machine, parameters).steady_state(self.method)
            observables = {name: _number(value) for name, value in state.observables.items()}
            errors = {name: _number(value) for name, value in state.errors.items()}
            missing = {name: _one_line(why) for name, why in getattr(state, "missing", {}).items()}
            audit = {
                name: AuditEntry(_number(entry.value), _number(entry.bound))
                for name, entry in state.audit.items()
            }
        except POINT_FAILURES as reason:
            seconds = time.perf_counter() - start
            point = Point(index, total, parameters, failure=message(reason), seconds=seconds)
            return replace(point, transient=isinstance(reason, MemoryError))
        if self.observables is not None:
            observables, errors = self._chosen(observables), self._chosen(errors, complete=False)
            missing = self._chosen(missing, complete=False)
        seconds = time.perf_counter() - start
        return Point(
            index, total, parameters, observables, errors, audit, seconds=seconds, missing=missing
        )

    def _chosen(self, values: dict[str, Any], complete: bool = True) -> dict[str, Any]:
        """The entries of `values` that `observables` name; complete: whether all must be there."""
        names = self.observables or ()
        absent = [name for name in names if name not in values]
        if absent and complete:
            known = ", ".join(values)
            raise InvalidArgument(f"`observables` must be among {known}, but names {absent[0]!r}")
        return {name: values[name] for name in names if name in values}


def checked_observables(names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return `names` as a tuple, None for all; raises InvalidArgument for what is not a name."""
    if names is None:
        return None
    listed = isinstance(names, Iterable) and not isinstance(names, str)
    kept = tuple(names) if listed else (None,)
    if not all(isinstance(name, str) for name in kept):
        raise InvalidArgument(f"`observables` must be a list of names, but is {names!r}")
    return tuple(dict.fromkeys(str(name) for name in kept))


def message(reason: BaseException) -> str:
    """Return the kind of an exception and its text, on one line of valid UTF-8."""
    text = _one_line(str(reason))
    return f"{type(reason).__name__}: {text}" if text else type(reason).__name__


def _one_line(text: str) -> str:
    text = " ".join(text.replace("\0", " ").split())
    return text.encode("utf-8", "replace").decode("utf-8")


def _number(value: float) -> float:
    """Return a float; every NaN becomes the same one, since JSON does not tell them apart."""
    number = float(value)
    return math.nan if math.isnan(number) else number


# ------------------------------------------------------------------ parameters inside parameters


def replace_at(
    machine: Machine[AnyState_co], parameters: Mapping[str, float]
) -> Machine[AnyState_co]:
    """Return `machine` with `parameters` changed, nested ones after all others.

    A name goes to `machine.replace` as it is, unless it begins with a field of the machine and
    continues into it: "leads[0].temperature", "generators[7].rate". Fields of dataclasses, items
    of tuples and lists, and values of mappings (by the text of their keys) can be reached.
    Raises InvalidArgument where a name does not exist, and what the machine and its parts raise.
    """
    plain = {name: value for name, value in parameters.items() if not _is_nested(machine, name)}
    changed = machine.replace(**plain) if plain else machine
    for name, value in parameters.items():
        if name not in plain:
            first, *rest = _steps(name)
            part = _replaced(getattr(changed, first), rest, value, name)
            changed = changed.replace(**{first: part})
    return changed


def _is_nested(machine: Any, name: str) -> bool:
    first = re.split(r"[.\[]", name, maxsplit=1)[0]
    return first != name and first in getattr(machine, "__dataclass_fields__", {})


def _steps(name: str) -> list[str]:
    """Return "leads[0].temperature" as ["leads", "0", "temperature"]."""
    steps, position = [], 0
    while position < len(name):
        step = _STEP.match(name, position)
        if step is None:
            raise InvalidArgument(f"`{name}` must read like leads[0].temperature, but does not")
        steps.append(step[1] or step[2])
        position = step.end()
    return steps


def _replaced(part: Any, steps: list[str], value: float, name: str) -> Any:
    """Return `part` with what `steps` lead to replaced by `value`."""
    if not steps:
        return value
    step, *rest = steps
    if isinstance(part, Mapping):
        keys = [key for key in part if str(key) == step]
        if len(keys) == 1:
            return {**part, keys[0]: _replaced(part[keys[0]], rest, value, name)}
    elif isinstance(part, tuple | list):
        if step.isdecimal() and int(step) < len(part):
            items = list(part)
            items[int(step)] = _replaced(items[int(step)], rest, value, name)
            return type(part)(items)
    elif dataclasses.is_dataclass(part) and step in {f.name for f in dataclasses.fields(part)}:
        inner = _replaced(getattr(part, step), rest, value, name)
        return dataclasses.replace(part, **{step: inner})  # type: ignore[type-var]
    raise InvalidArgument(
        f"`{name}` must lead to a parameter, but there is no `{step}` in {part!r}"
    )
