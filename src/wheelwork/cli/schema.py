"""The JSON schema of parameter files, as stored in `schema.json`.

It follows from the declared fields of the machines and methods, but to derive it loads everything
that computes. A test compares the file with `parameter_file.json_schema`, and renews it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from wheelwork._deferred import Deferred
from wheelwork.cli.toml_text import NAMES, stored_schema

if TYPE_CHECKING:
    from wheelwork.cli import parameter_file
else:
    parameter_file = Deferred("wheelwork.cli.parameter_file")


def schema_of(machine: str | None = None) -> dict[str, Any]:
    """Return the schema of all known machines, or of one; of a class "module:Class" it is derived.

    Raises InvalidArgument for other names.
    """
    if machine is not None and machine not in NAMES:
        return parameter_file.json_schema(machine)
    whole = stored_schema()
    return whole if machine is None else _part(whole, machine)


def _part(whole: Mapping[str, Any], machine: str) -> dict[str, Any]:
    """Return the schema of one machine, with those definitions alone that it refers to."""
    reference = whole["discriminator"]["mapping"][machine]
    needed: dict[str, None] = {}
    waiting = [reference]
    while waiting:
        name = waiting.pop().rpartition("/")[2]
        if name not in needed:
            needed[name] = None
            waiting += _references(whole["$defs"][name])
    return {
        **whole,
        "oneOf": [{"$ref": reference}],
        "discriminator": {"propertyName": "machine", "mapping": {machine: reference}},
        "$defs": {name: part for name, part in whole["$defs"].items() if name in needed},
    }


def _references(part: Any) -> Iterator[str]:
    return (match[1] for match in re.finditer(r'"\$ref": "([^"]+)"', json.dumps(part)))
