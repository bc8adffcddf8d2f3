"""Computing all points of a sweep: one after the other, or in batches by an executor."""

import contextlib
import os
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent import futures
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import replace

from wheelwork.sweeps.execution.processes import Processes
from wheelwork.sweeps.execution.work import Work
from wheelwork.sweeps.execution.workers import (
    Batch,
    BatchSize,
    Case,
    Outcome,
    WorkerPool,
    WorkersLost,
)
from wheelwork.sweeps.identity import code_version
from wheelwork.sweeps.point import Task

AHEAD = 2  # batches submitted per worker: one being computed, one waiting, so that none idles
# Of a point that is alone when its worker is lost. Once may be chance, such as another process that
# took all memory; each attempt costs the start of a pool.
ATTEMPTS = 3
# Points given up in a row that end the sweep: before any success the executor itself is broken;
# later, a region of parameters may be.
HOPELESS = (3, 20)


@contextlib.contextmanager
def open_pool(
    task: Task, executor: Executor | Processes | None, workers: int | None = None
) -> Iterator[WorkerPool | None]:
    """Yield the pool that computes `task`, None for this process itself.

    Raises InvalidArgument where the task cannot be sent to other processes.
    """
    if executor is None:
        yield None
        return
    with WorkerPool(task, executor, workers) as pool:
        yield pool


def compute(task: Task, work: Work, pool: WorkerPool | None) -> None:
    """Compute all of `work`, and wait for the points that other processes have claimed.

    Raises errors of the code and of the store. A point that fails, or that kills its worker three
    times, does not stop the rest.
    """
    if pool is not None:
        _Dispatcher(work, pool).run()
        return
    size = BatchSize(workers=1)
    while True:
        cases = work.take(size.next(work.remaining))
        points = []
        for case in cases:
            points.append(task.solve(case.parameters, case.index, work.total))
            work.keep([case], points[-1:])
        if points:
            size.learn(points)
        elif not work.wait():
            return


class _Dispatcher:
    """Keeps a pool busy, and repeats the batches that are lost with a worker.

    When a worker dies, any batch submitted at that time may be the cause. Their points are tried
    again one at a time, so that a point that kills its worker is distinguished from the others.
    """

    def __init__(self, work: Work, pool: WorkerPool) -> None:
        self.work, self.pool = work, pool
        self.size = BatchSize(pool.workers)
        self.pending: dict[Future[Outcome], Batch] = {}
        self.retries: deque[Batch] = deque()
        self.given_up = 0
        self.succeeded = False

    def run(self) -> None:
        try:
            while self._submit_batches() or self.work.wait():
                if self.pending:
                    done, _ = futures.wait(self.pending, return_when=futures.FIRST_COMPLETED)
                    self._collect(done)
        except BaseException:
            for future in self.pending:
                future.cancel()
            raise

    def _submit_batches(self) -> bool:
        """Submit batches until the pool has enough; return whether any is being computed."""
        if self.retries:
            if not self.pending:
                self._submit(self.retries.popleft())
            return True
        while len(self.pending) < AHEAD * self.pool.workers:
            cases = self.work.take(self.size.next(self.work.remaining))
            if not cases:
                break
            self._submit(Batch(self.pool.task, cases, self.work.total, os.getpid(), code_version()))
            if self.retries:
                break
        return bool(self.pending) or bool(self.retries)

    def _submit(self, batch: Batch) -> None:
        try:
            self.pending[self.pool.submit(batch)] = batch
        except BrokenExecutor as reason:  # it broke between two batches
            lost = self.pool.words(reason)
            self.pool.renew(reason)
            self._retry(batch, lost)

    def _collect(self, done: Iterable[Future[Outcome]]) -> None:
        reasons = [self._finish(future) for future in done]
        broken = next((reason for reason in reasons if isinstance(reason, BrokenExecutor)), None)
        if broken is not None:
            for future in list(self.pending):  # lost too, unless it was done before
                self._finish(future)
            self.pool.renew(broken)

    def _finish(self, future: Future[Outcome]) -> BaseException | None:
        """Take the result of a batch, or plan it again; return why it has none."""
        batch = self.pending.pop(future)
        try:
            outcome = future.result()
        except Exception as reason:
            self._retry(batch, self.pool.words(reason))
            return reason
        self._accept(batch, outcome)
        return None

    def _accept(self, batch: Batch, outcome: Outcome) -> None:
        self.work.keep(batch.cases[: len(outcome.points)], outcome.points)
        self.given_up, self.succeeded = 0, True
        for category, text in outcome.warned:
            warnings.warn(text, category, stacklevel=2)
        if outcome.fault is not None:
            raise outcome.fault
        self.size.learn(outcome.points)

    def _retry(self, batch: Batch, lost: str) -> None:
        """Try the points of a batch again, each by itself; lost: why it has no result."""
        if len(batch.cases) > 1:
            self.retries.extend(replace(batch, cases=[case]) for case in batch.cases)
        elif batch.attempt + 1 < ATTEMPTS:
            self.retries.appendleft(replace(batch, attempt=batch.attempt + 1))
        else:
            self._give_up(batch.cases, lost)

    def _give_up(self, cases: Sequence[Case], lost: str) -> None:
        self.given_up += 1
        if self.given_up >= HOPELESS[self.succeeded]:
            raise WorkersLost(f"the executor loses whatever it is given: {lost}")
        for case in cases:
            self.work.give_up(case, f"its worker was lost {ATTEMPTS} times: {lost}")
