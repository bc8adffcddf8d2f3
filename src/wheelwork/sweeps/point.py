"""One point of a sweep: a machine settled by a method, reduced to plain numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wheelwork.errors import WheelworkError
from wheelwork.sweeps.protocols import Machine, State

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
    where the point succeeded.
    """

    index: int
    total: int
    parameters: Mapping[str, float]
    observables: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
    audit: Mapping[str, Check] = field(default_factory=dict)
    failure: str = ""


def solve_point(
    machine: Machine[State],
    parameters: Mapping[str, float],
    method: Any,
    index: int,
    total: int,
) -> Point:
    """Settle the machine at `parameters`; a numerical failure becomes the point's message."""
    try:
        state = machine.replace(**parameters).steady_state(method)
        observables = _numbers(state.observables)
        errors = _numbers(state.errors)
        audit = {
            name: Check(float(entry.value), float(entry.bound), bool(entry.ok))
            for name, entry in state.audit.items()
        }
    except POINT_FAILURES as reason:
        return Point(index, total, parameters, failure=_message(reason))
    return Point(index, total, parameters, observables, errors, audit)


def _numbers(values: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}


def _message(reason: BaseException) -> str:
    text = " ".join(str(reason).split())
    return f"{type(reason).__name__}: {text}" if text else type(reason).__name__
