"""Tolerances of the tables below a solution, and what their errors do to it."""

import numpy as np

from wheelwork.phase_space.stationary.orbits import Orbits

TABLE_SHARE = 1e-5  # of rtol, left to the tables of the coefficients


def table_tolerance(rtol: float) -> float:
    """Relative accuracy of coefficients and tables for a solution to `rtol`."""
    return max(TABLE_SHARE * rtol, 2e-13)


def table_error(orbits: Orbits) -> float:
    """Bound on the relative effect on W of the errors of the tables.

    The change of ln w = ∫ s dE, from those of s = −γ̄/2d̄ and of the potential.
    """
    R = np.linspace(0.0, orbits.radius, 500)
    log_density = orbits.log_density(R)[0]
    alive = R[log_density > np.max(log_density) - 25.0]
    phi = np.pi * (np.arange(48) + 0.5) / 48
    rho = alive[:, None] * np.cos(phi)
    weight = 2.0 * np.sin(phi) ** 2 / phi.size
    rates = orbits.potential.rates.bound(orbits.geometry(rho)[0])[:3]
    geometry = orbits.geometry.bound(rho)[1:3]
    friction, diffusion = (geometry + rates[1:3] * orbits.stretch(rho)[0]) @ weight
    slope = np.abs(orbits.slope(alive)[0])
    change = (0.5 * friction + slope * diffusion) / (orbits.geometry(rho)[2] @ weight)
    change += orbits.slope.bound(alive)[0]
    potential = 4.0 / orbits.model.frequency * np.max(rates[0], axis=1) * alive
    shape = np.trapezoid(2.0 * alive * change, alive) + np.max(slope * potential)
    return float(shape + np.max(orbits.log_density.bound(alive)))
