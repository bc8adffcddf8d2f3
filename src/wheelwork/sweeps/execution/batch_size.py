"""How many points make a batch."""

import math
from collections.abc import Sequence

from wheelwork.sweeps.point import Point

BATCH_SECONDS = 0.2  # against which the overhead of a batch, a few milliseconds, is small
LARGEST = 4096
GROWTH = 8  # at most, from one batch to the next: the first points may not be typical


class Pace:
    """The size of the next batch, from what the last ones cost.

    Batches last about 0.2 s, or hold one point, and get smaller at the end, so that all of
    `workers` finish together.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._size = 1

    def learn(self, points: Sequence[Point]) -> None:
        """Take note of a finished batch."""
        mean = sum(point.seconds for point in points) / len(points)
        wanted = LARGEST if mean == 0.0 else int(BATCH_SECONDS / mean)
        self._size = max(1, min(wanted, GROWTH * self._size, LARGEST))

    def size(self, remaining: int) -> int:
        """Return the number of points of the next batch, of `remaining` in all."""
        return max(1, min(self._size, math.ceil(remaining / (2 * self._workers))))
