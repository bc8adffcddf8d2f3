"""Growth and decay of small deviations from a rotating steady state."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.oscillator_networks.model import AmplitudeModel, ComplexArray, Mirror
from wheelwork.parameters import ShortRepr

# Difference of a state and a mirror image that are one: the accuracy of solutions by default.
SAME = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class Deviations(ShortRepr):
    """Modes δα(t) of small deviations, in the frame that turns with the state.

    exponents: (2N − 1,), complex, largest real part first; that of the free phase, zero, is left
    out (not at α = 0, where there are 2N).
    amplitude_share: (2N − 1,), share of a mode along α_j; the rest is along iα_j, the phases.
    rounding: error of an exponent by rounding.
    """

    exponents: ComplexArray
    amplitude_share: FloatArray
    rounding: float

    @property
    def growth_rate(self) -> float:
        """Largest real part."""
        return float(self.exponents[0].real)

    @property
    def stable(self) -> bool:
        """Whether every deviation decays."""
        return self.growth_rate < 0.0

    @cached_property
    def relaxation_times(self) -> Mapping[str, FloatArray]:
        """−1/Re λ of the modes that decay, longest first, in the sectors "amplitude" and "phase".

        A mode belongs to the sector that holds most of it. The sectors separate exactly only
        where the amplitudes can be made real, as at ω = 0 in a bipartite network. A perturbation
        of |α_1| relaxes as the longest time of "amplitude" (Huber and Rabl, Appendix F).
        """
        sector = self.amplitude_share >= 0.5
        return MappingProxyType({"amplitude": self._times(sector), "phase": self._times(~sector)})

    def _times(self, chosen: np.ndarray) -> FloatArray:
        rates = -self.exponents.real[chosen]
        times: FloatArray = np.sort(1.0 / rates[rates > 0.0])[::-1]
        return times


def deviations(
    model: AmplitudeModel, amplitudes: ComplexArray, frequency: FloatArray
) -> list[Deviations]:
    """Return the deviations from each steady state, α (B, N) and ω (B,)."""
    matrix = model.jacobian(amplitudes, frequency)
    exponents, vectors = np.linalg.eig(matrix)
    N = model.sites
    with np.errstate(invalid="ignore", divide="ignore"):
        phase = np.where(amplitudes == 0.0, 1.0, amplitudes / np.abs(amplitudes))
    c, s = phase.real[:, :, None], phase.imag[:, :, None]
    along = np.sum(np.abs(c * vectors[:, :N] + s * vectors[:, N:]) ** 2, axis=1)
    across = np.sum(np.abs(c * vectors[:, N:] - s * vectors[:, :N]) ** 2, axis=1)
    share = along / (along + across)
    result = []
    for b in range(len(frequency)):
        kept = np.argsort(-exponents[b].real)
        if np.any(amplitudes[b] != 0.0):
            kept = kept[kept != np.argmin(np.abs(exponents[b]))]
        rounding = 4.0 * np.finfo(np.float64).eps * np.linalg.norm(matrix[b])
        result.append(
            Deviations(exponents[b, kept].astype(np.complex128), share[b, kept], float(rounding))
        )
    return result


def growth_rates(
    model: AmplitudeModel,
    amplitudes: ComplexArray,
    frequency: FloatArray,
    mirror: Mirror | None = None,
) -> FloatArray:
    """Return the largest real part of the exponents of each state with α ≠ 0, (B,).

    mirror: of the network; a mirror image has the exponents of its original, and is not computed
    again.
    """
    if frequency.size == 0:
        return np.empty(0)
    own = np.arange(frequency.size)
    if mirror is not None:
        _, other = mirror.image(amplitudes, frequency)
        size = np.linalg.norm(amplitudes, axis=1)
        key = np.column_stack([frequency, size])
        image = np.column_stack([other, size])
        distance = np.max(np.abs(key[:, None] - image), axis=2)
        nearest = np.argmin(distance, axis=1)
        known = distance[own, nearest] <= SAME * (1.0 + size)
        own = np.where(known & (nearest < own), nearest, own)
    computed, position = np.unique(own, return_inverse=True)
    exponents = np.linalg.eigvals(model.jacobian(amplitudes[computed], frequency[computed]))
    free = np.argmin(np.abs(exponents), axis=1)
    rates = exponents.real.copy()
    rates[np.arange(computed.size), free] = -np.inf
    largest: FloatArray = np.max(rates, axis=1)[position]
    return largest


def rest_growth_rate(model: AmplitudeModel) -> float:
    """Return the largest real part of the exponents of α = 0."""
    nothing = np.zeros(model.sites, dtype=np.complex128)
    matrix = model.linear + np.diag(model.net_rates(nothing))
    return float(np.max(np.linalg.eigvals(matrix).real))
