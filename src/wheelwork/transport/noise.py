"""Spectrum of the charge noise of the level at a fixed position.

On the contour above the axis where the leads have rational line shapes and the frequency is small
against their structure; on adaptive panels of the axis otherwise.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.transport.contour import (
    CACHED_LEADS,
    is_rational,
    raised_path,
    rounding_of,
)
from wheelwork.transport.integrands import lead_sums, occupied_and_empty
from wheelwork.transport.leads import Lead
from wheelwork.transport.lineshapes import Landmarks
from wheelwork.transport.panels import DIFFERENCE_SHARE, Panels, graded_mesh, join, landmarks
from wheelwork.transport.resonances import find_resonances

ComplexArray = npt.NDArray[np.complex128]

# Of the distance from the axis to the nearest landmark: zeros of s*' - s stay above the contour.
_SMALL_SHIFT = 0.5
_ROUNDS = 48  # of bisection; rounding ends the gain before
_MOST_PANELS = 400_000  # of all frequencies together: bounds time where rounding wins
_BLOCK = 1024  # panels evaluated at once, to stay in cache


def charge_noise(
    leads: tuple[Lead, ...], levels: FloatArray, frequency: FloatArray, rtol: float
) -> FloatArray:
    """Return int dw'/2pi g(w') [a - g](w' + w) for each level with its frequency w, (n,) all.

    To a relative error of `rtol`, or raises NotConverged.
    """
    total, left = np.zeros(frequency.size), np.ones(frequency.size, dtype=np.bool_)
    for shift in np.unique(frequency):
        at = np.flatnonzero(frequency == shift)
        part = _on_contour(leads, levels[at], float(shift))
        if part is not None:
            value, error = part
            good = error <= rtol * value  # not where they are NaN
            total[at[good]], left[at[good]] = value[good], False
    for level in np.unique(levels[left]):
        at = np.flatnonzero(left & (levels == level))
        total[at] = _on_panels(leads, float(level), frequency[at], rtol)
    return total


def _on_contour(
    leads: tuple[Lead, ...], levels: FloatArray, shift: float
) -> tuple[FloatArray, FloatArray] | None:
    """Return values and errors for all `levels`, None where the contour does not serve.

    With psi(w) = phi(w) (1 - phi(w + shift)), and a dash for w + shift,

        int dw/2pi a a' psi = Re int dw/pi psi [G/(s*' - s) + G'/(s* - s') - G G'],

    as in `contour`; s* is s of the advanced Green function (docs/developers/phase-space.md).
    """
    path = _shifted(leads, shift) if is_rational(leads) else None
    if path is None:
        return None
    origin, weights, first, second, rounding = path
    e = (levels - origin)[:, None, None]
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # not finite: of no use
        one, other = 1.0 / (first - e), 1.0 / (second - e)
        terms = weights[0] * one + weights[1] * other - weights[2] * (one * other)
        error = np.abs(np.sum(DIFFERENCE_SHARE * terms.real, axis=2))
        error += rounding * np.sum(np.abs(terms), axis=2)
        return np.sum(terms.real, axis=(1, 2)), np.sum(error, axis=1)


@lru_cache(maxsize=CACHED_LEADS)
def _shifted(
    leads: tuple[Lead, ...], shift: float
) -> tuple[float, ComplexArray, ComplexArray, ComplexArray, FloatArray] | None:
    """Return origin, weights (3, panels, nodes), s and s' on the contour, relative rounding."""
    path = raised_path(leads)
    if path is None:
        return None
    origin, leads, marks, panels = path
    if abs(shift) > _SMALL_SHIFT * min(distance for _, distance in marks.poles):
        return None
    w = panels.nodes()
    here, _, lower, filled, _ = lead_sums(leads, w)
    there, _, upper, _, unfilled = lead_sums(leads, w + shift)
    first = w - sum(one.shift for one in here) + 0.5j * lower
    second = w + shift - sum(one.shift for one in there) + 0.5j * upper
    with np.errstate(divide="ignore", invalid="ignore"):  # lines below the range of floats
        psi = panels.weights()[0] / np.pi * (filled / lower) * (unfilled / upper)
        mixed = psi / (second - 1j * upper - first), psi / (first - 1j * lower - second)
        weights = np.stack([*mixed, psi])
    return origin, weights, first, second, rounding_of(marks, w)


