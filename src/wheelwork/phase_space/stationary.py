"""Methods for the stationary state of a `PhaseSpaceModel`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import NoSteadyState, NotConverged
from wheelwork.phase_space import modulation, plane
from wheelwork.phase_space.circles import circles
from wheelwork.phase_space.distribution import Distribution, OrbitDistribution, moments
from wheelwork.phase_space.domain import FALL
from wheelwork.phase_space.model import PhaseSpaceModel
from wheelwork.phase_space.orbits import Orbits, SeveralWells, find_orbits
from wheelwork.phase_space.tables import Table

MEASURED = ("phonon_number", "g2", "purity")
# Radii and harmonics, and points per axis of the plane, each about half as many again.
LEVELS = ((24, 4), (36, 6), (54, 8), (80, 12), (120, 16), (180, 24), (260, 36))
PLANE_LEVELS = (72, 108, 160, 240, 340)
PLANE_RTOL = 1e-8  # no mesh of the plane that fits gets further
SAFETY = 10.0
ROUNDING = 1e-13
LARGEST_CORRECTION = 0.05  # of moments, up to which an orbit average is one
BEST_GAIN = 1000.0  # of one level over the one before; a larger error is not worth pursuing
TABLE_SHARE = 1e-5  # of rtol, left to the tables of the coefficients


Level = TypeVar("Level")
AnyDistribution = TypeVar("AnyDistribution", OrbitDistribution, plane.PlaneDistribution)


@dataclass(frozen=True)
class Stationary:
    """A stationary distribution with its warrant.

    rates: table over X of (f, γ, d, companions), see `PhaseSpaceModel.scaled`.
    moments: see `phase_space.moments`. errors: their estimated absolute errors.
    relative_error: the largest estimated relative error among those held against `rtol`.
    distance: estimated ∫|δW| (1 + H/⟨H⟩) dX dP with H = X² + P², the part of δW odd in P squared,
    as it enters entropy and ergotropy. wigner_error: the same with all of δW linear.
    details: numbers on how the solution was found.
    """

    model: PhaseSpaceModel
    distribution: Distribution
    rates: Table
    moments: Mapping[str, float]
    errors: Mapping[str, float]
    relative_error: float
    distance: float
    wigner_error: float
    details: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def _rates_at_nodes(self) -> FloatArray:
        return self.rates(self.distribution.nodes.X)

    @property
    def balance(self) -> float:
        """|⟨mγ p²/m²⟩ − ⟨D⟩/2m| against ⟨D⟩/2m: what friction takes is what noise gives."""
        nodes = self.distribution.nodes
        lost = np.sum(nodes.weight * self._rates_at_nodes[1] * nodes.P**2)
        gained = np.sum(nodes.weight * self._rates_at_nodes[2])
        return float(abs(lost / gained - 1.0))

    @cached_property
    def local_means(self) -> Mapping[str, float]:
        """Means of the model's companions."""
        weight = self.distribution.nodes.weight
        values = np.sum(weight * self._rates_at_nodes[3:], axis=(1, 2))
        return dict(zip(self.model.companions, map(float, values), strict=True))

    @cached_property
    def local_errors(self) -> Mapping[str, float]:
        """Bounds on the absolute errors of `local_means`."""
        size = np.max(np.abs(self._rates_at_nodes[3:]), axis=(1, 2))
        bounds = size * (self.distance + self.rates.error[3:])
        return dict(zip(self.model.companions, map(float, bounds), strict=True))


