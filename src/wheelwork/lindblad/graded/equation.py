"""A Lindblad equation on charge sectors: H acts within a charge K, jumps lead from K to K ± 1.

Derivations: docs/developers/lindblad.md, "Graded equations".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.lindblad.graded.kernels import add_gain, rate
from wheelwork.lindblad.operators import IndexArray
from wheelwork.parameters import ShortRepr

Block = npt.NDArray[Any]  # real or complex
Blocks = list[Block]

# Memory of `steady_state`, counted from the arrays alive at its peak.
WORKSPACE = 12  # vectors besides those that GMRES keeps
MODES = 8  # dense matrices for each sector: its eigenvectors, their inverse, the chain's matrices
# Work of one iteration, in multiplications: products of d × d matrices, complex ones fourfold, and
# what each sector takes besides, measured.
PRODUCTS, COMPLEX, SECTOR = 10.0, 4.0, 1e5
MAKING = 6  # iterations: the time to make all matrices, against that of an iteration


@dataclass(frozen=True, eq=False, repr=False)
class Link(ShortRepr):
    """Jumps that add or remove one kind of excitation, between sectors K (d states) and K + 1.

    above: (d,), for each state of sector K the state of sector K + 1 with one excitation more.
    down: (number of jumps, d), amplitudes ≥ 0 of the jumps from `above` to each state. up: the same
    for the jumps from each state to `above`.
    """

    above: IndexArray
    down: FloatArray
    up: FloatArray


@dataclass(frozen=True, eq=False, repr=False)
class GradedLindblad(Computed):
    """dρ/dt = C ρ + ρ C† + Σ_k (L_k ρ L_k† − ½{L_k†L_k, ρ}) for ρ block diagonal in the charge.

    coherent: for each charge K = 0 … M the matrix C = −iH, anti-Hermitian, (d_K, d_K), all real or
    all complex. links: for each K < M the links between sectors K and K + 1. beyond: the links to
    sector M + 1, which is left out together with all sectors above it and with the jumps to it, so
    that the trace is conserved; empty where the charge ends at M. tail: ratio of the probabilities
    of neighbouring charges far out, where it is known; nearer in they may fall faster.
    A state is a vector of Σ d_K² numbers, sector by sector; see `blocks`.
    """

    coherent: tuple[Block, ...]
    links: tuple[Sequence[Link], ...]
    beyond: Sequence[Link] = ()
    tail: float = 0.0

    def __repr__(self) -> str:
        kind = "real" if self.dtype == np.float64 else "complex"
        return f"GradedLindblad(charges 0 to {self.top}, {self.unknowns} {kind} unknowns)"

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
        """Where each sector begins in a vector, (M + 2,)."""
        return np.concatenate(([0], np.cumsum(self.sizes**2)))

    @property
    def unknowns(self) -> int:
        """Σ d_K², the length of a vector."""
        return int(self.starts[-1])

    def blocks(self, vector: Block) -> Blocks:
        """Views of a vector as matrices (d_K, d_K)."""
        pairs = zip(self.starts.tolist(), self.sizes.tolist(), strict=False)
        return [vector[start : start + d * d].reshape(d, d) for start, d in pairs]

    def zeros(self) -> Block:
        return np.zeros(self.unknowns, dtype=self.dtype)

    @cached_property
    def losses(self) -> list[FloatArray]:
        """Σ_k L_k†L_k of every sector, diagonal."""
        rates = [np.zeros(d) for d in self.sizes]
        for K, links in enumerate(self.links):
            for link in links:
                rates[K] += np.sum(link.up**2, axis=0)
                rates[K + 1][link.above] += np.sum(link.down**2, axis=0)
        return rates

    @cached_property
    def drifts(self) -> list[sp.csr_array]:
        """−iH − ½ Σ_k L_k†L_k of every sector."""
        pairs = zip(self.coherent, self.losses, strict=True)
        return [sp.csr_array(C - np.diag(0.5 * rates)) for C, rates in pairs]

    @cached_property
    def flat_links(self) -> tuple[npt.NDArray[Any], ...]:
        """All links concatenated, for compiled loops.

        The first link that leads up from each sector, and the number of links, (M + 1,); where each
        link begins in the last axis of what follows; above, down, up as in `Link`, padded with
        zeros to the largest number of jumps.
        """
        every = [link for sector in self.links for link in sector]
        ends = np.cumsum([0, *(link.above.size for link in every)])
        jumps = max((len(each) for link in every for each in (link.down, link.up)), default=0)
        down, up = np.zeros((2, jumps, int(ends[-1])))
        for link, begin, end in zip(every, ends[:-1], ends[1:], strict=True):
            down[: len(link.down), begin:end] = link.down
            up[: len(link.up), begin:end] = link.up
        above = np.concatenate([np.zeros(0, dtype=np.int64), *(link.above for link in every)])
        first = np.cumsum([0, *(len(sector) for sector in self.links)])
        return first, ends[:-1], above, down, up

    @cached_property
    def _flat_drifts(self) -> tuple[npt.NDArray[Any], ...]:
        """indptr, indices within a sector, data, of all rows."""
        parts = [(np.diff(D.indptr), D.indices, D.data) for D in self.drifts]
        counts, indices, data = (np.concatenate(each) for each in zip(*parts, strict=True))
        return np.concatenate(([0], np.cumsum(counts))), indices, data

    def add_gain(self, vector: Block, K: int, out: Block) -> None:
        """Add Σ_k L_k ρ L_k† in sector K, from the sectors K ± 1, to `out`."""
        add_gain(K, self.sizes, self.starts, self.flat_links, vector, out)

    def rate(self, vector: Block) -> Block:
        """dρ/dt of a Hermitian ρ."""
        return self._rate(vector, self._flat_drifts)

    def magnitude(self, vector: Block) -> FloatArray:
        """Sum of the magnitudes of the terms of dρ/dt."""
        indptr, indices, data = self._flat_drifts
        return self._rate(np.abs(vector), (indptr, indices, np.abs(data)))

    def _rate(self, vector: Block, drifts: tuple[npt.NDArray[Any], ...]) -> Block:
        result = np.empty_like(vector)
        rate(self.sizes, self.starts, self.flat_links, drifts, vector, result)
        return result

    @cached_property
    def diagonal(self) -> IndexArray:
        """Positions of the populations ρ_aa in a vector."""
        pairs = zip(self.starts, self.sizes, strict=False)
        return np.concatenate([start + np.arange(d) * (d + 1) for start, d in pairs])

    def trace(self, vector: Block) -> float:
        return float(np.sum(vector[self.diagonal].real))

    def charge_probabilities(self, vector: Block) -> FloatArray:
        """Tr ρ of each sector, (M + 1,)."""
        ends = np.cumsum(self.sizes)[:-1]
        return np.array([part.sum() for part in np.split(vector[self.diagonal].real, ends)])


def required_bytes(sizes: npt.ArrayLike, restart: int, complex_numbers: bool) -> float:
    """Return the memory that `steady_state` takes for sectors of these sizes, in bytes."""
    unknowns = float(np.sum(np.asarray(sizes, dtype=np.float64) ** 2))
    return (16.0 if complex_numbers else 8.0) * unknowns * (restart + WORKSPACE + MODES)


def required_work(sizes: npt.ArrayLike, complex_numbers: bool) -> float:
    """Return the multiplications of one iteration of `steady_state` for sectors of these sizes.

    To make its matrices takes as many as `MAKING` iterations. 1e11 take about 10 s on one core.
    """
    cubes = np.asarray(sizes, dtype=np.float64) ** 3 * (COMPLEX if complex_numbers else 1.0)
    return float(np.sum(PRODUCTS * cubes + SECTOR))
