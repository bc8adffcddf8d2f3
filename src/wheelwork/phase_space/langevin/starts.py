"""Where trajectories leave from: spread over all orbits that may matter."""

from dataclasses import dataclass

import numba
import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.numerics.random import philox4x32
from wheelwork.phase_space.domain import find_domain
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel

MESH = 2001
STARTS = 1  # fourth word of the counter; that of the steps' noise is zero
WORD = 2.0**-32


@dataclass(frozen=True)
class Spread:
    """Starts on orbits of E = P² + U(X), U measured from its minimum: E = `energy` v² with v
    uniform between 0 and 1, X uniform where U ≤ E, P of either sign.

    The energy is that of `find_domain`, at which W has fallen to e^-42 of its maximum: half of the
    starts have less than a quarter of it, so that wells and rings are met from all sides.

    X: positions in the order of rising U. potential: U there.
    """

    X: FloatArray
    potential: FloatArray
    energy: float

    @classmethod
    def of(cls, model: PhaseSpaceModel) -> "Spread":
        """Return the spread of starts for `model`. Raises as `find_domain`."""
        domain = find_domain(model)
        X = np.linspace(domain.low, domain.high, MESH)
        net = 2.0 * X - 2.0 / model.frequency * model.scaled(X)[0]
        steps = 0.5 * (net[1:] + net[:-1]) * np.diff(X)
        potential = np.concatenate([[0.0], np.cumsum(steps)])
        order = np.argsort(potential, kind="stable")
        return cls(X[order], potential[order] - potential[order[0]], domain.energy)

    def draw(self, seed: int, count: int) -> FloatArray:
        """Return (2, count) X and P; those of trajectory i depend on (seed, i) alone."""
        place, share, sign = _uniforms(np.uint64(seed), count)
        energy = self.energy * share**2
        allowed = np.searchsorted(self.potential, energy, side="right")
        chosen = (place * allowed).astype(np.intp)
        speed = np.sqrt(np.maximum(energy - self.potential[chosen], 0.0))
        return np.stack([self.X[chosen], np.where(sign < 0.5, speed, -speed)])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _uniforms(seed, count):  # type: ignore[no-untyped-def]
    """Return (3, count) numbers between zero and one, from (seed, trajectory)."""
    values = np.empty((3, count))
    counter, key = np.zeros(4, np.uint64), np.empty(2, np.uint64)
    key[0], key[1] = seed & np.uint64(0xFFFFFFFF), seed >> np.uint64(32)
    counter[3] = np.uint64(STARTS)
    for i in range(count):
        counter[2] = np.uint64(i)
        words = philox4x32(counter, key)
        for j in range(3):
            values[j, i] = (np.float64(words[j]) + 0.5) * WORD
    return values
