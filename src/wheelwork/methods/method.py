"""The base of all methods: parameters of a solution, and its guard of time."""

import math
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass
from typing import Any

from wheelwork import _checks
from wheelwork.numerics.work import time_limit
from wheelwork.parameters import Parameters, parameter


def seconds(name: str, value: Any) -> float:
    """Return `value` as a positive number of seconds; infinity means no limit."""
    unbounded = isinstance(value, float) and value == math.inf
    return math.inf if unbounded else _checks.positive(name, value)


@dataclass(frozen=True, repr=False)
class Method(Parameters):
    """Base of all methods.

    time_limit: computing time in seconds after which the method ends with NotConverged, at the next
    unit of its work; infinity, the default, means none. It is a guard, not a setting of the
    solution: methods that differ in it are equal, and results and points of sweeps do not hold it.
    """

    _: KW_ONLY
    time_limit: float = parameter(
        "t", "s", "largest computing time", check=seconds, default=math.inf, guard=True
    )

    def guard(self) -> AbstractContextManager[None]:
        """Apply `time_limit` to the calculation in the block."""
        return time_limit(self.time_limit)
