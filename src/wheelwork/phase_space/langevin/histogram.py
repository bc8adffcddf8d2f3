"""A plain histogram of trajectories, and what the kernel summed over its bins gives."""

from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property

import numba
import numpy as np
import numpy.typing as npt

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.phase_space.langevin.samples import Samples
from wheelwork.phase_space.langevin.simulation import Method, Simulation, watch
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel
from wheelwork.states import laguerre_functions

MOST_BINS = 4000
ROOM = 1.25  # reach of the bins against what was reached in the burn-in


@dataclass(frozen=True)
class Histogram:
    """Counts of trajectories in cells of the plane of x and p.

    x_edges, p_edges: (bins + 1,). counts: (bins, bins), x first. outside: samples beyond the edges.
    samples: the moments of the same run.
    """

    x_edges: FloatArray
    p_edges: FloatArray
    counts: npt.NDArray[np.int64]
    outside: int
    samples: Samples

    @property
    def wigner(self) -> FloatArray:
        """W(x, p) at the middle of the cells; its sum times dx dp is one."""
        area = np.diff(self.x_edges)[:, None] * np.diff(self.p_edges)
        return self.counts / (np.sum(self.counts) * area)

    @cached_property
    def _squares(self) -> FloatArray:
        """|α|² at the middle of the cells."""
        x0 = (2.0 / (self.samples.setup.mass * self.samples.setup.frequency)) ** 0.5
        X = 0.5 * (self.x_edges[1:] + self.x_edges[:-1]) / x0
        P = 0.25 * (self.p_edges[1:] + self.p_edges[:-1]) * x0
        return np.asarray(X[:, None] ** 2 + P**2)

    def summed_populations(self, levels: int) -> FloatArray:
        """p_n = 2 (−1)^n Σ W e^{−2|α|²} L_n(4|α|²) over the cells (Culhane et al., Eq. (D8)).

        What the paper does with its histogram, here for comparison only: the kernel oscillates
        within a cell, so the sum aliases, and each level collects the shot noise of all cells. For
        the flywheel at V = 8 the populations found have an ergotropy of tens to hundreds, where the
        true one is zero. Use `Langevin.solve` instead.
        """
        levels = _checks.integer("levels", levels, 1)
        share = (self.counts / np.sum(self.counts)).ravel()
        filled = np.flatnonzero(share)
        kernel = laguerre_functions(0, 4.0 * self._squares.ravel()[filled], levels)
        return np.asarray(2.0 * (-1.0) ** np.arange(levels) * (kernel @ share[filled]))


def sampled_histogram(method: Method, model: PhaseSpaceModel, bins: int) -> Histogram:
    """Return counts of all samples after the burn-in, see `Langevin.histogram`."""
    bins = _checks.integer("bins", bins, 1)
    if bins > MOST_BINS:
        raise InvalidArgument(f"`bins` must be at most {MOST_BINS}, but is {bins}")
    sums: list[_Counts] = []

    def prepare(settled: Simulation, samples: int) -> "_Counts":
        progress = settled.progress
        reach = ROOM * max(-progress.low, progress.high)
        sums.append(_Counts(reach, np.zeros((bins, bins), np.int64)))
        return sums[0]

    done, samples = watch(method, model, prepare)
    edges = np.linspace(-sums[0].reach, sums[0].reach, bins + 1)
    counts = sums[0].counts
    outside = sums[0].total - int(np.sum(counts))
    x0 = done.stepping.model.length
    return Histogram(edges * x0, edges * done.stepping.model.momentum, counts, outside, samples)


@dataclass
class _Counts:
    reach: float
    counts: npt.NDArray[np.int64]
    total: int = 0

    def __call__(self, series: FloatArray, executor: Executor) -> None:
        self.total += len(series) * series.shape[2]
        _count(series, self.reach, self.counts)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _count(series, reach, counts):  # type: ignore[no-untyped-def]
    bins = counts.shape[0]
    scale = 0.5 * bins / reach
    for i in range(series.shape[0]):
        for lane in range(series.shape[2]):
            x = (series[i, 0, lane] + reach) * scale
            p = (series[i, 1, lane] + reach) * scale
            if 0.0 <= x < bins and 0.0 <= p < bins:
                counts[int(x), int(p)] += 1
