"""The equations of a power grid, each once: hopping, gain and loss, noise, currents, balance."""

from collections.abc import Hashable, Mapping

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NoSteadyState
from wheelwork.machines.power_grid.elements import ActiveElement, Saturable
from wheelwork.machines.power_grid.net_rates import (
    ElementGrowth,
    GridActivity,
    SaturableGrowth,
)
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.oscillator_networks import AmplitudeModel, ComplexArray, Growth
from wheelwork.oscillator_networks.langevin.noisy_model import NoisyModel

# Quanta at which gain is compared with loss: an amplitude that still grows there is unbounded. As
# large as the occupations at which elements are checked, `elements.PROBES`.
VAST = 1e12
ROUNDING = 1e-12  # of the largest rate: real parts of eigenvalues below this count as zero


def hopping(parameters: GridParameters) -> FloatArray:
    """Return h of H = Σ h_jk a_j†a_k, (N, N): Δ_j on the diagonal and −g_jk/2 beside it."""
    h = np.diag(parameters.detunings)
    u, v = parameters.edge_indices.T
    h[u, v] = h[v, u] = -0.5 * parameters.couplings
    return h


def linear_network(parameters: GridParameters) -> ComplexArray:
    """Return L = −ih − γ/2, (N, N): the equations of amplitudes without elements."""
    linear = np.diag(-0.5 * parameters.dampings).astype(np.complex128)
    linear.imag = 0.0 - hopping(parameters)
    return linear


def gain_rates(parameters: GridParameters, occupation: FloatArray) -> FloatArray:
    """Return G_j(n_j) of the generators; `occupation` (..., N)."""
    return _summed(parameters, parameters.generators, "rate_at", occupation)


def loss_rates(parameters: GridParameters, occupation: FloatArray) -> FloatArray:
    """Return Λ_j(n_j) of the engines, without γ; `occupation` (..., N)."""
    return _summed(parameters, parameters.engines, "rate_at", occupation)


def _summed(
    parameters: GridParameters,
    elements: Mapping[Hashable, ActiveElement],
    function: str,
    occupation: FloatArray,
) -> FloatArray:
    total = np.zeros_like(occupation)
    for node, each in elements.items():
        i = parameters.index[node]
        total[..., i] += getattr(each, function)(occupation[..., i])
    return total


def edge_coherences(parameters: GridParameters, amplitudes: ComplexArray) -> ComplexArray:
    """Return α_u* α_v, (..., E), of amplitudes (..., N)."""
    u, v = parameters.edge_indices.T
    return np.asarray(amplitudes[..., u].conj() * amplitudes[..., v])


def edge_currents(parameters: GridParameters, coherences: ComplexArray) -> FloatArray:
    """Return J = g Im⟨a_u†a_v⟩, positive from u to v, of the coherences ⟨a_u†a_v⟩, (..., E).

    (Huber and Rabl, below Eq. (5).)
    """
    return np.asarray(parameters.couplings * np.imag(coherences))


def node_balance(parameters: GridParameters, net: FloatArray, currents: FloatArray) -> FloatArray:
    """Return the quanta per time that each node gains in all, (N,): zero in a steady state.

    net: (N,), gained from elements and surroundings. currents: (E,), along each edge as listed.
    """
    total = net.copy()
    u, v = parameters.edge_indices.T
    np.subtract.at(total, u, currents)
    np.add.at(total, v, currents)
    return total


# ---------------------------------------------------------------------- amplitude equations


def is_acting(element: ActiveElement | None) -> bool:
    """Whether there is an element, and its rate is not zero everywhere."""
    return element is not None and not (isinstance(element, Saturable) and element.rate == 0.0)


def amplitude_model(parameters: GridParameters) -> AmplitudeModel:
    """Return the equations without noise (Huber and Rabl, Eqs. (3)–(5), on any graph)."""
    acting = [
        (parameters.index[node], element, sign)
        for elements, sign in ((parameters.generators, 1.0), (parameters.engines, -1.0))
        for node, element in elements.items()
        if is_acting(element)
    ]
    acting.sort(key=lambda each: each[0])
    active = sorted({site for site, _, _ in acting})
    signs = np.array([sign for _, _, sign in acting])
    saturable = [element for _, element, _ in acting if isinstance(element, Saturable)]
    growth: Growth
    if len(saturable) == len(acting) == len(active):
        growth = SaturableGrowth.of(saturable, signs)
    else:
        pairs = [(active.index(site), element) for site, element, _ in acting]
        growth = ElementGrowth(pairs, signs)
    return AmplitudeModel(linear_network(parameters), np.array(active, dtype=np.intp), growth)


def noisy_model(parameters: GridParameters) -> NoisyModel:
    """Return the equations with noise (Huber and Rabl, Eqs. (3)–(5), on any graph)."""
    generators, engines = parameters.generators, parameters.engines
    nodes = [
        node
        for node in parameters.nodes
        if is_acting(generators.get(node)) or is_acting(engines.get(node))
    ]
    return NoisyModel(
        edges=parameters.edge_indices,
        couplings=parameters.couplings,
        dampings=parameters.dampings,
        detunings=parameters.detunings,
        thermal=parameters.thermal_occupations,
        active=np.array([parameters.index[node] for node in nodes], dtype=np.intp),
        activity=GridActivity(
            tuple(generators.get(node) for node in nodes),
            tuple(engines.get(node) for node in nodes),
        ),
    )


def require_bounded(model: AmplitudeModel) -> None:
    """Raise NoSteadyState where gain exceeds loss at large amplitudes."""
    net = np.zeros(model.sites)
    net[model.active] = 0.5 * model.growth.rates(np.full(model.active.size, VAST))
    if np.max(net, initial=0.0) < np.min(-model.linear.diagonal().real):
        return  # every node loses more than any gains
    exponents = np.linalg.eigvals(model.linear + np.diag(net))
    fastest = float(np.max(exponents.real))
    scale = float(np.max(np.abs(model.linear))) + float(np.max(np.abs(net)))
    unbounded = fastest > ROUNDING * scale
    if not unbounded and fastest > -ROUNDING * scale:
        unbounded = _undamped_gain(model, net)
    if unbounded:
        raise NoSteadyState(
            f"the amplitudes are unbounded: even at {VAST:g} quanta gain exceeds loss (by a rate "
            f"of {max(fastest, 0.0):.3g}); give the generators a saturation (exponent > 0) and "
            "the nodes some damping"
        )


def _undamped_gain(model: AmplitudeModel, net: FloatArray) -> bool:
    """Whether an undamped mode gains more than it loses to saturated elements."""
    coherent = 0.5 * (model.linear - model.linear.conj().T)
    modes = np.linalg.eigh(1j * coherent)[1]
    share = np.abs(modes) ** 2
    damping = -model.linear.diagonal().real @ share
    undamped = damping <= ROUNDING * float(np.max(np.abs(model.linear)))
    return bool(np.any((net @ share)[undamped] > 0.0))
