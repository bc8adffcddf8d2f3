"""State of a Langevin run, checkpoint files that resume bit for bit, and the loop over time.

Samples are summed in blocks of time, the number of which is fixed. When all are full, neighbours
are merged and blocks become twice as long, so that memory does not grow with the duration.
"""

import json
import os
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged, shown
from wheelwork.numerics.bundles import bundles, processors
from wheelwork.numerics.work import tick
from wheelwork.phase_space.domain import LARGEST_REACH
from wheelwork.phase_space.langevin.stepping import (
    FASTEST,
    GROWTH,
    SAMPLES_PER_CHUNK,
    STABLE,
    Record,
    Stepping,
    propagate,
)

FORMAT = 2  # of the files; raised whenever older ones can no longer be read
PROBES = np.array([-2.9, -0.7, 0.0, 1.3, 3.1])  # X within every first table, on no symmetric pair
SAME_MODEL = 1e-6  # of a rate: far above the errors of coefficients
ROUNDING = 1e-9  # of the largest value of a rate at all positions
# Lanes of a bundle: full vectors at least, at most what stays in the fastest cache with its sums.
FEWEST_LANES, MOST_LANES = 8, 128
FIRST_CHUNKS, CHUNKS_AT_ONCE = 16, 512  # long enough for threads to spread over processors
LANE_CHUNKS = 32768  # at most, some 0.2 s, between two moments at which a run can be interrupted
CHECKPOINT_SECONDS = 30.0  # lost at most by a kill; writing takes a fraction of a second
BLOWN_UP = 2.5  # times the range of X seen at Δt: a run that leaves this at 2Δt is unstable


@dataclass(frozen=True, eq=False)
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

    def late_means(self) -> FloatArray:
        """(observables,) means over all trajectories and the second half of the time.

        Before the first step those of X and P alone.
        """
        if not self.chunks:
            return np.asarray(np.mean(self.state, axis=1))
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


@dataclass(frozen=True, eq=False)
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
        """Whether there are trajectories at 2Δt that are still stable."""
        return self.coarse.state.size > 0 and not bool(np.isnan(self.coarse.state[0, 0]))


