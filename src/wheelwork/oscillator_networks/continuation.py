"""Continuation of a steady state along a parameter, around folds, with its bifurcations.

The equations are derived in docs/developers/two-site-curve.md.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.numerics.work import tick
from wheelwork.oscillator_networks.model import AmplitudeModel, ComplexArray
from wheelwork.oscillator_networks.newton import bordered, largest_rate
from wheelwork.oscillator_networks.stability import Deviations, deviations
from wheelwork.oscillator_networks.units import Units
from wheelwork.parameters import ShortRepr

Family = Callable[[float], AmplitudeModel]
Kind = Literal["fold", "hopf", "branch point", "trivial branch"]

# Steps along the scaled arc, in which |α|, the largest rate and the range of the parameter are 1: a
# branch has about a hundred points. Below the shortest, directions are lost to rounding.
FIRST, LONGEST, SHORTEST = 0.01, 0.05, 1e-9
BENDING = 0.95  # least cosine between directions of neighbouring steps, 18°
CORRECTIONS = 8  # of Newton's method; quadratic convergence from a short step takes four
MOST_STEPS = 4000  # tried along a path: forty times as many as usual, some ten seconds
DIFFERENCE = 1e-5  # of the range, for central differences in the parameter: errors about 1e-10
FADED = 1e-3  # of |α|² before a step: a branch that is left with less ends at α = 0
SAME_PARAMETER = 1e-8  # of the range: two folds as close are one crossing of branches
# Positions tried in an interval that is to be halved: where branches cross the equations are
# singular, so that the middle itself may have no solution.
SHARES = (0.5, 0.4, 0.6, 0.3, 0.7)
HALVINGS, NARROWEST = 60, 1e-10  # of the interval of a bifurcation, and its last length of arc
# Length of arc after a bifurcation in which stability is rounding: where branches cross, exponents
# may be as small as its square.
BLURRED = 1e-5
# Of |α| before the last step, at which the end at α = 0 is solved for: the parameter differs from
# its limit by a power of this, and its two values give the error.
SMALL_AMPLITUDES = 1e-4, 1e-6
GROW, SHRINK = 1.5, 0.5  # of a step that succeeded, or failed
ROUNDING = 1e-14  # relative error of a parameter, at least


@dataclass(frozen=True, eq=False, repr=False)
class Point(ShortRepr):
    """A steady state on the path, with the scaled tangent in (Re α, Im α, ω, p)."""

    parameter: float
    amplitudes: ComplexArray
    frequency: float
    deviations: Deviations
    direction: FloatArray

    def in_units(self, units: Units) -> "Point":
        """Return it in the units that its model was given in."""
        return replace(
            self,
            amplitudes=units.size * self.amplitudes,
            frequency=self.frequency * units.rate + units.frequency,
            deviations=self.deviations.in_units(units.rate, units.size),
        )

    @property
    def unstable(self) -> int:
        """Number of growing deviations."""
        return int(np.sum(self.deviations.exponents.real > 0.0))


@dataclass(frozen=True, eq=False)
class Event:
    """A bifurcation of a branch.

    kind: "fold", where it turns; "hopf" and "branch point", where its stability changes by an
    oscillation or by another branch; "trivial branch", where it ends at α = 0. error: absolute, of
    the parameter. frequency: ω there. oscillation: |Im λ| of the deviation that turns unstable or
    stable, zero where it does not oscillate.
    """

    kind: Kind
    parameter: float
    error: float
    frequency: float
    oscillation: float

    def in_units(self, units: Units) -> "Event":
        """Return it in the units that its model was given in."""
        frequency = self.frequency * units.rate + units.frequency
        return replace(self, frequency=frequency, oscillation=self.oscillation * units.rate)


@dataclass(frozen=True, repr=False)
class Continuation(ShortRepr):
    """Pseudo-arclength continuation of α e^{−iωt} over parameters between `low` and `high`.

    family: parameter → model. The arc is measured in |α| and ω against their values at the start
    and the parameter against its range.
    """

    family: Family
    low: float
    high: float
    rtol: float

    def run(
        self, amplitudes: ComplexArray, frequency: float, start: float, stop: float
    ) -> tuple[list[Point], list[Event]]:
        """Follow the branch from `start` towards `stop`, to the end of the range or of the branch.

        Raises NotConverged where the path cannot be continued, with what was reached.
        """
        scale = self._scale(amplitudes, start)
        forward = np.zeros(scale.size)
        forward[-1] = np.sign(stop - start)
        z = _pack(amplitudes, frequency, start)
        point = self._at(z, self._direction(z, forward, scale), scale)
        points, length = [point], FIRST
        events: list[Event] = []
        for step in range(MOST_STEPS):
            tick("points of a branch", step, MOST_STEPS)
            new, ended = self._advance(points[-1], length, scale)
            if new is None or not _straight(points[-1], new):
                length *= SHRINK
                if length < SHORTEST:
                    raise NotConverged(
                        f"the branch could not be followed beyond {points[-1].parameter!r}: steps "
                        f"shorter than {SHORTEST:g} of its arc were needed",
                        (points, self._merged(events)),
                    )
                continue
            if _fades(points[-1], new):
                end = self._bifurcation_from_zero(points[-1], scale)
                return points, [*self._merged(events), end]
            found = self._between(points[-1], new, scale)
            if found is None:
                length *= SHRINK
                continue
            events.extend(found)
            points.append(new)
            if ended:
                return points, self._merged(events)
            length = min(GROW * length, LONGEST)
        raise NotConverged(
            f"the branch needs more than {MOST_STEPS} steps: it was followed to "
            f"{points[-1].parameter!r}",
            (points, self._merged(events)),
        )

    # ------------------------------------------------------------------ one step

    def _scale(self, amplitudes: ComplexArray, start: float) -> FloatArray:
        size = float(np.linalg.norm(amplitudes))
        rate = largest_rate(self.family(start))
        return np.array([*np.full(2 * amplitudes.size, size), rate, self.high - self.low])

    def _system(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Residual and its Jacobian with the phase fixed: (2N + 1,), (2N + 1, 2N + 2)."""
        alpha, omega, p = _unpack(z)
        model = self.family(p)
        N = alpha.size
        matrix = np.zeros((2 * N + 1, 2 * N + 2))
        square = bordered(model, alpha[None], np.array([omega]))[0][0]
        matrix[:, :-1] = square
        residual = np.zeros(2 * N + 1)
        value = model.residual(alpha[None], np.array([omega]))[0]
        residual[:N], residual[N:-1] = value.real, value.imag
        h = DIFFERENCE * (self.high - self.low)
        left, right = max(p - h, self.low), min(p + h, self.high)
        change = self.family(right).velocity(alpha) - self.family(left).velocity(alpha)
        change /= right - left
        matrix[:N, -1], matrix[N:-1, -1] = change.real, change.imag
        return residual, matrix

    def _direction(self, z: FloatArray, before: FloatArray, scale: FloatArray) -> FloatArray:
        """Unit tangent in scaled variables, along `before`."""
        matrix = self._system(z)[1] * scale
        full = np.vstack([matrix, before])
        right = np.zeros(z.size)
        right[-1] = 1.0
        try:
            tangent = np.linalg.solve(full, right)
        except np.linalg.LinAlgError:
            tangent = np.linalg.svd(matrix)[2][-1]
            tangent *= np.sign(tangent @ before) or 1.0
        unit: FloatArray = tangent / np.linalg.norm(tangent)
        return unit

    def _correct(
        self, guess: FloatArray, row: FloatArray, target: float, scale: FloatArray
    ) -> FloatArray | None:
        """Solve the equations with row · z/scale = target, or None."""
        z = guess.copy()
        for _ in range(CORRECTIONS):
            if not self.low <= z[-1] <= self.high:
                return None
            residual, matrix = self._system(z)
            full = np.vstack([matrix * scale, row])
            right = np.append(residual, row @ (z / scale) - target)
            try:
                move = np.linalg.solve(full, right)
            except np.linalg.LinAlgError:
                return None
            z = z - move * scale
            if np.linalg.norm(move) < self.rtol:
                return z
        return None

    def _advance(self, point: Point, length: float, scale: FloatArray) -> tuple[Point | None, bool]:
        """The state a step further on, and whether the range ends there."""
        here = _pack(point.amplitudes, point.frequency, point.parameter)
        guess = here + length * point.direction * scale
        limit = min(max(guess[-1], self.low), self.high)
        ended = bool(guess[-1] != limit)
        if ended:
            guess = here + (limit - here[-1]) / (guess[-1] - here[-1]) * (guess - here)
            guess[-1] = limit
            row, target = np.zeros(scale.size), limit / scale[-1]
            row[-1] = 1.0
        else:
            row, target = point.direction, float(point.direction @ (here / scale)) + length
        try:
            z = self._correct(guess, row, target, scale)
            if z is None:
                return None, ended
            if ended:
                z[-1] = limit
            return self._at(z, self._direction(z, point.direction, scale), scale), ended
        except np.linalg.LinAlgError:  # numbers beyond the largest
            return None, ended

    def _at(self, z: FloatArray, direction: FloatArray, scale: FloatArray) -> Point:
        alpha, omega, p = _unpack(z)
        spread = deviations(self.family(p), alpha[None], np.array([omega]))[0]
        return Point(p, alpha, omega, spread, direction)

    # ------------------------------------------------------------------ events

    def _between(self, first: Point, last: Point, scale: FloatArray) -> list[Event] | None:
        """Every bifurcation between neighbouring points, located by halving the step.

        None where the branch turns too sharply within the step, which then is to be shortened.
        """
        if _state(first) == _state(last):
            return []
        here, there = _scaled(first, scale), _scaled(last, scale)
        length = float(first.direction @ (there - here))
        left, right, low, high = first, last, 0.0, length
        for _ in range(HALVINGS):
            for share in SHARES:
                middle = low + share * (high - low)
                new = self._inside(first, (low, left), (high, right), middle, scale)
                if new is not None:
                    break
            if new is None and high - low > BLURRED:
                return None
            if new is None:
                break
            if _state(new) == _state(first):
                left, low = new, middle
            else:
                right, high = new, middle
            if high - low < NARROWEST:
                break
        after, behind = right, high
        if high + BLURRED < length:
            behind = high + BLURRED
            after = self._inside(first, (high, right), (length, last), behind, scale) or right
        events = [] if _state(after) == _state(first) else [_event(left, right, after)]
        if after is last or behind >= length:
            return events
        rest = self._between(after, last, scale)
        return None if rest is None else [*events, *rest]

    def _inside(
        self,
        first: Point,
        left: tuple[float, Point],
        right: tuple[float, Point],
        middle: float,
        scale: FloatArray,
    ) -> Point | None:
        """The state at `middle` along the direction of `first`, between two with their positions.

        The cubic through both, tangents included, is close enough a guess where branches cross.
        """
        width = right[0] - left[0]
        u = (middle - left[0]) / width
        ends = [_scaled(point, scale) for _, point in (left, right)]
        slopes = [
            width * point.direction / float(first.direction @ point.direction)
            for _, point in (left, right)
        ]
        guess = (
            ends[0] + u * u * (3.0 - 2.0 * u) * (ends[1] - ends[0])
            + u * (1.0 - u) * ((1.0 - u) * slopes[0] - u * slopes[1])
        )  # fmt: skip
        row = first.direction
        target = float(row @ _scaled(first, scale)) + middle
        try:
            z = self._correct(guess * scale, row, target, scale)
            if z is None:
                return None
            new = self._at(z, self._direction(z, left[1].direction, scale), scale)
        except np.linalg.LinAlgError:  # numbers beyond the largest
            return None
        return new if _straight(first, new) else None

    def _merged(self, events: list[Event]) -> list[Event]:
        """Leave out pairs of folds at one parameter: rounding where branches cross."""
        separate: list[Event] = []
        for event in events:
            before = separate[-1] if separate else None
            close = (
                before is not None
                and before.kind == event.kind == "fold"
                and abs(before.parameter - event.parameter)
                < SAME_PARAMETER * (self.high - self.low)
            )
            if close:
                separate.pop()
            else:
                separate.append(event)
        return separate

    def _bifurcation_from_zero(self, point: Point, scale: FloatArray) -> Event:
        """Where the amplitudes vanish, in the limit of two small norms."""
        z = _pack(point.amplitudes, point.frequency, point.parameter)
        size = float(np.linalg.norm(point.amplitudes))
        values: list[float] = []
        for shrink in SMALL_AMPLITUDES:
            small = replace(point, amplitudes=shrink * point.amplitudes)
            guess = _pack(small.amplitudes, point.frequency, values[-1] if values else z[-1])
            unit = _pack(point.amplitudes, 0.0, 0.0) / size
            row = unit / np.linalg.norm(unit)
            tiny = scale.copy()
            tiny[:-2] = np.linalg.norm(small.amplitudes)
            z_small = self._correct(guess, row, float(row @ (guess / tiny)), tiny)
            if z_small is None:
                raise NotConverged(
                    f"the end of the branch at α = 0 near {point.parameter!r} was not located"
                )
            values.append(float(z_small[-1]))
        return Event("trivial branch", values[-1], abs(values[0] - values[1]), point.frequency, 0.0)


