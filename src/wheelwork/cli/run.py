"""Carrying out a job: sweep, additions, files, report."""

import functools
import json
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from rich.console import Console

from wheelwork.cli.execution import Execution, executor_of
from wheelwork.cli.jobs import Job
from wheelwork.cli.output import prepare_folder, write_whole
from wheelwork.cli.progress import Meter, shown
from wheelwork.cli.report import print_report
from wheelwork.plots import save_figure
from wheelwork.sweeps import sweep
from wheelwork.sweeps.execution import Share
from wheelwork.sweeps.export import write_netcdf

FIGURES = ("png", "pdf")
FINISHED, POINTS_FAILED, INTERRUPTED = 0, 1, 130
HERE = Execution()


def run(job: Job, out: Console, progress: Console, how: Execution = HERE) -> int:
    """Carry out `job`: print to `out`, draw the bar on `progress`, return the exit code.

    Writes NAME.nc, NAME.png and NAME.pdf into the job's folder; of a shard, the points into the
    store only. Ctrl-C ends the sweep; what is done by then is written all the same. The code is 0,
    or 1 where a point has no result, or 130 after an interrupt.
    """
    part = how.checked().part
    if part is None:
        prepare_folder(job.folder, [f"{job.run.name}.{kind}" for kind in ("nc", *FIGURES)])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dataset, meter = _compute(job, progress, how)
    warned = list(dict.fromkeys(str(warning.message) for warning in caught))
    if part is not None:
        return _end_of_shard(dataset, job, how, out, meter, warned)
    if bool((dataset["failure"] == "not computed").all()):
        if how.talks:
            out.print("interrupted before the first point was done; nothing written")
        _print_json(out, dataset, how, meter, files=[], warnings=warned)
        return INTERRUPTED
    files = _write(dataset, job)
    if how.talks:
        print_report(out, dataset, job.run.presentation, warned, files)
    _print_json(out, dataset, how, meter, files=[str(file) for file in files], warnings=warned)
    return _code(dataset)


def _code(dataset: xr.Dataset) -> int:
    if not dataset.attrs["complete"]:
        return INTERRUPTED
    return POINTS_FAILED if bool((dataset["failure"] != "").any()) else FINISHED


def _compute(job: Job, progress: Console, how: Execution) -> tuple[xr.Dataset, Meter]:
    dataset, meter = _sweep_with_bar(job, progress, how)
    dataset = name_units(dataset, job.energy_unit)
    if not dataset.attrs["complete"] or how.part is not None:
        return dataset, meter
    run = job.run
    try:
        with progress.status("what the figure shows besides") if how.talks else nullcontext():
            dataset = run.presentation.complete(dataset, run.machine, run.parameter, run.method)
            return dataset, meter
    except KeyboardInterrupt:
        return dataset.assign_attrs(complete=0), meter


def _sweep_with_bar(job: Job, progress: Console, how: Execution) -> tuple[xr.Dataset, Meter]:
    run = job.run
    title = f"{run.name}: {run.parameter}"
    with (
        executor_of(how) as (executor, workers),
        shown(progress, title, run.values.size, how.talks) as (meter, advance),
    ):
        dataset = sweep(
            run.machine,
            {run.parameter: run.values},
            run.method,
            store=how.store,
            executor=executor,
            workers=workers,
            shard=how.part,
            on_point=advance,
            recipe={**job.recipe, "out": str(job.folder.absolute()), "unit": job.energy_unit},
        )
    return dataset, meter


def name_units(dataset: xr.Dataset, energy_unit: str) -> xr.Dataset:
    """Return `dataset` with "energy" in its units replaced by the unit that was chosen."""
    for variable in dataset.variables.values():
        units = variable.attrs.get("units", "")
        if "energy" in units:
            variable.attrs["units"] = units.replace("energy", energy_unit).replace("1^2", "1")
    return dataset.assign_attrs(energy_unit=energy_unit)


def _end_of_shard(
    dataset: xr.Dataset, job: Job, how: Execution, out: Console, meter: Meter, warned: list[str]
) -> int:
    """Say what was done; the shard is done unless one of its own points is missing."""
    bits = np.ascontiguousarray(job.run.values, dtype=np.float64).view(np.int64)  # 0 is not -0 here
    _, first = np.unique(bits, return_index=True)  # equal values are computed once
    share = Share(*how.part or (1, 1))
    own = dataset["failure"].values[[index for index in first if share.holds(index)]]
    known = int((own != "not computed").sum())
    if how.talks:
        words = f"{meter.computed} points computed, {known} of {own.size} in '{how.store}'"
        out.print(f"shard {how.shard}: {words}", soft_wrap=True)
        for text in warned:
            out.print(f"warning: {text}", soft_wrap=True, markup=False)
    _print_json(out, dataset, how, meter, files=[], warnings=warned)
    if known < own.size:
        return INTERRUPTED
    return POINTS_FAILED if (own != "").any() else FINISHED


def _print_json(
    out: Console, dataset: xr.Dataset, how: Execution, meter: Meter, **more: Any
) -> None:
    if not how.json:
        return
    summary = {
        "points": int(dataset["failure"].size),
        "done": int((dataset["failure"] != "not computed").sum()),
        "computed": meter.computed,
        "failed": int(dataset["failed"].sum()),
        "audit_failed": int((dataset["audit_passed"] == 0).sum()),
        "complete": bool(dataset.attrs["complete"]),
        "seconds": round(meter.seconds, 3),
        "store": str(how.store) if how.store is not None else None,
        **more,
    }
    out.file.write(json.dumps(summary, ensure_ascii=False) + "\n")


def _write(dataset: xr.Dataset, job: Job) -> list[Path]:
    """Write data and figures; a part of a sweep never replaces an earlier file."""
    name = job.run.name
    if not dataset.attrs["complete"] and (job.folder / f"{name}.nc").exists():
        name = f"{name}-partial"
    data = job.folder / f"{name}.nc"
    write_whole(data, lambda path: write_netcdf(dataset, path))
    if bool((dataset["failure"] != "").all()):
        return [data]  # there is nothing to draw
    figure = job.run.presentation.draw(dataset)
    files = [data]
    for kind in FIGURES:
        files.append(job.folder / f"{name}.{kind}")
        write_whole(files[-1], functools.partial(save_figure, figure, file_format=kind))
    return files
