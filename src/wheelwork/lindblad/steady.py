"""A steady state with its warrant, and what a method that finds one must offer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.inverse import Inverse, norm
from wheelwork.lindblad.sector import Sector
from wheelwork.lindblad.state import State
from wheelwork.lindblad.uniqueness import count_in_full_space, is_irreducible

ROUNDING = 4.0 * float(np.finfo(np.float64).eps)
SEED = 20240214
SAMPLES = 4  # of rounding: from one to another the error they lead to varies tenfold


@dataclass(frozen=True, eq=False)
class SteadyState:
    """A steady state with its warrant.

    state: ρ, on the elements that the search reached. error: estimated Σ|δρ_ab| over its unknowns,
    from the residual and samples of rounding; the error of ⟨O⟩ is at most about the largest |O_ab|
    times this. residual: Σ|dρ_ab/dt| against the sum of the magnitudes of its terms.
    relaxation_rate: estimated smallest |eigenvalue| of the generator beside zero, right to tens of
    percent, too large rather than too small. inverse: the generator's pseudo-inverse; None
    for a state that depends on the initial one. details: numbers on how it was found.
    """

    lindblad: Lindblad
    generator: sp.csc_array
    state: State
    inverse: Inverse | None
    error: float
    residual: float
    relaxation_rate: float
    details: Mapping[str, float] = field(default_factory=dict)

    @property
    def sector(self) -> Sector:
        return self.state.sector

    def expect(self, operator: Any) -> complex | float:
        """Tr(O ρ), see `State.expect`."""
        return self.state.expect(operator)

    @property
    def unique(self) -> bool | None:
        """Whether every initial state ends here, coherences outside the sector included.

        True where the jumps are seen to tell all occupied basis states apart and to connect them,
        or where ρ is pure; else counted in the full space of up to 32 basis states, and None
        beyond: not known. (Within the sector a solver has already made sure of it.)
        """
        if self.inverse is None:
            return False
        if is_irreducible(self.lindblad, self.state):
            return True
        count = count_in_full_space(self.lindblad)
        return None if count is None else count == 1


class SteadyMethod(Protocol):
    """A method finds the state of trace one that the generator of a sector maps to zero."""

    def solve(self, lindblad: Lindblad, sector: Sector, generator: sp.csc_array) -> SteadyState: ...


class Balance(NamedTuple):
    """How well dρ/dt vanishes: A x, and the sum of the magnitudes of its terms, (n,) each."""

    defect: FloatArray
    terms: FloatArray

    @classmethod
    def of(cls, generator: sp.csc_array | sp.csr_array, values: FloatArray) -> "Balance":
        return cls(np.asarray(generator @ values), np.asarray(abs(generator) @ np.abs(values)))

    @property
    def relative(self) -> float:
        """Σ|A x| against Σ|A||x|."""
        terms = float(np.sum(self.terms))
        return float(np.abs(self.defect).sum()) / terms if terms else 0.0

    def samples(self, sector: Sector, count: int = 1) -> FloatArray:
        """Return what A x may be off by, (n, count): A x with rounding of random signs."""
        random = np.random.default_rng(SEED).integers(0, 2, (count, self.terms.size), np.int8)
        off = ((2.0 * ROUNDING) * random - ROUNDING) * self.terms + self.defect
        off -= np.multiply.outer(off @ sector.trace / sector.populations.size, sector.trace)
        return np.asarray(off.T)


def stored(values: FloatArray) -> float:
    """Error of numbers that are kept in double precision."""
    return 0.25 * ROUNDING * float(np.abs(values).sum())


def smallest_rate(inverse: Inverse, start: FloatArray, iterations: int) -> float:
    """Smallest |eigenvalue| beside zero, by power iteration on the inverse from `start`."""
    if start.size == 1:
        return np.inf
    w, growth = start, 1.0
    for _ in range(iterations):
        w = inverse.rough(w / np.sqrt(w @ w))
        growth = float(np.sqrt(w @ w))
    return 1.0 / growth


def require(found: SteadyState, rtol: float) -> None:
    """Raise NotConverged if the error of a steady state exceeds `rtol`."""
    if not found.error <= rtol:
        raise NotConverged(
            f"the steady state is known to {found.error:.1e} only, not to {rtol:g}: its slowest "
            f"relaxation rate {found.relaxation_rate:.1e} is too close to rounding of the "
            f"fastest {norm(found.generator):.1e}"
        )
