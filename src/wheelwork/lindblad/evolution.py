"""Solutions of a Lindblad equation over time."""

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from wheelwork._checks import FloatArray, ascending_times, flag, integer, named, shown
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.lindblad.equation import Lindblad, require_lindblad
from wheelwork.lindblad.exponential import Exponential, exponential_cost, is_closed
from wheelwork.lindblad.operators import hermitian_parts, sparse_operator
from wheelwork.lindblad.sector import Sector, driven_sector, unknowns_of
from wheelwork.lindblad.state import State, initial_operator
from wheelwork.lindblad.steps import STEPS, ExplicitSteps, ImplicitSteps, Motion
from wheelwork.results.datasets import variables

LARGEST_IMPLICIT = 50_000  # unknowns: beyond, three LUs may not fit into memory
CHEAP = 4e9  # operations of an exponential, some 0.1 s: as fast as implicit steps
SLOW_STEP, SLOW_UNKNOWN = 2.4e6, 1.2e5  # operations as long as an implicit step: 60 µs, 3 µs more
FEWEST_STEPS = 2000  # tried before an exponential
IS_TRACE = 0.5  # of |x|: a larger trace is restored by a factor

Values = npt.NDArray[Any]  # real or complex
Stepping = ImplicitSteps | ExplicitSteps | Exponential


@dataclass(frozen=True, eq=False, repr=False)
class Evolution:
    """Solution of a Lindblad equation at given times.

    times: (T,). means: Tr(O X) of the given observables, by name, (T,) each; complex unless X and O
    are Hermitian. largest: of those that are real the largest mean up to each time, (T,); by steps,
    over all steps on the way. values: (T, n), vectors of the sector, or None where states were not
    kept. error: (T,), estimated Σ|δX_ab| over the unknowns; a mean is off by at most about the
    largest |O_ab| times this. final: the state at the last time.

    As `error.partial` of NotConverged it ends at the last time reached.
    """

    times: FloatArray
    sector: Sector
    means: Mapping[str, npt.NDArray[Any]]
    largest: Mapping[str, FloatArray]
    values: Values | None
    error: FloatArray
    final: State

    def __repr__(self) -> str:
        means = f", means of {', '.join(self.means)}" if self.means else ""
        return (
            f"Evolution({self.times.size} times to {self.times[-1]:.6g}, {self.sector.size} "
            f"unknowns{means}, error {self.error.max():.1e})"
        )

    def to_xarray(self) -> xr.Dataset:
        """Return the means over `time`, complex ones in two parts, and the error of the state."""
        parts = variables("time", "error", self.error, None, "1", "sum of |error of rho|")
        for name, values in self.means.items():
            parts |= variables("time", name, values)
        for name, values in self.largest.items():
            parts |= variables("time", f"{name}_largest", values)
        return xr.Dataset(parts, {"time": self.times})

    def state(self, position: int) -> State:
        """The state at `times[position]`; InvalidArgument when states were not kept."""
        if self.values is None:
            raise InvalidArgument("`states` must be True to look at a state, but is False")
        at, T = integer("position", position, -self.times.size), self.times.size
        if at >= T:
            raise InvalidArgument(f"`position` must be below {T}, but is {at}")
        return State(self.sector, self.values[at])


def evolve(
    lindblad: Lindblad,
    initial: Any,
    times: npt.ArrayLike,
    *,
    observables: Mapping[str, Any] | None = None,
    states: bool = True,
    method: Stepping | None = None,
) -> Evolution:
    """Solve the Lindblad equation from `initial` at time 0.

    The equation is linear: `initial` is a state or any operator X, such as B ρ, with which
    Tr(A X(t)) is the correlation ⟨A(t) B(0)⟩ in the state ρ. Solved on the unknowns that the
    elements of X drive; all others stay zero.

    By default (None): without jumps by `Exponential`, at any time exact; likewise where the
    generator falls into blocks of up to some 100 unknowns; else by `ImplicitSteps`, and where these
    take too many steps by `Exponential` after all; beyond 50 000 unknowns by `ExplicitSteps`. Each
    has its budget, some 10 s with its default value.

    Args:
        initial: matrix (D, D), normalised state vector (D,), `State` or `qutip.Qobj`.
        times: (T,), not negative, ascending.
        observables: matrices by name, whose means are returned.
        states: whether to keep the state at every time.
        method: see above. `rtol` bounds the error relative to the norm of X, one for a state.

    Raises:
        InvalidArgument: for an invalid matrix, times or observables; for H that depends on time or
            a superoperator, which are not supported.
        NotConverged: when the method cannot reach its tolerance within its budget; `partial` holds
            the times reached before.
    """
    at = ascending_times("times", times)
    require_lindblad(lindblad)
    if method is not None and not isinstance(method, Stepping):
        raise InvalidArgument(
            f"`method` must be a method such as Exponential(), but is {shown(method)}"
        )
    motion, scale = _motion(lindblad, initial)
    rows = {
        name: _functional(f"observables[{name!r}]", operator, motion.sector)
        for name, operator in named("observables", observables).items()
    }
    wanted = _Wanted(at, rows, scale, flag("states", states))
    *first, last = _chosen(motion, at) if method is None else [method]
    for way in first:
        with suppress(NotConverged):
            return _solve(way, motion, wanted)
    return _solve(last, motion, wanted)


