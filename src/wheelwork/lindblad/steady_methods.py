"""Steady states of a Lindblad equation: one LU, or GMRES, whichever suits the sector."""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import positive, shown, tolerance
from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.factorisation import (
    BUDGET,
    Plan,
    ShiftedLU,
    TracelessInverse,
    narrow_order,
    norm,
)
from wheelwork.lindblad.krylov import Krylov, krylov_seconds
from wheelwork.lindblad.sector import Sector, diagonal_sector, state_sector
from wheelwork.lindblad.state import State, initial_state
from wheelwork.lindblad.steady import (
    SAMPLES,
    SEED,
    Residual,
    SteadyMethod,
    SteadyState,
    require_accuracy,
    smallest_rate,
    storage_error,
)
from wheelwork.lindblad.uniqueness import (
    MOST_PROJECTED,
    SEPARATE,
    Unresolved,
    long_time_average,
    refuse_unresolved,
    zero_eigenvalues,
)
from wheelwork.methods import Method
from wheelwork.numerics.work import tick
from wheelwork.parameters import parameter

SMALL = 1000  # unknowns: an LU takes at most a tenth of a second, whatever its fill
QUICK = 1.0  # estimated seconds of an LU, below which it is tried first: it seldom fails
PROJECTION_RTOL = 1e-8  # error accepted of the state that an initial one reaches

LU_ITERATIONS = 12  # most of inverse iteration; two are usual
LU_CONVERGED = 1e-15  # change of an unknown by the last of them
LU_RATE_ITERATIONS = 5  # of power iteration, for tens of percent


def steady_state(
    lindblad: Lindblad, method: SteadyMethod | None = None, *, initial: Any = None
) -> SteadyState:
    """Return the steady state of a Lindblad equation.

    Solved on the unknowns that populations drive, or those that the elements of `initial` drive:
    all others are zero in the state that is reached.

    Args:
        method: `SparseLU(rtol)` or `Krylov(rtol)`. By default the one whose estimated cost is
            smaller, and where it fails the other one. Each refuses what would take more than
            its `budget`, ten seconds by default.
        initial: density matrix (D, D), state vector (D,), `State` or `qutip.Qobj` to start from;
            needed only where there are several steady states. The result is the long-time average,
            also over oscillations that do not decay; rates below 2e-15 of the largest count as
            zero.

    Raises:
        NoSteadyState: when there are several and no `initial`.
        NotConverged: when no method reaches its tolerance within its budget, or a relaxation rate
            lies too close to rounding (below 3e-12 of the largest) to be told from zero; `partial`
            is the `SteadyState` reached, if any, whose audit fails.
        InvalidArgument: when `initial` is no state of this dimension, or `lindblad` no `Lindblad`.
    """
    if not isinstance(lindblad, Lindblad):
        raise InvalidArgument(
            "`lindblad` must be a Lindblad(hamiltonian, jumps), but is of type "
            f"{type(lindblad).__name__}"
        )
    require_steady_method(method)
    solve = solve_by_default if method is None else method.solve
    if initial is None:
        return solve(lindblad, *diagonal_sector(lindblad))
    rho = initial_state(initial, lindblad.dimension)
    with method.guard() if isinstance(method, Method) else nullcontext():
        sector, generator = state_sector(lindblad, rho)
        budget = method.budget if isinstance(method, SparseLU) else BUDGET
        zeros = zero_eigenvalues(ShiftedLU.of(generator, budget=budget), MOST_PROJECTED)
        refuse_unresolved(zeros, generator)
        if not zeros.complete:
            raise NotConverged(
                f"there are {zeros.counted} independent steady states, too many to tell apart"
            )
        if zeros.number == 1:
            return solve(lindblad, sector, generator)
        start, rate = sector.vector(rho), zeros.smallest_rate
        values, error = long_time_average(generator, start, rate, PROJECTION_RTOL)
    state, residual = State(sector, values), Residual.of(generator, values).relative
    details = {"unknowns": float(sector.size), "steady_states": float(zeros.number)}
    return SteadyState(
        lindblad, generator, state, None, error, residual, rate, details, PROJECTION_RTOL
    )


def require_steady_method(method: Any) -> None:
    """Raise InvalidArgument for anything but None, a method here, or one of a user's own."""
    other = isinstance(method, Method) and not isinstance(method, SparseLU | Krylov)
    own = hasattr(method, "solve") and not isinstance(method, type)
    if method is not None and (other or not own):
        raise InvalidArgument(
            f"`method` must be a method such as SparseLU(rtol=1e-8), but is {shown(method)}"
        )


def solve_by_default(lindblad: Lindblad, sector: Sector, generator: sp.csc_array) -> SteadyState:
    """Return the steady state by the cheaper method, and where that fails by the other one.

    No second one is tried after an LU that shows the rates to be too close to rounding.
    """
    first, second = _by_cost(lindblad, sector, generator)
    try:
        return first.solve(lindblad, sector, generator)
    except NotConverged as reason:
        if isinstance(reason, Unresolved) and isinstance(first, SparseLU):
            raise
        try:
            return second.solve(lindblad, sector, generator)
        except NotConverged as other:
            tried = [(type(method).__name__, e) for method, e in ((first, reason), (second, other))]
            partial = reason.partial if other.partial is None else other.partial
            reasons = "; ".join(f"{name}: {why}" for name, why in tried)
            raise NotConverged(f"both methods failed. {reasons}", partial) from other


def _by_cost(
    lindblad: Lindblad, sector: Sector, generator: sp.csc_array
) -> tuple[SteadyMethod, SteadyMethod]:
    """Both methods, the one to try first."""
    if sector.size <= SMALL:
        return SparseLU(), Krylov()
    seconds = Plan.of(generator).seconds
    if seconds <= QUICK or seconds <= krylov_seconds(lindblad, sector):
        return SparseLU(), Krylov()
    return Krylov(), SparseLU()


def bandwidth(generator: sp.csc_array) -> int:
    """Return the half-bandwidth after reordering."""
    order = narrow_order(generator)
    return max(order.lower, order.upper)


@dataclass(frozen=True)
class SparseLU(Method):
    """One LU of the generator on its sector, and inverse iteration.

    budget: most seconds, as estimated from the pattern; what needs more, or 2 GB, is refused.
    """

    rtol: float = parameter("", "1", "largest error accepted", check=tolerance, default=1e-8)
    budget: float = parameter(
        "", "s", "largest estimated time", check=positive, default=BUDGET, guard=True
    )

    def solve(self, lindblad: Lindblad, sector: Sector, generator: sp.csc_array) -> SteadyState:
        """Return the steady state in a sector.

        Raises NoSteadyState when there are several, to rounding, and NotConverged when the error
        exceeds `rtol` or a rate is too close to rounding.
        """
        with self.guard():
            return self._solve(lindblad, sector, generator)

    def _solve(self, lindblad: Lindblad, sector: Sector, generator: sp.csc_array) -> SteadyState:
        factorisation = ShiftedLU.of(generator, budget=self.budget)
        x = sector.trace / sector.populations.size
        for step in range(LU_ITERATIONS):  # inverse iteration; every step conserves the trace
            tick("inverse iteration", step, LU_ITERATIONS)
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
            lindblad, generator, state, inverse, error, residual.relative, rate, details, self.rtol
        )
        require_accuracy(steady)
        return steady
