"""From the bytes of a parameter file to its tables: what is no parameter file ends here.

Nothing heavy is imported: machines' keys are looked up in `schema.json`, the schema of all files as
`wheelwork.cli.parameter_file` derives it. Their values are read there.
"""

import codecs
import json
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from wheelwork.cli.mistakes import (
    in_file,
    inside,
    unknown_key,
)
from wheelwork.errors import InvalidArgument, shown

Schema = dict[str, Any]
NAMES = ("flywheel", "rotor", "power-grid")  # of machines; `known.MACHINES` says what they are
SCHEMA = Path(__file__).with_name("schema.json")
OTHER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # UTF-32's begin with the first


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8, with a byte-order mark or without.

    Raises OSError, and ValueError with words that say what is wrong, and where.
    """
    content = path.read_bytes()
    if content.startswith(OTHER_MARKS) or b"\0" in content[:4]:
        raise ValueError("it is in UTF-16 or UTF-32: save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        line = content.count(b"\n", 0, reason.start) + 1
        column = reason.start - content.rfind(b"\n", 0, reason.start)
        raise ValueError(
            f"it is not text in UTF-8, from byte 0x{content[reason.start]:02x} at line {line}, "
            f"column {column}: save it as UTF-8"
        ) from None


def load_toml(text: str, path: Path) -> dict[str, Any]:
    """Return the tables of `text`, which was read from `path`.

    Raises InvalidArgument, with one line per mistake, where it is no TOML, names no machine, or has
    keys that a known machine does not have.
    """
    try:
        data = tomllib.loads(text)
    except ValueError as reason:  # also of a number with thousands of digits
        words = " ".join(str(reason).split())
        raise InvalidArgument(f"`FILE` must be valid TOML, but is not: {words} ({path})") from None
    except RecursionError:
        raise InvalidArgument(
            f"`FILE` must be valid TOML, but is nested too deeply ({path})"
        ) from None
    if "machine" not in data:
        raise InvalidArgument(f"`machine` is missing ({path})")
    require_name("machine", data["machine"], f" ({path})")
    if lines := list(unknown_keys(data)):
        raise in_file(lines, path)
    return data


def require_name(key: str, name: object, where: str = "") -> None:
    """Raise InvalidArgument unless `name`, the value of `key`, is in `NAMES` or has a colon."""
    if name not in NAMES and not (isinstance(name, str) and ":" in name):
        known = " or ".join(map(repr, NAMES))
        raise InvalidArgument(
            f"`{key}` must be {known} or 'module:Class', but is {shown(name)}{where}"
        )


# ---------------------------------------------------------------------------- keys


@cache
def stored_schema() -> Schema:
    """Return the JSON schema of the files of all known machines."""
    schema: Schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return schema


def unknown_keys(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each key that the schema does not have; of a class of the user, none."""
    whole = stored_schema()
    reference = whole["discriminator"]["mapping"].get(data["machine"])
    if reference is not None:
        yield from _unknown(data, {"$ref": reference}, "", whole["$defs"])


def _unknown(value: Any, form: Schema, key: str, definitions: Schema) -> Iterator[str]:
    if "oneOf" in form:
        form = _chosen(value, form["oneOf"], definitions)
    form = _resolved(form, definitions)
    if isinstance(value, list) and "items" in form:
        for i, item in enumerate(value):
            yield from _unknown(item, form["items"], f"{key}[{i}]", definitions)
    if isinstance(value, Mapping) and form.get("additionalProperties") is False:
        known = form["properties"]
        names = [name for name in known if name != "kind"]
        kind = value["kind"] if "kind" in value and "kind" in known else ""
        for name, inner in value.items():
            if name in known:
                yield from _unknown(inner, known[name], inside(key, name), definitions)
            else:
                yield unknown_key(key, name, names, kind)


def _resolved(form: Schema, definitions: Schema) -> Schema:
    reference = form.get("$ref", "").rpartition("/")[2]
    found: Schema = definitions[reference] if reference else form
    return found


def _chosen(value: Any, forms: list[Schema], definitions: Schema) -> Schema:
    """Return the form of the table `value` by its `kind`; an empty one where there is none."""
    kind = value.get("kind") if isinstance(value, Mapping) else None
    for form in (_resolved(each, definitions) for each in forms):
        named = form["properties"]["kind"]
        if named.get("const", kind) == kind and "const" in named:
            return form
        if kind is None and "kind" not in form["required"]:
            return form
    return {}
