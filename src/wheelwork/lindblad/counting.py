"""Full counting statistics of the jumps in a steady state: mean, noise, and higher cumulants."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from wheelwork._checks import FloatArray, finite_array, integer, positive
from wheelwork.errors import InvalidArgument
from wheelwork.lindblad.equation import jump_weights
from wheelwork.lindblad.factorisation import Inverse
from wheelwork.lindblad.sector import Sector, driven_sector, jump_superoperator
from wheelwork.lindblad.steady import Residual, SteadyState
from wheelwork.lindblad.steady_methods import SparseLU
from wheelwork.results import html_table, with_error

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
        order: highest cumulant; each one more takes one solution with the generator.

    Raises:
        InvalidArgument: for weights that are not one number for each jump, or an order below 1.
    """
    w = jump_weights(weights, len(steady.lindblad.jumps))
    highest = integer("order", order, 1)
    problem = _Counting.of(steady, [w])
    powers = [problem.total(w**m) for m in range(1, highest + 1)]
    values = _recursion(problem, powers, problem.values)
    perturbed = _recursion(problem, powers, problem.perturbed)
    rounding = np.finfo(np.float64).eps * np.abs(values)
    return CountingStatistics(values, MARGIN * (np.abs(values - perturbed) + rounding))


def counting_covariance(steady: SteadyState, weights: npt.ArrayLike) -> FloatArray:
    """Return d⟨⟨N_i N_j⟩⟩/dt of several counts, (M, M).

    weights: (M, K), a row for each count. Raises as `counting_statistics`.
    """
    rows = finite_array("weights", weights, ndim=2)
    counts = [jump_weights(row, len(steady.lindblad.jumps)) for row in rows]
    problem = _Counting.of(steady, counts)
    J = [problem.total(w) for w in counts]
    rho, trace = problem.values, problem.sector.trace
    y = [problem.inverse.solve(float(trace @ (Ji @ rho)) * rho - Ji @ rho) for Ji in J]
    noise = np.empty((len(counts), len(counts)))
    for i, Ji in enumerate(J):
        for k, Jk in enumerate(J):
            both = problem.total(counts[i] * counts[k]) @ rho
            noise[i, k] = trace @ (both + Ji @ y[k] + Jk @ y[i])
    return noise


@dataclass(frozen=True, eq=False)
class _Counting:
    """A steady state on a sector that every counted jump leaves invariant.

    perturbed: the vector `values` moved by a sample of its error. jumps: matrices of ρ → L ρ L†.
    """

    sector: Sector
    values: FloatArray
    perturbed: FloatArray
    inverse: Inverse
    jumps: dict[int, sp.csc_array]

    @classmethod
    def of(cls, steady: SteadyState, counts: Sequence[FloatArray]) -> "_Counting":
        used = np.flatnonzero(np.any(np.array(counts) != 0.0, axis=0)).tolist()
        if steady.inverse is None:
            raise InvalidArgument(
                "`steady` must be the only steady state of its sector, but is one of several"
            )
        while True:
            maps = {k: jump_superoperator(steady.lindblad, steady.sector, [k]) for k in used}
            every = np.concatenate([np.empty(0, np.int64), *(o for _, o in maps.values())])
            if every.size == 0:
                break
            starts = np.concatenate((steady.sector.keys, np.unique(every)))
            steady = SparseLU().solve(steady.lindblad, *driven_sector(steady.lindblad, starts))
        rho, inverse = steady.state.values, steady.inverse
        jumps = {k: matrix for k, (matrix, _) in maps.items()}
        assert inverse is not None
        noise = Residual.of(steady.generator, rho).samples(steady.sector)[:, 0]
        return cls(steady.sector, rho, rho + inverse.solve(noise), inverse, jumps)

    def total(self, weights: FloatArray) -> sp.csc_array:
        """Σ_k w_k J_k."""
        n = self.sector.size
        total = sp.csc_array((n, n))
        for k, matrix in self.jumps.items():
            if weights[k] != 0.0:
                total = total + weights[k] * matrix
        return sp.csc_array(total)


def _recursion(problem: _Counting, powers: list[Any], rho: FloatArray) -> FloatArray:
    """Cumulants by the recursion of `counting_statistics`; powers: L^(1), L^(2) …"""
    cumulants: list[float] = []
    states = [rho]
    for n in range(1, len(powers) + 1):
        terms = [math.comb(n, m) * (powers[m - 1] @ states[n - m]) for m in range(1, n + 1)]
        driven = np.sum(terms, axis=0)
        cumulants.append(float(problem.sector.trace @ driven))
        if n < len(powers):
            kept = [math.comb(n, m) * cumulants[m - 1] * states[n - m] for m in range(1, n + 1)]
            states.append(problem.inverse.solve(np.sum(kept, axis=0) - driven))
    return np.array(cumulants)
