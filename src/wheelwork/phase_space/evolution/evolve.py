"""The Fokker–Planck equation in time: W(x, p) at given times, and its moments and flows.

The models may change in time; every number has an estimated error.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import InvalidArgument, NotConverged, shown
from wheelwork.numerics.work import require_budget
from wheelwork.phase_space.chebyshev import ChebyshevTable
from wheelwork.phase_space.evolution.mesh import Field
from wheelwork.phase_space.evolution.split_steps import Flow
from wheelwork.phase_space.evolution.step_control import Budget, EvolutionState, advanced, started
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel, table_tolerance
from wheelwork.phase_space.stationary.plane import PlaneDistribution
from wheelwork.results import with_error
from wheelwork.states.oscillator import g2_from_wigner
from wheelwork.states.preparations import Preparation

Schedule = Sequence[tuple[float, PhaseSpaceModel]]
SERIES = ("distance", "trace_drift", "moments", "errors", "local_means", "local_errors")
MOST_PERIODS = 1e5  # of the oscillator: half an hour at ten to twenty milliseconds each
# Values of W × steps × terms of the friction: some ten seconds, and a third of one for each period.
FIRST_WORK, WORK_PER_PERIOD = 1e9, 3e7
MOST_POINTS = 1 << 16  # of X, for means of rates that vary faster than W: 0.5 MiB for each rate


@dataclass(frozen=True, repr=False, eq=False)
class Snapshot(Computed):
    """W at one time. A further evolution can start from it and inherits its `error`.

    model: the model from this time on. field: W, values[i, j] at X = mesh.axis[i] and
    P = mesh.axis[j], in scaled coordinates, ∫ W dX dP = 1. distance: estimated ∫ |δW| (1 + H/⟨H⟩ +
    H²/⟨H²⟩) dX dP with H = X² + P², all errors since the start added up.
    local_means: of the model's local observables. energy_rates: what force, friction and noise
    add to d⟨X² + P²⟩/dt: 2⟨f P⟩, −2⟨γ P²⟩ and 2⟨d⟩; energy_rates_error: bound on that of their sum.
    """

    time: float
    model: PhaseSpaceModel
    field: Field
    distance: float
    local_means: Mapping[str, float]
    local_errors: Mapping[str, float]
    energy_rates: tuple[float, float, float]
    energy_rates_error: float

    def __repr__(self) -> str:
        number = with_error(self.moments["phonon_number"], self.errors["phonon_number"])
        size = f"mesh={self.field.mesh.points}², distance={self.distance:.1e}"
        return f"Snapshot(time={self.time:.6g}, phonon_number={number}, {size})"

    @property
    def trace_drift(self) -> float:
        """∫ W dX dP less one."""
        return self.field.trace - 1.0

    @cached_property
    def distribution(self) -> PlaneDistribution:
        """W as the stationary solvers give theirs."""
        axis = self.field.mesh.axis
        return PlaneDistribution(axis, axis, self.field.values)

    @cached_property
    def moments(self) -> Mapping[str, float]:
        """As `phase_space.moments`; g2 is NaN where the phonon number is within its error."""
        field, X = self.field, self.field.mesh.axis
        over_X, over_P = field.values.sum(axis=1), field.values.sum(axis=0)
        cell, number = field.mesh.cell, field.mean_energy - 0.5
        known = number > self.distance * field.mean_energy
        return {
            "x": cell * float(over_X @ X),
            "p": cell * float(over_P @ X),
            "x_squared": cell * float(over_X @ X**2),
            "p_squared": cell * float(over_P @ X**2),
            "x_p": cell * float(X @ field.values @ X),
            "phonon_number": number,
            "g2": g2_from_wigner(field.mean_energy, field.mean_energy_squared) if known else np.nan,
            "purity": np.pi * cell * float(np.vdot(field.values, field.values)),
        }

    @cached_property
    def errors(self) -> Mapping[str, float]:
        """Bounds on the absolute errors of `moments`, all from `distance`."""
        field, moments = self.field, self.moments
        second = self.distance * field.mean_energy
        fourth = self.distance * field.mean_energy_squared + 2.0 * second
        errors = dict.fromkeys(moments, second)
        errors["x"] = errors["p"] = self.distance * float(np.sqrt(field.mean_energy))
        number, g2 = moments["phonon_number"], moments["g2"]
        errors["g2"] = np.nan
        if not np.isnan(g2):  # then the number is larger than its error
            pairs = fourth + g2 * second * (2.0 * number + second)
            errors["g2"] = pairs / (number - second) ** 2
        errors["purity"] = 2.0 * np.pi * float(np.max(np.abs(field.values))) * self.distance
        return errors

    @property
    def error(self) -> float:
        """Error that an evolution from here inherits: `distance`."""
        return self.distance

    @property
    def extent(self) -> float:
        """Radius √(X² + P²) up to which the mesh holds W."""
        return self.field.mesh.half_width

    @property
    def wavenumber(self) -> float:
        """Largest wave number that the mesh resolves."""
        return self.field.mesh.largest_wavenumber

    def wigner(self, X: FloatArray, P: FloatArray) -> FloatArray:
        """W on the mesh of the axes X (n,) and P (m,), shape (n, m); zero outside its own."""
        return self.field.at(X, P)


def snapshot(state: EvolutionState, flow: Flow, inherited: float) -> Snapshot:
    """Return means and errors of the state, under the model from its time on.

    inherited: error of the initial state, added to the evolution's own.
    """
    distance = state.distance + inherited
    field, names = state.field, flow.model.local_observables
    rates = flow.rates(field.mesh.half_width)
    P = field.mesh.axis
    # ∫ (2P, −2P², 2, 1) W dP at every X: for force, friction and noise, and for local observables
    functions = np.stack([2.0 * P, -2.0 * P**2, 0.0 * P + 2.0, 0.0 * P + 1.0])
    weights = functions[[0, 1, 2] + [3] * len(names)] @ field.values.T * field.mesh.cell
    means, quadrature_errors, size = _means(weights, field.mesh.axis, rates)
    # errors of W and of the tables, in the measure of `distance`
    energy = field.mean_energy
    scale = np.array([np.sqrt(energy), 2.0 * energy, 2.0] + [1.0] * len(names))
    errors = scale * (size * distance + np.max(rates.bounds, axis=0)) + quadrature_errors
    return Snapshot(
        state.time,
        flow.model,
        field,
        distance,
        dict(zip(names, map(float, means[3:]), strict=True)),
        dict(zip(names, map(float, errors[3:]), strict=True)),
        (float(means[0]), float(means[1]), float(means[2])),
        float(np.sum(errors[:3])),
    )


def _means(
    weights: FloatArray, X: FloatArray, rates: ChebyshevTable
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Σ_X weights · rates, how far that is from the sum over half the points, and largest rates.

    weights: (rates, points), band-limited like W. Where W is wide its mesh is coarse, and the
    rates may vary between two of its points: the sum runs over points as close as the table's.
    """
    step = X[1] - X[0]
    most = MOST_POINTS // X.size
    finer = 2 * min(max(1, math.ceil(step / rates.finest)), most)
    spectrum = np.fft.rfft(weights, axis=1)
    spectrum[:, -1] *= 0.5  # shared by both signs of the wave number
    points = X.size * finer
    at = rates(X[0] + step / finer * np.arange(points))
    terms = np.fft.irfft(spectrum, points, axis=1) * at
    means = np.sum(terms, axis=1)
    change = np.abs(2.0 * np.sum(terms[:, ::2], axis=1) - means)
    return means, change, np.max(np.abs(at), axis=1)


