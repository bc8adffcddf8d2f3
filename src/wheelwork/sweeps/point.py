"""One point of a sweep: a machine settled by a method, reduced to plain numbers."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from wheelwork.errors import InvalidArgument, WheelworkError
from wheelwork.sweeps.nested import replace_at
from wheelwork.verbs import Machine, State

# A numerical failure belongs to its point; any other exception is a fault of the code and is seen.
POINT_FAILURES = (WheelworkError, ArithmeticError, ValueError, RuntimeError, MemoryError)


@dataclass(frozen=True)
class Check:
    """An audit entry as plain numbers."""

    value: float
    bound: float
    ok: bool


@dataclass(frozen=True)
class Point:
    """What is kept of one point: the numbers, or the reason why there are none.

    `index` counts from zero in the order of the sweep, of `total` points; `failure` is empty
    where the point succeeded. `seconds` is the time it took, `stored` whether it was read from a
    store instead of computed here. `passing` marks a failure that another try may not meet, such as
    a lack of memory: it is not stored.
    """

    index: int
    total: int
    parameters: Mapping[str, float]
    observables: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
    audit: Mapping[str, Check] = field(default_factory=dict)
    failure: str = ""
    seconds: float = 0.0
    stored: bool = False
    passing: bool = False


@dataclass(frozen=True)
class Task:
    """What is done at every point. observables: names to keep, None for all."""

    machine: Machine[State]
    method: Any = None
    observables: tuple[str, ...] | None = None

    def solve(self, parameters: Mapping[str, float], index: int, total: int) -> Point:
        """Settle the machine at `parameters`; a numerical failure becomes the point's message.

        Raises InvalidArgument where the state has not all of `observables`.
        """
        start = time.perf_counter()
        try:
            state = replace_at(self.machine, parameters).steady_state(self.method)
            observables = _numbers(state.observables)
            errors = _numbers(state.errors)
            audit = {
                name: Check(_number(entry.value), _number(entry.bound), bool(entry.ok))
                for name, entry in state.audit.items()
            }
        except POINT_FAILURES as reason:
            seconds = time.perf_counter() - start
            point = Point(index, total, parameters, failure=message(reason), seconds=seconds)
            return replace(point, passing=isinstance(reason, MemoryError))
        observables, errors = self._kept(observables), self._kept(errors, complete=False)
        seconds = time.perf_counter() - start
        return Point(index, total, parameters, observables, errors, audit, seconds=seconds)

    def _kept(self, numbers: dict[str, float], complete: bool = True) -> dict[str, float]:
        if self.observables is None:
            return numbers
        missing = [name for name in self.observables if name not in numbers]
        if missing and complete:
            known = ", ".join(numbers)
            raise InvalidArgument(f"`observables` must be among {known}, but names {missing[0]!r}")
        return {name: numbers[name] for name in self.observables if name in numbers}


def checked_observables(names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return `names` as a tuple, None for all; raises InvalidArgument for what is no name."""
    if names is None:
        return None
    listed = isinstance(names, Iterable) and not isinstance(names, str)
    kept = tuple(names) if listed else (None,)
    if not all(isinstance(name, str) for name in kept):
        raise InvalidArgument(f"`observables` must be a list of names, but is {names!r}")
    return tuple(dict.fromkeys(str(name) for name in kept))


def message(reason: BaseException) -> str:
    """Return the kind of an exception and its text, on one line that any file can hold."""
    text = " ".join(str(reason).replace("\0", " ").split())
    text = text.encode("utf-8", "replace").decode("utf-8")
    return f"{type(reason).__name__}: {text}" if text else type(reason).__name__


def _numbers(values: Mapping[str, float]) -> dict[str, float]:
    return {name: _number(value) for name, value in values.items()}


def _number(value: float) -> float:
    """Return a float; of the many NaN there are, one, as a store keeps no other."""
    number = float(value)
    return math.nan if math.isnan(number) else number
