"""Adaptive quadrature over frequency for many levels at once.

Most panels serve all levels: line shapes and Fermi functions are evaluated once there, and the
integrals are matrix products (`_Shared`). Where a few levels need more, they get panels of their
own, in frequencies measured from an origin of their own (`_Own`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.transport.integrands import bath, panel_integrals
from wheelwork.transport.leads import Lead
from wheelwork.transport.panels import NODES, Panels, crowded, graded_mesh, join, landmarks
from wheelwork.transport.resonances import Index, Origins, Resonances, find_origins, find_resonances

BoolArray = npt.NDArray[np.bool_]
Sums = tuple[FloatArray, FloatArray]  # integrals and their errors

_ROUNDS = 48  # of bisection; rounding ends the gain before
_DEEPEST = 64  # bisections towards a peak; 2^-64 of a panel is below rounding
_MOST_PANELS = 2048  # of one level, beyond the first mesh: bounds time where rounding wins
_OWN_BLOCK = 512  # panels of 21 nodes evaluated at once, to stay in cache
_BLOCK = 1 << 17  # numbers in a temporary array: 1 MiB stays in cache
# A panel that more than this fraction of the levels needs finer is bisected for all of them, which
# is cheaper than panels of their own.
_POPULAR = 0.1
# Scale of an integral below which its panels are rounded to few digits, or to none: such a current
# is measured against this, which is zero beside any other.
_DOUBLE = np.finfo(np.float64)
SMALLEST = _DOUBLE.tiny / _DOUBLE.eps**2


class Integrals(NamedTuple):
    """Integrals, their estimated errors and the integrals' scale, shape (levels, quantities)."""

    value: FloatArray
    error: FloatArray
    scale: FloatArray


@dataclass(frozen=True, eq=False, repr=False)
class _Shared:
    """Panels of all levels: values, errors (panels, levels, quantities); `active`: which count."""

    panels: Panels
    values: FloatArray
    errors: FloatArray
    active: BoolArray

    def totals(self) -> Integrals:
        mask = self.active[..., None]
        values, errors = self.values * mask, self.errors * mask
        return Integrals(values.sum(axis=0), errors.sum(axis=0), np.abs(values).sum(axis=0))


@dataclass(frozen=True, eq=False, repr=False)
class _Own:
    """Panels of single levels: values and errors (panels, quantities).

    `level` says whose they are, `column` from which of its origins they are measured.
    """

    level: Index
    column: Index
    panels: Panels
    values: FloatArray
    errors: FloatArray

    def totals(self, levels: int) -> Integrals:
        sums = np.zeros((3, levels, self.values.shape[1]))
        for total, part in zip(sums, (self.values, self.errors, np.abs(self.values)), strict=True):
            np.add.at(total, self.level, part)
        return Integrals(*sums)


def integrate(leads: tuple[Lead, ...], levels: FloatArray, rtol: float) -> Integrals:
    """Integrate every quantity of `integrands.quantities` for every bare energy in `levels`.

    Panels are bisected until the error of each quantity is below `rtol` times its scale, the sum of
    the absolute values of its panels, or of `SMALLEST`, or until there are too many: compare
    `error` with `scale`.
    """
    marks = landmarks(leads)
    mesh = graded_mesh(marks, levels.min(), levels.max())
    frequency = mesh.nodes().ravel()
    shift = np.sum([lead.lineshape.sample(frequency).shift for lead in leads], axis=0)
    peaks = find_resonances(leads, levels, frequency, shift)
    mesh = _refine_for_many(mesh, peaks)
    levels_at = find_origins(leads, levels, peaks, marks)
    shared, own = _start(leads, levels_at, mesh, peaks)
    for _ in range(_ROUNDS):
        both = zip(shared.totals(), own.totals(levels.size), strict=True)
        total = Integrals(*(a + b for a, b in both))
        allowed = rtol * np.maximum(total.scale, SMALLEST)
        unmet = total.error > allowed
        count = shared.active.sum(axis=0) + np.bincount(own.level, minlength=levels.size)
        if not unmet.any() or count.max() > _MOST_PANELS + len(mesh):
            break
        share = np.where(unmet, allowed / count[:, None], np.inf)
        shared, own = _next(leads, levels_at, shared, own, share)
    return total


def _refine_for_many(mesh: Panels, peaks: Resonances) -> Panels:
    """Bisect the panels that are too long for the peaks of many levels."""
    width = np.where(peaks.narrow, np.inf, peaks.half_width)
    for _ in range(_DEEPEST):
        long = crowded(mesh.column(), peaks.position, width)
        popular = long.mean(axis=1) > _POPULAR
        if not popular.any():
            break
        mesh = join(mesh[~popular], mesh[popular].bisect())
    return mesh


