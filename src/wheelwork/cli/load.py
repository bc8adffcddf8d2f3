"""From a parameter file to a job; every mistake is named by its key."""

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from wheelwork._checks import FloatArray
from wheelwork.cli.jobs import DEFAULT_FOLDER, Job
from wheelwork.cli.parameter_file import (
    DeviceTable,
    EnergyDiffusionTable,
    FlywheelFile,
    FokkerPlanckTable,
    LeadTable,
    LorentzianTable,
    SemicircleTable,
    SweepTable,
    TabulatedTable,
    WideBandTable,
    read_lists,
)
from wheelwork.cli.quantities import EnergyUnit
from wheelwork.errors import InvalidArgument
from wheelwork.machines.flywheel import Flywheel
from wheelwork.phase_space import EnergyDiffusion, FokkerPlanck
from wheelwork.transport import Lead, Lorentzian, Semicircle, Tabulated, WideBand

_CHOICES = {"lineshape", "method"}  # tables whose `kind` says which keys they hold


def load_job(path: Path, folder: Path | None = None) -> Job:
    """Return the job that the TOML file at `path` describes; `folder` goes before its [output].

    Raises InvalidArgument with one line per mistake.
    """
    data = _read(path)
    unit = _energy_unit(data, path)
    try:
        file = FlywheelFile.model_validate(data, context={"unit": unit})
    except ValidationError as reason:
        lines = (f"{_explain(error)} ({path})" for error in reason.errors())
        raise InvalidArgument("\n".join(lines)) from None
    try:
        machine = _machine(file, path.parent)
    except InvalidArgument as reason:
        raise InvalidArgument(f"{reason} ({path})") from None
    return Job(
        machine=machine,
        parameter=file.sweep.parameter,
        values=_values(file.sweep),
        method=_method(file.method),
        folder=folder or (Path(file.output.folder) if file.output.folder else DEFAULT_FOLDER),
        name=file.output.name,
        energy_unit=unit.name,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as reason:
        text = reason.strerror if isinstance(reason, OSError) else "it is not text in UTF-8"
        raise InvalidArgument(
            f"`FILE` must be a readable TOML file, but is '{path}' ({text})"
        ) from None
    except tomllib.TOMLDecodeError as reason:
        raise InvalidArgument(f"`FILE` must be valid TOML, but is not: {reason} ({path})") from None


def _energy_unit(data: Mapping[str, Any], path: Path) -> EnergyUnit:
    """Read [units] ahead of the rest, which is counted in it; its form is checked with the rest."""
    units = data.get("units")
    name = units.get("energy", "1") if isinstance(units, Mapping) else "1"
    try:
        return EnergyUnit(name) if isinstance(name, str) else EnergyUnit()
    except InvalidArgument as reason:
        raise InvalidArgument(f"`units.energy` {reason} ({path})") from None


def _explain(error: ErrorDetails) -> str:
    key = _key(error["loc"])
    name = f"`{key}`" if key else "the file"
    found = error["input"]
    limits = error.get("ctx", {})
    match error["type"]:
        case "refused":
            return f"{name} {error['msg']}"
        case "missing":
            return f"{name} is missing"
        case "greater_than" if limits["gt"] == 0:
            return f"{name} must be positive, but is {found!r}"
        case "union_tag_not_found":
            return f"`{key}.kind` is missing"
        case "union_tag_invalid":
            return (
                f"`{key}.kind` must be one of {limits['expected_tags']}, but is '{limits['tag']}'"
            )
        case "literal_error":
            return f"{name} must be {limits['expected']}, but is {found!r}"
        case _:
            wish = error["msg"].removeprefix("Input should ").removeprefix("be ")
            return f"{name} must be {wish}, but is {found!r}"


def _key(location: Sequence[str | int]) -> str:
    """Return "leads[0].lineshape.width" from its parts, without the names of chosen kinds."""
    text, before = "", None
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        elif before not in _CHOICES or part in {"kind", *_keys_of_choices()}:
            text += f".{part}" if text else part
        before = part
    return text


def _keys_of_choices() -> Iterable[str]:
    tables = (LorentzianTable, WideBandTable, SemicircleTable, TabulatedTable)
    methods = (FokkerPlanckTable, EnergyDiffusionTable)
    return {key for table in (*tables, *methods) for key in table.model_fields}


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
            frequency, rate = read_lists(table, folder)
            return Tabulated(frequency=tuple(frequency), rate=tuple(rate))


def _method(table: FokkerPlanckTable | EnergyDiffusionTable) -> Any:
    match table:
        case FokkerPlanckTable():
            return FokkerPlanck(rtol=table.rtol)
        case EnergyDiffusionTable():
            return EnergyDiffusion(rtol=table.rtol)


def _values(table: SweepTable) -> FloatArray:
    if table.values is not None:
        return np.array(table.values)
    start, stop, points = table.start, table.stop, table.points
    if start is None or stop is None or points is None:  # SweepTable refuses this
        raise InvalidArgument("`sweep` must hold `start`, `stop` and `points`, or `values`")
    return np.linspace(start, stop, points)
