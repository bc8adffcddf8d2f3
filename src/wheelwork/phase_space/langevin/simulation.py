"""A sampling method set to work: starts, step, and the run to its end."""

import math
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.phase_space.langevin import checkpoint as files
from wheelwork.phase_space.langevin.checkpoint import Setup
from wheelwork.phase_space.langevin.ensemble import Ensemble
from wheelwork.phase_space.langevin.run import Observer, Progress, advance
from wheelwork.phase_space.langevin.samples import Samples, summary
from wheelwork.phase_space.langevin.starts import Spread
from wheelwork.phase_space.langevin.stepping import SchemeOf, Stepping, largest_step
from wheelwork.phase_space.langevin.trajectories import BLOCKS_PER_CHUNK, CHUNK, OBSERVABLES
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel

AUTOMATIC_ANGLE = 0.25
PILOT_TRAJECTORIES, PILOT_CHUNKS, PILOT_HALVINGS = 8, 16, 12
MOST_CHUNKS = 2**50
TIME_BLOCKS, TIME_BLOCKS_OF_MANY, MANY = 128, 32, 2000
MOST_WATCHED = 100_000
BURN_IN_SHARE = 0.25  # of a run that is watched
BURN_IN_TIMES = 4.0  # correlation times that it must cover at least


class Method(Protocol):
    """What `Langevin` and `EulerMaruyama` have in common."""

    @property
    def scheme(self) -> SchemeOf: ...
    @property
    def duration(self) -> float: ...
    @property
    def trajectories(self) -> int: ...
    @property
    def step(self) -> float | None: ...
    @property
    def seed(self) -> int: ...
    @property
    def burn_in(self) -> float | None: ...
    @property
    def checked(self) -> int | None: ...
    @property
    def start(self) -> tuple[float, float] | None: ...
    @property
    def threads(self) -> int | None: ...


@dataclass(frozen=True)
class Simulation:
    """A run of `method` on `model`, as far as it has come."""

    method: Method
    setup: Setup
    progress: Progress
    stepping: Stepping

    @classmethod
    def begin(
        cls,
        method: Method,
        model: PhaseSpaceModel,
        after: Samples | None = None,
        path: Path | None = None,
    ) -> "Simulation":
        """Return the run to carry on: that in the file, that of `after`, or a new one."""
        old = None if after is None else (after.setup, after.progress)
        if path is not None and path.exists():
            old = files.read(path)
        if old is None:
            starts = _starts(method, model)
            step = method.step or _automatic_step(method, model, starts)
            setup = _setup(method, model, step)
            progress = _start(setup, starts)
        else:
            setup, progress = old
            setup.require(_setup(method, model, method.step or setup.step))
        stepping = Stepping.of(model, method.scheme, setup.step, progress.reach)
        return cls(method, setup, replace(progress, reach=stepping.reach), stepping)

    @property
    def chunks(self) -> int:
        """Chunks that the whole run takes."""
        duration, time = self.method.duration, CHUNK * self.setup.step
        chunks = math.ceil(duration / time - 1e-9)
        if chunks > MOST_CHUNKS:
            raise InvalidArgument(
                f"`duration` must be at most {MOST_CHUNKS * CHUNK:.1e} steps, but is {duration!r}"
            )
        if chunks < self.progress.chunks:
            raise InvalidArgument(
                f"`duration` must be at least {self.progress.chunks * time:g}, what the run to "
                f"continue has done, but is {duration!r}"
            )
        return chunks

    @property
    def interval(self) -> float:
        """Time between two samples of a trajectory, 4 Δt."""
        return CHUNK // BLOCKS_PER_CHUNK * self.setup.step

    def advanced(
        self, chunks: int, path: Path | None = None, observe: Observer | None = None
    ) -> "Simulation":
        """Return the run after `chunks` chunks in all.

        A run without a `path` that is interrupted is kept in a temporary file, whose name is
        added to the KeyboardInterrupt; with `observe` it is not, as half of what was observed is
        nothing that can be continued.
        """

        def keep(done: Progress) -> None:
            if path is not None:
                files.write(path, self.setup, done)

        progress = advance(
            self.progress,
            self.stepping,
            seed=self.setup.seed,
            chunks=chunks,
            threads=self.method.threads,
            keep=keep,
            rescue=None if observe else keep if path else self._rescue,
            observe=observe,
        )
        keep(progress)
        stepping = Stepping.of(
            self.stepping.model, self.method.scheme, self.setup.step, progress.reach
        )
        return replace(self, progress=progress, stepping=stepping)

    def _rescue(self, done: Progress) -> str:
        handle, name = tempfile.mkstemp(prefix="wheelwork-", suffix=".npz")
        os.close(handle)
        files.write(Path(name), self.setup, done)
        return f"the run so far is kept in {name}; give it as `checkpoint` to go on"


