"""Amplitude equations with a global phase symmetry: a linear network with active elements."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeGuard

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.parameters import ShortRepr

ComplexArray = npt.NDArray[np.complex128]
IntArray = npt.NDArray[np.intp]


class Growth(Protocol):
    """Net rates, gain minus loss, at which K active sites gain quanta; n ≥ 0 has shape (..., K).

    It may have `scale`, (K,), the quanta over which each rate varies; one without it.
    """

    def rates(self, occupations: FloatArray) -> FloatArray:
        """R_k(n_k), (..., K)."""

    def slopes(self, occupations: FloatArray) -> FloatArray:
        """dR_k/dn_k, (..., K)."""


class InvertibleGrowth(Growth, Protocol):
    """Rates that are monotonic in n and never change sign: R(0) is the largest in magnitude."""

    def rate(self, site: int, occupation: FloatArray) -> FloatArray:
        """R_site(n), of any shape."""

    def occupation(self, site: int, rate: FloatArray) -> FloatArray:
        """n at which R_site(n) = `rate`: zero beyond R(0), infinite beyond R(∞)."""


class GrowthRows(Growth, Protocol):
    """Rates of many models: row b of n, (B, K), belongs to model b."""

    def rows(self, which: IntArray) -> "GrowthRows":
        """The models that `which` names, (B,), each as often as it is named."""


def invertible(growth: Growth) -> TypeGuard[InvertibleGrowth]:
    """Whether `growth` gives the occupation at which it has a certain rate."""
    return hasattr(growth, "occupation")


@dataclass(frozen=True, eq=False, repr=False)
class AmplitudeModel(ShortRepr, Computed):
    """dα/dt = (L + ½ diag R(|α|²)) α.

    linear: L, (N, N), coherent couplings, detunings and linear damping, per time. active: (K,)
    ascending indices of the sites that R acts on. growth: R.
    The equations do not change under α → e^{iφ} α: steady states rotate as e^{−iωt}.
    """

    linear: ComplexArray
    active: IntArray
    growth: Growth

    @property
    def sites(self) -> int:
        """N."""
        return int(self.linear.shape[0])

    def rows(self, which: IntArray) -> "AmplitudeModel":
        """The equations of some states of a batch: the same for all."""
        return self

    def net_rates(self, amplitudes: ComplexArray) -> FloatArray:
        """Half of R, spread over all sites: (..., N)."""
        spread = np.zeros(amplitudes.shape)
        spread[..., self.active] = 0.5 * self.growth.rates(self._occupations(amplitudes))
        return spread

    def velocity(self, amplitudes: ComplexArray) -> ComplexArray:
        """dα/dt, (..., N)."""
        moved: ComplexArray = amplitudes @ self.linear.T
        return moved + self.net_rates(amplitudes) * amplitudes

    def residual(self, amplitudes: ComplexArray, frequency: FloatArray) -> ComplexArray:
        """dα/dt + iωα: zero for states that rotate as e^{−iωt}. α (B, N), ω (B,).

        Detunings are taken from ω first, so that a large one does not round the others.
        """
        own = self._own + 1j * frequency[:, None] + self.net_rates(amplitudes)
        value: ComplexArray = amplitudes @ self._hops.T + own * amplitudes
        return value

    def terms(self, amplitudes: ComplexArray, frequency: FloatArray) -> FloatArray:
        """Norm of the absolute terms that the residual sums, (B,): what rounding is relative to."""
        own = np.abs(self._own + 1j * frequency[:, None]) + np.abs(self.net_rates(amplitudes))
        size = np.abs(amplitudes)
        norm: FloatArray = np.linalg.norm(size @ np.abs(self._hops).T + own * size, axis=1)
        return norm

    def jacobian(self, amplitudes: ComplexArray, frequency: FloatArray) -> FloatArray:
        """Derivative of the residual: (B, 2N, 2N), real parts before imaginary parts."""
        batch, N = amplitudes.shape
        matrix = np.empty((batch, 2 * N, 2 * N))
        matrix[:] = self._packed
        flat = matrix.reshape(batch, -1)  # of which every (2N + 1)th number is on one diagonal
        flat[:, N : 2 * N * N : 2 * N + 1] -= frequency[:, None]
        flat[:, 2 * N * N :: 2 * N + 1] += frequency[:, None]
        chosen, k = amplitudes[:, self.active], self.active
        x, y = chosen.real, chosen.imag
        n = x * x + y * y
        rate, slope = 0.5 * self.growth.rates(n), self.growth.slopes(n)
        matrix[:, k, k] += rate + slope * x * x
        matrix[:, N + k, N + k] += rate + slope * y * y
        matrix[:, k, N + k] += slope * x * y
        matrix[:, N + k, k] += slope * x * y
        return matrix

    @cached_property
    def _own(self) -> ComplexArray:
        """The diagonal of L, (N,)."""
        return self.linear.diagonal().copy()

    @cached_property
    def _hops(self) -> ComplexArray:
        """L without its diagonal."""
        return self.linear - np.diag(self._own)

    @cached_property
    def _packed(self) -> FloatArray:
        """L on real parts before imaginary parts, (2N, 2N)."""
        real, imag = self.linear.real, self.linear.imag
        return np.block([[real, -imag], [imag, real]])

    def _occupations(self, amplitudes: ComplexArray) -> FloatArray:
        chosen = amplitudes[..., self.active]
        return chosen.real**2 + chosen.imag**2


@dataclass(frozen=True, eq=False, repr=False)
class ModelRows(AmplitudeModel):
    """One network with many active elements: row b of a batch of states has its own rates."""

    growth: GrowthRows

    def rows(self, which: IntArray) -> "ModelRows":
        """The equations of the rows that `which` names."""
        return ModelRows(self.linear, self.active, self.growth.rows(which))


@dataclass(frozen=True, eq=False, repr=False)
class Mirror(ShortRepr):
    """A symmetry α → σα*, ω → 2ω_c − ω of a network: bipartite, all sites detuned alike.

    signs: σ, (N,). centre: ω_c.
    """

    signs: FloatArray
    centre: float

    def image(
        self, amplitudes: ComplexArray, frequency: FloatArray
    ) -> tuple[ComplexArray, FloatArray]:
        """Return the mirrored states."""
        return self.signs * amplitudes.conj(), 2.0 * self.centre - frequency


def find_mirror(linear: ComplexArray) -> Mirror | None:
    """Return the mirror of a connected network, with σ (L + iω_c)* σ = L + iω_c, or None."""
    centre = -float(linear[0, 0].imag)
    turned = linear + 1j * centre * np.eye(linear.shape[0])
    signs = np.zeros(linear.shape[0])
    signs[0], stack = 1.0, [0]
    while stack:
        site = stack.pop()
        for other in np.flatnonzero(turned[site]):
            if not signs[other]:
                signs[other] = -signs[site]
                stack.append(int(other))
    mapped = signs[:, None] * turned.conj() * signs
    return Mirror(signs, centre) if np.array_equal(mapped, turned) else None
