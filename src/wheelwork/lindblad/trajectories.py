"""Means and counts over quantum-jump trajectories, with standard errors."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from wheelwork._checks import FloatArray, ascending_times, integer, non_negative
from wheelwork.errors import InvalidArgument
from wheelwork.lindblad.equation import Lindblad, jump_weights
from wheelwork.lindblad.operators import ComplexArray, IndexArray, hermitian_operator
from wheelwork.lindblad.state import initial_state
from wheelwork.lindblad.unravelling import STARTS, Unravelling, run_trajectory, uniforms
from wheelwork.numerics.bundles import processors
from wheelwork.results import html_table, with_error

CHUNK = 16  # trajectories that a thread takes at a time; no effect on results
EMPTY = 1e-14  # an eigenvalue of the initial state below is rounding


@dataclass(frozen=True, eq=False, repr=False)
class JumpSamples:
    """Means over trajectories with their standard errors.

    times: (T,). means, standard_errors: by observable, (T,) each. averages: by observable, the
    (mean, standard error) of its average over the times from `burn_in` on. counts: (M, K),
    jumps of each kind in each trajectory from the first time after `burn_in` to the last.
    counted_time: the time between these two. As trajectories are independent, standard errors need
    no correlation time. They do not cover jumps so rare that no trajectory made one: M trajectories
    may miss an event of a probability below about 3/M.
    """

    times: FloatArray
    means: Mapping[str, FloatArray]
    standard_errors: Mapping[str, FloatArray]
    averages: Mapping[str, tuple[float, float]]
    counts: IndexArray
    counted_time: float

    def __repr__(self) -> str:
        averages = "".join(f", {name} = {with_error(*x)}" for name, x in self.averages.items())
        trajectories, times = len(self.counts), self.times.size
        return f"JumpSamples({trajectories} trajectories, {times} times{averages})"

    def _repr_html_(self) -> str:
        rows = [(name, with_error(*average)) for name, average in self.averages.items()]
        return html_table("JumpSamples", rows, ("observable", "average"))

    def rate(self, weights: npt.ArrayLike) -> tuple[float, float]:
        """Mean and standard error of the rate of a count, see `counting_statistics`.

        A kind of which no jump occurred counts in the error as if one had. Raises InvalidArgument
        when there is no time after `burn_in`, or for weights that are not one for each kind.
        """
        if not self.counted_time > 0.0:
            raise InvalidArgument("`times` must have two different ones after `burn_in`")
        M, kinds = self.counts.shape
        w = jump_weights(weights, kinds)
        rates = self.counts @ w / self.counted_time
        unseen = w[~np.any(self.counts, axis=0)] / (M * self.counted_time)
        error = np.hypot(rates.std(ddof=1) / np.sqrt(M), np.linalg.norm(unseen))
        return float(rates.mean()), float(error)


def sample_jumps(
    lindblad: Lindblad,
    initial: Any,
    times: npt.ArrayLike,
    *,
    observables: Mapping[str, Any] | None = None,
    trajectories: int = 256,
    seed: int = 0,
    burn_in: float = 0.0,
    threads: int | None = None,
) -> JumpSamples:
    """Sample state vectors that evolve by −iH − ½ΣL†L and jump by L_k at rate |L_k ψ|².

    (J. Dalibard, Y. Castin, K. Mølmer, Phys. Rev. Lett. 68, 580 (1992).) There is no step-size
    error: jump times are exact to rounding. Random numbers are a function of (seed, trajectory,
    jump): results have the same bits for any number of threads. Elements of observables between
    basis states that no trajectory superposes are left out; they average to zero.

    Args:
        initial: as in `evolve`; a mixture is sampled by its eigenvectors.
        times: (T,), ascending from 0 or later.
        observables: Hermitian matrices by name.
        trajectories: M, at least 2.
        burn_in: time left out of averages and counts.
        threads: by default as many as there are processors for this process.

    Raises:
        InvalidArgument: for an invalid state, times, observables or number.
    """
    at = ascending_times("times", times)
    M = integer("trajectories", trajectories, 2)
    key = integer("seed", seed, 0)
    D = lindblad.dimension
    if M >= 2**32 or key >= 2**64:
        raise InvalidArgument("`trajectories` must be below 2**32 and `seed` below 2**64")
    kept = at >= non_negative("burn_in", burn_in)
    if not np.any(kept):
        raise InvalidArgument(f"`burn_in` must not pass the last time, but is {burn_in!r}")
    rho = initial_state(initial, D)
    operators = {
        name: hermitian_operator(f"observables[{name!r}]", value, D)
        for name, value in (observables or {}).items()
    }
    ensemble = _Ensemble.of(lindblad, rho, list(operators.values()), at, key)
    workers = processors() if threads is None else integer("threads", threads, 1)
    chunks = [range(first, min(first + CHUNK, M)) for first in range(0, M, CHUNK)]
    with ThreadPoolExecutor(workers) as pool:
        return _summary(at, kept, list(operators), pool.map(ensemble.sampled, chunks))


@dataclass(frozen=True, eq=False)
class _Ensemble:
    """Data common to all trajectories.

    operators: observables as CSC parts. vectors: normalised initial vectors with their sets.
    cumulative: their cumulative probabilities.
    """

    unravelling: Unravelling
    operators: Any
    vectors: list[tuple[ComplexArray, int]]
    cumulative: FloatArray
    times: FloatArray
    seed: int

    @classmethod
    def of(
        cls,
        lindblad: Lindblad,
        rho: sp.csc_array,
        operators: list[sp.csc_array],
        times: FloatArray,
        seed: int,
    ) -> "_Ensemble":
        together = np.stack(sp.coo_array(rho).coords, axis=1).astype(np.int64)
        unravelling = Unravelling.of(lindblad, together)
        probabilities, vectors = _mixture(rho, unravelling)
        used = operators or [sp.csc_array(rho.shape, dtype=np.complex128)]
        listed = numba.typed.List([unravelling.ordered(operator) for operator in used])
        cumulative = np.cumsum(probabilities) / np.sum(probabilities)
        return cls(unravelling, listed, vectors, cumulative, times, seed)

    def sampled(self, numbers: Sequence[int]) -> tuple[FloatArray, IndexArray]:
        """Means (m, T, observables) and jumps so far (m, T, kinds) of some trajectories."""
        seed, u = np.uint64(self.seed), self.unravelling
        means, counts = [], []
        for number in numbers:
            choice, _ = uniforms(seed, number, 0, STARTS)
            which = min(int(np.searchsorted(self.cumulative, choice)), len(self.vectors) - 1)
            equation = u.starts, u.steps, u.drift, u.jumps, u.targets
            run = run_trajectory(
                *self.vectors[which], *equation, self.operators, self.times, seed, number
            )
            means.append(run[0])
            counts.append(run[1])
        return np.array(means), np.array(counts)


def _mixture(
    rho: sp.csc_array, unravelling: Unravelling
) -> tuple[FloatArray, list[tuple[ComplexArray, int]]]:
    """Eigenvalues of ρ and its eigenvectors, each with its set."""
    probabilities, vectors = [], []
    starts, order = unravelling.starts, unravelling.order
    ordered = sp.csr_array(sp.csr_array(rho)[order][:, order])
    weight = np.add.reduceat(ordered.diagonal().real, starts[:-1])
    for block in np.flatnonzero(weight > 0.0):
        inside = slice(int(starts[block]), int(starts[block + 1]))
        values, columns = np.linalg.eigh(ordered[inside, inside].toarray())
        for value, column in zip(values, columns.T, strict=True):
            if value > EMPTY:
                probabilities.append(float(value))
                vectors.append((np.ascontiguousarray(column), int(block)))
    return np.array(probabilities), vectors


def _summary(
    times: FloatArray,
    kept: npt.NDArray[np.bool_],
    names: list[str],
    chunks: Iterator[tuple[FloatArray, IndexArray]],
) -> JumpSamples:
    """Means and squares are summed in the order of trajectories."""
    averages, counts = [], []
    first, origin = int(np.flatnonzero(kept)[0]), None
    for means, jumps in chunks:
        if origin is None:
            origin = means[0]
            total, square = np.zeros((2, *origin.shape))
        total = total + np.sum(means - origin, axis=0)
        square = square + np.sum((means - origin) ** 2, axis=0)
        averages.append(means[:, kept].mean(axis=1))
        counts.append(jumps[:, -1] - jumps[:, first])
    lines = np.concatenate(averages)
    M = len(lines)
    variance = np.maximum(square - total**2 / M, 0.0) / (M * (M - 1))
    mean, error = origin + total / M, np.sqrt(variance)
    spread = lines.std(axis=0, ddof=1) / np.sqrt(M)
    return JumpSamples(
        times=times,
        means=dict(zip(names, mean.T, strict=False)),
        standard_errors=dict(zip(names, error.T, strict=False)),
        averages={n: (float(lines[:, i].mean()), float(spread[i])) for i, n in enumerate(names)},
        counts=np.concatenate(counts),
        counted_time=float(times[-1] - times[first]),
    )
