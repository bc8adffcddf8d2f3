"""What a machine does: the regime it is in, its efficiency, and the bounds on it."""

import math
from dataclasses import dataclass

REGIMES = ("idle", "engine", "accelerator", "refrigerator", "heater", "load-driven")


@dataclass(frozen=True)
class Operation:
    """Signs of heat and work, read as an operation (Leitch et al., Table I).

    heat_cold, heat_hot: from the colder and from the warmer of the qubits' baths. work: done on
    the machine. temperature_cold, temperature_hot: of the two baths, the lower first. noise: of
    heat_cold, heat_hot and work, magnitudes below which they count as zero.
    """

    heat_cold: float
    heat_hot: float
    work: float
    temperature_cold: float
    temperature_hot: float
    noise: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def regime(self) -> str:
        """The operation by name.

        "engine": heat flows from hot to cold and work is given. "accelerator": work speeds this
        flow up. "refrigerator": work reverses it. "heater": work ends as heat and neither bath
        gives any, the fourth possibility. "load-driven": any other signs, which take the load as
        a third bath. "idle": no flow exceeds its noise.
        """
        flows = self.heat_cold, self.heat_hot, self.work
        cold, hot, work = map(_sign, flows, self.noise)
        if work > 0 and cold <= 0 and hot <= 0:
            return "heater"
        return _BY_SIGN.get((cold, hot, work), "load-driven")

    @property
    def efficiency(self) -> float:
        """η = −Ẇ/Q̇_hot of an engine (Leitch et al., Eq. (36)), else NaN."""
        return -self.work / self.heat_hot if self.regime == "engine" else math.nan

    @property
    def cop(self) -> float:
        """Q̇_cold/Ẇ of a refrigerator (Leitch et al., Eq. (37)), else NaN."""
        return self.heat_cold / self.work if self.regime == "refrigerator" else math.nan

    @property
    def carnot_efficiency(self) -> float:
        """1 − T_cold/T_hot, the bound on `efficiency`."""
        return 1.0 - self.temperature_cold / self.temperature_hot

    @property
    def carnot_cop(self) -> float:
        """T_cold/(T_hot − T_cold) = β_2/(β_1 − β_2), the bound on `cop`.

        The text after Leitch et al., Eq. (37), has β_1/(β_1 − β_2), which is a heat pump's.
        """
        difference = self.temperature_hot - self.temperature_cold
        return self.temperature_cold / difference if difference > 0.0 else math.inf


_BY_SIGN = {
    (0, 0, 0): "idle",
    (-1, 1, -1): "engine",
    (-1, 1, 1): "accelerator",
    (1, -1, 1): "refrigerator",
}


def _sign(flow: float, noise: float) -> int:
    return int(math.copysign(1.0, flow)) if abs(flow) > noise else 0
