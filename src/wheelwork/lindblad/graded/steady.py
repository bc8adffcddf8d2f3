"""Steady states of graded equations by GMRES, with samples of what they may be off by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.lindblad.graded.equation import Block, GradedLindblad, Link
from wheelwork.lindblad.graded.kernels import add_lowered, add_raised
from wheelwork.lindblad.graded.population_chain import PopulationChain
from wheelwork.lindblad.graded.preconditioner import Preconditioner
from wheelwork.lindblad.steady import ROUNDING, SEED
from wheelwork.numerics.work import tick

# Reduction of the residual by one correction. It is set to 0.1 √rtol, so that two corrections
# suffice, within these bounds: below, GMRES needs restarts; above, corrections contract too little.
FINEST, COARSEST = 1e-6, 1e-3
ROUGH_RTOL = 0.1  # for an error sample, of which one digit is enough
CORRECTIONS = 8  # most outer corrections; two or three are usual
# On one random sample of rounding, whose effect varies tenfold, and on the contraction per step.
MARGIN = 10.0
CYCLES = 6  # restarts of GMRES for one correction; where these do not suffice, it stagnates
ITERATIONS = 2000  # in all: what the corrections, of six cycles of 40 each, can take at most
SPREAD = "its rates differ by more orders of magnitude than double precision resolves"
TASK = "iterations for a steady state by charges"
CUT_MARGIN = 3.0  # on the estimated effect of the sectors beyond the last
SLOWEST = 0.999  # largest ratio of neighbouring probabilities assumed beyond the last sector
TINY = float(np.finfo(np.float64).tiny)  # keeps a ratio of probabilities finite


@dataclass(frozen=True, eq=False, repr=False)
class GradedSteadyState:
    """A steady state of trace one with its estimated error.

    values: its vector, see `GradedLindblad.blocks`. error_samples: three vectors of the size of
    what the state may be off by: the last step of the iterations; the response to rounding and to
    the sectors beyond the last; and what those sectors hold. A linear functional is off by at most
    about the sum of the magnitudes of its values on them; for the first, which is known in size
    only, take the magnitudes of the functional's terms. residual: Σ|dρ/dt| against the sum of the
    magnitudes of its terms. iterations: of GMRES in all.
    """

    equation: GradedLindblad
    values: Block
    error_samples: tuple[Block, ...]
    residual: float
    iterations: int

    def __repr__(self) -> str:
        return f"GradedSteadyState(of {self.equation!r}, error {self.error:.1e})"

    @property
    def error(self) -> float:
        """Estimated Σ|δρ|."""
        return float(sum(np.abs(sample).sum() for sample in self.error_samples))


def steady_state(
    equation: GradedLindblad,
    rtol: float = 1e-8,
    *,
    start: Block | None = None,
    restart: int = 40,
    iterations: int = ITERATIONS,
) -> GradedSteadyState:
    """Return the steady state of a graded equation.

    The preconditioner solves the equation between jumps exactly in every sector, sweeping up and
    down in charge, and the chain of populations of H's eigenstates between the sweeps.

    Args:
        rtol: largest Σ|δρ| that the iterations may leave; `error` adds rounding and cut-off.
        start: a state to begin with; by default that of the chain of populations.
        restart: vectors that GMRES keeps.
        iterations: of GMRES in all: the budget of work.

    Memory: see `required_bytes`. Time: about ten products of d_K × d_K matrices per sector and
    iteration of GMRES.

    Raises:
        NotConverged: when the iterations do not suffice, as where there are several steady states;
            its partial result is the state reached, whose `error` is that of a state not known.
    """
    tick(TASK, 0, iterations)
    # what overflows, for rates of too many orders of magnitude, fails as a residual that is NaN
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        chain = PopulationChain.of(equation)
        search = _Search(equation, chain, Preconditioner.of(chain), restart, iterations)
        search.reached = search.first() if start is None else start / equation.trace(start)
        try:
            _require_jumps_above_rounding(equation)
            return _refined(search, rtol)
        except NotConverged as reason:
            reason.partial = _unknown(search)
            raise


def _require_jumps_above_rounding(equation: GradedLindblad) -> None:
    """Raise NotConverged where rounding of H acts as fast as any jump."""
    largest = max(float(np.abs(matrix).max(initial=0.0)) for matrix in equation.coherent)
    fastest = max(float(rates.max(initial=0.0)) for rates in equation.losses)
    if ROUNDING * largest > fastest:
        raise NotConverged(
            f"the steady state of {equation.unknowns} unknowns is lost in rounding: H is "
            f"{largest / fastest if fastest else np.inf:.1e} times faster than the jumps"
        )


def _refined(search: "_Search", rtol: float) -> GradedSteadyState:
    equation, x = search.equation, search.reached
    inner = min(max(0.1 * math.sqrt(rtol), FINEST), COARSEST)
    last, noise = np.inf, float(np.linalg.norm(ROUNDING * equation.magnitude(x)))
    for _ in range(CORRECTIONS):
        corrected = x + search.correction(-equation.rate(x), inner, noise)
        corrected /= equation.trace(corrected)
        step, x = corrected - x, corrected
        search.reached = x
        search.require_success(inner)
        size = float(np.abs(step).sum())
        share = min(1.0, MARGIN * max(size / last, inner)) if last < np.inf else 1.0
        if size * share <= rtol or size > 0.5 * last:
            break
        last = size
    return _with_error_samples(search, x, share * step, rtol)


def _with_error_samples(search: "_Search", x: Block, left: Block, rtol: float) -> GradedSteadyState:
    """left: estimate of the remaining error of the iterations."""
    equation = search.equation
    size = float(np.abs(left).sum())
    terms = equation.magnitude(x)
    source = MARGIN * search.rounding(terms)
    if equation.beyond:
        top = equation.blocks(x)[-1]
        equation.blocks(source)[-1][:] += CUT_MARGIN * reflected_rate(equation.beyond, top)
    response = search.correction(source, ROUGH_RTOL, 0.0)
    search.require_success(ROUGH_RTOL)
    response -= equation.trace(response) * x
    samples = (left, response, search.missing(x))
    if size > max(rtol, float(np.abs(response).sum())):
        raise NotConverged(
            f"the steady state of {equation.unknowns} unknowns was reached to {size:.1e} instead "
            f"of {rtol:g} in {search.iterations} iterations: relaxation is very slow, or there are "
            "several steady states"
        )
    result = _result(search, x, samples)
    if not result.residual <= rtol:
        raise NotConverged(
            f"the steady state of {equation.unknowns} unknowns leaves a residual of "
            f"{result.residual:.1e}, more than {rtol:g}: {SPREAD}"
        )
    return result


def _result(search: "_Search", x: Block, samples: tuple[Block, ...]) -> GradedSteadyState:
    """Populations below zero, by the error of the state, count as zero and as an error."""
    equation = search.equation
    total = float(equation.magnitude(x).sum())
    residual = float(np.abs(equation.rate(x)).sum()) / total if total else 0.0
    below = np.zeros_like(x)
    below[equation.diagonal] = np.minimum(x[equation.diagonal].real, 0.0)
    values = (x - below) / equation.trace(x - below)
    samples = (np.abs(samples[0]) + np.abs(below), *samples[1:])
    return GradedSteadyState(equation, values, samples, residual, search.iterations)


def _unknown(search: "_Search") -> GradedSteadyState | None:
    """The state reached, as one that may be off by all of itself."""
    x = search.reached
    if not np.all(np.isfinite(x)):
        return None
    return _result(search, x, (x, np.zeros_like(x), search.missing(x)))


@dataclass(eq=False)
class _Search:
    """State shared by all steps of a search; iterations: of GMRES so far."""

    equation: GradedLindblad
    chain: PopulationChain
    precondition: Preconditioner
    restart: int
    most: int  # iterations
    iterations: int = 0
    reached: Block = field(default_factory=lambda: np.zeros(0))
    left: float = 0.0  # residual of the last correction that failed, relative

    def first(self) -> Block:
        """The steady state in the limit where H oscillates much faster than jumps occur."""
        x = self.equation.zeros()
        blocks, populations = self.equation.blocks(x), self.chain.stationary()
        for block, states, p in zip(blocks, self.chain.eigenstates, populations, strict=True):
            block[:] = states.state(p)
        return np.asarray(x / self.equation.trace(x))

    def correction(self, right: Block, rtol: float, atol: float) -> Block:
        """Return x whose rate is `right`, to `rtol` of its 2-norm or to `atol`."""
        if not np.any(right):
            return np.zeros_like(right)
        right = right.copy()
        right[self.equation.diagonal] -= self.equation.trace(right) / self.equation.diagonal.size
        real = right.view(np.float64)
        operator = LinearOperator((real.size, real.size), matvec=self._product, dtype=np.float64)
        restart = min(self.restart, self.equation.unknowns)
        u, failed = gmres(operator, real, rtol=rtol, atol=atol, restart=restart, maxiter=CYCLES)
        if failed:
            self.left = float(np.linalg.norm(real - operator @ u) / np.linalg.norm(real))
        if not np.any(u):
            # Below the rounding of fast parts as a whole, and yet its slow part, which a start
            # without the uppermost sectors leaves, may be far above the rounding of slow parts.
            u = real
        return self.precondition(u.view(self.equation.dtype))

    def require_success(self, rtol: float) -> None:
        """Raise NotConverged where a correction has failed."""
        if math.isnan(self.left):
            raise NotConverged(
                f"the steady state of {self.equation.unknowns} unknowns is not a number: {SPREAD}"
            )
        if self.left != 0.0:
            raise NotConverged(
                f"the steady state of {self.equation.unknowns} unknowns has a residual of "
                f"{self.left:.1e} instead of {rtol:.0e} after {self.iterations} iterations: "
                "relaxation is very slow, or there are several steady states"
            )

    def _product(self, u: FloatArray) -> FloatArray:
        tick(TASK, self.iterations, self.most)
        if self.iterations >= self.most:
            raise NotConverged(
                f"the steady state of {self.equation.unknowns} unknowns has taken its budget of "
                f"{self.most} iterations: relaxation is slow"
            )
        self.iterations += 1
        rate = self.equation.rate(self.precondition(u.view(self.equation.dtype)))
        return np.asarray(rate.view(np.float64))

    def missing(self, x: Block) -> Block:
        """An estimate of what the sectors beyond the last hold, as a vector of the last one.

        Probabilities are assumed to fall on by the ratio of the last two, or by `tail` where that
        is slower; each sector counts with its distance from the last, Σ_n n r^n = r/(1 − r)².
        """
        equation, sample = self.equation, self.equation.zeros()
        if equation.beyond:
            before, last = np.abs(equation.charge_probabilities(x)[-2:])
            ratio = min(max(float(last) / max(float(before), TINY), equation.tail), SLOWEST)
            weight = CUT_MARGIN * ratio / (1.0 - ratio) ** 2
            equation.blocks(sample)[-1][:] = weight * equation.blocks(x)[-1]
        return sample

    def rounding(self, terms: FloatArray) -> Block:
        """A Hermitian matrix of the size that rounding makes of such terms, of random signs."""
        random, noise = np.random.default_rng(SEED), self.equation.zeros()
        sizes_of = self.equation.blocks(ROUNDING * terms)
        for block, sizes in zip(self.equation.blocks(noise), sizes_of, strict=True):
            signs = np.where(random.random(sizes.shape) < 0.5, -1.0, 1.0)
            lower = np.tril(signs * sizes, -1)
            block[:] = lower + lower.T + np.diag(np.diag(signs * sizes))
        return noise


def reflected_rate(links: Sequence[Link], top: Block) -> Block:
    """dρ/dt of the last sector by a sector M + 1 that returns all that jumps bring to it.

    Σ L_down ρ' L_down† − ½{Σ L_up†L_up, ρ}, with ρ' ∝ Σ L_up ρ L_up† scaled to conserve the trace.
    links: as `GradedLindblad.beyond`. top: ρ of sector M.
    """
    size = 1 + max(int(link.above.max()) for link in links)
    upper, gain = np.zeros((size, size), dtype=top.dtype), np.zeros_like(top)
    rates = np.zeros(len(top))
    for link in links:
        add_raised(link.above, link.up, top, upper)
        rates += np.sum(link.up**2, axis=0)
    for link in links:
        add_lowered(link.above, link.down, upper, gain)
    sent, returned = float(np.trace(upper).real), float(np.trace(gain).real)
    share = sent / returned if returned else 0.0
    loss = 0.5 * (rates[:, None] + rates[None, :]) * top
    return share * gain - loss
