"""Steady states by one sparse LU."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray, tolerance
from wheelwork.errors import NoSteadyState
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.inverse import ShiftedLU, TracelessInverse, norm
from wheelwork.lindblad.kernel import SEPARATE, refuse_slow, zero_eigenvalues
from wheelwork.lindblad.sector import Sector
from wheelwork.lindblad.state import State
from wheelwork.lindblad.steady import (
    SAMPLES,
    SEED,
    Balance,
    SteadyState,
    require,
    smallest_rate,
    stored,
)

ITERATIONS, SETTLED = 12, 1e-15
RATE_ITERATIONS = 5


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
        start = np.random.default_rng(SEED).normal(size=sector.size)
        tried = inverse.rough(np.column_stack((start, balance.samples(sector, SAMPLES))))
        rate = smallest_rate(inverse, tried[:, 0], RATE_ITERATIONS)
        if rate < SEPARATE * factorisation.shift:
            _require_one(factorisation)
        off = np.abs(tried[:, 1:]).sum(axis=0)
        found = SteadyState(
            lindblad=lindblad,
            generator=generator,
            state=State(sector, x),
            inverse=inverse,
            error=float(np.sqrt(np.mean(off**2))) + stored(x),
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
    x = sector.trace / sector.populations.size
    for _ in range(ITERATIONS):
        y = factorisation.lu.solve(x)
        y /= sector.trace @ y
        change = float(np.abs(y - x).sum())
        x = y
        if change <= SETTLED * x.size:
            break
    return np.asarray(x)
