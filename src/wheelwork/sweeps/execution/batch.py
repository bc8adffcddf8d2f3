"""Batches of points: how large they are, and how a worker computes one."""

import functools
import math
import os
import pickle
import platform
import traceback
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from wheelwork.errors import WheelworkError
from wheelwork.sweeps.identity import code_version
from wheelwork.sweeps.point import Point, Task, message

# Overhead of a batch is a few milliseconds: at 0.2 s it is small, and little is lost by a kill.
BATCH_SECONDS = 0.2
LARGEST = 4096  # points, of which each is a line in a journal and a Point to be sent back
GROWTH = 8  # at most, from one batch to the next: the first points may not be typical
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

    fault: an exception that is not a numerical failure; trace: its traceback.
    """

    points: Sequence[Point]
    warned: Sequence[tuple[type[Warning], str]] = ()
    fault: Exception | None = None
    trace: str = ""


class BatchSize:
    """The number of points of the next batch, from the time that the last ones took.

    Batches last about `BATCH_SECONDS`, or hold one point, and get smaller at the end, so that all
    of `workers` finish together.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._size = 1

    def learn(self, points: Sequence[Point]) -> None:
        """Adapt to the points of a finished batch."""
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
    computes nothing: a store would take its numbers for those of the sender's versions.
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
    return Outcome(outcome.points, tuple(warned), outcome.fault, outcome.trace)


def _compute(batch: Batch) -> Outcome:
    points: list[Point] = []
    try:
        for case in batch.cases:
            points.append(batch.task.solve(case.parameters, case.index, batch.total))
    except Exception as reason:
        return Outcome(points, fault=_portable(reason), trace=traceback.format_exc())
    return Outcome(points)


def _portable(reason: Exception) -> Exception:
    """Return `reason`, or a RuntimeError with its text where it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(reason))
    except Exception:
        return RuntimeError(message(reason))
    return reason


@functools.cache
def _one_thread() -> None:
    """Limit the numerical libraries of this process, loaded or not yet, to one thread."""
    for name in THREADS:
        os.environ[name] = "1"
    threadpool_limits(1)
