"""Trajectories of a noisy network, from random starts to stationary means."""

import math
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.oscillator_networks.langevin.active_steps import euler_steps, split_steps
from wheelwork.oscillator_networks.langevin.kernel import CHUNK, draw_starts
from wheelwork.oscillator_networks.langevin.linear_steps import (
    LARGEST_DENSE,
    bond_step,
    dense_step,
    euler_step,
)
from wheelwork.oscillator_networks.langevin.noisy_model import NoisyModel
from wheelwork.oscillator_networks.langevin.run import Course, Ensemble, Run, Stepper
from wheelwork.oscillator_networks.langevin.samples import (
    AmplitudeSamples,
    Means,
    half_means,
    samples_per_part,
)

AUTOMATIC, LONGEST = 0.1, 1.0  # step times the model's pace
BURN_IN_SHARE = 0.25
BURN_IN_TIMES = 4.0  # correlation times that it must cover at least
MOST_DRIFT = 5.0  # standard errors
MOST_CHUNKS = 2**40
ROUNDING = 1e-12  # of an exponent
LARGEST_MATRIX = 400  # sites, up to which the stability of a scheme is looked at beforehand
START_RANGE = 3.0  # starts differ by factors e^±3 in their occupations


@dataclass(frozen=True)
class Settings:
    """How to sample: fields of `phase_space.Langevin`; euler: the scheme of Euler and Maruyama."""

    duration: float
    trajectories: int
    step: float | None
    seed: int
    burn_in: float | None
    checked: int
    threads: int | None
    euler: bool = False

    @property
    def order(self) -> int:
        """Weak order of the scheme."""
        return 1 if self.euler else 2


def sample_amplitudes(model: NoisyModel, settings: Settings) -> AmplitudeSamples:
    """Return stationary means of `model` over trajectories.

    A step is half of the elements' noise, half of their drift, the linear network over Δt, the
    other halves in reverse order: weak order two. e^{LΔt} and its thermal noise are exact up to
    24 sites; beyond, bonds are rotated colour by colour. Starts: complex normal amplitudes of
    occupations from e^-3 to e^3 times those expected, those of trajectory i from (seed, i) alone.
    The burn-in is a quarter of the run, unless given.

    Raises InvalidArgument for a step too large for the scheme, NotConverged for a run that is too
    short, has not settled or whose trajectories stay apart (with a burn-in given, only the first),
    and where amplitudes grow beyond all bounds.
    """
    step = _step(model, settings)
    course = _course(settings, step)
    state = random_starts(model, settings.seed, settings.trajectories)
    run, parts = Run(model, settings.seed, settings.threads), len(course.parts) - 1
    fine = run.ensemble(_stepper(model, settings, step), state, parts, False, True)
    ensembles = [fine]
    if settings.checked and not (settings.euler and 2.0 * step > _euler_limit(model)):
        stepper = _stepper(model, settings, 2.0 * step)
        few = state[:, : settings.checked]
        ensembles.append(run.ensemble(stepper, few, parts, True, False))
    run.carry(ensembles, course)
    found = _summary(model, settings, step, course, ensembles, state, 1.0 / run.per_width)
    if settings.burn_in is None:
        _judge(found)
    return found


