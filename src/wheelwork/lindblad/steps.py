"""Steps in time for dx/dt = A x with a sparse generator A: implicit ones, and explicit ones."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property, lru_cache, partial
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray, integer, positive, tolerance
from wheelwork._computed import Computed
from wheelwork.errors import NotConverged
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.factorisation import Factorisation, column_sums, factorised, norm
from wheelwork.lindblad.sector import Sector
from wheelwork.methods import Method
from wheelwork.numerics.work import require_budget, tick
from wheelwork.parameters import parameter

STAGES = 5  # of Radau IIA: three LUs a step; more cost more, fewer need shorter steps at 1e-9
ORDER = 2 * STAGES - 1
MOST_HALVINGS = 100  # of an interval: steps are counted in integers of this unit
RESOLVED = 1e-3  # |A| h: below, shorter steps differ by rounding only
STEPS = 100_000  # by default, some 6 s on a few unknowns: few damped systems need a tenth
SUBSTITUTIONS = 1.5e10  # by default, multiplications in all of them, some 10 s
# Of an accepted pair, by elements of an LU: four columns, a complex product being four real ones.
REAL_SHARE, COMPLEX_SHARE = 4.0, 16.0
STEPS_KEPT = 24  # step lengths whose LUs are kept
PATIENCE = 4  # steps before a longer one is tried, after a failure
NOISE = 500.0  # machine epsilons: the partial fractions cancel to this accuracy
TAYLOR_NORM, TAYLOR_TERMS = 1.0, 20  # |A| h, and terms: 1/20! = 4e-19
PRODUCTS = 5e9  # multiplications by default, some 10 s
OVERHEAD = 2000.0  # multiplications that cost as much as a call
EPS = float(np.finfo(np.float64).eps)
TIME_RTOL = 4.0 * EPS  # rounding of a time that a user computed

Watch = Callable[[FloatArray], None]


class Motion(NamedTuple):
    """dx/dt = A x on a sector, from x = start at time 0.

    start: (n, k), of order one: k = 1 for a Hermitian operator, 2 for the Hermitian parts A and B
    of an operator A + iB. generator: A, (n, n), that of `lindblad` on the sector.
    """

    lindblad: Lindblad
    sector: Sector
    generator: sp.csc_array
    start: FloatArray


class Reached(NamedTuple):
    """x at one time, (n, k), and its estimated error Σ|δx|."""

    x: FloatArray
    error: float


@dataclass(frozen=True)
class ImplicitSteps(Method):
    """Radau IIA of five stages: order nine, and damped modes of any rate cost nothing.

    A step is the Padé approximant [4/5] of the exponential (E. Hairer, G. Wanner, Solving
    Ordinary Differential Equations II, Springer 1996, Secs. IV.5 and IV.8) in partial fractions:
    three LUs, one real and two complex. Two steps are compared with one of twice the
    length; steps are Δt/2^k of each interval Δt, so that equal intervals share their LUs. They
    begin with |A| h ≤ 1 and grow at most by two at a time: a first step that is too long would damp
    oscillations that do not decay, and the comparison would not show it.

    rtol: bounds Σ|δx| of a state. steps: the budget; about |A| t are needed while anything that
    oscillates at the rate |A| has not decayed. products: the budget of multiplications, which ends
    a run of many unknowns before; some 1e9 to 4e9 a second.
    """

    rtol: float = parameter("", "1", "largest estimated Σ|δρ|", check=tolerance, default=1e-9)
    steps: int = parameter(
        "", "1", "most steps", check=lambda name, x: integer(name, x, 1), default=STEPS
    )
    products: float = parameter(
        "", "1", "most multiplications", check=positive, default=SUBSTITUTIONS
    )

    def states(self, motion: Motion, times: FloatArray, watch: Watch) -> Iterator[Reached]:
        """Yield x at each time; call `watch` with it after every step on the way."""
        run = _Implicit(self, motion, float(times[-1]), watch)
        both = np.column_stack((motion.start, np.zeros_like(motion.start)))
        for interval, late in _intervals(times):
            both = run.cover(both, interval) if interval > 0.0 else both
            yield _reached(both, late, motion.generator)


class _Implicit:
    """State of a run: the step length whose error was accepted last, and how many were made."""

    def __init__(self, method: ImplicitSteps, motion: Motion, total: float, watch: Watch) -> None:
        self.method, self.total, self.watch = method, total, watch
        self.columns = motion.start.shape[1]
        self.step_of = lru_cache(STEPS_KEPT)(partial(_Step.of, motion.generator))
        self.rates = column_sums(motion.generator)  # an LU is off by rounding of h times these
        self.fastest = float(self.rates.max(initial=0.0))
        self.longest = 1.0 / self.fastest if self.fastest else math.inf
        self.made, self.products, self.now = 0, 0.0, 0.0

    def cover(self, both: FloatArray, t: float) -> FloatArray:
        """Cover t by pairs of steps t/2^(level + 1); earlier errors propagate as the state.

        both: (n, 2 k), the state and its estimated error; the result has exp(A t) of both, plus
        the errors of the steps.
        """
        whole, start = 1 << MOST_HALVINGS, self.now  # units of time in t
        done, calm = 0, PATIENCE  # units; steps since the last that failed
        level = max(0, math.ceil(math.log2(t / self.longest) - 1e-9)) if self.fastest else 0
        if level > MOST_HALVINGS:
            raise NotConverged(f"{t:.1e} is too long a time to follow rates of {self.fastest:.1e}")
        while done < whole:
            unit, h = whole >> level, t / (1 << level)
            tick("implicit steps", start + t * (done / whole), self.total)
            accepted, smooth, both = self._pair(both, h)
            if accepted:
                done, calm, self.longest = done + unit, calm + 1, max(self.longest, h)
                if level and smooth and calm > PATIENCE and done % (2 * unit) == 0:
                    level -= 1
            else:
                level, calm, self.longest = level + 1, 0, 0.5 * h
        self.now = start + t
        return both

    def _pair(self, both: FloatArray, h: float) -> tuple[bool, bool, FloatArray]:
        """Return whether two steps of h/2 are accurate, whether longer ones may be, and `both`."""
        half, x = self.step_of(0.5 * h), both[:, : self.columns]
        once = self.step_of(h).apply(both)
        middle = half.apply(x)
        twice = half.apply(middle)
        difference = twice - once[:, : self.columns]
        change = float(np.abs(difference).sum())
        noise = EPS * float(np.abs(x).sum(axis=1) @ (NOISE + 4.0 * h * self.rates))
        allowed = self.method.rtol * h / self.total
        if change <= max(allowed, noise):
            self._count(h, half.products * self.columns)
            self.watch(middle)
            self.watch(twice)
            smooth = change <= max(allowed / 2.0 ** (ORDER + 1), 0.5 * noise)
            return True, smooth, np.column_stack((twice, once[:, self.columns :] + difference))
        if h * self.fastest < RESOLVED:
            raise NotConverged(
                f"steps of {0.5 * h:.1e} still change the state by {change:.1e}; raise `rtol`"
            )
        return False, False, both

    def _count(self, h: float, products: float) -> None:
        self.made, self.products = self.made + 1, self.products + products
        beyond = "`steps`" if self.made > self.method.steps else "`products`"
        if self.made > self.method.steps or self.products > self.method.products:
            raise NotConverged(
                f"more than {self.made - 1} steps of about {h:.1e} are needed to follow "
                f"oscillations over a time of {self.total:.1e}: raise {beyond} of ImplicitSteps, "
                "use Exponential with more `operations`, or a rotating frame"
            )


@dataclass(frozen=True)
class ExplicitSteps(Method):
    """Taylor series of exp(A h) with |A| h ≤ 1, to rounding: for sectors too large for an LU.

    It takes 19 |A| t products A x, so that stiff systems are expensive.

    rtol: as of `ImplicitSteps`. products: the budget, in multiplications (some 5e8 a second).
    """

    rtol: float = parameter("", "1", "largest estimated Σ|δρ|", check=tolerance, default=1e-9)
    products: float = parameter("", "1", "most multiplications", check=positive, default=PRODUCTS)

    def states(self, motion: Motion, times: FloatArray, watch: Watch) -> Iterator[Reached]:
        """As `ImplicitSteps.states`; raises NotConverged at once beyond the budget."""
        rows, size = sp.csr_array(motion.generator), norm(motion.generator)
        need = explicit_cost(motion, times)
        task, advice = "a solution by explicit steps", "use ImplicitSteps, or raise `products`"
        require_budget(task, need, self.products, "multiplications", advice)
        k = motion.start.shape[1]
        both = np.column_stack((motion.start, np.zeros_like(motion.start)))
        now, total = 0.0, float(times[-1])
        for interval, late in _intervals(times):
            steps = max(1, math.ceil(size * interval / TAYLOR_NORM))
            for _ in range(steps if interval > 0.0 else 0):
                tick("explicit steps", now, total)
                term, h = both, interval / steps
                both = both.copy()
                for m in range(1, TAYLOR_TERMS):
                    term = (h / m) * (rows @ term)
                    both += term
                both[:, k:] += EPS * np.abs(both[:, :k])
                watch(both[:, :k])
                now += h
            yield _reached(both, late, motion.generator)


def explicit_cost(motion: Motion, times: FloatArray) -> float:
    """Multiplications that explicit steps take."""
    steps = norm(motion.generator) * float(times[-1]) / TAYLOR_NORM + len(times)
    each = OVERHEAD + 2.0 * motion.generator.nnz * motion.start.shape[1]
    return float(steps * TAYLOR_TERMS * each)


def _reached(both: FloatArray, late: float, generator: sp.csc_array) -> Reached:
    """late: time still missing, small enough that the state changes by no more than rounding."""
    k = both.shape[1] // 2
    missed = abs(late) * float(np.abs(generator @ both[:, :k]).sum()) if late else 0.0
    return Reached(both[:, :k], float(np.abs(both[:, k:]).sum()) + missed)


@dataclass(frozen=True, eq=False)
class _Step(Computed):
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

    @cached_property
    def products(self) -> float:
        """Multiplications of an accepted pair of steps, for each column of x."""
        complex_ones = sum(lu.filled for lu in self.pairs)
        return REAL_SHARE * self.real.filled + COMPLEX_SHARE * complex_ones

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


def _intervals(times: FloatArray) -> Iterator[tuple[float, float]]:
    """Yield the interval to take to each time, and what then is left to it."""
    now, last = Fraction(0), 0.0
    for time in times:
        last, late = _interval(float(time), now, last)
        now += Fraction(last)
        yield last, late


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
