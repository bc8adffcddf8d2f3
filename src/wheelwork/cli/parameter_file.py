"""From a parameter file to a job; every mistake is named by its key."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from wheelwork.cli.flywheel_file import FlywheelFile
from wheelwork.cli.jobs import DEFAULT_FOLDER, Job
from wheelwork.cli.power_grid_file import PowerGridFile
from wheelwork.cli.quantities import EnergyUnit
from wheelwork.cli.rotor_file import RotorFile
from wheelwork.errors import InvalidArgument

AnyFile = FlywheelFile | RotorFile | PowerGridFile
FILES: Mapping[str, type[AnyFile]] = MappingProxyType(
    {"flywheel": FlywheelFile, "rotor": RotorFile, "power-grid": PowerGridFile}
)
_CHOICES = {"lineshape", "method", "device"}  # tables whose `kind` says which keys they hold
_KINDS = {
    "lorentzian", "wideband", "semicircle", "tabulated",
    "fokker-planck", "energy-diffusion", "local", "global",
    "chain", "graph", "mean-field", "langevin", "master-equation",
}  # fmt: skip


def load_job(path: Path, folder: Path | None = None) -> Job:
    """Return the job that the TOML file at `path` describes; `folder` goes before its [output].

    Raises InvalidArgument with one line per mistake.
    """
    return load_text(_text(path), path, folder)


def load_text(text: str, path: Path, folder: Path | None = None) -> Job:
    """Return the job that `text` describes, which was read from `path`; see `load_job`."""
    data = _parse(text, path)
    unit = _energy_unit(data, path)
    try:
        file = _form(data, path).model_validate(data, context={"unit": unit})
    except ValidationError as reason:
        lines = (f"{_explain(error)} ({path})" for error in reason.errors())
        raise InvalidArgument("\n".join(lines)) from None
    try:
        job = file.job(path.parent)
    except InvalidArgument as reason:
        raise InvalidArgument(f"{reason} ({path})") from None
    out = folder or (Path(file.output.folder) if file.output.folder else DEFAULT_FOLDER)
    recipe = {"toml": text, "path": str(path.absolute())}
    return replace(job, folder=out, energy_unit=unit.name, recipe=recipe)


def _form(data: Mapping[str, Any], path: Path) -> type[AnyFile]:
    """The tables that belong to the machine named in the file."""
    name = data.get("machine")
    if name is None:
        raise InvalidArgument(f"`machine` is missing ({path})")
    if not isinstance(name, str) or name not in FILES:
        wish = " or ".join(f"'{known}'" for known in FILES)
        raise InvalidArgument(f"`machine` must be {wish}, but is {name!r} ({path})")
    return FILES[name]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as reason:
        text = reason.strerror if isinstance(reason, OSError) else "it is not text in UTF-8"
        raise InvalidArgument(
            f"`FILE` must be a readable TOML file, but is '{path}' ({text})"
        ) from None


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
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
        elif before not in _CHOICES or part not in _KINDS:
            text += f".{part}" if text else part
        before = part
    return text
