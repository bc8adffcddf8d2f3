"""The commands: `run` with its presets, and `status`, `resume`, `collect` of a store."""

import dataclasses
import functools
import os
import sys
from json import dumps
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from wheelwork import sweeps
from wheelwork.cli.jobs import (
    DEFAULT_FOLDER,
    Execution,
    Job,
    job_from_recipe,
    load_job,
    paper_job,
    whole,
)
from wheelwork.cli.run import (
    FINISHED,
    HERE,
    POINTS_FAILED,
    name_units,
    prepare_folder,
    run,
    write_whole,
)
from wheelwork.errors import InvalidArgument
from wheelwork.sweeps.export import write_csv, write_netcdf, write_parquet
from wheelwork.sweeps.store import open_store

INCOMPLETE = 3  # exit code where points are missing in a store
PLAIN_WIDTH = 100  # of a table that goes to a file or a pipe

Flag = Annotated[bool, Parameter(negative="")]
Folder = Annotated[Path, Parameter(name="DIR", help="The store.")]
Json = Annotated[bool, Parameter(negative="", help="Print one JSON object.")]
Out = Annotated[Path, Parameter(help="Folder for the results; made if it is not there.")]

run_app = App(name="run", suppress_keyboard_interrupt=False)


@run_app.command
def flywheel(
    *,
    out: Out = DEFAULT_FOLDER,
    points: float = 65,
    bias_max: float = 32.0,
    rtol: float = 1e-6,
    how: Execution = HERE,
) -> int:
    """Sweep the bias of the electromechanical flywheel, parameters of Culhane et al., Fig. 2.

    Writes flywheel.nc, flywheel.png and flywheel.pdf.

    Parameters
    ----------
    points
        Number of bias values, evenly spaced from 0 to `bias-max`.
    bias_max
        Largest bias mu_L - mu_R, in the unit of the paper's energies.
    rtol
        Relative tolerance; the errors reached are in the results.
    """
    options = {"points": whole(points), "bias_max": bias_max, "rtol": rtol}
    return _run(paper_job("flywheel", out, **options), how)


@run_app.command
def rotor(
    *, out: Out = DEFAULT_FOLDER, points: float = 89, rtol: float = 1e-9, how: Execution = HERE
) -> int:
    """Sweep the hot bath of the rotor engine, parameters of Leitch et al., Fig. 2.

    Writes rotor.nc, rotor.png and rotor.pdf: flows, regimes, bounds, ergotropies, rectification.

    Parameters
    ----------
    points
        Number of values of beta_2/beta_1, evenly spaced from 0.02 to 0.9.
    rtol
        Relative tolerance; the errors reached are in the results.
    """
    return _run(paper_job("rotor", out, points=whole(points), rtol=rtol), how)


@run_app.command(name="power-grid")
def power_grid(
    *, out: Out = DEFAULT_FOLDER, points: float = 32, rtol: float = 1e-9, how: Execution = HERE
) -> int:
    """Sweep the engine of a power grid, parameters of Huber and Rabl, Figs. 2-5.

    Writes power-grid.nc, power-grid.png and power-grid.pdf: current and number of branches over
    both rates, symmetry breaking, noise, entanglement, a grid with several ports. Takes a minute
    or two.

    Parameters
    ----------
    points
        Number of extraction rates in the table, evenly spaced up to 8 g.
    rtol
        Relative tolerance of the amplitudes without noise.
    """
    return _run(paper_job("power-grid", out, points=whole(points), rtol=rtol), how)


@run_app.default
def parameter_file(
    file: Annotated[Path, Parameter(name="FILE")],
    /,
    *,
    out: Path | None = None,
    how: Execution = HERE,
) -> int:
    """Sweep a machine over one parameter: table, netCDF file, figure.

    Parameters
    ----------
    file
        TOML file; examples/*.toml explain every key. A class that it names is imported, which runs
        its code.
    out
        Folder for the results; before the file's [output] folder, which is before `out`.
    """
    if file.suffix != ".toml" and not os.path.exists(file):
        raise InvalidArgument(
            "`run` must be given `flywheel`, `rotor`, `power-grid` or a TOML file, "
            f"but is given '{file}'"
        )
    return _run(load_job(file, out), how)