@dataclass(frozen=True)
class FokkerPlanck:
    """The stationary Fokker–Planck equation (Culhane et al., Eq. (A24)), solved to `rtol`.

    rtol: bound on the estimated relative error of phonon number, g2 and purity, and on the
    distance of W; between 1e-12 and 0.1. Domain, mesh and tables are chosen and refined
    automatically. One-well potentials are solved on their own orbits (in tens of
    milliseconds); others on a mesh of the (x, p) plane.

    Raises NotConverged when the finest mesh does not reach `rtol`, NoSteadyState when the
    friction does not confine the state. Exact for the equation; the equation itself holds for
    slow oscillators only (ω0, λ ≪ T, Γ).
    """

    rtol: float = 1e-6

    def __post_init__(self) -> None:
        object.__setattr__(self, "rtol", _checks.tolerance("rtol", self.rtol))

    def solve(self, model: PhaseSpaceModel) -> Stationary:
        """Return the stationary state of `model`."""
        try:
            orbits = find_orbits(model, table_tolerance(self.rtol))
        except SeveralWells:
            return self._on_plane(model)
        tables = table_error(orbits)
        if tables > self.rtol:
            raise NotConverged(
                f"rtol = {self.rtol:g} is out of reach: the tables of the coefficients leave an "
                f"error of {tables:.1e}"
            )
        try:
            return self._on_orbits(orbits, tables)
        except NotConverged as reason:
            if self.rtol < PLANE_RTOL:
                raise
            return self._on_plane_after(reason, model)

    def _on_plane_after(self, reason: NotConverged, model: PhaseSpaceModel) -> Stationary:
        """Strong friction deforms W on its orbits; the plane may still resolve it."""
        try:
            return self._on_plane(model)
        except (NotConverged, NoSteadyState):
            raise reason from None

    def _on_orbits(self, orbits: Orbits, tables: float) -> Stationary:
        start = OrbitDistribution(orbits, circles(orbits), modulation.flat(orbits))

        def at(level: tuple[int, int]) -> OrbitDistribution:
            return start.with_modulation(modulation.solve(orbits, *level))

        found, error, level = _refined(at, LEVELS, self.rtol, tables)
        details = {"mesh_radii": level[0], "harmonics": level[1]}
        rates = orbits.potential.rates
        return _stationary(orbits.model, found, rates, error, details)

    def _on_plane(self, model: PhaseSpaceModel) -> Stationary:
        box = plane.find_box(model, table_tolerance(self.rtol))

        def at(points: int) -> plane.PlaneDistribution:
            return plane.solve(box, points)

        # Weights of wells go with e^(U/T): errors of U are magnified by the fall of W.
        tables = FALL * float(np.max(box.rates.error[:3]))
        found, error, points = _refined(at, PLANE_LEVELS, self.rtol, tables, extrapolate=False)
        # Rare switching magnifies rounding by the time between switches.
        error = error + ROUNDING * np.exp(found.barrier)
        if np.max(error[:-1]) > self.rtol:
            raise NotConverged(
                f"the wells exchange too rarely for rtol = {self.rtol:g}: the ridge between them "
                f"is e^{found.barrier:.1f} times rarer than the lower one, which leaves an error "
                f"of {float(np.max(error[:-1])):.1e}"
            )
        return _stationary(model, found, box.rates, error, {"mesh_points": points**2})


@dataclass(frozen=True)
class EnergyDiffusion:
    """The orbit-averaged solution W(E): fast, and the cross-check of `FokkerPlanck`.

    W′/W = −2⟨mγ p²⟩/⟨D p²⟩, averaged over orbits of the effective potential. Errors are of first
    order in γ/ω0 for W and of second order for its moments in x² and p²; they are estimated
    from the size of the first correction. `rtol` governs the tables only.

    Raises NotConverged for a potential with several wells, NoSteadyState as `FokkerPlanck`.
    """

    rtol: float = 1e-6

    def __post_init__(self) -> None:
        object.__setattr__(self, "rtol", _checks.tolerance("rtol", self.rtol))

    def solve(self, model: PhaseSpaceModel) -> Stationary:
        """Return the orbit-averaged state of `model`."""
        try:
            orbits = find_orbits(model, table_tolerance(self.rtol))
        except SeveralWells:
            raise NotConverged(
                "the potential has several wells, which EnergyDiffusion does not treat; "
                "use FokkerPlanck"
            ) from None
        first = OrbitDistribution(orbits, circles(orbits), modulation.flat(orbits))
        level = next((level for level in LEVELS[1:] if level[0] > 2.0 * orbits.radius), LEVELS[-1])
        better = first.with_modulation(modulation.solve(orbits, *level))
        correction = _change(better, first)
        size = float(np.max(correction[:-1]))
        if size > LARGEST_CORRECTION:
            raise NotConverged(
                f"the orbit average is no approximation here: its first correction is {size:.1g}; "
                "use FokkerPlanck"
            )
        error = correction / (1.0 - 2.0 * size) + table_error(orbits)
        rates = orbits.potential.rates
        return _stationary(orbits.model, first, rates, error, {})


def table_tolerance(rtol: float) -> float:
    """Relative accuracy of coefficients and tables for a solution to `rtol`."""
    return max(TABLE_SHARE * rtol, 2e-13)


