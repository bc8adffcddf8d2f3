"""A steady state with its estimated error, and what the methods that solve for one share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import scipy.sparse as sp
import xarray as xr
from scipy.sparse.linalg import LinearOperator, gmres

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.factorisation import Inverse, norm
from wheelwork.lindblad.sector import Sector
from wheelwork.lindblad.state import State
from wheelwork.lindblad.uniqueness import Unresolved, count_in_full_space, is_irreducible
from wheelwork.numerics.work import tick
from wheelwork.results import AuditEntry
from wheelwork.results.datasets import checks, variables

# Of the sum of the magnitudes of its terms: rounding of a sum of a few terms, each of which is a
# rounded product of a rounded coefficient.
ROUNDING = 4.0 * float(np.finfo(np.float64).eps)
SEED = 20240214  # of error samples and of starting vectors
SAMPLES = 4  # of rounding: from one to another the error they lead to varies tenfold
# Cycles of GMRES over which its progress is measured, and the factor by which the cycles left may
# fall short of those that this progress asks for: convergence often quickens.
WATCHED, HOPE = 3, 3.0


@dataclass(frozen=True, eq=False, repr=False)
class SteadyState:
    """A steady state with its estimated error.

    state: ρ, on its sector. error: estimated Σ|δρ_ab| over the unknowns, from the residual and from
    samples of rounding; ⟨O⟩ is off by at most about the largest |O_ab| times this. residual:
    Σ|dρ_ab/dt| relative to the sum of the magnitudes of its terms. relaxation_rate: estimated
    smallest |eigenvalue| of the generator beside zero, to tens of percent, rather too large than
    too small. inverse: the generator's pseudo-inverse; None for a state that depends on the initial
    one. details: further numbers by name, as `unknowns`. rtol: the error that was asked for; where
    it was not reached, this is the `partial` of a NotConverged, and its audit fails.
    """

    lindblad: Lindblad
    generator: sp.csc_array
    state: State
    inverse: Inverse | None
    error: float
    residual: float
    relaxation_rate: float
    details: Mapping[str, float] = field(default_factory=dict)
    rtol: float = np.inf

    @classmethod
    def unfinished(
        cls, lindblad: Lindblad, generator: sp.csc_array, state: State, rtol: float
    ) -> "SteadyState":
        """Return a state whose error is not known."""
        residual = Residual.of(generator, state.values).relative
        details = {"unknowns": float(state.sector.size)}
        return cls(lindblad, generator, state, None, np.inf, residual, np.nan, details, rtol)

    @property
    def audit(self) -> Mapping[str, AuditEntry]:
        """The error against the `rtol` asked for."""
        return {"error": AuditEntry(self.error, self.rtol)}

    @property
    def passed(self) -> bool:
        """Whether the audit holds."""
        return all(entry.ok for entry in self.audit.values())

    def __repr__(self) -> str:
        return (
            f"SteadyState({self.sector.dimension} levels, {self.sector.size} unknowns, "
            f"error {self.error:.1e}, relaxation rate {self.relaxation_rate:.3g})"
        )

    @property
    def sector(self) -> Sector:
        return self.state.sector

    def to_xarray(self) -> xr.Dataset:
        """Return ρ, see `State.to_xarray`, its error, the slowest rate and the audit."""
        parts = variables((), "error", self.error, None, "1", "sum of |error of rho|")
        parts |= variables((), "residual", self.residual, None, "1", "relative residual")
        rate = variables((), "relaxation_rate", self.relaxation_rate, None, "rate")
        return self.state.to_xarray().assign(parts | rate | checks(self.audit))

    def expect(self, operator: Any) -> complex | float:
        """Tr(O ρ), see `State.expect`."""
        return self.state.expect(operator)

    @property
    def unique(self) -> bool | None:
        """Whether every initial state reaches this one; None if unknown.

        Within the sector the methods ensure it; this includes coherences outside the sector. True
        if a sufficient condition on H and the jumps proves it (see `is_irreducible`); otherwise
        decided on all elements, for up to 32 basis states.
        """
        if self.inverse is None:
            return False if self.passed else None
        if is_irreducible(self.lindblad, self.state):
            return True
        count = count_in_full_space(self.lindblad)
        return None if count is None else count == 1


class SteadyMethod(Protocol):
    """A method for the state of trace one that the generator of a sector maps to zero."""

    def solve(self, lindblad: Lindblad, sector: Sector, generator: sp.csc_array) -> SteadyState:
        """Return it with its error, or raise NotConverged or NoSteadyState."""


class Residual(NamedTuple):
    """dρ/dt, which should vanish.

    rate: A x, (n,). terms: the sums of the magnitudes of its terms, |A| |x|, (n,).
    """

    rate: FloatArray
    terms: FloatArray

    @classmethod
    def of(cls, generator: sp.csc_array | sp.csr_array, values: FloatArray) -> "Residual":
        return cls(np.asarray(generator @ values), np.asarray(abs(generator) @ np.abs(values)))

    @property
    def relative(self) -> float:
        """Σ|A x| relative to Σ|A||x|."""
        terms = float(np.sum(self.terms))
        return float(np.abs(self.rate).sum()) / terms if terms else 0.0

    def samples(self, sector: Sector, count: int = 1) -> FloatArray:
        """Return samples of what A x may be off by, (n, count): A x and rounding of random sign.

        Each has trace zero, so that the pseudo-inverse of A applies to it.
        """
        random = np.random.default_rng(SEED).integers(0, 2, (count, self.terms.size), np.int8)
        off = ((2.0 * ROUNDING) * random - ROUNDING) * self.terms + self.rate
        off -= np.multiply.outer(off @ sector.trace / sector.populations.size, sector.trace)
        return np.asarray(off.T)


def solve_by_gmres(
    operator: LinearOperator,
    b: FloatArray,
    *,
    rtol: float,
    atol: float,
    restart: int,
    cycles: int,
    advice: str = "",
) -> FloatArray:
    """Return u with operator · u = b, to `rtol` of the 2-norm of b or to `atol`.

    Raises NotConverged when `cycles` of `restart` iterations do not suffice, or earlier where the
    residual falls so slowly that they will not; advice: what the caller can change.
    """
    size = float(np.linalg.norm(b))
    aim, sizes, u = max(rtol * size, atol), [size], np.zeros_like(b)
    while sizes[-1] > aim and hopeful(sizes, aim, cycles):
        u, _ = gmres(operator, b, x0=u, rtol=0.0, atol=aim, restart=restart, maxiter=1)
        sizes.append(float(np.linalg.norm(b - operator @ u)))
        tick("GMRES cycles", len(sizes) - 1, cycles)
    if not sizes[-1] <= aim:
        raise NotConverged(
            f"GMRES on {b.size} unknowns reached a residual of {sizes[-1] / size:.1e} instead of "
            f"{aim / size:.0e} in {len(sizes) - 1} cycles of {restart} iterations{advice}"
        )
    return np.asarray(u)


def hopeful(sizes: list[float], aim: float, cycles: int) -> bool:
    """Whether residuals that fell as `sizes`, one for each cycle, may reach `aim` in `cycles`."""
    done = len(sizes) - 1
    if done >= cycles or not np.isfinite(sizes[-1]):
        return False
    if done < WATCHED:
        return True
    fall = np.log(sizes[-1 - WATCHED] / sizes[-1]) / WATCHED
    return bool(fall * HOPE * (cycles - done) > np.log(sizes[-1] / aim))


def storage_error(values: FloatArray) -> float:
    """Return Σ of the rounding of numbers that are stored in double precision."""
    return 0.25 * ROUNDING * float(np.abs(values).sum())


def smallest_rate(inverse: Inverse, start: FloatArray, iterations: int) -> float:
    """Return the smallest |eigenvalue| beside zero, by power iteration on the inverse."""
    if start.size == 1:
        return np.inf
    w, growth = start, 1.0
    for _ in range(iterations):
        w = inverse.rough(w / np.sqrt(w @ w))
        growth = float(np.sqrt(w @ w))
    return 1.0 / growth


def require_accuracy(steady: SteadyState) -> None:
    """Raise Unresolved, a NotConverged, if the error of a steady state exceeds its `rtol`."""
    if not steady.passed:
        raise Unresolved(
            f"the steady state is known to {steady.error:.1e} only, not to {steady.rtol:g}: its "
            f"slowest relaxation rate {steady.relaxation_rate:.1e} is too close to rounding of the "
            f"fastest {norm(steady.generator):.1e}",
            steady,
        )
