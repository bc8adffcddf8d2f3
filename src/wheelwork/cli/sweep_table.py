"""The table [sweep] of a parameter file: the parameter to vary, and its values.

The values are read as those of the parameter: with units where it is an energy or a rate, as
integers where its field is one.
"""

import copy
import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.cli.forms import (
    AnyOf,
    Choice,
    Entry,
    Form,
    Items,
    Number,
    OneOf,
    Plain,
    Source,
    Table,
)
from wheelwork.cli.mistakes import (
    Refusal,
)
from wheelwork.cli.quantities import PLAIN
from wheelwork.cli.special_forms import ByNode

MOST_POINTS = 1_000_000  # of a sweep: a longer one is almost certainly a typo
ANY_NUMBER = Number("energy")  # of a parameter that only a class of the user knows

Fields = Mapping[str, Entry]


@dataclasses.dataclass(frozen=True)
class SweepTable(Table):
    """A table whose `start`, `stop` and `values` depend on its `parameter`.

    value_of: the form of one value, by the name of the parameter.
    """

    value_of: Callable[[str], Form] = lambda name: ANY_NUMBER

    def read(self, value: Any, key: str, source: Source) -> Any:
        name = self.entries["parameter"].omitted
        name = value.get("parameter", name) if isinstance(value, Mapping) else None
        if not isinstance(name, str):
            return super().read(value, key, source)
        form = self.value_of(name)
        entries = {**self.entries, **_values(form)}
        build = _whole if isinstance(form, Plain) else _swept
        return Table(self.name, self.meaning, entries, build).read(value, key, source)


def sweep_table(name: str, plain: Fields, beside: Fields, derived: Fields, default: str) -> Table:
    """Return the form of [sweep] for a machine.

    name: of its class. plain, beside: entries of its fields, as numbers and as tables.
    derived: of its derived parameters. default: the parameter where a file names none.
    """
    numbers = {name: entry for name, entry in plain.items() if is_number(entry.form)}
    parameter = _parameter_name(beside, {**derived, **numbers})
    entries = {
        "parameter": Entry(parameter, not default, default or None),
        "points": Entry(Plain(int, least=1, most=MOST_POINTS), False),
        **_values(ANY_NUMBER),
    }
    meaning = "The parameter to vary, and its values: a list, or `points` from `start` to `stop`."
    fields = {**beside, **plain, **derived}
    return SweepTable(
        f"{name}Sweep", meaning, entries, _swept, value_of=lambda name: _value_of(name, fields)
    )


def is_number(form: Form) -> bool:
    """Whether a value of this form may be a number."""
    if isinstance(form, AnyOf):
        return any(is_number(one) for one in form.forms)
    return isinstance(form, Number) or (isinstance(form, Plain) and form.kind is int)


def _values(form: Form) -> dict[str, Entry]:
    return {
        "start": Entry(form, False),
        "stop": Entry(form, False),
        "values": Entry(Items(form, least=1), False),
    }


def _parameter_name(beside: Fields, numbers: Fields) -> AnyOf:
    """Names that may be swept: numbers, with an optional index, and those of nested tables."""
    pattern, expected = rf"({'|'.join(numbers)})(\[[^\]]+\])?", ", ".join(map(repr, numbers))
    parts, examples = [], []
    for name, entry in beside.items():
        listed = isinstance(entry.form, Items)
        parts.append(rf"{name}\[[^\]]+\]" if listed else name)
        fields = getattr(getattr(entry.form, "item", entry.form), "entries", {})
        inner = (one for one, each in fields.items() if is_number(each.form))
        examples += [f"{name}[0].{one}" if listed else f"{name}.{one}" for one in inner]
    if parts:
        pattern = rf"({pattern}|({'|'.join(parts)})(\[[^\]]+\]|\.\w+)+)"
    if examples:
        expected = f"{expected} or such as {examples[0]!r}"
    return AnyOf((OneOf(tuple(numbers)), Plain(str, pattern=pattern)), expected)


def _value_of(name: str, fields: Fields) -> Form:
    """Return the form of a value of the parameter `name`."""
    first, *steps = _steps(name)
    forms = [fields[first].form] if first in fields else []
    for step in steps:
        forms = [inner for form in forms for inner in _inside(form, step)]
    found = [number for form in forms for number in _numbers(form)]
    numbers = [number for number in found if isinstance(number, Number)]
    with_units = [number for number in numbers if number.dimension != PLAIN]
    return (with_units or numbers or found or [ANY_NUMBER])[0]


def _steps(name: str) -> list[str]:
    """Return "leads[0].temperature" as "leads", "[0]", "temperature"."""
    return re.findall(r"\[[^\]]*\]|[^.\[\]]+", name) or [""]


def _inside(form: Form, step: str) -> Iterator[Form]:
    """Yield what one step, ".name" or "[index]", may lead to."""
    if isinstance(form, AnyOf):
        for one in form.forms:
            yield from _inside(one, step)
    elif isinstance(form, Items) and step.startswith("["):
        yield form.item
    elif isinstance(form, ByNode):
        yield form.number
    elif isinstance(form, Choice):
        for table in form.kinds.values():
            yield from _inside(table, step)
    elif isinstance(form, Table) and step in form.entries:
        yield form.entries[step].form
    elif is_number(form) and step.startswith("["):  # "extraction[7]"
        yield form


def _numbers(form: Form) -> list[Form]:
    if isinstance(form, AnyOf):
        return [number for one in form.forms for number in _numbers(one)]
    return [form] if is_number(form) else []


