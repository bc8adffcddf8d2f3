"""Natural units of a network: its fastest rate, its saturation number, a frame at its band.

In them no number of a problem is far from one because of the units it was given in, so that the
solvers may compare with constants. Rates are scaled by a power of two and amplitudes likewise:
no digit is lost.
"""

import math
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.oscillator_networks.model import (
    AmplitudeModel,
    ComplexArray,
    Growth,
    InvertibleGrowth,
    invertible,
)

# Largest power of ten of rates and quanta: flows and their squared errors stay normal numbers.
DECADES = 140.0
SMALLEST = 1e-300  # quanta, that stand for fewer


@dataclass(frozen=True)
class Units:
    """rate: of rates and frequencies, a power of two. size: of amplitudes, a power of two.
    frequency: of the frame, in the given units.
    """

    rate: float
    size: float
    frequency: float

    @classmethod
    def of(cls, model: AmplitudeModel) -> "Units":
        """Return the natural units of `model`.

        Raises InvalidArgument for rates or quanta beyond 1e±140.
        """
        detunings = -model.linear.diagonal().imag
        frequency = float(np.sort(detunings)[(detunings.size - 1) // 2])
        turned = _turned(model.linear, frequency)
        rates = np.abs(model.growth.rates(np.zeros(model.active.size)))
        fastest = max(_largest(turned.real), _largest(turned.imag), _largest(rates))
        quanta = getattr(model.growth, "scale", np.ones(0))
        sizes = np.log10(np.maximum(quanta, SMALLEST))
        typical = float(np.mean(sizes)) if sizes.size else 0.0
        decades = math.log10(fastest) if fastest > 0.0 else 0.0
        farthest = float(max(sizes, key=abs, default=0.0))
        _require_finite_slopes(model)
        for what, decade in (("rates", decades), ("saturation numbers", farthest)):
            if not abs(decade) <= DECADES:
                raise InvalidArgument(
                    f"{what} must lie between 1e-{DECADES:g} and 1e{DECADES:g} for amplitude "
                    f"equations, but are about 1e{decade:.0f}: choose other units"
                )
        return cls(_power_of_two(decades), _power_of_two(0.5 * typical), frequency)

    @property
    def quanta(self) -> float:
        """Of |α|²."""
        return self.size * self.size

    def natural(self, model: AmplitudeModel) -> AmplitudeModel:
        """Return `model` in these units."""
        linear = _turned(model.linear, self.frequency) / self.rate
        return AmplitudeModel(linear, model.active, self._growth(model.growth))

    def natural_state(
        self, amplitudes: ComplexArray, frequency: float
    ) -> tuple[ComplexArray, float]:
        """Return amplitudes and their frequency in these units."""
        return amplitudes / self.size, (frequency - self.frequency) / self.rate

    def given_frequency(self, frequency: FloatArray) -> FloatArray:
        """Return frequencies in the units that the model was given in."""
        return np.asarray(frequency * self.rate + self.frequency)

    def _growth(self, growth: Growth) -> Growth:
        if hasattr(growth, "in_units"):
            scaled: Growth = growth.in_units(self.rate, self.quanta)
            return scaled
        if invertible(growth):
            return _InvertibleInUnits(growth, self.rate, self.quanta)
        return _InUnits(growth, self.rate, self.quanta)


@dataclass(frozen=True, eq=False)
class _InUnits:
    """`growth` in units of its rates and quanta."""

    growth: Growth
    unit: float
    quanta: float

    def rates(self, occupations: FloatArray) -> FloatArray:
        return self.growth.rates(occupations * self.quanta) / self.unit

    def slopes(self, occupations: FloatArray) -> FloatArray:
        return self.growth.slopes(occupations * self.quanta) * (self.quanta / self.unit)


@dataclass(frozen=True, eq=False)
class _InvertibleInUnits(_InUnits):
    growth: InvertibleGrowth

    def rate(self, site: int, occupation: FloatArray) -> FloatArray:
        return self.growth.rate(site, occupation * self.quanta) / self.unit

    def occupation(self, site: int, rate: FloatArray) -> FloatArray:
        return self.growth.occupation(site, rate * self.unit) / self.quanta


def _require_finite_slopes(model: AmplitudeModel) -> None:
    """Raise InvalidArgument where gain and loss cancel at rest, but are too large to subtract."""
    with np.errstate(over="ignore", invalid="ignore"):
        slopes = model.growth.slopes(np.zeros(model.active.size))
    if not np.all(np.isfinite(slopes)):
        raise InvalidArgument(
            "rates over saturation numbers must be below 1e308, but a slope of gain minus loss is "
            "not finite at rest: choose other units"
        )


def _turned(linear: ComplexArray, frequency: float) -> ComplexArray:
    turned = linear.copy()
    np.einsum("jj->j", turned)[:] += 1j * frequency
    return turned


def _largest(values: FloatArray) -> float:
    return float(np.max(np.abs(values), initial=0.0))


def _power_of_two(decades: float) -> float:
    return 2.0 ** round(decades * math.log2(10.0))
