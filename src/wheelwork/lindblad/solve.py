"""The steady state of a Lindblad equation, by a method that suits its size."""

from typing import Any

import scipy.sparse as sp

from wheelwork.errors import NotConverged
from wheelwork.lindblad.direct import SparseLU
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.factorisation import narrow_order
from wheelwork.lindblad.initial import initial_state
from wheelwork.lindblad.inverse import ShiftedLU
from wheelwork.lindblad.kernel import MOST_PROJECTED, projected, refuse_slow, zero_eigenvalues
from wheelwork.lindblad.krylov import Krylov
from wheelwork.lindblad.sector import Sector, diagonal_sector, state_sector
from wheelwork.lindblad.state import State
from wheelwork.lindblad.steady import Balance, SteadyMethod, SteadyState

SMALL = 3000  # unknowns
LARGEST_WORK = 3e9  # unknowns times squared bandwidth, about the multiplications of a banded LU
PROJECTION_RTOL = 1e-8


def steady_state(
    lindblad: Lindblad, method: SteadyMethod | None = None, *, initial: Any = None
) -> SteadyState:
    """Return the steady state of a Lindblad equation.

    Only those unknowns are solved for that populations drive, or the elements of `initial`: all
    others are zero in the state that is reached.

    Args:
        method: `SparseLU(rtol)` or `Krylov(rtol)`; by default the first where an LU of the
            sector is cheap, else the second.
        initial: density matrix (D, D), state vector (D,), `State` or `qutip.Qobj` to start from;
            needed only where there are several steady states. The result is then the long-time
            average, of oscillations that never end, too; rates below 2e-15 of the largest count
            as zero.

    Raises:
        NoSteadyState: when there are several and no `initial`.
        NotConverged: when the method cannot meet its tolerance, or a relaxation rate lies too
            close to rounding (below 3e-12 of the largest) to be told from zero.
        InvalidArgument: when `initial` is no state of this dimension.
    """
    if initial is None:
        sector, generator = diagonal_sector(lindblad)
        return (method or _suitable(generator)).solve(lindblad, sector, generator)
    rho = initial_state(initial, lindblad.dimension)
    return _reached(lindblad, rho, *state_sector(lindblad, rho), method)


def _reached(
    lindblad: Lindblad,
    rho: sp.csc_array,
    sector: Sector,
    generator: sp.csc_array,
    method: SteadyMethod | None,
) -> SteadyState:
    zeros = zero_eigenvalues(ShiftedLU.of(generator), MOST_PROJECTED)
    refuse_slow(zeros, generator)
    if not zeros.complete:
        raise NotConverged(
            f"there are {zeros.counted} independent steady states, too many to tell apart"
        )
    if zeros.number == 1:
        return (method or _suitable(generator)).solve(lindblad, sector, generator)
    values, error = projected(generator, sector.vector(rho), zeros.smallest_rate, PROJECTION_RTOL)
    return SteadyState(
        lindblad=lindblad,
        generator=generator,
        state=State(sector, values),
        inverse=None,
        error=error,
        residual=Balance.of(generator, values).relative,
        relaxation_rate=zeros.smallest_rate,
        details={"unknowns": float(sector.size), "steady_states": float(zeros.number)},
    )


def _suitable(generator: sp.csc_array) -> SteadyMethod:
    n = generator.shape[0]
    if n <= SMALL or n * float(bandwidth(generator)) ** 2 <= LARGEST_WORK:
        return SparseLU()
    return Krylov()


def bandwidth(generator: sp.csc_array) -> int:
    """Half-bandwidth after reordering."""
    order = narrow_order(generator)
    return max(order.lower, order.upper)
