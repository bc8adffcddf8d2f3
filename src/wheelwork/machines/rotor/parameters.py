"""The parameters of a rotor engine, and the rates that follow from them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import numpy.typing as npt

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import InvalidArgument
from wheelwork.parameters import (
    Parameters,
    declarations,
    non_negative,
    parameter,
    positive,
    real,
)
from wheelwork.results import Labels

LARGEST_EXPONENT = 700.0  # of e; float64 overflows at 709.8
SMALLEST_SCALE, LARGEST_SCALE = 1e-100, 1e100  # products of three energies are then float64
LARGEST_MOMENTUM = 1 << 16  # |l|; the largest range for which the steady state is estimated


@dataclass(frozen=True)
class QubitBath(Computed):
    """One qubit, B σ^z, and its own bath.

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

    @cached_property
    def occupation(self) -> float:
        """n = 1/(e^{2B/T} − 1) of the bath at the gap (Leitch et al., Eq. (16))."""
        ratio = self.gap / self.temperature
        if not 0.0 < ratio < LARGEST_EXPONENT:
            return 0.0 if ratio > 0.0 else math.inf
        return 1.0 / math.expm1(ratio)

    @property
    def rate_up(self) -> float:
        """g_i² n, at which the bath excites the qubit."""
        return self.coupling_rate * self.occupation

    @property
    def rate_down(self) -> float:
        """g_i² (n + 1), at which the excited qubit decays."""
        return self.coupling_rate * (self.occupation + 1.0)

    @property
    def total_rate(self) -> float:
        """g_i² (2n + 1), at which the qubit alone relaxes."""
        return self.rate_up + self.rate_down

    @property
    def excited(self) -> float:
        """Excited population of the qubit alone with its bath, 1/(e^{2B/T} + 1)."""
        return 1.0 / (math.exp(min(self.gap / self.temperature, LARGEST_EXPONENT)) + 1.0)


