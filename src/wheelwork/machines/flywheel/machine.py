"""The flywheel: an oscillator driven by electrons that tunnel through a quantum dot."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.machines.flywheel.evolution import FlywheelEvolution
from wheelwork.machines.flywheel.start import preparation
from wheelwork.machines.flywheel.state import LABELS, FlywheelState
from wheelwork.machines.flywheel.validity import validity, warn_where_stretched
from wheelwork.phase_space import (
    EulerMaruyama,
    FokkerPlanck,
    Langevin,
    PhaseSpaceModel,
    Response,
    SampledCorrelations,
    Samples,
    Stationary,
    table_tolerance,
)
from wheelwork.phase_space.distribution import detection_weight
from wheelwork.transport import Coefficients, Lead, Lorentzian, ResonantLevel

PAPER_COUPLING = 0.1
SCAN_POINTS = 33
WEIGHT_RTOL = 1e-4  # far below what statistics can see
SHARP_ACCURACY = 1e-9  # of integrals over band edges and knots; mostly far exceeded


@runtime_checkable
class PhaseSpaceMethod(Protocol):
    """What solves a `PhaseSpaceModel` to a relative tolerance."""

    @property
    def rtol(self) -> float: ...

    def solve(self, model: PhaseSpaceModel) -> Stationary: ...


@dataclass(frozen=True)
class Flywheel:
    """One electronic level between leads, pulling on a harmonic vibration.

    H_V = p²/2m + m ω0² x²/2 − F n x with n = c†c − N0 and N0 = ⟨c†c⟩ at F = 0
    (Culhane et al., Eqs. (1)–(4)). ħ = e = k_B = 1; energies, rates and temperatures share a unit.

    leads: any number of `Lead`. level: ε of the dot. frequency: ω0. mass: m.
    force: F per unit charge; the paper's λ = F x0/2 with x0 = √(2/(m ω0)).
    temperature: of the bath that the free energy refers to; by default that of the leads,
    which must then agree with each other.

    The description is quasi-adiabatic: it holds for ω0, |λ| ≪ T, Γ (Eq. (5)); the audit of every
    result reports the ratios and the colour of the noise, and a `ValidityWarning` is given when
    one exceeds its bound.
    """

    leads: tuple[Lead, ...]
    level: float = 0.0
    frequency: float = 0.2
    mass: float = 1.0
    force: float = 0.0
    temperature: float | None = None

    def __post_init__(self) -> None:
        dot = ResonantLevel(self.leads, self.level, self.force)
        values = {
            "leads": dot.leads,
            "level": dot.level,
            "force": dot.force,
            "frequency": _checks.positive("frequency", self.frequency),
            "mass": _checks.positive("mass", self.mass),
        }
        if self.temperature is not None:
            values["temperature"] = _checks.positive("temperature", self.temperature)
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def paper(cls, bias: float | None = None, **fields: Any) -> "Flywheel":
        """The device of Culhane et al., Fig. 2: ω0 = 0.2, m = 1, λ = 0.1, ω_L = −ω_R = 0.5,
        δ = 1, Γ = 2, β = 0.5, ε = 0, with μ_L − μ_R = `bias` (zero, or that of `leads` if given).

        The force is F = 2λ/x0 by its definition. Any field can be given instead; `force=0.1`,
        λ taken for the force, is what reproduces the published curves (see `as_plotted`).
        The captions' voltage is that of each lead, half of `bias`.
        """
        leads = tuple(
            Lead(0.0, 2.0, Lorentzian(rate=2.0, centre=centre, width=1.0)) for centre in (0.5, -0.5)
        )
        _known(fields)
        defaults: dict[str, Any] = {"leads": leads, "level": 0.0, "frequency": 0.2, "mass": 1.0}
        device = cls(**defaults | fields)
        if "force" not in fields:
            device = device.replace(force=2.0 * PAPER_COUPLING / device.length)
        return device if bias is None else device.replace(bias=bias)

    @classmethod
    def as_plotted(cls, bias: float | None = None, **fields: Any) -> "Flywheel":
        """`paper` with F = λ = 0.1, the value with which g² levels off near 1.5 as in Fig. 3."""
        return cls.paper(bias, **{"force": PAPER_COUPLING} | fields)

    def replace(self, **fields: Any) -> "Flywheel":
        """Return a device with some fields changed.

        Besides the fields, `bias` sets the chemical potentials of a two-lead device to
        mean ± bias/2. The force stays what it is when mass or frequency change, and λ follows.
        """
        bias = fields.pop("bias", None)
        _known(fields)
        device = replace(self, **fields)
        return device if bias is None else device._biased(_checks.real("bias", bias))

    def _biased(self, bias: float) -> "Flywheel":
        left, right = self._pair()
        mean = 0.5 * (left.chemical_potential + right.chemical_potential)
        leads = (
            replace(left, chemical_potential=mean + 0.5 * bias),
            replace(right, chemical_potential=mean - 0.5 * bias),
        )
        return replace(self, leads=leads)

    def _pair(self) -> tuple[Lead, Lead]:
        if len(self.leads) != 2:
            raise InvalidArgument(
                f"`bias` must be used with a device of two leads, but there are {len(self.leads)}"
            )
        return self.leads[0], self.leads[1]

    @property
    def bias(self) -> float:
        """V = μ_L − μ_R of a two-lead device."""
        left, right = self._pair()
        return left.chemical_potential - right.chemical_potential

    @property
    def length(self) -> float:
        """x0 = √(2/(m ω0)), so that a = x/x0 + i p/p0."""
        return math.sqrt(2.0 / (self.mass * self.frequency))

    @property
    def momentum(self) -> float:
        """p0 = √(2 m ω0) = 2/x0."""
        return 2.0 / self.length

    @property
    def coupling(self) -> float:
        """λ = F x0/2, the electromechanical interaction energy (Culhane et al., Eq. (5))."""
        return 0.5 * self.force * self.length

    @property
    def bath_temperature(self) -> float | None:
        """T for the free energy: `temperature`, or that of the leads if they agree, or None."""
        if self.temperature is not None:
            return self.temperature
        temperatures = {lead.temperature for lead in self.leads}
        return temperatures.pop() if len(temperatures) == 1 else None

    @property
    def labels(self) -> Mapping[str, tuple[str, str, str]]:
        """Symbol, unit and long name of every parameter and observable."""
        return LABELS

    @cached_property
    def dot(self) -> ResonantLevel:
        """The electronic part, with the position as a parameter."""
        return ResonantLevel(self.leads, self.level, self.force)

    @cached_property
    def neutral_occupation(self) -> float:
        """N0 = ⟨c†c⟩ at F = 0, where the mean force vanishes; also the occupation at x = 0."""
        return float(self.dot.coefficients(0.0).occupation)

    def coefficients(self, x: npt.ArrayLike, rtol: float = 1e-12) -> Coefficients:
        """Occupation, diffusion, friction (m γ) and flows at fixed positions x.

        See `wheelwork.transport.ResonantLevel.coefficients`; arrays have the shape of x.
        """
        return self.dot.coefficients(x, rtol)

    def model(self, rtol: float = 1e-12) -> PhaseSpaceModel:
        """The oscillator's stochastic equation, with coefficients to `rtol`.

        Its local observables are the particle and energy current out of each lead.
        """
        leads = range(len(self.leads))
        names = (*(f"particle_{i}" for i in leads), *(f"energy_{i}" for i in leads))
        sharp = any(lead.lineshape.landmarks.edges for lead in self.leads)
        accuracy = max(rtol, SHARP_ACCURACY if sharp else 1e-12)

        def coefficients(x: FloatArray) -> FloatArray:
            c = self.dot.coefficients(x, accuracy)
            force = self.force * (c.occupation - self.neutral_occupation)
            return np.stack(
                [force, c.friction, c.diffusion, *c.particle_currents, *c.energy_currents]
            )

        return PhaseSpaceModel(coefficients, self.frequency, self.mass, names)

    def steady_state(self, method: PhaseSpaceMethod | None = None) -> FlywheelState:
        """Return the stationary state by `method`, `FokkerPlanck(rtol=1e-6)` by default.

        Raises NoSteadyState where the friction does not confine the motion (its message names
        the position), NotConverged when `rtol` is out of reach. Warns with ValidityWarning
        when the device is not slow and weakly coupled.
        """
        method = FokkerPlanck() if method is None else method
        if isinstance(method, type) or not isinstance(method, PhaseSpaceMethod):
            raise InvalidArgument(
                f"`method` must be a method such as FokkerPlanck(rtol=1e-6), but is {method!r}"
            )
        if self.force == 0.0:
            raise InvalidArgument(
                "`force` must not be zero for a steady state: without it nothing acts on the "
                "oscillator, but is 0.0"
            )
        state = FlywheelState(self, method, method.solve(self.model(table_tolerance(method.rtol))))
        warn_where_stretched(state.validity)
        return state

    def evolve(
        self,
        initial: Any,
        times: npt.ArrayLike,
        method: FokkerPlanck | None = None,
        *,
        changes: "Mapping[float, Flywheel] | None" = None,
    ) -> FlywheelEvolution:
        """Follow the state from `initial` at time zero through `times`.

        initial: `Ground()`, `Thermal(n)`, `Coherent(alpha)`, `Cat(alpha)`, a density matrix in the
        Fock basis of ω0 a†a, or a result (`FlywheelState`, `FlywheelSnapshot`).
        times: increasing, in units of 1/energy; the period of the oscillator is 2π/ω0.
        method: `FokkerPlanck(rtol)`; rtol bounds the estimated error of W over the whole time.
        changes: {time: device} from which time on another device is in force, for instance
        {2e4: device.replace(bias=0.0)}; leads, level and force may change, the oscillator not.

        A force of zero is allowed: the oscillator is then free. Raises InvalidArgument and
        NotConverged as `wheelwork.phase_space.FokkerPlanck.evolve`.
        """
        method = FokkerPlanck() if method is None else method
        if not isinstance(method, FokkerPlanck):
            raise InvalidArgument(
                f"`method` must be FokkerPlanck(rtol=...) for an evolution, but is {method!r}"
            )
        schedule = _schedule(self, changes or {})
        accuracy = table_tolerance(method.rtol)
        models = [(start, device.model(accuracy)) for start, device in schedule]
        start = preparation(initial, self.frequency, self.mass)
        found = method.evolve(models, start, times)
        result = FlywheelEvolution(schedule, method.rtol, found)
        warn_where_stretched(result.validity)
        return result

    def sample(self, method: Langevin | EulerMaruyama) -> Samples:
        """Sample trajectories of the stochastic equation: means with standard errors.

        See `wheelwork.phase_space.Langevin`. Raises as `steady_state`.
        """
        if not isinstance(method, Langevin | EulerMaruyama):
            raise InvalidArgument(
                f"`method` must be Langevin(...) or EulerMaruyama(...), but is {method!r}"
            )
        return method.sample(self.model(SHARP_ACCURACY))

    def correlations(self, method: FokkerPlanck | None = None) -> Response:
        """Two-time correlations, spectra, line width and slow rates of the steady state.

        By the regression theorem on the generator of the Fokker–Planck equation, to the `rtol` of
        `method`; see `wheelwork.phase_space.response.Response`. Raises as `steady_state`.
        """
        method = FokkerPlanck() if method is None else method
        if not isinstance(method, FokkerPlanck):
            raise InvalidArgument(
                f"`method` must be FokkerPlanck(rtol=...) for correlations, but is {method!r}; "
                "sampled_correlations takes Langevin"
            )
        warn_where_stretched(validity(self, (0.0,)))
        return method.correlations(self.model(table_tolerance(min(method.rtol, WEIGHT_RTOL))))

    def sampled_correlations(self, method: Langevin, delays: npt.ArrayLike) -> SampledCorrelations:
        """The same from trajectories, at `delays`, with standard errors.

        Normal order, for g²(τ), takes the Wigner function of the state after a detection from
        the direct solution of the steady state; without one `weighted` is None. See
        `wheelwork.phase_space.langevin.SampledCorrelations`.
        """
        if not isinstance(method, Langevin):
            raise InvalidArgument(
                f"`method` must be Langevin(...) to sample correlations, but is {method!r}"
            )
        model = self.model(SHARP_ACCURACY)
        try:
            weight = detection_weight(FokkerPlanck(WEIGHT_RTOL).solve(model).distribution)
        except NotConverged:  # trajectories may still go where the direct solution does not
            weight = None
        return method.correlations(model, delays, weight=weight)

    def noise_colour(self, x: float = 0.0) -> float:
        """|½(S_x(ω0) + S_x(−ω0))/S_x(0) − 1|: zero for noise that is white to the oscillator.

        The description replaces the force noise by its value and slope at zero frequency; this is
        how far the spectrum curves away from that within ±ω0.
        """
        w = self.frequency
        below, centre, above = self.dot.force_noise_spectrum(np.array([-w, 0.0, w]), x, 1e-6)
        return float(abs(0.5 * (below + above) / centre - 1.0))

    def friction_at_rest(self, bias: float) -> float:
        """m γ at x = 0 for another bias; its sign decides whether rest is stable."""
        return float(self.replace(bias=bias).dot.coefficients(0.0).friction)

    def threshold_bias(self, low: float = 0.0, high: float = 32.0) -> float:
        """Smallest bias in [low, high] at which the friction at rest turns negative.

        Found on a scan of 33 values and refined to 1e-12 by root finding. Raises NotConverged
        when the friction keeps its sign, InvalidArgument unless the device has two leads and
        low < high.
        """
        low, high = _checks.real("low", low), _checks.real("high", high)
        if low >= high:
            raise InvalidArgument(f"`high` must be larger than `low` = {low:g}, but is {high:g}")
        scan = np.linspace(low, high, SCAN_POINTS)
        friction = np.array([self.friction_at_rest(bias) for bias in scan])
        falls = np.flatnonzero((friction[:-1] > 0.0) & (friction[1:] <= 0.0))
        if falls.size == 0:
            raise NotConverged(
                f"no threshold between the biases {low:g} and {high:g}: on {SCAN_POINTS} values "
                f"the friction at rest {_course(friction)}"
            )
        bracket = scan[falls[0]], scan[falls[0] + 1]
        return float(brentq(self.friction_at_rest, *bracket, xtol=1e-12, rtol=1e-14))


def _schedule(
    device: Flywheel, changes: "Mapping[float, Flywheel]"
) -> tuple[tuple[float, Flywheel], ...]:
    if not isinstance(changes, Mapping):
        raise InvalidArgument(
            f"`changes` must map times to devices, {{2e4: device}}, but is {changes!r}"
        )
    schedule = [(0.0, device)]
    for time in sorted(changes):
        changed = changes[time]
        if not isinstance(changed, Flywheel) or len(changed.leads) != len(device.leads):
            raise InvalidArgument(
                f"`changes` must hold devices with {len(device.leads)} leads, "
                f"but holds {changed!r} (time {time:g})"
            )
        schedule.append((_checks.positive("time", time, "changes"), changed))
    return tuple(schedule)


def _known(fields: Mapping[str, Any]) -> None:
    unknown = set(fields) - set(Flywheel.__dataclass_fields__)
    if unknown:
        known = ", ".join([*Flywheel.__dataclass_fields__, "bias"])
        raise InvalidArgument(f"`{min(unknown)}` must be one of {known}")


def _course(friction: FloatArray) -> str:
    if np.all(friction > 0.0):
        return "stays positive"
    if np.all(friction <= 0.0):
        return "is never positive"
    return "turns from negative to positive only"
