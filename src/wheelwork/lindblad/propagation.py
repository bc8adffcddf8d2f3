"""Methods for x(t) = exp(A t) x(0) with a constant sparse A: implicit steps and explicit ones."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Protocol

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray, tolerance
from wheelwork.errors import NotConverged
from wheelwork.lindblad.factorisation import Factorisation, column_sums, factorised, norm

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

Watch = Callable[[FloatArray], None]
Propagate = Callable[[FloatArray, float, Watch], FloatArray]


class Propagation(Protocol):
    """A method for x(t) = exp(A t) x(0), with an error of at most `rtol`."""

    @property
    def rtol(self) -> float: ...

    def of(self, generator: sp.csc_array, total: float) -> Propagate:
        """Return a function (both, t, watch) that propagates over a time t.

        both: (n, 2), a state and its estimated error; the result has exp(A t) of both, plus the
        error of the step. watch: called with the state, (n,), after each step on the way.
        total: the sum of all t to come, over which the tolerance is spread.
        """


@dataclass(frozen=True)
class ImplicitSteps:
    """Radau IIA of five stages: order nine, and damped modes of any rate cost nothing.

    A step is the Padé approximant [4/5] of the exponential (E. Hairer, G. Wanner, Solving
    Ordinary Differential Equations II, Springer 1996, Secs. IV.5 and IV.8) in partial fractions:
    three LUs, one real and two complex. Two steps are compared with one of twice the
    length; steps are Δt/2^k of each interval Δt, so that equal intervals share their LUs. They
    begin with |A| h ≤ 1 and grow at most by two at a time: a first step that is too long would damp
    oscillations that do not decay, and the comparison would not show it.

    rtol: largest estimated Σ|δρ| at any time asked for.
    """

    rtol: float = 1e-9

    def __post_init__(self) -> None:
        object.__setattr__(self, "rtol", tolerance("rtol", self.rtol))

    def of(self, generator: sp.csc_array, total: float) -> Propagate:
        @lru_cache(STEPS_KEPT)
        def step_of(h: float) -> "_Step":
            return _Step.of(generator, h)

        rates = column_sums(generator)
        longest = 1.0 / (float(rates.max(initial=0.0)) or 1.0)  # step whose error was accepted

        def propagate(both: FloatArray, t: float, watch: Watch) -> FloatArray:
            nonlocal longest
            if t > 0.0:
                allowed = self.rtol / total
                both, longest = _implicit(step_of, rates, both, t, allowed, longest, watch)
            return both

        return propagate


@dataclass(frozen=True)
class ExplicitSteps:
    """Taylor series of exp(A h) with |A| h ≤ 1, to rounding: for sectors too large for an LU.

    It takes 19 |A| t products A x, so that stiff systems are expensive.

    rtol: largest estimated Σ|δρ| at any time asked for.
    """

    rtol: float = 1e-9

    def __post_init__(self) -> None:
        object.__setattr__(self, "rtol", tolerance("rtol", self.rtol))

    def of(self, generator: sp.csc_array, total: float) -> Propagate:
        """Return the propagator.

        Raises:
            NotConverged: when more than 2e7 steps were needed.
        """
        rows, size = sp.csr_array(generator), norm(generator)
        if size * total > MOST_EXPLICIT_STEPS:
            raise NotConverged(
                f"explicit steps would need about {size * total * TAYLOR_TERMS:.1e} products with "
                "the generator; use ImplicitSteps"
            )

        def propagate(both: FloatArray, t: float, watch: Watch) -> FloatArray:
            steps = max(1, math.ceil(size * t / TAYLOR_NORM))
            for _ in range(steps if t > 0.0 else 0):
                both = _taylor(rows, both, t / steps)
                both[:, 1] += EPS * np.abs(both[:, 0])
                watch(both[:, 0])
            return both

        return propagate


def _taylor(rows: sp.csr_array, x: FloatArray, h: float) -> FloatArray:
    """exp(A h) x; the error of the series is far below rounding."""
    total, term = x.copy(), x
    for k in range(1, TAYLOR_TERMS):
        term = (h / k) * (rows @ term)
        total += term
    return total


def _implicit(
    step_of: Callable[[float], "_Step"],
    rates: FloatArray,
    both: FloatArray,
    t: float,
    allowed: float,
    longest: float,
    watch: Watch,
) -> tuple[FloatArray, float]:
    """Cover t by pairs of steps t/2^(level + 1); return (state, error) and the new `longest`.

    rates: (n,), column sums of |A|: rounding of an LU appears as h times these. both: (n, 2), state
    and error; an earlier error is propagated as the state is. longest: the longest t/2^level whose
    error was accepted so far.
    """
    done, calm = 0, PATIENCE  # in units of t/2^MOST_HALVINGS; steps since the last that failed
    whole, made = 1 << MOST_HALVINGS, 0
    level = max(0, math.ceil(math.log2(t / longest) - 1e-9))
    if level > MOST_HALVINGS:
        raise NotConverged(f"{t:.1e} is too long a time to follow rates of {rates.max():.1e}")
    while done < whole:
        unit = whole >> level
        h = t / (1 << level)
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
        elif h * float(rates.max()) < RESOLVED:
            raise NotConverged(
                f"steps of {0.5 * h:.1e} still change the state by {change:.1e}; raise `rtol`"
            )
        else:
            level, calm, longest = level + 1, 0, 0.5 * h
        if made > MOST_STEPS:
            raise NotConverged(
                f"more than {MOST_STEPS} steps of about {h:.1e} were needed to follow oscillations "
                f"over a time of {t:.1e}; take their frequency out (a rotating frame)"
            )
    return both, longest


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
        pairs = [sp.csc_array(h * generator - z * ones) for z in poles[1:]]
        return cls(
            factorised(real), factors[0].real, tuple(map(factorised, pairs)), tuple(factors[1:])
        )

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
    value = -(factors[0] / poles[0]).real - 2.0 * sum(
        (c / p).real for c, p in zip(factors[1:], poles[1:], strict=True)
    )
    return poles, [factor / value for factor in factors]
