"""Parameters inside parameters, such as "leads[0].temperature"."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from wheelwork.errors import InvalidArgument
from wheelwork.verbs import AnyState_co, Machine

_STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\[\]]+)\]")


def replace_at(
    machine: Machine[AnyState_co], parameters: Mapping[str, float]
) -> Machine[AnyState_co]:
    """Return `machine` with `parameters` changed, nested ones after all others.

    A name goes to `machine.replace` as it is, unless it starts with a field of the machine and
    leads on into it: "leads[0].temperature", "generators[7].rate". Dataclasses, tuples, lists and
    mappings (by the text of their keys) can be entered.
    Raises InvalidArgument where a name leads nowhere, and what the machine and its parts raise.
    """
    plain = {name: value for name, value in parameters.items() if not _leads_inside(machine, name)}
    changed = machine.replace(**plain) if plain else machine
    for name, value in parameters.items():
        if name not in plain:
            first, *rest = _steps(name)
            part = _changed(getattr(changed, first), rest, value, name)
            changed = changed.replace(**{first: part})
    return changed


def _leads_inside(machine: Any, name: str) -> bool:
    first = re.split(r"[.\[]", name, maxsplit=1)[0]
    return first != name and first in getattr(machine, "__dataclass_fields__", {})


def _steps(name: str) -> list[str]:
    found, place = [], 0
    while place < len(name):
        step = _STEP.match(name, place)
        if step is None:
            raise InvalidArgument(f"`{name}` must read like leads[0].temperature, but does not")
        found.append(step[1] or step[2])
        place = step.end()
    return found


def _changed(part: Any, steps: list[str], value: float, name: str) -> Any:
    if not steps:
        return value
    step, *rest = steps
    if isinstance(part, Mapping):
        keys = [key for key in part if str(key) == step]
        if len(keys) == 1:
            return {**part, keys[0]: _changed(part[keys[0]], rest, value, name)}
    elif isinstance(part, tuple | list):
        if step.isdecimal() and int(step) < len(part):
            items = list(part)
            items[int(step)] = _changed(items[int(step)], rest, value, name)
            return type(part)(items)
    elif dataclasses.is_dataclass(part) and step in {f.name for f in dataclasses.fields(part)}:
        inner = _changed(getattr(part, step), rest, value, name)
        return dataclasses.replace(part, **{step: inner})  # type: ignore[type-var]
    raise InvalidArgument(
        f"`{name}` must lead to a parameter, but there is no `{step}` in {part!r}"
    )