@dataclass(frozen=True, repr=False, eq=False)
class Evolution:
    """W(t) at the requested times, in order.

    Against time, arrays (times,) of `Snapshot`'s `distance` (at most `rtol` + `inherited`) and
    `trace_drift`, and mappings of such arrays: `moments`, `errors`, and `local_means`,
    `local_errors` of the local observables that all models have.
    inherited: the error of the state that it started from, part of every `distance`.
    time_left: from the last snapshot to the last time requested, zero unless it ended early.
    """

    snapshots: tuple[Snapshot, ...]
    inherited: float
    time_left: float = 0.0

    def __getattr__(self, name: str) -> Any:
        if name not in SERIES or not self.snapshots:
            raise AttributeError(f"'Evolution' object has no attribute {name!r}")
        values = [getattr(one, name) for one in self.snapshots]
        if not isinstance(values[0], Mapping):
            return np.array(values)
        shared = [key for key in values[0] if all(key in one for one in values)]
        return {key: np.array([one[key] for one in values]) for key in shared}

    def __repr__(self) -> str:
        first, last = self.times[[0, -1]]
        worst = f"distance up to {np.max(self.distance):.1e}"
        return f"Evolution(<{len(self.snapshots)} times from {first:g} to {last:g}, {worst}>)"

    @property
    def times(self) -> FloatArray:
        """In units of 1/energy, increasing."""
        return np.array([one.time for one in self.snapshots])


