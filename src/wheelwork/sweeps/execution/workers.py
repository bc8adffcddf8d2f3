"""Workers: batches of points, how a worker computes one, and the pools of processes."""

import functools
import math
import multiprocessing
import os
import pickle
import platform
import signal
import threading
import traceback
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import connection
from typing import Any, Self

from threadpoolctl import threadpool_limits

from wheelwork import _checks
from wheelwork.errors import InvalidArgument, WheelworkError, shown
from wheelwork.sweeps.identity import code_version
from wheelwork.sweeps.point import Point, Task, message

# Overhead of a batch is a few milliseconds: at 0.2 s it is small, and little is lost by a kill.
BATCH_SECONDS = 0.2
LARGEST = 4096  # points, of which each is a line in a journal and a Point to be sent back
GROWTH = 8  # at most, from one batch to the next: the first points may not be typical
UNKNOWN_WORKERS = 32  # assumed of an executor that does not tell: idle ones cost more than a queue
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Case:
    """One point to be computed: its key, its index in the sweep, its parameters."""

    key: str
    index: int
    parameters: Mapping[str, float]


@dataclass(frozen=True)
class Batch:
    """Cases that are sent to a worker together.

    home: id of the process that sends it. code: versions there (`code_version`). attempt: counted
    from zero.
    """

    task: Task
    cases: Sequence[Case]
    total: int
    home: int
    code: Mapping[str, str]
    attempt: int = 0


@dataclass(frozen=True)
class Outcome:
    """The result of a batch: points in the order of its cases, and the warnings given.

    fault: an exception that is not that of a point.
    """

    points: Sequence[Point]
    warned: Sequence[tuple[type[Warning], str]] = ()
    fault: Exception | None = None


class BatchSize:
    """The number of points of the next batch, from the time that the last ones took.

    Batches last about `BATCH_SECONDS`, or hold one point, and get smaller at the end, so that all
    of `workers` finish together.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._size = 1

    def learn(self, points: Sequence[Point]) -> None:
        mean = sum(point.seconds for point in points) / len(points)
        wanted = LARGEST if mean == 0.0 else int(BATCH_SECONDS / mean)
        self._size = max(1, min(wanted, GROWTH * self._size, LARGEST))

    def next(self, remaining: int) -> int:
        """Return the size of the next batch, of `remaining` points in all."""
        return max(1, min(self._size, math.ceil(remaining / (2 * self._workers))))


def compute_batch(batch: Batch) -> Outcome:
    """Compute a batch; runs in a worker.

    In another process than `home`, numerical libraries are limited to one thread each, as there
    are other workers, and warnings are collected. A worker with other versions than the sender
    computes nothing: a store would attribute its numbers to the sender's versions.
    """
    if os.getpid() == batch.home:
        return _compute(batch)
    if code_version() != batch.code:
        words = f"{dict(batch.code)}, but one on {platform.node()} has {code_version()}"
        return Outcome((), fault=WheelworkError(f"workers must have the versions {words}"))
    _one_thread()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        outcome = _compute(batch)
    warned = dict.fromkeys((one.category, str(one.message)) for one in caught)
    return replace(outcome, warned=tuple(warned))


def _compute(batch: Batch) -> Outcome:
    points: list[Point] = []
    try:
        for case in batch.cases:
            point = batch.task.solve(case.parameters, case.index, batch.total)
            if point.fault is not None:
                point = replace(point, fault=_portable(point.fault))
            points.append(point)
    except Exception as reason:
        return Outcome(points, fault=_portable(reason))
    return Outcome(points)


def _portable(reason: Exception) -> Exception:
    """Return `reason`, or a RuntimeError with its text where it cannot be pickled.

    Its traceback, which is lost on the way, becomes a note.
    """
    words = "".join(traceback.format_exception(reason))
    try:
        pickle.loads(pickle.dumps(reason))
    except Exception:
        reason = RuntimeError(message(reason))
    reason.add_note(f"in a worker:\n{words}")
    return reason


@functools.cache
def _one_thread() -> None:
    """Limit the numerical libraries of this process, loaded or not yet, to one thread."""
    for name in THREADS:
        os.environ[name] = "1"
    threadpool_limits(1)


@dataclass(frozen=True)
class Processes:
    """That many processes of this machine, started for the sweep and ended with it.

    They are spawned, not forked, so that a script must guard its main part by
    `if __name__ == "__main__":`. Each limits its numerical libraries to one thread, and ends when
    the process that started it does.
    """

    workers: int

    def __post_init__(self) -> None:
        _checks.integer("workers", self.workers, 1)

    def start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self.workers, multiprocessing.get_context("spawn"), initializer=_begin_worker
        )


def _begin_worker() -> None:
    """Ignore Ctrl-C, which the parent handles, and end when the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


class WorkerPool:
    """An executor for the duration of a sweep.

    executor: `Processes`, or one of `concurrent.futures`, which is left open at the end. workers:
    number of batches it computes at once; None: its number of workers, or 32 if it cannot
    be queried.
    """

    def __init__(self, executor: Executor | Processes, workers: int | None = None) -> None:
        if not isinstance(executor, Executor | Processes):
            raise InvalidArgument(
                "`executor` must be an Executor of concurrent.futures, Processes(n) or None, "
                f"but is {shown(executor)}"
            )
        self._own = isinstance(executor, Processes)
        self._pool: Executor = executor.start() if isinstance(executor, Processes) else executor
        if workers is None:
            workers = getattr(self._pool, "_max_workers", UNKNOWN_WORKERS)
        self.workers = _checks.integer("workers", workers, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *details: object) -> None:
        if self._own:
            self._end(at_once=kind is not None)

    def submit(self, batch: Batch) -> Future[Outcome]:
        """Submit a batch; raises what the executor raises."""
        return self._pool.submit(compute_batch, batch)

    def renew(self) -> None:
        """Continue with a new pool of processes, since a broken pool cannot be used again."""
        if self._own:
            self._end(at_once=True)
        self._pool, self._own = Processes(self.workers).start(), True

    def _end(self, at_once: bool) -> None:
        """End the pool that was started here; `at_once`: without waiting for its batches."""
        processes: dict[int, Any] = dict(getattr(self._pool, "_processes", None) or {})
        self._pool.shutdown(wait=not at_once, cancel_futures=True)
        if at_once:
            for process in processes.values():
                process.kill()
