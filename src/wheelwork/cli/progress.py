"""The progress of a sweep: a bar with rate, remaining time and failures."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from wheelwork.sweeps import Point


@dataclass
class Meter:
    """Counts points; the rate is that of points computed, not of those that a store already has."""

    total: int
    known: int = 0
    computed: int = 0
    failed: int = 0
    started: float = field(default_factory=time.monotonic)
    show: Callable[["Meter"], object] = lambda meter: None

    def add(self, point: Point) -> None:
        """Count a point."""
        self.known += 1
        self.computed += not point.stored
        self.failed += bool(point.failure)
        self.show(self)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.started

    @property
    def rate(self) -> float:
        """Points computed per second; zero before the first."""
        return self.computed / self.seconds if self.computed else 0.0

    def words(self) -> str:
        """Rate, remaining time, failures."""
        if not self.rate:
            return f"{self.failed} failed" if self.failed else ""
        hours, rest = divmod(round((self.total - self.known) / self.rate), 3600)
        left = f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
        return f"{self.rate:.3g}/s, {left} left, {self.failed} failed"


@contextlib.contextmanager
def shown(console: Console, title: str, total: int, visible: bool = True) -> Iterator[Meter]:
    """Show a bar while a sweep runs; yields the meter of its points."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[counts]}"),
    )
    disable = not (visible and console.is_terminal)
    with Progress(*columns, console=console, transient=True, disable=disable) as bar:
        task = bar.add_task(title, total=total, counts="")
        yield Meter(
            total, show=lambda meter: bar.update(task, completed=meter.known, counts=meter.words())
        )
