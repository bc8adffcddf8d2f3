"""Executors: processes of this machine, and a pool that is replaced when it breaks."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any, Self

from wheelwork import _checks
from wheelwork.errors import InvalidArgument
from wheelwork.sweeps.execution.batch import Batch, Outcome, compute_batch

UNKNOWN_WORKERS = 32  # assumed of an executor that does not tell: idle ones cost more than a queue


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
        """Return a new pool."""
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
    number of batches it computes at once; None: its number of workers, or 32 where it does not
    tell.
    """

    def __init__(self, executor: Executor | Processes, workers: int | None = None) -> None:
        if not isinstance(executor, Executor | Processes):
            raise InvalidArgument(
                "`executor` must be an Executor of concurrent.futures, Processes(n) or None, "
                f"but is {executor!r}"
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
