"""The commands on stores: status, resume, collect."""

import dataclasses
import functools
import sys
from json import dumps
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from wheelwork.cli.execution import Execution
from wheelwork.cli.jobs import job_from_recipe
from wheelwork.cli.output import prepare_folder, write_whole
from wheelwork.cli.run import HERE, name_units, run
from wheelwork.errors import InvalidArgument
from wheelwork.sweeps import Status
from wheelwork.sweeps import collect as collected
from wheelwork.sweeps import status as status_of
from wheelwork.sweeps.export import write_csv, write_netcdf, write_parquet
from wheelwork.sweeps.store import open_store

DONE, SOME_FAILED, INCOMPLETE = 0, 1, 3

Folder = Annotated[Path, Parameter(name="DIR")]
Flag = Annotated[bool, Parameter(negative="")]


def status(folder: Folder, /, *, json: Flag = False) -> int:
    """Say how far the sweep in a store is; it may be running.

    The exit code is 0 where it is complete, 1 where points have no result, 3 where some are
    missing.

    Parameters
    ----------
    folder
        The store.
    json
        Print one JSON object.
    """
    counts = status_of(folder)
    if json:
        _print_json(dataclasses.asdict(counts) | {"complete": counts.complete})
    else:
        for line in _words(counts):
            print(line)
    if not counts.complete:
        return INCOMPLETE
    return SOME_FAILED if counts.failed else DONE


def resume(
    folder: Folder,
    /,
    *,
    out: Path | None = None,
    how: Execution = HERE,
) -> int:
    """Go on with the job of a store, with the parameters that it was started with.

    Parameters
    ----------
    folder
        The store.
    out
        Folder for the results; by default that of the start.
    """
    if how.store is not None:
        raise InvalidArgument(f"`--store` must be left out: `DIR` is it, but is '{how.store}'")
    job = job_from_recipe(open_store(folder).manifest.recipe, folder, out)
    return run(job, Console(), Console(stderr=True), dataclasses.replace(how, store=folder))


def collect(
    folder: Folder,
    /,
    *,
    out: Path | None = None,
    csv: Path | None = None,
    parquet: Path | None = None,
    partial: Flag = False,
    json: Flag = False,
) -> int:
    """Write all points of a store, which was filled by whomever, to one file.

    Parameters
    ----------
    folder
        The store.
    out
        netCDF file; by default the name of the store with .nc, beside it.
    csv
        Also write a table as CSV.
    parquet
        Also write a table as Parquet (extra `parquet`).
    partial
        Write what there is of an incomplete store, instead of ending with code 3.
    json
        Print one JSON object.
    """
    counts = status_of(folder)
    if not counts.complete and not partial:
        for line in [*_words(counts), "nothing written; resume it, or add --partial"]:
            print(f"wheelwork: {line}", file=sys.stderr)
        return INCOMPLETE
    dataset = collected(folder, partial=partial)
    recipe = open_store(folder).manifest.recipe
    if "unit" in recipe:
        dataset = name_units(dataset, recipe["unit"])
    data = Path(f"{folder.absolute()}.nc") if out is None else out
    writers = {data: write_netcdf, csv: write_csv, parquet: write_parquet}
    for path, write in writers.items():
        if path is not None:
            prepare_folder(path.parent, [path.name])
            write_whole(path, functools.partial(write, dataset))
    files = [str(path) for path in writers if path is not None]
    if json:
        summary = dataclasses.asdict(counts) | {"complete": counts.complete, "files": files}
        _print_json(summary)
    else:
        for line in [*_words(counts), *(f"wrote {file}" for file in files)]:
            print(line)
    return SOME_FAILED if counts.failed else DONE


def _words(counts: Status) -> list[str]:
    of = "" if counts.total is None else f" of {counts.total}"
    lines = [
        f"{counts.folder}: {counts.done}{of} points, {counts.failed} without a result, "
        f"{counts.audit_failed} with a failed check"
    ]
    if counts.writers:
        left = "" if counts.total is None else _remaining(counts)
        lines.append(f"{counts.writers} process(es) at work{left}")
    if counts.damaged:
        lines.append(f"{counts.damaged} damaged line(s) left out: their points are computed again")
    return lines


def _remaining(counts: Status) -> str:
    if not counts.done or counts.total is None:
        return ""
    seconds = counts.seconds / counts.done * (counts.total - counts.done)
    return f", {seconds:.3g} s of computing left"


def _print_json(summary: dict[str, object]) -> None:
    print(dumps(summary, default=str, ensure_ascii=False))