@dataclass(frozen=True, repr=False)
class RotorParameters(Parameters):
    """Two qubits and a quantum rotor, each with its own bath.

    temperature_cold, temperature_hot: 1/β_1, 1/β_2, of the baths of qubit 1 and qubit 2; either
    may be the warmer. temperature_load: 1/β_r of the load. field_cold, field_hot: B_1, B_2 > 0,
    half the gaps of the qubits. coupling: λ. bath_coupling: g > 0. bath_asymmetry: χ in [−1, 1],
    g_1 = g(1 − χ), g_2 = g(1 + χ) (Leitch et al., Eq. (15)). load_damping: γ ≥ 0 of Eq. (17).
    moment_of_inertia: I. Energies, rates and temperatures share a unit. g² is a rate in the local
    equation, and a number in the global one, whose baths have the spectral density g²ω….
    """

    derived: ClassVar[Labels] = {
        "beta_ratio": (r"\beta_2/\beta_1", "1", "inverse temperatures, hot over cold")
    }
    sets: ClassVar[Mapping[str, tuple[str, float]]] = {"beta_ratio": ("temperature_hot", 1.0)}

    temperature_cold: float = parameter("T_1", "energy", "temperature of the cold bath", positive)
    temperature_hot: float = parameter("T_2", "energy", "temperature of the hot bath", positive)
    temperature_load: float = parameter("T_r", "energy", "temperature of the load", positive)
    field_cold: float = parameter("B_1", "energy", "field on the cold qubit", positive)
    field_hot: float = parameter("B_2", "energy", "field on the hot qubit", positive)
    coupling: float = parameter(r"\lambda", "energy", "coupling of qubits and rotor", real)
    bath_coupling: float = parameter("g", "1", "coupling to the baths", positive)
    bath_asymmetry: float = parameter(
        r"\chi",
        "1",
        "asymmetry of the couplings to the baths",
        lambda name, value: _checks.within(name, value, -1.0, 1.0),
        omitted=0.0,
    )
    load_damping: float = parameter(r"\gamma", "energy", "damping by the load", non_negative)
    moment_of_inertia: float = parameter("I", "1/energy", "moment of inertia", positive)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, scale in self._scales():
            if scale != 0.0 and not SMALLEST_SCALE <= abs(scale) <= LARGEST_SCALE:
                raise InvalidArgument(
                    f"`{name}` must keep energies and rates between {SMALLEST_SCALE:g} and "
                    f"{LARGEST_SCALE:g} in the chosen unit, but is {getattr(self, name)!r} and "
                    f"leads to {scale:g}"
                )

    def _scales(self) -> Iterator[tuple[str, float]]:
        """Energies and rates, each with the field to blame where it is too large."""
        for name, declared in declarations(type(self)).items():  # type: ignore[arg-type]
            if declared.unit == "energy":
                yield name, getattr(self, name)
        yield "bath_coupling", self.bath_coupling * self.bath_coupling
        yield "moment_of_inertia", 0.5 / self.moment_of_inertia
        yield "moment_of_inertia", self.resonance
        yield "field_cold", self.cold.total_rate
        yield "field_hot", self.hot.total_rate
        with np.errstate(all="ignore"):
            yield "temperature_load", float(self.load_rates([LARGEST_MOMENTUM])[1][0])

    @classmethod
    def paper(cls, beta_ratio: float | None = None, **fields: Any) -> Self:
        """The device of Leitch et al., Fig. 2: β_1 = 0.1, β_r = 0.09, B_1 = 4, B_2 = 10, g = 1,
        χ = 0, λ = 0.1, γ = 5·10⁻⁵ and I = 1, with β_2/β_1 = `beta_ratio` (0.2 unless the hot
        temperature is given). Any field can be given instead.
        """
        cls.require_known(fields)
        if beta_ratio is None and "temperature_hot" not in fields:
            beta_ratio = 0.2
        ratio = {} if beta_ratio is None else {"beta_ratio": beta_ratio}
        published = cls(
            temperature_cold=10.0, temperature_hot=50.0, temperature_load=1.0 / 0.09,
            field_cold=4.0, field_hot=10.0, coupling=0.1, bath_coupling=1.0, bath_asymmetry=0.0,
            load_damping=5e-5, moment_of_inertia=1.0,
        )  # fmt: skip
        return published.replace(**ratio, **fields)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed.

        Besides the fields, `beta_ratio` sets the hot temperature to T_cold/`beta_ratio`.
        Raises InvalidArgument for other names, and for both at once.
        """
        if "beta_ratio" not in changes:
            return super().replace(**changes)
        ratio = _checks.positive("beta_ratio", changes.pop("beta_ratio"))
        if "temperature_hot" in changes:
            raise InvalidArgument(
                f"`beta_ratio` must not be given together with `temperature_hot`, but is {ratio!r}"
            )
        changed = super().replace(**changes)
        return super(RotorParameters, changed).replace(
            temperature_hot=changed.temperature_cold / ratio
        )

    def swapped(self) -> Self:
        """Return a copy with the temperatures of the qubits' baths exchanged."""
        return self.replace(
            temperature_cold=self.temperature_hot, temperature_hot=self.temperature_cold
        )

    @property
    def beta_ratio(self) -> float:
        """β_2/β_1 = T_cold/T_hot."""
        return self.temperature_cold / self.temperature_hot

    @property
    def cold(self) -> QubitBath:
        """Qubit 1 and its bath, with g_1² = g²(1 − χ)²."""
        rate = _square(self.bath_coupling * (1.0 - self.bath_asymmetry))
        return QubitBath(self.field_cold, self.temperature_cold, rate)

    @property
    def hot(self) -> QubitBath:
        """Qubit 2 and its bath, with g_2² = g²(1 + χ)²."""
        rate = _square(self.bath_coupling * (1.0 + self.bath_asymmetry))
        return QubitBath(self.field_hot, self.temperature_hot, rate)

    @property
    def load_rate(self) -> float:
        """Iγ/β_r, at which the load moves a rotor at rest up, and down."""
        return self.moment_of_inertia * self.load_damping * self.temperature_load

    @property
    def load_tilt(self) -> float:
        """a = β_r/4I, by which an angular momentum tilts these two rates."""
        return 0.25 / (self.moment_of_inertia * self.temperature_load)

    @property
    def departure_from_gibbs(self) -> float:
        """β_r/16I: the load alone leaves ⟨L_z²⟩ larger than the Gibbs state's by 1/(1 − this)."""
        return 0.25 * self.load_tilt

    def load_rates(self, momenta: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Rates (Iγ/β_r)(1 ∓ a l)² of l → l ± 1 by the load."""
        tilt = self.load_tilt * _checks.finite_array("momenta", momenta)
        return self.load_rate * (1.0 - tilt) ** 2, self.load_rate * (1.0 + tilt) ** 2

    def detuning(self, momenta: FloatArray) -> FloatArray:
        """Energy of |1,0,l+1⟩ above |0,1,l⟩ without the interaction, at each l."""
        fields = 2.0 * (self.field_cold - self.field_hot)
        return np.asarray(fields + (2.0 * momenta + 1.0) / (2.0 * self.moment_of_inertia))

    @property
    def resonance(self) -> float:
        """The l at which this detuning vanishes."""
        return 2.0 * self.moment_of_inertia * (self.field_hot - self.field_cold) - 0.5


def _square(x: float) -> float:
    return x * x  # x**2 raises where this is infinite


AnyRotor = TypeVar("AnyRotor", bound=RotorParameters)
