"""From a power grid to its amplitude equations."""

from typing import TYPE_CHECKING

import numpy as np

from wheelwork.errors import NoSteadyState
from wheelwork.machines.power_grid.elements import Saturable
from wheelwork.machines.power_grid.net_rates import ElementGrowth, SaturableGrowth
from wheelwork.oscillator_networks import AmplitudeModel, ComplexArray, Growth

if TYPE_CHECKING:
    from wheelwork.machines.power_grid.machine import PowerGrid

VAST = 1e12  # quanta: an amplitude that still grows there is called unbounded
ROUNDING = 1e-12


def linear_network(machine: "PowerGrid") -> ComplexArray:
    """Return L, (N, N): −γ_j/2 − iΔ_j on the diagonal and i g_jk/2 beside it."""
    linear = np.diag(-0.5 * machine.dampings - 1j * machine.detunings)
    for (j, k), g in zip(machine.edge_indices, machine.couplings, strict=True):
        linear[j, k] = linear[k, j] = 0.5j * g
    return linear


def amplitude_model(machine: "PowerGrid") -> AmplitudeModel:
    """Return the equations without noise (Huber and Rabl, Eqs. (3)–(5), on any graph)."""
    acting = [
        (machine.index[node], element, sign)
        for elements, sign in ((machine.generators, 1.0), (machine.engines, -1.0))
        for node, element in elements.items()
        if not (isinstance(element, Saturable) and element.rate == 0.0)
    ]
    acting.sort(key=lambda each: each[0])
    active = sorted({site for site, _, _ in acting})
    signs = np.array([sign for _, _, sign in acting])
    saturable = tuple(element for _, element, _ in acting if isinstance(element, Saturable))
    growth: Growth
    if len(saturable) == len(acting) == len(active):
        growth = SaturableGrowth(saturable, signs)
    else:
        places = [(active.index(site), element) for site, element, _ in acting]
        growth = ElementGrowth(places, signs)
    return AmplitudeModel(linear_network(machine), np.array(active, dtype=np.intp), growth)


def require_bounded(model: AmplitudeModel) -> None:
    """Raise NoSteadyState where gain outlives loss at large amplitudes."""
    spread = np.zeros(model.sites)
    spread[model.active] = 0.5 * model.growth.rates(np.full(model.active.size, VAST))
    if np.max(spread, initial=0.0) < np.min(-model.linear.diagonal().real):
        return  # every node loses more than any gains
    exponents = np.linalg.eigvals(model.linear + np.diag(spread))
    fastest = float(np.max(exponents.real))
    scale = float(np.max(np.abs(model.linear))) + float(np.max(np.abs(spread)))
    unbounded = fastest > ROUNDING * scale
    if not unbounded and fastest > -ROUNDING * scale:
        unbounded = _undamped_gain(model, spread)
    if unbounded:
        raise NoSteadyState(
            f"the amplitudes are unbounded: even at {VAST:g} quanta gain exceeds loss (by a rate "
            f"of {max(fastest, 0.0):.3g}); give the generators a saturation (exponent > 0) and "
            "the nodes some damping"
        )


def _undamped_gain(model: AmplitudeModel, spread: np.ndarray) -> bool:
    """Whether an undamped mode gains more than it loses to saturated elements."""
    coherent = 0.5 * (model.linear - model.linear.conj().T)
    modes = np.linalg.eigh(1j * coherent)[1]
    share = np.abs(modes) ** 2
    damping = -model.linear.diagonal().real @ share
    undamped = damping <= ROUNDING * float(np.max(np.abs(model.linear)))
    return bool(np.any((spread @ share)[undamped] > 0.0))
