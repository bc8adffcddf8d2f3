"""How many quanta must be kept: a cutoff that grows until it no longer matters."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from wheelwork.errors import NotConverged
from wheelwork.lindblad import graded
from wheelwork.machines.power_grid.quantum.fock_space import FockSpace, rung_sizes
from wheelwork.machines.power_grid.quantum.model import QuantumModel
from wheelwork.machines.power_grid.quantum.moments import Moments

if TYPE_CHECKING:
    from wheelwork.machines.power_grid.machine import PowerGrid

RESTART = 40  # vectors that GMRES keeps
FIRST_UNKNOWNS = 2000.0
LEAST_CUTOFF, MOST_AT_FIRST = 4, 16
ITERATION_SHARE = 1e-2  # of rtol: what iterations may leave of the state
EDGE_SHARE = 1e-2  # of rtol: probability aimed at on the last rung
TAIL = 8  # the last part of the rungs, by which the tail is continued
GROWTH = 2.0
WORTH_STARTING = 0.03  # probability at the edge of a state that a larger one starts from
EMPTY = 1e-15  # rounding of a probability
TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class Solution:
    """A steady state at a cutoff, its means with their errors, and the cutoffs tried."""

    model: QuantumModel
    steady: graded.GradedSteadyState
    moments: Moments
    moment_errors: Moments
    cutoffs: tuple[int, ...]

    @property
    def cutoff(self) -> int:
        return self.model.space.cutoff

    @property
    def edge(self) -> float:
        """p(M), the probability of the last rung."""
        return abs(float(self.steady.equation.charge_probabilities(self.steady.values)[-1]))

    @property
    def error(self) -> float:
        """Estimated Σ|δρ|."""
        return self.steady.error


@dataclass(frozen=True)
class Growth:
    """How a grid is solved at several cutoffs. memory: bytes that may be used."""

    machine: "PowerGrid"
    phases: npt.NDArray[np.complex128]
    rtol: float
    memory: float

    def at(self, cutoff: int) -> Solution:
        """Return the solution at a cutoff that is given.

        Raises NotConverged where it is too small.
        """
        self._require_memory(cutoff, None)
        found = self._solve(cutoff)
        if not self._settled(found):
            raise NotConverged(
                f"with a cutoff of {cutoff} quanta {found.edge:.1e} of probability is at the edge, "
                f"and the means are not known to {self.rtol:g}: raise `cutoff`, or leave it out"
            )
        return found

    def grown(self) -> Solution:
        """Return the solution at a cutoff that has grown until it no longer matters.

        Raises NotConverged where the memory does not suffice.
        """
        N = len(self.machine.nodes)
        first = LEAST_CUTOFF
        while first < MOST_AT_FIRST and _unknowns(N, first + 1) <= FIRST_UNKNOWNS:
            first += 1
        self._require_memory(first, None)
        found = self._solve(first)
        while not self._settled(found):
            if found.edge <= EMPTY:
                raise NotConverged(
                    f"no cutoff helps: with {found.cutoff} quanta the edge is empty, but the state "
                    f"is known to {found.error:.1e} only, for relaxation is slow"
                )
            cutoff = _next(found, EDGE_SHARE * self.rtol)
            self._require_memory(cutoff, found)
            found = self._solve(cutoff, found)
        return found

    def _solve(self, cutoff: int, before: Solution | None = None) -> Solution:
        model = QuantumModel(self.machine, FockSpace(len(self.machine.nodes), cutoff), self.phases)
        start = None
        if before is not None and before.edge <= WORTH_STARTING:
            start = model.ladder.zeros()
            start[: before.steady.values.size] = before.steady.values
        steady = graded.steady_state(
            model.ladder, ITERATION_SHARE * self.rtol, start=start, restart=RESTART
        )
        # what iterations left has the size of their last step, not its direction
        errors = Moments.of(model, steady.error_samples[0], magnitudes=True)
        for doubt in steady.error_samples[1:]:
            errors = errors + abs(Moments.of(model, doubt))
        moments = Moments.of(model, steady.values)
        cutoffs = (*before.cutoffs, cutoff) if before is not None else (cutoff,)
        return Solution(model, steady, moments, errors, cutoffs)

    def _settled(self, found: Solution) -> bool:
        """Whether the edge is empty and occupations and currents are known to `rtol`."""
        if found.edge > self.rtol:
            return False
        size, error = found.moments, found.moment_errors
        quanta = float(np.sum(size.occupation))
        flow = gross_flow(self.machine, size)
        occupations = error.occupation <= self.rtol * max(quanta, self.rtol)
        currents = error.current <= self.rtol * np.maximum(np.abs(size.current), flow)
        return bool(np.all(occupations) and np.all(currents))

    def _require_memory(self, cutoff: int, reached: Solution | None) -> None:
        N = len(self.machine.nodes)
        real = bool(np.any(self.phases.imag)) or N == 1
        needed = graded.required_bytes(rung_sizes(N, cutoff), RESTART, not real)
        if needed > self.memory:
            history = ""
            if reached is not None:
                history = f"; {reached.cutoff} quanta leave {reached.edge:.1e} of probability at M"
            raise NotConverged(
                f"a cutoff of {cutoff} quanta in {N} nodes takes {needed:.3g} bytes, more than "
                f"the {self.memory:.3g} of `memory`{history}: raise it, or sample with QuantumJumps"
            )


def gross_flow(machine: "PowerGrid", moments: Moments) -> float:
    """Quanta per time that elements exchange and surroundings take: the scale of currents."""
    quanta = moments.injected + moments.extracted + machine.dampings * moments.occupation
    return float(np.sum(quanta))


def _unknowns(modes: int, cutoff: int) -> float:
    return float(sum(float(d) ** 2 for d in rung_sizes(modes, cutoff)))


def _next(found: Solution, aim: float) -> int:
    """A larger cutoff, where the tail of the charges, continued as a Gaussian, falls to `aim`."""
    p = np.log(np.maximum(found.steady.equation.charge_probabilities(found.steady.values), TINY))
    M = found.cutoff
    back = max(2, M // TAIL)
    slope, before = (p[[M - back, M - 2 * back]] - p[[M, M - back]]) / back
    bend = max(0.0, float(slope - before) / back)
    slope = max(0.0, float(slope) + 0.5 * bend * back)  # at M
    fall = max(0.0, float(p[M]) - math.log(aim))
    steepest = slope + math.sqrt(slope**2 + 2.0 * bend * fall)
    reach = 2.0 * fall / steepest if steepest > 0.0 else math.inf
    return math.ceil(min(GROWTH * M, max(M + back, M + reach)))
