"""Number states of several modes with at most M quanta in all, rung by rung of their total."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

IndexArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FockSpace:
    """|n_1 … n_N⟩ with n_1 + … + n_N = K on rung K = 0 … cutoff, n_1 varying slowest.

    The whole basis is rung after rung.
    """

    modes: int
    cutoff: int

    @property
    def sizes(self) -> list[int]:
        """States on every rung, C(K + N − 1, N − 1)."""
        return rung_sizes(self.modes, self.cutoff)

    @property
    def dimension(self) -> int:
        """C(M + N, N)."""
        return math.comb(self.cutoff + self.modes, self.modes)

    @cached_property
    def occupations(self) -> list[IndexArray]:
        """(d_K, N), the occupations of the states of every rung."""
        return [_compositions(K, self.modes) for K in range(self.cutoff + 1)]

    @cached_property
    def above(self) -> list[list[IndexArray]]:
        """above[K][j]: (d_K,), place on rung K + 1 of the states with one quantum more in j.

        The last rung's lead out of the space.
        """
        weights = (self.cutoff + 2) ** np.arange(self.modes - 1, -1, -1, dtype=object)
        if (self.cutoff + 2) ** self.modes <= np.iinfo(np.int64).max:
            weights = weights.astype(np.int64)  # else Python's numbers, which do not overflow
        rungs = [*self.occupations, _compositions(self.cutoff + 1, self.modes)]
        keys = [states @ weights for states in rungs]
        return [
            [np.searchsorted(keys[K + 1], keys[K] + weight) for weight in weights]
            for K in range(self.cutoff + 1)
        ]

    @cached_property
    def all_occupations(self) -> IndexArray:
        """(D, N), of the whole basis."""
        return np.concatenate(self.occupations)


def rung_sizes(modes: int, cutoff: int) -> list[int]:
    """Number of states of each total."""
    return [math.comb(K + modes - 1, modes - 1) for K in range(cutoff + 1)]


def _compositions(total: int, modes: int) -> IndexArray:
    """Ways to share quanta among modes, in lexicographic order."""
    if modes == 1:
        return np.array([[total]], dtype=np.int64)
    if modes == 2:
        first = np.arange(total + 1, dtype=np.int64)
        return np.column_stack((first, total - first))
    parts = []
    for quanta in range(total + 1):
        rest = _compositions(total - quanta, modes - 1)
        parts.append(np.hstack((np.full((len(rest), 1), quanta, dtype=np.int64), rest)))
    return np.vstack(parts)
