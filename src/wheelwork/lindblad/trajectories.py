"""Means and counts over quantum-jump trajectories, with standard errors."""

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import xarray as xr

from wheelwork._checks import (
    FloatArray,
    ascending_times,
    flag,
    integer,
    named,
    non_negative,
    positive,
)
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.lindblad.equation import Lindblad, jump_weights, require_lindblad
from wheelwork.lindblad.operators import ComplexArray, IndexArray, hermitian_parts, sparse_operator
from wheelwork.lindblad.state import initial_state
from wheelwork.lindblad.strata import FEWEST, Sums, divided, estimate, mixture
from wheelwork.lindblad.unravelling import Unravelling, run_trajectory
from wheelwork.numerics.bundles import processors
from wheelwork.numerics.work import require_budget, tick
from wheelwork.results import html_table, with_error
from wheelwork.results.datasets import variables

CHUNK = 16  # trajectories that a thread takes at a time; no effect on results
OPERATIONS = 1e10  # by default, of all trajectories: some 10 s on one processor
MOST_KEPT = 2**27  # bytes of the averaged states


class JumpRecord(NamedTuple):
    """Jumps of one trajectory: times (J,), ascending, and kinds (J,), positions in `jumps`."""

    times: FloatArray
    kinds: IndexArray


@dataclass(frozen=True, eq=False, repr=False)
class JumpSamples:
    """Means over trajectories with their standard errors.

    times: (T,). means, standard_errors: by observable, (T,) each; means are complex of an operator
    that is not Hermitian, and their errors those of the modulus. averages: by observable, the
    (mean, standard error) of its average over the times from `burn_in` on. counts: (M, K),
    jumps of each kind in each trajectory from the first time after `burn_in` to the last.
    counted_time: the time between these two. weights: (M,), share of each trajectory in a mean;
    their sum is one. strata: (M,), its part of the initial state: errors are of independent
    trajectories within these, so they need no correlation time. They do not cover jumps so rare
    that no trajectory made one: M trajectories may miss an event of a probability below about 3/M.
    average_states: (T, D, D), mean of |ψ⟩⟨ψ|, and records: one for each trajectory, from time 0;
    where asked for, else None.
    """

    times: FloatArray
    means: Mapping[str, npt.NDArray[Any]]
    standard_errors: Mapping[str, FloatArray]
    averages: Mapping[str, tuple[Any, float]]
    counts: IndexArray
    counted_time: float
    weights: FloatArray | None = None
    strata: IndexArray | None = None
    average_states: ComplexArray | None = None
    records: tuple[JumpRecord, ...] | None = None

    def __repr__(self) -> str:
        averages = "".join(f", {name} = {with_error(*x)}" for name, x in self.averages.items())
        trajectories, times = len(self.counts), self.times.size
        return f"JumpSamples({trajectories} trajectories, {times} times{averages})"

    def _repr_html_(self) -> str:
        rows = [(name, with_error(*average)) for name, average in self.averages.items()]
        return html_table("JumpSamples", rows, ("observable", "average"))

    def to_xarray(self) -> xr.Dataset:
        """Return means over `time`, averages, and counts over `trajectory` and `jump`.

        Complex means in two parts, each with the error of the modulus.
        """
        parts = variables(("trajectory", "jump"), "counts", self.counts, None, "1", "jumps")
        for name, values in self.means.items():
            parts |= variables("time", name, values, self.standard_errors[name])
        for name, (mean, error) in self.averages.items():
            parts |= variables((), f"{name}_average", mean, error)
        return xr.Dataset(parts, {"time": self.times}, {"counted_time": self.counted_time})

    def rate(self, weights: npt.ArrayLike) -> tuple[float, float]:
        """Mean and standard error of the rate of a count, see `counting_statistics`.

        A kind of which no jump occurred counts in the error as if one had. Raises InvalidArgument
        when there is no time after `burn_in`, or for weights that are not one for each kind.
        """
        if not self.counted_time > 0.0:
            raise InvalidArgument("`times` must have two different ones after `burn_in`")
        M, kinds = self.counts.shape
        w = jump_weights(weights, kinds)
        shares = np.full(M, 1.0 / M) if self.weights is None else self.weights
        strata = np.zeros(M, dtype=np.int64) if self.strata is None else self.strata
        mean, error = estimate(self.counts @ w / self.counted_time, shares, strata)
        unseen = w[~np.any(self.counts, axis=0)] / (M * self.counted_time)
        return float(mean), float(np.hypot(error, np.linalg.norm(unseen)))


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
    states: bool = False,
    records: bool = False,
    operations: float = OPERATIONS,
) -> JumpSamples:
    """Sample state vectors that evolve by −iH − ½ΣL†L and jump by L_k at rate |L_k ψ|².

    (J. Dalibard, Y. Castin, K. Mølmer, Phys. Rev. Lett. 68, 580 (1992).) There is no step-size
    error: jump times are exact to rounding. Random numbers are a function of (seed, trajectory,
    jump): results have the same bits for any number of threads. Elements of observables between
    basis states that no trajectory superposes are left out; they average to zero.

    A mixture is not drawn but divided: each eigenvector of probability p has about M p of the
    trajectories, with weights that add up to p, so that means are exact at time 0 and their errors
    those of the jumps alone. Eigenvectors too unlikely for two trajectories are drawn together.

    Args:
        initial: matrix (D, D), vector (D,), `State` or `qutip.Qobj`, a state of trace one.
        times: (T,), ascending from 0 or later.
        observables: matrices by name.
        trajectories: M, at least 2.
        burn_in: time left out of averages and counts.
        threads: by default as many as there are processors for this process.
        states: whether to average |ψ⟩⟨ψ| at every time.
        records: whether to keep the time and kind of every jump.
        operations: the budget of work, some 1e9 a second on each processor: a step of 1/|G| takes
            20 for each element of G = −iH − ½ΣL†L among the basis states of its trajectory.

    Raises:
        InvalidArgument: for an invalid state, times, observables or number.
        NotConverged: when the budget, or a time limit around the call, ends the run; `partial`
            holds the trajectories that were completed before, where they cover the initial state.
    """
    at = ascending_times("times", times)
    require_lindblad(lindblad)
    M = integer("trajectories", trajectories, 2)
    key = integer("seed", seed, 0)
    D = lindblad.dimension
    if M >= 2**32 or key >= 2**64:
        raise InvalidArgument("`trajectories` must be below 2**32 and `seed` below 2**64")
    kept = at >= non_negative("burn_in", burn_in)
    if not np.any(kept):
        raise InvalidArgument(f"`burn_in` must not pass the last time, but is {burn_in!r}")
    kept_states, kept_records = flag("states", states), flag("records", records)
    if kept_states and 16 * at.size * D**2 > MOST_KEPT:
        raise InvalidArgument(
            f"`states` must be False where averaged states take more than {MOST_KEPT >> 20} MiB, "
            f"but {at.size} of {D} levels take {16 * at.size * D**2 >> 20} MiB"
        )
    rho = initial_state(initial, D)
    parts = {
        name: hermitian_parts(sparse_operator(f"observables[{name!r}]", value, D))
        for name, value in named("observables", observables).items()
    }
    request = _Request(
        at, kept, {n: len(each) for n, each in parts.items()}, kept_states, kept_records
    )
    operators = [part for each in parts.values() for part in each]
    ensemble = _Ensemble.of(lindblad, rho, operators, request, key, M)
    workers = processors() if threads is None else integer("threads", threads, 1)
    return _summary(ensemble, _runs(ensemble, workers, _budget(operations)))


