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


@dataclass(frozen=True)
class _Bundle:
    """Neighbouring lanes of one of the two ensembles."""

    coarse: bool
    first: int
    state: FloatArray


@dataclass(frozen=True)
class _Stretch:
    """Records of both ensembles over some chunks, not all of which may count."""

    fine: Record
    coarse: Record | None

    @property
    def low(self) -> FloatArray:
        """(chunks,) smallest X of either ensemble in each chunk."""
        return self.fine.low if self.coarse is None else np.minimum(self.fine.low, self.coarse.low)

    @property
    def high(self) -> FloatArray:
        """(chunks,) largest X of either ensemble in each chunk."""
        if self.coarse is None:
            return self.fine.high
        return np.maximum(self.fine.high, self.coarse.high)


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
    _check_typical(stepping, progress)
    stepping.check(progress.low, progress.high, STABLE)
    with ThreadPoolExecutor(workers) as executor:
        try:
            while progress.chunks < chunks:
                progress, stepping = _advance(
                    progress, stepping, executor, workers, seed, chunks, observe
                )
                if keep is not None and time.monotonic() - saved > CHECKPOINT_SECONDS:
                    keep(progress)
                    saved = time.monotonic()
        except KeyboardInterrupt as interrupt:
            note = rescue(progress) if rescue is not None else None
            if note:
                interrupt.add_note(note)
            raise
    return progress


def _advance(
    progress: Progress,
    stepping: Stepping,
    executor: Executor,
    workers: int,
    seed: int,
    chunks: int,
    observe: Observer | None = None,
) -> tuple[Progress, Stepping]:
    """Do some chunks; stop before one in which a trajectory leaves the tables, and extend them."""
    lanes = progress.fine.state.shape[1]
    # Short at first, as what a trajectory did outside the tables is done again.
    most = min(CHUNKS_AT_ONCE, max(FIRST_CHUNKS, progress.chunks), LANE_CHUNKS // lanes)
    count = min(max(most, 1), chunks - progress.chunks)
    attempt = _attempt(progress, stepping, executor, workers, seed, count, observe is not None)

    inside = (attempt.low >= -stepping.reach) & (attempt.high <= stepping.reach)
    good = count if np.all(inside) else int(np.argmin(inside))
    seen = min(good + 1, count)
    low = min(progress.low, float(np.min(attempt.fine.low[:seen])))
    high = max(progress.high, float(np.max(attempt.fine.high[:seen])))
    if low < progress.low or high > progress.high:
        _check_typical(stepping, progress)
        stepping.check(low, high, STABLE)
    done = _done(progress, attempt, good, observe, executor)
    if good == count:
        return done, stepping
    wider = stepping.reach * GROWTH
    fine_inside = -stepping.reach <= attempt.fine.low[good] and (
        attempt.fine.high[good] <= stepping.reach
    )
    if fine_inside and wider > min(LARGEST_REACH, BLOWN_UP * max(-low, high)):
        return done.without_coarse(), stepping
    stepping = stepping.extended()
    return replace(done, reach=stepping.reach), stepping


def _attempt(
    progress: Progress,
    stepping: Stepping,
    executor: Executor,
    workers: int,
    seed: int,
    count: int,
    keep_series: bool,
) -> _Stretch:
    bundles = _bundles(progress, workers)
    # Built here, once, before the threads ask for them.
    tables = {b.coarse: stepping.cells(coarse=b.coarse) for b in bundles}

    def work(bundle: _Bundle) -> Record:
        return propagate(
            stepping.coarse if bundle.coarse else stepping.fine,
            tables[bundle.coarse],
            bundle.state,
            seed=seed,
            first=bundle.first,
            chunk=progress.chunks,
            chunks=count,
            joined=bundle.coarse,
            keep_series=keep_series and not bundle.coarse,
        )

    records = list(executor.map(work, bundles))
    fine, coarse = (
        [r for b, r in zip(bundles, records, strict=True) if b.coarse == wanted]
        for wanted in (False, True)
    )
    return _Stretch(Record.joined(fine), Record.joined(coarse) if coarse else None)


def _done(
    progress: Progress,
    attempt: _Stretch,
    chunks: int,
    observe: Observer | None,
    executor: Executor,
) -> Progress:
    """Return the run after the first `chunks` chunks of what was attempted."""
    if chunks == 0:
        return progress
    fine = attempt.fine.first(chunks)
    if observe is not None:
        observe(fine.series.reshape((-1, *fine.series.shape[2:])), executor)
    coarse = progress.coarse
    if attempt.coarse is not None:
        coarse = coarse.after(attempt.coarse.first(chunks))
    return Progress(
        progress.fine.after(fine),
        coarse,
        min(progress.low, float(np.min(fine.low))),
        max(progress.high, float(np.max(fine.high))),
        progress.reach,
    )


def _check_typical(stepping: Stepping, progress: Progress) -> None:
    """Hold the step against the rates where trajectories are now."""
    X = progress.fine.state[0]
    stepping.check(float(np.mean(X) - np.std(X)), float(np.mean(X) + np.std(X)), FASTEST)


def _bundles(progress: Progress, workers: int) -> list[_Bundle]:
    ensembles = [(False, progress.fine)]
    if progress.compares:
        ensembles.append((True, progress.coarse))
    return [
        _Bundle(coarse, lanes.start, ensemble.state[:, lanes])
        for coarse, ensemble in ensembles
        for lanes in bundles(ensemble.state.shape[1], workers, FEWEST_LANES, MOST_LANES)
    ]
