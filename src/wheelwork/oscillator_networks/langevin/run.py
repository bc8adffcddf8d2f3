"""The loop over time of a sampling run: burn-in, sums in parts, bundles of lanes on threads."""

import itertools
import math
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.methods.sampling_method import CHUNK, SAMPLE
from wheelwork.numerics.bundles import bundles, processors
from wheelwork.numerics.statistics import BATCHES, GROUPS, MANY_TRAJECTORIES, trajectory_groups
from wheelwork.numerics.work import tick
from wheelwork.oscillator_networks.langevin.kernel import FIXED_ROWS, propagate
from wheelwork.oscillator_networks.langevin.noisy_model import NoisyModel
from wheelwork.oscillator_networks.langevin.steps import Stepper

BINS = 64  # of a histogram: a sixteenth of the root mean square each
WIDEST = 4.0  # times the root of the mean occupation: a thermal |α| is beyond in 1e-7 of all cases
MOST_COUNTS = 2**28  # bytes of histograms
MOST_BYTES = 2**32  # of the states and sums of all trajectories
STATE_BYTES = 131072  # of a bundle: it should stay in a fast cache
FEWEST_LANES, MOST_LANES = 16, 64  # of a bundle: full vectors, and a choice for several threads
LEAST_MEAN = 1e-12  # of the largest mean occupation: keeps the bins of empty sites finite
UNBOUNDED = 1e30  # an amplitude that nothing bounds: far beyond any state, far from overflow
SITE_STEPS = 2**22  # sites times steps times lanes, some 0.1 s, between two looks at the clock

Counts = npt.NDArray[np.int64]
NewCounts = npt.NDArray[np.uint32]  # of one call: far fewer than 2³²


