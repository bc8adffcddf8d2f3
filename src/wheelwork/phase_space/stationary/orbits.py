"""Coordinates in which every undamped orbit is a circle.

In X = x/x0, P = p/p0 the undamped oscillator conserves H = P² + U(X), where
U(X) = X² − (2/ω0) ∫ f dX. If U has one well, ρ(X) = ±√(U − U_min), with the sign of X − X_rest,
is a smooth coordinate, H = ρ² + P² is the squared radius R², and the motion is a rotation at the
local rate ω0 / X′(ρ), without a force. Derived in docs/developers/phase-space.md.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.optimize import brentq

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import NoSteadyState, NotConverged
from wheelwork.phase_space.chebyshev import ChebyshevTable, tabulate
from wheelwork.phase_space.domain import LARGEST_REACH, find_domain
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel, tabulated_rates

FALL = 39.0  # the domain ends where W has fallen by e^-39 = 1e-17, below rounding
BOUND_RADII = 160  # over which a bound is integrated to two digits
# Twelve nodes integrate U″ over a length on which the table of the force is a short polynomial.
GAUSS_NODES, GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(12)


class SeveralWells(Exception):
    """The potential has more than one minimum: orbits are no single family of circles."""


class Potential:
    """Potential on the range of the table `rates` (of `PhaseSpaceModel.scaled`); rest: its minimum.

    force: table of f alone.
    """

    def __init__(
        self, frequency: float, rates: ChebyshevTable, force: ChebyshevTable, rest: float
    ) -> None:
        self.frequency, self.rates, self.force, self.rest = frequency, rates, force, rest
        self._force_slope, self._work = force.derivative(), force.antiderivative()
        self._work_to_rest = float(self._work(np.array([rest]))[0, 0])

    def energy(self, X: FloatArray) -> FloatArray:
        """Return U(X) − U(rest)."""
        X = np.asarray(X, dtype=float)
        work = self._work(X)[0] - self._work_to_rest
        energy = X**2 - self.rest**2 - 2.0 / self.frequency * work
        return self._near_rest(X, energy, lambda step, t, second: step**2 * (second @ (1.0 - t)))

    def slope(self, X: FloatArray) -> FloatArray:
        """Return U′(X)."""
        X = np.asarray(X, dtype=float)
        slope = 2.0 * X - 2.0 / self.frequency * self.force(X)[0]
        return self._near_rest(X, slope, lambda step, t, second: step * second.sum(axis=-1))

    def _near_rest(
        self,
        X: FloatArray,
        values: FloatArray,
        taylor: Callable[[FloatArray, FloatArray, FloatArray], FloatArray],
    ) -> FloatArray:
        """Near rest, where `values` is a difference of large terms, integrate U″ instead."""
        step = X - self.rest
        near = np.abs(step) < min(0.5, 4.0 * self.rates.finest)
        if np.any(near):
            t, weight = 0.5 * (GAUSS_NODES + 1.0), 0.5 * GAUSS_WEIGHTS
            points = self.rest + step[near][:, None] * t
            second = 2.0 - 2.0 / self.frequency * self._force_slope(points)[0]
            values[near] = taylor(step[near], t, second * weight)
        return values


@dataclass(frozen=True, repr=False)
class Orbits(Computed):
    """The circle coordinates of one model, and its orbit-averaged density.

    geometry: table over ρ of (X, X′γ, X′d); stretch: table over ρ of X′.
    slope: table over R of s = d ln w/dE; log_density: table over R of ln w(R²). radius: the largest
    R considered, which the tables hold.
    """

    model: PhaseSpaceModel
    potential: Potential
    geometry: ChebyshevTable
    stretch: ChebyshevTable
    slope: ChebyshevTable
    log_density: ChebyshevTable
    radius: float

    @cached_property
    def slope_derivative(self) -> ChebyshevTable:
        """Table over R of ds/dR."""
        return self.slope.derivative()

    def rho(self, X: FloatArray) -> FloatArray:
        """Return ρ(X); beyond the table of the force as if it ended there."""
        rates = self.potential.rates
        inside = np.clip(X, rates.low, rates.high)
        energy = np.maximum(self.potential.energy(inside), 0.0) + (X - inside) ** 2
        return np.asarray(np.copysign(np.sqrt(energy), X - self.potential.rest))


def find_orbits(model: PhaseSpaceModel, rtol: float) -> Orbits:
    """Orbits over the range that holds the steady state.

    Raises as `find_domain`, and SeveralWells.
    """
    reach, rates = find_domain(model).reach, None
    while True:
        rates = tabulated_rates(model, reach, rtol, rates)
        potential = _potential(model, rates)
        orbits = _orbits(model, potential, rtol)
        # How far ln w has fallen from its maximum to the edge; it may still rise there.
        log_density = orbits.log_density(np.linspace(0.0, orbits.radius, 400))[0]
        slope = float(orbits.slope(np.array([orbits.radius]))[0, 0])
        fall = float(np.max(log_density) - log_density[-1]) if slope < 0.0 else 0.0
        if fall >= FALL:
            return _shortened(orbits)
        reach = _next_reach(orbits, reach, fall, slope)


def _potential(model: PhaseSpaceModel, rates: ChebyshevTable) -> Potential:
    """Find the rest position; refuse several wells."""
    fractions = np.linspace(0.0, 1.0, 65)[:-1]
    inner = rates.breaks[:-1, None] + np.diff(rates.breaks)[:, None] * fractions
    probe = np.unique(np.concatenate([inner.ravel(), [rates.high], np.linspace(-1.0, 1.0, 9)]))
    probe = probe[(probe >= rates.low) & (probe <= rates.high)]
    force = rates.component(0)
    slope = 2.0 * probe - 2.0 / model.frequency * force(probe)[0]
    crossings = np.flatnonzero((slope[:-1] < 0.0) & (slope[1:] >= 0.0))
    if crossings.size == 0:
        raise NoSteadyState(
            "the potential has no minimum within "
            f"|x| < {rates.high * model.length:g}: the force pulls the oscillator away"
        )
    if crossings.size > 1:
        raise SeveralWells
    low, high = probe[crossings[0]], probe[crossings[0] + 1]

    def net(X: float) -> float:
        return float(2.0 * X - 2.0 / model.frequency * force(np.array([X]))[0, 0])

    rest = high if net(high) == 0.0 else brentq(net, low, high, xtol=1e-14, rtol=1e-14)
    return Potential(model.frequency, rates, force, float(rest))


def _orbits(model: PhaseSpaceModel, potential: Potential, rtol: float) -> Orbits:
    ends = np.array([potential.rates.low, potential.rates.high])
    energy = float(np.min(potential.energy(ends)))
    if energy <= 0.0:  # deeper than its only minimum in between: there is another one beyond
        raise SeveralWells
    radius = math.sqrt(energy)  # of the largest orbit between them

    def geometry(rho: FloatArray) -> FloatArray:
        X = _position(potential, rho)
        friction, diffusion = potential.rates(X)[1:3]
        stretch = _stretch(potential, rho, X)
        return np.stack([X, stretch * friction, stretch * diffusion])

    # A table must be looser than those it is made of: their pieces join to their own error only.
    table, rtol = tabulate(geometry, -radius, radius, 10.0 * rtol, pieces=2), 30.0 * rtol

    def average_slope(R: FloatArray) -> FloatArray:
        """w′/w = −∮γP²/(2∮dP²)."""
        friction, diffusion = orbit_averages(table, R, rtol)
        return np.atleast_2d(-0.5 * friction / diffusion)

    slope = tabulate(average_slope, 0.0, radius, rtol, floor=1.0 / radius**2)
    log_density = slope.times_argument(2.0).antiderivative()
    return Orbits(model, potential, table, table.derivative(), slope, log_density, radius)


def orbit_averages(geometry: ChebyshevTable, R: FloatArray, rtol: float) -> FloatArray:
    """Averages of (X′γ, X′d) over the circles R with weight 2 sin²φ: shape (2, *R.shape)."""
    points = 32
    previous = None
    scale = geometry.magnitude[1:, None]
    while points <= 32768:
        phi = np.pi * np.arange(1, points) / points
        weights = 2.0 * np.sin(phi) ** 2 / points
        values = geometry(R[..., None] * np.cos(phi))[1:] @ weights
        if previous is not None and np.all(np.abs(values - previous) <= rtol * scale):
            return values
        previous = values
        points *= 2
    raise NotConverged("averages over an orbit did not converge with 32768 points")


def _position(potential: Potential, rho: FloatArray) -> FloatArray:
    """Invert ρ(X) by safeguarded Newton steps."""
    rho = np.asarray(rho, dtype=float)
    low = np.full(rho.shape, potential.rates.low)
    high = np.full(rho.shape, potential.rates.high)
    X = np.clip(potential.rest + rho, low, high)
    for _ in range(60):
        energy = np.maximum(potential.energy(X), 0.0)
        value = np.copysign(np.sqrt(energy), X - potential.rest)
        low, high = np.where(value < rho, X, low), np.where(value > rho, X, high)
        step = (value - rho) * _stretch(potential, value, X)
        moved = X - step
        moved = np.where((moved < low) | (moved > high), 0.5 * (low + high), moved)
        if np.all(np.abs(moved - X) <= 4e-16 * np.maximum(1.0, np.abs(X))):
            return np.asarray(moved)
        X = moved
    return np.asarray(X)


def _stretch(potential: Potential, rho: FloatArray, X: FloatArray) -> FloatArray:
    """X′(ρ) = 2ρ/U′, which is √(2/U″) at rest."""
    step = np.where(np.abs(X - potential.rest) < 1e-12, 1e-12, 0.0)
    X = X + step
    rho = np.where(step > 0.0, np.sqrt(potential.energy(X)), rho)
    return np.asarray(2.0 * rho / potential.slope(X))


def _next_reach(orbits: Orbits, reach: float, fall: float, slope: float) -> float:
    """Extrapolate the range needed from the slope at the edge, by a factor of two at most."""
    larger = 2.0 * reach
    if slope < 0.0:
        needed = np.sqrt(orbits.radius**2 + (FALL - fall) / -slope)
        larger = reach * min(2.0, 1.05 * needed / orbits.radius)
    if larger > 2.0 * LARGEST_REACH:
        raise NotConverged(
            f"the steady state reaches beyond |x| = {orbits.model.length * reach:.4g}, "
            "the largest domain supported"
        )
    return float(larger)


def _shortened(orbits: Orbits) -> Orbits:
    """Cut the radius to where W has fallen far enough, so that no node is spent beyond."""
    R = np.linspace(0.0, orbits.radius, 2000)
    log_density = orbits.log_density(R)[0]
    enough = log_density - np.max(log_density) <= -FALL
    last = int(np.argmin(enough[::-1]))
    return replace(orbits, radius=float(R[min(R.size - 1, R.size - last)]))


def table_error(orbits: Orbits) -> float:
    """Bound on the relative effect on W of the errors of the tables.

    The change of ln w = ∫ s dE, from those of s = −γ̄/2d̄ and of the potential.
    """
    R = np.linspace(0.0, orbits.radius, BOUND_RADII)
    log_density = orbits.log_density(R)[0]
    alive = R[log_density > np.max(log_density) - 25.0]
    phi = np.pi * (np.arange(48) + 0.5) / 48
    rho = alive[:, None] * np.cos(phi)
    weight = 2.0 * np.sin(phi) ** 2 / phi.size
    values = orbits.geometry(rho)
    rates = orbits.potential.rates.bound(values[0])[:3]
    geometry = orbits.geometry.bound(rho)[1:3]
    friction, diffusion = (geometry + rates[1:3] * orbits.stretch(rho)[0]) @ weight
    slope = np.abs(orbits.slope(alive)[0])
    change = (0.5 * friction + slope * diffusion) / (values[2] @ weight)
    change += orbits.slope.bound(alive)[0]
    potential = 4.0 / orbits.model.frequency * np.max(rates[0], axis=1) * alive
    shape = np.trapezoid(2.0 * alive * change, alive) + np.max(slope * potential)
    return float(shape + np.max(orbits.log_density.bound(alive)))
