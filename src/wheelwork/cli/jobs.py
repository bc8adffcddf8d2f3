"""Jobs: what to compute, from a paper, a parameter file or a store, and how it is carried out."""

import contextlib
import importlib
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from wheelwork._checks import integer, positive
from wheelwork._deferred import Deferred
from wheelwork.cli.toml_text import load_toml, read_text
from wheelwork.errors import InvalidArgument, shown
from wheelwork.sweeps import Processes

if TYPE_CHECKING:
    from wheelwork.cli import parameter_file
    from wheelwork.papers import culhane_2022, leitch_2024
    from wheelwork.papers.huber_rabl_2022 import figures
    from wheelwork.papers.runs import Run
else:
    parameter_file = Deferred("wheelwork.cli.parameter_file")
    culhane_2022 = Deferred("wheelwork.papers.culhane_2022")
    leitch_2024 = Deferred("wheelwork.papers.leitch_2024")
    figures = Deferred("wheelwork.papers.huber_rabl_2022.figures")

DEFAULT_FOLDER = Path("out")

PAPERS: Mapping[str, Any] = {  # modules with a function `run`
    "flywheel": culhane_2022,
    "rotor": leitch_2024,
    "power-grid": figures,
}


@dataclass(frozen=True)
class Job:
    """A run, and where its results go.

    `energy_unit` names the unit of every energy, "1" where they are dimensionless, `length_unit`
    that of lengths. `recipe` is JSON
    material from which the job can be made again: {"preset": name, "options": {...}} or
    {"toml": text, "path": of the file}.
    """

    run: "Run"
    folder: Path = DEFAULT_FOLDER
    energy_unit: str = "1"
    recipe: Mapping[str, Any] = field(default_factory=dict)
    length_unit: str = "1"


def paper_job(name: str, folder: Path = DEFAULT_FOLDER, **options: Any) -> Job:
    """Return the job of a paper: the `run` of its module, with options of the command line.

    Raises InvalidArgument that names the option.
    """
    try:
        run = PAPERS[name].run(**options)
    except InvalidArgument as reason:
        _, argument, rest = str(reason).split("`", 2)
        raise InvalidArgument(f"`--{argument.replace('_', '-')}`{rest}") from None
    return Job(run, folder, recipe={"preset": name, "options": options})


def load_job(path: Path, folder: Path | None = None) -> Job:
    """Return the job that the TOML file at `path` describes; `folder` goes before its [output].

    Raises InvalidArgument with one line per mistake.
    """
    try:
        text = read_text(path)
    except (OSError, ValueError) as reason:
        words = getattr(reason, "strerror", None) or reason
        raise InvalidArgument(
            f"`FILE` must be a readable TOML file, but is '{path}' ({words})"
        ) from None
    return load_text(text, path, folder)


def load_text(text: str, path: Path, folder: Path | None = None) -> Job:
    """Return the job that `text` describes, which was read from `path`; see `load_job`."""
    data = load_toml(text, path)  # before the rest is loaded
    run, units, own = parameter_file.read_file(data, path)
    recipe = {"toml": text, "path": str(path.absolute())}
    where = folder or own or DEFAULT_FOLDER
    return Job(run, where, units.energy, recipe, units.length)


def job_from_recipe(recipe: Mapping[str, Any], store: Path, folder: Path | None = None) -> Job:
    """Return the job of the store `store`; `folder` goes before the one it was started with.

    Raises InvalidArgument for a store that was made from Python, which has no recipe.
    """
    match recipe:
        case {"toml": str(text), "path": str(path), **rest}:
            job = load_text(text, Path(path))
        case {"preset": str(name), "options": dict(options), **rest} if name in PAPERS:
            job = paper_job(name, **options)
        case _:
            raise InvalidArgument(
                f"`DIR` must be a store that `wheelwork run` made, but '{store}' was made from "
                "Python: resume it by calling `sweep` again with the same arguments"
            )
    out = folder or (Path(rest["out"]) if "out" in rest else job.folder)
    return replace(job, folder=out)


# ---------------------------------------------------------------------------- execution


@Parameter(name="*")
@dataclass(frozen=True)
class Execution:
    """Options of every command that computes.

    Parameters
    ----------
    store
        Folder in which every finished point is saved: run again or resumed, the job continues where
        it ended, however it ended. Several processes may work on one store.
    workers
        Number of processes on this machine.
    scheduler
        Address of a Dask scheduler, such as tcp://127.0.0.1:8786 (extra `dask`).
    shard
        i/n: compute the i-th of n equal parts only, counted from 1, into the store.
    time_limit
        Computing time of a point in seconds; one that exceeds it is tried again by `resume`.
    json
        Print one JSON object at the end instead of bar and table.
    quiet
        Print errors only.
    """

    store: Path | None = None
    workers: float | None = None
    scheduler: str | None = None
    shard: str | None = None
    time_limit: float | None = None
    json: Annotated[bool, Parameter(negative="")] = False
    quiet: Annotated[bool, Parameter(negative="")] = False

    def checked(self) -> "Execution":
        """Return this; raises InvalidArgument where options contradict each other."""
        if self.time_limit is not None:
            positive("--time-limit", self.time_limit)
        if self.executor() is not None and self.scheduler is not None:
            raise InvalidArgument(
                f"`--workers` must not be given together with `--scheduler`, but is {self.workers}"
            )
        if self.part is not None and self.store is None:
            raise InvalidArgument(
                f"`--shard` must be used with `--store`, but is {shown(self.shard)} without"
            )
        return self

    def executor(self) -> Processes | None:
        """Return the processes asked for, None for this one."""
        if self.workers is None:
            return None
        return Processes(integer("--workers", whole(self.workers), 1))

    @property
    def part(self) -> tuple[int, int] | None:
        """The shard as (i, n)."""
        if self.shard is None:
            return None
        match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", self.shard)
        if match is None or int(match[1]) > int(match[2]):
            raise InvalidArgument(
                f"`--shard` must read i/n with i from 1 to n, but is {shown(self.shard)}"
            )
        return int(match[1]), int(match[2])

    @property
    def talks(self) -> bool:
        return not (self.json or self.quiet)


HERE = Execution()


def whole(number: float) -> float:
    """Return a whole number as an int: the parser itself would cut 2.5 to 2 in silence."""
    return int(number) if float(number).is_integer() else number


@contextlib.contextmanager
def executor_of(how: Execution) -> Iterator[tuple[Executor | Processes | None, int | None]]:
    """Yield who computes, and how many workers it has where it does not tell."""
    if how.scheduler is None:
        yield how.executor(), None
        return
    with _connected(how.scheduler) as client, client.get_executor() as executor:
        yield executor, max(1, sum(client.nthreads().values()))


def _connected(address: str) -> Any:
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise InvalidArgument(
            "`--scheduler` needs Dask, which is not installed: pip install 'wheelwork[dask]'"
        ) from None
    try:
        return distributed.Client(address, timeout="10s")
    except (OSError, ValueError) as reason:
        raise InvalidArgument(
            f"`--scheduler` must be the address of a Dask scheduler, but is {shown(address)}: "
            f"{reason}"
        ) from None
