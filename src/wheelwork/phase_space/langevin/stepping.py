"""What a run needs to step: tables over the range reached so far, at Δt and at 2Δt."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.phase_space.chebyshev import ChebyshevTable
from wheelwork.phase_space.domain import LARGEST_REACH
from wheelwork.phase_space.langevin.schemes import Scheme, kick_function
from wheelwork.phase_space.langevin.table_lookup import Cells, cubic_cells
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel, extended, tabulated_rates

FIRST_REACH, GROWTH = 8.0, 1.5
RATES_RTOL = 1e-9
LOOKUP_RTOL = 1e-6  # far below what statistics can see
FASTEST = 1.0  # largest angle or exponent of one step, where trajectories usually are
STABLE = 2.0  # and at their rare extremes: beyond, a stiff force makes the step unstable
POINTS = 257

SchemeOf = Callable[[float, float], Scheme]  # of frequency and step


@dataclass(frozen=True)
class Stepping:
    """Tables for one model, scheme and step.

    rates: over |X| ≤ 8, 12, 18 …, always grown in these steps, so that the tables, and with
    them the bits of a trajectory, depend only on how far any trajectory has come.
    """

    model: PhaseSpaceModel
    scheme: SchemeOf
    step: float
    rates: ChebyshevTable

    @classmethod
    def of(
        cls, model: PhaseSpaceModel, scheme: SchemeOf, step: float, reach: float = FIRST_REACH
    ) -> "Stepping":
        """Return tables over |X| ≤ `reach`, one of 8, 12, 18 …, or the next that covers it."""
        stepping = cls(model, scheme, step, tabulated_rates(model, FIRST_REACH, RATES_RTOL))
        while stepping.reach < reach:
            stepping = stepping.extended()
        return stepping

    def extended(self) -> "Stepping":
        """Return tables over half as long a range again.

        Raises NotConverged beyond 1000 x0.
        """
        reach = self.reach * GROWTH
        if reach > LARGEST_REACH:
            raise NotConverged(
                f"a trajectory passed |x| = {self.reach * self.model.length:.4g}: at the step "
                f"{self.step:g}, {self.fine.name} is not confined by the friction"
            )
        rates = extended(self.rates, self.model, reach, RATES_RTOL)
        return Stepping(self.model, self.scheme, self.step, rates)

    @property
    def reach(self) -> float:
        return self.rates.high

    @cached_property
    def fine(self) -> Scheme:
        return self.scheme(self.model.frequency, self.step)

    @cached_property
    def coarse(self) -> Scheme:
        return self.scheme(self.model.frequency, 2.0 * self.step)

    def cells(self, *, coarse: bool) -> Cells:
        """Return the look-up table of the kicks and local observables, at Δt or at 2Δt."""
        return self._coarse_cells if coarse else self._fine_cells

    @cached_property
    def _fine_cells(self) -> Cells:
        return self._fitted(self.fine)

    @cached_property
    def _coarse_cells(self) -> Cells:
        return self._fitted(self.coarse)

    def _fitted(self, scheme: Scheme) -> Cells:
        return cubic_cells(kick_function(scheme, self.rates), self.reach, LOOKUP_RTOL)

    @cached_property
    def _force_slope(self) -> ChebyshevTable:
        return self.rates.component(0).derivative()

    def fastest(self, low: float, high: float) -> tuple[float, float]:
        """Return the fastest rate for low ≤ X ≤ high, and the X where it is.

        The largest of ω0, |γ| and √(ω0 |∂f/∂X|), the frequency at which the force alone would
        make the oscillator swing.
        """
        X = np.linspace(max(low, -self.reach), min(high, self.reach), POINTS)
        stiffness = np.sqrt(self.model.frequency * np.abs(self._force_slope(X)[0]))
        rates = np.maximum(stiffness, np.abs(self.rates(X)[1]))
        worst = int(np.argmax(rates))
        return max(self.model.frequency, float(rates[worst])), float(X[worst])

    def check(self, low: float, high: float, limit: float) -> None:
        """Raise InvalidArgument if Δt is above `limit`/rate for low ≤ X ≤ high."""
        rate, X = self.fastest(low, high)
        if not rate * self.step <= limit:
            raise InvalidArgument(
                f"`step` must be at most {limit / rate:.3g}, as the fastest rate met is "
                f"{rate:.3g} (at x = {X * self.model.length:.4g}), but is {self.step!r}"
            )


def largest_step(stepping: Stepping, low: float, high: float, angle: float) -> float:
    """Return the largest 2^k Δt (k ≤ 0) at which the fastest rate makes `angle` a step."""
    rate, _ = stepping.fastest(low, high)
    halvings = math.ceil(math.log2(max(rate * stepping.step / angle, 1.0)))
    return stepping.step * 0.5**halvings
