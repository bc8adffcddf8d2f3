"""Running a sweep's work: one point after the other, or in batches by an executor."""

import contextlib
import os
import pickle
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from dataclasses import replace

from wheelwork.errors import InvalidArgument, WheelworkError
from wheelwork.sweeps.execution.batch import Batch, Case, Outcome
from wheelwork.sweeps.execution.batch_size import Pace
from wheelwork.sweeps.execution.executors import Crew, Processes
from wheelwork.sweeps.execution.work import Work
from wheelwork.sweeps.identity import code_version
from wheelwork.sweeps.point import Task, message

AHEAD = 2  # batches per worker that are handed out: one in work, one waiting
ATTEMPTS = 3  # of a point that is alone when its worker is lost
HOPELESS = (3, 20)  # points given up in a row: before any success, and later


@contextlib.contextmanager
def crew_of(
    task: Task, executor: Executor | Processes | None, workers: int | None = None
) -> Iterator[Crew | None]:
    """Yield who computes `task`, None for this process itself.

    Raises InvalidArgument where the task cannot be sent to other processes.
    """
    if executor is None:
        yield None
        return
    if not isinstance(executor, ThreadPoolExecutor):
        _require_picklable(task)
    with Crew(executor, workers) as crew:
        yield crew


def compute(task: Task, work: Work, crew: Crew | None) -> None:
    """Compute all of `work`, and wait for what other processes compute of it.

    Raises what is wrong with the code or the store. A point that fails, or that costs its worker
    the life three times, does not stop the rest.
    """
    if crew is None:
        _compute_here(task, work)
    else:
        _Foreman(task, work, crew).run()


def _compute_here(task: Task, work: Work) -> None:
    pace = Pace(workers=1)
    while True:
        cases = work.take(pace.size(work.remaining))
        points = []
        for case in cases:
            points.append(task.solve(case.parameters, case.index, work.total))
            work.keep([case], points[-1:])
        if points:
            pace.learn(points)
        elif not work.wait():
            return


def _require_picklable(task: Task) -> None:
    try:
        pickle.dumps(task)
    except (pickle.PicklingError, TypeError, AttributeError) as reason:
        raise InvalidArgument(
            f"`machine` must be such that it can be sent to workers, but it cannot: {reason}"
        ) from None


class _Foreman:
    """Keeps a crew busy, and takes up again what its workers lose.

    When a worker is lost, all batches then in work come into doubt; their points are tried again
    one at a time, so that a point which costs its worker the life is told from those beside it.
    """

    def __init__(self, task: Task, work: Work, crew: Crew) -> None:
        self.task, self.work, self.crew = task, work, crew
        self.pace = Pace(crew.workers)
        self.pending: dict[Future[Outcome], Batch] = {}
        self.doubtful: deque[Batch] = deque()
        self.given_up = 0
        self.succeeded = False

    def run(self) -> None:
        try:
            while self._hand_out() or self.work.wait():
                if self.pending:
                    done, _ = wait(self.pending, return_when=FIRST_COMPLETED)
                    self._collect(done)
        except BaseException:
            for future in self.pending:
                future.cancel()
            raise

    def _hand_out(self) -> bool:
        """Submit batches until the crew has enough; return whether anything is in work."""
        if self.doubtful:
            if not self.pending:
                self._submit(self.doubtful.popleft())
            return True
        while len(self.pending) < AHEAD * self.crew.workers:
            cases = self.work.take(self.pace.size(self.work.remaining))
            if not cases:
                break
            self._submit(Batch(self.task, cases, self.work.total, os.getpid(), code_version()))
            if self.doubtful:
                break
        return bool(self.pending) or bool(self.doubtful)

    def _submit(self, batch: Batch) -> None:
        try:
            self.pending[self.crew.submit(batch)] = batch
        except BrokenExecutor as reason:  # found out between two batches
            self.crew.renew()
            self._doubt(batch, reason)

    def _collect(self, done: Iterable[Future[Outcome]]) -> None:
        reasons = [self._take_back(future) for future in done]
        if any(isinstance(reason, BrokenExecutor) for reason in reasons):
            for future in list(self.pending):  # broken too, unless it was done before
                self._take_back(future)
            self.crew.renew()

    def _take_back(self, future: Future[Outcome]) -> BaseException | None:
        """Take the result of a batch, or doubt it; return why it has none."""
        batch = self.pending.pop(future)
        try:
            outcome = future.result()
        except Exception as reason:
            self._doubt(batch, reason)
            return reason
        self._accept(batch, outcome)
        return None

    def _accept(self, batch: Batch, outcome: Outcome) -> None:
        self.work.keep(batch.cases[: len(outcome.points)], outcome.points)
        self.given_up, self.succeeded = 0, True
        for category, text in outcome.warned:
            warnings.warn(text, category, stacklevel=2)
        if outcome.fault is not None:
            outcome.fault.add_note(f"in a worker:\n{outcome.trace}")
            raise outcome.fault
        self.pace.learn(outcome.points)

    def _doubt(self, batch: Batch, reason: BaseException) -> None:
        """Try the points of a lost batch again, each by itself."""
        if len(batch.cases) > 1:
            self.doubtful.extend(
                replace(batch, cases=[case], attempt=batch.attempt) for case in batch.cases
            )
        elif batch.attempt + 1 < ATTEMPTS:
            self.doubtful.appendleft(replace(batch, attempt=batch.attempt + 1))
        else:
            self._give_up(batch.cases, reason)

    def _give_up(self, cases: Sequence[Case], reason: BaseException) -> None:
        self.given_up += 1
        if self.given_up >= HOPELESS[self.succeeded]:
            raise WheelworkError(
                f"the executor loses whatever it is given: {message(reason)} (its workers must be "
                'able to import the machine; a script must guard `if __name__ == "__main__":`)'
            ) from reason
        for case in cases:
            self.work.give_up(case, f"its worker was lost {ATTEMPTS} times: {message(reason)}")
