"""A model's rates: tables over a range of X that can grow, and decay at a fixed rate."""

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.phase_space.model import PhaseSpaceModel
from wheelwork.phase_space.tables import Table, tabulate


def tabulated_rates(model: PhaseSpaceModel, reach: float, rtol: float) -> Table:
    """Return the table of (f, γ, d, local observables) over |X| ≤ reach."""
    return _tabulate(model, -reach, reach, rtol, _floor(model, reach))


def extended(rates: Table, model: PhaseSpaceModel, reach: float, rtol: float) -> Table:
    """Return `rates` continued to |X| ≤ reach."""
    floor = np.maximum(1e-2 * rates.magnitude[:3], _floor(model, reach))
    below = _tabulate(model, -reach, rates.low, rtol, floor)
    above = _tabulate(model, rates.high, reach, rtol, floor)
    return below.joined(rates).joined(above)


def mean_decay(z: FloatArray) -> FloatArray:
    """(1 − e^{−z})/z, one at z = 0: the mean of a decay over the time it is followed."""
    safe = np.where(z == 0.0, 1.0, z)
    return np.asarray(np.where(z == 0.0, 1.0, -np.expm1(-safe) / safe))


def _floor(model: PhaseSpaceModel, reach: float) -> FloatArray:
    """Magnitudes of (f, γ, d) below which they do not shape a state of this size."""
    diffusion = float(np.max(np.abs(model.scaled(np.linspace(-reach, reach, 9))[2])))
    return np.array([0.01 * model.frequency, diffusion / reach**2, 1e-2 * diffusion])


def _tabulate(
    model: PhaseSpaceModel, low: float, high: float, rtol: float, floor: FloatArray
) -> Table:
    floor = np.concatenate([floor, np.zeros(len(model.local_observables))])
    return tabulate(model.scaled, low, high, rtol, floor, checked=3)
