"""The stationary equation to a tolerance: on orbits or on the plane, on finer and finer meshes."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NoSteadyState, NotConverged
from wheelwork.phase_space.distribution import moments
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel, table_tolerance
from wheelwork.phase_space.stationary import circle_solver, plane
from wheelwork.phase_space.stationary.orbit_distribution import Circles, OrbitDistribution
from wheelwork.phase_space.stationary.orbits import Orbits, SeveralWells, find_orbits, table_error
from wheelwork.phase_space.stationary.plane import PlaneDistribution
from wheelwork.phase_space.stationary.stationary_state import MEASURED, Stationary, stationary

TREND_SAFETY = 10.0  # on the next change, as extrapolated from how fast the changes fall
EIGHTH_ORDER = 0.04  # (2/3)^8, the fall of its errors from one mesh to the next
BEST_GAIN = 1000.0  # of one level over the one before; with a larger excess finer ones are hopeless

Level = TypeVar("Level")
Solution = TypeVar("Solution")
AnyDistribution = TypeVar("AnyDistribution", OrbitDistribution, PlaneDistribution)
# Radii and harmonics on orbits; points per axis of the plane. Each level has half as many again.
LEVELS = ((24, 4), (36, 6), (54, 8), (80, 12), (120, 16), (180, 24), (260, 36))
PLANE_LEVELS = (72, 108, 160, 240, 340)
PLANE_RTOL = 1e-8  # no mesh of the plane that fits into memory gets further
ROUNDING = 1e-13  # of the solution on the plane, before rare switching magnifies it
LARGEST_CORRECTION = 0.05  # of moments, up to which an orbit average is one


def refined(
    solve: Callable[[Level], AnyDistribution],
    levels: Sequence[Level],
    rtol: float,
    tables: float,
    *,
    extrapolate: bool = True,
) -> tuple[AnyDistribution, FloatArray, Level]:
    """Solve on finer and finer meshes until the estimated error is below `rtol`.

    That is the last change, reduced as the changes fall (`extrapolate`), or if it is larger the one
    before, reduced as by eighth order.
    """
    coarse = solve(levels[0])
    before: FloatArray | None = None
    for index, level in enumerate(levels[1:], start=1):
        fine = solve(level)
        last = error = change(coarse, fine)
        if before is not None and extrapolate:
            rate = np.max(last[:-1]) / max(float(np.max(before[:-1])), 1e-300)
            error = last * min(1.0, TREND_SAFETY * rate)
        elif before is not None:
            error = np.maximum(last, EIGHTH_ORDER * before)
        error = error + tables
        if np.max(error[:-1]) <= rtol:
            return fine, error, level
        if extrapolate and np.max(error[:-1]) > rtol * BEST_GAIN ** (len(levels) - 1 - index):
            break
        coarse, before = fine, last
    raise NotConverged(
        f"the Fokker–Planck solution did not reach rtol = {rtol:g} on meshes up to "
        f"{level}; the estimated error is {float(np.max(error[:-1])):.1e}, of which "
        f"{tables:.1e} come from the tables of the coefficients"
    )


def change(coarse: AnyDistribution, fine: AnyDistribution) -> FloatArray:
    """Relative changes of the measured moments, and the distance of the two W."""
    a, b = moments(coarse), moments(fine)
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
            f"error of {tables:.1e}"
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
    """Solve on the plane, where strong friction deforms W on its orbits; else raise `reason`."""
    try:
        return solve(model, rtol)
    except (NotConverged, NoSteadyState):
        raise reason from None


def _on_orbits(orbits: Orbits, tables: float, rtol: float) -> Stationary:
    mesh = Circles(orbits)

    def at(level: tuple[int, int]) -> OrbitDistribution:
        return OrbitDistribution(orbits, mesh, circle_solver.solve(orbits, *level))

    solution, error, level = refined(at, LEVELS, rtol, tables)
    details = {"mesh_radii": level[0], "harmonics": level[1]}
    rates = orbits.potential.rates
    return stationary(orbits.model, solution, rates, error, details, mesh.quadrature_error)


def _on_plane(model: PhaseSpaceModel, rtol: float) -> Stationary:
    box = plane.find_box(model, table_tolerance(rtol))
    solution, error, points = refined(
        partial(plane.solve, box), PLANE_LEVELS, rtol, box.table_error, extrapolate=False
    )
    # Rare switching magnifies rounding by the time between switches.
    error = error + ROUNDING * np.exp(solution.barrier)
    if np.max(error[:-1]) > rtol:
        raise NotConverged(
            f"the wells exchange too rarely for rtol = {rtol:g}: the ridge between them "
            f"is e^{solution.barrier:.1f} times rarer than the lower one, which leaves an error "
            f"of {float(np.max(error[:-1])):.1e}"
        )
    return stationary(model, solution, box.rates, error, {"mesh_points": points**2})


def orbit_average(model: PhaseSpaceModel, rtol: float) -> Stationary:
    """Return the orbit-averaged state of `model`; see `EnergyDiffusion`."""
    try:
        orbits = find_orbits(model, table_tolerance(rtol))
    except SeveralWells:
        raise NotConverged(
            "the potential has several wells, which EnergyDiffusion does not treat; "
            "use FokkerPlanck"
        ) from None
    mesh = Circles(orbits)
    first = OrbitDistribution(orbits, mesh, circle_solver.flat(orbits))
    level = next((level for level in LEVELS[1:] if level[0] > 2.0 * orbits.radius), LEVELS[-1])
    better = OrbitDistribution(orbits, mesh, circle_solver.solve(orbits, *level))
    correction = change(better, first)
    size = float(np.max(correction[:-1]))
    if size > LARGEST_CORRECTION:
        raise NotConverged(
            f"the orbit average is no approximation here: its first correction is {size:.1g}; "
            "use FokkerPlanck"
        )
    error = correction / (1.0 - 2.0 * size) + table_error(orbits)
    rates = orbits.potential.rates
    return stationary(orbits.model, first, rates, error, {}, mesh.quadrature_error)
