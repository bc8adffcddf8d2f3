"""The flywheel: an oscillator driven by electrons that tunnel through a quantum dot."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy.typing as npt

from wheelwork import _checks
from wheelwork.errors import CoexistenceWarning, NotConverged, partial_as
from wheelwork.machines.flywheel import accuracy, thresholds
from wheelwork.machines.flywheel import model as equations
from wheelwork.machines.flywheel.evolution import FlywheelEvolution, preparation, schedule
from wheelwork.machines.flywheel.parameters import FlywheelParameters
from wheelwork.machines.flywheel.state import FlywheelState
from wheelwork.machines.flywheel.thresholds import OscillationThresholds
from wheelwork.phase_space import (
    EnergyDiffusion,
    EulerMaruyama,
    FokkerPlanck,
    Langevin,
    PhaseSpaceModel,
    Response,
    SampledCorrelations,
    Samples,
    table_tolerance,
)
from wheelwork.phase_space.distribution import detection_weight
from wheelwork.results import Labels, warn_outside_validity
from wheelwork.transport import Coefficients
from wheelwork.verbs import require_method

CORRELATION_RTOL = 1e-4  # of tables and of W after a detection; far below the sampling error
DIRECT = "FokkerPlanck(rtol=1e-6)"
SEE_WELLS = "a run from rest does not see the stationary mean: see `wells`"
AT_ITS_LIMIT = "the quasi-adiabatic description is at its limit"


@dataclass(frozen=True, repr=False)
class Flywheel(FlywheelParameters):
    """A flywheel: one electronic level between leads pulls on a harmonic vibration.

    H_V = p²/2m + m ω0² x²/2 − F n x with n = c†c − N0 and N0 = ⟨c†c⟩ at F = 0
    (Culhane et al., Eqs. (1)–(4)). ħ = e = k_B = 1; energies, rates and temperatures share a unit.

    leads: any number of `Lead`. level: ε of the dot. frequency: ω0. mass: m.
    force: F per unit charge; the paper's λ = F x0/2 with x0 = √(2/(m ω0)).
    temperature: reference of the free energy; by default the leads' common temperature. If these
    differ and none is given, the free energy is NaN.

    The description is quasi-adiabatic: it holds for ω0, |λ| ≪ T, Γ (Culhane et al., Eq. (5)); the
    audit of every result reports the ratios and the colour of the noise; a `ValidityWarning` is
    issued if one exceeds its bound.
    """

    @property
    def labels(self) -> Labels:
        """Symbol, unit and long name of every parameter and observable."""
        return {**self.parameter_labels(), **FlywheelState.labels()}

    def coefficients(self, x: npt.ArrayLike, rtol: float = equations.FINEST_RTOL) -> Coefficients:
        """Occupation, diffusion, friction (m γ) and flows at fixed positions, in the shape of x."""
        return self.junction.coefficients(x, rtol)

    def model(self, rtol: float = equations.FINEST_RTOL) -> PhaseSpaceModel:
        """The oscillator's stochastic equation, with coefficients to `rtol`, and with the particle
        and energy currents out of the leads as local observables.
        """
        return equations.phase_space_model(self, rtol)

    def noise_colour(self, x: float = 0.0) -> float:
        """|½(S_x(ω0) + S_x(−ω0))/S_x(0) − 1|: zero for noise that is white to the oscillator.

        The description replaces the force noise by its value and slope at zero frequency; this is
        how far the spectrum curves away from that within ±ω0.
        """
        return float(equations.noise_colour(self, _checks.real("x", x)))

    def friction_at_rest(self, bias: float) -> float:
        """m γ at x = 0 for another bias; its sign decides whether rest is stable."""
        return thresholds.friction_at_rest(self, bias)

    def threshold_bias(self, low: float = 0.0, high: float | None = None) -> float:
        """Smallest bias in [low, high] at which the friction at rest turns negative.

        high: by default 16 times the largest energy of the junction, see
        `thresholds.highest_bias`. By a scan of 33 values, refined to 14 digits by root finding.
        Raises NotConverged when the friction keeps its sign, InvalidArgument unless the device has
        two leads and low < high.
        """
        return thresholds.threshold_bias(self, low, high)

    def oscillation_thresholds(
        self, low: float = 0.0, high: float | None = None
    ) -> OscillationThresholds:
        """Biases in [low, high] at which rest loses its stability, and at which oscillation ends.

        Returns (onset, offset, kind). "soft": both at one bias. "hard": between offset and onset
        rest and an oscillation are stable, and which one is seen depends on the start (see
        `FlywheelState.wells`). Onset is infinite where rest stays stable up to `high`. For a device
        that oscillates at negative bias give low < high <= 0: the scan then goes down from `high`,
        and an infinite onset is negative. Without noise, from the friction at rest and averaged
        over orbits, where friction is weak. By a scan of 33 biases as `threshold_bias`; takes one
        or two seconds.

        Raises NotConverged when nothing oscillates in the range, when rest is unstable or an
        oscillation stable where the scan begins, and where the oscillation ends among several
        minima of the potential; InvalidArgument as `threshold_bias`.
        """
        return thresholds.oscillation_thresholds(self, low, high)

    def steady_state(
        self, method: FokkerPlanck | EnergyDiffusion | Langevin | None = None
    ) -> FlywheelState:
        """Return the stationary state by `method`, `FokkerPlanck(rtol=1e-6)` by default.

        Raises NoSteadyState where the friction does not confine the motion (its message names
        the position), NotConverged when `rtol` cannot be reached, its `partial` being the best
        state reached. Warns with ValidityWarning when the device is not slow and weakly coupled,
        and with CoexistenceWarning when several states coexist and a run that starts at rest does
        not see their mean.
        """
        kinds = (FokkerPlanck, EnergyDiffusion, Langevin)
        method = require_method(method, kinds, DIRECT, FokkerPlanck())
        equations.require_damped(self)
        with method.guard(), partial_as(partial(FlywheelState, self, method)):
            solution = method.solve(self.model(table_tolerance(method.rtol)))
        state = FlywheelState(self, method, solution)
        warn_outside_validity(AT_ITS_LIMIT, state.validity)
        if state.misses_mean:
            warnings.warn(f"{state.coexistence}; {SEE_WELLS}", CoexistenceWarning, stacklevel=2)
        return state

    def evolve(
        self,
        initial: Any,
        times: npt.ArrayLike,
        method: FokkerPlanck | None = None,
        *,
        changes: Mapping[float, FlywheelParameters] | None = None,
    ) -> FlywheelEvolution:
        """Return the evolution from `initial` at time zero, at `times`.

        initial: `Ground()`, `Thermal(n)`, `Coherent(alpha)`, `Cat(alpha)`, a density matrix in the
        Fock basis of ω0 a†a, or a result (`FlywheelState`, `FlywheelSnapshot`).
        times: increasing, in units of 1/energy; the period of the oscillator is 2π/ω0.
        method: `FokkerPlanck(rtol)`; rtol bounds the estimated error of W over the whole time.
        changes: {time: device} at which another device takes over, such as
        {2e4: device.replace(bias=0.0)}; leads, level and force may change, the oscillator not.

        A force of zero is allowed: the oscillator is then free. Raises InvalidArgument and
        NotConverged as `wheelwork.phase_space.FokkerPlanck.evolve`.
        """
        method = require_method(method, (FokkerPlanck,), DIRECT, FokkerPlanck())
        devices = schedule(self, changes or {})
        rtol = table_tolerance(method.rtol)
        models = [(start, equations.phase_space_model(device, rtol)) for start, device in devices]
        with partial_as(lambda reached: FlywheelEvolution(devices, method, reached)):
            solution = method.evolve(models, preparation(initial, self), times)
        result = FlywheelEvolution(devices, method, solution)
        warn_outside_validity(AT_ITS_LIMIT, result.validity)
        return result

    def sample(self, method: Langevin | EulerMaruyama, *, after: Samples | None = None) -> Samples:
        """Sample trajectories of the stochastic equation: means with standard errors.

        See `wheelwork.phase_space.Langevin`; `Samples.moments` has the means. after: the samples
        of a run that ended early, such as `error.partial`, to be continued to the duration of
        `method`. Raises as `steady_state`, and InvalidArgument where `after` is of another run.
        """
        require_method(method, (Langevin, EulerMaruyama), "Langevin(duration=1e6)")
        return method.sample(self.model(equations.SHARP_RTOL), after=after)

    def correlations(self, method: FokkerPlanck | None = None) -> Response:
        """Two-time correlations, spectra, line width and slow rates of the steady state.

        By the regression theorem on the generator of the Fokker–Planck equation, to the `rtol` of
        `method`; see `wheelwork.phase_space.Response`. Raises as `steady_state`.
        """
        example = f"{DIRECT} (sampled_correlations takes Langevin)"
        method = require_method(method, (FokkerPlanck,), example, FokkerPlanck())
        warn_outside_validity(AT_ITS_LIMIT, accuracy.validity(self, (0.0,)))
        return method.correlations(self.model(table_tolerance(min(method.rtol, CORRELATION_RTOL))))

    def sampled_correlations(self, method: Langevin, delays: npt.ArrayLike) -> SampledCorrelations:
        """Two-time correlations estimated from trajectories, at `delays`, with standard errors.

        Normal order, for g²(τ), takes the Wigner function of the state after a detection from
        the direct solution of the steady state; without one `weighted` is None. See
        `wheelwork.phase_space.SampledCorrelations`.
        """
        require_method(method, (Langevin,), "Langevin(duration=1e6)")
        model = self.model(equations.SHARP_RTOL)
        try:
            weight = detection_weight(FokkerPlanck(CORRELATION_RTOL).solve(model).distribution)
        except NotConverged:  # sampling may succeed where the direct solver fails
            weight = None
        return method.correlations(model, delays, weight=weight)
