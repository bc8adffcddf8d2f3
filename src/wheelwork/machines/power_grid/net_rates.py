"""Net rates, gain minus loss, of the active sites in amplitude equations without and with noise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.machines.power_grid.elements import ActiveElement, Saturable
from wheelwork.oscillator_networks import IntArray


@dataclass(frozen=True, eq=False)
class SaturableGrowth:
    """R = ±Γ/(1 + n/n0)^ν, one saturable element at each active site.

    full: ±Γ, saturation: n0 and exponent: ν, all (K,), or (B, K) with a row for each of many
    models. elements: K of them, of a single model.
    """

    full: FloatArray
    saturation: FloatArray
    exponent: FloatArray
    elements: tuple[Saturable, ...] = ()

    @classmethod
    def of(cls, elements: Sequence[Saturable], signs: FloatArray) -> "SaturableGrowth":
        """signs: (K,), 1 for generators, −1 for engines."""
        rows = ((each.rate, each.saturation, each.exponent) for each in elements)
        full, saturation, exponent = np.array(list(rows)).reshape(-1, 3).T.copy()
        return cls(signs * full, saturation, exponent, tuple(elements))

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

    def rates(self, occupations: FloatArray) -> FloatArray:
        """R, (B, K)."""
        base = 1.0 / (1.0 + occupations / self.saturation)
        return np.asarray(self.full * base**self._power)

    def slopes(self, occupations: FloatArray) -> FloatArray:
        """dR/dn, (B, K)."""
        base = 1.0 / (1.0 + occupations / self.saturation)
        scale = -self.full * self._power / self.saturation
        return np.asarray(scale * base ** (self._power + 1.0))

    def rate(self, site: int, occupation: FloatArray) -> FloatArray:
        """R(n) of one site."""
        return np.asarray(self._sign(site) * self.elements[site].rate_at(occupation))

    def occupation(self, site: int, rate: FloatArray) -> FloatArray:
        """n at which the net rate of `site` is `rate`."""
        return self.elements[site].occupation_at(self._sign(site) * rate)

    def _sign(self, site: int) -> float:
        return math.copysign(1.0, self.full[site])

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
        return self._summed("rate_at", occupations)

    def slopes(self, occupations: FloatArray) -> FloatArray:
        """Its derivative by the occupation."""
        return self._summed("slope_at", occupations)

    def _summed(self, function: str, occupations: FloatArray) -> FloatArray:
        total = np.zeros_like(occupations)
        for (k, element), sign in zip(self.elements, self.signs, strict=True):
            total[..., k] += sign * getattr(element, function)(occupations[..., k])
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
