"""The points of a sweep: which are open, finished, or claimed by other processes."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wheelwork._checks import integer
from wheelwork.errors import InvalidArgument, shown
from wheelwork.sweeps.cases import Cases
from wheelwork.sweeps.execution.workers import Case
from wheelwork.sweeps.identity import indices_by_key
from wheelwork.sweeps.point import Point
from wheelwork.sweeps.store.folder import Ledger

# Seconds between readings of what others have finished: a batch lasts about twice as long.
POLL_INTERVAL = 0.1

Receive = Callable[[int, Point], None]


@dataclass(frozen=True)
class Share:
    """The part `number` of `of` equal ones, counted from 1: every `of`-th point."""

    number: int
    of: int

    def __post_init__(self) -> None:
        integer("of", self.of, 1, "shard")
        integer("number", self.number, 1, "shard")
        if self.number > self.of:
            raise InvalidArgument(f"`shard` must be at most {self.of}, but is {self.number}")

    @classmethod
    def of_pair(cls, pair: Any) -> "Share":
        """Return the share (number, of); raises InvalidArgument for what is not such a pair."""
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
            raise InvalidArgument(f"`shard` must be a pair (i, n), but is {shown(pair)}")
        return cls(*pair)

    def holds(self, index: int) -> bool:
        return index % self.of == self.number - 1


class Work:
    """The cases of a sweep, each given out once.

    receive: called with index and point for every finished point, computed by this process or
    another. ledger: of the store; None where points are not stored. share: the part to compute.
    """

    def __init__(
        self,
        cases: Cases,
        seal: bytes,
        receive: Receive,
        ledger: Ledger | None = None,
        share: Share | None = None,
    ) -> None:
        self._cases, self._ledger, self._receive = cases, ledger, receive
        self._indices = indices_by_key(seal, cases)  # equal parameters are computed once
        share = share or Share(1, 1)
        own = (key for key, indices in self._indices.items() if share.holds(indices[0]))
        self._open = deque(own)
        self._claimed: deque[str] = deque()
        self._done: set[str] = set()
        self._first = next(iter(self._open), None)  # a fault there is one of the whole calculation

    @property
    def total(self) -> int:
        return len(self._cases)

    @property
    def remaining(self) -> int:
        """Upper bound on the number of cases not yet given out."""
        return len(self._open) + len(self._claimed)

    def take(self, count: int) -> list[Case]:
        """Return up to `count` cases that no other process has claimed or finished.

        An empty list means that what remains, if anything, is claimed by others; see `wait`.
        """
        if self._ledger is None:
            return [self._case(key) for key in self._next(count, set())]
        with self._ledger.exclusive():
            for entry in self._ledger.news(self._indices):
                self._learn(entry["point"], entry)
            keys = self._next(count, self._ledger.busy)
            if keys:
                self._ledger.claim(keys)
        return [self._case(key) for key in keys]

    def keep(self, cases: Sequence[Case], points: Sequence[Point]) -> None:
        """Store points, and pass them on; then raise the fault of the first point of the sweep."""
        pairs = list(zip(cases, points, strict=True))
        entries = [point.entry(case.key) for case, point in pairs if not point.transient]
        if self._ledger is not None and entries:
            self._ledger.append(entries)
        faults = [point.fault for case, point in pairs if case.key == self._first]
        if faults and faults[0] is not None:
            raise faults[0]
        for case, point in zip(cases, points, strict=True):
            self._done.add(case.key)
            self._pass_on(case.key, point)

    def give_up(self, case: Case, reason: str) -> None:
        """Pass on that a case has no result; it is not stored, so that a resumed sweep tries it."""
        self._done.add(case.key)
        point = Point(case.index, self.total, case.parameters, failure=reason, transient=True)
        self._pass_on(case.key, point)

    def wait(self) -> bool:
        """Wait for other processes, briefly; return whether any case remains."""
        if self.remaining:
            time.sleep(POLL_INTERVAL)
        return bool(self.remaining)

    def _next(self, count: int, busy: set[str]) -> list[str]:
        keys: list[str] = []
        if not self._open:
            self._open, self._claimed = self._claimed, deque()
        while self._open and len(keys) < count:
            key = self._open.popleft()
            if key in self._done:
                continue
            if key in busy:
                self._claimed.append(key)
            else:
                keys.append(key)
        return keys

    def _case(self, key: str) -> Case:
        index = self._indices[key][0]
        return Case(key, index, self._cases.parameters(index))

    def _learn(self, key: str, entry: Mapping[str, Any]) -> None:
        if key not in self._done:
            self._done.add(key)
            self._pass_on(key, Point.from_entry(entry, self._indices[key][0], self.total))

    def _pass_on(self, key: str, point: Point) -> None:
        for index in self._indices[key]:
            self._receive(index, point if index == point.index else replace(point, index=index))
