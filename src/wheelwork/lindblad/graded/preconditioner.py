"""The preconditioner of a ladder: sweeps over the rungs, and between them the slow populations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from wheelwork.lindblad.graded.compiled import RealCorrection, RealSweeps
from wheelwork.lindblad.graded.model import Block, Ladder
from wheelwork.lindblad.graded.modes import Modes, RealModes, modes_of
from wheelwork.lindblad.graded.populations import PopulationChain
from wheelwork.lindblad.operators import IndexArray


class Sweeps(Protocol):
    def settle(self, rungs: IndexArray, wanted: Block, x: Block) -> None:
        """Set x on each of `rungs`, in their order, so that it changes there as is wanted."""


class Correction(Protocol):
    def correct(self, residual: Block, x: Block) -> None:
        """Add to x the state of eigenstates whose change has the populations of `residual`."""


@dataclass(frozen=True, eq=False)
class AnySweeps:
    """Sweeps with modes of any kind."""

    ladder: Ladder
    modes: Sequence[Modes]

    def settle(self, rungs: IndexArray, wanted: Block, x: Block) -> None:
        wanted_blocks, blocks = self.ladder.blocks(wanted), self.ladder.blocks(x)
        for K in rungs.tolist():
            arriving = np.zeros_like(blocks[K])
            self.ladder.arrive(x, K, arriving)
            blocks[K][:] = self.modes[K].solve(wanted_blocks[K] - arriving)


@dataclass(frozen=True, eq=False)
class Preconditioner:
    """A sweep upwards, the chain of populations for what is left, a sweep downwards."""

    ladder: Ladder
    sweeps: Sweeps
    correction: Correction

    @classmethod
    def of(cls, chain: PopulationChain) -> "Preconditioner":
        """Return it for the ladder of `chain`, compiled where that is real."""
        ladder = chain.ladder
        fastest = max(float(rates.max()) for rates in ladder.losses)
        modes = [modes_of(drift.toarray(), fastest) for drift in ladder.drifts]
        real = [each for each in modes if isinstance(each, RealModes)]
        alike = len(real) == len(modes)
        return cls(
            ladder,
            RealSweeps.of(ladder, real) if alike else AnySweeps(ladder, modes),
            RealCorrection.of(chain) if ladder.dtype == np.float64 else chain,
        )

    def __call__(self, right: Block) -> Block:
        """Return roughly what changes by `right`."""
        x, rungs = self.ladder.zeros(), np.arange(self.ladder.top + 1)
        self.sweeps.settle(rungs, right, x)
        self.correction.correct(right - self.ladder.rate(x), x)
        self.sweeps.settle(rungs[::-1], right, x)
        return x
