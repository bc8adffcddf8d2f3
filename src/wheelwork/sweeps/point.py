"""One point of a sweep: a machine at given parameters, solved and reduced to plain numbers."""

import math
import time
import traceback
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from wheelwork.errors import InvalidArgument, OutOfTime, WheelworkError, shown
from wheelwork.numerics.labelled import LabelledArray
from wheelwork.numerics.work import time_limit
from wheelwork.parameters import ShortRepr
from wheelwork.results import AuditEntry
from wheelwork.sweeps.cases import POINT, RESERVED
from wheelwork.sweeps.names import replace_at
from wheelwork.sweeps.recording import recorded_warnings
from wheelwork.verbs import Machine, State

# A numerical failure belongs to its point; any other exception is a fault of the code.
POINT_FAILURES = (WheelworkError, ArithmeticError, ValueError, RuntimeError, MemoryError)
NO_REASON = "the state gives no reason"


@dataclass(frozen=True, repr=False)
class Point(ShortRepr):
    """Record of one point of a sweep: its numbers, or the reason why it has none.

    index: counted from zero in the order of the sweep, of `total` points. failure: empty where
    there is a result. A failed point may have numbers all the same, with an audit that fails: those
    of the partial result of a NotConverged (`partial`). arrays: observables with dimensions of
    their own. missing: by name, why an observable is NaN. warning: the texts of the library's
    warnings. seconds: computing time. stored: whether the point was read from a store instead of
    computed by this call.
    transient: whether the failure may not occur again, such as a lack of memory or of time; such a
    point is not stored. fault: the exception, where it is a fault of the code.
    """

    index: int
    total: int
    parameters: Mapping[str, float]
    observables: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
    arrays: Mapping[str, LabelledArray] = field(default_factory=dict)
    audit: Mapping[str, AuditEntry] = field(default_factory=dict)
    failure: str = ""
    seconds: float = 0.0
    stored: bool = False
    transient: bool = False
    missing: Mapping[str, str] = field(default_factory=dict)
    warning: str = ""
    fault: Exception | None = None

    @property
    def partial(self) -> bool:
        """Whether the numbers are those of a method that did not converge."""
        return bool(self.failure and self.observables)

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
        texts = {"missing": self.missing, "warning": self.warning}
        arrays = {name: one.entry() for name, one in self.arrays.items()}
        return entry | {name: held for name, held in {"arrays": arrays, **texts}.items() if held}

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any], index: int, total: int) -> "Point":
        audit = {
            name: AuditEntry(value, bound) for name, (value, bound, _) in entry["audit"].items()
        }
        kept = {name: entry[name] for name in ("observables", "errors", "failure", "seconds")}
        kept |= {"missing": entry.get("missing", {}), "warning": entry.get("warning", "")}
        held = entry.get("arrays", {}).items()
        kept["arrays"] = {name: LabelledArray.from_entry(one) for name, one in held}
        return cls(index, total, entry["at"], audit=audit, stored=True, **kept)


