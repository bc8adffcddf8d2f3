"""Solving the master equation of a power grid, with a cutoff that grows until it is enough."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.lindblad import graded
from wheelwork.machines.power_grid.model import require_bounded_grid
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.machines.power_grid.quantum.fock_space import FockSpace, sector_sizes
from wheelwork.machines.power_grid.quantum.model import QuantumModel, gauge_phases, require_quantum
from wheelwork.machines.power_grid.quantum.moments import Moments, gross_flow
from wheelwork.methods import Method
from wheelwork.results import Summary

SMALLEST = 4  # cutoff, in quanta: fewer leave no tail to continue
LARGEST_AT_FIRST = 16  # cutoff of the first try, reached where it has few unknowns
FIRST_UNKNOWNS = 2000.0  # of the first try: solved in a moment
RESTART = 40  # vectors that GMRES keeps
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
    gauge in which all is real; by default if it exists (see `gauge_phases`). memory: bytes
    that may be used, checked before anything is computed.
    """

    rtol: float = 1e-6
    cutoff: int | None = None
    real: bool | None = None
    memory: float = 6e9

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "rtol", _checks.tolerance("rtol", self.rtol))
        if self.cutoff is not None:
            object.__setattr__(self, "cutoff", _checks.integer("cutoff", self.cutoff, SMALLEST))
        if self.real is not None and not isinstance(self.real, bool):
            raise InvalidArgument(f"`real` must be True, False or None, but is {self.real!r}")
        object.__setattr__(self, "memory", _checks.positive("memory", self.memory))

    def solve(self, parameters: GridParameters) -> "QuantumSolution":
        """Return the steady state.

        Raises:
            InvalidArgument: for elements other than `Saturable`, which have no jump operator, and
                where `real` is True and there is no such gauge.
            NoSteadyState: where gain is unbounded, or a mode reaches no loss.
            NotConverged: where `cutoff` is too small, the cutoff that is needed does not fit into
                `memory`, or relaxation is too slow.
        """
        require_quantum(parameters)
        require_bounded_grid(parameters)
        search = CutoffSearch(parameters, self, gauge_phases(parameters, self.real))
        cutoff = SMALLEST if self.cutoff is None else self.cutoff
        while self.cutoff is None and cutoff < LARGEST_AT_FIRST:
            sizes = sector_sizes(len(parameters.nodes), cutoff + 1)
            if sum(float(d) ** 2 for d in sizes) > FIRST_UNKNOWNS:
                break
            cutoff += 1
        solution = search.solved(cutoff)
        while not search.converged(solution):
            if self.cutoff is not None:
                raise NotConverged(
                    f"with a cutoff of {cutoff} quanta {solution.edge:.1e} of probability is at "
                    f"the edge, and the means are not known to {self.rtol:g}: raise `cutoff`, or "
                    "leave it out"
                )
            if solution.edge <= EMPTY:
                raise NotConverged(
                    f"no cutoff helps: with {solution.cutoff} quanta the edge is empty, but the "
                    f"state is known to {solution.error:.1e} only, for relaxation is slow"
                )
            solution = search.solved(_next_cutoff(solution, EDGE_SHARE * self.rtol), solution)
        return solution


@dataclass(frozen=True, eq=False, repr=False)
class QuantumSolution(Summary):
    """A steady state at a cutoff, its means with their errors, and the cutoffs tried."""

    model: QuantumModel
    steady: graded.GradedSteadyState
    moments: Moments
    moment_errors: Moments
    cutoffs: tuple[int, ...]

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


@dataclass(frozen=True)
class CutoffSearch:
    """How a grid is solved at several cutoffs. phases: of the gauge."""

    parameters: GridParameters
    method: MasterEquation
    phases: npt.NDArray[np.complex128]

    def solved(self, cutoff: int, before: QuantumSolution | None = None) -> QuantumSolution:
        """Return the solution at a cutoff, begun from one `before` at a smaller cutoff.

        Raises NotConverged where the memory does not suffice.
        """
        self._require_memory(cutoff, before)
        space = FockSpace(len(self.parameters.nodes), cutoff)
        model = QuantumModel(self.parameters, space, self.phases)
        start = None
        if before is not None and before.edge <= WORTH_STARTING:
            start = model.equation.zeros()
            start[: before.steady.values.size] = before.steady.values
        steady = graded.steady_state(
            model.equation, ITERATION_SHARE * self.method.rtol, start=start, restart=RESTART
        )
        # the remaining error has the size of the last step, not its direction
        errors = Moments.of(model, steady.error_samples[0], magnitudes=True)
        for sample in steady.error_samples[1:]:
            errors = errors.widened(Moments.of(model, sample))
        moments = Moments.of(model, steady.values)
        cutoffs = (*before.cutoffs, cutoff) if before is not None else (cutoff,)
        return QuantumSolution(model, steady, moments, errors, cutoffs)

    def converged(self, solution: QuantumSolution) -> bool:
        """Whether the edge is empty and occupations and currents are known to `rtol`."""
        if solution.edge > self.method.rtol:
            return False
        size, error = solution.moments, solution.moment_errors
        quanta = float(np.sum(size.occupation))
        flow = gross_flow(self.parameters, size)
        occupations = error.occupation <= self.method.rtol * max(quanta, self.method.rtol)
        currents = error.current <= self.method.rtol * np.maximum(np.abs(size.current), flow)
        return bool(np.all(occupations) and np.all(currents))

    def _require_memory(self, cutoff: int, reached: QuantumSolution | None) -> None:
        N = len(self.parameters.nodes)
        real = QuantumModel(self.parameters, FockSpace(N, 1), self.phases).real  # at any cutoff
        needed = graded.required_bytes(sector_sizes(N, cutoff), RESTART, not real)
        if needed > self.method.memory:
            history = ""
            if reached is not None:
                history = f"; {reached.cutoff} quanta leave {reached.edge:.1e} of probability at M"
            raise NotConverged(
                f"a cutoff of {cutoff} quanta in {N} nodes takes {needed:.3g} bytes, more than "
                f"the {self.method.memory:.3g} of `memory`{history}: raise it, or sample with "
                "QuantumJumps"
            )


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
