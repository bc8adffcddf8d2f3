"""A batch of points, as a worker computes it."""

import functools
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

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Case:
    """One point to be computed: its key, its place, its parameters."""

    key: str
    index: int
    parameters: Mapping[str, float]


@dataclass(frozen=True)
class Batch:
    """Cases that travel together.

    home: process that sent it; code: versions there (`code_version`). attempt: counts from zero.
    """

    task: Task
    cases: Sequence[Case]
    total: int
    home: int
    code: Mapping[str, str]
    attempt: int = 0


@dataclass(frozen=True)
class Outcome:
    """What came of a batch: points in the order of its cases, and the warnings given.

    fault: an exception that is no numerical failure, with where it was raised in `trace`.
    """

    points: Sequence[Point]
    warned: Sequence[tuple[type[Warning], str]] = ()
    fault: Exception | None = None
    trace: str = ""


def compute_batch(batch: Batch) -> Outcome:
    """Compute a batch; runs in a worker.

    Away from home, numerical libraries are held to one thread each, as there are other workers,
    and warnings are collected. Other versions than at home compute nothing: their numbers would be
    taken for those of home.
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
    """Return `reason`, or its words where it cannot be sent."""
    try:
        pickle.loads(pickle.dumps(reason))
    except Exception:
        return RuntimeError(message(reason))
    return reason


@functools.cache
def _one_thread() -> None:
    """Hold what is loaded, and what will be, to one thread in this process."""
    for name in THREADS:
        os.environ[name] = "1"
    threadpool_limits(1)
