"""Files that hold a whole sampling run, so that it can go on later with the same bits."""

import json
import os
import zipfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from wheelwork.errors import InvalidArgument
from wheelwork.phase_space.langevin.ensemble import Ensemble
from wheelwork.phase_space.langevin.run import Progress
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel

FORMAT = 2
PROBES = np.array([-2.9, -0.7, 0.0, 1.3, 3.1])
SAME_MODEL = 1e-6


@dataclass(frozen=True)
class Setup:
    """Everything that decides the course of a run, apart from its duration.

    checked: trajectories repeated at twice the step. start: (x, p), or None where they
    are spread. probe: rates of the model at a few positions, by which it is recognised.
    """

    scheme: str
    order: int
    seed: int
    trajectories: int
    checked: int
    step: float
    start: tuple[float, float] | None
    frequency: float
    mass: float
    local_observables: tuple[str, ...]
    probe: tuple[float, ...]

    def require(self, other: "Setup") -> None:
        """Raise InvalidArgument, naming the field, unless `other` is the same run."""
        for field in fields(self):
            own, given = getattr(self, field.name), getattr(other, field.name)
            if field.name == "probe":
                size = max(map(abs, own))
                same = len(own) == len(given) and np.allclose(own, given, SAME_MODEL, 1e-9 * size)
            else:
                same = own == given
            if not same:
                name = "model" if field.name == "probe" else field.name
                raise InvalidArgument(
                    f"`{name}` must be that of the run to continue, {own!r}, but is {given!r}"
                )


def probe(model: PhaseSpaceModel) -> tuple[float, ...]:
    """Return the rates by which `model` is recognised."""
    return tuple(map(float, model.scaled(PROBES).ravel()))


def write(path: Path, setup: Setup, progress: Progress) -> None:
    """Write a run to `path` (npz): complete, or not at all."""
    arrays: dict[str, Any] = {
        "format": FORMAT,
        "setup": json.dumps(asdict(setup)),
        "range": np.array([progress.low, progress.high, progress.reach]),
    }
    for name, ensemble in (("fine", progress.fine), ("coarse", progress.coarse)):
        arrays[f"{name}_state"], arrays[f"{name}_sums"] = ensemble.state, ensemble.sums
        arrays[f"{name}_time"] = np.array([ensemble.width, ensemble.chunks])
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read(path: Path) -> tuple[Setup, Progress]:
    """Read what `write` wrote. Raises InvalidArgument for anything else."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if int(arrays["format"]) != FORMAT:
                raise InvalidArgument(
                    f"`path` must be a checkpoint of format {FORMAT}, but is of format "
                    f"{int(arrays['format'])} ({path})"
                )
            values = json.loads(str(arrays["setup"]))
            lists = {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
            low, high, reach = map(float, arrays["range"])
            fine, coarse = _ensemble(arrays, "fine"), _ensemble(arrays, "coarse")
            return Setup(**values | lists), Progress(fine, coarse, low, high, reach)
    except InvalidArgument:
        raise
    except (zipfile.BadZipFile, EOFError, KeyError, TypeError, ValueError) as reason:
        raise InvalidArgument(
            f"`path` must be a complete checkpoint, but {path} cannot be read: {reason}"
        ) from None


def _ensemble(arrays: Any, name: str) -> Ensemble:
    width, chunks = map(int, arrays[f"{name}_time"])
    return Ensemble(arrays[f"{name}_state"], arrays[f"{name}_sums"], width, chunks)
