"""Progress of long calculations for a person who waits."""

import math
import shutil
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from wheelwork import _checks
from wheelwork.errors import InvalidArgument
from wheelwork.numerics.work import Report, reporting

INTERVAL = 0.2  # seconds between reports: often enough to see life, too seldom to cost anything
FILE_INTERVAL = 10.0  # seconds between lines of a file: the log of a day remains readable
WIDTH = 79  # characters of a line, of a terminal that has as many
POINTS = "points"  # the task of a sweep, told apart from those of the solver at each point
BAR = 20  # characters
RECENT = 20  # reports that the rate is taken from, which changes from region to region

_shown: ContextVar[bool] = ContextVar("shown", default=False)


def words(task: str, done: float, total: float) -> str:
    """Return "task, 3 of 10" as far as the numbers are known."""
    count = "" if math.isnan(done) else f", {done:g}"
    return f"{task}{count}" + ("" if math.isnan(total) or not count else f" of {total:g}")


def throttled(report: Report, interval: float = INTERVAL) -> Report:
    """Return `report` such that it passes on at most one call per `interval` seconds.

    The points of a sweep are counted apart from the steps at a point, and the last one is passed.
    """
    last = {True: -math.inf, False: -math.inf}

    def seldom(task: str, done: float, total: float) -> None:
        of_sweep, now = task == POINTS, time.monotonic()
        if now - last[of_sweep] >= interval or (of_sweep and done == total):
            last[of_sweep] = now
            report(task, done, total)

    return seldom


@contextmanager
def progress(report: Report | None = None, *, interval: float | None = None) -> Iterator[None]:
    """Show how far the solvers are while the block runs, and of a sweep the number of points.

        with ww.progress():
            state = device.steady_state()

    report: called with the task in a few words, the units of work done, and their total, the last
    two NaN where unknown; at most once per `interval`, in seconds. None: one line, of the terminal
    or in the output of a notebook, that changes; lines on stderr where that is a file. interval:
    None for 0.2, of a file 10.
    Only calculations of this thread are followed, not those of workers in other processes, but
    for the points that these have finished. Within a block that shows a line, another one shows
    none of its own. Raises InvalidArgument for an interval that is not positive.
    """
    if interval is not None:
        interval = _checks.positive("interval", interval)
    if report is not None:
        with reporting(throttled(report, interval or INTERVAL)):
            yield
    elif _shown.get():
        yield
    else:
        line, token = _line(), _shown.set(True)
        usual = FILE_INTERVAL if isinstance(line, _File) else INTERVAL
        try:
            with reporting(throttled(_Words(line).show, interval or usual)):
                yield
        finally:
            _shown.reset(token)
            line.end()


@contextmanager
def progress_if(asked: Any) -> Iterator[None]:
    """Show `progress` for True, call a function with it, and do nothing for False or None."""
    if asked is None or asked is False:
        yield
        return
    if asked is not True and not callable(asked):
        raise InvalidArgument(f"`progress` must be True, False or a function, but is {asked!r}")
    with progress(None if asked is True else asked):
        yield


class _Words:
    """The text of a line: the points of a sweep, and after them what its solver does."""

    def __init__(self, line: "_Line") -> None:
        self.line, self.points = line, ""
        self.seen: deque[tuple[float, float]] = deque(maxlen=RECENT)

    def show(self, task: str, done: float, total: float) -> None:
        if task == POINTS:
            self.points = text = self._of_sweep(done, total)
        else:
            text = ", ".join(filter(None, (self.points, words(task, done, total))))
        self.line.show(text)

    def _of_sweep(self, done: float, total: float) -> str:
        self.seen.append((time.monotonic(), done))
        (start, before), (now, _) = self.seen[0], self.seen[-1]
        rate = (done - before) / (now - start) if now > start else 0.0
        bar = "" if math.isnan(total) else f" [{'#' * int(BAR * done / total):.<{BAR}}]"
        text = words(POINTS, done, total) + bar
        if rate == 0.0:
            return text
        hours, rest = divmod(round((total - done) / rate), 3600) if bar else (0, 0)
        left = f", {hours}:{rest // 60:02d}:{rest % 60:02d} left" if bar else ""
        return f"{text} {rate:.3g}/s{left}"


class _Terminal:
    """A line on stderr that is written over, and goes away at the end."""

    def __init__(self) -> None:
        self.width, self.written = min(WIDTH, shutil.get_terminal_size().columns - 1), False

    def show(self, text: str) -> None:
        sys.stderr.write(f"\r{text[: self.width]:<{self.width}}")
        sys.stderr.flush()
        self.written = True

    def end(self) -> None:
        if self.written:
            sys.stderr.write(f"\r{'':{self.width}}\r")
            sys.stderr.flush()


class _File:
    """Whole lines on stderr."""

    def show(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def end(self) -> None:
        pass


class _Notebook:
    """A line in the output of a cell, which keeps the last text."""

    def __init__(self) -> None:
        self.handle: Any = None

    def show(self, text: str) -> None:
        content = {"text/plain": text}
        if self.handle is None:
            display = import_module("IPython.display").display
            self.handle = display(content, raw=True, display_id=True)
        else:
            self.handle.update(content, raw=True)

    def end(self) -> None:
        pass


_Line = _Terminal | _Notebook | _File


def _line() -> _Line:
    """Return where a line is to be shown."""
    if type(sys.stderr).__module__.startswith("ipykernel."):
        return _Notebook()
    return _Terminal() if sys.stderr.isatty() else _File()
