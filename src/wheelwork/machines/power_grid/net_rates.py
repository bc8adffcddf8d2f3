"""Net rates, gain minus loss, of the active sites in amplitude equations without and with noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.machines.power_grid.elements import ActiveElement, Saturable
from wheelwork.oscillator_networks import IntArray


@dataclass(frozen=True, eq=False)
class SaturableGrowth:
    """One saturable element at each active site.

    elements: K of them. signs: (K,), 1 for generators, −1 for engines.
    """

    elements: tuple[Saturable, ...]
    signs: FloatArray

    def rates(self, occupations: FloatArray) -> FloatArray:
        """±Γ_k(n_k)."""
        return self.formula.rates(occupations)

    def slopes(self, occupations: FloatArray) -> FloatArray:
        """±dΓ_k/dn_k."""
        return self.formula.slopes(occupations)

    @cached_property
    def formula(self) -> "SaturableRates":
        """The same as arrays."""
        return SaturableRates(
            self.signs * np.array([each.rate for each in self.elements]),
            np.array([each.saturation for each in self.elements]),
            np.array([each.exponent for each in self.elements]),
        )

    def rate(self, site: int, occupation: FloatArray) -> FloatArray:
        """±Γ(n) of one site."""
        signed: FloatArray = self.signs[site] * self.elements[site].rate_at(occupation)
        return signed

    def occupation(self, site: int, rate: FloatArray) -> FloatArray:
        """n at which the net rate of `site` is `rate`."""
        return self.elements[site].occupation_at(self.signs[site] * rate)


@dataclass(frozen=True, eq=False)
class SaturableRates:
    """R = ±Γ/(1 + n/n0)^ν, for arrays of numbers: (K,), or (B, K) with a row for each state.

    rate: ±Γ. saturation: n0. exponent: ν.
    """

    rate: FloatArray
    saturation: FloatArray
    exponent: FloatArray

    @staticmethod
    def stacked(growths: Sequence[SaturableGrowth]) -> "SaturableRates":
        """Return one row for each of `growths`."""
        formulas = [growth.formula for growth in growths]
        return SaturableRates(
            np.stack([each.rate for each in formulas]),
            np.stack([each.saturation for each in formulas]),
            np.stack([each.exponent for each in formulas]),
        )

    def rows(self, which: IntArray) -> "SaturableRates":
        """Return the rows with these indices."""
        return SaturableRates(self.rate[which], self.saturation[which], self.exponent[which])

    def rates(self, occupations: FloatArray) -> FloatArray:
        """R, (B, K)."""
        base = 1.0 / (1.0 + occupations / self.saturation)
        return np.asarray(self.rate * base**self._power)

    def slopes(self, occupations: FloatArray) -> FloatArray:
        """dR/dn, (B, K)."""
        base = 1.0 / (1.0 + occupations / self.saturation)
        scale = -self.rate * self._power / self.saturation
        return np.asarray(scale * base ** (self._power + 1.0))

    @cached_property
    def _power(self) -> FloatArray | float:
        """ν, as one number where it is the same: powers are then faster."""
        first = float(self.exponent.flat[0]) if self.exponent.size else 0.0
        return first if np.all(self.exponent == first) else self.exponent


@dataclass(frozen=True, eq=False)
class ElementGrowth:
    """Any elements, of which several may share a site.

    elements: pairs (k, element) with k in 0 … K − 1. signs: 1 for generators, −1 for engines.
    """

    elements: Sequence[tuple[int, ActiveElement]]
    signs: FloatArray

    def rates(self, occupations: FloatArray) -> FloatArray:
        """Gain minus loss of each site, (..., K)."""
        total = np.zeros_like(occupations)
        for (k, element), sign in zip(self.elements, self.signs, strict=True):
            total[..., k] += sign * element.rate_at(occupations[..., k])
        return total

    def slopes(self, occupations: FloatArray) -> FloatArray:
        """Its derivative by the occupation."""
        total = np.zeros_like(occupations)
        for (k, element), sign in zip(self.elements, self.signs, strict=True):
            total[..., k] += sign * element.slope_at(occupations[..., k])
        return total


@dataclass(frozen=True, eq=False)
class GridActivity:
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
        pairs = zip(self.generators, self.engines, strict=True)
        return np.array(
            [
                min((e.saturation for e in pair if isinstance(e, Saturable)), default=1.0)
                for pair in pairs
            ]
        )

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

    def _parts(
        self, site: int, n: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        nothing = np.zeros_like(n)
        generator, engine = self.generators[site], self.engines[site]
        gain = nothing if generator is None else generator.rate_at(n)
        into = nothing if generator is None else generator.gain_noise_at(n)
        loss = nothing if engine is None else engine.rate_at(n)
        out = nothing if engine is None else engine.loss_noise_at(n)
        return gain, loss, into, out
