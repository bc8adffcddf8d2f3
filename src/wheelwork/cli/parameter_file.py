"""From a parameter file to a job; every mistake is named by its key."""

import dataclasses
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from wheelwork.cli.declared import (
    choice,
    number,
    parameter_labels,
    purpose,
    table_of,
    table_of_call,
)
from wheelwork.cli.forms import (
    Choice,
    Entry,
    Items,
    OneOf,
    Plain,
    Schema,
    Source,
    Table,
)
from wheelwork.cli.known import MACHINES, Kind, kind_of
from wheelwork.cli.mistakes import (
    Mistakes,
    gathered,
    in_file,
    located,
    mistake,
)
from wheelwork.cli.quantities import UnitSystem
from wheelwork.cli.sweep_table import sweep_table, with_swept_value
from wheelwork.errors import InvalidArgument
from wheelwork.papers.runs import Run
from wheelwork.sweeps import replace_at

# With the ending, and "-partial", a name of a file that every system takes.
NAME = r"[\w.+-]{1,100}"
UNITS = Table("Units", "The units of every number without one of its own.",
              {"energy": Entry(Plain(str), required=False),
               "length": Entry(Plain(str), required=False)})  # fmt: skip
WORDS = "Where results go; the command line's --out goes first. `name`: of the files."
OUTPUT = Table("Output", WORDS,
               {"folder": Entry(Plain(str), required=False),
                "name": Entry(Plain(str, pattern=NAME), required=False)})  # fmt: skip


def read_file(data: Mapping[str, Any], path: Path) -> tuple[Run, UnitSystem, Path | None]:
    """Return what `data`, the content of the TOML file at `path`, asks for.

    The run, its units, and the folder for the results, None where the file does not say.
    Raises InvalidArgument with one line per mistake.
    """
    try:
        return _read(data, path.parent)
    except InvalidArgument as reason:
        lines = reason.lines if isinstance(reason, Mistakes) else [str(reason)]
        raise in_file(lines, path) from None


def _read(data: Mapping[str, Any], folder: Path) -> tuple[Run, UnitSystem, Path | None]:
    with located("machine", {"name": "machine"}):
        kind = kind_of(data["machine"], folder)
    source = Source(_units(data), folder)
    form = file_form(kind, data["machine"])
    filled = with_swept_value(data, form, kind.parameter, _sets(kind.machine))
    lines = _conflicts(filled.data, kind.machine)
    with gathered(lines):
        values = form.read(filled.data, "", source)
    if lines:
        raise Mistakes(filled.told(lines))
    try:
        machine = values["device"] if kind.constructors else _machine(kind.machine, values)
    except Mistakes as reason:
        raise Mistakes(filled.told(reason.lines)) from None
    parameter, points = values["sweep"]
    with located("sweep", {}):
        replace_at(machine, {parameter: float(points[0])})
    output = values["output"]
    if "\0" in output.get("folder", ""):
        raise mistake("output.folder", "must be the path of a folder, but holds a null byte")
    name = output.get("name", kind.name)
    run = Run(machine, parameter, points, values.get("method"), kind.presentation, name)
    return run, source.units, Path(output["folder"]) if "folder" in output else None


def _units(data: Mapping[str, Any]) -> UnitSystem:
    """Read [units] ahead of the rest, which is counted in them; its form is checked with it."""
    units = data.get("units")
    names = units if isinstance(units, Mapping) else {}
    given = {name: names.get(name, "1") for name in UNITS.entries}
    with located("units", {name: f"units.{name}" for name in given}):
        return UnitSystem(**{n: each for n, each in given.items() if isinstance(each, str)})


def _machine(cls: type, values: Mapping[str, Any]) -> Any:
    """Make the machine from [device] and the tables that stand beside it under their own names."""
    device = dict(values["device"])
    beside = {name: values[name] for name in _parts(cls)[1] if name in values}
    derived = {name: device.pop(name) for name in _sets(cls) if name in device}
    keys = {name: f"device.{name}" for name in (*device, *derived)} | {n: n for n in beside}
    with located("device", keys):
        machine = cls(**device, **beside)
        return machine.replace(**derived) if derived else machine


# ---------------------------------------------------------------------------- the form of a file


def file_form(kind: Kind, name: str) -> Table:
    """Return the form of a parameter file with `machine = name`."""
    device, beside = _device(kind)
    needed = isinstance(device, Choice) or any(each.required for each in device.entries.values())
    method = kind.methods[kind.default_method]() if kind.default_method else None
    entries = {
        "machine": Entry(OneOf((name,))),
        "units": Entry(UNITS, False),
        "device": Entry(device, needed, omitted={}),
        "sweep": Entry(_sweep(kind)),
        "method": Entry(choice(kind.methods), False, omitted=method),
        "output": Entry(OUTPUT, False, omitted={}),
    }
    if taken := sorted(entries.keys() & beside.keys()):
        raise InvalidArgument(
            f"`{kind.machine.__name__}` must not have a field of tables called `{taken[0]}`, "
            "a key of every file"
        )
    return Table(f"{kind.machine.__name__}File", "A whole parameter file.", entries | dict(beside))


