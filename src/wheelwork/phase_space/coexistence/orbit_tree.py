"""Averages over the undamped orbits of any potential, as a tree of families of orbits.

In X = x/x0, P = p/p0 the undamped oscillator conserves H = P² + U(X). Each minimum of U starts a
family of closed orbits; at a maximum of U two families end, and one begins that encloses both.
Averaged over orbits, W is a function w of E on this tree, with the flux (towards larger E)

−4 K ∂w/∂E − 2 G w,  K = ∫ d P dX,  G = ∫ γ P dX  over X where P = √(E − U) is real;

dE on a family holds the area A′ dE, A′ = ∫ dX/P. Hence ∂ ln w/∂E = −G/2K in the steady state.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from wheelwork._checks import FloatArray
from wheelwork.errors import NoSteadyState, NotConverged
from wheelwork.numerics.work import require_budget, tick
from wheelwork.phase_space.chebyshev import ChebyshevTable, tabulate

PROBES = 64  # of the slope of U on each piece of the table of the force
MOST_MINIMA = 64  # of the potential; the tree is walked by recursion
FEWEST_ANGLES, MOST_ANGLES = 64, 2048  # of an average over an orbit
MOST_ORBITS = 6000  # of a family: some seconds where each takes all angles
MODULATION_ANGLES = 512  # of an estimate of errors
BISECTIONS = 60  # of turning points: down to rounding
# Of the range of U: below it E − U is rounding, and averages are continued from there.
LOWEST = 1e-9
AVERAGES_SHARE = 0.1  # of rtol, for averages over orbits
ROWS = SLOPE, AREA, NOISE, POSITION, SQUARE = range(5)  # of the tables of a family


class Landscape:
    """U and the rates (f, γ, d) over X, from a table of `PhaseSpaceModel.scaled`."""

    def __init__(self, frequency: float, rates: ChebyshevTable) -> None:
        self.frequency, self.rates = frequency, rates
        self._force = rates.component(0)
        self._work = self._force.antiderivative()
        self.low, self.high = rates.low, rates.high

    def energy(self, X: FloatArray) -> FloatArray:
        """Return U(X), up to a constant."""
        return np.asarray(X**2 - 2.0 / self.frequency * self._work(X)[0])

    def slope(self, X: FloatArray) -> FloatArray:
        """Return U′(X)."""
        return np.asarray(2.0 * X - 2.0 / self.frequency * self._force(X)[0])

    def extrema(self) -> tuple[FloatArray, FloatArray]:
        """Minima of U, and the maxima between them, ascending.

        Raises NoSteadyState without a minimum.
        """
        parts = np.linspace(0.0, 1.0, PROBES, endpoint=False)
        breaks = self.rates.breaks
        probe = (breaks[:-1, None] + np.diff(breaks)[:, None] * parts).ravel()
        probe = np.unique(np.concatenate([probe, [self.high]]))
        rising = self.slope(probe) >= 0.0
        turns = np.flatnonzero(rising[1:] != rising[:-1])
        X = np.array([self._zero(probe[i], probe[i + 1]) for i in turns])
        lowest = rising[turns + 1]
        if not np.any(lowest):
            raise NoSteadyState("the potential has no minimum: the force pulls the oscillator away")
        first, last = np.flatnonzero(lowest)[[0, -1]]
        return X[lowest], X[first : last + 1][~lowest[first : last + 1]]

    def _zero(self, low: float, high: float) -> float:
        def slope(X: float) -> float:
            return float(self.slope(np.array([X]))[0])

        if slope(low) == 0.0 or slope(high) == 0.0:
            return low if slope(low) == 0.0 else high
        return float(brentq(slope, low, high, xtol=1e-15 * (self.high - self.low), rtol=1e-15))


@dataclass(frozen=True, repr=False)
class Family:
    """Orbits that change continuously with their energy from `low` to `high`.

    outer, inner: X between which the turning points lie, (2,) each, left and right.
    children: the families that end where this one begins: two, or none at a minimum of U.
    is_open: whether `high` is the edge of the landscape and not a maximum of U.
    bottom: lowest U inside. table: over t from 0 to 1 of the `ROWS`: d ln w/dt, A′ dE/dt,
    K/(E − bottom), and the means of X and X² + P² over the orbit.
    log_density: table over t of ln w, zero at t = 0.
    """

    low: float
    high: float
    outer: tuple[float, float]
    inner: tuple[float, float]
    children: tuple[int, ...]
    is_open: bool
    bottom: float
    table: ChebyshevTable
    log_density: ChebyshevTable

    def energy(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """E and dE/dt: √E is smooth at a minimum, E ln E the singularity at a maximum of U."""
        above, step = _above(t, self.high - self.low, bool(self.children), self.is_open)
        return self.low + above, step

    def noise(self, t: FloatArray, scaled: FloatArray) -> FloatArray:
        """K from the row of the table at t."""
        above = _above(t, self.high - self.low, bool(self.children), self.is_open)[0]
        return scaled * (self.low - self.bottom + above)


def _above(
    t: FloatArray, height: float, joins: bool, is_open: bool
) -> tuple[FloatArray, FloatArray]:
    """E above its lowest value in a family of this height, and its slope."""
    if joins and is_open:
        share, slope = t**4, 4.0 * t**3
    elif joins:
        share = t**4 * (35.0 - 84.0 * t + 70.0 * t**2 - 20.0 * t**3)
        slope = 140.0 * (t * (1.0 - t)) ** 3
    elif is_open:
        share, slope = t**2, 2.0 * t
    else:
        root = 1.0 - (1.0 - t) ** 4
        share, slope = root**2, 8.0 * root * (1.0 - t) ** 3
    return height * share, height * slope


def orbit_families(landscape: Landscape, rtol: float) -> list[Family]:
    """Return all families, children before the families that they join; the last encloses all.

    Raises NoSteadyState without a minimum of U, NotConverged for too many of them, and where a
    family needs averages over more than 6000 orbits.
    """
    minima, maxima = landscape.extrema()
    require_budget(
        "the tree of orbits", minima.size, MOST_MINIMA, "minima of the potential",
        "the force varies too fast with x for an average over orbits",
    )  # fmt: skip
    families: list[Family] = []
    tops = landscape.energy(maxima)
    ends = landscape.low, landscape.high
    edge = float(np.min(landscape.energy(np.array(ends))))

    def add(first: int, last: int, outer: tuple[float, float], high: float, is_open: bool) -> int:
        """Add the orbits around the minima first..last up to the energy `high`."""
        children: tuple[int, ...] = ()
        low = float(landscape.energy(minima[first : first + 1])[0])
        if first < last:
            split = first + int(np.argmax(tops[first:last]))
            low, X = float(tops[split]), float(maxima[split])
            children = (
                add(first, split, (outer[0], X), low, False),
                add(split + 1, last, (X, outer[1]), low, False),
            )
        inner = float(minima[first]), float(minima[last])
        families.append(_family(landscape, low, high, outer, inner, children, is_open, rtol))
        return len(families) - 1

    add(0, minima.size - 1, ends, edge, True)
    return families


def _family(
    landscape: Landscape,
    low: float,
    high: float,
    outer: tuple[float, float],
    inner: tuple[float, float],
    children: tuple[int, ...],
    is_open: bool,
    rtol: float,
) -> Family:
    if not high > low:
        raise NotConverged("two extrema of the potential are too close to tell their orbits apart")
    bottom = float(np.min(landscape.energy(np.array(inner))))
    floor = LOWEST * (float(np.max(landscape.energy(np.array(outer)))) - low) + LOWEST * abs(low)

    orbits = 0

    def rows(t: FloatArray) -> FloatArray:
        nonlocal orbits
        tick("averages over orbits")
        orbits += t.size
        require_budget(
            "a table of averages over orbits", orbits, MOST_ORBITS, "orbits",
            "friction or force vary too fast with x",
        )  # fmt: skip
        above, step = _above(t, high - low, bool(children), is_open)
        safe = np.maximum(low + above, low + floor)
        values = averages(landscape, safe, outer, inner, AVERAGES_SHARE * rtol)
        area, friction, noise, position, square = values
        slope, noise = -0.5 * friction / noise, noise / (safe - bottom)
        return np.stack([slope * step, area * step, noise, position / area, square / area])

    table = tabulate(rows, 0.0, 1.0, rtol, floor=np.array([1.0, *[0.0] * 4]), checked=2)
    log_density = table.component(SLOPE).antiderivative()
    return Family(low, high, outer, inner, children, is_open, bottom, table, log_density)


def turning_points(
    landscape: Landscape, E: FloatArray, outer: tuple[float, float], inner: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """Return the left and right ends of the orbits of energies E, between `outer` and `inner`."""
    ends = []
    for out, within in zip(outer, inner, strict=True):
        low, high = np.full(E.shape, within), np.full(E.shape, out)
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            inside = landscape.energy(middle) < E
            low, high = np.where(inside, middle, low), np.where(inside, high, middle)
        ends.append(0.5 * (low + high))
    return ends[0], ends[1]


def averages(
    landscape: Landscape,
    E: FloatArray,
    outer: tuple[float, float],
    inner: tuple[float, float],
    rtol: float,
) -> FloatArray:
    """Return A′, G, K and the integrals of X and X² + P² over A′ at energies E (n,): (5, n)."""
    left, right = turning_points(landscape, E, outer, inner)
    centre, half = 0.5 * (left + right)[:, None], 0.5 * (right - left)[:, None]
    angles, done = FEWEST_ANGLES, np.zeros(E.size, dtype=bool)
    values = np.zeros((5, E.size))
    while True:
        rest = np.flatnonzero(~done)
        theta = np.pi * (np.arange(angles) + 0.5) / angles
        X = centre[rest] - half[rest] * np.cos(theta)
        width = half[rest] * np.sin(theta) * (np.pi / angles)
        P = np.sqrt(np.maximum(E[rest, None] - landscape.energy(X), 1e-300))
        friction, diffusion = landscape.rates(X)[1:3]
        time, work = width / P, width * P
        parts = (time, work * friction, work * diffusion, time * X, time * (X**2 + P**2))
        new = np.stack([np.sum(part, axis=1) for part in parts])
        size = np.stack([new[0], np.sum(work * np.abs(friction), axis=1), np.abs(new[2])])
        close = np.all(np.abs(new[:3] - values[:3, rest]) <= rtol * size, axis=0)
        values[:, rest] = new
        done[rest[close]] = True
        if np.all(done) or angles >= MOST_ANGLES:
            return values
        angles *= 2


def modulation(landscape: Landscape, family: Family, t: FloatArray) -> FloatArray:
    """Return the largest deviation of W from its average along the orbits t (n,), of first order.

    W = w(E)(1 + u) with ω0 (P ∂_X − ½U′ ∂_P) u = (γ + 2 s d)(1 + 2 P² s) + 4 P² d ∂s/∂E, where
    s = ∂ ln w/∂E. u is odd in P, so that averages change by terms of second order: u².
    """
    E, step = family.energy(t)
    slope = family.table(t)[SLOPE] / step
    with np.errstate(divide="ignore", invalid="ignore"):  # energies that rounding makes equal
        s, bend = slope[:, None], np.gradient(slope, E)[:, None]
    left, right = turning_points(landscape, E, family.outer, family.inner)
    half = 0.5 * (right - left)[:, None]
    theta = np.pi * (np.arange(MODULATION_ANGLES) + 0.5) / MODULATION_ANGLES
    X = 0.5 * (left + right)[:, None] - half * np.cos(theta)
    square = np.maximum(E[:, None] - landscape.energy(X), 1e-300)
    friction, d = landscape.rates(X)[1:3]
    driven = (friction + 2.0 * s * d) * (1.0 + 2.0 * square * s) + 4.0 * square * d * bend
    time = half * np.sin(theta) / np.sqrt(square) * (np.pi / MODULATION_ANGLES)
    u = np.cumsum(driven * time, axis=1) / landscape.frequency
    unknown = ~np.all(np.isfinite(u), axis=1)
    return np.where(unknown, np.inf, 0.5 * np.ptp(np.where(np.isfinite(u), u, 0.0), axis=1))


def loss_per_round(landscape: Landscape, family: Family, t: float) -> float:
    """Return the change of E in one round along an orbit over 1/|s|: small for weak friction."""
    at = np.array([t])
    rows, step = family.table(at), family.energy(at)[1]
    noise, s = family.noise(at, rows[NOISE]), rows[SLOPE] / step
    return float(8.0 * noise[0] * s[0] ** 2 / landscape.frequency)
