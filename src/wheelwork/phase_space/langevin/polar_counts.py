"""Counts of trajectories on rings and sectors about a centre, in groups for their errors."""

import math
from concurrent.futures import Executor
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.numerics.statistics import MANY_TRAJECTORIES

RINGS, SECTORS = 1024, 64
GROUPS = 32


@dataclass
class PolarCounts:
    """Samples of W in cells of equal area: r² in 1024 rings up to `square`, 64 sectors.

    centre: (X, P). total: samples to come of each trajectory. lane_group: (lanes,) group of each.
    counts: (parts of the run, groups of trajectories, rings, sectors). outside: samples beyond.
    """

    centre: tuple[float, float]
    square: float
    total: int
    lane_group: npt.NDArray[np.intp]
    counts: npt.NDArray[np.int64]
    done: int = 0
    outside: int = 0

    @classmethod
    def of(
        cls, centre: tuple[float, float], square: float, total: int, lanes: int
    ) -> "PolarCounts":
        """Return empty counts, in 32 groups of trajectories, or of parts of fewer than 16."""
        groups = min(lanes, GROUPS)
        parts = 1 if lanes >= MANY_TRAJECTORIES else -(-GROUPS // lanes)
        counts = np.zeros((parts, groups, RINGS, SECTORS), np.int64)
        return cls(centre, square, total, np.arange(lanes) * groups // lanes, counts)

    def __call__(self, series: FloatArray, executor: Executor) -> None:
        parts, groups = self.counts.shape[:2]
        edges = np.searchsorted(self.lane_group, np.arange(groups + 1))
        while len(series):
            part = self.done * parts // self.total
            count = min(len(series), -(-(part + 1) * self.total // parts) - self.done)
            now, series = series[:count], series[count:]

            def work(group: int, part: int = part, now: FloatArray = now) -> int:
                lanes = now[:, :, edges[group] : edges[group + 1]]
                return int(_count(lanes, *self.centre, self.square, self.counts[part, group]))

            self.outside += sum(executor.map(work, range(groups)))
            self.done += count

    @property
    def by_group(self) -> npt.NDArray[np.int64]:
        """(groups, rings, sectors) with every part of the run as a group of its own."""
        return self.counts.reshape((-1, RINGS, SECTORS))


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _count(series, X0, P0, square, counts):  # type: ignore[no-untyped-def]
    rings, sectors = counts.shape
    per_ring, per_sector = rings / square, sectors / (2.0 * math.pi)
    outside = 0
    for i in range(series.shape[0]):
        for lane in range(series.shape[2]):
            x, p = series[i, 0, lane] - X0, series[i, 1, lane] - P0
            ring = (x * x + p * p) * per_ring
            if ring < rings:
                sector = math.floor(math.atan2(p, x) * per_sector) % sectors
                counts[int(ring), sector] += 1
            else:
                outside += 1
    return outside
