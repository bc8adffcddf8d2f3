"""The report at the end of a job: table, audit, what went wrong, and where the files are."""

import math
from collections.abc import Sequence
from pathlib import Path

import xarray as xr
from rich.console import Console
from rich.markup import escape

from wheelwork.cli.table import as_told_apart, table_of
from wheelwork.papers.runs import Presentation

MAX_LINES = 5  # of one kind of message


def print_report(
    out: Console,
    dataset: xr.Dataset,
    show: Presentation,
    warned: Sequence[str],
    files: Sequence[Path],
) -> None:
    """Print the table, remarks, the audit, what went wrong, and where the files are."""
    parameter = str(dataset["failure"].dims[0])
    table, hidden = table_of(dataset, show, out)
    out.print(table)
    if hidden:
        out.print(escape(_more(hidden, files)), soft_wrap=True)
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


def _more(hidden: Sequence[str], files: Sequence[Path]) -> str:
    """Return how many columns the table has no room for, the first of them, and where they are."""
    columns = "column" if len(hidden) == 1 else "columns"
    where = f" in {files[0]}" if files else ""
    names = [*hidden[:MAX_LINES], *(["…"] if len(hidden) > MAX_LINES else [])]
    return f"… {len(hidden)} more {columns}{where}: {', '.join(names)}"


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
    index = int(excess.fillna(-math.inf).values.argmax())
    value, bound = (float(entries[name][index]) for name in ("audit_value", "audit_bound"))
    return f"{value:.3g} against {bound:.3g} at {_places(dataset)[index]}"


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
    texts = zip(_places(dataset), dataset[name].values.tolist(), strict=True)
    return [f"{words} at {place}: {text}" for place, text in texts if text]


def _places(dataset: xr.Dataset) -> list[str]:
    """Return "parameter = value" of each point."""
    parameter = str(dataset["failure"].dims[0])
    return [f"{parameter} = {text}" for text in as_told_apart(dataset[parameter].values)]


def _first(lines: list[str]) -> list[str]:
    """Return the first few of `lines`, and how many more there are."""
    more = len(lines) - MAX_LINES
    return lines[:MAX_LINES] + ([f"... and {more} more of this kind"] if more > 0 else [])
