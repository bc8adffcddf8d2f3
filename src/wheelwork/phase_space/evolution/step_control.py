"""Step size, mesh and accumulated error, controlled so that the total stays below `rtol`."""

import math
from dataclasses import dataclass, replace

from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.numerics.work import require_budget, tick
from wheelwork.phase_space.domain import LARGEST_REACH
from wheelwork.phase_space.evolution.mesh import RIM, Field, Mesh
from wheelwork.phase_space.evolution.split_steps import LEVELS, Flow, Stretch, advance
from wheelwork.states.preparations import Preparation

MOST_POINTS = 1024  # per axis: bounds the time of a step and its memory, 8 MiB for each W
LARGEST_START = 2048  # points per axis on which an initial state may be given before it is trimmed
# Steps per period, times LEVELS: the fewest that resolve the rotation, where to start, and the most
# before the motion counts as too fast.
FEWEST_STEPS, FIRST_STEPS, MOST_STEPS = 4.0, 5.0, 2048.0
# Shares of the error allowed in a stretch of time, for steps, mesh, and series in the friction.
SPLIT_SHARE, MESH_SHARE, SERIES_SHARE = 0.5, 0.1, 0.02
REGRID_SHARE = 0.1  # of the error allowed at the edges, to be lost at a change of mesh
FEW, FEWER = 0.05, 0.95  # below this part of its share, the steps become fewer by this factor
MEANINGLESS = 0.1  # correction by extrapolation from which on it is no estimate of an error
# Stretches of time, in periods: the least for which edges get a share; below which the mesh grows
# rather than the stretch shortens; at which the state changes too fast.
SHORT, BRIEF, SHORTEST = 3e-3, 0.02, 1e-6
SAFETY, MOST_USES = 2.0, 16  # on the measured gain of an extrapolation; stretches until the next
NOISE = 200.0  # roundings that accumulate at the edges of mesh and spectrum in a stretch
MARGIN = 1.03  # of a new mesh over what is needed
SMALLEST_STRIDE, LARGEST_STRIDE = 1.06, 1.3  # factors from the old mesh to a larger one
SMALLER = 0.85  # factor in points per axis from which on a change to a smaller mesh pays


@dataclass(frozen=True)
class Gain:
    """Ratio of the error of sixth order to the correction from fourth to sixth order.

    Measured now and then by shorter steps, it holds for the same count of steps and similar
    corrections. Before the first measurement the factor is one.
    """

    count: int = 0
    correction: float = 0.0
    factor: float = 1.0
    uses: int = 0

    def holds(self, count: int, correction: float) -> bool:
        """Whether the measurement applies to another stretch."""
        alike = 0.5 * self.correction <= correction <= 2.0 * self.correction
        return count == self.count and alike and self.uses < MOST_USES


@dataclass(frozen=True, eq=False)
class EvolutionState:
    """W at one time, and estimates of its error.

    error: sum of all estimated errors so far but rounding; noise: variance of the latter. steps:
    those per period, to be multiplied by `LEVELS`. longest: stretch of time, in periods, for which
    the mesh chosen at its start suffices. work: done so far, as of `Stretch`.
    """

    time: float
    field: Field
    error: float
    noise: float
    steps: float = FIRST_STEPS
    longest: float = 1.0
    gain: Gain = Gain()
    work: float = 0.0

    @property
    def distance(self) -> float:
        """Estimated ∫ |δW| (1 + H/⟨H⟩ + H²/⟨H²⟩) dX dP."""
        return self.error + math.sqrt(self.noise)


@dataclass(frozen=True)
class Budget:
    """Error that may be made between two times, out of `rtol`, and work (`most_work`).

    Half is in proportion to time, half to the logarithm of time in periods, as most is needed at
    the beginning. A run shorter than a period may use as much as the beginning of a longer one.
    """

    rtol: float
    start: float
    end: float
    period: float
    most_work: float = math.inf

    def require(self, work: float) -> None:
        """Refuse to go on where `work` is beyond the budget."""
        advice = "weaken the coupling, start from a smoother state, or set a `time_limit`"
        require_budget("this evolution", work, self.most_work, "values of W in a step", advice)

    def allowed(self, time: float, duration: float) -> float:
        whole = max(self.end - self.start, self.period)
        since = time - self.start
        logarithmic = math.log1p(duration / (since + self.period))
        logarithmic /= math.log1p(whole / self.period)
        return 0.5 * self.rtol * (duration / whole + logarithmic)


