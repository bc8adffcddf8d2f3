"""Integrals over frequency on a contour above the real axis, for leads of rational line shape.

With a = |G|^2 K = -2 Im G every integrand is a psi or a^2 psi, and psi does not depend on the
level. G is analytic above the axis, and psi below the poles of the Fermi functions and the zeros of
K. Along any path in between,

    int dw/2pi a psi   = -Im int dw/pi G psi,
    int dw/2pi a^2 psi = -Re int dw/pi [G^2 psi - 2i G psi/K].

There G is smooth however narrow its peak, and the same nodes and weights serve every level e:
G = 1/(s - e), and s = w - chi does not depend on e (docs/developers/phase-space.md).
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.numerics.compiling import compiled
from wheelwork.transport.integrands import bath, quantities
from wheelwork.transport.leads import Lead, filling
from wheelwork.transport.lineshapes import Landmarks, Lorentzian, WideBand
from wheelwork.transport.panels import (
    DIFFERENCE_SHARE,
    NODES,
    TAIL_RIGHT,
    Panels,
    graded_mesh,
    landmarks,
    shortened,
)
from wheelwork.transport.quadrature import Integrals

Numbers = npt.NDArray[Any]  # complex: functions of frequency take both kinds

_RATIONAL = (Lorentzian, WideBand)  # `sample` of these holds at complex frequencies
# Height of the contour, in distances from the axis to the nearest landmark. The zeros of K are at
# least 0.7 of that distance away: as far above the contour as peaks of G may be below.
_LIFT = 0.4
_LONGEST = 0.5  # length of a panel in the same distances
_MARGIN = 12.0  # of levels beyond the landmarks, in units of the extent of these
MOST_PANELS = 400  # beyond these, adaptive panels on the axis are as fast
CACHED_LEADS = 32  # sets of them, of which nodes and weights are kept: 0.2 MB each
_NEGLIGIBLE = 1e-25  # weight of a panel against the largest; below all cancellation
_BLOCK = 64  # levels whose sums stay in the nearest cache
# Rounding of a term by the operations, and by the displacement of its node; estimates then hold
# within a factor of 2 on random devices.
_OPERATIONS = 24.0
_SPREAD = 20.0
_ROUNDING = np.finfo(np.float64).eps
_SMALLEST = np.finfo(np.float64).tiny


class Weights(NamedTuple):
    """Nodes, and the weights of all rows: quantities, then positive rows (`_positive`).

    position: s = w - chi, (panels, nodes, 2), real and imaginary part. linear, square: factors of G
    and G^2, (panels, nodes, rows, 2); `square` has the last rows only. offset: what the first row
    and its error gain on each panel, (panels, 2). linear_size, square_size: sums of squares over a
    panel, (panels, rows). rounding: relative, (panels,).
    """

    position: FloatArray
    linear: FloatArray
    square: FloatArray
    offset: FloatArray
    linear_size: FloatArray
    square_size: FloatArray
    rounding: FloatArray


class Path(NamedTuple):
    """Panels above the axis; leads and their landmarks in frequencies measured from `origin`."""

    origin: float
    leads: tuple[Lead, ...]
    marks: Landmarks
    panels: Panels


@dataclass(frozen=True, eq=False, repr=False)
class Contour:
    """Weights of one set of leads, for levels of |level - middle| < reach.

    Frequencies are measured from `origin`.
    """

    origin: float
    middle: float
    reach: float
    weights: Weights


def is_rational(leads: tuple[Lead, ...]) -> bool:
    """Tell whether the leads have rational line shapes only."""
    return all(type(lead.lineshape) in _RATIONAL for lead in leads)


def integrate_on_contour(leads: tuple[Lead, ...], levels: FloatArray) -> Integrals | None:
    """Integrate every quantity of `integrands.quantities` for every bare energy in `levels`.

    For rational line shapes; None where the contour would be long. The scale is |integral| or more,
    but at most the integral of the absolute integrand. The error counts cancellation: far from all
    that the leads hold |G|^4 is a small difference. Cost: 1 to 5 us per level, and 1 ms for leads
    that are new.
    """
    path = _contour(leads)
    if path is None:
        return None
    level = levels - path.origin
    value, error = _sums(level, DIFFERENCE_SHARE, *path.weights)
    error[:, np.abs(level - path.middle) > path.reach] = np.inf  # the half lines err unseen there
    flows = len(quantities(len(leads))) - 4
    once, flow_scale, twice = np.split(value, [1 + flows, 1 + 2 * flows])
    once[0] += 0.5
    weight = np.ones((1, levels.size))  # by the sum rule
    value = np.concatenate([weight, once, twice[:2]])
    scale = np.concatenate([weight, once[:1], flow_scale, twice[:1], twice[2:]])
    error = np.concatenate([np.zeros_like(weight), error[: 1 + flows], error[-3:-1]])
    return Integrals(value.T, error.T, np.maximum(np.abs(value), scale).T)


@lru_cache(maxsize=CACHED_LEADS)
def _contour(leads: tuple[Lead, ...]) -> Contour | None:
    """Return the contour of `leads`, or None where it would be too long to be worth it."""
    path = raised_path(leads)
    if path is None:
        return None
    origin, leads, marks, panels = path
    w, (weight, difference) = panels.nodes(), panels.weights() / np.pi
    here = bath(leads, w)
    kappa = 2.0 * here.half_width
    once, twice = here.numerators[1:-2] / kappa, here.numerators[-2:] / kappa**2
    once[2::2] += origin * once[1::2]  # energy currents have the true w under the integral
    once = np.concatenate([once, _positive(once[1:])])
    twice = np.concatenate([twice, _positive(twice[1:])])
    linear = -weight * np.concatenate([once, 2.0 / kappa * twice])
    square = -weight * twice
    # G at the middle of a panel stands for all of it, but for the decay on a half line.
    decay = np.where(panels.kind[:, None] >= TAIL_RIGHT, w[:, NODES // 2, None] / w, 1.0)
    linear_size = np.sum(np.abs(linear * decay) ** 2, axis=2)
    square_size = np.sum(np.abs(square) ** 2, axis=2)
    weights = Weights(
        _pairs(w - here.shift + 1j * here.half_width),
        _pairs(np.moveaxis(linear, 0, -1)),
        _pairs(np.moveaxis(square, 0, -1)),
        _reference(leads[0], w, np.stack([weight, difference])).T,
        linear_size.T,
        square_size.T,
        rounding_of(marks, w),
    )
    largest = np.max(linear_size, axis=1, keepdims=True)
    used = np.any(linear_size > _NEGLIGIBLE**2 * largest, axis=0)
    return Contour(
        origin,
        *extent(marks, _MARGIN),
        Weights(*(np.ascontiguousarray(array[used]) for array in weights)),
    )


def _pairs(numbers: Numbers) -> FloatArray:
    """Real and imaginary parts on a last axis, which compiles faster than complex numbers."""
    return np.stack([numbers.real, numbers.imag], axis=-1)


def rounding_of(marks: Landmarks, w: Numbers) -> FloatArray:
    """Relative rounding of terms on each panel: by operations, and by the place of the node."""
    displacement = np.abs(w) / _distance(marks, w.real)
    return np.asarray(_ROUNDING * np.max(_OPERATIONS + _SPREAD * displacement, axis=1))


def centred(leads: tuple[Lead, ...]) -> tuple[float, tuple[Lead, ...]]:
    """Return the middle of the potentials, and the leads in frequencies measured from there."""
    potentials = [lead.chemical_potential for lead in leads]
    origin = 0.5 * (min(potentials) + max(potentials))
    return origin, tuple(_moved(lead, origin) for lead in leads)


def _moved(lead: Lead, origin: float) -> Lead:
    line = lead.lineshape
    if isinstance(line, Lorentzian):
        line = replace(line, centre=line.centre - origin)
    return replace(lead, chemical_potential=lead.chemical_potential - origin, lineshape=line)


@lru_cache(maxsize=CACHED_LEADS)
def raised_path(leads: tuple[Lead, ...]) -> Path | None:
    """Return panels graded towards the landmarks, and the higher the farther these are.

    None where there would be too many.
    """
    origin, leads = centred(leads)
    marks = landmarks(leads)
    flat = mesh_over(marks, _MARGIN)
    if len(flat) > MOST_PANELS:
        return None
    start, stop = (w + 1j * _LIFT * _distance(marks, w) for w in (flat.start, flat.stop))
    return Path(origin, leads, marks, Panels(start, stop, flat.kind))


def mesh_over(marks: Landmarks, margin: float) -> Panels:
    """Return panels on the whole axis, short against their distance from the landmarks.

    For levels up to `margin` times the extent of the landmarks away from these.
    """
    middle, reach = extent(marks, margin)
    return shortened(graded_mesh(marks, middle - reach, middle + reach), marks, _LONGEST)


def extent(marks: Landmarks, margin: float) -> tuple[float, float]:
    """Return the middle of the landmarks, and `margin` times the distance at which they end."""
    position, distance = np.array(marks.poles).T
    middle = 0.5 * float(position.min() + position.max())
    return middle, margin * (0.5 * float(np.ptp(position)) + float(distance.max()))


def _distance(marks: Landmarks, w: FloatArray) -> FloatArray:
    """Distance from real frequencies to the nearest landmark."""
    position, distance = np.array(marks.poles).T
    return np.asarray(np.min(np.hypot(w[..., None] - position, distance), axis=-1))


def _reference(lead: Lead, w: Numbers, weights: Numbers) -> FloatArray:
    """Integrate the occupation of a reference level over panels, and its error; (2, panels).

    Filled by `lead`, and of half width pi T about its potential, it is half full. Without it, the
    integral of G alone would diverge at low frequency.
    """
    mu, temperature = lead.chemical_potential, lead.temperature
    green = 1.0 / (w - mu + 1j * np.pi * temperature)
    return np.asarray(np.sum(np.imag(weights * filling(lead, w).occupied * green), axis=2))


def _positive(psi: Numbers) -> Numbers:
    """Return psi^2 over its maximum: nowhere on the axis larger than |psi|, and analytic as psi.

    The maximum on the axis is at most that on the contour.
    """
    largest = np.max(np.abs(psi), axis=(1, 2), keepdims=True)
    return np.asarray(psi * (psi / np.maximum(largest, _SMALLEST)))


@compiled
def _sums(levels, share, position, linear, square, offset, linear_size, square_size, rounding):  # type: ignore[no-untyped-def]
    """Sum all rows over the nodes, and estimate their errors, (rows, levels) each."""
    panels, nodes, rows = linear.shape[0], linear.shape[1], linear.shape[2]
    simple = rows - square.shape[2]
    value, error = np.zeros((rows, levels.size)), np.zeros((rows, levels.size))
    difference, size = np.zeros((rows, _BLOCK)), np.zeros(_BLOCK)
    re, im, re2, im2 = np.zeros(_BLOCK), np.zeros(_BLOCK), np.zeros(_BLOCK), np.zeros(_BLOCK)
    for begin in range(0, levels.size, _BLOCK):
        e = levels[begin : begin + _BLOCK]
        for panel in range(panels):
            for i in range(e.size):
                value[0, begin + i] += offset[panel, 0]
                difference[0, i] = offset[panel, 1]
            for node in range(nodes):
                s, h, part = position[panel, node, 0], position[panel, node, 1], share[node]
                for i in range(e.size):
                    z = s - e[i]
                    green = 1.0 / (z * z + h * h)
                    x, y = z * green, -h * green
                    re[i], im[i], re2[i], im2[i] = x, y, x * x - y * y, 2.0 * x * y
                if node == nodes // 2:
                    for i in range(e.size):
                        size[i] = re[i] * re[i] + im[i] * im[i]
                for row in range(rows):
                    a, b = linear[panel, node, row, 0], linear[panel, node, row, 1]
                    v, d = value[row, begin : begin + _BLOCK], difference[row]
                    if row < simple:
                        for i in range(e.size):
                            term = a * im[i] + b * re[i]
                            v[i] += term
                            d[i] += part * term
                    else:
                        column = row - simple
                        p, q = square[panel, node, column, 0], square[panel, node, column, 1]
                        for i in range(e.size):
                            term = a * im[i] + b * re[i] + p * re2[i] - q * im2[i]
                            v[i] += term
                            d[i] += part * term
            for row in range(rows):
                once, twice, noise = linear_size[panel, row], 0.0, rounding[panel]
                if row >= simple:
                    twice = square_size[panel, row - simple]
                v, d = error[row, begin : begin + _BLOCK], difference[row]
                for i in range(e.size):
                    scale = np.sqrt((once + twice * size[i]) * size[i])
                    v[i] += abs(d[i]) + noise * scale
                    d[i] = 0.0
    return value, error
