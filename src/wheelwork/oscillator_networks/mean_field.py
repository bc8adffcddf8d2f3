"""Mean field: steady states, and motion that is not stationary, of equations without noise."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from wheelwork import _checks
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.methods import Method
from wheelwork.oscillator_networks.model import AmplitudeModel, ComplexArray
from wheelwork.oscillator_networks.motion import TimeAverage, follow_motion, perturbed
from wheelwork.oscillator_networks.newton import Solutions, largest_rate, newton
from wheelwork.oscillator_networks.stability import Deviations, deviations
from wheelwork.oscillator_networks.steady_states import (
    Search,
    distinct,
    joined,
    random_amplitudes,
)
from wheelwork.oscillator_networks.two_site_curve import TwoSiteCurve
from wheelwork.parameters import ShortRepr

# Sites: each start has a dense matrix of twice as many rows, 5 MB at 400; fifty of them and their
# factors fill 500 MB.
LARGEST_NETWORK = 400
TRANSIENTS = 12.0  # relaxation times of the slowest damping before averages are taken: e^-12 = 6e-6
LONGEST = 2e4  # of that transient, against the fastest rate: bounds the time of integration
EXTENSIONS = 6  # further spans of time for a motion that still relaxes
MOTION_STARTS = 3  # trajectories if no steady state is stable: one may miss a coexisting motion
ALIKE = 0.01  # difference of mean occupations, against the largest, of two runs of one motion


@dataclass(frozen=True)
class MeanField(Method):
    """Steady states of amplitude equations without noise, and motion that is not stationary.

    rtol: largest relative error of the amplitudes of a steady state, between 1e-12 and 0.1.
    random_starts: per round, of a search that is not exhaustive. seed: of these and of the starts
    of trajectories.
    trajectories: number of starts integrated in time, to detect limit cycles and motion of several
    modes; None: three if no steady state is stable, otherwise none.
    duration: time over which such motion is averaged, after a transient; None: from the slowest
    linear damping.

    With two active sites whose rates are monotonic the search is exhaustive: every steady
    state lies on a curve that is resolved to a few percent and then solved. Otherwise it returns
    the states reached from standing waves and random starts. Valid for many quanta (n0 ≫ 1) and
    N_th ≪ n0: the equations leave out all noise.
    """

    rtol: float = 1e-9
    random_starts: int = 48
    seed: int = 0
    trajectories: int | None = None
    duration: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "rtol", _checks.tolerance("rtol", self.rtol))
        _checks.integer("random_starts", self.random_starts, 0)
        _checks.integer("seed", self.seed, 0)
        if self.trajectories is not None:
            _checks.integer("trajectories", self.trajectories, 0)
        if self.duration is not None:
            object.__setattr__(self, "duration", _checks.positive("duration", self.duration))

    def search(self, model: AmplitudeModel, curve: TwoSiteCurve | None = None) -> Search:
        """Return the search for steady states of `model`, to be run.

        curve: of the same network for at least as large rates, where it is known.
        Raises InvalidArgument for more than 400 sites.
        """
        if model.sites > LARGEST_NETWORK:
            raise InvalidArgument(
                f"`graph` must have at most {LARGEST_NETWORK} nodes for MeanField, "
                f"but has {model.sites}"
            )
        return Search(model, self.random_starts, self.seed, self.rtol, curve)

    def solve(self, model: AmplitudeModel) -> "Attractors":
        """Return the steady states of `model`, and motion that is not stationary.

        Raises InvalidArgument for more than 400 sites, NotConverged where the search fails.
        """
        search = self.search(model)
        solutions, last_new = search.run()
        attractors = Attractors(model, solutions, search.exhaustive, last_new, ())
        number = self.trajectories
        if number is None:
            number = 0 if attractors.has_stable_state else MOTION_STARTS
        return attractors if number == 0 else self._with_motion(attractors, number)

    def _with_motion(self, attractors: "Attractors", number: int) -> "Attractors":
        model = attractors.model
        random = np.random.default_rng([self.seed, 1])
        slowest = float(np.min(-model.linear.diagonal().real))
        longest = LONGEST / largest_rate(model)
        transient = min(TRANSIENTS / slowest, longest) if slowest > 0.0 else longest
        duration = self.duration if self.duration is not None else 0.5 * transient
        solutions, motions = attractors.solutions, []
        for start in self._motion_starts(attractors, number, random):
            motion = follow_motion(model, start, transient, duration)
            for _ in range(EXTENSIONS):
                if motion.steady or not motion.relaxing:
                    break
                motion = follow_motion(model, motion.last, transient, duration)
            if motion.relaxing and not motion.steady:
                raise NotConverged(
                    f"a trajectory still relaxed after a time of {(EXTENSIONS + 1) * transient:g}: "
                    "follow none (trajectories=0), or increase the damping"
                )
            if not motion.steady:
                motions.append(motion)
                continue
            frequency = _mean_frequency(model, motion.last)
            refined = newton(model, motion.last[None], np.array([frequency]))
            size = np.linalg.norm(refined.amplitudes, axis=1)
            refined = refined.chosen(refined.error <= self.rtol * size)
            solutions = distinct(joined(solutions, refined), largest_rate(model))
        return replace(attractors, solutions=solutions, motions=_different(motions))

    def _motion_starts(
        self, attractors: "Attractors", number: int, random: np.random.Generator
    ) -> Sequence[ComplexArray]:
        """Starts near steady states, then random ones."""
        states = attractors.solutions.amplitudes
        near = [perturbed(state, 1, random)[0] for state in states[: number // 2]]
        size = float(np.median(np.abs(states) ** 2)) if len(states) else 1.0
        return [*near, *random_amplitudes(attractors.model, number - len(near), size, random)[0]]


@dataclass(frozen=True, eq=False, repr=False)
class Attractors(ShortRepr):
    """Steady states and attracting motion of a model.

    solutions: the steady states with α ≠ 0, stable or not. exhaustive: whether there are no others.
    last_new: number first reached in the last round of random starts. motions: means over motion
    that is not stationary, of the integrated trajectories.
    """

    model: AmplitudeModel
    solutions: Solutions
    exhaustive: bool
    last_new: int
    motions: tuple[TimeAverage, ...]

    @cached_property
    def deviations(self) -> list[Deviations]:
        """Of each of `solutions`."""
        if len(self.solutions) == 0:
            return []
        return deviations(self.model, self.solutions.amplitudes, self.solutions.frequency)

    @cached_property
    def at_rest(self) -> Deviations:
        """Of the state α = 0."""
        nothing = np.zeros((1, self.model.sites), dtype=np.complex128)
        return deviations(self.model, nothing, np.zeros(1))[0]

    @property
    def has_stable_state(self) -> bool:
        """Whether a steady state is stable, α = 0 included."""
        return self.at_rest.stable or any(each.stable for each in self.deviations)


def _mean_frequency(model: AmplitudeModel, amplitudes: ComplexArray) -> float:
    velocity = model.velocity(amplitudes)
    square = float(np.vdot(amplitudes, amplitudes).real)
    return -float(np.vdot(amplitudes, velocity).imag) / square if square else 0.0


def _different(motions: Sequence[TimeAverage]) -> tuple[TimeAverage, ...]:
    """Leave out motions with the mean occupations of an earlier one."""
    different: list[TimeAverage] = []
    for motion in motions:
        scale = np.max(motion.occupation)
        known = (np.max(np.abs(motion.occupation - other.occupation)) for other in different)
        if all(distance > ALIKE * scale for distance in known):
            different.append(motion)
    return tuple(different)
