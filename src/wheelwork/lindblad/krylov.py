"""Steady states of large sectors: GMRES, preconditioned by exact solutions between jumps."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, gmres

from wheelwork._checks import FloatArray, integer, tolerance
from wheelwork.errors import NotConverged
from wheelwork.lindblad.block_preconditioner import BlockSweeps
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.sector import Sector
from wheelwork.lindblad.state import State
from wheelwork.lindblad.steady import (
    ROUNDING,
    SEED,
    Balance,
    SteadyState,
    require,
    smallest_rate,
    stored,
)

INNER_RTOL, ROUGH_RTOL = 1e-6, 0.1
CORRECTIONS = 12
MARGIN = 3.0  # of one random sample of rounding
RATE_ITERATIONS = 2


@dataclass(frozen=True)
class Krylov:
    """GMRES on the sector, never forming a factorisation of the whole generator.

    The preconditioner solves −i[H, ρ] − ½{ΣL†L, ρ} exactly on each block that −iH − ½ΣL†L leaves
    invariant, and sweeps over the blocks that jumps connect. Memory: `restart` vectors of the
    sector, and the squares of the blocks' sizes.

    rtol: largest `error` accepted. restart: vectors kept. iterations: most products with the
    generator for one solution.
    """

    rtol: float = 1e-8
    restart: int = 60
    iterations: int = 1200

    def __post_init__(self) -> None:
        object.__setattr__(self, "rtol", tolerance("rtol", self.rtol))
        object.__setattr__(self, "restart", integer("restart", self.restart, 2))
        object.__setattr__(self, "iterations", integer("iterations", self.iterations, 1))

    def solve(self, lindblad: Lindblad, sector: Sector, generator: sp.csc_array) -> SteadyState:
        """Return the steady state in a sector.

        Raises:
            NotConverged: when the iterations do not suffice; also when there are several steady
                states.
        """
        blocks = BlockSweeps.of(lindblad, sector, generator)
        rows = sp.csr_array(generator)
        x = _null_vector(KrylovInverse(self, sector, rows, blocks, sector.trace))
        inverse = KrylovInverse(self, sector, rows, blocks, x)
        balance = Balance.of(generator, x)
        sample = balance.samples(sector)[:, 0]
        doubt = inverse.traceless(inverse.correction(sample, INNER_RTOL))
        start = np.random.default_rng(SEED).normal(size=sector.size)
        start = inverse.traceless(inverse.correction(start, INNER_RTOL))
        rate = smallest_rate(inverse, start, RATE_ITERATIONS)
        unresolved = INNER_RTOL * float(np.linalg.norm(sample)) / rate
        found = SteadyState(
            lindblad=lindblad,
            generator=generator,
            state=State(sector, x),
            inverse=inverse,
            error=MARGIN * (float(np.abs(doubt).sum()) + unresolved) + stored(x),
            residual=balance.relative,
            relaxation_rate=rate,
            details={"unknowns": float(sector.size)},
        )
        require(found, self.rtol)
        return found


@dataclass(frozen=True, eq=False)
class KrylovInverse:
    """`Inverse` by GMRES; `steady` has trace one."""

    method: Krylov
    sector: Sector
    generator: sp.csr_array
    blocks: BlockSweeps
    steady: FloatArray

    def solve(self, b: FloatArray) -> FloatArray:
        """Return x of trace zero with generator · x = b, corrected until `rtol` is met."""
        x, b = np.zeros_like(b), self._range(b)
        residual, aim = b, 1e-2 * self.method.rtol * float(np.linalg.norm(b))
        for _ in range(CORRECTIONS):
            if float(np.linalg.norm(residual)) <= aim:
                break
            x += self.traceless(self.correction(residual, INNER_RTOL))
            residual = self._range(b - self.generator @ x)
        return x

    def rough(self, b: FloatArray) -> FloatArray:
        """Return the solution to a tenth, for estimates."""
        return self.traceless(self.correction(b, ROUGH_RTOL))

    def correction(self, b: FloatArray, rtol: float) -> FloatArray:
        """Return x with generator · x = b to `rtol` in the residual.

        Raises NotConverged when the iterations do not suffice.
        """
        if not np.any(b):
            return np.zeros_like(b)
        cycles = max(1, self.method.iterations // self.method.restart)
        b = self._range(b)
        u, failed = gmres(self._operator, b, rtol=rtol, restart=self.method.restart, maxiter=cycles)
        if failed:
            off = float(np.linalg.norm(b - self._operator @ u) / np.linalg.norm(b))
            raise NotConverged(
                f"GMRES reached a residual of {off:.1e} instead of {rtol:.0e} in "
                f"{self.method.iterations} iterations: there are several steady states, or "
                "relaxation is very slow; raise `iterations` or `restart`"
            )
        return self.blocks.solve(u)

    @cached_property
    def _operator(self) -> LinearOperator:
        n = self.sector.size
        return LinearOperator(
            (n, n), matvec=lambda u: self.generator @ self.blocks.solve(u), dtype=np.float64
        )

    def _range(self, b: FloatArray) -> FloatArray:
        """b without the trace that rounding gave it."""
        places = self.sector.populations
        b = b.copy()
        b[places] -= np.sum(b[places]) / places.size
        return b

    def traceless(self, x: FloatArray) -> FloatArray:
        return np.asarray(x - self.steady * float(np.sum(x[self.sector.populations])))


def _null_vector(inverse: KrylovInverse) -> FloatArray:
    """The steady state, trace one, corrected until its residual is rounding.

    A small correction alone proves nothing: slow relaxation hides errors from the residual.
    """
    places = inverse.sector.populations
    x, last = inverse.sector.trace / places.size, np.inf
    for _ in range(CORRECTIONS):
        balance = Balance.of(inverse.generator, x)
        if balance.relative <= ROUNDING or balance.relative > 0.5 * last:
            break
        last = balance.relative
        x = x + inverse.correction(-balance.defect, INNER_RTOL)
        x /= np.sum(x[places])
    return np.asarray(x)
