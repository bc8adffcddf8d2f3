"""A Lindblad equation on the rungs of a ladder: states of charge K, and jumps from K to K ± 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from wheelwork._checks import FloatArray
from wheelwork.lindblad.graded.kernels import arrive, rate
from wheelwork.lindblad.operators import IndexArray

Block = npt.NDArray[Any]  # real or complex
Blocks = list[Block]

WORKSPACE = 12  # vectors besides those that GMRES keeps
MODES = 8  # dense matrices for each rung


@dataclass(frozen=True, eq=False)
class Link:
    """Jumps of one kind of excitation between rung K, of d states, and rung K + 1.

    above: (d,), the state of rung K + 1 with one excitation more than each of rung K. down, up:
    (number of jumps, d), amplitudes ≥ 0 of the jumps from `above` to the state and back.
    """

    above: IndexArray
    down: FloatArray
    up: FloatArray


@dataclass(frozen=True, eq=False)
class FlatLinks:
    """All links one after the other, for compiled loops.

    first: (M + 1,), number of the first link that leads up from each rung; last that of all links.
    begins: where each link begins in the last axis of the others. above, down, up: as in `Link`,
    zero for jumps that a link does not have.
    """

    first: IndexArray
    begins: IndexArray
    above: IndexArray
    down: FloatArray
    up: FloatArray

    @classmethod
    def of(cls, links: Sequence[Sequence[Link]]) -> "FlatLinks":
        every = [link for rung in links for link in rung]
        ends = np.cumsum([0, *(link.above.size for link in every)])
        jumps = max((len(each) for link in every for each in (link.down, link.up)), default=0)
        down, up = np.zeros((2, jumps, int(ends[-1])))
        for link, begin, end in zip(every, ends[:-1], ends[1:], strict=True):
            down[: len(link.down), begin:end] = link.down
            up[: len(link.up), begin:end] = link.up
        above = [link.above for link in every]
        return cls(
            np.cumsum([0, *(len(rung) for rung in links)]),
            ends[:-1],
            np.concatenate(above) if above else np.zeros(0, dtype=np.int64),
            down,
            up,
        )

    @property
    def arrays(self) -> tuple[npt.NDArray[Any], ...]:
        """In the order of the fields."""
        return self.first, self.begins, self.above, self.down, self.up


@dataclass(frozen=True, eq=False)
class Ladder:
    """dρ/dt = C ρ + ρ C† + Σ_k (L_k ρ L_k† − ½{L_k†L_k, ρ}) for ρ diagonal in the charge.

    coherent: for each charge K = 0 … M the matrix C = −iH, anti-Hermitian, (d_K, d_K), all real or
    all complex. links: for each K < M those between rungs K and K + 1. beyond: those to a rung
    M + 1 that is left out, with all that follow; the jumps to it are, too, so that the trace is
    kept. Without it the ladder ends at M. tail: ratio of neighbouring probabilities far out, where
    it is known; they may fall faster before.
    A state is a vector of Σ d_K² numbers, rung by rung; see `blocks`.
    """

    coherent: tuple[Block, ...]
    links: tuple[Sequence[Link], ...]
    beyond: Sequence[Link] = ()
    tail: float = 0.0

    @property
    def top(self) -> int:
        """M, the largest charge."""
        return len(self.coherent) - 1

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.result_type(*{matrix.dtype for matrix in self.coherent}))

    @cached_property
    def sizes(self) -> IndexArray:
        """d_K, (M + 1,)."""
        return np.array([len(matrix) for matrix in self.coherent], dtype=np.int64)

    @cached_property
    def starts(self) -> IndexArray:
        """Where each rung begins in a vector, (M + 2,)."""
        return np.concatenate(([0], np.cumsum(self.sizes**2)))

    @property
    def unknowns(self) -> int:
        return int(self.starts[-1])

    def blocks(self, vector: Block) -> Blocks:
        """Views of a vector as matrices (d_K, d_K)."""
        starts = self.starts.tolist()
        return [
            vector[starts[K] : starts[K + 1]].reshape(d, d)
            for K, d in enumerate(self.sizes.tolist())
        ]

    def zeros(self) -> Block:
        return np.zeros(self.unknowns, dtype=self.dtype)

    @cached_property
    def losses(self) -> list[FloatArray]:
        """Σ_k L_k†L_k of every rung, diagonal."""
        rates = [np.zeros(d) for d in self.sizes]
        for K, links in enumerate(self.links):
            for link in links:
                rates[K] += np.sum(link.up**2, axis=0)
                rates[K + 1][link.above] += np.sum(link.down**2, axis=0)
        return rates

    @cached_property
    def drifts(self) -> list[sp.csr_array]:
        """−iH − ½ Σ_k L_k†L_k of every rung."""
        pairs = zip(self.coherent, self.losses, strict=True)
        return [sp.csr_array(C - np.diag(0.5 * rates)) for C, rates in pairs]

    @cached_property
    def flat_links(self) -> FlatLinks:
        """The links for compiled loops."""
        return FlatLinks.of(self.links)

    @cached_property
    def _flat_drifts(self) -> tuple[npt.NDArray[Any], ...]:
        """indptr, indices within a rung, data, of all rows."""
        counts = np.concatenate([np.diff(D.indptr) for D in self.drifts])
        indices = np.concatenate([D.indices for D in self.drifts])
        data = np.concatenate([D.data for D in self.drifts])
        return np.concatenate(([0], np.cumsum(counts))), indices, data

    def arrive(self, vector: Block, K: int, out: Block) -> None:
        """Add to `out` what jumps bring to rung K from its neighbours."""
        arrive(K, self.sizes, self.starts, self.flat_links.arrays, vector, out)

    def rate(self, vector: Block) -> Block:
        """dρ/dt of a Hermitian ρ."""
        return self._rate(vector, self._flat_drifts)

    def magnitude(self, vector: Block) -> FloatArray:
        """Sum of the magnitudes of the terms of dρ/dt."""
        indptr, indices, data = self._flat_drifts
        return self._rate(np.abs(vector), (indptr, indices, np.abs(data)))

    def _rate(self, vector: Block, drifts: tuple[npt.NDArray[Any], ...]) -> Block:
        result = np.empty_like(vector)
        rate(self.sizes, self.starts, self.flat_links.arrays, drifts, vector, result)
        return result

    @cached_property
    def places(self) -> IndexArray:
        """Places of the populations in a vector."""
        return np.concatenate(
            [s + np.arange(d) * (d + 1) for s, d in zip(self.starts, self.sizes, strict=False)]
        )

    def trace(self, vector: Block) -> float:
        return float(np.sum(vector[self.places].real))

    def charges(self, vector: Block) -> FloatArray:
        """Probabilities of the charges, (M + 1,)."""
        ends = np.cumsum(self.sizes)[:-1]
        return np.array([part.sum() for part in np.split(vector[self.places].real, ends)])


def required_bytes(sizes: Sequence[int], restart: int, complex_numbers: bool) -> float:
    """Memory that a steady state takes on rungs of these sizes, without finding it."""
    unknowns = float(np.sum(np.asarray(sizes, dtype=np.float64) ** 2))
    return (16.0 if complex_numbers else 8.0) * unknowns * (restart + WORKSPACE + MODES)
