"""A flywheel's parameter file: its tables, what each key may hold, and the job it asks for."""

import math
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from wheelwork.cli.jobs import Job
from wheelwork.cli.tables import (
    Energy,
    Number,
    OutputTable,
    ParameterNames,
    PositiveEnergy,
    PositiveNumber,
    RangeTable,
    Table,
    Tolerance,
    UnitsTable,
    refusal,
)
from wheelwork.errors import InvalidArgument
from wheelwork.machines.flywheel import Flywheel
from wheelwork.phase_space import EnergyDiffusion, FokkerPlanck
from wheelwork.transport import Lead, Lorentzian, Semicircle, Tabulated, WideBand


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


NAMES = ParameterNames(("bias", "level", "frequency", "mass", "force"), inside="leads")
ParameterName = Annotated[str, BeforeValidator(NAMES.check), WithJsonSchema(NAMES.schema())]


class SweepTable(RangeTable):
    """The parameter to vary, and its values."""

    parameter: ParameterName = "bias"


class FokkerPlanckTable(Table):
    """The stationary Fokker-Planck equation, solved to `rtol`."""

    kind: Literal["fokker-planck"]
    rtol: Tolerance = 1e-6


class EnergyDiffusionTable(Table):
    """The orbit-averaged solution W(E): fast, accurate to the order of friction/frequency."""

    kind: Literal["energy-diffusion"]
    rtol: Tolerance = 1e-6


MethodTable = Annotated[FokkerPlanckTable | EnergyDiffusionTable, Field(discriminator="kind")]


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

    def job(self, place: Path) -> Job:
        """Return what is asked for; `place` is the folder that files named here are in."""
        return Job(
            machine=_machine(self, place),
            parameter=self.sweep.parameter,
            values=self.sweep.array(),
            method=_method(self.method),
            name=self.output.name or "flywheel",
        )


def _machine(file: FlywheelFile, folder: Path) -> Flywheel:
    device = file.device
    leads = tuple(
        Lead(
            chemical_potential=potential,
            temperature=lead.temperature,
            lineshape=_lineshape(lead, folder),
        )
        for lead, potential in zip(file.leads, _potentials(file), strict=True)
    )
    return Flywheel(
        leads=leads,
        level=device.level,
        frequency=device.frequency,
        mass=device.mass,
        force=_force(device),
        temperature=device.temperature,
    )


def _potentials(file: FlywheelFile) -> list[float]:
    """Return the leads' chemical potentials; a bias splits evenly about the mean."""
    given = [lead.chemical_potential for lead in file.leads]
    if all(potential is not None for potential in given):
        return [potential for potential in given if potential is not None]
    mean, bias = file.device.mean_potential or 0.0, file.device.bias or 0.0
    return [mean + bias / 2, mean - bias / 2]


def _force(device: DeviceTable) -> float:
    """Return F, by its own name or from lambda = F x0/2 with x0 = sqrt(2/(m omega0))."""
    if device.coupling is None:
        return device.force or 0.0
    return 2.0 * device.coupling / math.sqrt(2.0 / (device.mass * device.frequency))


def _lineshape(lead: LeadTable, folder: Path) -> Any:
    table = lead.lineshape
    match table:
        case LorentzianTable():
            return Lorentzian(rate=table.rate, centre=table.centre, width=table.width)
        case SemicircleTable():
            return Semicircle(rate=table.rate, centre=table.centre, width=table.width)
        case WideBandTable():
            return WideBand(rate=table.rate)
        case TabulatedTable():
            frequency, rate = _read_lists(table, folder)
            return Tabulated(frequency=tuple(frequency), rate=tuple(rate))


def _method(table: FokkerPlanckTable | EnergyDiffusionTable) -> Any:
    match table:
        case FokkerPlanckTable():
            return FokkerPlanck(rtol=table.rtol)
        case EnergyDiffusionTable():
            return EnergyDiffusion(rtol=table.rtol)


def _read_lists(table: TabulatedTable, folder: Path) -> tuple[list[float], list[float]]:
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
