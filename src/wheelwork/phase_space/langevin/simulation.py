"""Execution of a sampling method: initial points, step, and the run."""

import math
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged, shown
from wheelwork.methods.sampling_method import CHUNK, SAMPLE, SamplingMethod
from wheelwork.numerics.compiling import compiled
from wheelwork.numerics.random import philox4x32
from wheelwork.numerics.work import tick
from wheelwork.phase_space.domain import find_domain
from wheelwork.phase_space.langevin import run
from wheelwork.phase_space.langevin.run import Ensemble, Observer, Progress, Setup, advance
from wheelwork.phase_space.langevin.samples import Samples, summary
from wheelwork.phase_space.langevin.stepping import OBSERVABLES, SCHEMES, Stepping
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel

AUTOMATIC_ANGLE = 0.25  # of the fastest motion in a step: errors of Δt² are then below statistics
# Pilot run: enough trajectories and steps to reach the stiff parts; Δt down to 6e-5/ω0.
PILOT_TRAJECTORIES, PILOT_CHUNKS, PILOT_HALVINGS = 8, 16, 12
# Blocks of time in which samples are summed, fewer for many trajectories to save memory.
TIME_BLOCKS, TIME_BLOCKS_OF_MANY, MANY = 128, 32, 2000
MOST_WATCHED = 100_000  # trajectories: all samples of a chunk are then held at once, 100 MB
MESH = 2001  # positions from which trajectories may leave
STARTS = 1  # fourth word of the counter; that of the steps' noise is zero
WORD = 2.0**-32


@dataclass(frozen=True, eq=False)
class Simulation:
    """A run of `method` on `model`, and its progress. halted: why it ended early, or empty."""

    method: SamplingMethod
    setup: Setup
    progress: Progress
    stepping: Stepping
    halted: str = ""

    @classmethod
    def begin(
        cls,
        method: SamplingMethod,
        model: PhaseSpaceModel,
        after: Samples | None = None,
        path: Path | None = None,
    ) -> "Simulation":
        """The run to continue: from the file, from `after`, or a new one."""
        if not isinstance(model, PhaseSpaceModel):
            raise InvalidArgument(f"`model` must be a PhaseSpaceModel, but is {shown(model)}")
        if after is not None and not isinstance(after, Samples):
            raise InvalidArgument(f"`after` must be the Samples to continue, but is {shown(after)}")
        old = None if after is None else (after.setup, after.progress)
        if path is not None and path.exists():
            old = run.read(path)
        if old is None:
            starts = _starts(method, model)
            step = method.step or _automatic_step(method, model, starts)
            setup = _setup(method, model, step)
            progress = _start(setup, starts)
        else:
            setup, progress = old
            setup.require(_setup(method, model, method.step or setup.step))
        stepping = Stepping.of(model, SCHEMES[method.scheme], setup.step, progress.reach)
        return cls(method, setup, replace(progress, reach=stepping.reach), stepping)

    @property
    def chunks(self) -> int:
        """Chunks of the whole run. Raises NotConverged where it would take too many steps."""
        chunks = self.method.chunks(self.setup.step)
        steps = float(chunks - self.progress.chunks) * CHUNK * self.setup.trajectories
        self.method.require_affordable(steps)
        if chunks < self.progress.chunks:
            raise InvalidArgument(
                f"`duration` must be at least {self.progress.chunks * CHUNK * self.setup.step:g}, "
                f"what the run to continue has done, but is {self.method.duration!r}"
            )
        return chunks

    @property
    def interval(self) -> float:
        """Time between two samples of a trajectory, 4 Δt."""
        return SAMPLE * self.setup.step

    def advanced(
        self, chunks: int, path: Path | None = None, observe: Observer | None = None
    ) -> "Simulation":
        """Return the run after `chunks` chunks in all, or `halted` by a time limit or an escape.

        An interrupted run without a `path` is saved to a temporary file, whose name is added to the
        KeyboardInterrupt; with `observe` it is not, as observers cannot be resumed.
        """

        def keep(done: Progress) -> None:
            if path is not None:
                run.write(path, self.setup, done)

        halted = ""
        try:
            progress, stepping = advance(
                self.progress,
                self.stepping,
                seed=self.setup.seed,
                chunks=chunks,
                threads=self.method.threads,
                keep=keep,
                rescue=None if observe else keep if path else self._rescue,
                observe=observe,
            )
        except NotConverged as reason:
            halted, progress, stepping = str(reason), reason.partial, self.stepping
        keep(progress)
        return replace(self, progress=progress, stepping=stepping, halted=halted)

    def samples(
        self, burn_in: float | None, judge: bool | None = None, shortfall: str = ""
    ) -> Samples:
        """Return its moments so far; see `summary`."""
        left = 0.0
        if self.halted:
            left = (self.chunks - self.progress.chunks) * CHUNK * self.setup.step
        return summary(
            self.setup, self.progress, burn_in, judge, self.halted or shortfall, time_left=left
        )

    def _rescue(self, done: Progress) -> str:
        handle, name = tempfile.mkstemp(prefix="wheelwork-", suffix=".npz")
        os.close(handle)
        run.write(Path(name), self.setup, done)
        return f"the run so far is saved in {name}; pass it as `checkpoint` to continue"


AnyObserver = TypeVar("AnyObserver", bound=Observer)


