"""Workers: batches of points, how a worker computes one, and the pools of processes."""

import functools
import math
import os
import pickle
import platform
import traceback
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Self, cast

import cloudpickle  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits

from wheelwork import _checks
from wheelwork.errors import InvalidArgument, WheelworkError, shown
from wheelwork.sweeps.execution.processes import (
    Processes,
    how_it_ended,
    require_program,
    started_by,
)
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

    task: `packed`, unless it stays in this process. home: id of the process that sends it. code:
    versions there (`code_version`). attempt: counted from zero.
    """

    task: Task | bytes
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


class WorkersLost(WheelworkError):
    """The workers of a sweep end before their work is done; the message says how, as far as known.

    dataset: what a sweep would have returned, with the points that were computed.
    """

    dataset: Any = None


def packed(task: Task, executor: Executor | Processes) -> Task | bytes:
    """Return `task` such that workers can read it; classes that the program defines go with it.

    Raises InvalidArgument where it cannot be sent.
    """
    if isinstance(executor, ThreadPoolExecutor):
        return task
    try:
        return cast(bytes, cloudpickle.dumps(task))
    except Exception as reason:  # whatever a part of the machine raises
        raise InvalidArgument(
            f"`machine` must be such that it can be sent to workers, but it cannot: {reason}"
        ) from None


@functools.lru_cache(maxsize=1)
def _unpacked(task: bytes) -> Task:
    """Return the task of a sweep, read once in each worker."""
    try:
        return cast(Task, pickle.loads(task))
    except Exception as reason:  # such as ModuleNotFoundError
        raise InvalidArgument(
            "`machine` must be such that workers can import its modules, but one on "
            f"{platform.node()} cannot: {message(reason)}"
        ) from None


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
    warned = dict.fromkeys((_known(one.category), str(one.message)) for one in caught)
    return replace(outcome, warned=tuple(warned))


def _compute(batch: Batch) -> Outcome:
    points: list[Point] = []
    try:
        task = _unpacked(batch.task) if isinstance(batch.task, bytes) else batch.task
        for case in batch.cases:
            point = task.solve(case.parameters, case.index, batch.total)
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
    if not _travels(reason):
        reason = RuntimeError(message(reason))
    reason.add_note(f"in a worker:\n{words}")
    return reason


def _known(category: type[Warning]) -> type[Warning]:
    """Return `category`, or the first of its bases that is known outside of the program."""
    return next(kind for kind in category.__mro__ if _travels(kind))


def _travels(value: object) -> bool:
    """Whether another process can be sent `value`."""
    try:
        pickle.loads(pickle.dumps(value))
    except Exception:
        return False
    return True


@functools.cache
def _one_thread() -> None:
    """Limit the numerical libraries of this process, loaded or not yet, to one thread."""
    for name in THREADS:
        os.environ[name] = "1"
    threadpool_limits(1)


class WorkerPool:
    """An executor for the duration of a sweep.

    task: what it computes, and sends `packed`. executor: `Processes`, or one of
    `concurrent.futures`, which is left open at the end. workers: number of batches it computes at
    once; None: its number of workers, or 32 if it cannot be queried.
    """

    def __init__(
        self, task: Task, executor: Executor | Processes, workers: int | None = None
    ) -> None:
        if not isinstance(executor, Executor | Processes):
            raise InvalidArgument(
                "`executor` must be an Executor of concurrent.futures, Processes(n) or None, "
                f"but is {shown(executor)}"
            )
        require_program(executor)
        self.task = packed(task, executor)
        self._own = isinstance(executor, Processes)
        self._begin(executor)
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

    def words(self, reason: BaseException) -> str:
        """Return in words why a batch was lost."""
        if not (self._own and isinstance(reason, BrokenExecutor)):
            return message(reason)
        return how_it_ended(self._pool)

    def renew(self, reason: BaseException) -> None:
        """Continue with a new pool of processes, since a pool that `reason` broke is of no use.

        Raises WorkersLost where its processes could not even begin, as new ones could not either.
        """
        if self._own:
            if self._sign_of_life is not None and self._sign_of_life.exception() is not None:
                raise WorkersLost(f"no worker process could begin: {self.words(reason)}")
            self._end(at_once=True)
        self._own = True
        self._begin(Processes(self.workers))

    def _begin(self, executor: Executor | Processes) -> None:
        self._sign_of_life: Future[int] | None = None
        if isinstance(executor, Processes):
            self._pool: Executor = executor.start()
            self._sign_of_life = self._pool.submit(os.getpid)
        else:
            self._pool = executor

    def _end(self, at_once: bool) -> None:
        """End the pool that was started here; `at_once`: without waiting for its batches."""
        self._pool.shutdown(wait=not at_once, cancel_futures=True)
        if at_once:
            for process in started_by(self._pool):
                process.kill()