def _pack(amplitudes: ComplexArray, frequency: float, parameter: float) -> FloatArray:
    return np.concatenate([amplitudes.real, amplitudes.imag, [frequency, parameter]])


def _scaled(point: Point, scale: FloatArray) -> FloatArray:
    return _pack(point.amplitudes, point.frequency, point.parameter) / scale


def _unpack(z: FloatArray) -> tuple[ComplexArray, float, float]:
    N = (z.size - 2) // 2
    return z[:N] + 1j * z[N : 2 * N], float(z[-2]), float(z[-1])


def _straight(first: Point, last: Point) -> bool:
    """Whether the direction has hardly turned, so that the step stayed on the branch."""
    return float(first.direction @ last.direction) > BENDING


def _fades(first: Point, last: Point) -> bool:
    """Whether the amplitudes pass through zero, or come close to it."""
    overlap = float(np.vdot(first.amplitudes, last.amplitudes).real)
    return overlap < FADED * float(np.vdot(first.amplitudes, first.amplitudes).real)


def _state(point: Point) -> tuple[int, bool]:
    return point.unstable, bool(point.direction[-1] > 0.0)


def _event(left: Point, right: Point, after: Point) -> Event:
    """Return the bifurcation between two close points; `after`: a little further on."""
    parameter = 0.5 * (left.parameter + right.parameter)
    error = abs(left.parameter - right.parameter)
    crossed = min(left.unstable, after.unstable)
    exponents = left.deviations.exponents, after.deviations.exponents
    swing = min(abs(float(each[crossed].imag)) for each in exponents if crossed < each.size)
    kind: Kind = "branch point"
    if _state(left)[1] != _state(after)[1]:
        kind, swing = "fold", 0.0
    elif (left.unstable - after.unstable) % 2 == 0 and swing > 0.0:
        kind = "hopf"
    return Event(kind, parameter, max(error, ROUNDING * abs(parameter)), left.frequency, swing)
