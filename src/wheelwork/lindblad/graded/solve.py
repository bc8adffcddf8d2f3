"""Steady states on a ladder: GMRES, preconditioned by sweeps over the rungs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.lindblad.graded.kernels import climb, descend
from wheelwork.lindblad.graded.model import Block, Ladder, Link
from wheelwork.lindblad.graded.populations import PopulationChain
from wheelwork.lindblad.graded.preconditioner import Preconditioner
from wheelwork.lindblad.steady import ROUNDING, SEED

FINEST, COARSEST = 1e-6, 1e-3  # reduction of the residual by one correction
ROUGH_RTOL = 0.1
CORRECTIONS = 8
MARGIN = 10.0  # of one random sample of rounding, and of the contraction of the corrections
CYCLES = 6
CUT_MARGIN = 3.0  # of what rungs beyond the last are estimated to change
SLOWEST = 0.999  # fall of the probabilities of neighbouring rungs
TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class LadderSteady:
    """A steady state of trace one with its warrant.

    values: its vector. doubts: vectors whose size is what the state may be off by, by iterations
    that ended, by rounding and by the rungs beyond the last, and what those would hold: the error
    of a linear functional is at most about the sum of the magnitudes of its values on them, for the
    first that of the magnitudes of its terms, since only the size of what iterations left is known.
    residual: Σ|dρ/dt| against the sum of the magnitudes of its terms. iterations: of GMRES in all.
    """

    ladder: Ladder
    values: Block
    doubts: tuple[Block, ...]
    residual: float
    iterations: int

    @property
    def error(self) -> float:
        """Estimated Σ|δρ|."""
        return float(sum(np.abs(doubt).sum() for doubt in self.doubts))


def ladder_steady_state(
    ladder: Ladder, rtol: float = 1e-8, *, start: Block | None = None, restart: int = 40
) -> LadderSteady:
    """Return the steady state of a ladder.

    rtol: largest Σ|δρ| that iterations may leave. start: a state to begin with. restart: vectors
    that GMRES keeps.
    The preconditioner sweeps upwards and downwards with exact solutions between jumps on each
    rung, with the exact chain of populations of H's eigenstates between the sweeps.

    Raises:
        NotConverged: when iterations do not suffice, as where there are several steady states.
    """
    search = _Search.of(ladder, restart)
    x = search.first() if start is None else start / ladder.trace(start)
    inner = min(max(0.1 * math.sqrt(rtol), FINEST), COARSEST)
    last, noise = np.inf, float(np.linalg.norm(ROUNDING * ladder.magnitude(x)))
    for _ in range(CORRECTIONS):
        moved = x + search.correction(-ladder.rate(x), inner, noise)
        moved /= ladder.trace(moved)
        step, x = moved - x, moved
        size = float(np.abs(step).sum())
        share = min(1.0, MARGIN * max(size / last, inner)) if last < np.inf else 1.0
        if size * share <= rtol or size > 0.5 * last:
            break
        last = size
    return _warranted(search, x, share * step, rtol)


def _warranted(search: "_Search", x: Block, left: Block, rtol: float) -> LadderSteady:
    ladder = search.ladder
    size = float(np.abs(left).sum())
    terms = ladder.magnitude(x)
    source = MARGIN * search.rounding(terms)
    if ladder.beyond:
        ladder.blocks(source)[-1][:] += CUT_MARGIN * crossed(ladder.beyond, ladder.blocks(x)[-1])
    changed = search.correction(source, ROUGH_RTOL, 0.0)
    changed -= ladder.trace(changed) * x
    doubts = (left, changed, search.missing(x))
    if size > max(rtol, float(np.abs(doubts[1]).sum())):
        raise NotConverged(
            f"the steady state of {ladder.unknowns} unknowns was reached to {size:.1e} instead of "
            f"{rtol:g} in {search.iterations} iterations: relaxation is very slow, or there are "
            "several steady states"
        )
    total = float(terms.sum())
    residual = float(np.abs(ladder.rate(x)).sum()) / total if total else 0.0
    return LadderSteady(ladder, x, doubts, residual, search.iterations)


@dataclass(eq=False)
class _Search:
    ladder: Ladder
    chain: PopulationChain
    precondition: Preconditioner
    restart: int
    iterations: int = 0

    @classmethod
    def of(cls, ladder: Ladder, restart: int) -> "_Search":
        chain = PopulationChain.of(ladder)
        return cls(ladder, chain, Preconditioner.of(chain), restart)

    def first(self) -> Block:
        """The steady state if H oscillates much faster than jumps come."""
        x = self.ladder.zeros()
        found = self.chain.stationary()
        for block, states, part in zip(
            self.ladder.blocks(x), self.chain.eigenstates, found, strict=True
        ):
            block[:] = states.state(part)
        return np.asarray(x / self.ladder.trace(x))

    def correction(self, right: Block, rtol: float, atol: float) -> Block:
        """Return x whose rate is `right`, to `rtol` of its 2-norm or to `atol`."""
        n = self.ladder.unknowns
        if not np.any(right):
            return np.zeros_like(right)
        right = right.copy()
        right[self.ladder.places] -= self.ladder.trace(right) / self.ladder.places.size
        real = right.view(np.float64)
        operator = LinearOperator((real.size, real.size), matvec=self._step, dtype=np.float64)
        u, failed = gmres(
            operator, real, rtol=rtol, atol=atol, restart=min(self.restart, n), maxiter=CYCLES
        )
        if failed:
            off = float(np.linalg.norm(real - operator @ u) / np.linalg.norm(real))
            raise NotConverged(
                f"GMRES on {n} unknowns reached a residual of {off:.1e} instead of {rtol:.0e} in "
                f"{self.iterations} iterations: relaxation is very slow, or there are several "
                "steady states"
            )
        return self.precondition(u.view(self.ladder.dtype))

    def _step(self, u: FloatArray) -> FloatArray:
        self.iterations += 1
        moved = self.ladder.rate(self.precondition(u.view(self.ladder.dtype)))
        return np.asarray(moved.view(np.float64))

    def missing(self, x: Block) -> Block:
        """What rungs beyond the last hold, in its shape.

        Probabilities are taken to fall on as from M − 1 to M, or as far out where that is slower,
        weighted by how far they are beyond.
        """
        ladder = self.ladder
        found = ladder.zeros()
        if ladder.beyond:
            before, last = np.abs(ladder.charges(x)[-2:])
            ratio = min(max(float(last) / max(float(before), TINY), ladder.tail), SLOWEST)
            weight = CUT_MARGIN * ratio / (1.0 - ratio) ** 2
            ladder.blocks(found)[-1][:] = weight * ladder.blocks(x)[-1]
        return found

    def rounding(self, terms: FloatArray) -> Block:
        """A Hermitian matrix of the size that rounding makes of such terms, of random signs."""
        random = np.random.default_rng(SEED)
        size: FloatArray = ROUNDING * terms
        noise = self.ladder.zeros()
        pairs = zip(self.ladder.blocks(noise), self.ladder.blocks(size), strict=True)
        for block, sizes in pairs:
            signs = np.where(random.random(sizes.shape) < 0.5, -1.0, 1.0)
            lower = np.tril(signs * sizes, -1)
            block[:] = lower + lower.T + np.diag(np.diag(signs * sizes))
        return noise


def crossed(links: Sequence[Link], top: Block) -> Block:
    """What rung M gains by a rung M + 1 that returns all that it gets.

    Σ L_down ρ' L_down† − ½{Σ L_up†L_up, ρ}, with ρ' ∝ Σ L_up ρ L_up†.
    """
    size = 1 + max(int(link.above.max()) for link in links)
    upper, gained = np.zeros((size, size), dtype=top.dtype), np.zeros_like(top)
    rates = np.zeros(len(top))
    for link in links:
        climb(link.above, link.up, top, upper)
        rates += np.sum(link.up**2, axis=0)
    for link in links:
        descend(link.above, link.down, upper, gained)
    sent, returned = float(np.trace(upper).real), float(np.trace(gained).real)
    share = sent / returned if returned else 0.0
    loss = 0.5 * (rates[:, None] + rates[None, :]) * top
    return share * gained - loss
