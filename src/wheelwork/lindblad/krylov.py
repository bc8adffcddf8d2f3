"""Steady states by GMRES, without a factorisation of the whole generator."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, gmres

from wheelwork._checks import FloatArray, integer, positive, tolerance
from wheelwork.errors import NotConverged
from wheelwork.lindblad.block_preconditioner import BlockSweeps, sweep_cost
from wheelwork.lindblad.displacement import displaced, jump_means, state_without_jumps
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.operators import ComplexArray
from wheelwork.lindblad.sector import Sector
from wheelwork.lindblad.state import State
from wheelwork.lindblad.steady import (
    ROUNDING,
    SEED,
    Residual,
    SteadyState,
    hopeful,
    require_accuracy,
    smallest_rate,
    solve_by_gmres,
    storage_error,
)
from wheelwork.methods import Method
from wheelwork.numerics.work import require_budget, tick
from wheelwork.parameters import parameter

INNER_RTOL = 1e-6  # reduction of the residual by one correction of GMRES
ROUGH_RTOL = 0.1  # the same, where an estimate is enough
CORRECTIONS = 12  # most; three are usual
MARGIN = 3.0  # of one random sample of rounding, where the LU affords several
RATE_ITERATIONS = 2  # of power iteration: each is a solution by GMRES
MOVED = 0.01  # Σ|δ⟨L⟩|² relative to Σ|⟨L⟩|², above which the preconditioner is made anew
USUAL_PRODUCTS = 60  # with the generator, for a state and its error
BUDGET = 10.0  # estimated seconds


@dataclass(frozen=True)
class Krylov(Method):
    """GMRES on the sector, without a factorisation of the whole generator.

    The preconditioner solves −i[H, ρ] − ½{ΣL†L, ρ} exactly on each block that −iH − ½ΣL†L leaves
    invariant, and sweeps over the blocks that jumps connect. H and L are first put into the form in
    which ⟨L⟩ = 0, so that jumps are rare. Memory: `restart` vectors of the sector, and the squares
    of the blocks' sizes. iterations: most products with the generator for one solution. budget:
    most seconds, as estimated from the blocks' sizes for 60 products; what needs more is refused.
    """

    rtol: float = parameter("", "1", "largest error accepted", check=tolerance, default=1e-8)
    restart: int = parameter("", "1", "vectors kept", check=partial(integer, minimum=2), default=60)
    iterations: int = parameter(
        "", "1", "most iterations", check=partial(integer, minimum=1), default=1200
    )
    budget: float = parameter(
        "", "s", "largest estimated time", check=positive, default=BUDGET, guard=True
    )

    def solve(self, lindblad: Lindblad, sector: Sector, generator: sp.csc_array) -> SteadyState:
        """Return the steady state in a sector.

        Raises NotConverged when the iterations do not suffice, as where there are several.
        """
        with self.guard():
            require_budget(
                f"GMRES on {sector.size} unknowns",
                krylov_seconds(lindblad, sector),
                self.budget,
                "seconds",
                "make the system smaller, or raise the `budget` of `Krylov`",
            )
            inverse = _Search(self, lindblad, sector, generator).null_vector()
            x = inverse.steady
            try:
                error, rate = _error_and_rate(inverse)
            except NotConverged as reason:
                state = State(sector, x)
                reason.partial = SteadyState.unfinished(lindblad, generator, state, self.rtol)
                raise
            steady = SteadyState(
                lindblad,
                generator,
                State(sector, x),
                inverse,
                error,
                Residual.of(generator, x).relative,
                rate,
                {"unknowns": float(sector.size)},
                self.rtol,
            )
            require_accuracy(steady)
            return steady

    @property
    def cycles(self) -> int:
        """Most restarts for one solution."""
        return max(1, self.iterations // self.restart)


def krylov_seconds(lindblad: Lindblad, sector: Sector) -> float:
    """Return the seconds that `Krylov` takes, as estimated from the sizes of the blocks."""
    first, once = sweep_cost(lindblad, sector)
    return first + USUAL_PRODUCTS * once


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
        x, b = np.zeros_like(b), self.range(b)
        residual, aim = b, 1e-2 * self.method.rtol * float(np.linalg.norm(b))
        for _ in range(CORRECTIONS):
            if float(np.linalg.norm(residual)) <= aim:
                break
            x += self.traceless(self.correction(residual, INNER_RTOL))
            residual = self.range(b - self.generator @ x)
        return x

    def rough(self, b: FloatArray) -> FloatArray:
        """Return x with a residual of a tenth, for estimates."""
        return self.traceless(self.correction(b, ROUGH_RTOL))

    def correction(self, b: FloatArray, rtol: float) -> FloatArray:
        """Return x with generator · x = b to `rtol` in the residual, or raise NotConverged."""
        if not np.any(b):
            return np.zeros_like(b)
        u = solve_by_gmres(
            self.operator,
            self.range(b),
            rtol=rtol,
            atol=0.0,
            restart=self.method.restart,
            cycles=self.method.cycles,
            advice=": raise `iterations` or `restart` of `Krylov`, or use `SparseLU`",
        )
        return self.blocks.solve(u)

    @property
    def operator(self) -> LinearOperator:
        """The generator times its preconditioner."""

        def product(u: FloatArray) -> FloatArray:
            tick("products with the generator")
            return np.asarray(self.generator @ self.blocks.solve(u))

        return LinearOperator(self.generator.shape, matvec=product, dtype=np.float64)

    def range(self, b: FloatArray) -> FloatArray:
        """b without the trace that rounding gave it."""
        positions = self.sector.populations
        b = b.copy()
        b[positions] -= np.sum(b[positions]) / positions.size
        return b

    def traceless(self, x: FloatArray) -> FloatArray:
        """x minus the steady state of the same trace."""
        return np.asarray(x - self.steady * float(np.sum(x[self.sector.populations])))


@dataclass(frozen=True, eq=False)
class _Search:
    """What the search for the null vector works on."""

    method: Krylov
    lindblad: Lindblad
    sector: Sector
    generator: sp.csc_array

    def null_vector(self) -> KrylovInverse:
        """The inverse whose `steady` is the steady state, trace one, with rounding as its residual.

        A small correction alone proves nothing: slow relaxation hides errors from the residual.
        Each step is one cycle of GMRES, after which jumps are displaced anew where ⟨L⟩ has moved.
        """
        rows = sp.csr_array(self.generator)
        x, means = self._start(rows)
        inverse, sizes, converged = self._inverse(rows, x, means), [np.inf], False
        while True:
            residual = Residual.of(rows, x)
            sizes.append(residual.relative)
            if sizes[-1] <= ROUNDING or (converged and sizes[-1] > 0.5 * sizes[-2]):
                return KrylovInverse(self.method, self.sector, rows, inverse.blocks, x)
            if not hopeful(sizes[1:], ROUNDING, self.method.cycles):
                raise self._refusal(x, sizes)
            b = inverse.range(-residual.rate)
            u, missed = gmres(
                inverse.operator, b, rtol=INNER_RTOL, restart=self.method.restart, maxiter=1
            )
            converged = missed == 0
            x = x + inverse.blocks.solve(u)
            x /= np.sum(x[self.sector.populations])
            last, means = means, jump_means(self.lindblad, self.sector, x)
            if not converged and np.sum(abs(means - last) ** 2) > MOVED * np.sum(abs(means) ** 2):
                inverse = self._inverse(rows, x, means)

    def _start(self, rows: sp.csr_array) -> tuple[FloatArray, ComplexArray]:
        """The maximally mixed state or the one without jumps, whichever changes less."""
        mixed = self.sector.trace / self.sector.populations.size
        quiet = state_without_jumps(self.lindblad, self.sector)
        if (
            quiet is None
            or Residual.of(rows, quiet[0]).relative > Residual.of(rows, mixed).relative
        ):
            return mixed, np.zeros(len(self.lindblad.jumps), dtype=np.complex128)
        return quiet

    def _inverse(self, rows: sp.csr_array, x: FloatArray, means: ComplexArray) -> KrylovInverse:
        blocks = BlockSweeps.of(displaced(self.lindblad, means), self.sector, self.generator)
        return KrylovInverse(self.method, self.sector, rows, blocks, x)

    def _refusal(self, x: FloatArray, sizes: list[float]) -> NotConverged:
        state = State(self.sector, x)
        return NotConverged(
            f"GMRES on {self.sector.size} unknowns reached a residual of {sizes[-1]:.1e} of the "
            f"rates instead of {ROUNDING:.0e} in {len(sizes) - 2} cycles of {self.method.restart} "
            "iterations: raise `iterations` or `restart` of `Krylov`, or use `SparseLU`",
            SteadyState.unfinished(self.lindblad, self.generator, state, self.method.rtol),
        )


def _error_and_rate(inverse: KrylovInverse) -> tuple[float, float]:
    """The estimated error of the steady state, and the slowest relaxation rate."""
    x = inverse.steady
    sample = Residual.of(inverse.generator, x).samples(inverse.sector)[:, 0]
    response = inverse.traceless(inverse.correction(sample, INNER_RTOL))
    start = np.random.default_rng(SEED).normal(size=x.size)
    start = inverse.traceless(inverse.correction(start, INNER_RTOL))
    rate = smallest_rate(inverse, start, RATE_ITERATIONS)
    unresolved = INNER_RTOL * float(np.linalg.norm(sample)) / rate
    off = float(np.abs(response).sum()) + unresolved
    return MARGIN * off + storage_error(x), rate
