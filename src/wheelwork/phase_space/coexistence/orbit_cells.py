"""The tree of orbits cut into cells: probabilities, and resistances to the diffusion between them.

All in logarithms, as w may span more than floating point does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.numerics.work import tick
from wheelwork.phase_space.coexistence.orbit_tree import (
    AREA,
    NOISE,
    POSITION,
    SLOPE,
    SQUARE,
    Family,
)

IntArray = npt.NDArray[np.intp]
FALL = 0.1  # of ln w from one node to the next; the errors of cells are of second order in it
FEWEST_CELLS, MOST_CELLS = 64, 20000  # of a family; a walk over the tree takes 1 µs for each
SCAN = 33  # points on each piece of a table, between which ln w has one extremum at most
BISECTIONS = 50
END = 1e-6  # of t
ROUNDING = 1e-30  # of the largest A′ dE/dt; below it, it is the rounding of its table
GAUSS_NODES, GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(4)  # on each half of a cell


@dataclass(frozen=True, eq=False, repr=False)
class Cells:
    """Nodes, and edges from the inside to the outside of the tree.

    family, energy: of a node; log_density: ln w, zero at the outermost node; log_mass: ln of the
    probability about it, with this w; position, square: means of X and X² + P² there, (nodes,)
    each. edges: (edges, 2). log_resistance: ln ∫dE/(4Kw), (edges,).
    """

    family: IntArray
    energy: FloatArray
    log_density: FloatArray
    log_mass: FloatArray
    position: FloatArray
    square: FloatArray
    edges: IntArray
    log_resistance: FloatArray


def cut(families: Sequence[Family], fall: float = FALL) -> Cells:
    """Cut the tree into cells; the last family is the one that encloses all."""
    offset = [0.0] * len(families)
    offset[-1] = -_rise(families[-1])
    for family, at in zip(reversed(families), reversed(range(len(families))), strict=True):
        for child in family.children:
            offset[child] = offset[at] - _rise(families[child])
    parts: list[FloatArray] = []
    edges: list[IntArray] = []
    resistances: list[FloatArray] = []
    starts: list[int] = []
    count = 0
    for at, family in enumerate(families):
        tick("cells of the tree of orbits")
        t = _nodes(family, fall)
        nodes, resistance = _masses(family, t)
        nodes[1:3] += offset[at]
        parts.append(np.vstack([np.full(t.size, float(at)), nodes]))
        numbers = np.arange(count, count + t.size)
        edges.append(np.stack([numbers[:-1], numbers[1:]], axis=1))
        resistances.append(resistance - offset[at])
        for child in family.children:  # its last node is the first one of this family
            last = starts[child + 1] - 1 if child + 1 < len(starts) else count - 1
            edges.append(np.array([[last, count]]))
            resistances.append(np.array([-np.inf]))
        starts.append(count)
        count += t.size
    index, energy, log_density, log_mass, position, square = np.hstack(parts)
    return Cells(
        index.astype(np.intp), energy, log_density, log_mass, position, square,
        np.concatenate(edges), np.concatenate(resistances),
    )  # fmt: skip


def _rise(family: Family) -> float:
    """ln w at the end of a family over its beginning."""
    return float(family.log_density(np.array([1.0]))[0, 0])


def _nodes(family: Family, fall: float) -> FloatArray:
    """Return t of nodes between which ln w changes by `fall` at most, with its extrema."""
    breaks = family.table.breaks
    t = np.unique(np.concatenate([np.linspace(a, b, SCAN) for a, b in pairwise(breaks)]))
    slope = family.table(t)[SLOPE]
    turns = np.flatnonzero(slope[1:] * slope[:-1] < 0.0)
    extrema = [_root(family, float(t[i]), float(t[i + 1])) for i in turns]
    extrema = [one for one in extrema if min(one, 1.0 - one) > END]  # at the ends the slope is zero
    changes = 0.5 * np.abs(slope[1:] + slope[:-1]) * np.diff(t)
    fall = max(fall, float(np.sum(changes)) / MOST_CELLS)
    cells = np.concatenate([[0.0], np.cumsum(changes / fall + FEWEST_CELLS * np.diff(t))])
    uniform = np.linspace(0.0, cells[-1], math.ceil(cells[-1]) + 1)
    nodes = np.unique(np.concatenate([np.interp(uniform, cells, t), extrema]))
    return np.asarray(nodes[np.concatenate([[True], np.diff(nodes) > END * END])])


def _root(family: Family, low: float, high: float) -> float:
    """Bisect an extremum of ln w."""
    start = family.table(np.array([low]))[SLOPE, 0]
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        before = family.table(np.array([middle]))[SLOPE, 0] * start > 0.0
        low, high = (middle, high) if before else (low, middle)
    return 0.5 * (low + high)


def _masses(family: Family, t: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Energy, ln w, ln mass and the two means about nodes, (5, nodes), and ln of resistances."""
    half = np.empty(2 * t.size - 1)
    half[::2], half[1::2] = t, 0.5 * (t[1:] + t[:-1])
    width = np.diff(half)[:, None]
    points = half[:-1, None] + 0.5 * width * (GAUSS_NODES + 1.0)
    rows, log_density = family.table(points), family.log_density(points)[0]
    noise, step = family.noise(points, rows[NOISE]), family.energy(points)[1]
    if not np.all(noise > 0.0):
        raise NotConverged("the noise over some orbits is less than the error of its table")
    area = np.maximum(rows[AREA], ROUNDING * np.max(rows[AREA]))  # zero where families join
    size = np.log(0.5 * width * GAUSS_WEIGHTS)
    mass = size + np.log(area) + log_density
    resistance = size + np.log(step / (4.0 * noise)) - log_density
    # About a node: the half of a cell before it, and the half behind it.
    empty = np.full((1, GAUSS_NODES.size), -np.inf)
    about = np.hstack([np.vstack([empty, mass[1::2]]), np.vstack([mass[::2], empty])])
    log_mass = logsumexp(about, axis=1)
    share = np.exp(about - log_mass[:, None])
    pad = np.zeros((1, GAUSS_NODES.size))
    means = [
        np.sum(share * np.hstack([np.vstack([pad, row[1::2]]), np.vstack([row[::2], pad])]), axis=1)
        for row in (rows[POSITION], rows[SQUARE])
    ]
    nodes = [family.energy(t)[0], family.log_density(t)[0], log_mass, *means]
    whole = np.logaddexp(*np.reshape(logsumexp(resistance, axis=1), (-1, 2)).T)
    return np.stack(nodes), whole
