"""The loop over time of a sampling run: threads, growing tables, checkpoints."""

import itertools
import os
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.phase_space.sampling.ensemble import Ensemble
from wheelwork.phase_space.sampling.stepping import FASTEST, STABLE, Stepping
from wheelwork.phase_space.sampling.trajectories import Record, propagate

MOST_LANES, FEWEST_LANES = 128, 8  # of a bundle: its state should stay in the fastest cache
FIRST_CHUNKS, CHUNKS_AT_ONCE = 16, 512  # long enough for a thread to find a processor of its own
LANE_CHUNKS = 32768  # at most, between two moments at which a run can be interrupted
CHECKPOINT_SECONDS = 30.0


@dataclass(frozen=True)
class Progress:
    """The whole state of a run.

    fine: all trajectories at Δt. coarse: the first few again at 2Δt on the same noise.
    low, high: range of X reached. reach: of the tables.
    """

    fine: Ensemble
    coarse: Ensemble
    low: float
    high: float
    reach: float

    @property
    def chunks(self) -> int:
        return self.fine.chunks


@dataclass(frozen=True)
class _Bundle:
    """Neighbouring lanes of one of the two ensembles."""

    coarse: bool
    first: int
    state: FloatArray


def advance(
    progress: Progress,
    stepping: Stepping,
    *,
    seed: int,
    chunks: int,
    threads: int | None = None,
    keep: Callable[[Progress], None] | None = None,
) -> Progress:
    """Carry a run on until `chunks` chunks are done, whatever part of them `progress` holds.

    keep: called with what is done every 30 s, and before an interrupt (Ctrl-C) is passed on.
    Raises as `Stepping.check` and `Stepping.extended`.
    """
    workers = _processors() if threads is None else threads
    saved = time.monotonic()
    X = progress.fine.state[0]
    stepping.check(float(np.min(X)), float(np.max(X)), STABLE if progress.chunks else FASTEST)
    with ThreadPoolExecutor(workers) as executor:
        try:
            while progress.chunks < chunks:
                progress, stepping = _advance(progress, stepping, executor, workers, seed, chunks)
                if keep is not None and time.monotonic() - saved > CHECKPOINT_SECONDS:
                    keep(progress)
                    saved = time.monotonic()
        except KeyboardInterrupt:
            if keep is not None:
                keep(progress)
            raise
    return progress


def _advance(
    progress: Progress,
    stepping: Stepping,
    executor: Executor,
    workers: int,
    seed: int,
    chunks: int,
) -> tuple[Progress, Stepping]:
    """Do some chunks; where a trajectory leaves the tables, stop before its chunk and extend."""
    lanes = progress.fine.state.shape[1]
    # Short at first, as what a trajectory did outside the tables is done again.
    most = min(CHUNKS_AT_ONCE, max(FIRST_CHUNKS, progress.chunks), LANE_CHUNKS // lanes)
    count = min(max(most, 1), chunks - progress.chunks)

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
        )

    records = list(executor.map(work, bundles))
    low = np.min([record.low for record in records], axis=0)
    high = np.max([record.high for record in records], axis=0)
    inside = (low >= -stepping.reach) & (high <= stepping.reach)
    good = count if np.all(inside) else int(np.argmin(inside))
    reached = np.array([progress.low, *low[: good + 1], progress.high, *high[: good + 1]])
    _check_if_wider(stepping, progress, float(np.min(reached)), float(np.max(reached)))
    if good < count:
        stepping = stepping.extended()
    done = Progress(
        _after(progress.fine, bundles, records, good, coarse=False),
        _after(progress.coarse, bundles, records, good, coarse=True),
        float(np.min([progress.low, *low[:good]])),
        float(np.max([progress.high, *high[:good]])),
        stepping.reach,
    )
    return done, stepping


def _check_if_wider(stepping: Stepping, progress: Progress, low: float, high: float) -> None:
    """Hold the step against the rates where trajectories are now, and at their extremes."""
    if low < progress.low or high > progress.high:
        X = progress.fine.state[0]
        stepping.check(float(np.mean(X) - np.std(X)), float(np.mean(X) + np.std(X)), FASTEST)
        stepping.check(low, high, STABLE)


def _after(
    ensemble: Ensemble,
    bundles: list[_Bundle],
    records: list[Record],
    chunks: int,
    *,
    coarse: bool,
) -> Ensemble:
    own = [r for b, r in zip(bundles, records, strict=True) if b.coarse == coarse]
    return ensemble.after(Record.joined(own).first(chunks)) if own and chunks else ensemble


def _bundles(progress: Progress, workers: int) -> list[_Bundle]:
    bundles = []
    for coarse, ensemble in ((False, progress.fine), (True, progress.coarse)):
        lanes = ensemble.state.shape[1]
        if lanes:
            parts = max(min(workers, lanes // FEWEST_LANES), -(-lanes // MOST_LANES), 1)
            edges = np.linspace(0, lanes, parts + 1).astype(int)
            bundles += [
                _Bundle(coarse, int(a), ensemble.state[:, a:b])
                for a, b in itertools.pairwise(edges)
            ]
    return bundles


def _processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
