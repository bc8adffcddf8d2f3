"""Forms of the values in a parameter file: how each is read, and its JSON schema.

Every mistake is one line that names the key, such as "`leads[0].temperature` must be positive, but
is -1.0". Forms know nothing of machines; `wheelwork.cli.declared` derives them from classes.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from wheelwork.cli.quantities import EnergyUnit, is_finite_number, nearest
from wheelwork.errors import InvalidArgument

Schema = dict[str, Any]


class Mistakes(InvalidArgument):
    """What is wrong in a file, one line each."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = list(lines)
        super().__init__("\n".join(self.lines))


class Refusal(InvalidArgument):
    """A mistake in words that read after the name of the key: "must hold ..."."""


def subject(key: str) -> str:
    """Return how a message names `key`; the empty one is the file itself."""
    return f"`{key}`" if key else "the file"


def inside(key: str, name: str) -> str:
    """Return the key of `name` in the table `key`."""
    return f"{key}.{name}" if key else name


def refused(key: str, words: str) -> Mistakes:
    """Return the mistake of one key."""
    return Mistakes([f"{subject(key)} {words}"])


@contextmanager
def located(key: str, keys: Mapping[str, str]) -> Iterator[None]:
    """Turn what a class refuses into a mistake of the key that its argument was read from.

    keys: argument -> key. A message that does not begin with an argument names `key` at its end.
    """
    try:
        yield
    except Mistakes:
        raise
    except Refusal as reason:
        raise refused(key, str(reason)) from None
    except ValueError as reason:  # as InvalidArgument is; a class of the user may know only this
        text = str(reason)
        start = re.match(r"`(\w+)`", text)
        if start is not None and start[1] in keys:
            raise Mistakes([f"`{keys[start[1]]}`{text[start.end() :]}"]) from None
        raise Mistakes([f"{text} (in {subject(key)})" if key else text]) from None


@dataclass(frozen=True)
class Source:
    """What a value in a file may depend on: the unit of energy, and the folder of the file."""

    unit: EnergyUnit = field(default_factory=EnergyUnit)
    folder: Path = field(default_factory=Path)


class Form(Protocol):
    """What a value may be."""

    @property
    def wish(self) -> str:
        """What a value must be, in words after "must be"."""

    def read(self, value: Any, key: str, source: Source) -> Any:
        """Return what `value`, the content of `key`, stands for; raises `Mistakes`."""

    def schema(self, definitions: Schema) -> Schema:
        """Return the JSON schema; tables enter `definitions` and are referred to."""


@dataclass(frozen=True)
class Number:
    """A finite number; where `energy`, also a text with a unit, such as "20 mK"."""

    energy: bool = False
    wish = "a finite number"

    def read(self, value: Any, key: str, source: Source) -> float:
        if self.energy and isinstance(value, str):
            try:
                value = source.unit.read(value)
            except InvalidArgument as reason:
                raise refused(key, str(reason)) from None
        if not is_finite_number(value):
            raise refused(key, f"must be {self.wish}, but is {value!r}")
        return float(value)

    def schema(self, definitions: Schema) -> Schema:
        if not self.energy:
            return {"type": "number"}
        return {
            "anyOf": [{"type": "number"}, {"type": "string"}],
            "description": 'a number, or a number with a unit such as "0.2 meV" or "20 mK"',
        }


