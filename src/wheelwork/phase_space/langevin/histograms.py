"""Histograms of trajectories: on squares for display, on rings and sectors for density fits."""

import math
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.methods.sampling_method import SamplingMethod
from wheelwork.numerics.compiling import compiled
from wheelwork.numerics.statistics import GROUPS, MANY_TRAJECTORIES, trajectory_groups
from wheelwork.phase_space.langevin.samples import Samples, accepted
from wheelwork.phase_space.langevin.simulation import Simulation, watch
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel
from wheelwork.results.datasets import variables
from wheelwork.states import laguerre_functions

MOST_BINS = 4000  # on a side: 128 MB of counts
ROOM = 1.25  # reach of the bins against what was reached in the burn-in
RINGS, SECTORS = 1024, 64  # fine against the widths of states that a fit of this kind resolves


@dataclass(frozen=True, eq=False)
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

    def __repr__(self) -> str:
        bins = " x ".join(map(str, self.counts.shape))
        return f"Histogram({bins} bins, {self.outside} samples outside, {self.samples!r})"

    @property
    def wigner(self) -> FloatArray:
        """W(x, p) at the middle of the cells; its sum times dx dp is one."""
        area = np.diff(self.x_edges)[:, None] * np.diff(self.p_edges)
        return self.counts / (np.sum(self.counts) * area)

    def to_xarray(self) -> xr.Dataset:
        """Return counts and W over the middles of the cells, `x` and `p`, with the moments."""
        dims = "x", "p"
        parts = variables(dims, "counts", self.counts, None, "1", "samples in the cell")
        parts |= variables(dims, "wigner", self.wigner, None, "1", "Wigner function")
        edges = zip(dims, (self.x_edges, self.p_edges), ("length", "1/length"), strict=True)
        axes = {n: (n, 0.5 * (e[1:] + e[:-1]), {"units": unit}) for n, e, unit in edges}
        own = {name: f"mean_{name}" for name in (*dims, "x_error", "p_error")}
        dataset = self.samples.to_xarray().rename(own)
        return dataset.assign(parts).assign_coords(axes).assign_attrs(outside=self.outside)

    def summed_populations(self, levels: int) -> FloatArray:
        """p_n = 2 (−1)^n Σ W e^{−2|α|²} L_n(4|α|²) over the cells (Culhane et al., Eq. (D8)).

        The paper's evaluation of its histogram, for comparison only: the kernel oscillates within a
        cell, so the sum aliases, and each level collects the shot noise of all cells. For the
        flywheel at V = 8 such populations have an ergotropy of tens to hundreds, where the true one
        is zero. Use `Langevin.solve` instead.
        """
        levels = _checks.integer("levels", levels, 1)
        x0 = (2.0 / (self.samples.setup.mass * self.samples.setup.frequency)) ** 0.5
        X = 0.5 * (self.x_edges[1:] + self.x_edges[:-1]) / x0
        P = 0.25 * (self.p_edges[1:] + self.p_edges[:-1]) * x0
        share = (self.counts / np.sum(self.counts)).ravel()
        filled = np.flatnonzero(share)
        squares = (X[:, None] ** 2 + P**2).ravel()[filled]
        kernel = laguerre_functions(0, 4.0 * squares, levels)
        return np.asarray(2.0 * (-1.0) ** np.arange(levels) * (kernel @ share[filled]))


def sampled_histogram(method: SamplingMethod, model: PhaseSpaceModel, bins: int) -> Histogram:
    """See `TrajectoryMethod.histogram`; all samples after the burn-in are counted."""
    bins = _checks.integer("bins", bins, 1)
    if bins > MOST_BINS:
        raise InvalidArgument(f"`bins` must be at most {MOST_BINS}, but is {bins}")

    def prepare(begun: Simulation, samples: int) -> "_SquareCounts":
        reach = ROOM * max(-begun.progress.low, begun.progress.high)
        return _SquareCounts(reach, np.zeros((bins, bins), np.int64))

    _, samples, observer = watch(method, model, prepare)
    edges = np.linspace(-observer.reach, observer.reach, bins + 1)
    outside = observer.total - int(np.sum(observer.counts))
    x_edges, p_edges = edges * model.length, edges * model.momentum
    return accepted(samples, Histogram(x_edges, p_edges, observer.counts, outside, samples))


@dataclass(eq=False)
class _SquareCounts:
    reach: float
    counts: npt.NDArray[np.int64]
    total: int = 0

    def __call__(self, series: FloatArray, executor: Executor) -> None:
        self.total += len(series) * series.shape[2]
        _count_squares(series, self.reach, self.counts)


@compiled
def _count_squares(series, reach, counts):  # type: ignore[no-untyped-def]
    bins = counts.shape[0]
    scale = 0.5 * bins / reach
    for i in range(series.shape[0]):
        for lane in range(series.shape[2]):
            x = (series[i, 0, lane] + reach) * scale
            p = (series[i, 1, lane] + reach) * scale
            if 0.0 <= x < bins and 0.0 <= p < bins:
                counts[int(x), int(p)] += 1


class PolarCounts:
    """Samples of W in cells of equal area: r² in 1024 rings up to `square`, 64 sectors.

    In 32 groups of trajectories, or of parts of fewer than 16.
    centre: (X, P). total: samples to come of each trajectory. lane_group: (lanes,) group of each.
    counts: (parts of the run, groups of trajectories, rings, sectors). outside: samples beyond.
    """

    def __init__(self, centre: tuple[float, float], square: float, total: int, lanes: int) -> None:
        self.centre, self.square, self.total = centre, square, total
        parts = 1 if lanes >= MANY_TRAJECTORIES else -(-GROUPS // lanes)
        self.counts = np.zeros((parts, min(lanes, GROUPS), RINGS, SECTORS), np.int64)
        self.lane_group = trajectory_groups(lanes)
        self.done = self.outside = 0

    def __call__(self, series: FloatArray, executor: Executor) -> None:
        parts, groups = self.counts.shape[:2]
        edges = np.searchsorted(self.lane_group, np.arange(groups + 1))
        while len(series):
            part = self.done * parts // self.total
            count = min(len(series), -(-(part + 1) * self.total // parts) - self.done)
            now, series = series[:count], series[count:]

            def work(group: int, part: int = part, now: FloatArray = now) -> int:
                lanes, counts = now[:, :, edges[group] : edges[group + 1]], self.counts[part, group]
                return int(_count_sectors(lanes, *self.centre, self.square, counts))

            self.outside += sum(executor.map(work, range(groups)))
            self.done += count

    @property
    def by_group(self) -> npt.NDArray[np.int64]:
        """(groups, rings, sectors) with each part of the run as a separate group."""
        return self.counts.reshape((-1, RINGS, SECTORS))


def cell_centres(square: float) -> tuple[FloatArray, FloatArray]:
    """r² in the middle of the rings, and the angles in the middle of the sectors."""
    s, theta = (
        np.asarray(whole / count * (np.arange(count) + 0.5))
        for whole, count in ((square, RINGS), (2.0 * math.pi, SECTORS))
    )
    return s, theta


@compiled
def _count_sectors(series, X0, P0, square, counts):  # type: ignore[no-untyped-def]
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
