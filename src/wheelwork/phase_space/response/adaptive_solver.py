"""The relaxation to a tolerance: on circles or on the plane, in larger and larger spaces."""

from collections.abc import Mapping

from wheelwork.errors import NotConverged
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel, table_tolerance
from wheelwork.phase_space.response import on_circles, on_plane
from wheelwork.phase_space.response.relaxation import Relaxation, differences
from wheelwork.phase_space.stationary import plane
from wheelwork.phase_space.stationary.adaptive_solver import plane_instead
from wheelwork.phase_space.stationary.orbits import Orbits, SeveralWells, find_orbits, table_error

# Radial functions of each harmonic, and harmonics. The harmonics rise by two at least: in a device
# that is even in x a single one would change nothing.
LEVELS = ((8, 4), (12, 6), (17, 8), (24, 10), (32, 12), (42, 16), (54, 22))
PLANE_LEVELS = (72, 108, 160)  # points per axis; a complex LU on the last takes seconds
BEST_GAIN = 30.0  # of the last level over the one before; with a larger excess it is not tried
STRONG = 0.2  # friction over the frequency, from which on the plane is tried where orbits fail
LARGEST_DENSE = 450  # unknowns, up to which all modes are computed at once
KRYLOV_SHARE = 0.1  # of rtol, for the error of the Krylov space
COARSEST_TABLES = 1e-2  # rtol of tables; the estimated error of coarser ones is too small

# Relaxation, estimated relative errors of `relaxation.differences`, and sizes of basis or mesh.
RelaxationWithErrors = tuple[Relaxation, Mapping[str, float], Mapping[str, float]]


def solve_relaxation(model: PhaseSpaceModel, rtol: float) -> RelaxationWithErrors:
    """Return the relaxation of `model` with errors below `rtol`; see `response`."""
    try:
        orbits = find_orbits(model, table_tolerance(min(rtol, COARSEST_TABLES)))
    except SeveralWells:
        return _on_plane(model, rtol)
    try:
        return _on_circles(orbits, rtol)
    except NotConverged as reason:
        if orbits.potential.rates.magnitude[1] < STRONG * model.frequency:
            raise
        return plane_instead(_on_plane, model, rtol, reason)


def _on_circles(orbits: Orbits, rtol: float) -> RelaxationWithErrors:
    tables = table_error(orbits)
    coarse = on_circles.relaxation(orbits, *LEVELS[0])
    for i, level in enumerate(LEVELS[1:], start=2):
        fine = on_circles.relaxation(orbits, *level)
        left: Mapping[str, float] = {}
        if len(fine.generator) > LARGEST_DENSE:
            fine, left = on_circles.compressed(fine, coarse.turning_rate, KRYLOV_SHARE * rtol)
        # Radial and angular errors fall at different speeds: no extrapolation is safe.
        changes = differences(coarse, fine)
        errors = {name: change + left.get(name, 0.0) + tables for name, change in changes.items()}
        worst = max(errors.values())
        if worst <= rtol:
            return fine, errors, {"radial_functions": level[0], "harmonics": level[1]}
        if i == len(LEVELS) - 1 and worst > rtol * BEST_GAIN:
            break
        coarse = fine
    raise NotConverged(
        f"correlations did not reach rtol = {rtol:g} with up to {level[0]} radial functions and "
        f"{level[1]} harmonics; the estimated error is {worst:.1e}, of which {tables:.1e} come "
        "from the tables of the coefficients"
    )


def _on_plane(model: PhaseSpaceModel, rtol: float) -> RelaxationWithErrors:
    box = plane.find_box(model, table_tolerance(min(rtol, COARSEST_TABLES)))
    share = KRYLOV_SHARE * rtol
    coarse, _ = on_plane.MeshProblem(box, PLANE_LEVELS[0]).compressed(share)
    for points in PLANE_LEVELS[1:]:
        fine, left = on_plane.MeshProblem(box, points).compressed(share)
        changes = differences(coarse, fine)
        errors = {name: change + left[name] + box.table_error for name, change in changes.items()}
        worst = max(errors.values())
        if worst <= rtol:
            details = {"mesh_points": points**2, "krylov_dimension": len(fine.generator)}
            return fine, errors, details
        coarse = fine
    raise NotConverged(
        f"correlations did not reach rtol = {rtol:g} on meshes of the plane up to {points} x "
        f"{points} with {len(fine.generator)} Krylov vectors; the estimated error is {worst:.1e}, "
        f"of {max(errors, key=errors.__getitem__)}"
    )