class _Request(NamedTuple):
    """What is asked for; kept: (T,), times from `burn_in` on.

    names: of the observables, with the number of their Hermitian parts, one or two.
    """

    times: FloatArray
    kept: npt.NDArray[np.bool_]
    names: Mapping[str, int]
    states: bool
    records: bool


class _Chunk(NamedTuple):
    """Trajectories: means (m, T, observables), jumps so far (m, T, kinds), and what is kept."""

    means: FloatArray
    counts: IndexArray
    states: ComplexArray | None
    records: list[JumpRecord]
    work: float


@dataclass(frozen=True, eq=False)
class _Ensemble:
    """Data common to all trajectories.

    operators: observables as CSC parts. vectors: normalised initial vectors with their sets.
    starts: (M,), the vector of each trajectory. weights, strata: as of `JumpSamples`.
    """

    request: _Request
    unravelling: Unravelling
    operators: Any
    vectors: list[tuple[ComplexArray, int]]
    starts: IndexArray
    weights: FloatArray
    strata: IndexArray
    seed: int

    @classmethod
    def of(
        cls,
        lindblad: Lindblad,
        rho: sp.csc_array,
        operators: list[sp.csc_array],
        request: _Request,
        seed: int,
        trajectories: int,
    ) -> "_Ensemble":
        together = np.stack(sp.coo_array(rho).coords, axis=1).astype(np.int64)
        unravelling = Unravelling.of(lindblad, together)
        probabilities, vectors = mixture(rho, unravelling)
        used = operators or [sp.csc_array(rho.shape, dtype=np.complex128)]
        listed = numba.typed.List([unravelling.ordered(operator) for operator in used])
        shares = divided(probabilities / np.sum(probabilities), trajectories, seed)
        return cls(request, unravelling, listed, vectors, *shares, seed)

    def sampled(self, numbers: Sequence[int], most: float) -> _Chunk:
        """Some trajectories; raises NotConverged beyond `most` operations of all of them."""
        seed, u, (times, *_, states, records) = np.uint64(self.seed), self.unravelling, self.request
        equation = u.starts, u.steps, u.drift, u.jumps, u.targets
        means: list[FloatArray] = []
        counts: list[IndexArray] = []
        kept: list[JumpRecord] = []
        work = 0.0
        D = u.order.size
        total = np.zeros((times.size, D, D), dtype=np.complex128) if states else None
        for number in numbers:
            psi, block = self.vectors[self.starts[number]]
            random, keep = (seed, number), states or records
            *run, done = run_trajectory(
                psi, block, equation, self.operators, times, random, keep, most - work
            )
            if done > most - work:
                raise NotConverged(
                    f"the budget of {most:.2g} operations ended trajectory {number} within "
                    f"a time of {times[-1]:.3g}; raise `operations`, or take a shorter time"
                )
            means.append(run[0])
            counts.append(run[1])
            kept.append(JumpRecord(run[4], run[5]))
            work += done
            if total is not None:
                _add_projectors(total, run[2], run[3], u, float(self.weights[number]))
        return _Chunk(np.array(means), np.array(counts), total, kept if records else [], work)