def _run(job: Job, how: Execution) -> int:
    out = Console()
    if not out.is_terminal:
        out = Console(width=PLAIN_WIDTH)
    return run(job, out, Console(stderr=True), how)


def resume(folder: Folder, /, *, out: Path | None = None, how: Execution = HERE) -> int:
    """Go on with the job of a store, with the parameters that it was started with.

    Parameters
    ----------
    out
        Folder for the results; by default that of the start.
    """
    if how.store is not None:
        raise InvalidArgument(f"`--store` must be left out: `DIR` is it, but is '{how.store}'")
    job = job_from_recipe(open_store(folder).manifest.recipe, folder, out)
    return run(job, Console(), Console(stderr=True), dataclasses.replace(how, store=folder))


def status(folder: Folder, /, *, json: Json = False) -> int:
    """Say how far the sweep in a store is; it may be running.

    The exit code is 0 where it is complete, 1 where points have no result, 3 where some are
    missing.
    """
    counts = sweeps.status(folder)
    _print(counts, json)
    if not counts.complete:
        return INCOMPLETE
    return POINTS_FAILED if counts.failed else FINISHED


def collect(
    folder: Folder,
    /,
    *,
    out: Path | None = None,
    csv: Path | None = None,
    parquet: Path | None = None,
    partial: Flag = False,
    json: Json = False,
) -> int:
    """Write all points of a store, which was filled by whomever, to one file.

    Parameters
    ----------
    out
        netCDF file; by default the name of the store with .nc, beside it.
    csv
        Also write a table as CSV.
    parquet
        Also write a table as Parquet (extra `parquet`).
    partial
        Write what there is of an incomplete store, instead of ending with code 3.
    """
    counts = sweeps.status(folder)
    if not counts.complete and not partial:
        for line in [*_words(counts), "nothing written; resume it, or add --partial"]:
            print(f"wheelwork: {line}", file=sys.stderr)
        return INCOMPLETE
    dataset = sweeps.collect(folder, partial=partial)
    recipe = open_store(folder).manifest.recipe
    if "unit" in recipe:
        dataset = name_units(dataset, recipe["unit"], recipe.get("length", "1"))
    data = Path(f"{folder.absolute()}.nc") if out is None else out
    writers = {data: write_netcdf, csv: write_csv, parquet: write_parquet}
    for path, write in writers.items():
        if path is not None:
            prepare_folder(path.parent, [path.name])
            write_whole(path, functools.partial(write, dataset))
    _print(counts, json, [str(path) for path in writers if path is not None])
    return POINTS_FAILED if counts.failed else FINISHED


def _print(counts: sweeps.Status, json: bool, files: list[str] | None = None) -> None:
    """Print how far a store is, and the files written, if any command writes some."""
    if json:
        summary = dataclasses.asdict(counts) | {"complete": counts.complete}
        summary |= {} if files is None else {"files": files}
        print(dumps(summary, default=str, ensure_ascii=False))
    else:
        print("\n".join([*_words(counts), *(f"wrote {file}" for file in files or ())]))


def _words(counts: sweeps.Status) -> list[str]:
    of = "" if counts.total is None else f" of {counts.total}"
    lines = [
        f"{counts.folder}: {counts.done}{of} points, {counts.failed} without a result, "
        f"{counts.audit_failed} with a failed check"
    ]
    if counts.writers:
        left = ""
        if counts.done and counts.total is not None:
            seconds = counts.seconds / counts.done * (counts.total - counts.done)
            left = f", {seconds:.3g} s of computing left"
        lines.append(f"{counts.writers} process(es) at work{left}")
    if counts.damaged:
        lines.append(f"{counts.damaged} damaged line(s) left out: their points are computed again")
    return lines
