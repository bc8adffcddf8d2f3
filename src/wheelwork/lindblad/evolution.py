"""Solutions of a Lindblad equation over time, by implicit steps or explicit ones."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from wheelwork._checks import FloatArray, ascending_times, tolerance
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.factorisation import Factorisation, column_sums, factorised, norm
from wheelwork.lindblad.operators import hermitian_operator
from wheelwork.lindblad.sector import Sector, state_sector
from wheelwork.lindblad.state import State, initial_state
from wheelwork.methods import Method
from wheelwork.parameters import parameter

LARGEST_IMPLICIT = 50_000  # unknowns: beyond, three LUs may not fit into memory
STAGES = 5  # of Radau IIA: three LUs a step; more cost more, fewer need shorter steps at 1e-9
ORDER = 2 * STAGES - 1
MOST_HALVINGS = 100  # of an interval: steps are counted in integers of this unit
RESOLVED = 1e-3  # |A| h: below, shorter steps differ by rounding only
MOST_STEPS = 1_000_000  # of one interval: a guard against runs that seem endless
STEPS_KEPT = 24  # step lengths whose LUs are kept
PATIENCE = 4  # steps before a longer one is tried, after a failure
NOISE = 500.0  # machine epsilons: the partial fractions cancel to this accuracy
TAYLOR_NORM, TAYLOR_TERMS = 1.0, 20  # |A| h, and terms: 1/20! = 4e-19
EPS = float(np.finfo(np.float64).eps)
MOST_EXPLICIT_STEPS = 2e7  # a guard against runs that seem endless
TIME_RTOL = 4.0 * EPS  # rounding of a time that a user computed

Watch = Callable[[FloatArray], None]
Propagate = Callable[[FloatArray, float, Watch], FloatArray]


@dataclass(frozen=True)
class ImplicitSteps(Method):
    """Radau IIA of five stages: order nine, and damped modes of any rate cost nothing.

    A step is the Padé approximant [4/5] of the exponential (E. Hairer, G. Wanner, Solving
    Ordinary Differential Equations II, Springer 1996, Secs. IV.5 and IV.8) in partial fractions:
    three LUs, one real and two complex. Two steps are compared with one of twice the
    length; steps are Δt/2^k of each interval Δt, so that equal intervals share their LUs. They
    begin with |A| h ≤ 1 and grow at most by two at a time: a first step that is too long would damp
    oscillations that do not decay, and the comparison would not show it.
    """

    rtol: float = parameter("", "1", "largest estimated Σ|δρ|", check=tolerance, default=1e-9)

    def of(self, generator: sp.csc_array, total: float) -> Propagate:
        """Return a function (both, t, watch) that propagates over a time t.

        both: (n, 2), a state and its estimated error; the result has exp(A t) of both, plus the
        error of the step. watch: called with the state, (n,), after each step on the way.
        total: the sum of all t to come, over which the tolerance is spread.
        """
        step_of = lru_cache(STEPS_KEPT)(partial(_Step.of, generator))
        rates = column_sums(generator)  # of |A|: rounding of an LU appears as h times these
        fastest = float(rates.max(initial=0.0))
        longest = 1.0 / (fastest or 1.0)  # step whose error was accepted so far

        def propagate(both: FloatArray, t: float, watch: Watch) -> FloatArray:
            """Cover t by pairs of steps t/2^(level + 1); earlier errors propagate as the state."""
            nonlocal longest
            if not t > 0.0:
                return both
            allowed, whole = self.rtol / total, 1 << MOST_HALVINGS  # units of time in t
            done, made, calm = 0, 0, PATIENCE  # units; steps; steps since the last that failed
            level = max(0, math.ceil(math.log2(t / longest) - 1e-9))
            if level > MOST_HALVINGS:
                raise NotConverged(f"{t:.1e} is too long a time to follow rates of {fastest:.1e}")
            while done < whole:
                unit, h = whole >> level, t / (1 << level)
                half, x = step_of(0.5 * h), both[:, 0]
                once = step_of(h).apply(both)
                middle = half.apply(x)
                twice = half.apply(middle)
                difference = twice - once[:, 0]
                change = float(np.abs(difference).sum())
                noise = EPS * float(np.abs(x) @ (NOISE + 4.0 * h * rates))
                if change <= max(allowed * h, noise):
                    both = np.column_stack((twice, once[:, 1] + difference))
                    watch(middle)
                    watch(twice)
                    done, calm, made, longest = done + unit, calm + 1, made + 1, max(longest, h)
                    smooth = change <= max(allowed * h / 2.0 ** (ORDER + 1), 0.5 * noise)
                    if level and smooth and calm > PATIENCE and done % (2 * unit) == 0:
                        level -= 1
                elif h * fastest < RESOLVED:
                    raise NotConverged(
                        f"steps of {0.5 * h:.1e} still change the state by {change:.1e}; "
                        "raise `rtol`"
                    )
                else:
                    level, calm, longest = level + 1, 0, 0.5 * h
                if made > MOST_STEPS:
                    raise NotConverged(
                        f"more than {MOST_STEPS} steps of about {h:.1e} were needed to follow "
                        f"oscillations over a time of {t:.1e}; take their frequency out (a "
                        "rotating frame)"
                    )
            return both

        return propagate


@dataclass(frozen=True)
class ExplicitSteps(Method):
    """Taylor series of exp(A h) with |A| h ≤ 1, to rounding: for sectors too large for an LU.

    It takes 19 |A| t products A x, so that stiff systems are expensive.
    """

    rtol: float = parameter("", "1", "largest estimated Σ|δρ|", check=tolerance, default=1e-9)

    def of(self, generator: sp.csc_array, total: float) -> Propagate:
        """As `ImplicitSteps.of`; raises NotConverged for more than 2e7 steps."""
        rows, size = sp.csr_array(generator), norm(generator)
        if size * total > MOST_EXPLICIT_STEPS:
            raise NotConverged(
                f"explicit steps would need about {size * total * TAYLOR_TERMS:.1e} products with "
                "the generator; use ImplicitSteps"
            )

        def propagate(both: FloatArray, t: float, watch: Watch) -> FloatArray:
            steps = max(1, math.ceil(size * t / TAYLOR_NORM))
            for _ in range(steps if t > 0.0 else 0):
                term, h = both, t / steps
                both = both.copy()
                for k in range(1, TAYLOR_TERMS):
                    term = (h / k) * (rows @ term)
                    both += term
                both[:, 1] += EPS * np.abs(both[:, 0])
                watch(both[:, 0])
            return both

        return propagate


@dataclass(frozen=True, eq=False)
class _Step:
    """Σ_i c_i (h A − z_i)⁻¹: the Padé approximant of exp(h A)."""

    real: Factorisation
    real_factor: float
    pairs: tuple[Factorisation, ...]
    pair_factors: tuple[complex, ...]

    @classmethod
    def of(cls, generator: sp.csc_array, h: float) -> "_Step":
        poles, factors = _partial_fractions()
        n = generator.shape[0]
        real = sp.csc_array(h * generator - poles[0].real * sp.eye_array(n, format="csc"))
        ones = sp.eye_array(n, dtype=np.complex128, format="csc")
        pairs = (factorised(sp.csc_array(h * generator - z * ones)) for z in poles[1:])
        return cls(factorised(real), factors[0].real, tuple(pairs), tuple(factors[1:]))

    def apply(self, x: FloatArray) -> FloatArray:
        y = self.real_factor * self.real.solve(x)
        shape = x.astype(np.complex128)
        for factor, lu in zip(self.pair_factors, self.pairs, strict=True):
            y += 2.0 * (factor * lu.solve(shape)).real
        return np.asarray(y)


@cache
def _partial_fractions() -> tuple[list[complex], list[complex]]:
    """Poles and residues of the Padé approximant [k − 1/k]: the real pole, then upper ones."""
    k, m = STAGES, STAGES - 1
    f = math.factorial
    top = [f(m + k - j) * f(m) / (f(m + k) * f(j) * f(m - j)) for j in range(m + 1)]
    bottom = [f(m + k - j) * f(k) * (-1) ** j / (f(m + k) * f(j) * f(k - j)) for j in range(k + 1)]
    P, Q = np.polynomial.Polynomial(top), np.polynomial.Polynomial(bottom)
    slope = Q.deriv()
    z = Q.roots().astype(np.complex128)
    for _ in range(3):
        z -= Q(z) / slope(z)
    kept = sorted((root for root in z if root.imag > -1e-8), key=lambda root: root.imag)
    poles = [complex(kept[0].real), *map(complex, kept[1:])]
    factors = [complex(P(root) / slope(root)) for root in poles]
    pairs = sum((c / p).real for c, p in zip(factors[1:], poles[1:], strict=True))
    value = -(factors[0] / poles[0]).real - 2.0 * pairs
    return poles, [factor / value for factor in factors]


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
        """The state at `times[position]`; InvalidArgument when states were not kept."""
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
    method: ImplicitSteps | ExplicitSteps | None = None,
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
        NotConverged: when the method cannot reach its tolerance, or would take more than a million
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
    propagate = method.of(generator, float(at[-1]))
    rows = np.reshape(list(functionals.values()), (len(functionals), sector.size))
    means, largest = np.empty((2, len(functionals), at.size))
    x = sector.vector(rho)
    reached = rows @ x

    def watch(x: FloatArray) -> None:
        np.maximum(reached, rows @ x, out=reached)

    values = np.empty((at.size, sector.size)) if states else None
    errors = np.empty(at.size)
    both = np.column_stack((x, np.zeros_like(x)))
    now, interval = Fraction(0), 0.0
    for i, time in enumerate(at):
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
    by_name, highest = (dict(zip(functionals, each, strict=True)) for each in (means, largest))
    return Evolution(at, sector, by_name, highest, values, errors, State(sector, x))


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
