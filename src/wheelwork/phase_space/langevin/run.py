"""The loop over time of a sampling run: threads, growing tables, checkpoints."""

import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.numerics.bundles import bundles, processors
from wheelwork.phase_space.domain import LARGEST_REACH
from wheelwork.phase_space.langevin.progress import Progress
from wheelwork.phase_space.langevin.schemes import FASTEST, GROWTH, STABLE, Stepping
from wheelwork.phase_space.langevin.trajectories import Record, propagate

# Lanes of a bundle: full vectors at least, at most what stays in the fastest cache with its sums.
FEWEST_LANES, MOST_LANES = 8, 128
FIRST_CHUNKS, CHUNKS_AT_ONCE = 16, 512  # long enough for a thread to find a processor of its own
LANE_CHUNKS = 32768  # at most, some 0.2 s, between two moments at which a run can be interrupted
CHECKPOINT_SECONDS = 30.0  # lost at most by a kill; writing takes a fraction of a second
BLOWN_UP = 2.5  # times the range at Δt: where a run at 2Δt gets there, that step is unstable

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
) -> Progress:
    """Carry a run on until `chunks` chunks are done, whatever part of them `progress` holds.

    keep: called with what is done every 30 s. rescue: called with it before an interrupt (Ctrl-C)
    is passed on, with what it returns as a note. observe: called with all samples at Δt, in
    order, each once.
    Raises as `Stepping.check` and `Stepping.extended`.
    """
    workers = processors() if threads is None else threads
    saved = time.monotonic()
    with ThreadPoolExecutor(workers) as executor:
        loop = _Loop(progress, stepping, executor, workers, seed, observe)
        loop.check_typical()
        stepping.check(progress.low, progress.high, STABLE)
        try:
            while loop.progress.chunks < chunks:
                loop.advance(chunks)
                if keep is not None and time.monotonic() - saved > CHECKPOINT_SECONDS:
                    keep(loop.progress)
                    saved = time.monotonic()
        except KeyboardInterrupt as interrupt:
            note = rescue(loop.progress) if rescue is not None else None
            if note:
                interrupt.add_note(note)
            raise
    return loop.progress


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
        """Hold the step against the rates where trajectories are now."""
        X = self.progress.fine.state[0]
        self.stepping.check(float(np.mean(X) - np.std(X)), float(np.mean(X) + np.std(X)), FASTEST)

    def advance(self, chunks: int) -> None:
        """Do some chunks; stop before one in which a trajectory leaves the tables, and extend."""
        progress, reach = self.progress, self.stepping.reach
        # Short at first, as what a trajectory did outside the tables is done again.
        most = min(CHUNKS_AT_ONCE, max(FIRST_CHUNKS, progress.chunks))
        most = min(most, LANE_CHUNKS // progress.fine.state.shape[1])
        count = min(max(most, 1), chunks - progress.chunks)
        fine, coarse = self._records(count)

        both = [fine] if coarse is None else [fine, coarse]
        inside = np.all([(r.low >= -reach) & (r.high <= reach) for r in both], axis=0)
        good = count if np.all(inside) else int(np.argmin(inside))
        seen = min(good + 1, count)
        low = min(progress.low, float(np.min(fine.low[:seen])))
        high = max(progress.high, float(np.max(fine.high[:seen])))
        if low < progress.low or high > progress.high:
            self.check_typical()
            self.stepping.check(low, high, STABLE)
        if good > 0:
            self._take(fine.first(good), None if coarse is None else coarse.first(good))
        if good == count:
            return
        fine_inside = -reach <= fine.low[good] and fine.high[good] <= reach
        if fine_inside and reach * GROWTH > min(LARGEST_REACH, BLOWN_UP * max(-low, high)):
            self.progress = self.progress.without_coarse()
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
                joined=at_twice,
                keep_series=self.observe is not None and not at_twice,
            )

        records = list(self.executor.map(work, bundled))
        fine, coarse = (
            [r for (kind, *_), r in zip(bundled, records, strict=True) if kind == at_twice]
            for at_twice in (False, True)
        )
        return Record.joined(fine), Record.joined(coarse) if coarse else None

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
