"""Parameters of a flywheel, and what follows from them by definition."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

from wheelwork import _checks
from wheelwork._checks import energy, positive_energy
from wheelwork.errors import InvalidArgument
from wheelwork.parameters import Parameters, parameter
from wheelwork.results import Labels
from wheelwork.states.oscillator import length_unit
from wheelwork.transport import Lead, Lorentzian, ResonantLevel

SIZES = (1e-100, 1e100)  # of mass and force: their squares are numbers of full precision
PAPER_COUPLING = 0.1  # λ of Culhane et al., caption of Fig. 2


def _of_size(name: str, value: Any) -> float:
    return _checks.within(name, _checks.positive(name, value), *SIZES)


def _zero_or_of_size(name: str, value: Any) -> float:
    number = _checks.real(name, value)
    if number != 0.0:
        _checks.within(name, abs(number), *SIZES)
    return number


@dataclass(frozen=True, repr=False)
class FlywheelParameters(Parameters):
    """Parameters of a flywheel; `Flywheel` describes them.

    Raises InvalidArgument for values that are not finite, for a frequency, mass or temperature that
    is not positive, and for `leads` that are not leads.
    """

    leads: tuple[Lead, ...] = parameter(
        r"\alpha", "1", "leads", lambda _, value: ResonantLevel(value, 0.0, 0.0).leads
    )
    level: float = parameter(r"\varepsilon", "energy", "energy of the level", energy, default=0.0)
    frequency: float = parameter(
        r"\omega_0", "energy", "frequency of the oscillator", positive_energy, default=0.2
    )
    mass: float = parameter(
        "m", "1/(energy length^2)", "mass of the oscillator", _of_size, default=1.0
    )
    force: float = parameter(
        "F", "energy/length", "force per unit charge", _zero_or_of_size, default=0.0
    )
    temperature: float | None = parameter(
        "T",
        "energy",
        "reference temperature of the free energy",
        positive_energy,
        optional=True,
        default=None,
    )

    derived: ClassVar[Labels] = {
        "bias": ("V", "energy", "bias"),
        "mean_potential": (r"\bar\mu", "energy", "mean chemical potential of two leads"),
        "coupling": (r"\lambda", "energy", "electromechanical coupling"),
    }
    sets: ClassVar[Mapping[str, tuple[str, float]]] = {
        "bias": ("leads.chemical_potential", 0.0),
        "mean_potential": ("leads.chemical_potential", 0.0),
        "coupling": ("force", 0.0),
    }

    @classmethod
    def paper(cls, bias: float | None = None, **fields: Any) -> Self:
        """The device of Culhane et al., Fig. 2: ω0 = 0.2, m = 1, λ = 0.1, ω_L = −ω_R = 0.5,
        δ = 1, Γ = 2, β = 0.5, ε = 0, with μ_L − μ_R = `bias` (zero, or that of `leads` if given).

        The force is F = 2λ/x0 by its definition. Any field can be given instead; `force=0.1`,
        λ taken for the force, is what reproduces the published curves (see `as_plotted`).
        The captions' voltage is that of each lead, half of `bias`.
        """
        leads = tuple(
            Lead(0.0, 2.0, Lorentzian(rate=2.0, centre=centre, width=1.0)) for centre in (0.5, -0.5)
        )
        if "force" not in fields:
            fields = {"coupling": PAPER_COUPLING} | fields
        if bias is not None:
            fields["bias"] = bias
        return cls(leads, level=0.0, frequency=0.2, mass=1.0).replace(**fields)

    @classmethod
    def as_plotted(cls, bias: float | None = None, **fields: Any) -> Self:
        """`paper` with F = λ = 0.1, the value with which g² levels off near 1.5 as in Fig. 3."""
        return cls.paper(bias, **{"force": PAPER_COUPLING} | fields)

    def replace(self, **changes: Any) -> Self:
        """Return a device with some fields changed.

        Besides the fields: `bias` and `mean_potential` set the chemical potentials of a two-lead
        device to mean ± bias/2; `coupling` sets the force to 2λ/x0. The force is unchanged when
        mass or frequency change, and λ follows. Raises InvalidArgument for other names, and for
        `force` and `coupling` together.
        """
        self.require_known(changes)
        if "force" in changes and "coupling" in changes:
            raise InvalidArgument("`coupling` must not be given together with `force`")
        given = {name: changes.pop(name) for name in self.derived if name in changes}
        device = replace(self, **changes)
        values = {name: _checks.real(name, value) for name, value in given.items()}
        if "bias" in values or "mean_potential" in values:
            left, right = device._pair()
            mean = values.get("mean_potential", device.mean_potential)
            half = 0.5 * values.get("bias", device.bias)
            left = replace(left, chemical_potential=mean + half)
            right = replace(right, chemical_potential=mean - half)
            device = replace(device, leads=(left, right))
        if "coupling" in values:
            device = replace(device, force=2.0 * values["coupling"] / device.length)
        return device

    def _pair(self) -> tuple[Lead, Lead]:
        if len(self.leads) != 2:
            raise InvalidArgument(
                f"`bias` must be used with a device of two leads, but there are {len(self.leads)}"
            )
        return self.leads[0], self.leads[1]

    def shown(self, name: str) -> str:
        """The value of a field as a printout has it: of leads, how many, and the bias of two."""
        if name != "leads":
            return super().shown(name)
        bias = f", bias {self.bias:g}" if len(self.leads) == 2 else ""
        return f"<{len(self.leads)} leads{bias}>"

    @property
    def bias(self) -> float:
        """V = μ_L − μ_R of a two-lead device."""
        left, right = self._pair()
        return left.chemical_potential - right.chemical_potential

    @property
    def mean_potential(self) -> float:
        """(μ_L + μ_R)/2 of a two-lead device."""
        left, right = self._pair()
        return 0.5 * (left.chemical_potential + right.chemical_potential)

    @cached_property
    def junction(self) -> ResonantLevel:
        """The electronic part, with the position as a parameter."""
        return ResonantLevel(self.leads, self.level, self.force)

    @cached_property
    def neutral_occupation(self) -> float:
        """N0 = ⟨c†c⟩ at F = 0, where the mean force vanishes; also the occupation at x = 0."""
        return float(self.junction.coefficients(0.0).occupation)

    @property
    def length(self) -> float:
        """x0 = √(2/(m ω0)), so that a = x/x0 + i p/p0."""
        return length_unit(self.mass, self.frequency)

    @property
    def momentum(self) -> float:
        """p0 = √(2 m ω0) = 2/x0."""
        return 2.0 / self.length

    @property
    def coupling(self) -> float:
        """λ = F x0/2, the electromechanical interaction energy (Culhane et al., Eq. (5))."""
        return 0.5 * self.force * self.length

    @property
    def temperatures(self) -> tuple[float, ...]:
        """Of every bath."""
        return tuple(lead.temperature for lead in self.leads)

    @property
    def free_energy_temperature(self) -> float | None:
        """T for the free energy: `temperature`, or that of the leads if they agree, or None."""
        if self.temperature is not None:
            return self.temperature
        temperatures = set(self.temperatures)
        return temperatures.pop() if len(temperatures) == 1 else None
