"""Full counting statistics of the jumps in a steady state: mean, noise, and higher cumulants."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import xarray as xr

from wheelwork._checks import FloatArray, finite_array, integer, positive, shown
from wheelwork.errors import InvalidArgument
from wheelwork.lindblad.equation import jump_weights
from wheelwork.lindblad.factorisation import Inverse
from wheelwork.lindblad.operators import LARGEST, IndexArray
from wheelwork.lindblad.sector import Sector, driven_sector, jump_superoperator
from wheelwork.lindblad.steady import Residual, SteadyState
from wheelwork.lindblad.steady_methods import solve_by_default
from wheelwork.numerics.work import tick
from wheelwork.results import html_table, with_error
from wheelwork.results.datasets import variables

HIGHEST = 40  # order: 40! is the size of its cumulant
MARGIN = 10.0  # on one random sample of rounding, whose effect varies tenfold


@dataclass(frozen=True, eq=False, repr=False)
class CountingStatistics:
    """Long-time cumulants per time of a count N, to which each jump adds its weight.

    cumulants: (order,), lim d⟨⟨N^k⟩⟩/dt for k = 1 … order (mean, noise, skewness …), powers of the
    weights' unit per time. errors: their estimated absolute errors.
    """

    cumulants: FloatArray
    errors: FloatArray

    def __repr__(self) -> str:
        values = ", ".join(map(with_error, self.cumulants, self.errors))
        return f"CountingStatistics(cumulants per time {values})"

    def _repr_html_(self) -> str:
        values = enumerate(map(with_error, self.cumulants, self.errors), start=1)
        rows = [(str(k), value) for k, value in values]
        return html_table("CountingStatistics", rows, ("order", "cumulant per time"))

    def to_xarray(self) -> xr.Dataset:
        """Return the cumulants over `order` with their errors."""
        values = self.cumulants, self.errors
        parts = variables("order", "cumulant", *values, "rate", "cumulant per time")
        return xr.Dataset(parts, {"order": np.arange(1, self.cumulants.size + 1)})

    @property
    def mean(self) -> float:
        """d⟨N⟩/dt."""
        return float(self.cumulants[0])

    @property
    def noise(self) -> float:
        """d⟨⟨N²⟩⟩/dt, the zero-frequency noise (without a factor of two)."""
        return float(self.cumulants[1])

    @property
    def fano_factor(self) -> float:
        """noise/|mean|; infinite where the mean is no larger than its error."""
        return self.noise / abs(self.mean) if self._has_mean else math.inf

    def uncertainty_ratio(self, entropy_production: float) -> float:
        """noise · σ/(2 mean²), σ the entropy production rate.

        At least one for classical Markov jumps (A. C. Barato, U. Seifert, Phys. Rev. Lett. 114,
        158101 (2015)); coherence may bring it below. Infinite as `fano_factor` is.
        """
        sigma = positive("entropy_production", entropy_production)
        return self.noise * sigma / (2.0 * self.mean**2) if self._has_mean else math.inf

    @property
    def _has_mean(self) -> bool:
        return abs(self.mean) > float(self.errors[0])


def counting_statistics(
    steady: SteadyState, weights: npt.ArrayLike, order: int = 2
) -> CountingStatistics:
    """Return the cumulants of one count, by the recursion in the counting field.

    With J_k ρ = L_k ρ L_k† and L^(m) = Σ_k w_k^m J_k, c_n = Σ_m C(n, m) Tr L^(m) ρ_(n−m) and
    ρ_n = R Σ_m C(n, m) (c_m − L^(m)) ρ_(n−m), m = 1 … n, R the pseudo-inverse of the generator
    (C. Flindt, T. Novotný, A. Braggio, A.-P. Jauho, Phys. Rev. B 82, 155407 (2010), Sec. V).

    Args:
        weights: (K,), what a jump of each kind adds, as +1 and −1 for a net current.
        order: highest cumulant, at most 40; each one more takes one solution with the generator.

    Raises:
        InvalidArgument: for weights that are not one number for each jump, or are so large that
            their powers overflow, or an order below 1 or above 40.
    """
    require_steady(steady)
    w = jump_weights(weights, len(steady.lindblad.jumps))
    highest = integer("order", order, 1)
    if highest > HIGHEST:
        raise InvalidArgument(f"`order` must be at most {HIGHEST}, but is {shown(order)}")
    if float(np.abs(w).max(initial=0.0)) > LARGEST ** (1.0 / highest):
        raise InvalidArgument("`weights` must have powers that are finite, but they overflow")
    weightings = [w**m for m in range(1, highest + 1)]
    problem = _Counting.of(steady, weightings)
    powers = [problem.total(each) for each in weightings]
    values = _recursion(problem, powers, problem.values)
    perturbed = _recursion(problem, powers, problem.perturbed)
    rounding = np.finfo(np.float64).eps * np.abs(values)
    return CountingStatistics(values, MARGIN * (np.abs(values - perturbed) + rounding))


def counting_covariance(steady: SteadyState, weights: npt.ArrayLike) -> FloatArray:
    """Return d⟨⟨N_i N_j⟩⟩/dt of several counts, (M, M).

    weights: (M, K), a row for each count. Raises as `counting_statistics`.
    """
    require_steady(steady)
    rows = finite_array("weights", weights, ndim=2)
    if float(np.abs(rows).max(initial=0.0)) > math.sqrt(LARGEST):
        raise InvalidArgument("`weights` must have squares that are finite, but they overflow")
    counts = [jump_weights(row, len(steady.lindblad.jumps)) for row in rows]
    products = [one * other for one in counts for other in counts]
    problem = _Counting.of(steady, [*counts, *products])
    J = [problem.total(w) for w in counts]
    rho, trace = problem.values, problem.sector.trace
    y = [problem.inverse.solve(float(trace @ (Ji @ rho)) * rho - Ji @ rho) for Ji in J]
    noise = np.empty((len(counts), len(counts)))
    for i, Ji in enumerate(J):
        for k, Jk in enumerate(J):
            both = problem.total(counts[i] * counts[k]) @ rho
            noise[i, k] = trace @ (both + Ji @ y[k] + Jk @ y[i])
    return noise


def require_steady(value: Any) -> None:
    """Raise InvalidArgument for anything but a `SteadyState`."""
    if not isinstance(value, SteadyState):
        raise InvalidArgument(
            f"`steady` must be a SteadyState, as of `steady_state`, but is {shown(value)}"
        )


@dataclass(frozen=True, eq=False)
class _Counting:
    """A steady state on a sector that every counted jump leaves invariant.

    perturbed: the vector `values` moved by a sample of its error. maps: matrices of
    ρ → Σ w_k L_k ρ L_k† by the weights, as bytes.
    """

    sector: Sector
    values: FloatArray
    perturbed: FloatArray
    inverse: Inverse
    maps: dict[bytes, sp.csc_array]

    @classmethod
    def of(cls, steady: SteadyState, weightings: Sequence[FloatArray]) -> "_Counting":
        if steady.inverse is None:
            raise InvalidArgument(
                "`steady` must be the only steady state of its sector, but is one of several"
            )
        needed = {w.tobytes(): w for w in weightings}
        while True:
            maps: dict[bytes, tuple[sp.csc_array, IndexArray]] = {}
            for key, w in needed.items():
                tick("maps of the counted jumps", len(maps), len(needed))
                maps[key] = jump_superoperator(steady.lindblad, steady.sector, w)
            every = np.concatenate([np.empty(0, np.int64), *(o for _, o in maps.values())])
            if every.size == 0:
                break
            starts = np.concatenate((steady.sector.keys, np.unique(every)))
            steady = solve_by_default(steady.lindblad, *driven_sector(steady.lindblad, starts))
        rho, inverse = steady.state.values, steady.inverse
        assert inverse is not None
        noise = Residual.of(steady.generator, rho).samples(steady.sector)[:, 0]
        matrices = {key: matrix for key, (matrix, _) in maps.items()}
        return cls(steady.sector, rho, rho + inverse.solve(noise), inverse, matrices)

    def total(self, weights: FloatArray) -> sp.csc_array:
        """ρ → Σ_k w_k L_k ρ L_k† as a matrix."""
        return self.maps[weights.tobytes()]


def _recursion(problem: _Counting, powers: list[Any], rho: FloatArray) -> FloatArray:
    """Cumulants by the recursion of `counting_statistics`; powers: L^(1), L^(2) …"""
    cumulants: list[float] = []
    states = [rho]
    for n in range(1, len(powers) + 1):
        tick("cumulants", n - 1, len(powers))
        terms = [math.comb(n, m) * (powers[m - 1] @ states[n - m]) for m in range(1, n + 1)]
        driven = np.sum(terms, axis=0)
        cumulants.append(float(problem.sector.trace @ driven))
        if n < len(powers):
            kept = [math.comb(n, m) * cumulants[m - 1] * states[n - m] for m in range(1, n + 1)]
            states.append(problem.inverse.solve(np.sum(kept, axis=0) - driven))
    return np.array(cumulants)
