"""Trajectories of the Langevin equation, as methods."""

import math
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path

from wheelwork import _checks
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.phase_space.model import PhaseSpaceModel
from wheelwork.phase_space.sampling import checkpoint as files
from wheelwork.phase_space.sampling.checkpoint import Setup
from wheelwork.phase_space.sampling.ensemble import Ensemble
from wheelwork.phase_space.sampling.run import Progress, advance
from wheelwork.phase_space.sampling.samples import Samples, summary
from wheelwork.phase_space.sampling.schemes import explicit_euler, splitting
from wheelwork.phase_space.sampling.stepping import SchemeOf, Stepping, largest_step
from wheelwork.phase_space.sampling.trajectories import CHUNK, OBSERVABLES

AUTOMATIC_ANGLE = 0.25
PILOT_TRAJECTORIES, PILOT_CHUNKS, PILOT_HALVINGS = 8, 16, 12
MOST_TRAJECTORIES, MOST_CHUNKS = 1_000_000, 2**50
TIME_BLOCKS, TIME_BLOCKS_OF_MANY, MANY = 128, 32, 2000


@dataclass(frozen=True)
class Langevin:
    """Sampled trajectories of dx = p/m dt, dp = (−m ω0² x + force − friction p/m) dt + √D dW.

    (Culhane et al., Eq. (6); coefficients of `PhaseSpaceModel`.) Each step is half a rotation, an
    exact Ornstein–Uhlenbeck kick at fixed x, half a rotation: weak order two in Δt, and
    for a harmonic oscillator with constant coefficients the exact stationary state at any Δt.

    duration: time covered by each trajectory, rounded up to whole chunks of 256 steps.
    trajectories: independent ones. Multiples of 64 per thread run at full speed.
    step: Δt, at most one radian of the fastest rate met (ω0, |γ|, √(ω0 |∂f/∂X|)). None: a
    quarter of that, on the range that a short pilot run explores.
    seed: of the noise, 0 … 2⁶⁴ − 1. Trajectory i has the same noise in every run with this seed.
    burn_in: time to leave out at the start; None: found from the data.
    checked: trajectories repeated at 2Δt on the same noise, for the error due to the step. None:
    a quarter of them, at least 8. Zero: no check.
    start: (x, p) from which all trajectories leave.
    threads: None: one per processor. Results are the same bits for any number.

    Noise: independent normal deviates, by Philox4x32-10 and Box–Muller. Coefficients come from a
    look-up table, to 1e-6 of their size. Errors are statistical and fall as duration^−½: for
    digits use `FokkerPlanck`.
    """

    _: KW_ONLY
    duration: float
    trajectories: int = 64
    step: float | None = None
    seed: int = 0
    burn_in: float | None = None
    checked: int | None = None
    start: tuple[float, float] = (0.0, 0.0)
    threads: int | None = None

    def __post_init__(self) -> None:
        _validate(self)

    def sample(
        self,
        model: PhaseSpaceModel,
        *,
        after: Samples | None = None,
        checkpoint: str | Path | None = None,
    ) -> Samples:
        """Return stationary means of `model` with standard errors.

        after: the beginning of the same run, with a shorter duration; the result has the bits of
        one uninterrupted run. checkpoint: a file that holds the run; it is continued from there
        if it exists, and written every 30 s, on Ctrl-C and at the end.

        Raises InvalidArgument when `step` is too large or `after` is of another run,
        NotConverged when the run is too short for error estimates, has not settled, or is not
        confined.
        """
        return _sample(self, splitting, model, after, checkpoint)


@dataclass(frozen=True)
class EulerMaruyama:
    """The explicit Euler scheme of Culhane et al., Eqs. (C1)–(C2), to show what it does.

    x and p both move with the old x and p: weak order one. On an oscillator this pumps
    energy in at a rate ω0² Δt, as if the friction γ were less by that amount, so Δt must be far
    below γ/ω0². The paper's device at V = 8 has γ of some 1e-4: with Δt = 0.003 this
    scheme gives ⟨n⟩ = 58, with Δt = 0.001 about 35; the right answer is 28.862, which
    `Langevin` gives at Δt = 0.5. Strictly the scheme has no stationary state there: far out,
    where the friction falls off, the pumping wins at any Δt. Fields as those of `Langevin`; `step`
    is Δt and has no default.
    """

    step: float
    _: KW_ONLY
    duration: float
    trajectories: int = 64
    seed: int = 0
    burn_in: float | None = None
    checked: int | None = None
    start: tuple[float, float] = (0.0, 0.0)
    threads: int | None = None

    def __post_init__(self) -> None:
        _validate(self)

    def sample(
        self,
        model: PhaseSpaceModel,
        *,
        after: Samples | None = None,
        checkpoint: str | Path | None = None,
    ) -> Samples:
        """Return stationary means of the scheme with standard errors, as `Langevin.sample`."""
        return _sample(self, explicit_euler, model, after, checkpoint)


Method = Langevin | EulerMaruyama


