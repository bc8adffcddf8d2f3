"""Where a flywheel begins and ceases to oscillate, from the friction at rest and over orbits."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev
from scipy.optimize import brentq

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.machines.flywheel.model import phase_space_model, tunnelling_rate
from wheelwork.machines.flywheel.parameters import FlywheelParameters
from wheelwork.numerics.work import tick
from wheelwork.phase_space.coexistence.orbit_tree import Landscape, averages
from wheelwork.phase_space.domain import mean_friction
from wheelwork.phase_space.phase_space_model import tabulated_rates

SCAN_POINTS = 33  # of the bias; what happens between two neighbours and is undone there is missed
BIAS_REACH = 16.0  # times the widest energy of the junction: Culhane et al.'s device, up to 32
ROOT_RTOL = 1e-14  # of the larger end of the range
INTEGRALS, COARSEST = (1e-12, 1e-9), 1e-6  # relative errors of the friction at rest, in turn
MODEL_RTOL = 1e-9  # of the coefficients over orbits
NEGATIVE = 1e-4  # of the mean of |friction|: a mean friction below minus this drives a cycle
HALVINGS = 8  # of the interval of the scan, before the smallest mean friction is followed to zero
WINDOW = 1.4  # of the radius of an orbit on both sides, in which that is sought
ORBITS = 49  # nodes of a Chebyshev series over the window
REACH = 1.5  # of the table, over the largest radius: room for a potential that is softer
OFFSET_RTOL = 1e-10


class OscillationThresholds(NamedTuple):
    """Biases at which a flywheel begins and ceases to oscillate, without noise.

    onset: rest loses its stability on the way away from zero bias; infinite where it keeps it to
    the end of the range. offset: the oscillation ends on the way back. kind: "soft" where both are
    the same bias, and the amplitude grows from zero; "hard" where rest and an oscillation are both
    stable between them.
    """

    onset: float
    offset: float
    kind: str


def friction_at_rest(parameters: FlywheelParameters, bias: float) -> float:
    """Return m γ at x = 0 for another bias, as accurately as its integrals allow."""
    junction = parameters.replace(bias=bias).junction
    for rtol in INTEGRALS:
        with suppress(NotConverged):
            return float(junction.coefficients(0.0, rtol).friction)
    return float(junction.coefficients(0.0, COARSEST).friction)


def highest_bias(parameters: FlywheelParameters) -> float:
    """Return the end of the default range: 16 times the largest energy of the junction.

    Of temperatures, the distances of lines and band edges from the level with the widths of lines,
    the distance of the mean potential, and half the tunnelling rate.
    """
    level = parameters.level
    energies = [abs(parameters.mean_potential - level), 0.5 * tunnelling_rate(parameters)]
    for lead in parameters.leads:
        marks = lead.lineshape.landmarks
        energies += [lead.temperature, *(abs(edge - level) for edge in marks.edges)]
        energies += [abs(centre - level) + width for centre, width in marks.poles]
    return BIAS_REACH * float(max(energies))


def bias_range(
    parameters: FlywheelParameters, low: float, high: float | None
) -> tuple[float, float]:
    """Return the checked ends of a range of biases; `high` is `highest_bias` by default."""
    low = _checks.real("low", low)
    high = highest_bias(parameters) if high is None else _checks.real("high", high)
    if low >= high:
        raise InvalidArgument(f"`high` must be larger than `low` = {low:g}, but is {high:g}")
    return low, high


def threshold_bias(parameters: FlywheelParameters, low: float, high: float | None) -> float:
    """Return the smallest bias in [low, high] at which the friction at rest turns negative."""
    low, high = bias_range(parameters, low, high)
    friction = partial(friction_at_rest, parameters)
    scan = np.linspace(low, high, SCAN_POINTS)
    values = np.array([friction(bias) for bias in scan])
    falls = np.flatnonzero((values[:-1] > 0.0) & (values[1:] <= 0.0))
    if falls.size == 0:
        trend = "turns from negative to positive only"
        if np.all(values > 0.0) or np.all(values <= 0.0):
            trend = "stays positive" if values[0] > 0.0 else "is never positive"
        raise NotConverged(
            f"no threshold between the biases {low:g} and {high:g}: on {SCAN_POINTS} values "
            f"the friction at rest {trend}; `oscillation_thresholds()` tells whether there is an "
            "oscillation that rest does not start by itself"
        )
    return _root(friction, float(scan[falls[0]]), float(scan[falls[0] + 1]))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    return float(
        brentq(function, low, high, xtol=ROOT_RTOL * max(abs(low), abs(high)), rtol=ROOT_RTOL)
    )


def oscillation_thresholds(
    parameters: FlywheelParameters, low: float, high: float | None
) -> OscillationThresholds:
    """Return onset and offset in [low, high]; see `Flywheel.oscillation_thresholds`."""
    low, high = bias_range(parameters, low, high)
    if high > 0.0:
        return _Scan(parameters, low, high).thresholds()
    # Swapping the leads of a device with their potentials turns the sign of its bias.
    found = _Scan(parameters.replace(leads=parameters.leads[::-1]), -high, -low, -1).thresholds()
    return OscillationThresholds(-found.onset, -found.offset, found.kind)


@dataclass(frozen=True)
class _Scan:
    """Biases from `start` up to `end`; sign: −1 where those of the caller are their negatives."""

    parameters: FlywheelParameters
    start: float
    end: float
    sign: int = 1

    @property
    def text(self) -> str:
        low, high = sorted((self.sign * self.start, self.sign * self.end))
        return f"between the biases {low + 0.0:g} and {high + 0.0:g}"

    def _refusal(self, what: str) -> NotConverged:
        end = "`low`" if self.sign > 0 else "`high`"
        start = self.sign * self.start + 0.0
        return NotConverged(f"{what} at {end} = {start:g} already: begin closer to zero bias")

    def thresholds(self) -> OscillationThresholds:
        scan = np.linspace(self.start, self.end, SCAN_POINTS)
        friction = partial(friction_at_rest, self.parameters)
        unstable = np.array([friction(bias) for bias in scan]) <= 0.0
        if unstable[0]:
            raise self._refusal("rest is unstable")
        onset = np.inf
        if np.any(unstable):
            first = int(np.argmax(unstable))
            onset = _root(friction, float(scan[first - 1]), float(scan[first]))
            scan = np.append(scan[:first], onset)
        return self._hard(scan, onset) or self._soft(onset)

    def _hard(self, scan: FloatArray, onset: float) -> OscillationThresholds | None:
        """Return the thresholds where an orbit is driven before `onset`, else None."""
        for before, bias in zip([None, *scan[:-1]], scan, strict=True):
            tick("orbits at a bias")
            orbit = _driven(self.parameters, float(bias))
            if orbit is None:
                continue
            if before is None:
                raise self._refusal("an oscillation is stable")
            offset = _offset(self.parameters, float(before), float(bias), orbit, self.text)
            return OscillationThresholds(onset, offset, "hard")
        return None

    def _soft(self, onset: float) -> OscillationThresholds:
        if onset == np.inf:
            raise NotConverged(
                f"no oscillation {self.text}: on {SCAN_POINTS} values "
                "the friction is positive at rest and over every orbit"
            )
        return OscillationThresholds(onset, onset, "soft")


def _driven(parameters: FlywheelParameters, bias: float) -> float | None:
    """Return the radius √E of the orbit that is driven most, None where friction damps them all."""
    radius, share = mean_friction(phase_space_model(parameters.replace(bias=bias), MODEL_RTOL))
    lowest = int(np.argmin(share))
    return float(radius[lowest]) if share[lowest] < -NEGATIVE else None


def _offset(
    parameters: FlywheelParameters, low: float, high: float, radius: float, scan: str
) -> float:
    """Bias between one without and one with a driven orbit at which two cycles meet and vanish.

    scan: the range of biases, for a message.
    """
    start, end = low, high
    for _ in range(HALVINGS):
        tick("orbits at a bias")
        middle = 0.5 * (low + high)
        orbit = _driven(parameters, middle)
        low, high = (middle, high) if orbit is None else (low, middle)
        radius = radius if orbit is None else orbit
    smallest = partial(_smallest_friction, parameters, radius)
    margin = high - low  # the scan may be wrong by that, or by more
    while smallest(low) <= 0.0 or smallest(high) > 0.0:
        if low <= start and high >= end:
            raise NotConverged(f"the oscillation that ends {scan} could not be followed to its end")
        low, high, margin = max(low - margin, start), min(high + margin, end), 4.0 * margin
    return float(brentq(smallest, low, high, xtol=OFFSET_RTOL * abs(end), rtol=OFFSET_RTOL))


def _smallest_friction(parameters: FlywheelParameters, radius: float, bias: float) -> float:
    """Smallest mean friction of orbits about one of `radius`, over the mean of |friction|."""
    tick("orbits at a bias")
    model = phase_space_model(parameters.replace(bias=bias), MODEL_RTOL)
    rates = tabulated_rates(model, REACH * WINDOW * radius, MODEL_RTOL)
    landscape = Landscape(model.frequency, rates)
    minima, maxima = landscape.extrema()
    inner, outer = (float(minima[0]), float(minima[-1])), (landscape.low, landscape.high)
    bottom = float(np.min(landscape.energy(minima)))
    nodes = np.cos(np.pi * (np.arange(ORBITS) + 0.5) / ORBITS)
    E = bottom + (radius * WINDOW**nodes) ** 2
    if maxima.size and np.max(landscape.energy(maxima)) > np.min(E):
        raise NotConverged("the oscillation ends where the potential has several minima")
    friction = averages(landscape, E, outer, inner, MODEL_RTOL)[1]
    series = chebyshev.chebfit(nodes, friction / (E - bottom), ORBITS - 1)
    fine = np.linspace(-1.0, 1.0, 401)
    at = int(np.argmin(chebyshev.chebval(fine, series)))
    return float(_polished(series, fine[max(at - 1, 0)], fine[min(at + 1, 400)]))


def _polished(series: FloatArray, low: float, high: float) -> float:
    """Minimum of a Chebyshev series between two points."""
    slope = chebyshev.chebder(series)
    signs = chebyshev.chebval(np.array([low, high]), slope)
    at = (
        0.5 * (low + high)
        if signs[0] * signs[1] >= 0.0
        else brentq(lambda t: chebyshev.chebval(t, slope), low, high)
    )
    return float(np.min(chebyshev.chebval(np.array([low, at, high]), series)))
