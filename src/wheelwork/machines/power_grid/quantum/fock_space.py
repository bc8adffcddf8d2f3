"""Number states of several modes with at most M quanta in all, in sectors of equal total."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed

IndexArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FockSpace(Computed):
    """|n_1 … n_N⟩ with n_1 + … + n_N = K in sector K = 0 … cutoff, n_1 varying slowest.

    The whole basis is sector after sector.
    """

    modes: int
    cutoff: int

    @property
    def sizes(self) -> list[int]:
        """States of every sector, d_K = C(K + N − 1, N − 1)."""
        return sector_sizes(self.modes, self.cutoff)

    @property
    def dimension(self) -> int:
        """States of the whole basis, C(M + N, N)."""
        return math.comb(self.cutoff + self.modes, self.modes)

    @cached_property
    def starts(self) -> IndexArray:
        """Index of the first state of every sector, and the dimension, (M + 2,)."""
        return np.concatenate(([0], np.cumsum(self.sizes)))

    @cached_property
    def occupations(self) -> list[IndexArray]:
        """(d_K, N), the occupations of the states of every sector."""
        return [_compositions(K, self.modes) for K in range(self.cutoff + 1)]

    @cached_property
    def above(self) -> list[list[IndexArray]]:
        """above[K][j]: (d_K,), index within sector K + 1 of the states with one quantum more in j.

        Those of the last sector lead out of the space.
        """
        weights = (self.cutoff + 2) ** np.arange(self.modes - 1, -1, -1, dtype=object)
        if (self.cutoff + 2) ** self.modes <= np.iinfo(np.int64).max:
            weights = weights.astype(np.int64)  # else Python's numbers, which do not overflow
        sectors = [*self.occupations, _compositions(self.cutoff + 1, self.modes)]
        keys = [states @ weights for states in sectors]
        return [
            [np.searchsorted(keys[K + 1], keys[K] + weight) for weight in weights]
            for K in range(self.cutoff + 1)
        ]

    def raised(self, j: int) -> IndexArray:
        """Index of each state of the sectors below the last with one quantum more in mode j."""
        above = [self.starts[K + 1] + self.above[K][j] for K in range(self.cutoff)]
        return np.concatenate(above) if above else np.zeros(0, np.int64)

    @cached_property
    def all_occupations(self) -> IndexArray:
        """(D, N), of the whole basis."""
        return np.concatenate(self.occupations)

    def index(self, occupations: IndexArray) -> int:
        """Index of the number state with these occupations, (N,), in the whole basis."""
        K = int(occupations.sum())
        within = np.flatnonzero(np.all(self.occupations[K] == occupations, axis=1))
        return int(self.starts[K]) + int(within[0])


def sector_sizes(modes: int, cutoff: int) -> list[int]:
    """Number of states of each total 0 … cutoff."""
    return [math.comb(K + modes - 1, modes - 1) for K in range(cutoff + 1)]


def sector_sizes_as_floats(modes: int, cutoff: int) -> FloatArray:
    """The same as floats, at once for many: to estimate the work before it is begun."""
    K = np.arange(cutoff + 1.0)
    sizes = np.ones(cutoff + 1)
    for i in range(1, modes):
        sizes *= (K + i) / i
    return sizes


def _compositions(total: int, modes: int) -> IndexArray:
    """Ways to share quanta among modes, in lexicographic order."""
    if modes == 1:
        return np.array([[total]], dtype=np.int64)
    if modes == 2:
        first = np.arange(total + 1, dtype=np.int64)
        return np.column_stack((first, total - first))
    parts = []
    for quanta in range(total + 1):
        others = _compositions(total - quanta, modes - 1)
        parts.append(np.hstack((np.full((len(others), 1), quanta, dtype=np.int64), others)))
    return np.vstack(parts)