def _swept(parameter: str, **given: Any) -> tuple[str, FloatArray]:
    """Return the parameter and its values, in order."""
    ends = given.keys() & {"start", "stop", "points"}
    if "values" in given and ends:
        raise Refusal("must hold either `values` or `start`, `stop`, `points`, not both")
    if "values" in given:
        return parameter, np.array(given["values"], dtype=np.float64)
    if len(ends) < 3:
        raise Refusal("must hold `start`, `stop` and `points`, or `values`")
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.linspace(given["start"], given["stop"], given["points"], dtype=np.float64)
    if not np.all(np.isfinite(values)):
        raise Refusal("must hold `start` and `stop` whose difference is a number")
    return parameter, values


def _whole(parameter: str, **given: Any) -> tuple[str, FloatArray]:
    """Return the same of a parameter that takes integers only."""
    name, values = _swept(parameter, **{n: _exact(value) for n, value in given.items()})
    odd = values[values != np.floor(values)]
    if odd.size:
        raise Refusal(f"must give integers to `{name}`, but gives {odd[0]:g}")
    return name, values


def _exact(value: Any) -> Any:
    """Return integers that are floats as well; refuses others."""
    for one in value if isinstance(value, tuple) else (value,):
        if abs(one) > 2**53:
            raise Refusal("must hold integers that double precision can")
    return value


# ---------------------------------------------------------------------------- a value left out


@dataclasses.dataclass(frozen=True)
class Filled:
    """A file whose swept parameter, where it must be given and is not, has its first swept value.

    key: where that value was put, empty if nowhere. origin: the key that it is from.
    """

    data: Mapping[str, Any]
    key: str = ""
    origin: str = ""

    def told(self, lines: list[str]) -> list[str]:
        """Return lines of mistakes that name `origin` for `key`, each once."""
        start, instead = f"`{self.key}`", f"`{self.origin}`"
        same = (instead + line.removeprefix(start) if line.startswith(start) else line
                for line in lines)  # fmt: skip
        return list(dict.fromkeys(same if self.key else lines))


def with_swept_value(
    data: Mapping[str, Any], form: Table, default: str, sets: Mapping[str, tuple[str, float]]
) -> Filled:
    """Return the file with a value for the swept parameter, which need not stand elsewhere too.

    form: of the file. default: the parameter where it names none. sets: of the machine, see
    `Parameters`: a parameter that sets a field must be given where the field is not.
    """
    sweep = data.get("sweep")
    if not isinstance(sweep, Mapping):
        return Filled(data)
    name, values = sweep.get("parameter", default), sweep.get("values")
    listed = isinstance(values, list) and values
    origin = "sweep.values[0]" if listed else "sweep.start"
    first = values[0] if isinstance(values, list) and values else sweep.get("start")
    if not isinstance(name, str) or first is None or _is_set(name, data, sets):
        return Filled(data)
    steps = _steps(name)
    steps = steps if steps[0] in form.entries and len(steps) > 1 else ["device", *steps]
    filled = copy.deepcopy(dict(data))
    table, held = _table_at(form, filled, steps[:-1])
    entry = table.entries.get(steps[-1]) if table is not None else None
    needed = entry is not None and (entry.required or steps[-1] in sets or name in _targets(sets))
    if not needed or steps[-1] in held:
        return Filled(data)
    held[steps[-1]] = first
    return Filled(filled, ".".join(steps).replace(".[", "["), origin)


def _targets(sets: Mapping[str, tuple[str, float]]) -> set[str]:
    return {field for field, _ in sets.values()}


def _is_set(name: str, data: Mapping[str, Any], sets: Mapping[str, tuple[str, float]]) -> bool:
    """Whether another key of the file gives what the parameter `name` does."""
    plain = re.sub(r"\[[^\]]*\]", "", name)
    field = sets[name][0] if name in sets else plain
    device = data.get("device")
    device = device if isinstance(device, Mapping) else {}
    table, _, inner = field.partition(".")
    others = [each for each, (target, _) in sets.items() if target == field and each in device]
    if name not in sets:
        return bool(others)
    items = data.get(table) if inner else None
    holds = [isinstance(item, Mapping) and inner in item
             for item in (items if isinstance(items, list) else [])]  # fmt: skip
    return field in device or any(holds) or bool(others and not inner)


def _table_at(form: Any, value: Any, steps: list[str]) -> tuple[Table | None, dict[str, Any]]:
    """Return the table that `steps` lead to, its form and its content; None where there is none."""
    for step in steps:
        if isinstance(form, Table) and isinstance(value, dict) and step in form.entries:
            form = form.entries[step].form
            value = value.setdefault(step, {}) if step == "device" else value.get(step)
        elif isinstance(form, Items) and isinstance(value, list) and step.startswith("["):
            form, value = form.item, _item(value, step[1:-1])
        else:
            return None, {}
        if isinstance(form, Choice) and isinstance(value, dict):
            kind = value.get("kind", form.default)
            form = form.kinds.get(kind) if isinstance(kind, str) else None
    return (form, value) if isinstance(form, Table) and isinstance(value, dict) else (None, {})


def _item(items: list[Any], index: str) -> Any:
    """Return the table of a list by its `node`, where it has one, or by its position."""
    named = [each for each in items if isinstance(each, dict) and "node" in each]
    if named:
        return next((each for each in named if str(each["node"]) == index), None)
    return items[int(index)] if index.isdecimal() and int(index[:9]) < len(items) else None
