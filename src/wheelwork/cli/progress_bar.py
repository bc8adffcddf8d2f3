"""The bar that a running sweep shows, with what is left of its status on a narrow terminal."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from wheelwork.cli.terminal import writable
from wheelwork.numerics.progress import POINTS, progress
from wheelwork.numerics.progress import words as in_words
from wheelwork.sweeps import Point

REFRESHED = 5  # times per second
NARROWEST_BAR, WIDEST_BAR = 8, 40  # characters
TITLE_SHARE = 0.45  # of the width that a long title may take


@dataclass
class Meter:
    """Counts points; the rate is that of points computed, not of those that a store already has."""

    total: int
    known: int = 0
    kept: int = 0  # without those that `resume` tries again
    computed: int = 0
    failed: int = 0
    ended: int = 0  # exit code of a sweep that ended early
    started: float = field(default_factory=time.monotonic)
    clock: Callable[[], float] = time.monotonic
    show: Callable[["Meter"], object] = lambda meter: None

    def add(self, point: Point) -> None:
        self.known += 1
        self.kept += not point.transient
        self.computed += not point.stored
        self.failed += bool(point.failure)
        self.show(self)

    @property
    def seconds(self) -> float:
        return self.clock() - self.started

    @property
    def rate(self) -> float:
        """Points computed per second; zero before the first."""
        return self.computed / self.seconds if self.computed else 0.0


@contextlib.contextmanager
def shown(console: Console, title: str, total: int, visible: bool = True) -> Iterator[Meter]:
    """Show a bar while a sweep runs, and what a solver does; yields the meter of its points."""
    meter, doing = Meter(total), ""

    def count(meter: Meter) -> None:
        nonlocal doing
        doing = ""

    def do(task: str, done: float, total: float) -> None:
        nonlocal doing
        if task != POINTS:
            doing = in_words(task, done, total)

    if not (visible and console.is_terminal):
        yield meter
        return
    meter.show = count
    live = Live(
        console=console,
        transient=True,
        get_renderable=lambda: line(meter, title, doing, console),
        refresh_per_second=REFRESHED,
    )
    with live, progress(do):
        yield meter


def line(meter: Meter, title: str, doing: str, console: Console) -> Table:
    """Return a line with the count of points, and as much of the rest as the width allows.

    What is left out goes in this order: what the solver does, the time passed, the rate, no
    failures, the bar, the time left, failures. A long title is cut, numbers never are.
    """
    width = console.width - 1  # a full line would make some terminals begin another
    name = Text(writable(title, console))
    name.truncate(max(1, int(TITLE_SHARE * width)), overflow="ellipsis")
    left = _time((meter.total - meter.known) / meter.rate) if meter.rate else ""
    parts = {  # as they stand in the line
        "title": name.plain,
        "bar": " " * NARROWEST_BAR,
        "count": f"{meter.known}/{meter.total}",
        "passed": _time(meter.seconds),
        "rate": f"{meter.rate:.3g}/s" if left else "",
        "left": f"{left} left" if left else "",
        "failed": f"{meter.failed} failed" if meter.failed or left else "",
        "doing": writable(doing, console),
    }
    middling = ("left", "bar", "failed") if not meter.failed else ("failed", "left", "bar")
    kept, room = set[str](), width
    for part in ("count", "title", *middling, "rate", "passed", "doing"):
        need = cell_len(parts[part]) + 2 * bool(kept)
        if parts[part] and need <= room:
            kept.add(part)
            room -= need
    words = [parts[part] for part in parts if part in kept and part not in ("title", "bar")]
    row: list[RenderableType] = [Text(parts["title"] if "title" in kept else "")]
    if "bar" in kept:
        columns = min(NARROWEST_BAR + room, WIDEST_BAR)
        row.append(ProgressBar(meter.total, meter.known, width=columns))
    table = Table.grid(padding=(0, 1))
    table.add_row(*row, Text(", ".join(words)))
    return table


def _time(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