@dataclass(frozen=True, eq=False)
class Course:
    """Length of a run, in chunks of 256 steps of the fine ensemble.

    burn_in: chunks left out. parts: (P + 1,) where the parts of the rest begin and end. wanted: the
    parts that error estimates need. short: why there are fewer, or empty.
    """

    burn_in: int
    parts: tuple[int, ...]
    wanted: int
    short: str = ""

    @classmethod
    def of(cls, chunks: int, burn_in: int, trajectories: int) -> "Course":
        """Cut what follows the burn-in into halves or, for few trajectories, 64 batches in all.

        Of fewer chunks than parts each is a part, the last at least, whatever the burn-in.
        """
        wanted = 2 if trajectories >= MANY_TRAJECTORIES else max(2, -(-BATCHES // trajectories))
        rest, short = chunks - burn_in, ""
        if rest < wanted:
            short = (
                f"error estimates of {trajectories} trajectories need {wanted} blocks of {CHUNK} "
                f"steps after the burn-in, but there are {max(rest, 0)}; raise `duration`"
            )
            burn_in = min(burn_in, chunks - 1)
            rest = chunks - burn_in
        parts = min(wanted, rest)
        edges = [burn_in + rest * i // parts for i in range(parts + 1)]
        return cls(burn_in, tuple(edges), wanted, short)

    @property
    def fair(self) -> bool:
        """Whether there are enough parts for standard errors."""
        return len(self.parts) > self.wanted

    @property
    def samples(self) -> FloatArray:
        """(P,) samples of a trajectory in each part."""
        return np.diff(np.array(self.parts, dtype=np.float64)) * (CHUNK // SAMPLE)


@dataclass(eq=False)
class Bundle:
    """Neighbouring lanes of an ensemble. state: (2N, lanes), moved in place."""

    lanes: slice
    state: FloatArray
    groups: npt.NDArray[np.intp]


@dataclass(eq=False)
class Ensemble:
    """Trajectories stepped alike, in bundles of lanes.

    joined: whether each step takes the noise of two. sums: (P, rows, lanes), of samples.
    counts: (P, groups, N, bins) of |α_j|. lost: whether an amplitude grew beyond all bounds.
    """

    stepper: Stepper
    joined: bool
    bundles: list[Bundle]
    sums: FloatArray
    counts: Counts
    lost: bool = False


class Run:
    """Carries ensembles of one model through a course, on threads.

    Noise is that of `seed` and a trajectory's number, sums are those of each lane, and counts
    are whole numbers: neither threads nor bundles change a bit.
    """

    def __init__(self, model: NoisyModel, seed: int, threads: int | None) -> None:
        self.model, self.seed = model, np.uint64(seed)
        self.threads = processors() if threads is None else threads
        self.per_width = np.zeros(0)  # of the bins of |α_j|, once they are known
        self.measured: tuple[int, int] | None = None  # chunks summed up so far, from … to …

    @property
    def rows(self) -> int:
        """Numbers that are measured."""
        local = len(self.model.activity.names) * self.model.active.size
        return FIXED_ROWS + self.model.sites + 2 * len(self.model.edges) + local

    def require_memory(self, parts: int, lanes: int) -> None:
        """Raise InvalidArgument where sums and states do not fit 4 GiB, before they are made."""
        needed = 8.0 * lanes * (parts * self.rows + 6 * self.model.sites)
        if needed > MOST_BYTES:
            raise InvalidArgument(
                f"`trajectories` must be at most {int(lanes * MOST_BYTES / needed)} for this "
                f"network, whose sums then take 4 GiB, but is {lanes}"
            )

    def ensemble(
        self, stepper: Stepper, state: FloatArray, parts: int, joined: bool, counted: bool
    ) -> Ensemble:
        """Return trajectories at `state`, (2N, lanes)."""
        lanes = state.shape[1]
        groups = trajectory_groups(lanes)
        most = min(max(STATE_BYTES // (8 * state.shape[0]), FEWEST_LANES), MOST_LANES)
        # copied: each ensemble moves its own
        own = [
            Bundle(each, state[:, each].copy(), groups[each])
            for each in bundles(lanes, self.threads, FEWEST_LANES, most)
        ]
        shape = parts, min(lanes, GROUPS), self.model.sites, BINS
        if not counted or 8 * math.prod(shape) > MOST_COUNTS:
            shape = parts, 0, self.model.sites, BINS
        sums = np.zeros((parts, self.rows, lanes))
        return Ensemble(stepper, joined, own, sums, np.zeros(shape, np.int64))

    def carry(self, ensembles: Sequence[Ensemble], course: Course, early: bool) -> None:
        """Do the whole course; the first ensemble decides on bins.

        early: measure from the start, as the run may be cut short. Raises NotConverged where
        amplitudes of the first grow beyond all bounds, and at a time limit.
        """
        half, whole = course.burn_in // 2, course.parts[-1]
        with ThreadPoolExecutor(self.threads) as executor:
            self._stretch(executor, ensembles, range(half), 0 if early else None, whole)
            self._forget(ensembles)
            self._stretch(executor, ensembles, range(half, course.burn_in), 0, whole)
            self._set_bins(ensembles, course.burn_in - half)
            for part, (start, stop) in enumerate(itertools.pairwise(course.parts)):
                self._stretch(executor, ensembles, range(start, stop), part, whole)

    def reached(self, course: Course) -> Course | None:
        """The part of the course that has been measured, None before there is any."""
        if self.measured is None:
            return None
        start, stop = self.measured
        edges = start, *(edge for edge in course.parts if start < edge < stop), stop
        return Course(start, edges, course.wanted)

    def _set_bins(self, ensembles: Sequence[Ensemble], chunks: int) -> None:
        sums, sites = ensembles[0].sums, self.model.sites
        if chunks:
            mean = sums[0, FIXED_ROWS : FIXED_ROWS + sites].mean(axis=1)
            mean = mean / (chunks * CHUNK // SAMPLE)
        else:
            state = np.concatenate([b.state for b in ensembles[0].bundles], axis=1)
            mean = np.mean(state**2, axis=1).reshape(sites, 2).sum(axis=1)
        reach = WIDEST * np.sqrt(np.maximum(mean, LEAST_MEAN * np.max(mean) + 1e-300))
        self.per_width = (BINS - 1) / reach
        self._forget(ensembles)

    def _forget(self, ensembles: Sequence[Ensemble]) -> None:
        """Begin to measure again."""
        self.measured = None
        for ensemble in ensembles:
            ensemble.sums[:] = 0.0

    def _stretch(
        self,
        executor: Executor,
        ensembles: Sequence[Ensemble],
        chunks: range,
        part: int | None,
        whole: int,
    ) -> None:
        lanes = sum(b.state.shape[1] for b in ensembles[0].bundles)
        at_once = max(1, SITE_STEPS * self.threads // (lanes * self.model.sites * CHUNK))
        for first in range(0, len(chunks), at_once):
            span = chunks[first : first + at_once]
            tasks = [(e, bundle) for e in ensembles if not e.lost for bundle in e.bundles]
            done = [executor.submit(self._advance, *task, span, part) for task in tasks]
            try:
                results = [self._collected(future, span.start, whole) for future in done]
            finally:
                for future in done:
                    future.cancel()
            if not all(np.all(np.abs(b.state) < UNBOUNDED) for b in ensembles[0].bundles):
                raise NotConverged(  # written so that NaN is refused too
                    "an amplitude grew beyond all bounds: `step` is too large for this scheme, or "
                    "gain exceeds loss at large occupations"
                )
            for each in ensembles[1:]:
                each.lost = not all(np.all(np.abs(b.state) < UNBOUNDED) for b in each.bundles)
            for (ensemble, bundle), (sums, counts) in zip(tasks, results, strict=True):
                if part is not None:
                    ensemble.sums[part, :, bundle.lanes] = sums
                if counts.size:
                    low = int(bundle.groups[0])
                    ensemble.counts[part, low : low + len(counts)] += counts
            if part is not None:
                start = span.start if self.measured is None else self.measured[0]
                self.measured = start, span.stop

    def _collected(
        self, future: "Future[tuple[FloatArray, NewCounts]]", done: int, whole: int
    ) -> tuple[FloatArray, NewCounts]:
        tick("sampling of trajectories", done, whole)
        return future.result()

    def _advance(
        self, ensemble: Ensemble, bundle: Bundle, span: range, part: int | None
    ) -> tuple[FloatArray, NewCounts]:
        """Carry a bundle through the chunks of `span`; return its sums so far and new counts."""
        sums, counts = np.zeros((0, 1)), np.zeros((0, 1, 1), np.uint32)
        groups = bundle.groups - bundle.groups[0]
        if part is not None:
            sums = np.ascontiguousarray(ensemble.sums[part, :, bundle.lanes])
            if self.per_width.size and ensemble.counts.size:
                shape = int(groups[-1]) + 1, *ensemble.counts.shape[2:]
                counts = np.zeros(shape, np.uint32)
        model, linear, active = self.model, ensemble.stepper.linear, ensemble.stepper.active
        steps = CHUNK // 2 if ensemble.joined else CHUNK
        propagate(
            bundle.state,
            sums,
            counts,
            groups,
            (linear.kind, linear.matrix, linear.mixing, linear.turn, linear.spread,
             linear.bonds, linear.angles),
            (model.active, active.steps, active.noisy, active.inverse_scale,
             np.uint64(active.fineness)),
            (model.edges, model.couplings, active.local, self.per_width),
            (self.seed, bundle.lanes.start),
            span.start * steps,
            len(span) * steps,
            ensemble.joined,
        )  # fmt: skip
        return sums, counts
