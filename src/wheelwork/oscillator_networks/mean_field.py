"""Mean field: steady states, and motion that is not stationary, of equations without noise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from wheelwork import _checks
from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged, partial_as
from wheelwork.methods import Method
from wheelwork.numerics.work import require_budget
from wheelwork.oscillator_networks.model import AmplitudeModel, ComplexArray
from wheelwork.oscillator_networks.motion import (
    MOST_EVALUATIONS,
    Evaluations,
    TimeAverage,
    follow_motions,
    perturbed,
)
from wheelwork.oscillator_networks.newton import Solutions, largest_rate, newton
from wheelwork.oscillator_networks.stability import (
    Deviations,
    deviations,
    deviations_at_rest,
    has_continuum,
    has_neutral_mode,
)
from wheelwork.oscillator_networks.steady_states import (
    Search,
    distinct,
    joined,
    random_amplitudes,
)
from wheelwork.oscillator_networks.two_site_curve import TwoSiteCurve
from wheelwork.oscillator_networks.units import Units
from wheelwork.parameters import ShortRepr, parameter

# Sites: each start has a dense matrix of twice as many rows, 5 MB at 400; fifty of them and their
# factors fill 500 MB.
LARGEST_NETWORK = 400
TRANSIENTS = 12.0  # relaxation times of the slowest damping before averages are taken: e^-12 = 6e-6
# Of that transient, against the fastest rate: bounds the time of integration. Twice as much where
# trajectories are asked for.
LONGEST = 1e4
MOST_TRANSIENT = 1e7  # of what it should be: a run over less than a percent of it shows nothing
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
    state lies on a curve that is resolved to a few percent and then solved, unless part of it is
    too narrow, as where a site is far detuned, or it takes more than 400,000 points, as where the
    damping is far below the couplings. Otherwise it returns the states reached from
    standing waves and random starts. Valid for many quanta (n0 ≫ 1) and N_th ≪ n0: the equations
    leave out all noise.

    Cost: ten sites 0.1 s, 200 some ten seconds, of which 0.15 s for the stability of each state.
    Budgets, beyond which NotConverged says what to change: 3e10 multiplications per step of all
    starts, 2e9 of states times sites³, 1e7 times of the fastest rate for motion to relax (unless
    `trajectories` asks for it), 400,000 evaluations along it (thrice as many where it is asked
    for).
    """

    rtol: float = 1e-9
    random_starts: int = 48
    seed: int = 0
    trajectories: int | None = None
    duration: float | None = parameter(
        "T", "1/energy", "length of the average over motion", optional=True, default=None
    )

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
        """Return the search for steady states of `model`, given in natural units, to be run.

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

        Raises InvalidArgument for more than 400 sites; NoSteadyState where nothing drives or damps
        some modes, or gain and loss balance at any amplitude; NotConverged where the search fails,
        with what it reached.
        """
        units = Units.of(model)
        # What leaves the range of numbers on the way becomes a state with an infinite error.
        ignored = np.errstate(over="ignore", invalid="ignore", divide="ignore")
        with self.guard(), ignored, partial_as(lambda reached: reached.in_units(units, model)):
            return self._solve(units.natural(model)).in_units(units, model)

    def _solve(self, model: AmplitudeModel) -> "Attractors":
        if has_continuum(model):
            raise NoSteadyState(
                "the amplitudes have a continuum of steady states: without damping, gain and loss "
                "balance at any number of quanta; give every node some damping, or generator and "
                "engine different rates"
            )
        search = self.search(model)
        with partial_as(lambda solutions: Attractors.of(model, solutions, search.exhaustive, 1)):
            solutions, last_new = search.run()
        attractors = Attractors.of(model, solutions, search.exhaustive, last_new)
        resting = len(solutions) == 0 and attractors.at_rest.undecided
        if resting and has_neutral_mode(model):
            raise NoSteadyState(
                "the amplitudes have no unique steady state: nothing drives or damps some of the "
                "modes, which keep the amplitudes they start with; give every node some damping"
            )
        number = self.trajectories
        if number is None:
            number = 0 if attractors.has_stable_state else MOTION_STARTS
        if number == 0:
            return attractors
        try:
            return self._with_motion(attractors, number)
        except NotConverged as reason:
            reason.partial = attractors
            raise

    def _with_motion(self, attractors: "Attractors", number: int) -> "Attractors":
        model = attractors.model
        transient, clipped = self._transient(model)
        duration = self.duration if self.duration is not None else 0.5 * transient
        random = np.random.default_rng([self.seed, 1])
        budget = Evaluations(MOST_EVALUATIONS * (1 if self.trajectories is None else 3))
        starts = self._motion_starts(attractors, number, random)
        motions = follow_motions(model, starts, transient, duration, budget)
        for _ in range(EXTENSIONS):
            if not any(each.relaxing and not each.steady for each in motions):
                break
            starts = np.array([each.last for each in motions])
            motions = follow_motions(model, starts, transient, duration, budget)
        if any(each.relaxing and not each.steady for each in motions):
            raise NotConverged(
                f"a trajectory still relaxed after {(EXTENSIONS + 1)} spans of time: "
                "follow none (trajectories=0), or increase the damping"
            )
        ends = np.array([each.last for each in motions if each.steady])
        ends = ends.reshape(-1, model.sites)
        refined = newton(model, ends, np.array([_mean_frequency(model, end) for end in ends]))
        size = np.linalg.norm(refined.amplitudes, axis=1)
        refined = refined.chosen(refined.error <= self.rtol * size)
        solutions = distinct(joined(attractors.solutions, refined), largest_rate(model))
        moving = [each for each in motions if not each.steady]
        different, met_once = _different(moving)
        found = Attractors.of(model, solutions, attractors.exhaustive, attractors.last_new)
        return replace(found, motions=different, in_doubt=met_once if clipped else 0)

    def _transient(self, model: AmplitudeModel) -> tuple[float, bool]:
        """Time before averages are taken, and whether it is less than the slowest mode needs.

        Raises NotConverged where it is far less, unless trajectories were asked for.
        """
        slowest = float(np.min(-model.linear.diagonal().real))
        fastest = largest_rate(model)
        need = TRANSIENTS * fastest / slowest if slowest > 0.0 else math.inf
        if self.trajectories is None:
            require_budget(
                "motion without a stable state", need, MOST_TRANSIENT, "times of the fastest rate",
                "increase the damping, or ask for trajectories=3",
            )  # fmt: skip
        longest = LONGEST if self.trajectories is None else 2.0 * LONGEST
        return min(need, longest) / fastest, need > longest

    def _motion_starts(
        self, attractors: "Attractors", number: int, random: np.random.Generator
    ) -> ComplexArray:
        """Starts near steady states, then random ones: (number, N)."""
        states = attractors.solutions.amplitudes
        near = [perturbed(state, 1, random)[0] for state in states[: number // 2]]
        size = float(np.median(np.abs(states) ** 2)) if len(states) else 1.0
        others = random_amplitudes(attractors.model, number - len(near), size, random)[0]
        return np.array([*near, *others])


@dataclass(frozen=True, eq=False, repr=False)
class Attractors(ShortRepr):
    """Steady states and attracting motion of a model.

    solutions: the steady states with α ≠ 0, stable or not. deviations: of each. at_rest: of α = 0.
    exhaustive: whether there are no others. last_new: number first reached in the last round of
    random starts. motions: means over motion that is not stationary, of the integrated
    trajectories. in_doubt: number of motions that one trajectory only led to, and that in less than
    the slowest relaxation.
    """

    model: AmplitudeModel
    solutions: Solutions
    deviations: Sequence[Deviations]
    at_rest: Deviations
    exhaustive: bool
    last_new: int
    motions: tuple[TimeAverage, ...] = ()
    in_doubt: int = 0

    @classmethod
    def of(
        cls, model: AmplitudeModel, solutions: Solutions, exhaustive: bool, last_new: int
    ) -> "Attractors":
        """The steady states `solutions` with their deviations."""
        spread = deviations(model, solutions.amplitudes, solutions.frequency)
        return cls(model, solutions, spread, deviations_at_rest(model), exhaustive, last_new)

    @property
    def has_stable_state(self) -> bool:
        """Whether a steady state is stable, α = 0 included."""
        return self.at_rest.stable or any(each.stable for each in self.deviations)

    def in_units(self, units: Units, model: AmplitudeModel) -> "Attractors":
        """Return those of `model`, of which `units` are the natural ones."""
        scale, solved = (units.rate, units.size), self.solutions
        return replace(
            self,
            model=model,
            solutions=Solutions(
                units.size * solved.amplitudes,
                units.given_frequency(solved.frequency),
                units.size * solved.error,
            ),
            deviations=[each.in_units(*scale) for each in self.deviations],
            at_rest=self.at_rest.in_units(*scale),
            motions=tuple(each.in_units(*scale, units.frequency) for each in self.motions),
        )


def _mean_frequency(model: AmplitudeModel, amplitudes: ComplexArray) -> float:
    velocity = model.velocity(amplitudes)
    square = float(np.vdot(amplitudes, amplitudes).real)
    return -float(np.vdot(amplitudes, velocity).imag) / square if square else 0.0


def _different(motions: Sequence[TimeAverage]) -> tuple[tuple[TimeAverage, ...], int]:
    """Motions that differ in mean occupations, and the number of those that came only once."""
    different: list[TimeAverage] = []
    times: list[int] = []
    for motion in motions:
        reach = ALIKE * np.max(motion.occupation)
        away = [np.max(np.abs(motion.occupation - other.occupation)) for other in different]
        known = next((k for k, distance in enumerate(away) if distance <= reach), None)
        if known is None:
            different.append(motion)
            times.append(1)
        else:
            times[known] += 1
    return tuple(different), times.count(1)
