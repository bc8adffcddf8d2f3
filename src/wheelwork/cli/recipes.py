"""Jobs made again from what a store kept of them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from wheelwork.cli.jobs import PRESETS, Job
from wheelwork.cli.load import load_text
from wheelwork.errors import InvalidArgument


def job_from_recipe(recipe: Mapping[str, Any], store: Path, folder: Path | None = None) -> Job:
    """Return the job of the store `store`; `folder` goes before the one it was started with.

    Raises InvalidArgument for a store that was made from Python, which has no recipe.
    """
    match recipe:
        case {"toml": str(text), "path": str(path), **rest}:
            job = load_text(text, Path(path))
        case {"preset": str(name), "options": dict(options), **rest} if name in PRESETS:
            job = PRESETS[name](**options)
        case _:
            raise InvalidArgument(
                f"`DIR` must be a store that `wheelwork run` made, but '{store}' was made from "
                "Python: resume it by calling `sweep` again with the same arguments"
            )
    out = folder or (Path(rest["out"]) if "out" in rest else job.folder)
    return replace(job, folder=out)
