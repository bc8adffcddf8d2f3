"""How far a sampling run has come, and files that hold it, to go on later with the same bits.

Samples are summed in blocks of time, the number of which is fixed. When all are full, neighbours
are merged and blocks become twice as long, so that memory does not grow with the duration.
"""

import json
import os
import zipfile
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.phase_space.langevin.trajectories import SAMPLES_PER_CHUNK, Record
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel

FORMAT = 2  # of the files; raised whenever older ones can no longer be read
PROBES = np.array([-2.9, -0.7, 0.0, 1.3, 3.1])  # X within every first table, on no symmetric pair
SAME_MODEL = 1e-6  # of a rate: far above what the accuracy of coefficients changes


@dataclass(frozen=True)
class Ensemble:
    """Trajectories stepped alike.

    state: (2, lanes) X and P now. sums: (time blocks, observables, lanes) over the samples of
    each block of time. width: chunks in a full block. chunks: done so far.
    """

    state: FloatArray
    sums: FloatArray
    width: int = 1
    chunks: int = 0

    @classmethod
    def starting(cls, state: FloatArray, observables: int, blocks: int) -> "Ensemble":
        """Trajectories at the points `state` (2, lanes), before the first step."""
        return cls(state.copy(), np.zeros((blocks, observables, state.shape[1])))

    def after(self, record: Record) -> "Ensemble":
        """The ensemble after the chunks of `record`."""
        sums, width, chunks = self.sums.copy(), self.width, self.chunks
        # One chunk after the other: the order of additions must not depend on how a run is cut.
        for chunk_sums in record.sums:
            if chunks == width * len(sums):
                half, width = len(sums) // 2, 2 * width
                sums[:half], sums[half:] = sums[::2] + sums[1::2], 0.0
            sums[chunks // width] += chunk_sums
            chunks += 1
        return replace(self, state=record.states[-1].copy(), sums=sums, width=width, chunks=chunks)

    def of_first(self, lanes: int) -> "Ensemble":
        """The first `lanes` trajectories alone."""
        return replace(self, state=self.state[:, :lanes], sums=self.sums[:, :, :lanes])

    def late_means(self) -> FloatArray:
        """(observables,) means over all trajectories and the second half of the time."""
        half = self.filled // 2
        samples = np.sum(self.samples[half:]) * self.state.shape[1]
        return np.asarray(self.sums[half : self.filled].sum(axis=(0, 2)) / samples)

    @property
    def filled(self) -> int:
        """Blocks of time that hold samples."""
        return -(-self.chunks // self.width)

    @property
    def samples(self) -> npt.NDArray[np.intp]:
        """(filled,) samples of one trajectory in each block of time."""
        counts = np.full(self.filled, self.width * SAMPLES_PER_CHUNK)
        counts[-1:] -= (self.filled * self.width - self.chunks) * SAMPLES_PER_CHUNK
        return counts


@dataclass(frozen=True)
class Progress:
    """The whole state of a run.

    fine: all trajectories at Δt. coarse: the first few again at 2Δt on the same noise; NaN once 2Δt
    proved unstable. low, high: range of X reached at Δt. reach: of the tables.
    """

    fine: Ensemble
    coarse: Ensemble
    low: float
    high: float
    reach: float

    @property
    def chunks(self) -> int:
        return self.fine.chunks

    @property
    def compares(self) -> bool:
        """Whether there are trajectories at 2Δt, and they are still followed."""
        return self.coarse.state.size > 0 and not bool(np.isnan(self.coarse.state[0, 0]))

    def without_coarse(self) -> "Progress":
        """Give up the trajectories at 2Δt: their means are NaN from here on."""
        state, sums = (np.full_like(a, np.nan) for a in (self.coarse.state, self.coarse.sums))
        return replace(self, coarse=replace(self.coarse, state=state, sums=sums))


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
