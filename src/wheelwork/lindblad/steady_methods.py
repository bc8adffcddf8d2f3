"""Steady states of a Lindblad equation: one sparse LU, or GMRES, whichever suits the sector."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator

from wheelwork._checks import FloatArray, integer, tolerance
from wheelwork.errors import NoSteadyState, NotConverged
from wheelwork.lindblad.block_preconditioner import BlockSweeps
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.factorisation import ShiftedLU, TracelessInverse, narrow_order, norm
from wheelwork.lindblad.sector import Sector, diagonal_sector, state_sector
from wheelwork.lindblad.state import State, initial_state
from wheelwork.lindblad.steady import (
    ROUNDING,
    SAMPLES,
    SEED,
    Residual,
    SteadyMethod,
    SteadyState,
    require_accuracy,
    smallest_rate,
    solve_by_gmres,
    storage_error,
)
from wheelwork.lindblad.uniqueness import (
    MOST_PROJECTED,
    SEPARATE,
    long_time_average,
    refuse_unresolved,
    zero_eigenvalues,
)
from wheelwork.methods import Method
from wheelwork.parameters import parameter

SMALL = 3000  # unknowns: an LU takes milliseconds, whatever its fill
LARGEST_WORK = 3e9  # unknowns times squared bandwidth: multiplications of a banded LU, some seconds
PROJECTION_RTOL = 1e-8  # error accepted of the state that an initial one reaches

LU_ITERATIONS = 12  # most of inverse iteration; two are usual
LU_CONVERGED = 1e-15  # change of an unknown by the last of them
LU_RATE_ITERATIONS = 5  # of power iteration, for tens of percent

INNER_RTOL = 1e-6  # reduction of the residual by one correction of GMRES
ROUGH_RTOL = 0.1  # the same, where an estimate is enough
CORRECTIONS = 12  # most; three are usual
KRYLOV_MARGIN = 3.0  # of one random sample of rounding, where the LU affords several
KRYLOV_RATE_ITERATIONS = 2  # of power iteration: each is a solution by GMRES


def steady_state(
    lindblad: Lindblad, method: SteadyMethod | None = None, *, initial: Any = None
) -> SteadyState:
    """Return the steady state of a Lindblad equation.

    Solved on the unknowns that populations drive, or those that the elements of `initial` drive:
    all others are zero in the state that is reached.

    Args:
        method: `SparseLU(rtol)` or `Krylov(rtol)`; by default the first where an LU of the
            sector is cheap, else the second.
        initial: density matrix (D, D), state vector (D,), `State` or `qutip.Qobj` to start from;
            needed only where there are several steady states. The result is the long-time average,
            also over oscillations that do not decay; rates below 2e-15 of the largest count as
            zero.

    Raises:
        NoSteadyState: when there are several and no `initial`.
        NotConverged: when the method cannot reach its tolerance, or a relaxation rate lies too
            close to rounding (below 3e-12 of the largest) to be told from zero.
        InvalidArgument: when `initial` is no state of this dimension.
    """
    if initial is None:
        sector, generator = diagonal_sector(lindblad)
        return (method or _default_method(generator)).solve(lindblad, sector, generator)
    rho = initial_state(initial, lindblad.dimension)
    sector, generator = state_sector(lindblad, rho)
    zeros = zero_eigenvalues(ShiftedLU.of(generator), MOST_PROJECTED)
    refuse_unresolved(zeros, generator)
    if not zeros.complete:
        raise NotConverged(
            f"there are {zeros.counted} independent steady states, too many to tell apart"
        )
    if zeros.number == 1:
        return (method or _default_method(generator)).solve(lindblad, sector, generator)
    start, rate = sector.vector(rho), zeros.smallest_rate
    values, error = long_time_average(generator, start, rate, PROJECTION_RTOL)
    state, residual = State(sector, values), Residual.of(generator, values).relative
    details = {"unknowns": float(sector.size), "steady_states": float(zeros.number)}
    return SteadyState(lindblad, generator, state, None, error, residual, rate, details)


def _default_method(generator: sp.csc_array) -> SteadyMethod:
    n = generator.shape[0]
    cheap = n <= SMALL or n * float(bandwidth(generator)) ** 2 <= LARGEST_WORK
    return SparseLU() if cheap else Krylov()


def bandwidth(generator: sp.csc_array) -> int:
    """Return the half-bandwidth after reordering."""
    order = narrow_order(generator)
    return max(order.lower, order.upper)


@dataclass(frozen=True)
class SparseLU(Method):
    """One sparse LU of the generator on its sector, and inverse iteration."""

    rtol: float = parameter("", "1", "largest error accepted", check=tolerance, default=1e-8)

    def solve(self, lindblad: Lindblad, sector: Sector, generator: sp.csc_array) -> SteadyState:
        """Return the steady state in a sector.

        Raises NoSteadyState when there are several, to rounding, and NotConverged when the error
        exceeds `rtol` or a rate is too close to rounding.
        """
        factorisation = ShiftedLU.of(generator)
        x = sector.trace / sector.populations.size
        for _ in range(LU_ITERATIONS):  # inverse iteration; every step conserves the trace
            last, x = x, factorisation.lu.solve(x)
            x /= sector.trace @ x
            if float(np.abs(x - last).sum()) <= LU_CONVERGED * x.size:
                break
        inverse = TracelessInverse(factorisation, sector, x)
        residual = Residual.of(generator, x)
        start = np.random.default_rng(SEED).normal(size=sector.size)
        responses = inverse.rough(np.column_stack((start, residual.samples(sector, SAMPLES))))
        rate = smallest_rate(inverse, responses[:, 0], LU_RATE_ITERATIONS)
        if rate < SEPARATE * factorisation.shift:
            zeros = zero_eigenvalues(factorisation)
            refuse_unresolved(zeros, generator)
            if zeros.number > 1:
                raise NoSteadyState(
                    f"there are {zeros.counted} independent steady states to rounding of the "
                    f"largest rate {norm(generator):.1e}; which is reached depends on the initial "
                    "state: give `initial`"
                )
        off = np.abs(responses[:, 1:]).sum(axis=0)
        error = float(np.sqrt(np.mean(off**2))) + storage_error(x)
        state, details = State(sector, x), {"unknowns": float(sector.size)}
        steady = SteadyState(
            lindblad, generator, state, inverse, error, residual.relative, rate, details
        )
        require_accuracy(steady, self.rtol)
        return steady


@dataclass(frozen=True)
class Krylov(Method):
    """GMRES on the sector, without a factorisation of the whole generator.

    The preconditioner solves −i[H, ρ] − ½{ΣL†L, ρ} exactly on each block that −iH − ½ΣL†L leaves
    invariant, and sweeps over the blocks that jumps connect. Memory: `restart` vectors of the
    sector, and the squares of the blocks' sizes. iterations: products with the generator for one
    solution.
    """

    rtol: float = parameter("", "1", "largest error accepted", check=tolerance, default=1e-8)
    restart: int = parameter("", "1", "vectors kept", check=partial(integer, minimum=2), default=60)
    iterations: int = parameter(
        "", "1", "most iterations", check=partial(integer, minimum=1), default=1200
    )

    def solve(self, lindblad: Lindblad, sector: Sector, generator: sp.csc_array) -> SteadyState:
        """Return the steady state in a sector.

        Raises NotConverged when the iterations do not suffice, as where there are several.
        """
        blocks = BlockSweeps.of(lindblad, sector, generator)
        rows = sp.csr_array(generator)
        x = _null_vector_by_gmres(KrylovInverse(self, sector, rows, blocks, sector.trace))
        inverse = KrylovInverse(self, sector, rows, blocks, x)
        residual = Residual.of(generator, x)
        sample = residual.samples(sector)[:, 0]
        response = inverse.traceless(inverse.correction(sample, INNER_RTOL))
        start = np.random.default_rng(SEED).normal(size=sector.size)
        start = inverse.traceless(inverse.correction(start, INNER_RTOL))
        rate = smallest_rate(inverse, start, KRYLOV_RATE_ITERATIONS)
        unresolved = INNER_RTOL * float(np.linalg.norm(sample)) / rate
        off = float(np.abs(response).sum()) + unresolved
        error = KRYLOV_MARGIN * off + storage_error(x)
        state, details = State(sector, x), {"unknowns": float(sector.size)}
        steady = SteadyState(
            lindblad, generator, state, inverse, error, residual.relative, rate, details
        )
        require_accuracy(steady, self.rtol)
        return steady


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
        """Return x with a residual of a tenth, for estimates."""
        return self.traceless(self.correction(b, ROUGH_RTOL))

    def correction(self, b: FloatArray, rtol: float) -> FloatArray:
        """Return x with generator · x = b to `rtol` in the residual, or raise NotConverged."""
        if not np.any(b):
            return np.zeros_like(b)
        restart, n = self.method.restart, self.sector.size
        operator = LinearOperator(
            (n, n), matvec=lambda u: self.generator @ self.blocks.solve(u), dtype=np.float64
        )
        cycles = max(1, self.method.iterations // restart)
        b = self._range(b)
        u = solve_by_gmres(operator, b, rtol=rtol, atol=0.0, restart=restart, cycles=cycles)
        return self.blocks.solve(u)

    def _range(self, b: FloatArray) -> FloatArray:
        """b without the trace that rounding gave it."""
        positions = self.sector.populations
        b = b.copy()
        b[positions] -= np.sum(b[positions]) / positions.size
        return b

    def traceless(self, x: FloatArray) -> FloatArray:
        """x minus the steady state of the same trace."""
        return np.asarray(x - self.steady * float(np.sum(x[self.sector.populations])))


def _null_vector_by_gmres(inverse: KrylovInverse) -> FloatArray:
    """The steady state, trace one, corrected until its residual is rounding.

    A small correction alone proves nothing: slow relaxation hides errors from the residual.
    """
    positions = inverse.sector.populations
    x, last = inverse.sector.trace / positions.size, np.inf
    for _ in range(CORRECTIONS):
        residual = Residual.of(inverse.generator, x)
        if residual.relative <= ROUNDING or residual.relative > 0.5 * last:
            break
        last = residual.relative
        x = x + inverse.correction(-residual.rate, INNER_RTOL)
        x /= np.sum(x[positions])
    return np.asarray(x)
