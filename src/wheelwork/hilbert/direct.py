"""Steady states by one sparse LU."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray, tolerance
from wheelwork.errors import NoSteadyState
from wheelwork.hilbert.inverse import ShiftedLU, TracelessInverse, norm
from wheelwork.hilbert.kernel import SEPARATE, refuse_slow, zero_eigenvalues
from wheelwork.hilbert.lindblad import Lindblad
from wheelwork.hilbert.sector import Sector
from wheelwork.hilbert.state import State
from wheelwork.hilbert.steady import Balance, SteadyState, require, smallest_rate

ITERATIONS, SETTLED = 12, 1e-15
RATE_ITERATIONS = 6


@dataclass(frozen=True)
class SparseLU:
    """One sparse LU of the generator on its sector, and inverse iteration.

    rtol: largest `error` that is accepted.
    """

    rtol: float = 1e-8

    def __post_init__(self) -> None:
        object.__setattr__(self, "rtol", tolerance("rtol", self.rtol))

    def solve(self, lindblad: Lindblad, sector: Sector, generator: sp.csc_array) -> SteadyState:
        """Return the steady state in a sector.

        Raises:
            NoSteadyState: when there are several, to rounding.
            NotConverged: when the error exceeds `rtol`, or a rate is too close to rounding.
        """
        factorisation = ShiftedLU.of(generator)
        x = _null_vector(factorisation, sector)
        inverse = TracelessInverse(factorisation, sector, x)
        balance = Balance.of(generator, x)
        rate = smallest_rate(inverse, sector.size, RATE_ITERATIONS)
        if rate < SEPARATE * factorisation.shift:
            _require_one(factorisation)
        rounding = inverse.rough(balance.noise(sector))
        truncation = inverse.rough(balance.defect)
        found = SteadyState(
            lindblad=lindblad,
            generator=generator,
            state=State(sector, x),
            inverse=inverse,
            error=float(np.abs(rounding).sum() + np.abs(truncation).sum()),
            residual=balance.relative,
            relaxation_rate=rate,
            details={"unknowns": float(sector.size)},
        )
        require(found, self.rtol)
        return found


def _require_one(factorisation: ShiftedLU) -> None:
    zeros = zero_eigenvalues(factorisation)
    refuse_slow(zeros, factorisation.generator)
    if zeros.number > 1:
        raise NoSteadyState(
            f"there are {zeros.counted} independent steady states to rounding of the largest rate "
            f"{norm(factorisation.generator):.1e}; which is reached depends on the initial state: "
            "give `initial`"
        )


def _null_vector(factorisation: ShiftedLU, sector: Sector) -> FloatArray:
    """Inverse iteration from the maximally mixed state; every step keeps the trace."""
    places = sector.populations
    x = sector.trace / places.size
    for _ in range(ITERATIONS):
        y = factorisation.lu.solve(x)
        y /= np.sum(y[places])
        change = float(np.abs(y - x).sum())
        x = y
        if change <= SETTLED * x.size:
            break
    return np.asarray(x)
