"""Carrying out a job: sweep, additions, files, report."""

import functools
import math
import os
import shlex
import tempfile
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import xarray as xr
from rich.console import Console

from wheelwork.cli.exit_codes import FAILURE, FINISHED, INTERRUPTED, TERMINATED
from wheelwork.cli.jobs import HERE, Execution, Job, executor_of, job_from_recipe
from wheelwork.cli.progress_bar import Meter, shown
from wheelwork.cli.report import print_report
from wheelwork.cli.terminal import BESIDES, busy, to_json
from wheelwork.errors import InvalidArgument
from wheelwork.plots import save_figure
from wheelwork.sweeps import collect, sweep
from wheelwork.sweeps.case_sweep import identity_of
from wheelwork.sweeps.execution import Share
from wheelwork.sweeps.export import write_netcdf
from wheelwork.sweeps.point import POINT_FAILURES, Task, message
from wheelwork.sweeps.stopping import STOPS, Terminated
from wheelwork.sweeps.store import Manifest, open_store

FIGURES = ("png", "pdf")
# Of libraries below, to their users; nobody at the command line can do anything about them.
FOR_DEVELOPERS = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


def run(job: Job, out: Console, progress: Console, how: Execution = HERE) -> int:
    """Carry out `job`: print to `out`, draw the bar on `progress`, return the exit code.

    Writes NAME.nc, NAME.png and NAME.pdf into the job's folder; of a shard, the points into the
    store only. Ctrl-C ends the sweep; what is done by then is written all the same, unless it comes
    again. So does SIGTERM. The code is 0, or 1 where a point has no result or workers were lost, or
    130 after Ctrl-C, 143 after SIGTERM.
    """
    part = how.checked().part
    if part is None:
        prepare_folder(job.folder, [f"{job.run.name}.{kind}" for kind in ("nc", *FIGURES)])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dataset, meter = _compute(job, progress, how)
    stored = [text for text in dataset["warning"].values.tolist() if text]
    issued = dict.fromkeys(
        str(warning.message)
        for warning in caught
        if not issubclass(warning.category, FOR_DEVELOPERS)
    )
    warned = [text for text in issued if not any(text in of_a_point for of_a_point in stored)]
    failure, files, lines = dataset["failure"].values, [], []
    done = int((failure != "not computed").sum())
    complete = bool(dataset.attrs["complete"])
    if part is not None:
        failure = _own(failure, job, Share(*part))
        known = int((failure != "not computed").sum())
        complete = known == failure.size
        words = f"{meter.computed} points computed, {known} of {failure.size} in '{how.store}'"
        lines = [f"shard {how.shard}: {words}", *(f"warning: {text}" for text in issued)]
    elif not done:
        lines = ["interrupted before the first point was done; nothing written"]
    else:
        try:
            files = _write(dataset, job)
            if how.talks:
                print_report(out, dataset, job.run.presentation, warned, files)
        except KeyboardInterrupt:
            meter.ended, complete = INTERRUPTED, False
            _say(progress, how, "interrupted again: not everything was written")
    for line in lines if how.talks else ():
        out.print(line, soft_wrap=True, markup=False)
    if how.json:
        summary = {
            "points": dataset["failure"].size,
            "done": done,
            "computed": meter.computed,
            "failed": int(dataset["failed"].sum()),
            "audit_failed": int(((dataset["audit_passed"] == 0) & (dataset["failed"] == 0)).sum()),
            "complete": bool(dataset.attrs["complete"]),
            "seconds": round(meter.seconds, 3),
            "store": None if how.store is None else str(how.store),
            "files": [str(file) for file in files],
            "warnings": [*warned, *dict.fromkeys(stored)],
        }
        out.file.write(to_json(summary) + "\n")
    if meter.ended or not complete:
        return meter.ended or INTERRUPTED
    return FAILURE if (failure != "").any() else FINISHED


def _compute(job: Job, progress: Console, how: Execution) -> tuple[xr.Dataset, Meter]:
    """Return the sweep, with what the figure shows besides it where it is complete."""
    run = job.run
    with (
        executor_of(how) as (executor, workers),
        shown(progress, f"{run.name}: {run.parameter}", run.values.size, how.talks) as meter,
    ):
        try:
            dataset = sweep(
                run.machine,
                {run.parameter: run.values},
                run.method,
                store=how.store,
                executor=executor,
                workers=workers,
                shard=how.part,
                time_limit=math.inf if how.time_limit is None else how.time_limit,
                on_point=meter.add,
                recipe={
                    **job.recipe,
                    "out": str(job.folder.absolute()),
                    "unit": job.energy_unit,
                    "length": job.length_unit,
                },
            )
        except STOPS as reason:
            if not hasattr(reason, "dataset"):  # it came before the sweep
                raise
            dataset, meter.ended = reason.dataset, _exit_code(reason)
            _say(progress, how, _stopping(reason, meter, how))
    dataset = name_units(dataset, job.energy_unit, job.length_unit)
    if how.part is None:
        try:
            with busy(BESIDES, progress, how.talks):
                dataset = completed(dataset, job)
        except KeyboardInterrupt:
            dataset = dataset.assign_attrs(complete=0)
            line = "stopping: all points are done, what the figure shows besides is not"
            _say(progress, how, line)
    return dataset, meter


