"""What to compute: one job, from a paper's run or from a parameter file, and again from a store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from wheelwork.cli.parameter_file import read_file
from wheelwork.errors import InvalidArgument
from wheelwork.papers import culhane_2022, leitch_2024
from wheelwork.papers.huber_rabl_2022 import figures
from wheelwork.papers.runs import Run

DEFAULT_FOLDER = Path("out")

PAPERS: Mapping[str, Callable[..., Run]] = {
    "flywheel": culhane_2022.run,
    "rotor": leitch_2024.run,
    "power-grid": figures.run,
}


@dataclass(frozen=True)
class Job:
    """A run, and where its results go.

    `energy_unit` names the unit of every energy, "1" where they are dimensionless. `recipe` is JSON
    material from which the job can be made again: {"preset": name, "options": {...}} or
    {"toml": text, "path": of the file}.
    """

    run: Run
    folder: Path = DEFAULT_FOLDER
    energy_unit: str = "1"
    recipe: Mapping[str, Any] = field(default_factory=dict)


def paper_job(name: str, folder: Path = DEFAULT_FOLDER, **options: Any) -> Job:
    """Return the job of a paper: the run in `PAPERS`, with options of the command line.

    Raises InvalidArgument that names the option.
    """
    try:
        run = PAPERS[name](**options)
    except InvalidArgument as reason:
        _, argument, rest = str(reason).split("`", 2)
        raise InvalidArgument(f"`--{argument.replace('_', '-')}`{rest}") from None
    return Job(run, folder, recipe={"preset": name, "options": options})


def load_job(path: Path, folder: Path | None = None) -> Job:
    """Return the job that the TOML file at `path` describes; `folder` goes before its [output].

    Raises InvalidArgument with one line per mistake.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as reason:
        words = reason.strerror if isinstance(reason, OSError) else "it is not text in UTF-8"
        raise InvalidArgument(
            f"`FILE` must be a readable TOML file, but is '{path}' ({words})"
        ) from None
    return load_text(text, path, folder)


def load_text(text: str, path: Path, folder: Path | None = None) -> Job:
    """Return the job that `text` describes, which was read from `path`; see `load_job`."""
    run, unit, own = read_file(text, path)
    recipe = {"toml": text, "path": str(path.absolute())}
    return Job(run, folder or own or DEFAULT_FOLDER, unit, recipe)


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
