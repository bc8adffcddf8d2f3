"""Names of parameters inside parameters, such as "leads[0].temperature"."""

import dataclasses
import functools
import re
from collections.abc import Mapping
from typing import Any, get_type_hints

from wheelwork.errors import InvalidArgument, nearest_hint, shown
from wheelwork.parameters import declarations
from wheelwork.results import Label
from wheelwork.verbs import AnyState_co, Machine

_STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\[\]]+)\]")  # ".name", "name" or "[key]"


def replace_at(
    machine: Machine[AnyState_co], parameters: Mapping[str, float]
) -> Machine[AnyState_co]:
    """Return `machine` with `parameters` changed, nested ones after all others.

    A name goes to `machine.replace` as it is, unless it begins with a field of the machine and
    continues into it: "leads[0].temperature", "generators[7].rate". Fields of dataclasses, items
    of tuples and lists, and values of mappings (by the text of their keys) can be reached.
    Raises InvalidArgument where a name does not exist, and what the machine and its parts raise.
    """
    whole = {name: _as_declared(machine, name, value, name) for name, value in parameters.items()}
    plain = {name: value for name, value in whole.items() if not _is_nested(machine, name)}
    changed = machine.replace(**plain) if plain else machine
    for name, value in whole.items():
        if name not in plain:
            first, *rest = _steps(name)
            try:
                part = _replaced(getattr(changed, first), rest, value, name)
                changed = changed.replace(**{first: part})
            except InvalidArgument as reason:
                raise InvalidArgument(_in_full(str(reason), rest[-1], name)) from None
    return changed


def label_at(machine: Any, name: str) -> Label | None:
    """Return the label of a nested parameter of `machine`, None where there is none.

    The long name is followed by the name in brackets, as several parts may have such a parameter.
    """
    owner: Any = machine
    field = name
    try:
        if _is_nested(machine, name):
            *steps, field = _steps(name)
            for step in steps:
                owner = _inside(owner, step)
            cls: type = type(owner)
            label = declarations(cls)[field].label
        else:  # "extraction[7]": known to the class of the machine
            label = machine.parameter_labels()[name.partition("[")[0]]
    except (InvalidArgument, AttributeError, LookupError, TypeError, ValueError, StopIteration):
        return None
    symbol, unit, meaning = label
    return symbol, unit, f"{meaning} ({name})"


def _as_declared(owner: Any, field: str, value: float, name: str) -> float:
    """Return `value`, as an int where a dataclass declares `field` so; refuses other numbers."""
    cls: type = type(owner)
    if _types(cls).get(field) is not int:
        return value
    if not float(value).is_integer():
        raise InvalidArgument(f"`{name}` must be an integer, but is {shown(value)}")
    return int(value)


@functools.cache
def _types(cls: type) -> Mapping[str, Any]:
    """Types of the fields of a dataclass by name; none where they cannot be told."""
    try:
        return get_type_hints(cls) if dataclasses.is_dataclass(cls) else {}
    except (NameError, TypeError):
        return {}


def _in_full(text: str, last: str, name: str) -> str:
    """Return a message on the parameter `last` of a part as one on `name`."""
    return f"`{name}`{text.removeprefix(f'`{last}`')}" if text.startswith(f"`{last}`") else text


def _is_nested(machine: Any, name: str) -> bool:
    first = re.split(r"[.\[]", name, maxsplit=1)[0]
    return first != name and first in getattr(machine, "__dataclass_fields__", {})


def _steps(name: str) -> list[str]:
    """Return "leads[0].temperature" as ["leads", "0", "temperature"]."""
    steps, position = [], 0
    while position < len(name):
        step = _STEP.match(name, position)
        if step is None:
            raise InvalidArgument(f"`{name:.80}` must read like leads[0].temperature, but does not")
        steps.append(step[1] or step[2])
        position = step.end()
    return steps


def _inside(part: Any, step: str) -> Any:
    """Return what one step leads to."""
    if isinstance(part, Mapping):
        return next(value for key, value in part.items() if str(key) == step)
    return part[int(step)] if isinstance(part, tuple | list) else getattr(part, step)


def _replaced(part: Any, steps: list[str], value: float, name: str) -> Any:
    """Return `part` with what `steps` lead to replaced by `value`."""
    if not steps:
        return value
    step, *rest = steps
    if isinstance(part, Mapping):
        keys = [key for key in part if str(key) == step]
        if len(keys) == 1:
            return {**part, keys[0]: _replaced(part[keys[0]], rest, value, name)}
    elif isinstance(part, tuple | list):
        if step.isdecimal() and int(step) < len(part):
            items = list(part)
            items[int(step)] = _replaced(items[int(step)], rest, value, name)
            return type(part)(items)
    elif dataclasses.is_dataclass(part) and step in {f.name for f in dataclasses.fields(part)}:
        value = value if rest else _as_declared(part, step, value, name)
        inner = _replaced(getattr(part, step), rest, value, name)
        return dataclasses.replace(part, **{step: inner})  # type: ignore[type-var]
    raise InvalidArgument(
        f"`{name:.80}` must lead to a parameter, but there is no `{step:.80}` in {shown(part)}"
        f"{nearest_hint(step, _names_in(part))}"
    )


def _names_in(part: Any) -> list[str]:
    """The steps that `part` allows, as far as they have names."""
    if isinstance(part, Mapping):
        return [str(key) for key in part]
    return (
        [each.name for each in dataclasses.fields(part)] if dataclasses.is_dataclass(part) else []
    )