def started(initial: Preparation, budget: Budget, length: float) -> EvolutionState:
    """The initial state on a mesh; InvalidArgument if no mesh fits it, or its trace is not one."""
    mesh = Mesh.holding(initial.extent, initial.wavenumber)
    if mesh.points > LARGEST_START or mesh.half_width > LARGEST_REACH:
        raise InvalidArgument(
            f"`initial` must fit a mesh of {LARGEST_START}² points within "
            f"|x| < {LARGEST_REACH * length:.4g}, but reaches |x| = {initial.extent * length:.4g} "
            f"and wave numbers {initial.wavenumber / length:.4g}, which takes {mesh.points}²"
        )
    field = Field(mesh, initial.wigner(mesh.axis, mesh.axis))
    if not abs(field.trace - 1.0) < 1e-6:
        raise InvalidArgument(f"`initial` must integrate to one, but gives {field.trace!r}")
    state = EvolutionState(budget.start, field, 0.0, field.rounding**2)
    limit = _edge_limit(field, budget.start, budget.period, budget)
    fitted = _fitted(field, REGRID_SHARE * limit)
    if fitted.points > MOST_POINTS:
        raise InvalidArgument(
            f"`initial` must fit a mesh of {MOST_POINTS}² points for rtol = {budget.rtol:g}, "
            f"but needs {fitted.points}²"
        )
    return _moved(state, fitted)


def advanced(state: EvolutionState, flow: Flow, target: float, budget: Budget) -> EvolutionState:
    """`state` at the time `target`.

    Raises NotConverged when the error exceeds the budget, with the last state as its `partial`.
    """
    while True:
        if state.distance > budget.rtol:
            raise NotConverged(
                f"rtol = {budget.rtol:g} is out of reach: at time {state.time:g} the estimated "
                f"error is {state.distance:.1e}, and rounding alone allows steps of no less than "
                f"{NOISE * state.field.rounding:.1e}"
            )
        if state.time >= target:
            return state
        longest = state.longest * budget.period
        parts = math.ceil((target - state.time) / longest * (1.0 - 1e-9))
        try:
            state = _next(state, flow, (target - state.time) / parts, budget)
        except NotConverged as reason:
            reason.partial = state
            raise
        if abs(target - state.time) < 1e-9 * longest:
            state = replace(state, time=target)


def _next(state: EvolutionState, flow: Flow, duration: float, budget: Budget) -> EvolutionState:
    """One stretch of time, repeated with more steps or a larger mesh until accurate enough."""
    while True:
        tick("evolution in time", state.time, budget.end)
        budget.require(state.work)
        allowed = budget.allowed(state.time, duration)
        field = state.field
        count = max(1, math.ceil(state.steps * duration / budget.period))
        noise = field.rounding * math.sqrt(sum(LEVELS) * count)
        attempt = advance(field, flow, duration, count, SERIES_SHARE * allowed)
        if attempt is None:
            state = _refined(state, math.inf, budget)
            continue
        state = replace(state, work=state.work + attempt.work)
        if not 0.0 <= attempt.correction < MEANINGLESS:
            duration *= 0.5
            state = _hastened(state, duration, budget)
            continue
        after = attempt.field
        limit = _edge_limit(field, state.time, duration, budget)
        if max(after.rim, after.tail) > limit:
            strides = _strides(after, limit)
            if max(strides) > LARGEST_STRIDE and duration > BRIEF * budget.period:
                duration *= 0.5
                state = _hastened(state, duration, budget)
            else:
                state = _enlarged(state, strides, flow.model.length)
            continue
        gain = state.gain
        if not gain.holds(count, attempt.correction):
            gain = _measured(attempt, field, flow, duration, count, SERIES_SHARE * allowed)
        split = gain.factor * attempt.correction
        if not split <= max(SPLIT_SHARE * allowed, noise):
            state = _refined(state, split / (SPLIT_SHARE * allowed), budget)
            continue
        error = split + 2.0 * (after.rim + after.tail) + SERIES_SHARE * allowed
        error += 3.0 * abs(after.trace - field.trace) + flow.table_error(field, duration)
        steps = state.steps
        if split < FEW * SPLIT_SHARE * allowed:
            steps = max(FEWEST_STEPS, FEWER * steps)
        following = EvolutionState(
            time=state.time + duration,
            field=after.cleared(field.trace),
            error=state.error + error,
            noise=state.noise + noise**2,
            steps=steps,
            longest=min(1.0, 1.3 * state.longest),
            gain=replace(gain, uses=gain.uses + 1),
            work=state.work,
        )
        return _trimmed(following, after, limit, flow.model.length)