def _add_projectors(
    total: ComplexArray, states: ComplexArray, sets: IndexArray, u: Unravelling, weight: float
) -> None:
    """Add weight |ψ⟩⟨ψ| of one trajectory at each time."""
    for i, (psi, block) in enumerate(zip(states, sets, strict=True)):
        basis = u.order[u.starts[block] : u.starts[block + 1]]
        inside = psi[: basis.size]
        share = weight / float(np.vdot(inside, inside).real)
        total[i][np.ix_(basis, basis)] += share * np.outer(inside, inside.conj())


def _budget(operations: float) -> float:
    unbounded = isinstance(operations, float) and operations == math.inf
    return math.inf if unbounded else positive("operations", operations)


def _runs(ensemble: _Ensemble, workers: int, operations: float) -> Iterator[_Chunk]:
    """Yield all trajectories in their order; raises NotConverged beyond the budget."""
    M, done, work = ensemble.starts.size, 0, 0.0
    least = FEWEST * ensemble.unravelling.least_operations(float(ensemble.request.times[-1]))
    task, advice = (
        f"a sample of {FEWEST} trajectories",
        "take a shorter time, or raise `operations`",
    )
    require_budget(task, least, operations, "operations", advice)
    chunks = [range(first, min(first + CHUNK, M)) for first in range(0, M, CHUNK)]
    pool = ThreadPoolExecutor(workers)
    try:
        for chunk in pool.map(ensemble.sampled, chunks, [operations] * len(chunks)):
            yield chunk
            done, work = done + len(chunk.means), work + chunk.work
            tick("trajectories", done, M)
            if work > operations and done < M:
                raise NotConverged(
                    f"{done} of {M} trajectories took {work:.2g} operations, more than the budget "
                    f"of {operations:.2g} for all: raise `operations` to about "
                    f"{work * M / done:.2g}, or take fewer or shorter ones"
                )
    finally:
        pool.shutdown(cancel_futures=True)


