"""Solving the master equation of a power grid, with a cutoff that grows until it is enough."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import InvalidArgument, NotConverged, partial_as, shown
from wheelwork.lindblad import graded
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.machines.power_grid.quantum.estimate import quanta_from_below
from wheelwork.machines.power_grid.quantum.fock_space import (
    FockSpace,
    sector_sizes_as_floats,
)
from wheelwork.machines.power_grid.quantum.model import QuantumModel, gauge_phases, require_quantum
from wheelwork.machines.power_grid.quantum.moments import Moments, gross_flow
from wheelwork.machines.power_grid.quantum.rates import GridRates
from wheelwork.methods import Method
from wheelwork.numerics.work import require_budget
from wheelwork.results import Summary

SMALLEST = 4  # cutoff, in quanta: fewer leave no tail to continue
LARGEST_AT_FIRST = 16  # cutoff of the first try, reached where it has few unknowns
FIRST_UNKNOWNS = 2000.0  # of the first try: solved in a moment
RESTART = 40  # vectors that GMRES keeps
USUAL_ITERATIONS = 20  # of GMRES at a cutoff: some twenty to sixty
MOST_ITERATIONS = 2000  # never reached
MOST_QUANTA = 1e6  # up to which they are estimated: no basis holds more
ITERATION_SHARE = 1e-2  # of rtol: error that the iterations may leave
EDGE_SHARE = 1e-2  # of rtol: probability that the next cutoff is to leave in the last sector
TAIL = 8  # the tail is continued from the last 1/8 of the sectors
LARGEST_GROWTH = 2.0  # of the cutoff in one step, as the continuation is a guess
WORTH_STARTING = 0.03  # probability in the last sector up to which a state is worth starting from
EMPTY = 1e-15  # rounding of a probability
TINY = float(np.finfo(np.float64).tiny)  # keeps logarithms finite


@dataclass(frozen=True)
class MasterEquation(Method):
    """The steady state of a power grid's master equation (Huber and Rabl, Eqs. (1), (2)).

    The basis holds number states of at most M quanta in all. In the steady state only states of the
    same total have coherences: Σ_K d_K² numbers, d_K = C(K + N − 1, N − 1), about M³/3 for two
    nodes and M⁵/20 for three.

    rtol: of occupations (against their sum) and currents (against what flows), and the largest
    p(M). cutoff: M; by default it grows until the tolerance is reached. real: whether to use the
    gauge in which all is real; by default if it exists (see `gauge_phases`). memory: bytes that may
    be used. operations: multiplications that may be spent in all, of which one core does about 1e10
    per second; some 100 M⁴ for two nodes, and 7 M⁷ for three. Both are compared with an estimate
    before anything is computed, and before the cutoff grows. Two nodes of 200 quanta, or three of
    30, take longer than the default allows: raise `operations` for them.
    """

    rtol: float = 1e-6
    cutoff: int | None = None
    real: bool | None = None
    memory: float = 6e9
    operations: float = 2e11

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "rtol", _checks.tolerance("rtol", self.rtol))
        if self.cutoff is not None:
            object.__setattr__(self, "cutoff", _checks.integer("cutoff", self.cutoff, SMALLEST))
        if self.real is not None and not isinstance(self.real, bool):
            raise InvalidArgument(f"`real` must be True, False or None, but is {shown(self.real)}")
        for name in ("memory", "operations"):
            object.__setattr__(self, name, _checks.positive(name, getattr(self, name)))

    def solve(self, parameters: GridParameters) -> "QuantumSolution":
        """Return the steady state.

        Raises:
            InvalidArgument: for elements other than `Saturable`, which have no jump operator, and
                where `real` is True and there is no such gauge.
            NoSteadyState: where gain is unbounded, or a mode reaches no loss.
            NotConverged: where `cutoff` is too small, the cutoff that is needed does not fit into
                `memory` or `operations`, or relaxation is too slow. Its partial result is the
                solution at the last cutoff, if there is one.
        """
        with self.guard():
            rates = require_quantum(parameters)
            search = CutoffSearch(rates, self, gauge_phases(parameters, self.real))
            if self.cutoff is not None:
                return search.at(self.cutoff)
            search.require_few_quanta()
            return search.grown()


@dataclass(frozen=True, eq=False, repr=False)
class QuantumSolution(Summary):
    """A steady state at a cutoff, its means with their errors, and the cutoffs tried.

    work: multiplications spent so far.
    """

    model: QuantumModel
    steady: graded.GradedSteadyState
    moments: Moments
    moment_errors: Moments
    cutoffs: tuple[int, ...]
    work: float

    @property
    def summary(self) -> Mapping[str, str]:
        """Cutoffs tried, p(M) and the error of the state."""
        cutoffs = ", ".join(map(str, self.cutoffs))
        return {"cutoffs": cutoffs, "edge": f"{self.edge:.1e}", "error": f"{self.error:.1e}"}

    @property
    def cutoff(self) -> int:
        """M, the largest total number of quanta kept."""
        return self.model.space.cutoff

    @property
    def total_probabilities(self) -> FloatArray:
        """Probabilities of 0 … M quanta in all, (M + 1,)."""
        return self.model.equation.charge_probabilities(self.steady.values)

    @property
    def blocks(self) -> list[npt.NDArray[np.inexact]]:
        """The density matrix of every sector, (d_K, d_K) each, in the gauge of the model."""
        return list(self.model.equation.blocks(self.steady.values))

    @property
    def edge(self) -> float:
        """p(M), the probability of the last sector."""
        return abs(float(self.total_probabilities[-1]))

    @property
    def error(self) -> float:
        """Estimated Σ|δρ|."""
        return self.steady.error


@dataclass(frozen=True, eq=False)
class CutoffSearch(Computed):
    """How a grid is solved at several cutoffs. phases: of the gauge."""

    rates: GridRates
    method: MasterEquation
    phases: npt.NDArray[np.complex128]

    @property
    def nodes(self) -> int:
        return len(self.rates.parameters.nodes)

    @cached_property
    def complex(self) -> bool:
        """Whether complex numbers are needed."""
        return not QuantumModel(self.rates, FockSpace(self.nodes, 1), self.phases).real

    def at(self, cutoff: int) -> QuantumSolution:
        """Return the solution at the cutoff of the method."""
        solution = self.solved(cutoff)
        if not self.converged(solution):
            raise NotConverged(
                f"with a cutoff of {cutoff} quanta {solution.edge:.1e} of probability is at "
                f"the edge, and the means are not known to {self.method.rtol:g}: raise `cutoff`, "
                "or leave it out",
                solution,
            )
        return solution

    def grown(self) -> QuantumSolution:
        """Return the solution at a cutoff that has grown until it is enough."""
        solution = self.solved(self.first)
        while not self.converged(solution):
            if solution.edge <= EMPTY:
                raise NotConverged(
                    f"no cutoff helps: with {solution.cutoff} quanta the edge is empty, but the "
                    f"state is known to {solution.error:.1e} only, for relaxation is slow",
                    solution,
                )
            cutoff = _next_cutoff(solution, EDGE_SHARE * self.method.rtol)
            solution = self.solved(cutoff, solution)
        return solution

    @property
    def first(self) -> int:
        """The cutoff of the first try."""
        sizes = sector_sizes_as_floats(self.nodes, LARGEST_AT_FIRST)
        few = int(np.count_nonzero(np.cumsum(sizes**2) <= FIRST_UNKNOWNS)) - 1
        return max(SMALLEST, few)

    def require_few_quanta(self) -> None:
        """Raise NotConverged where a basis for as many quanta as there will be is too large."""
        quanta = float(np.sum(quanta_from_below(self.rates, MOST_QUANTA)))
        cutoff = math.ceil(min(quanta, MOST_QUANTA))
        task = f"a master equation of {self.nodes} nodes that will hold about {quanta:.2g} quanta"
        advice = "so many are described by amplitudes with noise, Langevin(duration=...)"
        need = self.iteration(cutoff) * (graded.MAKING + USUAL_ITERATIONS)
        require_budget(task, need, self.method.operations, "multiplications (`operations`)", advice)
        need = self.bytes(cutoff)
        require_budget(task, need, self.method.memory, "bytes (`memory`)", advice)

    def iteration(self, cutoff: int) -> float:
        """Work of one iteration, in multiplications."""
        return graded.required_work(sector_sizes_as_floats(self.nodes, cutoff), self.complex)

    def bytes(self, cutoff: int) -> float:
        return graded.required_bytes(
            sector_sizes_as_floats(self.nodes, cutoff), RESTART, self.complex
        )

    def solved(self, cutoff: int, before: QuantumSolution | None = None) -> QuantumSolution:
        """Return the solution at a cutoff, begun from one `before` at a smaller cutoff.

        Raises NotConverged where the budget does not suffice; its partial result is the better of
        `before` and what was reached.
        """
        try:
            return self._solved(cutoff, before)
        except NotConverged as reason:
            known = [each for each in (before, reason.partial) if each is not None]
            reason.partial = min(known, key=lambda each: each.error, default=None)
            raise

    def _solved(self, cutoff: int, before: QuantumSolution | None) -> QuantumSolution:
        iterations = self._require_budget(cutoff, before)
        model = QuantumModel(self.rates, FockSpace(self.nodes, cutoff), self.phases)
        start = None
        if before is not None and before.edge <= WORTH_STARTING:
            start = model.equation.zeros()
            start[: before.steady.values.size] = before.steady.values

        def solution(steady: graded.GradedSteadyState) -> QuantumSolution:
            # the remaining error has the size of the last step, not its direction
            errors = Moments.of(model, steady.error_samples[0], magnitudes=True)
            for sample in steady.error_samples[1:]:
                errors = errors.widened(Moments.of(model, sample))
            cutoffs, spent = (before.cutoffs, before.work) if before is not None else ((), 0.0)
            spent += self.iteration(cutoff) * (graded.MAKING + steady.iterations)
            moments = Moments.of(model, steady.values)
            errors = errors.plus_rounding(self.rates, moments)
            return QuantumSolution(model, steady, moments, errors, (*cutoffs, cutoff), spent)

        with partial_as(solution):
            return solution(
                graded.steady_state(
                    model.equation,
                    ITERATION_SHARE * self.method.rtol,
                    start=start,
                    restart=RESTART,
                    iterations=iterations,
                )
            )

    def converged(self, solution: QuantumSolution) -> bool:
        """Whether the edge is empty and occupations and currents are known to `rtol`."""
        if solution.edge > self.method.rtol:
            return False
        size, error = solution.moments, solution.moment_errors
        quanta = float(np.sum(size.occupation))
        flow = gross_flow(self.rates, size, self.method.rtol)
        occupations = error.occupation <= self.method.rtol * max(quanta, self.method.rtol)
        currents = error.current <= self.method.rtol * flow
        return bool(np.all(occupations) and np.all(currents))

    def _require_budget(self, cutoff: int, reached: QuantumSolution | None) -> int:
        """Return the iterations that are left for this cutoff."""
        history, spent, usual = "", 0.0, USUAL_ITERATIONS
        if reached is not None:
            history = f"; {reached.cutoff} quanta leave {reached.edge:.1e} of probability at M"
            spent, usual = reached.work, max(usual, reached.steady.iterations)
        needed = {
            "memory": (self.bytes(cutoff), self.method.memory, "bytes"),
            "operations": (
                spent + self.iteration(cutoff) * (graded.MAKING + usual),
                self.method.operations,
                "multiplications",
            ),
        }
        for name, (need, most, unit) in needed.items():
            if need > most:
                raise NotConverged(
                    f"a cutoff of {cutoff} quanta in {self.nodes} nodes takes {need:.3g} {unit}, "
                    f"more than the {most:.3g} of `{name}`{history}: raise it, or sample with "
                    "QuantumJumps"
                )
        left = (self.method.operations - spent) / self.iteration(cutoff) - graded.MAKING
        return math.floor(min(left, MOST_ITERATIONS))


def _next_cutoff(solution: QuantumSolution, aim: float) -> int:
    """A larger cutoff, where the tail p(K), continued as a Gaussian, falls to `aim`."""
    p = np.log(np.maximum(solution.total_probabilities, TINY))
    M = solution.cutoff
    back = max(2, M // TAIL)
    decay, before = (p[[M - back, M - 2 * back]] - p[[M, M - back]]) / back
    bend = max(0.0, float(decay - before) / back)
    decay = max(0.0, float(decay) + 0.5 * bend * back)  # at M
    fall = max(0.0, float(p[M]) - math.log(aim))
    steepest = decay + math.sqrt(decay**2 + 2.0 * bend * fall)
    reach = 2.0 * fall / steepest if steepest > 0.0 else math.inf
    return math.ceil(min(LARGEST_GROWTH * M, max(M + back, M + reach)))