def _edge_limit(field: Field, time: float, duration: float, budget: Budget) -> float:
    """Size of W allowed at the edges: less for a short stretch, but no less than rounding."""
    part = max(SHORT, duration / budget.period)
    allowed = MESH_SHARE * part * budget.allowed(time, budget.period)
    return max(allowed, NOISE * field.rounding)


def _measured(
    attempt: Stretch, field: Field, flow: Flow, duration: float, count: int, allowed: float
) -> Gain:
    """The gain, by the same stretch of time in steps shorter by a fifth or more."""
    finer = advance(field, flow, duration, math.ceil(1.25 * count), allowed)
    if finer is None or attempt.correction == 0.0:
        return Gain(count, attempt.correction)
    change = field.size(finer.field.values - attempt.field.values)
    return Gain(count, attempt.correction, min(1.0, SAFETY * change / attempt.correction))


def _refined(state: EvolutionState, excess: float, budget: Budget) -> EvolutionState:
    """More steps per period, for an error too large by the factor `excess`."""
    factor = min(1.6, max(1.08, (2.0 * excess) ** 0.125)) if math.isfinite(excess) else 1.6
    if factor * state.steps > MOST_STEPS:
        raise NotConverged(
            f"at time {state.time:g} even {LEVELS[-1] * state.steps:.0f} steps per period do not "
            f"keep the error within rtol = {budget.rtol:g}: the motion is too fast"
        )
    return replace(state, steps=factor * state.steps)


def _hastened(state: EvolutionState, duration: float, budget: Budget) -> EvolutionState:
    """Shorter stretches of time, as the state changes too much in one."""
    if duration < SHORTEST * budget.period:
        raise NotConverged(
            f"at time {state.time:g} the state changes too fast to be followed in steps of "
            f"{duration:.1e}"
        )
    return replace(state, longest=duration / budget.period)


def _strides(field: Field, limit: float) -> tuple[float, float]:
    """Factors by which the mesh must reach further, and be finer, for this state."""
    radius, wavenumber = field.needs(0.5 * limit)
    further = MARGIN * radius / (RIM * field.mesh.half_width)
    finer = MARGIN * wavenumber / (RIM * field.mesh.largest_wavenumber)
    return (
        max(SMALLEST_STRIDE, further) if field.rim > limit else 1.0,
        max(SMALLEST_STRIDE, finer) if field.tail > limit else 1.0,
    )


def _enlarged(state: EvolutionState, strides: tuple[float, float], length: float) -> EvolutionState:
    """The state on a larger or finer mesh."""
    mesh = state.field.mesh
    radius = RIM * mesh.half_width * min(strides[0], LARGEST_STRIDE)
    wavenumber = RIM * mesh.largest_wavenumber * min(strides[1], LARGEST_STRIDE)
    return _moved(state, _supported(Mesh.holding(radius, wavenumber), state.time, length))


def _trimmed(state: EvolutionState, field: Field, limit: float, length: float) -> EvolutionState:
    """The state on the mesh it needs, if that is much smaller, or its own is nearly outgrown."""
    fitted = _fitted(field, REGRID_SHARE * limit)
    if fitted.points < SMALLER * field.mesh.points or max(field.rim, field.tail) > 0.5 * limit:
        return _moved(state, _supported(fitted, state.time, length))
    return state


def _fitted(field: Field, loss: float) -> Mesh:
    radius, wavenumber = field.needs(loss)
    return Mesh.holding(MARGIN * radius, MARGIN * wavenumber)


def _moved(state: EvolutionState, mesh: Mesh) -> EvolutionState:
    """The state on another mesh; the trace lost is restored in proportion."""
    kept = state.field.on(mesh).cleared(state.field.trace)
    return replace(state, field=kept, error=state.error + 2.0 * sum(state.field.beyond_rims(mesh)))


def _supported(mesh: Mesh, time: float, length: float) -> Mesh:
    if mesh.half_width > LARGEST_REACH:
        raise NotConverged(
            f"at time {time:g} the state reaches |x| = {mesh.half_width * length:.4g}, beyond the "
            f"largest mesh ({LARGEST_REACH * length:.4g}); it may be running away"
        )
    if mesh.points > MOST_POINTS:
        raise NotConverged(
            f"at time {time:g} the state needs a mesh of {mesh.points}² points, more than "
            f"{MOST_POINTS}²: it reaches |x| = {RIM * mesh.half_width * length:.4g} with wave "
            f"numbers up to {RIM * mesh.largest_wavenumber / length:.4g}"
        )
    return mesh
