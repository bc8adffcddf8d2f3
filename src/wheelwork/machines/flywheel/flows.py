"""Mean flows between leads and device, and the laws they obey."""

from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray


@dataclass(frozen=True)
class Flows:
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
        """−Σ J_α/T_α, never negative."""
        return -float(np.sum(self.heat_currents / self.temperatures))

    @property
    def scale(self) -> float:
        """Sum of the magnitudes of heat and work, or one where nothing flows."""
        work = self.chemical_potentials * self.particle_currents
        return float(np.sum(np.abs(self.heat_currents) + np.abs(work))) or 1.0

    @property
    def first_law(self) -> float:
        """|Σ J_α + Σ μ_α I_α| against `scale`: in the steady state nothing is kept."""
        return abs(float(np.sum(self.heat_currents)) + self.electrical_power) / self.scale
