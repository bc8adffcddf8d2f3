"""The first mesh over frequency: panels graded towards everything that makes the integrand vary."""

from itertools import chain

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.transport.leads import Lead
from wheelwork.transport.lineshapes import Landmarks
from wheelwork.transport.panels import (
    PLAIN,
    SINGULAR_LEFT,
    SINGULAR_RIGHT,
    TAIL_LEFT,
    TAIL_RIGHT,
    Panels,
    crowded,
    join,
)

_DEEPEST = 64


def landmarks(leads: tuple[Lead, ...]) -> Landmarks:
    """Collect the landmarks of all line shapes, and the first pole of each Fermi function."""
    fermi = [(lead.chemical_potential, np.pi * lead.temperature) for lead in leads]
    lines = [lead.lineshape.landmarks for lead in leads]
    return Landmarks(
        poles=tuple(chain(fermi, *(line.poles for line in lines))),
        edges=tuple(sorted(set(chain(*(line.edges for line in lines))))),
    )


def graded_mesh(marks: Landmarks, lowest: float, highest: float) -> Panels:
    """Return panels over the whole axis, none too long for the poles of `marks`.

    The edges of `marks` are ends of panels. Between `lowest` and `highest` lie the levels: the half
    lines of the mesh begin well outside them and the landmarks.
    """
    position, distance = np.array(marks.poles).T
    places = np.concatenate([position, marks.edges, [lowest, highest]])
    middle, spread = 0.5 * (places.min() + places.max()), 0.5 * np.ptp(places)
    reach = 2.0 * max(spread, distance.max())
    panels = _coarse(middle - reach, middle + reach, np.array(marks.edges), reach)
    for _ in range(_DEEPEST):
        long = crowded(panels, position, distance)
        if not long.any():
            break
        panels = join(panels[~long], panels[long].bisect())
    return panels[np.argsort(panels.start)]


def _coarse(low: float, high: float, edges: FloatArray, scale: float) -> Panels:
    """Return the half lines below `low` and above `high`, and the panels between the edges."""
    ends = np.concatenate([[low - scale, low], edges, [high, high + scale]])
    kind = np.full(ends.size - 1, PLAIN)
    kind[2:-1] |= SINGULAR_LEFT
    kind[1:-2] |= SINGULAR_RIGHT
    kind[0], kind[-1] = TAIL_LEFT, TAIL_RIGHT
    return Panels(ends[:-1], ends[1:], kind)
