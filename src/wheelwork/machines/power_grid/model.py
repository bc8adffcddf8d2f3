"""The equations of a power grid: hopping, gain and loss, noise, currents, balance.

The current J is repeated in `oscillator_networks.langevin.kernel`, compiled, and in
`quantum.model`, as an operator.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import NoSteadyState
from wheelwork.machines.power_grid.elements import (
    ActiveElement,
    Saturable,
    limit_of,
    saturated,
    scale_of,
)
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.oscillator_networks import AmplitudeModel, ComplexArray, Growth, IntArray
from wheelwork.oscillator_networks.langevin.noisy_model import NoisyModel
from wheelwork.parameters import ShortRepr

# Occupations, against the scales of the elements, at which undamped modes are asked whether they
# still gain: the first at which a steep saturation leaves numbers other than zero.
FAR = 1e12, 1e6, 1e3, 10.0
VAST = 1e12  # quanta at which elements of any kind are checked: the last of `elements.PROBES`
ROUNDING = 1e-14  # of the largest rate: real parts of eigenvalues below this count as zero


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
    return _summed(parameters, parameters.generators, occupation)


def loss_rates(parameters: GridParameters, occupation: FloatArray) -> FloatArray:
    """Return Λ_j(n_j) of the engines, without γ; `occupation` (..., N)."""
    return _summed(parameters, parameters.engines, occupation)


def _summed(
    parameters: GridParameters, elements: Mapping[Hashable, ActiveElement], occupation: FloatArray
) -> FloatArray:
    total = np.zeros_like(occupation)
    for node, each in elements.items():
        i = parameters.index[node]
        total[..., i] += each.rate_at(occupation[..., i])
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


# ---------------------------------------------------------------------- net rates of active sites


@dataclass(frozen=True, eq=False, repr=False)
class SaturableGrowth(ShortRepr, Computed):
    """R = ±Γ/(1 + n/n0)^ν, one saturable element at each active site.

    full: ±Γ, saturation: n0 and exponent: ν, all (K,), or (B, K) with a row for each of many
    models.
    """

    full: FloatArray
    saturation: FloatArray
    exponent: FloatArray

    @classmethod
    def of(cls, elements: Sequence[Saturable], signs: FloatArray) -> "SaturableGrowth":
        """signs: (K,), 1 for generators, −1 for engines."""
        rows = ((each.rate, each.saturation, each.exponent) for each in elements)
        full, saturation, exponent = np.array(list(rows)).reshape(-1, 3).T.copy()
        return cls(signs * full, saturation, exponent)

    @classmethod
    def stacked(cls, growths: Sequence["SaturableGrowth"]) -> "SaturableGrowth":
        """Return one row for each of `growths`."""
        full, saturation, exponent = (
            np.stack([getattr(growth, name) for growth in growths])
            for name in ("full", "saturation", "exponent")
        )
        return cls(full, saturation, exponent)

    def rows(self, which: IntArray) -> "SaturableGrowth":
        """Return the rows with these indices."""
        return SaturableGrowth(self.full[which], self.saturation[which], self.exponent[which])

    @property
    def scale(self) -> FloatArray:
        """Quanta over which each rate varies."""
        return np.asarray(self.saturation / np.maximum(self.exponent, 1.0))

    @property
    def limits(self) -> FloatArray:
        """R(∞)."""
        return np.where(self.exponent == 0.0, self.full, 0.0)

    def in_units(self, rate: float, quanta: float) -> "SaturableGrowth":
        """Return the same rates in units of `rate` and `quanta`."""
        return SaturableGrowth(self.full / rate, self.saturation / quanta, self.exponent)

    def rates(self, occupations: FloatArray) -> FloatArray:
        """R, (B, K)."""
        return np.asarray(self.full * saturated(occupations / self.saturation, self._power))

    def slopes(self, occupations: FloatArray) -> FloatArray:
        """dR/dn, (B, K)."""
        scale = -self.full * (self._power / self.saturation)
        falling = saturated(occupations / self.saturation, self._power + 1.0)
        return np.asarray(scale * falling)

    def rate(self, site: int, occupation: FloatArray) -> FloatArray:
        """R(n) of one site."""
        return np.asarray(self._sign(site) * self.elements[site].rate_at(occupation))

    def occupation(self, site: int, rate: FloatArray) -> FloatArray:
        """n at which the net rate of `site` is `rate`."""
        return self.elements[site].occupation_at(self._sign(site) * rate)

    @cached_property
    def elements(self) -> tuple[Saturable, ...]:
        """K of them, of a single model."""
        numbers = np.abs(self.full).tolist(), self.saturation.tolist(), self.exponent.tolist()
        return tuple(map(Saturable, *numbers))

    def _sign(self, site: int) -> float:
        return math.copysign(1.0, self.full[site])

    @cached_property
    def _power(self) -> FloatArray | float:
        """ν, as one number where it is the same: powers are then faster."""
        first = float(self.exponent.flat[0]) if self.exponent.size else 0.0
        return first if np.all(self.exponent == first) else self.exponent


@dataclass(frozen=True, eq=False, repr=False)
class ElementGrowth(ShortRepr, Computed):
    """Any elements, of which several may share a site.

    elements: pairs (k, element) with k in 0 … K − 1. signs: 1 for generators, −1 for engines.
    """

    elements: Sequence[tuple[int, ActiveElement]]
    signs: FloatArray

    @cached_property
    def scale(self) -> FloatArray:
        """Quanta over which the rate of each site varies."""
        scales: dict[int, float] = {}
        for k, element in self.elements:
            scales[k] = min(scale_of(element), scales.get(k, math.inf))
        return np.array([scales[k] for k in sorted(scales)])

    @property
    def limits(self) -> FloatArray:
        """R(∞)."""
        total = np.zeros(self.scale.size)
        for (k, element), sign in zip(self.elements, self.signs, strict=True):
            total[k] += sign * limit_of(element)
        return total

    def rates(self, occupations: FloatArray) -> FloatArray:
        """Gain minus loss of each site, (..., K)."""
        return self._summed("rate_at", occupations)

    def slopes(self, occupations: FloatArray) -> FloatArray:
        """Its derivative by the occupation."""
        return self._summed("slope_at", occupations)

    def _summed(self, function: str, occupations: FloatArray) -> FloatArray:
        total = np.zeros_like(occupations)
        for (k, element), sign in zip(self.elements, self.signs, strict=True):
            total[..., k] += sign * getattr(element, function)(occupations[..., k])
        return total


@dataclass(frozen=True, eq=False, repr=False)
class GridActivity(ShortRepr, Computed):
    """Net rates and noise of each active site, for amplitude equations with noise.

    generators, engines: (K,) element or None. Local observables are G, Λ, and the quanta per time
    injected, G n + noise, and extracted, Λ n − noise.
    """

    generators: tuple[ActiveElement | None, ...]
    engines: tuple[ActiveElement | None, ...]
    names = ("gain", "loss", "injected", "extracted")

    @cached_property
    def scale(self) -> FloatArray:
        """Least saturation number at each node, one where none is given."""
        saturations = (
            [each.saturation for each in pair if isinstance(each, Saturable)]
            for pair in zip(self.generators, self.engines, strict=True)
        )
        return np.array([min(each, default=1.0) for each in saturations])

    def rate(self, site: int, occupation: FloatArray) -> FloatArray:
        """G − Λ."""
        gain, loss, _, _ = self._parts(site, occupation)
        return gain - loss

    def noise(self, site: int, occupation: FloatArray) -> FloatArray:
        """Noise of both elements, besides the thermal noise."""
        _, _, into, out = self._parts(site, occupation)
        return into + out

    def local_observables(self, site: int, occupation: FloatArray) -> FloatArray:
        """G, Λ, G n + noise, Λ n − noise."""
        gain, loss, into, out = self._parts(site, occupation)
        return np.stack([gain, loss, gain * occupation + into, loss * occupation - out])

    def _parts(self, site: int, n: FloatArray) -> tuple[FloatArray, ...]:
        nothing = np.zeros_like(n)
        generator, engine = self.generators[site], self.engines[site]
        gain = nothing if generator is None else generator.rate_at(n)
        into = nothing if generator is None else generator.gain_noise_at(n)
        loss = nothing if engine is None else engine.rate_at(n)
        out = nothing if engine is None else engine.loss_noise_at(n)
        return gain, loss, into, out


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
    nodes = [n for n in parameters.nodes if any(is_acting(e.get(n)) for e in (generators, engines))]
    return NoisyModel(
        edges=parameters.edge_indices,
        couplings=parameters.couplings,
        dampings=parameters.dampings,
        detunings=parameters.detunings,
        thermal=parameters.thermal_occupations,
        active=np.array([parameters.index[node] for node in nodes], dtype=np.intp),
        activity=GridActivity(tuple(map(generators.get, nodes)), tuple(map(engines.get, nodes))),
    )


def require_bounded_grid(parameters: GridParameters) -> None:
    """Raise NoSteadyState where gain exceeds loss at large occupations, whatever the method."""
    require_bounded(amplitude_model(parameters))


def require_bounded(model: AmplitudeModel) -> None:
    """Raise NoSteadyState where gain exceeds loss at large amplitudes."""
    growth = model.growth
    if not isinstance(growth, SaturableGrowth | ElementGrowth):
        raise TypeError(f"{growth!r} is no growth of a grid")
    net = np.zeros(model.sites)
    net[model.active] = 0.5 * growth.limits
    if np.max(net, initial=0.0) < np.min(-model.linear.diagonal().real):
        return  # every node loses more than any gains
    exponents = np.linalg.eigvals(model.linear + np.diag(net))
    fastest = float(np.max(exponents.real))
    scale = float(np.max(np.abs(model.linear))) + float(np.max(np.abs(net)))
    unbounded = fastest > ROUNDING * scale
    if not unbounded and fastest > -ROUNDING * scale:
        unbounded = _undamped_gain(model, growth)
    if unbounded:
        by = f" (at last by a rate of {fastest:.3g})" if fastest > ROUNDING * scale else ""
        raise NoSteadyState(
            f"the amplitudes are unbounded: at any number of quanta gain exceeds loss{by}; give "
            "the generators a saturation (exponent > 0) and the nodes some damping"
        )


def _undamped_gain(model: AmplitudeModel, growth: SaturableGrowth | ElementGrowth) -> bool:
    """Whether an undamped mode gains more than it loses to saturated elements."""
    coherent = 0.5 * (model.linear - model.linear.conj().T)
    modes = np.linalg.eigh(1j * coherent)[1]
    share = np.abs(modes) ** 2
    damping = -model.linear.diagonal().real @ share
    undamped = damping <= ROUNDING * float(np.max(np.abs(model.linear)))
    for far in FAR:
        with np.errstate(over="ignore"):
            net = growth.rates(far * growth.scale)
        rounding = ROUNDING * (np.abs(net) @ share[model.active])
        if np.any(net := net @ share[model.active]):
            return bool(np.any((net > rounding)[undamped]))
    return False
