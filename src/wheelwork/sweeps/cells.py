"""Intervals and rectangles that are halved where their corners lie on different sides.

Positions are tuples of integers, in units of the smallest cell: the initial axis values stand at
multiples of 2^depth, and halving never leaves the integers. So no point has two positions, and the
points do not depend on the order in which they are computed.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray

Position = tuple[int, ...]


@dataclass(frozen=True)
class Cell:
    """An interval (one parameter) or rectangle (two). low: least corner; size: of the sides."""

    low: Position
    size: int

    def corners(self) -> list[Position]:
        return list(itertools.product(*((low, low + self.size) for low in self.low)))

    def halves(self) -> list["Cell"]:
        half = self.size // 2
        lows = itertools.product(*((low, low + half) for low in self.low))
        return [Cell(low, half) for low in lows]

    def rim(self) -> Iterator[Position]:
        """All positions on its boundary, those of smaller neighbours included."""
        if len(self.low) == 1:
            yield from self.corners()
            return
        x, y = self.low
        for step in range(self.size):
            yield x + step, y
            yield x + self.size, y + step
            yield x + self.size - step, y + self.size
            yield x, y + self.size - step


@dataclass(frozen=True)
class Lattice:
    """Parameter values at integer positions. depth: halvings of an initial cell, at most."""

    axes: tuple[FloatArray, ...]
    depth: int

    @property
    def unit(self) -> int:
        """Size of the initial cells."""
        return 1 << self.depth

    def cells(self) -> list[Cell]:
        lows = itertools.product(*(range(axis.size - 1) for axis in self.axes))
        return [Cell(tuple(self.unit * low for low in position), self.unit) for position in lows]

    def values(self, position: Position) -> tuple[float, ...]:
        return tuple(self._value(axis, n) for axis, n in zip(self.axes, position, strict=True))

    def _value(self, axis: FloatArray, n: int) -> float:
        left, rest = divmod(n, self.unit)
        if rest == 0:
            return float(axis[left])
        share = rest / self.unit
        return float(axis[left] + (axis[left + 1] - axis[left]) * share)


def depth_for(axes: tuple[FloatArray, ...], widths: tuple[float, ...]) -> int:
    """Return how often the widest cells must be halved to be no wider than `widths`."""
    ratios = (
        float(np.max(np.diff(axis))) / width for axis, width in zip(axes, widths, strict=True)
    )
    return max(0, int(np.ceil(np.log2(max(*ratios, 1.0)))))
