"""The work of a solver: its budget, a guard of time, and its progress.

A solver calls `tick` once for each unit of its work: an iteration, a mesh, a starting point. There
a time limit ends it, and there a caller who asked for progress hears how far it is.
"""

import contextvars
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wheelwork.errors import NotConverged, OutOfTime

Report = Callable[[str, float, float], None]  # task, done, total (NaN where unknown)

_deadline: contextvars.ContextVar[tuple[float, float]] = contextvars.ContextVar(
    "deadline", default=(math.inf, math.inf)
)  # on the monotonic clock, and the limit in seconds that it comes from
_reports: contextvars.ContextVar[tuple[Report, ...]] = contextvars.ContextVar("reports", default=())


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """End the calculation in the block with OutOfTime after `seconds`, at its next `tick`.

    Of nested limits the earliest holds. A single factorisation or compilation is not interrupted.
    """
    own = (time.monotonic() + seconds, seconds)
    token = _deadline.set(min(own, _deadline.get()))
    try:
        yield
    finally:
        _deadline.reset(token)


@contextmanager
def reporting(report: Report) -> Iterator[None]:
    """Call `report(task, done, total)` for each unit of work in the block."""
    token = _reports.set((*_reports.get(), report))
    try:
        yield
    finally:
        _reports.reset(token)


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count the units of work in the block by task."""
    counts: Counter[str] = Counter()
    with reporting(lambda task, done, total: counts.update([task])):
        yield counts


def tell(task: str, done: float = math.nan, total: float = math.nan) -> None:
    """Tell whoever asked for progress that `done` of `total` are done of `task`."""
    for report in _reports.get():
        report(task, done, total)


def tick(task: str, done: float = math.nan, total: float = math.nan) -> None:
    """Note one unit of work: `task` in a few words, `done` of `total` where these are known.

    Raises OutOfTime once the time limit has passed.
    """
    tell(task, done, total)
    deadline, limit = _deadline.get()
    if time.monotonic() > deadline:
        so_far = "" if math.isnan(done) else f" ({done:g} of {total:g})"
        raise OutOfTime(f"the time limit of {limit:g} s has passed during: {task}{so_far}")


def require_budget(task: str, need: float, budget: float, unit: str, advice: str) -> None:
    """Raise NotConverged before work that would exceed its budget.

    need, budget: numbers of `unit`, such as "unknowns". advice: what the caller can change.
    """
    if not need <= budget:
        about = f"about {need:.2g}" if need < math.inf else "an unlimited number of"
        raise NotConverged(
            f"{task} needs {about} {unit}, more than its budget of {budget:.2g}: {advice}"
        )
