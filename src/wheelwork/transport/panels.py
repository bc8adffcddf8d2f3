"""Panels, pieces of the frequency axis with a 21-point Gauss-Kronrod rule each; the first mesh.

A panel may end at a singularity of the real axis (a band edge), where a substitution smooths the
integrand, or reach to infinity, where a rational map takes algebraic tails exactly. The first mesh
is graded towards everything that makes the integrand vary.
"""

from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.transport.leads import Lead
from wheelwork.transport.lineshapes import Landmarks

# Kinds of panels, by what their ends are; the codes of the first four are bit masks.
PLAIN, SINGULAR_LEFT, SINGULAR_RIGHT, SINGULAR_BOTH, TAIL_RIGHT, TAIL_LEFT = range(6)
_LEFT_CHILD = np.array([PLAIN, SINGULAR_LEFT, PLAIN, SINGULAR_LEFT, PLAIN, TAIL_LEFT])
_RIGHT_CHILD = np.array([PLAIN, PLAIN, SINGULAR_RIGHT, SINGULAR_RIGHT, TAIL_RIGHT, PLAIN])

# Positive abscissae and weights of the 21-point Kronrod rule and of the 10-point Gauss rule in it.
_ABSCISSAE = np.array([
    0.9956571630258080807355, 0.9739065285171717200779, 0.9301574913557082260012,
    0.8650633666889845107320, 0.7808177265864168970637, 0.6794095682990244062343,
    0.5627571346686046833390, 0.4333953941292471907992, 0.2943928627014601981311,
    0.1488743389816312108848, 0.0,
])  # fmt: skip
_KRONROD = np.array([
    0.0116946388673718742780, 0.0325581623079647274788, 0.0547558965743519960313,
    0.0750396748109199527670, 0.0931254545836976055350, 0.1093871588022976418992,
    0.1234919762620658510779, 0.1347092173114733259280, 0.1427759385770600807970,
    0.1477391049013384913748, 0.1494455540029169056649,
])  # fmt: skip
_GAUSS = np.array([
    0.0666713443086881375935, 0.1494513491505805931458, 0.2190863625159820439955,
    0.2692667193099963550912, 0.2955242247147528701738,
])  # fmt: skip
_DEEPEST = 64  # bisections; 2^-64 of a panel is below rounding, so that the grading has ended


def _unit_rule() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return points of [0, 1] in rising order, Kronrod weights, and Kronrod minus Gauss weights."""
    points = 0.5 * np.concatenate([1.0 - _ABSCISSAE, 1.0 + _ABSCISSAE[-2::-1]])
    weights = 0.5 * np.concatenate([_KRONROD, _KRONROD[-2::-1]])
    gauss = np.zeros_like(points)
    gauss[1::2] = 0.5 * np.concatenate([_GAUSS, _GAUSS[::-1]])
    return points, weights, weights - gauss


def _maps(u: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the position in units of the panel's length, and its derivative, for every kind."""
    v = 1.0 - u
    position = [u, u * u, u * (1.0 + v), u * u * (1.0 + 2.0 * v), u / v, 1.0 - v / u]
    derivative = [np.ones_like(u), 2.0 * u, 2.0 * v, 6.0 * u * v, v**-2, u**-2]
    return np.array(position), np.array(derivative)


_POINTS, _WEIGHTS, _DIFFERENCE = _unit_rule()
_POSITION, _DERIVATIVE = _maps(_POINTS)
_RULE = np.stack([_DERIVATIVE * _WEIGHTS, _DERIVATIVE * _DIFFERENCE])
NODES = _POINTS.size
DIFFERENCE_SHARE = _DIFFERENCE / _WEIGHTS  # of an integrand's weights that its error takes


