"""How the samples of a watched run are shared out among batches, for their errors."""

from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.numerics.statistics import BATCHES, MANY_TRAJECTORIES, standard_error


@dataclass
class BatchMeans:
    """Means over windows of time, kept per trajectory and, where these are few, per part of it.

    total: windows to come. values: (parts, lanes, *shape) sums. counts: (parts,) windows in each.
    """

    total: int
    values: FloatArray
    counts: FloatArray
    done: int = 0

    @classmethod
    def of(cls, total: int, lanes: int, shape: tuple[int, ...]) -> "BatchMeans":
        """Return empty batches: whole trajectories, or with fewer than 16 at least 64 parts."""
        parts = 1 if lanes >= MANY_TRAJECTORIES else min(total, -(-BATCHES // lanes))
        return cls(total, np.zeros((parts, lanes, *shape)), np.zeros(parts))

    @property
    def part(self) -> int:
        """The part of the run to which the next window belongs."""
        return self.done * len(self.counts) // self.total

    def finish(self) -> None:
        """Count a window, after its values were added to `values[part]`."""
        self.counts[self.part] += 1.0
        self.done += 1

    def estimates(self) -> tuple[FloatArray, FloatArray]:
        """Return means and standard errors, each of the shape of one value.

        Raises NotConverged as `wheelwork.numerics.statistics.standard_error`.
        """
        weight = self.counts.reshape((-1, *[1] * (self.values.ndim - 1)))
        mean = self.values.sum(axis=(0, 1)) / (np.sum(self.counts) * self.values.shape[1])
        off = self.values / weight - mean
        flat = off.reshape((*off.shape[:2], -1))
        error = np.array([standard_error(flat[..., i]) for i in range(flat.shape[2])])
        return mean, error.reshape(mean.shape)