def _by_name(values: FloatArray, names: Mapping[str, int]) -> dict[str, FloatArray]:
    """Rows of the parts of each observable, one or two."""
    ends = np.cumsum(list(names.values()), dtype=np.int64)
    return {n: values[end - k : end] for (n, k), end in zip(names.items(), ends, strict=True)}


def _joined(parts: FloatArray) -> npt.NDArray[Any]:
    """The mean of A + iB from those of A and B, of a Hermitian operator that of A."""
    return np.asarray(parts[0] + 1j * parts[1] if len(parts) > 1 else parts[0])


def _summary(ensemble: _Ensemble, chunks: Iterator[_Chunk]) -> JumpSamples:
    """Sums are taken in the order of trajectories; NotConverged holds those that came before."""
    times, kept, *_ = ensemble.request
    averages, counts, records = [], [], []
    sums: dict[int, Sums] = {}
    states: Any = 0.0
    first, done, reason = int(np.flatnonzero(kept)[0]), 0, None
    try:
        for chunk in chunks:
            numbers = ensemble.strata[done : done + len(chunk.means)]
            for stratum in np.unique(numbers).tolist():
                lines = chunk.means[numbers == stratum]
                sums.setdefault(stratum, Sums(lines[0])).add(lines)
            averages.append(chunk.means[:, kept].mean(axis=1))
            counts.append(chunk.counts[:, -1] - chunk.counts[:, first])
            records += chunk.records
            states = states if chunk.states is None else states + chunk.states
            done += len(numbers)
    except NotConverged as stopped:
        reason = stopped
    one_stratum = np.all(ensemble.strata == ensemble.strata[0])
    if reason and not (one_stratum and done >= FEWEST):
        raise reason
    weights, strata = ensemble.weights[:done], ensemble.strata[:done]
    whole = float(weights.sum())  # one, but for a part of the trajectories
    weights = weights / whole
    shares = np.bincount(strata, weights)
    mean = sum(shares[k] * each.mean for k, each in sums.items())
    error = np.sqrt(sum(shares[k] ** 2 * each.variance for k, each in sums.items()))
    average, spread = estimate(np.concatenate(averages), weights, strata)
    request = ensemble.request
    means, errors = (_by_name(values.T, request.names) for values in (mean, error))
    overall, its_error = (_by_name(values, request.names) for values in (average, spread))
    samples = JumpSamples(
        times=times,
        means={n: _joined(parts) for n, parts in means.items()},
        standard_errors={n: np.hypot.reduce(parts) for n, parts in errors.items()},
        averages={
            n: (_joined(parts).item(), float(np.hypot.reduce(its_error[n])))
            for n, parts in overall.items()
        },
        counts=np.concatenate(counts),
        counted_time=float(times[-1] - times[first]),
        weights=weights,
        strata=strata,
        average_states=states / whole if request.states else None,
        records=tuple(records) if request.records else None,
    )
    if reason:
        reason.partial = samples
        raise reason
    return samples