def _validate(method: Method) -> None:
    trajectories = _checks.integer("trajectories", method.trajectories, 1)
    values = {
        "duration": _checks.positive("duration", method.duration),
        "seed": _checks.integer("seed", method.seed, 0),
        "start": tuple(_checks.finite_array("start", method.start, 1).tolist()),
        "trajectories": trajectories,
        "checked": _checked(method.checked, trajectories),
    }
    if method.step is not None:
        values["step"] = _checks.positive("step", method.step)
    if method.threads is not None:
        values["threads"] = _checks.integer("threads", method.threads, 1)
    if method.burn_in is not None:
        values["burn_in"] = _checks.non_negative("burn_in", method.burn_in)
    for name, value in values.items():
        object.__setattr__(method, name, value)
    _validate_sizes(method)


def _checked(checked: int | None, trajectories: int) -> int:
    if checked is None:
        return min(trajectories, max(8, trajectories // 4))
    count = _checks.integer("checked", checked, 0)
    if count > trajectories:
        raise InvalidArgument(f"`checked` must be at most `trajectories`, but is {count}")
    return count


def _validate_sizes(method: Method) -> None:
    if len(method.start) != 2:
        raise InvalidArgument(f"`start` must be (x, p), but is {method.start!r}")
    if method.trajectories > MOST_TRAJECTORIES:
        raise InvalidArgument(
            f"`trajectories` must be at most {MOST_TRAJECTORIES}, but is {method.trajectories}"
        )
    if method.seed >= 2**64:
        raise InvalidArgument(f"`seed` must be below 2**64, but is {method.seed}")
    if method.burn_in is not None and method.burn_in >= method.duration:
        raise InvalidArgument(
            f"`burn_in` must be shorter than `duration` = {method.duration!r}, "
            f"but is {method.burn_in!r}"
        )


def _sample(
    method: Method,
    scheme: SchemeOf,
    model: PhaseSpaceModel,
    after: Samples | None,
    checkpoint: str | Path | None,
) -> Samples:
    path = None if checkpoint is None else Path(checkpoint)
    setup, progress = _begin(method, scheme, model, after, path)
    stepping = Stepping.of(model, scheme, setup.step, progress.reach)
    progress = advance(
        progress,
        stepping,
        seed=setup.seed,
        chunks=_chunks(method.duration, setup.step, progress),
        threads=method.threads,
        keep=None if path is None else lambda done: files.write(path, setup, done),
    )
    if path is not None:
        files.write(path, setup, progress)
    return summary(setup, progress, method.burn_in)


def _begin(
    method: Method,
    scheme: SchemeOf,
    model: PhaseSpaceModel,
    after: Samples | None,
    path: Path | None,
) -> tuple[Setup, Progress]:
    """Return the run to carry on: that in the file, that of `after`, or a new one."""
    old = None if after is None else (after.setup, after.progress)
    if path is not None and path.exists():
        old = files.read(path)
    if old is None:
        setup = _setup(method, scheme, model, _step(method, scheme, model))
        return setup, _start(setup)
    setup = old[0]
    setup.require(_setup(method, scheme, model, method.step or setup.step))
    return old


def _setup(method: Method, scheme: SchemeOf, model: PhaseSpaceModel, step: float) -> Setup:
    made = scheme(model.frequency, step)
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
        companions=model.companions,
        probe=files.probe(model),
    )


def _start(setup: Setup) -> Progress:
    model_length = math.sqrt(2.0 / (setup.mass * setup.frequency))
    X, P = setup.start[0] / model_length, setup.start[1] * model_length / 2.0
    blocks = TIME_BLOCKS if setup.trajectories <= MANY else TIME_BLOCKS_OF_MANY
    observables = len(OBSERVABLES) + len(setup.companions)

    def ensemble(lanes: int) -> Ensemble:
        return Ensemble.starting(X, P, lanes, observables, blocks)

    return Progress(ensemble(setup.trajectories), ensemble(setup.checked), X, X, abs(X))


def _chunks(duration: float, step: float, progress: Progress) -> int:
    chunks = math.ceil(duration / (CHUNK * step) - 1e-9)
    if chunks > MOST_CHUNKS:
        raise InvalidArgument(
            f"`duration` must be at most {MOST_CHUNKS * CHUNK:.1e} steps, but is {duration!r}"
        )
    if chunks < progress.chunks:
        done = progress.chunks * CHUNK * step
        raise InvalidArgument(
            f"`duration` must be at least {done:g}, what the run to continue has done, "
            f"but is {duration!r}"
        )
    return chunks


def _step(method: Method, scheme: SchemeOf, model: PhaseSpaceModel) -> float:
    """The step given, or one that suits the range explored by a short pilot run."""
    if method.step is not None:
        return method.step
    step = AUTOMATIC_ANGLE / model.frequency
    for remaining in range(PILOT_HALVINGS, -1, -1):
        try:
            return _tried(method, scheme, model, step)
        except (InvalidArgument, NotConverged):
            if remaining == 0:
                raise
            step *= 0.5
    raise AssertionError


def _tried(method: Method, scheme: SchemeOf, model: PhaseSpaceModel, step: float) -> float:
    pilot = replace(method, trajectories=PILOT_TRAJECTORIES, checked=0, step=step)
    stepping = Stepping.of(model, scheme, step)
    start = _start(_setup(pilot, scheme, model, step))
    done = advance(start, stepping, seed=method.seed, chunks=PILOT_CHUNKS, threads=1)
    reached = Stepping.of(model, scheme, step, done.reach)
    return largest_step(reached, done.low, done.high, AUTOMATIC_ANGLE)
