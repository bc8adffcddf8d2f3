"""Spectrum of the charge noise of the level at a fixed position."""

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.transport.integrands import occupied_and_empty
from wheelwork.transport.leads import Lead
from wheelwork.transport.lineshapes import Landmarks
from wheelwork.transport.panels import Panels, graded_mesh, join, landmarks
from wheelwork.transport.resonances import find_resonances

_ROUNDS = 48  # of bisection; rounding ends the gain before
_MOST_PANELS = 400_000  # of all frequencies together: bounds time where rounding wins
_BLOCK = 1024  # panels evaluated at once, to stay in cache


def charge_noise(
    leads: tuple[Lead, ...], level: float, frequency: FloatArray, rtol: float
) -> FloatArray:
    """Return int dw'/2pi g(w') [a - g](w' + w) for every w in `frequency`, one-dimensional.

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
