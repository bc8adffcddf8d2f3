"""Carrying out a job: sweep, additions, files, report."""

import functools
import warnings
from pathlib import Path

import xarray as xr
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from wheelwork.cli.jobs import Job
from wheelwork.cli.output import prepare_folder, write_whole
from wheelwork.cli.report import print_report
from wheelwork.plots import save_figure
from wheelwork.sweeps import Point, sweep

FIGURES = ("png", "pdf")
FINISHED, POINTS_FAILED, INTERRUPTED = 0, 1, 130


def run(job: Job, out: Console, progress: Console) -> int:
    """Carry out `job`: print to `out`, draw the bar on `progress`, return the exit code.

    Writes NAME.nc, NAME.png and NAME.pdf into the job's folder. Ctrl-C ends the sweep; what is
    done by then is written all the same. The code is 0, or 1 where a point has no result, or 130
    after an interrupt.
    """
    prepare_folder(job.folder, [f"{job.name}.{kind}" for kind in ("nc", *FIGURES)])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dataset = _compute(job, progress)
    warned = list(dict.fromkeys(str(warning.message) for warning in caught))
    if bool((dataset["failure"] == "not computed").all()):
        out.print("interrupted before the first point was done; nothing written")
        return INTERRUPTED
    print_report(out, dataset, job.show, warned, _write(dataset, job))
    if not dataset.attrs["complete"]:
        return INTERRUPTED
    return POINTS_FAILED if bool((dataset["failure"] != "").any()) else FINISHED


def _compute(job: Job, progress: Console) -> xr.Dataset:
    dataset = _sweep_with_bar(job, progress)
    dataset = _name_units(dataset, job.energy_unit)
    if not dataset.attrs["complete"]:
        return dataset
    try:
        return job.show.complete(dataset, job.machine, job.parameter, job.method)
    except KeyboardInterrupt:
        return dataset.assign_attrs(complete=0)


def _sweep_with_bar(job: Job, progress: Console) -> xr.Dataset:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=progress,
        transient=True,
    )
    with bar:
        task = bar.add_task(f"{job.name}: {job.parameter}", total=job.values.size)

        def advance(point: Point) -> None:
            bar.update(task, completed=point.index + 1)

        return sweep(job.machine, {job.parameter: job.values}, job.method, on_point=advance)


def _name_units(dataset: xr.Dataset, energy_unit: str) -> xr.Dataset:
    """Return `dataset` with "energy" in its units replaced by the unit that was chosen."""
    for variable in dataset.variables.values():
        units = variable.attrs.get("units", "")
        if "energy" in units:
            variable.attrs["units"] = units.replace("energy", energy_unit).replace("1^2", "1")
    return dataset.assign_attrs(energy_unit=energy_unit)


def _write(dataset: xr.Dataset, job: Job) -> list[Path]:
    """Write data and figures; a part of a sweep never takes the place of an earlier file."""
    name = job.name
    if not dataset.attrs["complete"] and (job.folder / f"{name}.nc").exists():
        name = f"{name}-partial"
    data = job.folder / f"{name}.nc"
    write_whole(data, lambda path: _write_netcdf(dataset, path))
    if bool((dataset["failure"] != "").all()):
        return [data]  # there is nothing to draw
    figure = job.show.draw(dataset)
    files = [data]
    for kind in FIGURES:
        files.append(job.folder / f"{name}.{kind}")
        write_whole(files[-1], functools.partial(save_figure, figure, file_format=kind))
    return files


def _write_netcdf(dataset: xr.Dataset, path: Path) -> None:
    dataset.to_netcdf(path, engine="netcdf4")