@dataclass(frozen=True)
class Setup:
    """All settings that determine a run, apart from its duration.

    checked: trajectories repeated at twice the step. start: (x, p), or None where they
    are spread. probe: rates of the model at a few positions, to recognise it.
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
            same = own == given
            if field.name == "probe" and len(own) == len(given):
                same = same_rates(own, given)
            if not same:
                name = "model" if field.name == "probe" else field.name
                raise InvalidArgument(
                    f"`{name}` must be that of the run to continue, {shown(own)}, "
                    f"but is {shown(given)}"
                )


def same_rates(own: tuple[float, ...], given: tuple[float, ...]) -> bool:
    """Whether probes agree: each rate against its own values, as units differ between rates."""
    rates, others = (np.reshape(each, (-1, PROBES.size)) for each in (own, given))
    room = SAME_MODEL * np.abs(rates) + ROUNDING * np.max(np.abs(rates), axis=1, keepdims=True)
    return bool(np.all(np.abs(rates - others) <= room))


def as_path(name: str, value: Any) -> Path:
    """Return `value` as a path; InvalidArgument unless it is one."""
    if not isinstance(value, str | os.PathLike):
        raise InvalidArgument(f"`{name}` must be a path, but is {shown(value)}")
    return Path(value)


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


Observer = Callable[[FloatArray, Executor], None]
"""Takes (samples, 2, lanes) X and P of all trajectories, 4 Δt apart, and may share out its work."""


def advance(
    progress: Progress,
    stepping: Stepping,
    *,
    seed: int,
    chunks: int,
    threads: int | None = None,
    keep: Callable[[Progress], None] | None = None,
    rescue: Callable[[Progress], str | None] | None = None,
    observe: Observer | None = None,
) -> tuple[Progress, Stepping]:
    """Advance the run to `chunks` chunks in total, counting those already done.

    Return also the tables for the range of X reached.

    keep: called with the progress every 30 s. rescue: called with it before an interrupt (Ctrl-C)
    is raised again, with the returned text as a note. observe: called with all samples at Δt, in
    order, each once. Raises as `Stepping.check`, and as `Stepping.extended` and at a time limit
    NotConverged with the progress as its `partial`.
    """
    workers = processors() if threads is None else threads
    saved = time.monotonic()
    with ThreadPoolExecutor(workers) as executor:
        loop = _Loop(progress, stepping, executor, workers, seed, observe)
        loop.check_typical()
        stepping.check(progress.low, progress.high, STABLE)
        try:
            while loop.progress.chunks < chunks:
                tick("sampling of trajectories", loop.progress.chunks, chunks)
                loop.advance(chunks)
                if keep is not None and time.monotonic() - saved > CHECKPOINT_SECONDS:
                    keep(loop.progress)
                    saved = time.monotonic()
        except NotConverged as reason:
            reason.partial = loop.progress
            raise
        except KeyboardInterrupt as interrupt:
            note = rescue(loop.progress) if rescue is not None else None
            if note:
                interrupt.add_note(note)
            raise
    return loop.progress, loop.stepping


@dataclass
class _Loop:
    """A run and the tables for the range that it has reached."""

    progress: Progress
    stepping: Stepping
    executor: Executor
    workers: int
    seed: int
    observe: Observer | None

    def check_typical(self) -> None:
        """Check the step against the rates at current positions."""
        X = self.progress.fine.state[0]
        self.stepping.check(float(np.mean(X) - np.std(X)), float(np.mean(X) + np.std(X)), FASTEST)

    def advance(self, chunks: int) -> None:
        """Do some chunks; stop before a trajectory leaves the tables, and extend them."""
        progress, reach = self.progress, self.stepping.reach
        # Short at first, as chunks in which a trajectory left the tables are repeated.
        most = min(CHUNKS_AT_ONCE, max(FIRST_CHUNKS, progress.chunks))
        most = min(most, LANE_CHUNKS // progress.fine.state.shape[1])
        count = min(max(most, 1), chunks - progress.chunks)
        fine, coarse = self._records(count)

        both = [fine] if coarse is None else [fine, coarse]
        inside = np.all([(r.low >= -reach) & (r.high <= reach) for r in both], axis=0)
        chunks_inside = count if np.all(inside) else int(np.argmin(inside))
        chunks_checked = min(chunks_inside + 1, count)
        low = min(progress.low, float(np.min(fine.low[:chunks_checked])))
        high = max(progress.high, float(np.max(fine.high[:chunks_checked])))
        if low < progress.low or high > progress.high:
            self.check_typical()
            self.stepping.check(low, high, STABLE)
        if chunks_inside > 0:
            self._take(
                fine.first(chunks_inside), None if coarse is None else coarse.first(chunks_inside)
            )
        if chunks_inside == count:
            return
        fine_inside = -reach <= fine.low[chunks_inside] and fine.high[chunks_inside] <= reach
        if fine_inside and reach * GROWTH > min(LARGEST_REACH, BLOWN_UP * max(-low, high)):
            gone = self.progress.coarse  # their means are NaN from here on
            state, sums = np.full_like(gone.state, np.nan), np.full_like(gone.sums, np.nan)
            self.progress = replace(self.progress, coarse=replace(gone, state=state, sums=sums))
        else:
            self.stepping = self.stepping.extended()
            self.progress = replace(self.progress, reach=self.stepping.reach)

    def _records(self, count: int) -> tuple[Record, Record | None]:
        """Carry both ensembles through `count` chunks, not all of which may count."""
        ensembles = [self.progress.fine]
        # Tables are built here, once, before the threads ask for them.
        steps = [(self.stepping.fine, self.stepping.fine_cells)]
        if self.progress.compares:
            ensembles.append(self.progress.coarse)
            steps.append((self.stepping.coarse, self.stepping.coarse_cells))
        bundled = [
            (at_twice == 1, lanes.start, ensemble.state[:, lanes])
            for at_twice, ensemble in enumerate(ensembles)
            for lanes in bundles(ensemble.state.shape[1], self.workers, FEWEST_LANES, MOST_LANES)
        ]

        def work(bundle: tuple[bool, int, FloatArray]) -> Record:
            at_twice, first, state = bundle
            return propagate(
                *steps[at_twice],
                state,
                seed=self.seed,
                first=first,
                chunk=self.progress.chunks,
                chunks=count,
                double_step=at_twice,
                keep_series=self.observe is not None and not at_twice,
            )

        records = list(self.executor.map(work, bundled))
        fine, coarse = (
            [r for (kind, *_), r in zip(bundled, records, strict=True) if kind == at_twice]
            for at_twice in (False, True)
        )
        return Record.concatenate(fine), Record.concatenate(coarse) if coarse else None

    def _take(self, fine: Record, coarse: Record | None) -> None:
        """Take over what both ensembles did."""
        if self.observe is not None:
            self.observe(fine.series.reshape((-1, *fine.series.shape[2:])), self.executor)
        progress = self.progress
        self.progress = Progress(
            progress.fine.after(fine),
            progress.coarse if coarse is None else progress.coarse.after(coarse),
            min(progress.low, float(np.min(fine.low))),
            max(progress.high, float(np.max(fine.high))),
            progress.reach,
        )
