"""A stream of samples cut into windows of equal length, which may overlap."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument

MEMORY_LIMIT = 2 * 2**30  # bytes
LANES_AT_ONCE = 8  # of one task; fixed, so that the bits do not depend on the threads


@dataclass
class Windows:
    """Windows of `length` samples, each `hop` samples after the last.

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