@dataclass(frozen=True)
class Plain:
    """A value of one of the types that TOML knows.

    kind: bool, int or str. least, most: bounds of an integer. pattern: of a text.
    """

    kind: type
    least: int | None = None
    most: int | None = None
    pattern: str = ""

    @property
    def wish(self) -> str:
        words = {bool: "true or false", int: "an integer", str: "a valid string"}[self.kind]
        if self.least is not None:
            words += f" of at least {self.least}"
        if self.most is not None:
            words += f" and at most {self.most}"
        return f"{words} that matches {self.pattern}" if self.pattern else words

    def read(self, value: Any, key: str, source: Source) -> Any:
        if type(value) is not self.kind or not self._allows(value):
            raise refused(key, f"must be {self.wish}, but is {value!r}")
        return value

    def _allows(self, value: Any) -> bool:
        return (
            (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (not self.pattern or re.fullmatch(self.pattern, value) is not None)
        )

    def schema(self, definitions: Schema) -> Schema:
        schema: Schema = {"type": {bool: "boolean", int: "integer", str: "string"}[self.kind]}
        bounds = {"minimum": self.least, "maximum": self.most}
        schema |= {name: bound for name, bound in bounds.items() if bound is not None}
        return schema | ({"pattern": f"^{self.pattern}$"} if self.pattern else {})


@dataclass(frozen=True)
class OneOf:
    """One of several words or numbers."""

    values: tuple[Any, ...]

    @property
    def wish(self) -> str:
        return " or ".join(repr(value) for value in self.values)

    def read(self, value: Any, key: str, source: Source) -> Any:
        if not any(value == one and type(value) is type(one) for one in self.values):
            raise refused(key, f"must be {self.wish}, but is {value!r}")
        return value

    def schema(self, definitions: Schema) -> Schema:
        return {"const": self.values[0]} if len(self.values) == 1 else {"enum": list(self.values)}


@dataclass(frozen=True)
class AnyOf:
    """What one of several forms takes: the first that does."""

    forms: tuple[Form, ...]

    @property
    def wish(self) -> str:
        return " or ".join(form.wish for form in self.forms)

    def read(self, value: Any, key: str, source: Source) -> Any:
        for form in self.forms:
            try:
                return form.read(value, key, source)
            except Mistakes:
                continue
        raise refused(key, f"must be {self.wish}, but is {value!r}")

    def schema(self, definitions: Schema) -> Schema:
        return {"anyOf": [form.schema(definitions) for form in self.forms]}


@dataclass(frozen=True)
class Items:
    """A list. least, most: how many. build: what is made of the values read."""

    item: Form
    least: int = 0
    most: int | None = None
    build: Callable[[list[Any]], Any] = tuple
    wish = "a list"

    def read(self, value: Any, key: str, source: Source) -> Any:
        if not isinstance(value, list):
            raise refused(key, f"must be a list, but is {value!r}")
        if not self.least <= len(value) <= (self.most or len(value)):
            bound = "at least" if len(value) < self.least else "at most"
            count = self.least if len(value) < self.least else self.most
            items = "item" if count == 1 else "items"
            raise refused(key, f"must hold {bound} {count} {items}, but holds {len(value)}")
        read, lines = [], []
        for i, item in enumerate(value):
            try:
                read.append(self.item.read(item, f"{key}[{i}]", source))
            except Mistakes as reason:
                lines += reason.lines
        if lines:
            raise Mistakes(lines)
        with located(key, {}):
            return self.build(read)

    def schema(self, definitions: Schema) -> Schema:
        bounds = {"minItems": self.least or None, "maxItems": self.most}
        limits = {name: bound for name, bound in bounds.items() if bound is not None}
        return {"type": "array", "items": self.item.schema(definitions), **limits}


@dataclass(frozen=True)
class Entry:
    """A key of a table.

    required: whether it must be there. omitted: the value where it is not, if `Table.build` needs
    one. argument: what `Table.build` calls it, if not by its key. check: name, value -> the value
    to keep, run where the value has been read. meaning: in words.
    """

    form: Form
    required: bool = True
    omitted: Any = None
    argument: str = ""
    check: Callable[[str, Any], Any] | None = None
    meaning: str = ""

    def schema(self, definitions: Schema) -> Schema:
        """Return the JSON schema of the value, with what it means."""
        schema = self.form.schema(definitions)
        words = [text for text in (self.meaning, schema.get("description")) if text]
        return schema | {"description": "; ".join(words)} if words else schema


@dataclass(frozen=True)
class Table:
    """A table; keys that it does not know are refused, and the nearest one it does is named.

    name: in the JSON schema. build: called with what was read; a Refusal, or an InvalidArgument
    that names an argument, becomes a mistake of the key.
    """

    name: str
    meaning: str
    entries: Mapping[str, Entry]
    build: Callable[..., Any] = dict
    wish = "a table"

    def read(self, value: Any, key: str, source: Source) -> Any:
        if not isinstance(value, Mapping):
            raise refused(key, f"must be a table, but is {value!r}")
        lines = [self._unknown(name, key) for name in value if name not in self.entries]
        arguments = {}
        for name, entry in self.entries.items():
            if name not in value:
                if entry.required:
                    lines.append(f"`{inside(key, name)}` is missing")
                elif entry.omitted is not None:
                    arguments[entry.argument or name] = entry.omitted
                continue
            try:
                arguments[entry.argument or name] = _checked(
                    entry, name, value[name], inside(key, name), source
                )
            except Mistakes as reason:
                lines += reason.lines
        if lines:
            raise Mistakes(lines)
        with located(key, self.keys(key)):
            return self.build(**arguments)

    def _unknown(self, name: str, key: str) -> str:
        words = f"{subject(key)} has no key `{name}`"
        if not self.entries:
            return words
        return f"{words}; the nearest valid key is `{nearest(name, self.entries)}`"

    def keys(self, key: str) -> dict[str, str]:
        """Return the key in the file of every argument of `build`, in a table named `key`."""
        return {entry.argument or name: inside(key, name) for name, entry in self.entries.items()}

    def with_entry(self, name: str, entry: Entry) -> "Table":
        """Return the table with another key, before its own."""
        return replace(self, entries={name: entry, **self.entries})

    def schema(self, definitions: Schema) -> Schema:
        if self.name not in definitions:
            definitions[self.name] = {}  # before its entries, which may refer to it
            definitions[self.name] = {
                "type": "object",
                "title": self.name,
                "description": self.meaning,
                "additionalProperties": False,
                "properties": {
                    name: entry.schema(definitions) for name, entry in self.entries.items()
                },
                "required": [name for name, entry in self.entries.items() if entry.required],
            }
        return {"$ref": f"#/$defs/{self.name}"}


def _checked(entry: Entry, name: str, value: Any, key: str, source: Source) -> Any:
    result = entry.form.read(value, key, source)
    if entry.check is None:
        return result
    with located(key, {name: key}):
        return entry.check(name, result)


@dataclass(frozen=True)
class Choice:
    """One of several tables, by its key `kind`.

    default: the kind of a table without one, if any. own: makes the table of a class that is named
    as `kind = "module:Class"`, from that text and the folder of the file.
    """

    kinds: Mapping[str, Table]
    default: str = ""
    own: Callable[[str, Path], Table] | None = None
    wish = "a table"

    def read(self, value: Any, key: str, source: Source) -> Any:
        if not isinstance(value, Mapping):
            raise refused(key, f"must be a table, but is {value!r}")
        kind = value.get("kind", self.default)
        at = inside(key, "kind")
        if not kind:
            raise Mistakes([f"`{at}` is missing"])
        rest = {name: item for name, item in value.items() if name != "kind"}
        if isinstance(kind, str) and kind in self.kinds:
            return self.kinds[kind].read(rest, key, source)
        if self.own is None or not isinstance(kind, str) or ":" not in kind:
            known = ", ".join(repr(name) for name in self.kinds)
            wish = f"one of {known}" if known else "the name of a class, 'module:Class'"
            raise refused(at, f"must be {wish}, but is {kind!r}")
        with located(at, {"name": at}):
            table = self.own(kind, source.folder)
        return table.read(rest, key, source)

    def schema(self, definitions: Schema) -> Schema:
        forms = []
        for kind, table in self.kinds.items():
            entry = Entry(OneOf((kind,)), kind != self.default)
            named = replace(table, name=f"{table.name}Table")  # apart from one without a kind
            forms.append(named.with_entry("kind", entry).schema(definitions))
        if self.own is not None:
            own = {"type": "string", "pattern": ":", "description": "module:Class or file.py:Class"}
            forms.append({"type": "object", "properties": {"kind": own}, "required": ["kind"]})
        return forms[0] if len(forms) == 1 else {"oneOf": forms}
