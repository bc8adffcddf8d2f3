"""The stationary equation to a tolerance: on orbits or on the plane, on finer and finer meshes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NoSteadyState, NotConverged, partial_as
from wheelwork.numerics.work import tick
from wheelwork.phase_space.chebyshev import ChebyshevTable
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel, table_tolerance
from wheelwork.phase_space.stationary import circle_solver, plane
from wheelwork.phase_space.stationary.orbit_distribution import Circles, OrbitDistribution
from wheelwork.phase_space.stationary.orbits import Orbits, SeveralWells, find_orbits, table_error
from wheelwork.phase_space.stationary.plane import PlaneDistribution
from wheelwork.phase_space.stationary.stationary_state import MEASURED, Stationary, stationary

TREND_SAFETY = 10.0  # on the next change, as extrapolated from how fast the changes fall
EIGHTH_ORDER = 0.04  # (2/3)^8, the fall of its errors from one mesh to the next
# Of one level over the one before; with a larger excess finer ones are hopeless.
BEST_GAIN = 1000.0
BEST_PLANE_GAIN = 100.0  # the eighth order gains 25, what is hardly resolved some 60

Level = TypeVar("Level")
Solution = TypeVar("Solution")
AnyDistribution = TypeVar("AnyDistribution", OrbitDistribution, PlaneDistribution)
# Radii and harmonics on orbits; points per axis of the plane. Each level has half as many again.
LEVELS = ((24, 4), (36, 6), (54, 8), (80, 12), (120, 16))
ONE_LEVEL = (*LEVELS[1:], (180, 24), (260, 36))  # for the first correction of an orbit average
PLANE_LEVELS = (72, 108, 160, 240)  # the last takes some ten seconds, the next would take thirty
FINER = 1.5  # ratio of the numbers of radii or of harmonics where these are refined one by one
MOST_WORK = 4e10  # multiplications of the band matrices beyond `LEVELS`: about five seconds
PLANE_RTOL = 1e-8  # no mesh of the plane that fits into memory gets further
ROUNDING = 1e-13  # of the solution on the plane, before rare switching magnifies it
LARGEST_CORRECTION = 0.05  # of moments, up to which an orbit average is one
STRONG = 0.3  # friction over frequency from which it is worth naming where a solution fails


class Reached(NamedTuple, Generic[AnyDistribution, Level]):
    """The solution on the finest mesh so far, its errors as for `stationary`, and that mesh."""

    solution: AnyDistribution
    error: FloatArray
    level: Level

    @property
    def worst(self) -> float:
        """The largest error of those that `rtol` bounds."""
        return float(np.max(self.error[:-1]))


def refined(
    solve: Callable[[Level], AnyDistribution],
    levels: Sequence[Level],
    rtol: float,
    tables: float,
    *,
    extrapolate: bool = True,
) -> Reached[AnyDistribution, Level]:
    """Solve on finer and finer meshes until the estimated error is below `rtol`.

    That is the last change, reduced as the changes fall (`extrapolate`), or if it is larger the one
    before, reduced as by eighth order. Raises NotConverged with what was `Reached` when the meshes
    end, or as soon as the remaining ones cannot gain enough.
    """
    coarse = solve(levels[0])
    before: FloatArray | None = None
    reached: Reached[AnyDistribution, Level] | None = None
    gain = BEST_GAIN if extrapolate else BEST_PLANE_GAIN
    for index, level in enumerate(levels[1:], start=1):
        with _keeping(reached):
            tick("stationary state, meshes", index, len(levels))
            fine = solve(level)
        last = error = change(coarse, fine)
        if before is not None and extrapolate:
            error = last * trend(before, last)
        elif before is not None:
            error = np.maximum(last, EIGHTH_ORDER * before)
        reached = Reached(fine, error + tables, level)
        if reached.worst <= rtol:
            return reached
        if reached.worst > rtol * gain ** (len(levels) - 1 - index):
            break
        coarse, before = fine, last
    assert reached is not None  # there are at least two levels
    raise _not_reached(reached, rtol, tables)


def refined_one_by_one(
    solve: Callable[[tuple[int, int]], OrbitDistribution],
    start: Reached[OrbitDistribution, tuple[int, int]],
    rtol: float,
    tables: float,
) -> Reached[OrbitDistribution, tuple[int, int]]:
    """Go on from `start`, refining radii or harmonics: whichever leaves the larger error.

    Large orbits across narrow structure need many harmonics and few radii. Raises NotConverged
    as `refined`, before a mesh that would exceed `MOST_WORK`.
    """
    reached, work = start, 0.0
    changes: list[FloatArray | None] = [None, None]  # by the last step in radii and in harmonics
    errors = [np.full_like(start.error, np.inf)] * 2
    while reached.worst > rtol:
        axis = int(np.max(errors[1][:-1]) >= np.max(errors[0][:-1]))
        radii, harmonics = reached.level
        finer = (radii, round(harmonics * FINER)) if axis else (round(radii * FINER), harmonics)
        work += circle_solver.work(*finer)
        before = changes[axis]
        if work > MOST_WORK:
            raise _not_reached(reached, rtol, tables)
        with _keeping(reached):
            tick("stationary state, harmonics and radii", work, MOST_WORK)
            fine = solve(finer)
        last = changes[axis] = change(reached.solution, fine)
        errors[axis] = last if before is None else last * trend(before, last)
        error = errors[0] + errors[1] + tables
        if np.any(np.isinf(error)):  # one direction is still unknown
            error = np.maximum(last, start.error)
        reached = Reached(fine, error, finer)
    return reached


def trend(before: FloatArray, last: FloatArray) -> float:
    """Share of the last change that is left, from how much smaller it is than the one before."""
    rate = np.max(last[:-1]) / max(float(np.max(before[:-1])), np.finfo(float).tiny)
    return float(min(1.0, TREND_SAFETY * rate))


@contextmanager
def _keeping(reached: Any) -> Iterator[None]:
    """Hand on what was reached before a step that ends in NotConverged."""
    try:
        yield
    except NotConverged as reason:
        reason.partial = reached
        raise


def _not_reached(
    reached: Reached[AnyDistribution, Level], rtol: float, tables: float
) -> NotConverged:
    return NotConverged(
        f"the Fokker–Planck solution did not reach rtol = {rtol:g} on meshes up to "
        f"{reached.level}; the estimated error is {reached.worst:.1e}, of which "
        f"{tables:.1e} come from the tables of the coefficients",
        reached,
    )


def change(coarse: AnyDistribution, fine: AnyDistribution) -> FloatArray:
    """Relative changes of the measured moments, and the distance of the two W."""
    a, b = coarse.moments, fine.moments
    # One moment may agree by chance: all share the largest change.
    largest: float = max(abs(a[name] / b[name] - 1.0) for name in MEASURED)
    distances: tuple[float, float] = fine.distances(coarse)
    return np.array([*[largest] * len(MEASURED), *distances])


def solve_stationary(model: PhaseSpaceModel, rtol: float) -> Stationary:
    """Return the stationary state of `model`; see `FokkerPlanck`."""
    try:
        orbits = find_orbits(model, table_tolerance(rtol))
    except SeveralWells:
        return _on_plane(model, rtol)
    tables = table_error(orbits)
    if tables > rtol:
        raise NotConverged(
            f"rtol = {rtol:g} is out of reach: the tables of the coefficients leave an "
            f"error of {tables:.1e}; ask for a larger `rtol`"
        )
    try:
        return _on_orbits(orbits, tables, rtol)
    except NotConverged as reason:
        if rtol < PLANE_RTOL:
            raise
        return plane_instead(_on_plane, model, rtol, reason)


def plane_instead(
    solve: Callable[[PhaseSpaceModel, float], Solution],
    model: PhaseSpaceModel,
    rtol: float,
    reason: NotConverged,
) -> Solution:
    """Solve on the plane, where strong friction deforms W on its orbits; else raise `reason`.

    Its partial result is the better one of both.
    """
    try:
        return solve(model, rtol)
    except (NotConverged, NoSteadyState) as other:
        both = (reason.partial, getattr(other, "partial", None))
        known = [one for one in both if isinstance(one, Stationary)]
        if known:
            reason.partial = min(known, key=lambda one: one.relative_error)
        raise reason from None


def _on_orbits(orbits: Orbits, tables: float, rtol: float) -> Stationary:
    rates, model = orbits.potential.rates, orbits.model

    def result(reached: Reached[OrbitDistribution, tuple[int, int]]) -> Stationary:
        details = {"mesh_radii": reached.level[0], "harmonics": reached.level[1]}
        solution, error, _ = reached
        return stationary(model, solution, rates, error, details, solution.circles.quadrature_error)

    with _advised(rates, model):
        if rates.magnitude[1] > model.frequency:
            _require_near_orbits(orbits)
        at = partial(_on_circles, orbits, Circles(orbits))
        with partial_as(result):
            try:
                return result(refined(at, LEVELS, rtol, tables))
            except NotConverged as coarse:
                if coarse.partial is None or coarse.partial.worst > 1.0:
                    raise
                return result(refined_one_by_one(at, coarse.partial, rtol, tables))


def _on_circles(orbits: Orbits, mesh: Circles, level: tuple[int, int]) -> OrbitDistribution:
    return OrbitDistribution(orbits, mesh, circle_solver.solve(orbits, *level))


def _require_near_orbits(orbits: Orbits) -> None:
    """Refuse a W far from its orbits by the coarsest meshes: the means over it cost seconds."""
    rough = Circles(orbits, closely=False)
    coarse, fine = (_on_circles(orbits, rough, level) for level in LEVELS[:2])
    size = float(np.max(change(coarse, fine)[:-1]))
    if not size <= BEST_GAIN:
        raise NotConverged(f"W does not follow the undamped orbits: meshes differ by {size:.1g}")


def _on_plane(model: PhaseSpaceModel, rtol: float) -> Stationary:
    box = plane.find_box(model, table_tolerance(rtol))

    def result(reached: Reached[PlaneDistribution, int]) -> Stationary:
        details = {"mesh_points": reached.level**2}
        return stationary(model, reached.solution, box.rates, reached.error, details)

    with partial_as(result), _advised(box.rates, model):
        solve = partial(plane.solve, box)
        reached = refined(solve, PLANE_LEVELS, rtol, box.table_error, extrapolate=False)
        # Rare switching magnifies rounding by the time between switches.
        barrier = reached.solution.barrier
        reached = reached._replace(error=reached.error + ROUNDING * np.exp(barrier))
        if reached.worst > rtol:
            raise NotConverged(
                f"the wells exchange too rarely for rtol = {rtol:g}: the ridge between them "
                f"is e^{barrier:.1f} times rarer than the lower one, which leaves an error "
                f"of {reached.worst:.1e}",
                reached,
            )
        return result(reached)


@contextmanager
def _advised(rates: ChebyshevTable, model: PhaseSpaceModel) -> Iterator[None]:
    """Add to a NotConverged of the block what the caller can change."""
    try:
        yield
    except NotConverged as reason:
        ratio = float(rates.magnitude[1]) / model.frequency
        advice = "ask for a larger `rtol`"
        if ratio > STRONG:
            advice = (
                f"the friction reaches {ratio:.2g} times the frequency of the oscillator: "
                "weaken it (a smaller force, larger tunnelling rates), or " + advice
            )
        raise NotConverged(f"{reason}; {advice}", reason.partial) from None


def orbit_average(model: PhaseSpaceModel, rtol: float) -> Stationary:
    """Return the orbit-averaged state of `model`; see `EnergyDiffusion`."""
    try:
        orbits = find_orbits(model, table_tolerance(rtol))
    except SeveralWells:
        raise NotConverged(
            "the potential has several wells, which EnergyDiffusion does not treat; "
            "use FokkerPlanck"
        ) from None
    mesh, tables = Circles(orbits), table_error(orbits)
    first = OrbitDistribution(orbits, mesh, circle_solver.flat(orbits))
    enough = (level for level in ONE_LEVEL if level[0] > 2.0 * orbits.radius)
    level = next(enough, ONE_LEVEL[-1])
    better = OrbitDistribution(orbits, mesh, circle_solver.solve(orbits, *level))
    correction, rates = change(better, first), orbits.potential.rates
    size = float(np.max(correction[:-1]))
    known = size <= LARGEST_CORRECTION
    # A correction that is not small is no estimate of the error.
    error = (correction / (1.0 - 2.0 * size) if known else np.fmax(correction, 1.0)) + tables
    state = stationary(orbits.model, first, rates, error, {}, mesh.quadrature_error)
    if not known:
        raise NotConverged(
            f"the orbit average is no approximation here: its first correction is {size:.1g}; "
            "use FokkerPlanck",
            state,
        )
    return state
