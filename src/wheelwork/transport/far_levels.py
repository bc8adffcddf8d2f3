"""Integrals over frequency for levels far from what the leads hold, on a fixed mesh of the axis.

There the contour above the axis loses digits: |G|^4 is a small difference of what it adds up. On
the axis nothing cancels, and the resonance need not be resolved where no quantity has weight.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.transport.contour import CACHED_LEADS, MOST_PANELS, centred, mesh_over, rounding_of
from wheelwork.transport.integrands import Bath, bath, lead_sums, panel_integrals
from wheelwork.transport.leads import Lead
from wheelwork.transport.panels import TAIL_RIGHT, landmarks
from wheelwork.transport.quadrature import Integrals

# A panel sees a resonance that is farther from its nodes than this part of its length.
_SEEN = 0.5
_BLOCK = 64  # levels at once, whose arrays of panels and nodes stay below a megabyte
_MARGIN = 32.0  # of levels beyond the landmarks, in units of the extent of these


@dataclass(frozen=True, eq=False, repr=False)
class _Mesh:
    """Nodes (panels, nodes) in frequencies from `origin`, with what the leads are there.

    leads: the first numerator is that of the empty level, not the spectral weight. reach: distance
    (panels, nodes) within which a resonance is not seen. hidden: bound, (panels, nodes,
    quantities), on what a resonance there would add. rounding: relative, (panels,).
    """

    origin: float
    frequency: FloatArray
    weights: FloatArray
    leads: Bath
    reach: FloatArray
    hidden: FloatArray
    rounding: FloatArray


def integrate_far(leads: tuple[Lead, ...], levels: FloatArray) -> Integrals | None:
    """Integrate every quantity of `integrands.quantities` for every bare energy in `levels`.

    For rational line shapes. The error of a level that is not far is large: it counts a whole
    resonance wherever one could hide. None where the mesh would be long.
    """
    mesh = _mesh(leads)
    if mesh is None:
        return None
    blocks = (levels[at : at + _BLOCK] for at in range(0, max(levels.size, 1), _BLOCK))
    parts = zip(*(_integrate(mesh, block) for block in blocks), strict=True)
    return Integrals(*(np.concatenate(part) for part in parts))


def _integrate(mesh: _Mesh, levels: FloatArray) -> Integrals:
    z = (mesh.frequency - mesh.leads.shift)[:, None] - (levels - mesh.origin)[:, None]
    values, errors = panel_integrals(mesh.leads, mesh.weights, z)
    unseen = np.abs(z) < mesh.reach[:, None]
    panel, level = np.nonzero(np.any(unseen, axis=2))
    errors[panel, level] += np.max(unseen[panel, level, :, None] * mesh.hidden[panel], axis=1)
    errors += mesh.rounding[:, None, None] * np.abs(values)
    value, error, scale = (part.sum(axis=0) for part in (values, errors, np.abs(values)))
    full = error[:, 0] < error[:, 1]  # the level lies below: all but what is empty
    value[:, 1] = np.where(full, 1.0 - value[:, 0], value[:, 1])
    scale[:, 1] = np.where(full, np.abs(value[:, 1]), scale[:, 1])
    error[:, 1] = np.minimum(error[:, 0], error[:, 1])
    value[:, 0], error[:, 0], scale[:, 0] = 1.0, 0.0, 1.0  # the sum rule
    return Integrals(value, error, scale)


@lru_cache(maxsize=CACHED_LEADS)
def _mesh(leads: tuple[Lead, ...]) -> _Mesh | None:
    origin, leads = centred(leads)
    marks = landmarks(leads)
    panels = mesh_over(marks, _MARGIN)
    if len(panels) > MOST_PANELS:
        return None
    w = panels.nodes()
    here = bath(leads, w)
    here.numerators[0] = lead_sums(leads, w)[-1]
    here.numerators[2:-2][1::2] += origin * here.numerators[2:-2][::2]  # the true w
    length = (panels.stop - panels.start)[:, None]
    far = np.where(panels.kind[:, None] >= TAIL_RIGHT, np.abs(w - panels.start[:, None]), 0.0)
    # int a dw/2pi is one, a at most 4/K; psi as in `contour`.
    kappa = 2.0 * here.half_width
    hidden = np.abs(here.numerators) / kappa
    hidden[-2:] *= 4.0 / kappa**2
    return _Mesh(
        origin,
        w,
        panels.weights(),
        here,
        _SEEN * (length + far),
        np.moveaxis(hidden, 0, -1),
        rounding_of(marks, w),
    )