def _device(kind: Kind) -> tuple[Choice | Table, Mapping[str, Entry]]:
    """Return the form of [device], and the tables that stand beside it in the file.

    A field that is made of tables, such as leads, stands beside [device], where a sweep names it
    too; with several constructors [device] holds all.
    """
    cls = kind.machine
    if kind.constructors:
        tables = {
            name: table_of_call(getattr(cls, call), cls) if call else table_of(cls, kind.needed)
            for name, call in kind.constructors.items()
        }
        return Choice(tables), {}
    plain, beside = _parts(cls, kind.needed)
    for name, (field, start) in _sets(cls).items():
        _, unit, meaning = parameter_labels(cls)[name]
        plain[name] = Entry(number(unit), False, meaning=meaning)
        first, _, rest = field.partition(".")
        if rest:
            beside[first] = _relaxed(beside[first], rest, start)
        else:
            plain[first] = dataclasses.replace(plain[first], required=False, omitted=start)
    return Table(f"{cls.__name__}Device", purpose(cls), plain), beside


def _parts(cls: type, needed: Collection[str] = ()) -> tuple[dict[str, Entry], dict[str, Entry]]:
    """Return the entries of the fields of `cls`: plain values, and those made of tables."""
    plain: dict[str, Entry] = {}
    nested: dict[str, Entry] = {}
    for name, entry in table_of(cls, needed).entries.items():
        item = getattr(entry.form, "item", entry.form)
        (nested if isinstance(item, Table | Choice) else plain)[name] = entry
    return plain, nested


def _sets(cls: type) -> Mapping[str, tuple[str, float]]:
    return getattr(cls, "sets", {})


def _relaxed(entry: Entry, name: str, start: float) -> Entry:
    """Return the entry of a table, or of a list of them, where `name` is `start` if left out."""
    form: Any = entry.form
    if isinstance(form, Items):
        form = dataclasses.replace(form, item=_relaxed(Entry(form.item), name, start).form)
    else:
        relaxed = dataclasses.replace(form.entries[name], required=False, omitted=start)
        form = dataclasses.replace(form, entries={**form.entries, name: relaxed})
    return dataclasses.replace(entry, form=form)


def _conflicts(data: Mapping[str, Any], cls: type) -> list[str]:
    """Return a line for each field that is given twice, or not at all.

    A field may be given by a derived parameter in [device] that sets it.
    """
    device, lines = data.get("device", {}), []
    if not isinstance(device, Mapping):
        return []  # refused with its form
    for field in dict.fromkeys(field for field, _ in _sets(cls).values()):
        names = [name for name, (target, _) in _sets(cls).items() if target == field]
        given = [name for name in names if name in device]
        table, _, inner = field.partition(".")
        if not inner and len(given) + (field in device) != 1:
            words = " and ".join(f"`{name}`" for name in (field, *names))
            lines.append(f"`device` must hold exactly one of {words}")
        if not inner or not isinstance(data.get(table), list):
            continue
        holding = [isinstance(item, Mapping) and inner in item for item in data[table]]
        each = f"`{inner}` in each of [[{table}]]"
        if given and any(holding):
            words = " and ".join(f"`{name}`" for name in names)
            lines.append(f"the file must hold either [device] {words} or {each}, not both")
        elif not given and not all(holding):
            lines.append(f"the file must hold {each}, or [device] `{names[0]}`")
    return lines


def _sweep(kind: Kind) -> Table:
    """Return the form of [sweep]."""
    cls = kind.machine
    plain, beside = _parts(cls)
    labels, names = parameter_labels(cls), getattr(cls, "derived", {})
    derived = {name: Entry(number(labels[name][1]), False) for name in names}
    return sweep_table(cls.__name__, plain, beside, derived, kind.parameter)


# ---------------------------------------------------------------------------- JSON schema


def json_schema(machine: str | None = None, folder: Path | None = None) -> dict[str, Any]:
    """Return the JSON schema of parameter files: of all known machines, or of one.

    machine: as in a file; folder: in which "file.py:Class" is looked for.
    """
    names = list(MACHINES) if machine is None else [machine]
    definitions: Schema = {}
    references = {
        name: file_form(kind_of(name, folder or Path()), name).schema(definitions)["$ref"]
        for name in names
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "machine", "mapping": references},
        "$defs": definitions,
    }