def table_error(orbits: Orbits) -> float:
    """Bound on the relative effect on W of the errors of the tables.

    The change of ln w = ∫ s dE, from those of s = −γ̄/2d̄ and of the potential.
    """
    R = np.linspace(0.0, orbits.radius, 500)
    log_density = orbits.log_density(R)[0]
    alive = R[log_density > np.max(log_density) - 25.0]
    phi = np.pi * (np.arange(48) + 0.5) / 48
    rho = alive[:, None] * np.cos(phi)
    weight = 2.0 * np.sin(phi) ** 2 / phi.size
    rates = orbits.potential.rates.bound(orbits.geometry(rho)[0])[:3]
    geometry = orbits.geometry.bound(rho)[1:3]
    friction, diffusion = (geometry + rates[1:3] * orbits.stretch(rho)[0]) @ weight
    slope = np.abs(orbits.slope(alive)[0])
    change = (0.5 * friction + slope * diffusion) / (orbits.geometry(rho)[2] @ weight)
    change += orbits.slope.bound(alive)[0]
    potential = 4.0 / orbits.model.frequency * np.max(rates[0], axis=1) * alive
    shape = np.trapezoid(2.0 * alive * change, alive) + np.max(slope * potential)
    return float(shape + np.max(orbits.log_density.bound(alive)))


def _refined(
    solve: Callable[[Level], AnyDistribution],
    levels: Sequence[Level],
    rtol: float,
    tables: float,
    *,
    extrapolate: bool = True,
) -> tuple[AnyDistribution, FloatArray, Level]:
    """Solve on finer and finer meshes until the estimated error is below `rtol`."""
    coarse = solve(levels[0])
    changes: list[FloatArray] = []
    error: FloatArray = np.array([np.inf, np.inf])
    for level in levels[1:]:
        fine = solve(level)
        changes.append(_change(coarse, fine))
        error = (_extrapolated(changes) if extrapolate else _kept(changes)) + tables
        if np.max(error[:-1]) <= rtol:
            return fine, error, level
        remaining = len(levels) - 1 - levels.index(level)
        if extrapolate and np.max(error[:-1]) > rtol * BEST_GAIN**remaining:
            break
        coarse = fine
    raise NotConverged(
        f"the Fokker–Planck solution did not reach rtol = {rtol:g} on meshes up to "
        f"{level}; the estimated error is {float(np.max(error[:-1])):.1e}, of which "
        f"{tables:.1e} come from the tables of the coefficients"
    )


def _change(coarse: AnyDistribution, fine: AnyDistribution) -> FloatArray:
    """Relative changes of the measured moments, and the distance of the two W."""
    a, b = moments(coarse), moments(fine)
    relative: list[float] = [abs(a[name] / b[name] - 1.0) for name in MEASURED]
    distances: tuple[float, float] = fine.distances(coarse)
    # One moment may stand still by chance: all share the largest change.
    return np.array([*[max(relative)] * len(MEASURED), *distances])


def _kept(changes: list[FloatArray]) -> FloatArray:
    """The last change, or what eighth order would make of the one before, if that is larger."""
    if len(changes) == 1:
        return changes[-1]
    return np.maximum(changes[-1], 0.04 * changes[-2])


def _extrapolated(changes: list[FloatArray]) -> FloatArray:
    """Error of the last level from the last change and how fast the changes fall."""
    last = changes[-1]
    if len(changes) == 1:
        return last
    rate = np.max(last[:-1]) / max(float(np.max(changes[-2][:-1])), 1e-300)
    return last * min(1.0, SAFETY * rate)


def _stationary(
    model: PhaseSpaceModel,
    distribution: Distribution,
    rates: Table,
    error: FloatArray,
    details: Mapping[str, float],
) -> Stationary:
    values = moments(distribution)
    distance = float(error[-2])
    spread = values["x_squared"] + values["p_squared"]
    errors = dict.fromkeys(values, distance * spread)
    errors |= {name: float(error[i]) * abs(values[name]) for i, name in enumerate(MEASURED)}
    errors["x"] = errors["p"] = distance * np.sqrt(spread)
    return Stationary(
        model=model,
        distribution=distribution,
        rates=rates,
        moments=values,
        errors=errors,
        relative_error=float(np.max(error[:-1])),
        wigner_error=float(error[-1]),
        distance=distance,
        details=details,
    )
