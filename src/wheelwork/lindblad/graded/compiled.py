"""The two parts of the preconditioner of a real ladder, each in one compiled loop.

On rungs of some ten states most of the time would pass between calls.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.lindblad.graded.kernels import correct_real, settle_real
from wheelwork.lindblad.graded.model import Block, Ladder
from wheelwork.lindblad.graded.modes import RealModes
from wheelwork.lindblad.graded.populations import PopulationChain
from wheelwork.lindblad.operators import ComplexArray, IndexArray


@dataclass(frozen=True, eq=False)
class RealSweeps:
    """`AnySweeps` where all modes are `RealModes`.

    left, right: of every rung, as the blocks of a vector. pairs, kept: (M + 1,), p and h. begins:
    where each rung begins in unlike and like.
    """

    ladder: Ladder
    left: FloatArray
    right: FloatArray
    pairs: IndexArray
    kept: IndexArray
    begins: IndexArray
    unlike: ComplexArray
    like: ComplexArray

    @classmethod
    def of(cls, ladder: Ladder, modes: Sequence[RealModes]) -> "RealSweeps":
        kept = np.array([len(each.like) for each in modes])
        return cls(
            ladder,
            _flat([each.left for each in modes]),
            _flat([each.right for each in modes]),
            np.array([each.pairs for each in modes]),
            kept,
            np.cumsum(kept**2) - kept**2,
            _flat([each.unlike for each in modes]),
            _flat([each.like for each in modes]),
        )

    def settle(self, rungs: IndexArray, wanted: Block, x: Block) -> None:
        ladder, links = self.ladder, self.ladder.flat_links.arrays
        modes = self.left, self.right, self.pairs, self.kept, self.begins, self.unlike, self.like
        settle_real(rungs, ladder.sizes, ladder.starts, links, modes, wanted, x)


@dataclass(frozen=True, eq=False)
class RealCorrection:
    """`PopulationChain.correct` of a real ladder.

    states: (M + 2,), where the populations of each rung begin. parts: real and imaginary parts of
    its eigenstates, (d, 2h). begins: (3, M + 2), where each rung begins in parts, in inverses, and
    in up and down, of which it has those from and to the rung below.
    """

    ladder: Ladder
    states: IndexArray
    parts: FloatArray
    weights: FloatArray
    inverses: FloatArray
    up: FloatArray
    down: FloatArray
    begins: IndexArray

    @classmethod
    def of(cls, chain: PopulationChain) -> "RealCorrection":
        eigenstates = chain.eigenstates
        parts = [np.hstack((each.vectors.real, each.vectors.imag)) for each in eigenstates]
        links = [0, *(matrix.size for matrix in chain.up)]
        sizes = [[each.size for each in parts], [each.size for each in chain.inverses], links]
        return cls(
            chain.ladder,
            np.cumsum([0, *(each.weights.size for each in eigenstates)]),
            _flat(parts),
            _flat([each.weights for each in eigenstates]),
            _flat(chain.inverses),
            _flat(chain.up),
            _flat(chain.down),
            np.array([np.cumsum([0, *each]) for each in sizes]),
        )

    def correct(self, residual: Block, x: Block) -> None:
        chain = (
            self.states,
            self.parts,
            self.weights,
            self.inverses,
            self.up,
            self.down,
            self.begins,
        )
        correct_real(self.ladder.sizes, self.ladder.starts, chain, residual, x)


def _flat(arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """All numbers of all arrays, by rows."""
    return np.concatenate([each.ravel() for each in arrays]) if arrays else np.zeros(0)