def _motion(lindblad: Lindblad, initial: Any) -> tuple[Motion, float]:
    """The equation of x from an operator `scale` x, which has a norm of one."""
    parts = initial_operator(initial, lindblad.dimension)
    keys = np.unique(np.concatenate([unknowns_of(part)[0] for part in parts]))
    if keys.size == 0:  # the operator zero
        keys = np.zeros(1, dtype=np.int64)
    sector, generator = driven_sector(lindblad, keys)
    start = np.column_stack([sector.vector(part) for part in parts])
    trace, square = sector.trace @ start, np.sum(np.abs(start) ** 2)
    scale = max(float(np.linalg.norm(trace)), math.sqrt(float(square))) or 1.0
    return Motion(lindblad, sector, generator, start / scale), scale


def _functional(name: str, operator: Any, sector: Sector) -> Values:
    """(n,), whose product with a vector of the sector is Tr(O X); real of a Hermitian O."""
    O = sparse_operator(name, operator, sector.dimension)  # noqa: E741
    parts = [sector.functional(part) for part in hermitian_parts(O)]
    return parts[0] if len(parts) == 1 else np.asarray(parts[0] + 1j * parts[1])


def _chosen(motion: Motion, times: FloatArray) -> list[Stepping]:
    """Methods to try in turn, by their estimated cost."""
    exact, n = Exponential(), motion.start.shape[0]
    cost = exponential_cost(motion, times)
    affordable = cost <= exact.operations
    if affordable and is_closed(motion):
        return [exact]
    if cost <= CHEAP:
        return [exact, ImplicitSteps()]
    if n > LARGEST_IMPLICIT:
        return [ExplicitSteps()]
    if not affordable:
        return [ImplicitSteps()]
    steps = int(cost / (SLOW_STEP + SLOW_UNKNOWN * n))
    return [ImplicitSteps(steps=min(STEPS, max(FEWEST_STEPS, steps))), exact]


class _Wanted(NamedTuple):
    """What is recorded of x, of the operator `scale` x; rows: functionals of the observables."""

    times: FloatArray
    rows: Mapping[str, Values]
    scale: float
    keep: bool


def _solve(method: Stepping, motion: Motion, wanted: _Wanted) -> Evolution:
    """The solution by one method; NotConverged holds the times that it reached before."""
    sector, start = motion.sector, motion.start
    hermitian = start.shape[1] == 1
    real = [n for n, row in wanted.rows.items() if hermitian and not np.iscomplexobj(row)]
    followed = np.reshape([wanted.rows[name] for name in real], (len(real), sector.size))
    reached = np.full(len(real), -np.inf)

    def watch(x: FloatArray) -> None:
        np.maximum(reached, followed @ x[:, 0], out=reached)

    watch(start)
    highest: list[FloatArray] = []
    values: list[Values] = []
    errors: list[float] = []
    means: list[list[Any]] = []
    last: Values = start[:, 0]

    def evolution() -> Evolution:
        at, s = wanted.times[: len(errors)], wanted.scale
        rows = dict(zip(wanted.rows, np.array(means).T * s, strict=True)) if wanted.rows else {}
        tops = dict(zip(real, np.array(highest).T * s, strict=True)) if real else {}
        kept = np.array(values) * s if wanted.keep else None
        named = {n: row.real if n in tops else row for n, row in rows.items()}
        return Evolution(
            at, sector, named, tops, kept, np.array(errors) * s, State(sector, last * s)
        )

    try:
        with method.guard():
            for x, error in method.states(motion, wanted.times, watch):
                x, off = _with_trace(x, sector.trace, sector.trace @ start)
                watch(x)
                last = x[:, 0] if hermitian else x @ np.array([1.0, 1j])
                errors.append(error + off)
                highest.append(reached.copy())
                means.append([row @ last for row in wanted.rows.values()])
                if wanted.keep:
                    values.append(last)
    except NotConverged as reason:
        reason.partial = evolution() if errors else None
        raise
    worst = max(errors)
    if not worst <= method.rtol:
        text = f"the state is known to {worst:.1e} only, not to {method.rtol:g}; raise `rtol`"
        raise NotConverged(text, partial=evolution())
    return evolution()


def _with_trace(x: FloatArray, trace: FloatArray, kept: FloatArray) -> tuple[FloatArray, float]:
    """x with its trace conserved against rounding, where it has one, and how far it was off."""
    now = trace @ x
    factor = np.divide(kept, now, out=np.ones_like(now), where=np.abs(kept) > IS_TRACE)
    return x * factor, float(np.abs(now - kept).sum())
