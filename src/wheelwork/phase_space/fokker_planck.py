"""The Fokker–Planck equation, and its average over orbits, as methods."""

import math
from dataclasses import dataclass

import numpy.typing as npt

from wheelwork import _checks
from wheelwork.methods import Method
from wheelwork.parameters import parameter
from wheelwork.phase_space.evolution.evolve import MOST_PERIODS, Evolution, Schedule, evolve
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel, require_model
from wheelwork.phase_space.response.correlations import Response, response
from wheelwork.phase_space.stationary.adaptive_solver import orbit_average, solve_stationary
from wheelwork.phase_space.stationary.stationary_state import Stationary
from wheelwork.states import Preparation


@dataclass(frozen=True)
class FokkerPlanck(Method):
    """The stationary Fokker–Planck equation (Culhane et al., Eq. (A24)), solved to `rtol`.

    rtol: bound on the estimated relative error of phonon number, g2 and purity, and on the
    distance of W; between 1e-12 and 0.1. Domain, mesh and tables are chosen and refined
    automatically. One-well potentials are solved on their own orbits (in tens of
    milliseconds, at most some 4e10 multiplications: five seconds); others on a mesh of the (x, p)
    plane of at most 240² points (ten seconds).

    Raises NotConverged when `rtol` is not reached within that budget, or as soon as the changes
    between meshes show that it will not be; its `partial` is the best solution reached. Raises
    NoSteadyState when the friction does not confine the state. Exact for the equation; the
    equation itself holds for slow oscillators only (ω0, λ ≪ T, Γ).
    """

    rtol: float = parameter(
        r"\epsilon", "1", "relative tolerance", check=_checks.tolerance, default=1e-6
    )

    def solve(self, model: PhaseSpaceModel) -> Stationary:
        """Return the stationary state of `model`."""
        with self.guard():
            return solve_stationary(require_model(model), self.rtol)

    def evolve(self, schedule: Schedule, initial: Preparation, times: npt.ArrayLike) -> Evolution:
        """Return W(t) from `initial` on; see `wheelwork.phase_space.evolution.evolve`.

        Its budgets of periods and of work hold where no `time_limit` is set.
        """
        most = MOST_PERIODS if self.time_limit == math.inf else math.inf
        with self.guard():
            return evolve(schedule, initial, times, self.rtol, most)

    def correlations(self, model: PhaseSpaceModel) -> Response:
        """Return two-time correlations, spectra and slow rates; see `Response`."""
        with self.guard():
            return response(require_model(model), self.rtol)


@dataclass(frozen=True)
class EnergyDiffusion(Method):
    """The orbit-averaged solution W(E): fast, and the cross-check of `FokkerPlanck`.

    W′/W = −2⟨mγ p²⟩/⟨D p²⟩, averaged over orbits of the effective potential. Errors are of first
    order in γ/ω0 for W and of second order for its moments in x² and p²; they are estimated
    from the size of the first correction. `rtol` governs the tables only.

    Raises NotConverged for a potential with several wells, and where the first correction is large
    (`partial` is then the orbit average); NoSteadyState as `FokkerPlanck`.
    """

    rtol: float = parameter(
        r"\epsilon", "1", "relative tolerance", check=_checks.tolerance, default=1e-6
    )

    def solve(self, model: PhaseSpaceModel) -> Stationary:
        """Return the orbit-averaged state of `model`."""
        with self.guard():
            return orbit_average(require_model(model), self.rtol)
