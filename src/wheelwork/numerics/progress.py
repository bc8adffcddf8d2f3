"""Progress of long calculations for a person who waits."""

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from wheelwork import _checks
from wheelwork.numerics.work import Report, reporting

INTERVAL = 0.2  # seconds between reports: often enough to see life, too seldom to cost anything
WIDTH = 79  # characters of a line on a terminal


def words(task: str, done: float, total: float) -> str:
    """Return "task, 3 of 10" as far as the numbers are known."""
    count = "" if math.isnan(done) else f", {done:g}"
    return f"{task}{count}" + ("" if math.isnan(total) or not count else f" of {total:g}")


def throttled(report: Report, interval: float = INTERVAL) -> Report:
    """Return `report` such that it passes on at most one call per `interval` seconds."""
    last = -math.inf

    def seldom(task: str, done: float, total: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= interval:
            last = now
            report(task, done, total)

    return seldom


@contextmanager
def progress(report: Report | None = None, *, interval: float = INTERVAL) -> Iterator[None]:
    """Show how far the solvers are while the block runs.

        with ww.progress():
            state = device.steady_state()

    report: called with the task in a few words, the units of work done, and their total, the last
    two NaN where unknown; at most once per `interval`, in seconds. None: one line on stderr.
    Only calculations of this thread are followed, not those of workers in other processes. Raises
    InvalidArgument for an interval that is not positive.
    """
    line = _Line()
    try:
        with reporting(throttled(report or line.show, _checks.positive("interval", interval))):
            yield
    finally:
        line.clear()


class _Line:
    """A line on stderr that is written over; one line per report where that is no terminal."""

    def __init__(self) -> None:
        self.in_place, self.written = sys.stderr.isatty(), False

    def show(self, task: str, done: float, total: float) -> None:
        text = words(task, done, total)[:WIDTH]
        sys.stderr.write(f"\r{text:<{WIDTH}}" if self.in_place else f"{text}\n")
        sys.stderr.flush()
        self.written = True

    def clear(self) -> None:
        if self.in_place and self.written:
            sys.stderr.write(f"\r{'':{WIDTH}}\r")
            sys.stderr.flush()
