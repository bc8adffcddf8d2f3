"""A rotor engine's parameter file: its tables, what each key may hold, the job it asks for."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from wheelwork.cli.jobs import Job
from wheelwork.cli.rotor import ROTOR
from wheelwork.cli.tables import (
    Energy,
    Number,
    OutputTable,
    PositiveEnergy,
    PositiveNumber,
    RangeTable,
    Table,
    Tolerance,
    UnitsTable,
)
from wheelwork.machines.rotor import GlobalMasterEquation, LocalMasterEquation, RotorEngine


class DeviceTable(Table):
    """Fields of `RotorEngine`; bath_coupling squared is a rate, an energy like the damping."""

    temperature_cold: PositiveEnergy
    temperature_hot: PositiveEnergy
    temperature_load: PositiveEnergy
    field_cold: PositiveEnergy
    field_hot: PositiveEnergy
    coupling: Energy
    bath_coupling: PositiveNumber
    bath_asymmetry: Number = 0.0
    load_damping: PositiveEnergy
    moment_of_inertia: PositiveNumber


class SweepTable(RangeTable):
    """The parameter to vary, and its values."""

    parameter: Literal[
        "beta_ratio",
        "temperature_cold",
        "temperature_hot",
        "temperature_load",
        "field_cold",
        "field_hot",
        "coupling",
        "bath_coupling",
        "bath_asymmetry",
        "load_damping",
        "moment_of_inertia",
    ] = "beta_ratio"


class LocalTable(Table):
    """The local master equation (collision model)."""

    kind: Literal["local"]
    rtol: Tolerance = 1e-9


class GlobalTable(Table):
    """The global master equation (spin-boson model); `cutoff` of the baths, 2 B_2 by default."""

    kind: Literal["global"]
    cutoff: PositiveEnergy | None = None
    rtol: Tolerance = 1e-9


MethodTable = Annotated[LocalTable | GlobalTable, Field(discriminator="kind")]


class RotorFile(Table):
    """A whole parameter file."""

    machine: Literal["rotor"]
    units: UnitsTable = UnitsTable()
    device: DeviceTable
    sweep: SweepTable
    method: MethodTable = LocalTable(kind="local")
    output: OutputTable = OutputTable()

    def job(self, place: Path) -> Job:
        """Return what is asked for."""
        return Job(
            machine=RotorEngine(**self.device.model_dump()),
            parameter=self.sweep.parameter,
            values=self.sweep.array(),
            method=_method(self.method),
            name=self.output.name or "rotor",
            show=ROTOR,
        )


def _method(table: LocalTable | GlobalTable) -> Any:
    match table:
        case LocalTable():
            return LocalMasterEquation(rtol=table.rtol)
        case GlobalTable():
            return GlobalMasterEquation(cutoff=table.cutoff, rtol=table.rtol)
