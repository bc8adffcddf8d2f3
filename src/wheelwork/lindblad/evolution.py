"""Solutions of a Lindblad equation over time."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from wheelwork._checks import FloatArray, ascending_times
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.operators import hermitian_operator
from wheelwork.lindblad.propagation import ExplicitSteps, ImplicitSteps, Propagation
from wheelwork.lindblad.sector import Sector, state_sector
from wheelwork.lindblad.state import State, initial_state

LARGEST_IMPLICIT = 50_000  # unknowns: beyond, three LUs may not fit into memory
TIME_RTOL = 4.0 * float(np.finfo(np.float64).eps)  # rounding of a time that a user computed


@dataclass(frozen=True, eq=False, repr=False)
class Evolution:
    """Solution of a Lindblad equation at given times.

    times: (T,). means: of the given Hermitian observables, by name, (T,) each. largest: for each of
    them the largest mean up to each time, over all steps on the way, (T,). values: (T, n), vectors
    of the sector, or None where states were not kept. error: (T,), estimated Σ|δρ_ab| over the
    unknowns; a mean is off by at most about the largest |O_ab| times this. final: the state at the
    last time.
    """

    times: FloatArray
    sector: Sector
    means: Mapping[str, FloatArray]
    largest: Mapping[str, FloatArray]
    values: FloatArray | None
    error: FloatArray
    final: State

    def __repr__(self) -> str:
        means = f", means of {', '.join(self.means)}" if self.means else ""
        return (
            f"Evolution({self.times.size} times to {self.times[-1]:.6g}, {self.sector.size} "
            f"unknowns{means}, error {self.error.max():.1e})"
        )

    def state(self, position: int) -> State:
        """The state at `times[position]`.

        Raises:
            InvalidArgument: when states were not kept.
        """
        if self.values is None:
            raise InvalidArgument("`states` must be True to look at a state, but is False")
        return State(self.sector, self.values[position])


def evolve(
    lindblad: Lindblad,
    initial: Any,
    times: npt.ArrayLike,
    *,
    observables: Mapping[str, Any] | None = None,
    states: bool = True,
    method: Propagation | None = None,
) -> Evolution:
    """Solve the Lindblad equation from `initial` at time 0.

    Solved on the unknowns that the elements of the initial state drive; all others stay zero.

    Args:
        initial: density matrix (D, D), state vector (D,), `State` or `qutip.Qobj`.
        times: (T,), not negative, ascending.
        observables: Hermitian matrices by name, whose means are returned.
        states: whether to keep the state at every time.
        method: by default `ImplicitSteps()`, beyond 50 000 unknowns `ExplicitSteps()`.

    Raises:
        InvalidArgument: for an invalid state, times or observables.
        NotConverged: when the method cannot meet its tolerance, or would take more than a million
            steps to follow oscillations that do not decay.
    """
    at = ascending_times("times", times)
    D = lindblad.dimension
    rho = initial_state(initial, D)
    sector, generator = state_sector(lindblad, rho)
    functionals = {
        name: sector.functional(hermitian_operator(f"observables[{name!r}]", operator, D))
        for name, operator in (observables or {}).items()
    }
    if method is None:
        method = ImplicitSteps() if sector.size <= LARGEST_IMPLICIT else ExplicitSteps()
    return _run(sector, generator, sector.vector(rho), at, functionals, states, method)


def _run(
    sector: Sector,
    generator: sp.csc_array,
    x: FloatArray,
    times: FloatArray,
    functionals: Mapping[str, FloatArray],
    states: bool,
    method: Propagation,
) -> Evolution:
    propagate = method.of(generator, float(times[-1]))
    rows = np.reshape(list(functionals.values()), (len(functionals), sector.size))
    means, largest = np.empty((2, len(functionals), times.size))
    reached = rows @ x

    def watch(x: FloatArray) -> None:
        np.maximum(reached, rows @ x, out=reached)

    values = np.empty((times.size, sector.size)) if states else None
    errors = np.empty(times.size)
    both = np.column_stack((x, np.zeros_like(x)))
    now, interval = Fraction(0), 0.0
    for i, time in enumerate(times):
        interval, late = _interval(float(time), now, interval)
        both = propagate(both, interval, watch)
        now += Fraction(interval)
        x = both[:, 0]
        off = float(np.sum(x[sector.populations])) - 1.0  # rounding: the trace is conserved
        x /= 1.0 + off
        missed = abs(late) * float(np.abs(generator @ x).sum()) if late else 0.0
        errors[i] = float(np.abs(both[:, 1]).sum()) + abs(off) + missed
        watch(x)
        means[:, i], largest[:, i] = rows @ x, reached
        if values is not None:
            values[i] = x
    worst = float(errors.max())
    if not worst <= method.rtol:
        raise NotConverged(
            f"the state is known to {worst:.1e} only, not to {method.rtol:g}; raise `rtol`"
        )
    return Evolution(
        times,
        sector,
        dict(zip(functionals, means, strict=True)),
        dict(zip(functionals, largest, strict=True)),
        values,
        errors,
        State(sector, x),
    )


def _interval(time: float, now: Fraction, last: float) -> tuple[float, float]:
    """Return the interval to take from `now`, and what then is left to `time`.

    Zero, or the last interval again, where it differs by no more than the rounding of times: so
    the intervals of a uniform sequence are equal, and share their LUs.
    """
    exact = float(Fraction(time) - now)
    for known in (0.0, last):
        if abs(exact - known) <= TIME_RTOL * time:
            return known, exact - known
    return exact, 0.0
