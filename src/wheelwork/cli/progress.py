"""The progress of a sweep: a bar with rate, remaining time and failures."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from wheelwork.sweeps import Point

COUNTS = TextColumn("{task.fields[counts]}")


@dataclass
class Meter:
    """Counts points; the rate is that of points computed, not of those that a store already has."""

    total: int
    known: int = 0
    computed: int = 0
    failed: int = 0
    started: float = field(default_factory=time.monotonic)

    def add(self, point: Point) -> None:
        """Count a point."""
        self.known += 1
        self.computed += not point.stored
        self.failed += bool(point.failure)

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
        left = (self.total - self.known) / self.rate
        return f"{self.rate:.3g}/s, {_clock(left)} left, {self.failed} failed"


def _clock(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"


@contextlib.contextmanager
def shown(
    console: Console, title: str, total: int, visible: bool = True
) -> Iterator[tuple[Meter, Callable[[Point], None]]]:
    """Show a bar while a sweep runs; yields its meter and what to call after each point."""
    meter = Meter(total)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        COUNTS,
        console=console,
        transient=True,
        disable=not (visible and console.is_terminal),
    )
    with bar:
        task = bar.add_task(title, total=total, counts="")

        def advance(point: Point) -> None:
            meter.add(point)
            bar.update(task, completed=meter.known, counts=meter.words())

        yield meter, advance
