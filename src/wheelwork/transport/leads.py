"""A lead: an electron reservoir in equilibrium, coupled to the level by its line shape."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray, energy, finite_array, positive_energy, refusal
from wheelwork.parameters import Parameters, parameter
from wheelwork.transport.lineshapes import LineShape


class Filling(NamedTuple):
    """Fermi distribution at given frequencies: energy (w - mu)/T, occupied f, empty 1 - f."""

    energy: FloatArray
    occupied: FloatArray
    empty: FloatArray


def _lineshape(name: str, value: Any) -> LineShape:
    if isinstance(value, type) or not isinstance(value, LineShape):
        words = (
            "be a line shape, such as Lorentzian(rate, centre, width), Tabulated(frequency, rate), "
            "or an object with `landmarks` and `sample`"
        )
        raise refusal(name, words, value)
    return value


@dataclass(frozen=True, repr=False)
class Lead(Parameters):
    """Reservoir of electrons at `chemical_potential` and `temperature` (units of frequency).

    `lineshape` is any `LineShape`. Raises `InvalidArgument` unless the temperature is positive, the
    chemical potential finite and the line shape one.
    """

    chemical_potential: float = parameter(r"\mu", "energy", "chemical potential", check=energy)
    temperature: float = parameter("T", "energy", "temperature", check=positive_energy)
    lineshape: LineShape = parameter(r"\kappa", "energy", "line shape", check=_lineshape)

    def kappa(self, frequency: npt.ArrayLike) -> FloatArray:
        """Return the width kappa(w), of the shape of `frequency`."""
        return self.lineshape.sample(finite_array("frequency", frequency)).kappa

    def self_energy(self, frequency: npt.ArrayLike) -> npt.NDArray[np.complex128]:
        """Return chi(w) = P int dw'/2pi kappa(w')/(w - w') - i kappa(w)/2, as `frequency`."""
        sample = self.lineshape.sample(finite_array("frequency", frequency))
        return np.asarray(sample.shift - 0.5j * sample.kappa)

    def occupation(self, frequency: npt.ArrayLike) -> FloatArray:
        """Return the Fermi function f(w) = 1/(exp((w - mu)/T) + 1), shaped as `frequency`."""
        return filling(self, finite_array("frequency", frequency)).occupied


def filling(lead: Lead, frequency: FloatArray) -> Filling:
    """Return the Fermi distribution of `lead`, both f and 1 - f to full relative accuracy."""
    energy = (frequency - lead.chemical_potential) / lead.temperature
    above = energy.real > 0.0
    decay = np.exp(np.where(above, -energy, energy))
    larger = 1.0 / (1.0 + decay)
    smaller = decay * larger
    return Filling(energy, np.where(above, smaller, larger), np.where(above, larger, smaller))


def filling_difference(one: tuple[Lead, Filling], other: tuple[Lead, Filling], /) -> FloatArray:
    """Return f_one - f_other, accurate also for a tiny bias and where both are close to 0 or 1."""
    (lead, first), (reference, second) = one, other
    bias = lead.chemical_potential - reference.chemical_potential
    warmth = lead.temperature - reference.temperature
    gap = (bias + warmth * second.energy) / lead.temperature  # exponent of other minus that of one
    above = gap.real > 0.0
    size = np.where(above, first.occupied * second.empty, second.occupied * first.empty)
    size *= np.expm1(np.where(above, -gap, gap))
    return np.where(above, -size, size)
