"""A qubit at its bath, as the local description sees it."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class QubitBath:
    """One qubit, B σ^z, and the bath that it alone sees.

    field: B, half the gap. temperature: of the bath. coupling_rate: g_i²
    (Leitch et al., Eqs. (14)–(16)).
    """

    field: float
    temperature: float
    coupling_rate: float

    @property
    def gap(self) -> float:
        """2B."""
        return 2.0 * self.field

    @property
    def occupation(self) -> float:
        """n of the bath at the gap (Leitch et al., Eq. (16))."""
        return bose(self.gap, self.temperature)

    @property
    def rate_up(self) -> float:
        """g_i² n."""
        return self.coupling_rate * self.occupation

    @property
    def rate_down(self) -> float:
        """g_i² (n + 1)."""
        return self.coupling_rate * (self.occupation + 1.0)

    @property
    def total_rate(self) -> float:
        """g_i² (2n + 1), at which the qubit alone relaxes."""
        return self.rate_up + self.rate_down

    @property
    def excited(self) -> float:
        """Excited population of the qubit alone with its bath, 1/(e^{2B/T} + 1)."""
        return 1.0 / (math.exp(min(self.gap / self.temperature, 700.0)) + 1.0)


def bose(frequency: float, temperature: float) -> float:
    """1/(e^{ω/T} − 1), zero where that underflows."""
    ratio = frequency / temperature
    return 1.0 / math.expm1(ratio) if ratio < 700.0 else 0.0
