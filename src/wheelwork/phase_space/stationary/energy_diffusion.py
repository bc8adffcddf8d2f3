"""The orbit-averaged stationary state, as a method."""

from dataclasses import dataclass

import numpy as np

from wheelwork import _checks
from wheelwork.errors import NotConverged
from wheelwork.phase_space.model import PhaseSpaceModel
from wheelwork.phase_space.stationary import circle_solver
from wheelwork.phase_space.stationary.accuracy import table_error, table_tolerance
from wheelwork.phase_space.stationary.circles import circles
from wheelwork.phase_space.stationary.orbit_distribution import OrbitDistribution
from wheelwork.phase_space.stationary.orbits import SeveralWells, find_orbits
from wheelwork.phase_space.stationary.refinement import change
from wheelwork.phase_space.stationary.result import Stationary, stationary
from wheelwork.phase_space.stationary.solve import LEVELS

LARGEST_CORRECTION = 0.05  # of moments, up to which an orbit average is one


@dataclass(frozen=True)
class EnergyDiffusion:
    """The orbit-averaged solution W(E): fast, and the cross-check of `FokkerPlanck`.

    W′/W = −2⟨mγ p²⟩/⟨D p²⟩, averaged over orbits of the effective potential. Errors are of first
    order in γ/ω0 for W and of second order for its moments in x² and p²; they are estimated
    from the size of the first correction. `rtol` governs the tables only.

    Raises NotConverged for a potential with several wells, NoSteadyState as `FokkerPlanck`.
    """

    rtol: float = 1e-6

    def __post_init__(self) -> None:
        object.__setattr__(self, "rtol", _checks.tolerance("rtol", self.rtol))

    def solve(self, model: PhaseSpaceModel) -> Stationary:
        """Return the orbit-averaged state of `model`."""
        try:
            orbits = find_orbits(model, table_tolerance(self.rtol))
        except SeveralWells:
            raise NotConverged(
                "the potential has several wells, which EnergyDiffusion does not treat; "
                "use FokkerPlanck"
            ) from None
        first = OrbitDistribution(orbits, circles(orbits), circle_solver.flat(orbits))
        level = next((level for level in LEVELS[1:] if level[0] > 2.0 * orbits.radius), LEVELS[-1])
        better = first.with_modulation(circle_solver.solve(orbits, *level))
        correction = change(better, first)
        size = float(np.max(correction[:-1]))
        if size > LARGEST_CORRECTION:
            raise NotConverged(
                f"the orbit average is no approximation here: its first correction is {size:.1g}; "
                "use FokkerPlanck"
            )
        error = correction / (1.0 - 2.0 * size) + table_error(orbits)
        rates = orbits.potential.rates
        return stationary(orbits.model, first, rates, error, {}, first.circles.misses)