def evolve(
    schedule: Schedule,
    initial: Preparation,
    times: npt.ArrayLike,
    rtol: float = 1e-6,
    most_periods: float = MOST_PERIODS,
) -> Evolution:
    """W(x, p) at `times`, by the Fokker–Planck equation (Culhane et al., Eq. (A24)).

    schedule: (start, model) in order of time, each model valid from its start on; all of the same
    mass and frequency. `initial` is the state at the first start. times: increasing, from the first
    start on. rtol: bound on the estimated ∫|δW| (1 + H/⟨H⟩ + H²/⟨H²⟩) dX dP with H = X² + P², hence
    on the relative errors of all second and fourth moments; between 1e-12 and 0.1.

    Steps of second order, time-symmetric, exact for the free rotation and for friction, force
    and noise at fixed x, are taken at three sizes at once and extrapolated to sixth order. Mesh and
    steps adapt. W may have either sign; its integral is conserved to 1e-12. The cost grows with the
    number of periods, 10 to 20 ms each, and with friction that is strong (against ω0) where W ends.
    Errors since the start are added up without regard to damping.

    Raises InvalidArgument on bad schedules, times or states, NotConverged for more than
    `most_periods` of the oscillator, for work of more than ten to twenty seconds and 0.3 s for each
    period (no limit where `most_periods` is infinite), when the state outgrows the largest mesh
    (naming the time), or when `rtol` cannot be reached; then its `partial` ends at the time
    reached. The error is that of solving the equation, which itself holds for slow oscillators only
    (ω0, λ ≪ T, Γ).
    """
    rtol = _checks.tolerance("rtol", rtol)
    starts, models = _checked_schedule(schedule)
    moments = _checked_times(times, starts[0])
    if isinstance(initial, type) or not isinstance(initial, Preparation):
        raise InvalidArgument(
            f"`initial` must be a state such as Ground() or Coherent(2.0), but is {shown(initial)}"
        )
    flows = [Flow(model, table_tolerance(rtol)) for model in models]
    end, period = float(moments[-1]), 2.0 * math.pi / models[0].frequency
    advice = "shorten `times`, or set a `time_limit` to try regardless"
    require_budget("this evolution", (end - starts[0]) / period, most_periods, "periods", advice)
    most_work = FIRST_WORK + WORK_PER_PERIOD * (end - starts[0]) / period
    if most_periods == math.inf:
        most_work = math.inf
    budget = Budget(rtol, starts[0], end, period, most_work)
    state = started(initial, budget, models[0].length)
    snapshots: list[Snapshot] = []
    current = 0
    try:
        for time in moments:
            while current + 1 < len(flows) and starts[current + 1] <= time:
                state = advanced(state, flows[current], starts[current + 1], budget)
                current += 1
            state = advanced(state, flows[current], float(time), budget)
            snapshots.append(snapshot(state, flows[current], initial.error))
    except NotConverged as reason:
        reached = reason.partial
        if reached is not None and not (snapshots and reached.time == snapshots[-1].time):
            snapshots.append(snapshot(reached, flows[current], initial.error))
        left = end - (snapshots[-1].time if snapshots else starts[0])
        reason.partial = Evolution(tuple(snapshots), initial.error, left) if snapshots else None
        raise
    return Evolution(tuple(snapshots), initial.error)


def _checked_schedule(schedule: Any) -> tuple[list[float], list[PhaseSpaceModel]]:
    starts, models = [], []
    if not isinstance(schedule, Sequence):
        raise InvalidArgument(
            f"`schedule` must list pairs (start, model), but is {shown(schedule)}"
        )
    for i, entry in enumerate(schedule):
        try:
            start, model = entry
        except (TypeError, ValueError):
            raise InvalidArgument(
                f"`schedule` must hold pairs (start, model), but is {shown(entry)} (entry {i})"
            ) from None
        if not isinstance(model, PhaseSpaceModel):
            raise InvalidArgument(
                f"`schedule` must hold models of phase space, but is {shown(model)} (entry {i})"
            )
        starts.append(_checks.non_negative("start", start, f"entry {i} of the schedule"))
        models.append(model)
    if not models:
        raise InvalidArgument("`schedule` must hold at least one model, but is empty")
    if np.any(np.diff(starts) <= 0.0):
        raise InvalidArgument(f"`schedule` must be in order of time, but starts at {shown(starts)}")
    for name in ("frequency", "mass"):
        values = [getattr(model, name) for model in models]
        if len(set(values)) > 1:
            raise InvalidArgument(f"`schedule` must keep the same {name}, but has {shown(values)}")
    return starts, models


def _checked_times(times: npt.ArrayLike, start: float) -> FloatArray:
    moments = _checks.finite_array("times", times, ndim=1)
    if moments.size == 0:
        raise InvalidArgument("`times` must hold at least one time, but is empty")
    if np.any(np.diff(moments) <= 0.0):
        raise InvalidArgument(f"`times` must increase, but is {shown(times)}")
    if moments[0] < start:
        raise InvalidArgument(
            f"`times` must not be before the schedule starts at {start:g}, but is {moments[0]:g}"
        )
    return moments