def sample(
    method: Method, model: PhaseSpaceModel, after: Samples | None, checkpoint: str | Path | None
) -> Samples:
    """Return stationary means, as `Langevin.sample`."""
    path = None if checkpoint is None else Path(checkpoint)
    simulation = Simulation.begin(method, model, after, path)
    done = simulation.advanced(simulation.chunks, path)
    return summary(done.setup, done.progress, method.burn_in)


def watch(
    method: Method,
    model: PhaseSpaceModel,
    prepare: Callable[[Simulation, int], Observer],
) -> tuple[Simulation, Samples]:
    """Run to the end, with an observer of all samples after the burn-in.

    prepare: settled run, number of samples to come of each trajectory -> observer. The burn-in is
    the method's, or a quarter of the run. Raises NotConverged when the trajectories have not
    settled, or do not mix, or when that quarter is less than four correlation times.
    """
    if method.trajectories > MOST_WATCHED:
        raise InvalidArgument(
            f"`trajectories` must be at most {MOST_WATCHED} where every sample is looked at, "
            f"but is {method.trajectories}"
        )
    fresh = Simulation.begin(method, model)
    chunks = fresh.chunks
    burn_in = BURN_IN_SHARE * chunks
    if method.burn_in is not None:
        burn_in = method.burn_in / (CHUNK * fresh.setup.step)
    first = math.ceil(burn_in - 1e-9)
    if first >= chunks:
        raise NotConverged(
            f"a run of {chunks} x {CHUNK} steps leaves nothing after its burn-in; raise `duration`"
        )
    settled = fresh.advanced(first)
    observer = prepare(settled, (chunks - first) * BLOCKS_PER_CHUNK)
    done = settled.advanced(chunks, observe=observer)
    time = first * CHUNK * done.setup.step
    samples = summary(done.setup, done.progress, time, judge=method.burn_in is None)
    if method.burn_in is None and time < BURN_IN_TIMES * samples.details["correlation_time"]:
        raise NotConverged(
            f"a quarter of the run, {time:.3g}, is too short to settle in: the energy has a "
            f"correlation time of {samples.details['correlation_time']:.3g}; raise `duration`"
        )
    return done, samples


def _setup(method: Method, model: PhaseSpaceModel, step: float) -> Setup:
    made = method.scheme(model.frequency, step)
    assert method.checked is not None
    return Setup(
        scheme=made.name,
        order=made.order,
        seed=method.seed,
        trajectories=method.trajectories,
        checked=method.checked,
        step=step,
        start=method.start,
        frequency=model.frequency,
        mass=model.mass,
        local_observables=model.local_observables,
        probe=files.probe(model),
    )


Starts = Callable[[int], FloatArray]  # number of trajectories -> X and P (2, trajectories)


def _starts(method: Method, model: PhaseSpaceModel) -> Starts:
    if method.start is None:
        spread = Spread.of(model)
        return lambda count: spread.draw(method.seed, count)
    point = method.start[0] / model.length, method.start[1] / model.momentum
    return lambda count: np.repeat(np.array(point)[:, None], count, axis=1)


def _start(setup: Setup, starts: Starts) -> Progress:
    state = starts(setup.trajectories)
    blocks = TIME_BLOCKS if setup.trajectories <= MANY else TIME_BLOCKS_OF_MANY
    observables = len(OBSERVABLES) + len(setup.local_observables)
    fine = Ensemble.starting(state, observables, blocks)
    coarse = Ensemble.starting(state[:, : setup.checked], observables, blocks)
    low, high = float(np.min(state[0])), float(np.max(state[0]))
    return Progress(fine, coarse, low, high, max(-low, high))


def _automatic_step(method: Method, model: PhaseSpaceModel, starts: Starts) -> float:
    """A step that suits the range explored by a short pilot run."""
    step = AUTOMATIC_ANGLE / model.frequency
    for remaining in range(PILOT_HALVINGS, -1, -1):
        try:
            return _tried(method, model, starts, step)
        except (InvalidArgument, NotConverged):
            if remaining == 0:
                raise
            step *= 0.5
    raise AssertionError


def _tried(method: Method, model: PhaseSpaceModel, starts: Starts, step: float) -> float:
    setup = replace(_setup(method, model, step), trajectories=PILOT_TRAJECTORIES, checked=0)
    start = _start(setup, starts)
    stepping = Stepping.of(model, method.scheme, step, start.reach)
    done = advance(start, stepping, seed=method.seed, chunks=PILOT_CHUNKS, threads=1)
    reached = Stepping.of(model, method.scheme, step, done.reach)
    return largest_step(reached, done.low, done.high, AUTOMATIC_ANGLE)