def _start(
    leads: tuple[Lead, ...], origins: Origins, mesh: Panels, peaks: Resonances
) -> tuple[_Shared, _Own]:
    """Evaluate the shared mesh; give each level its own panels near a peak too narrow for it."""
    long = crowded(mesh.column(), peaks.position, peaks.half_width)
    which, level = np.nonzero(long)
    column, panels = _hand_over(origins, level, mesh[which])
    for _ in range(_DEEPEST):
        peak = peaks.position[level] - origins.position[level, column][:, None]
        poor = crowded(panels, peak, peaks.half_width[level])
        if not poor.any():
            break
        panels = join(panels[~poor], panels[poor].bisect())
        level, column = (np.append(of[~poor], np.tile(of[poor], 2)) for of in (level, column))
    shared = _Shared(mesh, *_evaluate_shared(leads, origins, mesh), ~long)
    values, errors = _evaluate_own(leads, origins, level, column, panels)
    return shared, _Own(level, column, panels, values, errors)


def _hand_over(origins: Origins, level: Index, panels: Panels) -> tuple[Index, Panels]:
    """Measure shared `panels` from an origin of `level`, one each; return its column as well."""
    column = origins.nearest(level, 0.5 * (panels.start + panels.stop))
    return column, panels.move(origins.position[level, column])


def _next(
    leads: tuple[Lead, ...], origins: Origins, shared: _Shared, own: _Own, share: FloatArray
) -> tuple[_Shared, _Own]:
    """Bisect every panel whose error exceeds the `share` (levels, quantities) it may have."""
    wanted = shared.active & np.any(shared.errors > share, axis=2)
    popular = wanted.mean(axis=1) > _POPULAR
    leaving = wanted & ~popular[:, None]
    which, level = np.nonzero(leaving)
    column, moved = _hand_over(origins, level, shared.panels[which])
    poor = np.any(own.errors > share[own.level], axis=1)
    fresh = join(moved, own.panels[poor]).bisect()
    level = np.tile(np.append(level, own.level[poor]), 2)
    column = np.tile(np.append(column, own.column[poor]), 2)
    new_own = _Own(
        np.append(own.level[~poor], level),
        np.append(own.column[~poor], column),
        join(own.panels[~poor], fresh),
        *_append(own, ~poor, _evaluate_own(leads, origins, level, column, fresh)),
    )
    halves = shared.panels[popular].bisect()
    active = shared.active & ~leaving
    new_shared = _Shared(
        join(shared.panels[~popular], halves),
        *_append(shared, ~popular, _evaluate_shared(leads, origins, halves)),
        np.concatenate([active[~popular], np.tile(active[popular], (2, 1))]),
    )
    return new_shared, new_own


def _append(old: _Shared | _Own, kept: BoolArray, new: Sums) -> Sums:
    return np.concatenate([old.values[kept], new[0]]), np.concatenate([old.errors[kept], new[1]])


def _in_blocks(block: Callable[[slice], Sums], count: int, size: int) -> Sums:
    """Apply `block` to runs of `size` panels and put the results together."""
    parts = [block(slice(at, at + size)) for at in range(0, max(count, 1), size)]
    values, errors = zip(*parts, strict=True)
    return np.concatenate(values), np.concatenate(errors)


def _evaluate_shared(leads: tuple[Lead, ...], origins: Origins, panels: Panels) -> Sums:
    """Integrate over `panels` for all levels."""
    levels = origins.position[:, -1:]

    def block(part: slice) -> Sums:
        frequency = panels[part].nodes()
        here = bath(leads, frequency)
        z = (frequency - here.shift)[:, None] - levels
        return panel_integrals(here, panels[part].weights(), z)

    return _in_blocks(block, len(panels), max(1, _BLOCK // (NODES * levels.size)))


def _evaluate_own(
    leads: tuple[Lead, ...], origins: Origins, level: Index, column: Index, panels: Panels
) -> Sums:
    """Integrate over each of `panels`, measured from its own origin, for its own level."""

    def block(part: slice) -> Sums:
        distance = panels[part].nodes()
        at = level[part], column[part]
        here = bath(leads, distance + origins.position[at][:, None])
        z = origins.denominator(*at, distance, here.shift)
        return panel_integrals(here, panels[part].weights(), z[:, None])

    values, errors = _in_blocks(block, len(panels), _OWN_BLOCK)
    return values[:, 0], errors[:, 0]
