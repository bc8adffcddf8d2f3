"""How far a sampling run has come: where its trajectories are, and sums in blocks of time.

The number of blocks is fixed. When all are full, neighbours are merged and blocks become twice as
long, so that memory does not grow with the duration.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.phase_space.langevin.trajectories import BLOCKS_PER_CHUNK, Record


@dataclass(frozen=True)
class Ensemble:
    """Trajectories stepped alike.

    state: (2, lanes) X and P now. sums: (time blocks, observables, lanes) over the samples of
    each block of time. width: chunks in a full block. chunks: done so far.
    """

    state: FloatArray
    sums: FloatArray
    width: int = 1
    chunks: int = 0

    @classmethod
    def starting(cls, state: FloatArray, observables: int, blocks: int) -> "Ensemble":
        """Return trajectories at the points `state` (2, lanes), before the first step."""
        return cls(state.copy(), np.zeros((blocks, observables, state.shape[1])))

    def after(self, record: Record) -> "Ensemble":
        """Return the ensemble after the chunks of `record`."""
        sums, width, chunks = self.sums.copy(), self.width, self.chunks
        # One chunk after the other: the order of additions must not depend on how a run is cut.
        for chunk_sums in record.sums:
            if chunks == width * len(sums):
                sums, width = _merged(sums), 2 * width
            sums[chunks // width] += chunk_sums
            chunks += 1
        return replace(self, state=record.states[-1].copy(), sums=sums, width=width, chunks=chunks)

    def of_first(self, lanes: int) -> "Ensemble":
        """Return the first `lanes` trajectories alone."""
        return replace(self, state=self.state[:, :lanes], sums=self.sums[:, :, :lanes])

    def late_means(self) -> FloatArray:
        """(observables,) means over all trajectories and the second half of the time."""
        half = self.filled // 2
        samples = np.sum(self.samples[half:]) * self.state.shape[1]
        return np.asarray(self.sums[half : self.filled].sum(axis=(0, 2)) / samples)

    def lost(self) -> "Ensemble":
        """Return the ensemble with NaN for all it held."""
        return replace(
            self, state=np.full_like(self.state, np.nan), sums=np.full_like(self.sums, np.nan)
        )

    @property
    def filled(self) -> int:
        """Blocks of time that hold samples."""
        return -(-self.chunks // self.width)

    @property
    def samples(self) -> npt.NDArray[np.intp]:
        """(filled,) samples of one trajectory in each block of time."""
        counts = np.full(self.filled, self.width * BLOCKS_PER_CHUNK)
        counts[-1:] -= (self.filled * self.width - self.chunks) * BLOCKS_PER_CHUNK
        return counts


def _merged(sums: FloatArray) -> FloatArray:
    merged = np.zeros_like(sums)
    merged[: len(sums) // 2] = sums[::2] + sums[1::2]
    return merged