def watch(
    method: SamplingMethod,
    model: PhaseSpaceModel,
    prepare: Callable[[Simulation, int], AnyObserver],
) -> tuple[Simulation, Samples, AnyObserver]:
    """Run to the end; return also the observer of all samples after the burn-in.

    prepare: run after its burn-in, number of samples to come of each trajectory -> observer. The
    burn-in is the method's, or a quarter of the run. Samples fall short as `summary` says, and when
    that quarter is less than four correlation times: what is made of them is then to be refused
    (`accepted`). Raises NotConverged where nothing could be observed.
    """
    if method.trajectories > MOST_WATCHED:
        raise InvalidArgument(
            f"`trajectories` must be at most {MOST_WATCHED} where every sample is looked at, "
            f"but is {method.trajectories}"
        )
    fresh = Simulation.begin(method, model)
    chunks, first = fresh.chunks, method.burn_in_chunks(fresh.setup.step)
    shortfall = ""
    if first >= chunks:
        first = chunks - 1
        shortfall = (
            f"a run of {chunks} x {CHUNK} steps leaves nothing after its burn-in; raise `duration`"
        )
    begun = fresh.advanced(first)
    observer = prepare(begun, (chunks - first) * CHUNK // SAMPLE)
    done = begun if begun.halted else begun.advanced(chunks, observe=observer)
    if done.progress.chunks <= first:
        raise NotConverged(f"{done.halted}, before the end of the burn-in: nothing was observed")
    burn_in = first * CHUNK * done.setup.step
    return done, done.samples(burn_in, method.burn_in is None, shortfall), observer


def _setup(method: SamplingMethod, model: PhaseSpaceModel, step: float) -> Setup:
    scheme = SCHEMES[method.scheme](model.frequency, step)
    return Setup(
        scheme=scheme.name,
        order=method.order,
        seed=method.seed,
        trajectories=method.trajectories,
        checked=method.checks,
        step=step,
        start=method.start,
        frequency=model.frequency,
        mass=model.mass,
        local_observables=model.local_observables,
        probe=tuple(map(float, model.scaled(run.PROBES).ravel())),
    )


Starts = Callable[[int], FloatArray]  # number of trajectories -> X and P (2, trajectories)


def _starts(method: SamplingMethod, model: PhaseSpaceModel) -> Starts:
    if method.start is None:
        return spread(model, method.seed)
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


def _automatic_step(method: SamplingMethod, model: PhaseSpaceModel, starts: Starts) -> float:
    """A step for the range of a short pilot run."""
    step, stepping = AUTOMATIC_ANGLE / model.frequency, None
    for remaining in range(PILOT_HALVINGS, -1, -1):
        tick("pilot runs for the step", PILOT_HALVINGS - remaining, PILOT_HALVINGS)
        setup = replace(_setup(method, model, step), trajectories=PILOT_TRAJECTORIES, checked=0)
        start = _start(setup, starts)
        try:
            if stepping is None:
                stepping = Stepping.of(model, SCHEMES[method.scheme], step, start.reach)
            done, reached = advance(
                start,
                replace(stepping, step=step),
                seed=method.seed,
                chunks=PILOT_CHUNKS,
                threads=1,
            )
            rate, _ = reached.fastest(done.low, done.high)
            excess = max(rate * step / AUTOMATIC_ANGLE, 1.0)
            return float(step * 0.5 ** math.ceil(math.log2(excess)))
        except (InvalidArgument, NotConverged) as reason:
            if remaining == 0:
                if isinstance(reason, NotConverged):
                    reason.partial = None  # of a pilot, which is of no use
                raise
            step *= 0.5
    raise AssertionError


def spread(model: PhaseSpaceModel, seed: int) -> Starts:
    """Starts on orbits of E = P² + U(X), U measured from its minimum: E = `energy` v² with v
    uniform between 0 and 1, X uniform where U ≤ E, P of either sign.

    `energy` is that of `find_domain`, at which W has fallen to e^-42 of its maximum. Half of the
    starts have less than a quarter of it: wells and rings are approached from all sides. Those of
    trajectory i depend on (seed, i) alone. Raises as `find_domain`.
    """
    domain = find_domain(model)
    X = np.linspace(domain.low, domain.high, MESH)
    net = 2.0 * X - 2.0 / model.frequency * model.scaled(X)[0]
    steps = 0.5 * (net[1:] + net[:-1]) * np.diff(X)
    potential = np.concatenate([[0.0], np.cumsum(steps)])
    order = np.argsort(potential, kind="stable")
    X, potential = X[order], potential[order] - potential[order[0]]

    def draw(count: int) -> FloatArray:
        position, share, sign = _uniforms(np.uint64(seed), count)
        energy = domain.energy * share**2
        allowed = np.searchsorted(potential, energy, side="right")
        chosen = (position * allowed).astype(np.intp)
        speed = np.sqrt(np.maximum(energy - potential[chosen], 0.0))
        return np.stack([X[chosen], np.where(sign < 0.5, speed, -speed)])

    return draw


@compiled
def _uniforms(seed, count):  # type: ignore[no-untyped-def]
    """Return (3, count) numbers between zero and one, from (seed, trajectory)."""
    values = np.empty((3, count))
    counter, key = np.zeros(4, np.uint64), np.empty(2, np.uint64)
    key[0], key[1] = seed & np.uint64(0xFFFFFFFF), seed >> np.uint64(32)
    counter[3] = np.uint64(STARTS)
    for i in range(count):
        counter[2] = np.uint64(i)
        words = philox4x32(counter, key)
        for j in range(3):
            values[j, i] = (np.float64(words[j]) + 0.5) * WORD
    return values
