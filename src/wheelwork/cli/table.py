"""The table of a sweep, as many columns as the terminal holds: no digit is ever cut."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from wheelwork._checks import FloatArray
from wheelwork.cli.terminal import writable
from wheelwork.papers.runs import Presentation
from wheelwork.plots import observables_of

MAX_ROWS = 17  # of the table: a screen holds them with all that follows
USUAL_DIGITS, MOST_DIGITS = 6, 17  # of a parameter; with 17 all numbers differ
GAP, EDGES = 2, 2  # characters between columns, and at both ends of a row


@dataclass(frozen=True)
class Column:
    """A column of the table. rank: of a narrow terminal the columns of highest rank are left out;
    the one of rank 0 never is.
    """

    heading: str
    cells: Sequence[str]
    rank: int

    @property
    def width(self) -> int:
        """Characters of the longest line."""
        return max(
            cell_len(line) for text in (self.heading, *self.cells) for line in text.split("\n")
        )


def table_of(dataset: xr.Dataset, show: Presentation, console: Console) -> tuple[Table, list[str]]:
    """Return the table, and the headings of the columns for which there is no room."""
    every = columns_of(dataset, show, lambda text: writable(text, console))
    kept = fitting(every, console.width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in kept:
        table.add_column(column.heading, justify="right", no_wrap=True)
    for row in zip(*(column.cells for column in kept), strict=True):
        table.add_row(*row)
    ranks = {column.rank for column in kept}
    return table, [column.heading for column in every if column.rank not in ranks]


def fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """Return the columns that `width` characters hold, long headings in lines if need be."""
    kept = list(columns)
    while _width(kept) > width:
        folded = [_folded(column) for column in kept]
        if _width(folded) <= width or len(kept) == 1:
            return folded
        kept.remove(max(kept, key=lambda column: column.rank))
    return kept


def _width(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1) + EDGES


def _folded(column: Column) -> Column:
    """Return `column` with a heading as narrow as its cells, broken after "_", "." and spaces."""
    room = max(map(cell_len, column.cells), default=0)
    lines = [""]
    for word in re.findall(r".+?(?:[_. ]+|$)", column.heading):
        if lines[-1] and cell_len(lines[-1] + word) > room:
            lines.append("")
        lines[-1] += word
    return Column("\n".join(lines), column.cells, column.rank)


def columns_of(
    dataset: xr.Dataset, show: Presentation, text: Callable[[str], str] = str
) -> list[Column]:
    """Return the columns, of a long sweep with every n-th point. text: makes headings writable.

    Parameter and verdict stay longest on a narrow terminal, then the observable whose error is
    shown, its error, and the others in order.
    """
    parameter = str(dataset["failure"].dims[0])
    headings, judged = _observables(dataset, show)
    computed = dataset.isel({parameter: dataset["failure"].values != "not computed"})
    count = computed.sizes[parameter]
    points = [
        computed.isel({parameter: index})
        for index in range(0, count, max(1, math.ceil((count - 1) / (MAX_ROWS - 1))))
    ]
    order = sorted(headings, key=lambda name: name != judged)
    later = {name: place + 3 for place, name in enumerate(order)} | {judged: 2}
    return [
        Column(text(parameter), as_told_apart([float(one[parameter]) for one in points]), 0),
        *(
            Column(text(heading), [_cell(one, name) for one in points], later[name])
            for name, heading in headings.items()
        ),
        Column(text(show.error_heading), [_relative_error(one, judged) for one in points], 3),
        Column("audit", [_verdict(one) for one in points], 1),
    ]


def _observables(dataset: xr.Dataset, show: Presentation) -> tuple[dict[str, str], str]:
    """Return the heading of each observable, and the one whose error is shown."""
    if show.headings:
        headings = {name: words for name, words in show.headings.items() if name in dataset}
        return headings, show.judged
    names = observables_of(dataset)
    judged = show.judged or next((name for name in names if f"{name}_error" in dataset), "")
    return {name: name for name in names}, judged


def as_told_apart(values: Sequence[float] | FloatArray) -> list[str]:
    """Return numbers as text, with as many digits as tell different ones apart, six at least."""
    different = len(set(np.asarray(values).tolist()))
    for digits in range(USUAL_DIGITS, MOST_DIGITS + 1):
        texts = [f"{value:.{digits}g}" for value in values]
        if len(set(texts)) >= different:
            break
    return texts


def _cell(point: xr.Dataset, name: str) -> str:
    number = float(point[name])
    if math.isnan(number):
        return "-"
    text = f"{number:.2e}" if 0 < abs(number) < 1e-2 else f"{number:.5g}"
    return f"({text})" if point["failure"].item() else text


def _verdict(point: xr.Dataset) -> str:
    passed = int(point["audit_passed"])
    if point["failure"].item():
        return "not converged" if passed == 0 else "none"
    return "ok" if passed == 1 else "see below"


def _relative_error(point: xr.Dataset, name: str) -> str:
    if f"{name}_error" not in point:
        return "-"
    relative = abs(float(point[f"{name}_error"]) / float(point[name]))
    return "-" if math.isnan(relative) else f"{relative:.0e}"