def _on_panels(
    leads: tuple[Lead, ...], level: float, frequency: FloatArray, rtol: float
) -> FloatArray:
    """Return the values of one level for every w in `frequency`, one-dimensional.

    Every frequency has its own panels, measured from the bare energy `level` and graded towards the
    landmarks of both factors.
    """
    marks = _landmarks_from_level(leads, level)
    if frequency.size == 0:
        return np.zeros(0)
    meshes = [_mesh(marks, shift) for shift in frequency]
    owner = np.repeat(np.arange(frequency.size), [len(mesh) for mesh in meshes])
    panels = join(*meshes)
    value, error = _evaluate(leads, level, frequency[owner], panels)
    for _ in range(_ROUNDS):
        total = np.asarray(np.bincount(owner, value, frequency.size), dtype=np.float64)
        allowed = rtol * total / np.bincount(owner, minlength=frequency.size)
        unmet = np.bincount(owner, error, frequency.size) > rtol * total
        poor = unmet[owner] & (error > allowed[owner])
        if not poor.any() or owner.size > _MOST_PANELS:
            break
        halves, whose = panels[poor].bisect(), np.tile(owner[poor], 2)
        fresh = _evaluate(leads, level, frequency[whose], halves)
        panels, owner = join(panels[~poor], halves), np.concatenate([owner[~poor], whose])
        value = np.concatenate([value[~poor], fresh[0]])
        error = np.concatenate([error[~poor], fresh[1]])
    if unmet.any():
        raise NotConverged(
            f"the noise spectrum at frequency {frequency[np.argmax(unmet)]:.6g} does not reach a "
            f"relative error of {rtol:.1e}: the panels ran out; ask for a larger `rtol`"
        )
    return total


def _landmarks_from_level(leads: tuple[Lead, ...], level: float) -> Landmarks:
    """Landmarks and resonances, measured from the bare energy."""
    marks = landmarks(leads)
    nodes = graded_mesh(marks, level, level).nodes().ravel()
    shift = np.sum([lead.lineshape.sample(nodes).shift for lead in leads], axis=0)
    peaks = find_resonances(leads, np.array([level]), nodes, shift)
    finite = np.isfinite(peaks.half_width)
    resonances = zip(peaks.offset[finite], peaks.half_width[finite], strict=True)
    return Landmarks(
        poles=(*((at - level, distance) for at, distance in marks.poles), *resonances),
        edges=tuple(at - level for at in marks.edges),
    )


def _mesh(marks: Landmarks, shift: float) -> Panels:
    """Return panels graded to g(w) and to the other factor, which is moved down by `shift`."""
    both = Landmarks(
        poles=(*marks.poles, *((at - shift, distance) for at, distance in marks.poles)),
        edges=tuple(sorted({*marks.edges, *(at - shift for at in marks.edges)})),
    )
    return graded_mesh(both, min(0.0, -shift), max(0.0, -shift))


def _evaluate(
    leads: tuple[Lead, ...], level: float, shift: FloatArray, panels: Panels
) -> tuple[FloatArray, FloatArray]:
    """Integrate over each of `panels` with its own `shift` between the factors."""
    values = [np.zeros((2, 0))]
    for at in range(0, len(panels), _BLOCK):
        part = panels[at : at + _BLOCK]
        nodes = part.nodes()
        occupied, _ = occupied_and_empty(leads, np.array(level), nodes)
        moved = nodes + shift[at : at + _BLOCK, None]
        _, empty = occupied_and_empty(leads, np.array(level), moved)
        integrand = occupied * empty / (2.0 * np.pi)
        values.append(np.sum(part.weights() * integrand, axis=2))
    value, error = np.concatenate(values, axis=1)
    return value, np.abs(error)
