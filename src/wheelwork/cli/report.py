"""Output on the terminal: progress while a job runs, and the report at its end."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import xarray as xr
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from wheelwork.numerics.progress import POINTS, progress, words
from wheelwork.papers.runs import Presentation
from wheelwork.plots import observables_of
from wheelwork.sweeps import Point

MAX_ROWS = 17  # of the table: a screen holds them with all that follows
MAX_COLUMNS = 7  # of observables that nobody chose: they fit into 100 characters
MAX_LINES = 5  # of one kind of message


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
    show: Callable[["Meter"], object] = lambda meter: None

    def add(self, point: Point) -> None:
        self.known += 1
        self.kept += not point.transient
        self.computed += not point.stored
        self.failed += bool(point.failure)
        self.show(self)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def rate(self) -> float:
        """Points computed per second; zero before the first."""
        return self.computed / self.seconds if self.computed else 0.0

    def words(self) -> str:
        if not self.rate:
            return f"{self.failed} failed" if self.failed else ""
        hours, rest = divmod(round((self.total - self.known) / self.rate), 3600)
        left = f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
        return f"{self.rate:.3g}/s, {left} left, {self.failed} failed"


@contextlib.contextmanager
def shown(console: Console, title: str, total: int, visible: bool = True) -> Iterator[Meter]:
    """Show a bar while a sweep runs, and what a solver does; yields the meter of its points."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[counts]}"),
        TextColumn("{task.fields[doing]}", style="dim"),
    )
    disable = not (visible and console.is_terminal)
    with Progress(*columns, console=console, transient=True, disable=disable) as bar:
        task = bar.add_task(title, total=total, counts="", doing="")

        def count(meter: Meter) -> None:
            bar.update(task, completed=meter.known, counts=meter.words(), doing="")

        def do(doing: str, *counts: float) -> None:
            if doing != POINTS:  # which have a bar
                bar.update(task, doing=escape(words(doing, *counts)))

        with nullcontext() if disable else progress(do):
            yield Meter(total, show=count)


def print_report(
    out: Console,
    dataset: xr.Dataset,
    show: Presentation,
    warned: Sequence[str],
    files: Sequence[Path],
) -> None:
    """Print the table, remarks, the audit, what went wrong, and where the files are."""
    parameter = str(dataset["failure"].dims[0])
    out.print(_table(dataset, parameter, show))
    unit = dataset.attrs.get("energy_unit", "1")
    if unit == "1":
        unit = "the unit of the parameters (ħ = e = k_B = 1)"
    out.print(f"energies in {unit}")
    for line in (
        *show.remarks(dataset),
        *_audit(dataset, parameter),
        *_first([f"warning: {message}" for message in warned]),
        *_first(_texts(dataset, "warning", "warning")),
        *_failures(dataset, parameter),
        *(f"wrote {file}" for file in files),
    ):
        out.print(escape(line), soft_wrap=True)


def _columns(dataset: xr.Dataset, show: Presentation) -> tuple[dict[str, str], str]:
    """Return the heading of each observable in the table, and the one whose error is shown."""
    if show.headings:
        headings = {name: words for name, words in show.headings.items() if name in dataset}
        return headings, show.judged
    names = observables_of(dataset)
    judged = show.judged or next((name for name in names if f"{name}_error" in dataset), "")
    return {name: name for name in names[:MAX_COLUMNS]}, judged


def _table(dataset: xr.Dataset, parameter: str, show: Presentation) -> Table:
    names, judged = _columns(dataset, show)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in (parameter, *names.values(), show.error_heading, "audit"):
        table.add_column(heading, justify="right", no_wrap=True)
    computed = dataset.isel({parameter: dataset["failure"].values != "not computed"})
    count = computed.sizes[parameter]
    for index in range(0, count, max(1, math.ceil((count - 1) / (MAX_ROWS - 1)))):
        point = computed.isel({parameter: index})
        cells = [_short(float(point[name])) for name in names]
        verdict = "ok" if int(point["audit_passed"]) == 1 else "see below"
        if point["failure"].item():
            partial = int(point["audit_passed"]) == 0
            verdict = "not converged" if partial else "none"
            cells = [cell if cell == "-" else f"({cell})" for cell in cells]
        value = f"{float(point[parameter]):g}"
        table.add_row(value, *cells, _relative_error(point, judged), verdict)
    return table


def _short(number: float) -> str:
    if math.isnan(number):
        return "-"
    return f"{number:.2e}" if 0 < abs(number) < 1e-2 else f"{number:.5g}"


def _relative_error(point: xr.Dataset, name: str) -> str:
    if f"{name}_error" not in point:
        return "-"
    relative = abs(float(point[f"{name}_error"]) / float(point[name]))
    return "-" if math.isnan(relative) else f"{relative:.0e}"


def _audit(dataset: xr.Dataset, parameter: str) -> list[str]:
    """Return one line per failed check, or one line saying that all passed."""
    if "audit_ok" not in dataset:
        return []
    failed = dataset["audit_ok"] == 0
    lines = [
        f"audit: {check.item()} fails at {int(bad.sum())} point(s), worst {_worst(dataset, check)}"
        for check, bad in zip(dataset["check"], failed.transpose("check", ...), strict=True)
        if bool(bad.any())
    ]
    verdicts = int((dataset["audit_ok"] != -1).any("check").sum())
    return lines or [f"audit: all {dataset.sizes['check']} checks passed at {verdicts} points"]


def _worst(dataset: xr.Dataset, check: xr.DataArray) -> str:
    """Return value, bound and parameter of the failed entry farthest beyond its bound."""
    entries = dataset.sel(check=check)
    excess = abs(entries["audit_value"] / entries["audit_bound"]).where(entries["audit_ok"] == 0)
    worst = entries.isel(excess.fillna(-math.inf).argmax(...))
    parameter = str(dataset["failure"].dims[0])
    return (
        f"{float(worst['audit_value']):.3g} against {float(worst['audit_bound']):.3g} "
        f"at {parameter} = {float(worst[parameter]):g}"
    )


def _failures(dataset: xr.Dataset, parameter: str) -> list[str]:
    """Return the points without a result, and how many are done if the sweep was interrupted."""
    computed = dataset.isel({parameter: dataset["failure"].values != "not computed"})
    partial = computed["audit_passed"].values == 0
    reached = _texts(computed.isel({parameter: partial}), "failure", "not converged")
    lines = _first(_texts(computed.isel({parameter: ~partial}), "failure", "no result"))
    if reached:
        lines += [*_first(reached), "numbers in brackets have not converged"]
    if dataset.attrs.get("complete", 1):
        return lines
    done, count = computed.sizes[parameter], dataset.sizes[parameter]
    return [*lines, f"interrupted: {done} of {count} points done and kept"]


def _texts(dataset: xr.Dataset, name: str, words: str) -> list[str]:
    """Return a line for each point with a text `name`."""
    if name not in dataset:
        return []
    parameter = str(dataset["failure"].dims[0])
    return [
        f"{words} at {parameter} = {float(text[parameter]):g}: {text.item()}"
        for text in dataset[name]
        if text.item()
    ]


def _first(lines: list[str]) -> list[str]:
    """Return the first few of `lines`, and how many more there are."""
    more = len(lines) - MAX_LINES
    return lines[:MAX_LINES] + ([f"... and {more} more of this kind"] if more > 0 else [])