@dataclass(frozen=True, repr=False)
class Task(ShortRepr):
    """Calculation at every point.

    observables: names to store, None for all. time_limit: of a point, in seconds.
    """

    machine: Machine[State]
    method: Any = None
    observables: tuple[str, ...] | None = None
    time_limit: float = math.inf

    def solve(self, parameters: Mapping[str, float], index: int, total: int) -> Point:
        """Return the steady state at `parameters` as a point.

        An exception becomes the `failure` of the point, which keeps the numbers of a partial
        result; one that is no numerical failure is also its `fault`. Raises InvalidArgument where
        the state lacks one of `observables`.
        """
        start = time.perf_counter()
        outcome: dict[str, Any] = {}
        numbers: dict[str, Any] = {}
        with recorded_warnings() as heard:
            try:
                with time_limit(self.time_limit):
                    machine = replace_at(self.machine, parameters)
                    numbers = _numbers_of(machine.steady_state(self.method))
            except POINT_FAILURES as reason:
                transient = isinstance(reason, MemoryError) or _out_of_time(reason)
                outcome = {"failure": message(reason), "transient": transient}
                numbers = _partial_numbers(reason)
            except Exception as fault:
                where = traceback.extract_tb(fault.__traceback__)[-1]
                text = f"{message(fault)} ({where.filename}, line {where.lineno})"
                outcome = {"failure": _one_line(text), "transient": True, "fault": fault}
        for warning in heard:  # the user's filters apply to it here
            warnings.warn(warning, stacklevel=2)
        if numbers:
            numbers = self._chosen(numbers, complete=not outcome)
            _require_apart(numbers["arrays"], parameters)
        outcome |= {"warning": "; ".join(_one_line(str(warning)) for warning in heard)}
        seconds = time.perf_counter() - start
        return Point(index, total, parameters, seconds=seconds, **numbers, **outcome)

    def _chosen(self, numbers: dict[str, Any], complete: bool) -> dict[str, Any]:
        """The numbers that `observables` name; complete: whether all must be there."""
        if self.observables is None:
            return numbers
        known = [*numbers["observables"], *numbers["arrays"]]
        absent = [name for name in self.observables if name not in known]
        if absent and complete:
            words = ", ".join(known)
            raise InvalidArgument(
                f"`observables` must be among {words}, but names {shown(absent[0])}"
            )
        named = ("observables", "errors", "arrays", "missing")
        return numbers | {
            part: {name: numbers[part][name] for name in self.observables if name in numbers[part]}
            for part in named
        }


def _numbers_of(state: Any) -> dict[str, Any]:
    """Return observables, errors, reasons and audit of a state as plain numbers and text."""
    observables = {name: _number(value) for name, value in state.observables.items()}
    reasons = {name: _one_line(why) for name, why in getattr(state, "missing", {}).items()}
    unexplained = [n for n, v in observables.items() if math.isnan(v) and not reasons.get(n)]
    return {
        "observables": observables,
        "errors": {name: _number(value) for name, value in state.errors.items()},
        "arrays": {
            name: replace(one, reason=_one_line(one.reason))
            for name, one in getattr(state, "array_observables", {}).items()
        },
        "missing": reasons | dict.fromkeys(unexplained, NO_REASON),
        "audit": {
            name: AuditEntry(_number(entry.value), _number(entry.bound))
            for name, entry in state.audit.items()
        },
    }


def _require_apart(arrays: Mapping[str, LabelledArray], parameters: Mapping[str, float]) -> None:
    """Raise InvalidArgument where a dimension of an array has a name of the sweep's own."""
    for name, one in arrays.items():
        for coordinate in (each for axis in one.axes for each in (axis.name, *axis.parts)):
            if coordinate in parameters or coordinate in {*RESERVED, POINT}:
                raise InvalidArgument(
                    f"`{name}` must not be kept in a sweep that has a `{coordinate}` itself: "
                    "rename its dimension, or leave it out of `observables`"
                )


def _partial_numbers(reason: BaseException) -> dict[str, Any]:
    """Return the numbers of the partial result of `reason`, none where there is none to read."""
    partial = getattr(reason, "partial", None)
    try:
        return {} if partial is None else _numbers_of(partial)
    except (AttributeError, TypeError, *POINT_FAILURES):  # such as a solution without observables
        return {}


def _out_of_time(reason: BaseException | None) -> bool:
    """Whether a failure is that of a time limit, or follows from one."""
    while reason is not None and not isinstance(reason, OutOfTime):
        reason = reason.__cause__ or reason.__context__
    return reason is not None


def checked_observables(names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return `names` as a tuple, None for all; raises InvalidArgument for what is not a name."""
    if names is None:
        return None
    listed = isinstance(names, Iterable) and not isinstance(names, str)
    kept = tuple(names) if listed else (None,)
    if not all(isinstance(name, str) for name in kept):
        raise InvalidArgument(f"`observables` must be a list of names, but is {shown(names)}")
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
