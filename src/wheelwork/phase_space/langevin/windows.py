"""A stream of samples cut into windows, and averages over them with their errors."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.numerics.statistics import BATCHES, MANY_TRAJECTORIES, standard_error

MEMORY_LIMIT = 2 * 2**30  # bytes of the windows of all trajectories
LANES_AT_ONCE = 8  # of one task; fixed, so that the bits do not depend on the threads


@dataclass
class Windows:
    """Windows of `length` samples, each `hop` samples after the last; they may overlap.

    buffer: (2, lanes, length), the last samples. filled: how many of them there are.
    """

    buffer: FloatArray
    hop: int
    filled: int = 0

    @classmethod
    def of(cls, lanes: int, length: int, hop: int, name: str) -> "Windows":
        """Return empty windows. Raises InvalidArgument, naming `name`, beyond 2 GiB."""
        if 16 * lanes * length > MEMORY_LIMIT:
            raise InvalidArgument(
                f"`{name}` must need windows of less than {MEMORY_LIMIT} bytes, but "
                f"{length} samples of {lanes} trajectories take {16 * lanes * length:.3g}"
            )
        return cls(np.empty((2, lanes, length)), hop)

    @property
    def length(self) -> int:
        return int(self.buffer.shape[2])

    def feed(self, series: FloatArray) -> Iterator[FloatArray]:
        """Take samples (n, 2, lanes); yield every window (2, lanes, length) that they fill.

        A window is overwritten when the next is asked for.
        """
        taken = 0
        while taken < len(series):
            count = min(self.length - self.filled, len(series) - taken)
            part = series[taken : taken + count]
            self.buffer[:, :, self.filled : self.filled + count] = np.moveaxis(part, 0, 2)
            self.filled += count
            taken += count
            if self.filled == self.length:
                yield self.buffer
                kept = self.length - self.hop
                self.buffer[:, :, :kept] = self.buffer[:, :, self.hop :].copy()
                self.filled = kept


def lane_groups(lanes: int) -> list[slice]:
    """Slices that cover the lanes, eight at a time."""
    return [slice(i, min(i + LANES_AT_ONCE, lanes)) for i in range(0, lanes, LANES_AT_ONCE)]


@dataclass
class BatchMeans:
    """Means over windows of time, kept per trajectory and, where these are few, per part of it.

    total: windows to come. values: (parts, lanes, *shape) sums. counts: (parts,) windows in each.
    """

    total: int
    values: FloatArray
    counts: FloatArray
    done: int = 0

    @classmethod
    def of(cls, total: int, lanes: int, shape: tuple[int, ...]) -> "BatchMeans":
        """Return empty batches: whole trajectories, or with fewer than 16 at least 64 parts."""
        parts = 1 if lanes >= MANY_TRAJECTORIES else min(total, -(-BATCHES // lanes))
        return cls(total, np.zeros((parts, lanes, *shape)), np.zeros(parts))

    @property
    def part(self) -> int:
        """The part of the run to which the next window belongs."""
        return self.done * len(self.counts) // self.total

    def finish(self) -> None:
        """Count a window, after its values were added to `values[part]`."""
        self.counts[self.part] += 1.0
        self.done += 1

    def estimates(self) -> tuple[FloatArray, FloatArray]:
        """Return means and standard errors, each of the shape of one value.

        Raises NotConverged as `wheelwork.numerics.statistics.standard_error`.
        """
        weight = self.counts.reshape((-1, *[1] * (self.values.ndim - 1)))
        mean = self.values.sum(axis=(0, 1)) / (np.sum(self.counts) * self.values.shape[1])
        off = self.values / weight - mean
        flat = off.reshape((*off.shape[:2], -1))
        error = np.array([standard_error(flat[..., i]) for i in range(flat.shape[2])])
        return mean, error.reshape(mean.shape)


@dataclass
class WindowMeans:
    """An observer of samples: means of a function over windows.

    function: window (2, lanes, length) of some lanes -> values (lanes, *shape).
    """

    windows: Windows
    means: BatchMeans
    function: Callable[[FloatArray], FloatArray]

    def __call__(self, series: FloatArray, executor: Executor) -> None:
        for window in self.windows.feed(series):
            if self.means.done == self.means.total:
                return
            part = self.means.values[self.means.part]

            def work(lanes: slice, window: FloatArray = window, part: FloatArray = part) -> None:
                part[lanes] += self.function(window[:, lanes])

            list(executor.map(work, lane_groups(window.shape[1])))
            self.means.finish()