def completed(dataset: xr.Dataset, job: Job) -> xr.Dataset:
    """Return the sweep of `job` with what the figure shows besides, where all points are there."""
    run = job.run
    if not dataset.attrs["complete"]:
        return dataset
    try:
        return run.presentation.complete(dataset, run.machine, run.parameter, run.method)
    except POINT_FAILURES as reason:  # the sweep is worth having without it
        warnings.warn(f"only the sweep itself is shown: {message(reason)}", stacklevel=2)
        return dataset


def collected(folder: Path, partial: bool) -> xr.Dataset:
    """Return the dataset that `resume` would write for a store, without computing points.

    What the figure shows besides the sweep is computed here, unless the job cannot be made again as
    it was: with a warning where its parameter file names a class that has gone, or the code has
    changed since; silently for a store that was made from Python.
    """
    dataset, manifest = collect(folder, partial=partial), open_store(folder).manifest
    if "unit" not in manifest.recipe:
        return dataset
    dataset = name_units(dataset, manifest.recipe["unit"], manifest.recipe.get("length", "1"))
    try:
        job = job_from_recipe(manifest.recipe, folder)
        task = Task(job.run.machine, job.run.method)
        here = identity_of(task, manifest.identity["values"])
        Manifest(here).require_same(manifest, folder)
    except InvalidArgument as reason:
        warnings.warn(f"only the sweep itself is collected: {reason}", stacklevel=2)
        return dataset
    return completed(dataset, job)


def _exit_code(reason: BaseException) -> int:
    if isinstance(reason, KeyboardInterrupt):
        return INTERRUPTED
    return TERMINATED if isinstance(reason, Terminated) else FAILURE


def _stopping(reason: BaseException, meter: Meter, how: Execution) -> str:
    """Return the line that says at once why a sweep ends, and what becomes of its points."""
    words = f"{meter.kept} of {meter.total} points are "
    if how.store is not None:
        words += f"stored; resume with: wheelwork resume {shlex.quote(str(how.store))}"
    else:
        words += "done" + (", and will be written" if meter.kept else "")
    known = isinstance(reason, KeyboardInterrupt | Terminated)
    return f"stopping: {words}" if known else f"wheelwork: {reason.args[0]}"


def _say(progress: Console, how: Execution, line: str) -> None:
    """Print a line on the standard error, unless errors only were asked for."""
    if not how.quiet:
        progress.print(line, soft_wrap=True, markup=False, highlight=False)


def name_units(dataset: xr.Dataset, energy_unit: str, length_unit: str = "1") -> xr.Dataset:
    """Return `dataset` with "energy" in its units replaced by the unit that was chosen.

    So is "length", where one was.
    """
    for variable in dataset.variables.values():
        units = variable.attrs.get("units", "")
        if "length" in units and length_unit != "1":
            units = variable.attrs["units"] = units.replace("length", length_unit)
        if "energy" in units:
            variable.attrs["units"] = units.replace("energy", energy_unit).replace("1^2", "1")
    return dataset.assign_attrs(energy_unit=energy_unit)


def _own(failure: np.ndarray, job: Job, share: Share) -> np.ndarray:
    """Return the entries of `failure` that belong to a share; equal values are computed once."""
    bits = np.ascontiguousarray(job.run.values, dtype=np.float64).view(np.int64)  # 0 is not -0 here
    _, first = np.unique(bits, return_index=True)
    return failure[[index for index in first if share.holds(index)]]


def _write(dataset: xr.Dataset, job: Job) -> list[Path]:
    """Write data and figures; a part of a sweep never replaces an earlier file."""
    name = job.run.name
    if not dataset.attrs["complete"] and (job.folder / f"{name}.nc").exists():
        name = f"{name}-partial"
    files = [job.folder / f"{name}.nc"]
    write_whole(files[0], lambda path: write_netcdf(dataset, path))
    if not bool(((dataset["failure"] == "") | (dataset["audit_passed"] == 0)).any()):
        return files  # there is nothing to draw
    figure = job.run.presentation.draw(dataset)
    for kind in FIGURES:
        files.append(job.folder / f"{name}.{kind}")
        write_whole(files[-1], functools.partial(save_figure, figure, file_format=kind))
    return files


def prepare_folder(folder: Path, names: Iterable[str] = ()) -> None:
    """Create `folder` and write a probe into it, so that a bad one is refused before computing.

    Raises InvalidArgument where that fails, or where a folder stands in the way of a file in
    `names`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"probe")
    except (OSError, ValueError) as reason:
        words = getattr(reason, "strerror", reason)
        raise InvalidArgument(
            f"`--out` must be a writable folder, but is '{folder}' ({words})"
        ) from None
    for name in names:
        if (folder / name).is_dir():
            raise InvalidArgument(
                f"`--out` must leave room for {name}, but holds a folder of that name ('{folder}')"
            )


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it to `path`.

    A reader sees the old file or the new one, never a part of it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