@dataclass(frozen=True, eq=False, repr=False)
class Panels:
    """Intervals [start, stop], or half lines beginning at one of these ends, by their `kind`."""

    start: FloatArray
    stop: FloatArray
    kind: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return self.start.size

    def __getitem__(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp] | slice) -> "Panels":
        return Panels(self.start[chosen], self.stop[chosen], self.kind[chosen])

    def column(self) -> "Panels":
        """Return the panels as a column, to be broadcast against levels."""
        return Panels(self.start[:, None], self.stop[:, None], self.kind[:, None])

    def nodes(self) -> FloatArray:
        """Return the nodes, shape (panels, NODES), rising along each panel."""
        length = (self.stop - self.start)[:, None]
        return self.start[:, None] + length * _POSITION[self.kind]

    def weights(self) -> FloatArray:
        """Return the weights of integral and error estimate, shape (2, panels, NODES)."""
        return (self.stop - self.start)[:, None] * _RULE[:, self.kind]

    def bisect(self) -> "Panels":
        """Return twice as many panels: all left halves, then all right halves.

        A half line becomes an interval and a half line of twice the scale, which is its bisection
        in the mapped variable.
        """
        right_tail, left_tail = self.kind == TAIL_RIGHT, self.kind == TAIL_LEFT
        length = self.stop - self.start
        middle = 0.5 * (self.start + self.stop)
        middle = np.where(right_tail, self.stop, np.where(left_tail, self.start, middle))
        first = np.where(left_tail, self.start - 2.0 * length, self.start)
        last = np.where(right_tail, self.stop + 2.0 * length, self.stop)
        kind = np.concatenate([_LEFT_CHILD[self.kind], _RIGHT_CHILD[self.kind]])
        return Panels(np.concatenate([first, middle]), np.concatenate([middle, last]), kind)

    def move(self, offset: FloatArray) -> "Panels":
        """Return the panels in coordinates whose origin lies at `offset`, one value per panel."""
        return Panels(self.start - offset, self.stop - offset, self.kind)


def join(*parts: Panels) -> Panels:
    """Return the panels of all."""
    fields = zip(*((each.start, each.stop, each.kind) for each in parts), strict=True)
    return Panels(*(np.concatenate(field) for field in fields))


def crowded(panels: Panels, position: FloatArray, distance: FloatArray) -> npt.NDArray[np.bool_]:
    """Tell which panels are too long for the poles near them.

    Poles at `position` + i `distance`; both are broadcast against the panels' shape with one axis
    for the poles added at the end. The Gauss rule of a panel no longer than its distance from the
    nearest pole errs by about 1e-12.
    """
    start, stop, kind = (field[..., None] for field in (panels.start, panels.stop, panels.kind))
    low = np.where(kind == TAIL_LEFT, -np.inf, start)
    high = np.where(kind == TAIL_RIGHT, np.inf, stop)
    gap = np.maximum(np.maximum(low - position, position - high), 0.0)
    # The scale of a half line doubles with its distance at each bisection and stays at twice that
    # distance: that must count as short enough, or the bisection would never end.
    reach = np.where(kind >= TAIL_RIGHT, 2.5, 1.0)
    return np.asarray(np.any(stop - start > reach * np.hypot(gap, distance), axis=-1))


def shortened(panels: Panels, marks: Landmarks, ratio: float) -> Panels:
    """Bisect panels until none is longer than `ratio` times its distance from a pole of `marks`.

    Half lines stay as they are. Panels return in rising order.
    """
    position, distance = np.array(marks.poles).T
    for _ in range(_DEEPEST):
        gap = np.maximum(panels.start[:, None] - position, position - panels.stop[:, None])
        near = np.min(np.hypot(np.maximum(gap, 0.0), distance), axis=1)
        long = (panels.stop - panels.start > ratio * near) & (panels.kind < TAIL_RIGHT)
        if not long.any():
            break
        panels = join(panels[~long], panels[long].bisect())
    return panels[np.argsort(panels.start)]


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
    marked = np.concatenate([position, marks.edges, [lowest, highest]])
    middle, spread = 0.5 * (marked.min() + marked.max()), 0.5 * np.ptp(marked)
    reach = 2.0 * max(spread, distance.max())
    low, high = middle - reach, middle + reach
    ends = np.concatenate([[low - reach, low], marks.edges, [high, high + reach]])
    kind = np.full(ends.size - 1, PLAIN)
    kind[2:-1] |= SINGULAR_LEFT
    kind[1:-2] |= SINGULAR_RIGHT
    kind[0], kind[-1] = TAIL_LEFT, TAIL_RIGHT
    panels = Panels(ends[:-1], ends[1:], kind)
    for _ in range(_DEEPEST):
        long = crowded(panels, position, distance)
        if not long.any():
            break
        panels = join(panels[~long], panels[long].bisect())
    return panels[np.argsort(panels.start)]
