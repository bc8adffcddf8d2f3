"""The tables of a flywheel's parameter file, and what each key may hold."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from wheelwork.cli.quantities import EnergyUnit, is_finite_number, nearest
from wheelwork.errors import InvalidArgument


def refusal(message: str) -> PydanticCustomError:
    """Return an error whose text reads after the name of the key."""
    return PydanticCustomError("refused", "{text}", {"text": message})


def _number(value: Any) -> Any:
    if not is_finite_number(value):
        raise refusal(f"must be a finite number, but is {value!r}")
    return float(value)


def _energy(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return _number(value)
    unit: EnergyUnit = info.context["unit"] if info.context else EnergyUnit()
    try:
        return _number(unit.read(value))
    except InvalidArgument as reason:
        raise refusal(str(reason)) from None


Number = Annotated[float, BeforeValidator(_number)]
Energy = Annotated[float, BeforeValidator(_energy)]
Tolerance = Annotated[Number, Field(ge=1e-12, le=0.1)]
PositiveNumber = Annotated[Number, Field(gt=0)]
PositiveEnergy = Annotated[Energy, Field(gt=0)]


class Table(BaseModel):
    """A table that refuses keys it does not know and names the nearest one it does."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            for key in data:
                if key not in cls.model_fields:
                    best = nearest(key, cls.model_fields)
                    raise refusal(f"has no key `{key}`; the nearest valid key is `{best}`")
        return data


class LorentzianTable(Table):
    """kappa = rate * width^2 / ((omega - centre)^2 + width^2)."""

    kind: Literal["lorentzian"]
    rate: PositiveEnergy
    centre: Energy = 0.0
    width: PositiveEnergy


class WideBandTable(Table):
    """kappa = rate at every frequency."""

    kind: Literal["wideband"]
    rate: PositiveEnergy


class SemicircleTable(Table):
    """kappa = rate * sqrt(1 - ((omega - centre) / width)^2), zero outside the band."""

    kind: Literal["semicircle"]
    rate: PositiveEnergy
    centre: Energy = 0.0
    width: PositiveEnergy


class TabulatedTable(Table):
    """kappa given at points: two lists, or a CSV file with two columns (frequency, rate)."""

    kind: Literal["tabulated"]
    frequency: list[Energy] | None = None
    rate: list[Energy] | None = None
    file: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        lists = (self.frequency is not None, self.rate is not None)
        if self.file is not None and any(lists):
            raise refusal("must hold either `file` or the lists `frequency` and `rate`, not both")
        if self.file is None and not all(lists):
            raise refusal("must hold the lists `frequency` and `rate`, or `file`")
        return self


LineShapeTable = Annotated[
    LorentzianTable | WideBandTable | SemicircleTable | TabulatedTable,
    Field(discriminator="kind"),
]


class LeadTable(Table):
    """One lead; `chemical_potential` is left out where [device] gives the bias."""

    temperature: PositiveEnergy
    lineshape: LineShapeTable
    chemical_potential: Energy | None = None


class DeviceTable(Table):
    """The level and the oscillator; exactly one of `force` and `coupling` (F = 2 lambda/x0).

    `temperature` is that of the bath the free energy refers to, where the leads differ in theirs.
    """

    frequency: PositiveEnergy
    level: Energy = 0.0
    mass: PositiveNumber = 1.0
    force: Number | None = None
    coupling: Energy | None = None
    bias: Energy | None = None
    mean_potential: Energy | None = None
    temperature: PositiveEnergy | None = None

    @model_validator(mode="after")
    def _one_force(self) -> Self:
        if (self.force is None) == (self.coupling is None):
            raise refusal("must hold exactly one of `force` and `coupling`")
        return self


class SweepTable(Table):
    """The parameter to vary: `start`, `stop` and `points`, or a list of `values`."""

    parameter: Literal["bias", "level", "frequency", "mass", "force"] = "bias"
    start: Energy | None = None
    stop: Energy | None = None
    points: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    values: Annotated[list[Energy], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_range(self) -> Self:
        ends = [part is not None for part in (self.start, self.stop, self.points)]
        if self.values is not None and any(ends):
            raise refusal("must hold either `values` or `start`, `stop`, `points`, not both")
        if self.values is None and not all(ends):
            raise refusal("must hold `start`, `stop` and `points`, or `values`")
        return self


class FokkerPlanckTable(Table):
    """The stationary Fokker-Planck equation, solved to `rtol`."""

    kind: Literal["fokker-planck"]
    rtol: Tolerance = 1e-6


class EnergyDiffusionTable(Table):
    """The orbit-averaged solution W(E): fast, accurate to the order of friction/frequency."""

    kind: Literal["energy-diffusion"]
    rtol: Tolerance = 1e-6


MethodTable = Annotated[FokkerPlanckTable | EnergyDiffusionTable, Field(discriminator="kind")]


class UnitsTable(Table):
    """The unit of every energy without one of its own."""

    energy: str = "1"


class OutputTable(Table):
    """Where results go; the command line's --out goes first."""

    folder: str | None = None
    name: Annotated[str, Field(pattern=r"^[\w.+-]+$")] = "flywheel"


class FlywheelFile(Table):
    """A whole parameter file."""

    machine: Literal["flywheel"]
    units: UnitsTable = UnitsTable()
    device: DeviceTable
    leads: Annotated[list[LeadTable], Field(min_length=1)]
    sweep: SweepTable
    method: MethodTable = FokkerPlanckTable(kind="fokker-planck")
    output: OutputTable = OutputTable()

    @model_validator(mode="after")
    def _potentials(self) -> Self:
        given = [lead.chemical_potential is not None for lead in self.leads]
        by_bias = self.device.bias is not None or self.device.mean_potential is not None
        if by_bias and any(given):
            raise refusal(
                "must hold either [device] `bias` and `mean_potential` or "
                "`chemical_potential` in each of [[leads]], not both"
            )
        if not by_bias and not all(given):
            raise refusal("must hold `chemical_potential` in each of [[leads]], or [device] `bias`")
        if (by_bias or self.sweep.parameter == "bias") and len(self.leads) != 2:
            raise refusal(f"must hold two [[leads]] for a bias, but holds {len(self.leads)}")
        return self


def read_lists(table: TabulatedTable, folder: Path) -> tuple[list[float], list[float]]:
    """Return frequency and rate of a tabulated line shape, from its lists or its CSV file."""
    if table.file is None:
        return table.frequency or [], table.rate or []
    path = folder / table.file
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = [line.split(",") for line in lines if line.strip() and not line.startswith("#")]
        return [float(row[0]) for row in rows], [float(row[1]) for row in rows]
    except (OSError, ValueError, IndexError) as reason:
        raise InvalidArgument(
            f"`file` must be a CSV file of two columns of numbers, but is {str(path)!r} ({reason})"
        ) from None
