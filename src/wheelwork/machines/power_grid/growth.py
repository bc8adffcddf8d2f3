"""Active elements as the net rates of amplitude equations."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.machines.power_grid.elements import ActiveElement, Saturable


@dataclass(frozen=True, eq=False)
class SaturableGrowth:
    """One saturable element at each active site.

    elements: K of them. signs: (K,), 1 for generators, −1 for engines.
    """

    elements: tuple[Saturable, ...]
    signs: FloatArray

    def rates(self, occupations: FloatArray) -> FloatArray:
        """±Γ_k(n_k)."""
        rate, saturation, exponent = self._numbers
        found: FloatArray = rate * (1.0 / (1.0 + occupations / saturation)) ** exponent
        return found

    def slopes(self, occupations: FloatArray) -> FloatArray:
        """±dΓ_k/dn_k."""
        rate, saturation, exponent = self._numbers
        base = 1.0 / (1.0 + occupations / saturation)
        found: FloatArray = -rate * exponent / saturation * base ** (exponent + 1.0)
        return found

    @cached_property
    def _numbers(self) -> tuple[FloatArray, FloatArray, FloatArray | float]:
        """±Γ, n0 and ν of each; ν as one number where it is the same, for faster powers."""
        rate = self.signs * np.array([each.rate for each in self.elements])
        saturation = np.array([each.saturation for each in self.elements])
        exponents = [each.exponent for each in self.elements]
        same = len(set(exponents)) == 1
        return rate, saturation, exponents[0] if same else np.array(exponents)

    def rate(self, site: int, occupation: FloatArray) -> FloatArray:
        """±Γ of one site."""
        signed: FloatArray = self.signs[site] * self.elements[site].rate_at(occupation)
        return signed

    def occupation(self, site: int, rate: FloatArray) -> FloatArray:
        """n at which the net rate of `site` is `rate`."""
        return self.elements[site].occupation_at(self.signs[site] * rate)


@dataclass(frozen=True, eq=False)
class ElementGrowth:
    """Any elements, of which several may share a site.

    elements: pairs (k, element) with k in 0 … K − 1. signs: 1 for generators, −1 for engines.
    """

    elements: Sequence[tuple[int, ActiveElement]]
    signs: FloatArray

    def rates(self, occupations: FloatArray) -> FloatArray:
        """Gain minus loss of each site."""
        total = np.zeros_like(occupations)
        for (k, element), sign in zip(self.elements, self.signs, strict=True):
            total[..., k] += sign * element.rate_at(occupations[..., k])
        return total

    def slopes(self, occupations: FloatArray) -> FloatArray:
        """Derivative of that."""
        total = np.zeros_like(occupations)
        for (k, element), sign in zip(self.elements, self.signs, strict=True):
            total[..., k] += sign * element.slope_at(occupations[..., k])
        return total
