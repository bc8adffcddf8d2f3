"""The stationary Fokker–Planck equation: on its own orbits, or else on the plane."""

import numpy as np

from wheelwork.errors import NoSteadyState, NotConverged
from wheelwork.phase_space.model import PhaseSpaceModel
from wheelwork.phase_space.stationary import circle_solver, plane
from wheelwork.phase_space.stationary.accuracy import table_error, table_tolerance
from wheelwork.phase_space.stationary.circles import circles
from wheelwork.phase_space.stationary.orbit_distribution import OrbitDistribution
from wheelwork.phase_space.stationary.orbits import FALL, Orbits, SeveralWells, find_orbits
from wheelwork.phase_space.stationary.refinement import refined
from wheelwork.phase_space.stationary.result import Stationary, stationary

# Radii and harmonics, and points per axis of the plane, each about half as many again.
LEVELS = ((24, 4), (36, 6), (54, 8), (80, 12), (120, 16), (180, 24), (260, 36))
PLANE_LEVELS = (72, 108, 160, 240, 340)
PLANE_RTOL = 1e-8  # no mesh of the plane that fits gets further
ROUNDING = 1e-13


def solve(model: PhaseSpaceModel, rtol: float) -> Stationary:
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
        return _on_plane_after(reason, model, rtol)


def _on_plane_after(reason: NotConverged, model: PhaseSpaceModel, rtol: float) -> Stationary:
    """Strong friction deforms W on its orbits; the plane may still resolve it."""
    try:
        return _on_plane(model, rtol)
    except (NotConverged, NoSteadyState):
        raise reason from None


def _on_orbits(orbits: Orbits, tables: float, rtol: float) -> Stationary:
    start = OrbitDistribution(orbits, circles(orbits), circle_solver.flat(orbits))

    def at(level: tuple[int, int]) -> OrbitDistribution:
        return start.with_modulation(circle_solver.solve(orbits, *level))

    found, error, level = refined(at, LEVELS, rtol, tables)
    details = {"mesh_radii": level[0], "harmonics": level[1]}
    rates = orbits.potential.rates
    return stationary(orbits.model, found, rates, error, details, start.circles.misses)


def _on_plane(model: PhaseSpaceModel, rtol: float) -> Stationary:
    box = plane.find_box(model, table_tolerance(rtol))

    def at(points: int) -> plane.PlaneDistribution:
        return plane.solve(box, points)

    # Weights of wells go with e^(U/T): errors of U are magnified by the fall of W.
    tables = FALL * float(np.max(box.rates.error[:3]))
    found, error, points = refined(at, PLANE_LEVELS, rtol, tables, extrapolate=False)
    # Rare switching magnifies rounding by the time between switches.
    error = error + ROUNDING * np.exp(found.barrier)
    if np.max(error[:-1]) > rtol:
        raise NotConverged(
            f"the wells exchange too rarely for rtol = {rtol:g}: the ridge between them "
            f"is e^{found.barrier:.1f} times rarer than the lower one, which leaves an error "
            f"of {float(np.max(error[:-1])):.1e}"
        )
    return stationary(model, found, box.rates, error, {"mesh_points": points**2})
