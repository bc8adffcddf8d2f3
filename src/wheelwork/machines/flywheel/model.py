"""The equations of a flywheel: junction, stochastic equation, force noise, flows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.machines.flywheel.parameters import FlywheelParameters
from wheelwork.parameters import ShortRepr
from wheelwork.phase_space import PhaseSpaceModel
from wheelwork.transport import Lead, ResonantLevel

SHARP_RTOL = 1e-9  # of integrals over band edges and knots; mostly far exceeded
FINEST_RTOL = 1e-12  # the smallest that `ResonantLevel.coefficients` takes
ROUGH_RTOL = 1e-5  # for the region of the state, found to a step of its mesh
COLOUR_RTOL = 1e-6  # of force noise spectra, of which two digits are needed
BAND_POINTS = 801  # to read off the height of the band; 0.02 temperatures apart without a bias
BAND_REACH = 8.0  # temperatures beyond the potentials, where the leads are full or empty to 3e-4


@dataclass(frozen=True)
class Rates:
    """Rows of a `PhaseSpaceModel` at positions x: force, friction, diffusion, flows of the leads.

    The mean force is F (n(x) − N0), N0 = `neutral` (Culhane et al., Eq. (4)). A class and no
    closure, so that results can be pickled.
    """

    junction: ResonantLevel
    neutral: float
    rtol: float

    def __call__(self, x: FloatArray) -> FloatArray:
        c = self.junction.coefficients(x, self.rtol)
        force = self.junction.force * (c.occupation - self.neutral)
        return np.stack([force, c.friction, c.diffusion, *c.particle_currents, *c.energy_currents])


def require_damped(parameters: FlywheelParameters) -> None:
    """Raise InvalidArgument where no bath acts on the oscillator: it has no steady state."""
    if parameters.force == 0.0:
        raise InvalidArgument(
            "`force` must not be zero for a steady state, but is 0.0: the oscillator would be free"
        )


def phase_space_model(parameters: FlywheelParameters, rtol: float = FINEST_RTOL) -> PhaseSpaceModel:
    """Return the oscillator's stochastic equation, with coefficients to `rtol`.

    Its local observables are the currents out of the leads, `particle_0`, ..., `energy_0`, ...
    """
    leads = range(len(parameters.leads))
    names = (*(f"particle_{i}" for i in leads), *(f"energy_{i}" for i in leads))
    sharp = any(lead.lineshape.landmarks.edges for lead in parameters.leads)
    table_rtol = max(rtol, SHARP_RTOL if sharp else FINEST_RTOL)
    neutral = parameters.junction.coefficients(0.0, table_rtol if sharp else FINEST_RTOL).occupation
    rates = Rates(parameters.junction, float(neutral), table_rtol)
    rough = replace(rates, rtol=max(table_rtol, ROUGH_RTOL))
    oscillator = parameters.frequency, parameters.mass
    return PhaseSpaceModel(rates, *oscillator, names, landmarks(parameters), rough)


def landmarks(parameters: FlywheelParameters) -> tuple[float, ...]:
    """Return the positions that bring the level to a potential or a line of the leads."""
    lines = [lead.lineshape.landmarks for lead in parameters.leads]
    energies = [lead.chemical_potential for lead in parameters.leads]
    energies += [energy for line in lines for energy, _ in line.poles]
    energies += [energy for line in lines for energy in line.edges]
    force = parameters.force
    return tuple(sorted({(parameters.level - energy) / force for energy in energies if force}))


def noise_colour(parameters: FlywheelParameters, x: npt.ArrayLike) -> FloatArray:
    """Return |½(S_x(ω0) + S_x(−ω0))/S_x(0) − 1|, shaped as x: zero for white noise.

    Infinite where S_x(0) vanishes in double precision.
    """
    w = parameters.frequency * np.array([-1.0, 0.0, 1.0])
    at = np.expand_dims(x, -1)
    spectrum = parameters.junction.force_noise_spectrum(w, at, COLOUR_RTOL)
    below, centre, above = np.moveaxis(spectrum, -1, 0)
    noisy = centre > 0.0
    colour = np.abs(0.5 * (below + above) / np.where(noisy, centre, 1.0) - 1.0)
    return np.where(noisy, colour, np.inf)


def tunnelling_rate(parameters: FlywheelParameters) -> float:
    """Return Σ κ_α at the height of the band, the rate at which the level follows its leads."""
    potentials = [lead.chemical_potential for lead in parameters.leads]
    hottest = max(lead.temperature for lead in parameters.leads)
    reach = BAND_REACH * hottest + float(np.ptp(potentials))
    frequency = parameters.level + np.linspace(-reach, reach, BAND_POINTS)
    return float(np.max(sum(lead.kappa(frequency) for lead in parameters.leads)))


@dataclass(frozen=True, eq=False, repr=False)
class Flows(ShortRepr):
    """Mean flows out of each lead into the device; all arrays are (leads,).

    particle_currents: I_α. energy_currents: E_α. chemical_potentials: μ_α. temperatures: T_α.
    """

    particle_currents: FloatArray
    energy_currents: FloatArray
    chemical_potentials: FloatArray
    temperatures: FloatArray

    @property
    def heat_currents(self) -> FloatArray:
        """J_α = E_α − μ_α I_α."""
        return self.energy_currents - self.chemical_potentials * self.particle_currents

    @property
    def electrical_power(self) -> float:
        """Σ μ_α I_α, the work that the chemical potentials do on the device; I V for two leads."""
        return float(self.chemical_potentials @ self.particle_currents)

    @property
    def entropy_production(self) -> float:
        """−Σ J_α/T_α; never negative in the steady state."""
        return -float(np.sum(self.heat_currents / self.temperatures))

    @property
    def scale(self) -> float:
        """Sum of the magnitudes of heat and work, or one where nothing flows."""
        work = self.chemical_potentials * self.particle_currents
        return float(np.sum(np.abs(self.heat_currents) + np.abs(work))) or 1.0

    @property
    def first_law(self) -> float:
        """|Σ J_α + Σ μ_α I_α| against `scale`: zero in the steady state."""
        return abs(float(np.sum(self.heat_currents)) + self.electrical_power) / self.scale


def flows(leads: Sequence[Lead], means: Mapping[str, float], names: Iterable[str]) -> Flows:
    """Return the flows from `means` of the local observables `names` of `phase_space_model`."""
    potentials = np.array([lead.chemical_potential for lead in leads])
    return Flows(
        *per_lead(means, names), potentials, np.array([lead.temperature for lead in leads])
    )


def per_lead(values: Mapping[str, float], names: Iterable[str]) -> tuple[FloatArray, FloatArray]:
    """Return what belongs to particle and to energy currents of the leads, (leads,) each."""
    particle, energy = np.reshape([values[name] for name in names], (2, -1))
    return particle, energy
