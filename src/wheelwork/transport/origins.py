"""Origins from which a level measures its frequencies, so that a hair-thin peak keeps its digits.

Next to a peak at r, z = w - epsilon - Re chi(w) is a small difference of large numbers. Measured
from r it is z = t - [Re chi(r + t) - Re chi(r)]; the bracket is a smooth series in t, fitted once.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.transport.leads import Lead
from wheelwork.transport.lineshapes import Landmarks
from wheelwork.transport.resonances import Resonances, width_and_shift

Index = npt.NDArray[np.intp]

# Degree 7 over a hundredth of the distance to the nearest singularity is exact to rounding.
_DEGREE = 7
_RADIUS = 0.01
_UNIT = np.polynomial.chebyshev.chebpts1(_DEGREE + 1)
_FIT = np.linalg.inv(np.vander(_UNIT, increasing=True))[1:]


@dataclass(frozen=True)
class Origins:
    """One per peak of every level, and in the last column its bare energy; (levels, peaks + 1)."""

    position: FloatArray
    """Frequency of the origin; infinite where a level has fewer narrow peaks."""
    offset: FloatArray
    """Re chi there, which is the position above the bare energy; 0 at the bare energy itself."""
    radius: FloatArray
    """How far the series holds; 0 at the bare energy."""
    series: FloatArray
    """Coefficients of Re chi(r + t) - Re chi(r) in powers 1, 2, ... of t / radius; a last axis."""

    def nearest(self, level: Index, frequency: FloatArray) -> Index:
        """Return the column of the narrow peak nearest to `frequency`, else of the bare energy."""
        peaks = self.position[level, :-1]
        column = np.argmin(np.abs(peaks - frequency[:, None]), axis=1)
        found = np.isfinite(peaks[np.arange(level.size), column])
        return np.asarray(np.where(found, column, self.position.shape[1] - 1))

    def denominator(
        self, level: Index, column: Index, distance: FloatArray, shift: FloatArray
    ) -> FloatArray:
        """Return z at `distance` from the origin, where Re chi is `shift`; (panels, nodes)."""
        at = level, column
        radius = self.radius[at][:, None]
        z = distance + (self.offset[at][:, None] - shift)
        close = np.flatnonzero(np.min(np.abs(distance), axis=1) < radius[:, 0])
        t = distance[close]
        inside = np.abs(t) < radius[close]
        u = np.where(inside, t / radius[close], 0.0)
        bend = np.zeros_like(u)
        for coefficient in self.series[at][close].T[::-1]:
            bend = (bend + coefficient[:, None]) * u
        z[close] = np.where(inside, t - bend, z[close])
        return z


def find_origins(
    leads: tuple[Lead, ...], levels: FloatArray, peaks: Resonances, marks: Landmarks
) -> Origins:
    """Return the origins of all `levels`: their narrow `peaks`, and the bare energies."""
    which = np.nonzero(peaks.narrow)
    root = peaks.position[which]
    radius = _RADIUS * _clearance(root, marks)
    _, values = width_and_shift(leads, root[:, None] + radius[:, None] * _UNIT)
    shape = (levels.size, peaks.narrow.shape[1] + 1)
    position, offset, reach = np.full(shape, np.inf), np.zeros(shape), np.zeros(shape)
    series = np.zeros((*shape, _DEGREE))
    position[which], offset[which], reach[which] = root, peaks.offset[which], radius
    series[which] = values @ _FIT.T
    position[:, -1] = levels
    return Origins(position, offset, reach, series)


def _clearance(frequency: FloatArray, marks: Landmarks) -> FloatArray:
    """Return the distance from each frequency to the nearest singularity."""
    position, distance = np.array(marks.poles + tuple((edge, 0.0) for edge in marks.edges)).T
    return np.asarray(np.min(np.hypot(frequency[:, None] - position, distance), axis=1))
