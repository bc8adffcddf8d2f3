"""Tables of a model's rates over a range of X that can grow."""

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NoSteadyState, NotConverged
from wheelwork.phase_space.model import PhaseSpaceModel
from wheelwork.phase_space.tables import Table, tabulate

LARGEST_REACH = 1000.0  # in x0: a million quanta


def unbounded(slope: float, friction: float, x: float) -> Exception:
    """The error for a state that does not end within |x|, given d ln W/dE and friction there."""
    if slope >= 0.0:
        return NoSteadyState(
            f"no steady state: averaged over an orbit that turns at |x| = {x:.4g}, the friction "
            f"is negative ({friction:.3g}), so the oscillation grows without bound"
        )
    return NotConverged(
        f"the steady state reaches beyond |x| = {x:.4g}, {LARGEST_REACH**2:g} quanta: "
        "the largest domain supported"
    )


def tabulated_rates(model: PhaseSpaceModel, reach: float, rtol: float) -> Table:
    """Return the table of (f, γ, d, companions) over |X| ≤ reach."""
    diffusion = float(np.max(np.abs(model.scaled(np.linspace(-reach, reach, 9))[2])))
    # Below these magnitudes force and friction do not shape a state of this size.
    floor = np.array([0.01 * model.frequency, diffusion / reach**2, 1e-2 * diffusion])
    return _tabulate(model, -reach, reach, rtol, floor)


def extended(rates: Table, model: PhaseSpaceModel, reach: float, rtol: float) -> Table:
    """Return `rates` continued to |X| ≤ reach."""
    floor = 1e-2 * rates.magnitude[:3]
    below = _tabulate(model, -reach, rates.low, rtol, floor)
    above = _tabulate(model, rates.high, reach, rtol, floor)
    return below.joined(rates).joined(above)


def _tabulate(
    model: PhaseSpaceModel, low: float, high: float, rtol: float, floor: FloatArray
) -> Table:
    floor = np.concatenate([floor, np.zeros(len(model.companions))])
    return tabulate(model.scaled, low, high, rtol, floor, checked=3)