def random_starts(model: NoisyModel, seed: int, trajectories: int) -> FloatArray:
    """Return (2N, trajectories) real and imaginary parts, spread over what can be reached."""
    rows = 2 * model.sites
    normals = np.empty((4 * -(-(rows + 2) // 4), trajectories))
    draw_starts(normals, np.uint64(seed), 0)
    # of two normals u, v the phase of u + iv is uniform
    share = np.arctan2(normals[rows], normals[rows + 1]) / math.pi
    size = np.sqrt(0.5 * model.occupation_scale * np.exp(START_RANGE * share))
    return np.ascontiguousarray(size * normals[:rows])


def _step(model: NoisyModel, settings: Settings) -> float:
    if settings.step is None:
        return AUTOMATIC / model.pace
    step = settings.step
    exact = model.active.size == 0 and model.sites <= LARGEST_DENSE
    longest = math.inf if exact else LONGEST / model.pace
    if settings.euler:
        longest = _euler_limit(model)
        if longest == 0.0:
            raise InvalidArgument(
                "`damping` must reach every mode for Euler and Maruyama's scheme, in which an "
                "undamped one grows at any step"
            )
    if step > longest:
        scheme = "Euler and Maruyama's scheme on" if settings.euler else "the splitting of"
        raise InvalidArgument(
            f"`step` must be at most {longest:.3g} for {scheme} this network, but is {step!r}"
        )
    return step


def _euler_limit(model: NoisyModel) -> float:
    """Step beyond which 1 + LΔt lets amplitudes grow: min −2 Re λ/|λ|²."""
    if model.sites > LARGEST_MATRIX:
        return LONGEST / model.pace
    exponents = np.linalg.eigvals(model.linear)
    size = np.maximum(np.abs(exponents), 1e-300)
    damping = np.where(-exponents.real > ROUNDING * np.max(size), -exponents.real, 0.0)
    return float(np.min(2.0 * damping / size**2))


def _course(settings: Settings, step: float) -> Course:
    chunks = math.ceil(settings.duration / (CHUNK * step) - 1e-9)
    if chunks > MOST_CHUNKS:
        raise InvalidArgument(
            f"`duration` must be at most {MOST_CHUNKS * CHUNK:.1e} steps, but is "
            f"{settings.duration!r}"
        )
    burn_in = BURN_IN_SHARE * chunks
    if settings.burn_in is not None:
        burn_in = settings.burn_in / (CHUNK * step)
    return Course.of(chunks, math.ceil(burn_in - 1e-9), settings.trajectories)


def _stepper(model: NoisyModel, settings: Settings, step: float) -> Stepper:
    if settings.euler:
        return Stepper(euler_step(model, step), euler_steps(model, step), step)
    linear = dense_step if model.sites <= LARGEST_DENSE else bond_step
    return Stepper(linear(model, step), split_steps(model, step), step)


def _summary(
    model: NoisyModel,
    settings: Settings,
    step: float,
    course: Course,
    ensembles: list[Ensemble],
    state: FloatArray,
    bin_width: FloatArray,
) -> AmplitudeSamples:
    samples, fine = samples_per_part(course), ensembles[0]
    alike = coarse = None
    if len(ensembles) > 1 and not ensembles[1].lost:
        alike = Means.of(model, fine.sums[:, :, : settings.checked], samples)
        coarse = Means.of(model, ensembles[1].sums, samples)
    return AmplitudeSamples(
        model=model,
        step=step,
        order=settings.order,
        course=course,
        fine=Means.of(model, fine.sums, samples),
        alike=alike,
        coarse=coarse,
        halves=half_means(fine, course),
        starts=state[::2] ** 2 + state[1::2] ** 2,
        counts=fine.counts,
        bin_width=bin_width,
        table_error=fine.stepper.active.error,
    )


def _judge(found: AmplitudeSamples) -> None:
    """Raise NotConverged unless the run has settled and its trajectories mix."""
    mixed = found.mixing
    if mixed.ratio > mixed.bound:
        raise NotConverged(
            f"the trajectories do not mix: their means differ {mixed.ratio:.3g} times as much (in "
            f"variance) as their own course explains, at most {mixed.bound:.3g} would be chance; "
            "either several states attract and each trajectory stays in its own (see the branches "
            "of `MeanField`), or the run is too short; raise `duration`"
        )
    if found.drift > MOST_DRIFT:
        raise NotConverged(
            "the trajectories have not settled: from the first to the second half of the run the "
            f"mean occupation changed by {found.drift:.1f} standard errors; raise `duration`"
        )
    needed = BURN_IN_TIMES * found.correlation_time
    if found.burn_in < needed:
        raise NotConverged(
            f"the burn-in of {found.burn_in:.3g} is less than {BURN_IN_TIMES:g} correlation times "
            f"of the occupation, {needed:.3g}; `duration` = {needed / BURN_IN_SHARE:.2g} would do"
        )
    memory = found.memory
    if memory.ratio > memory.bound:
        raise NotConverged(
            "the trajectories remember their starts: after the burn-in the occupation of a node "
            f"still follows that of its start (rank correlation {memory.ratio:.2f}, at most "
            f"{memory.bound:.2f} would be chance); raise `duration`"
        )
