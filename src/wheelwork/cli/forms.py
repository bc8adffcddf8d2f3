"""Forms of the values in a parameter file: how each is read, and its JSON schema.

Every mistake is one line that names the key, such as "`leads[0].temperature` must be positive, but
is -1.0". Forms know nothing of machines; `wheelwork.cli.declared` derives them from classes.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from wheelwork.cli.mistakes import (
    Mistakes,
    gathered,
    hint,
    inside,
    located,
    mistake,
    unknown_key,
)
from wheelwork.cli.quantities import (
    PLAIN,
    Dimension,
    UnitSystem,
    dimension_of,
    examples_of,
)
from wheelwork.errors import InvalidArgument, shown

Schema = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """Context of a value in a file: its units, and the folder of the file."""

    units: UnitSystem = field(default_factory=UnitSystem)
    folder: Path = field(default_factory=Path)


class Form(Protocol):
    """Rule for a value: how it is read, and its schema."""

    @property
    def expected(self) -> str:
        """What a value must be, as words after "must be"."""

    def read(self, value: Any, key: str, source: Source) -> Any:
        """Convert `value`, the content of `key`; raises `Mistakes`."""

    def schema(self, definitions: Schema) -> Schema:
        """Return the JSON schema; tables enter `definitions` and are referred to."""


@dataclass(frozen=True)
class Number:
    """A finite number, also as a text with a unit of its dimension, such as "20 mK".

    unit: as it is declared, in terms of "energy" and "length"; "1" for a number without any.
    """

    unit: str = "1"
    expected = "a finite number"

    @property
    def dimension(self) -> Dimension:
        return dimension_of(self.unit)

    def read(self, value: Any, key: str, source: Source) -> float:
        if isinstance(value, str):
            try:
                value = source.units.read(value, self.dimension)
            except InvalidArgument as reason:
                raise mistake(key, str(reason)) from None
        try:
            number = float(value) if type(value) in (int, float) else math.nan
        except OverflowError:  # an integer beyond 1.8e308
            number = math.inf
        if not math.isfinite(number):
            raise mistake(key, f"must be {self.expected}, but is {shown(value)}")
        return number

    def schema(self, definitions: Schema) -> Schema:
        if self.dimension == PLAIN:
            return {"type": "number"}
        return {
            "anyOf": [{"type": "number"}, {"type": "string"}],
            "description": f"a number, or a text with a unit: {examples_of(self.dimension)}",
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
    def expected(self) -> str:
        words = {bool: "true or false", int: "an integer", str: "a valid string"}[self.kind]
        if self.least is not None:
            words += f" of at least {self.least}"
        if self.most is not None:
            words += f" and at most {self.most}"
        return f"{words} that matches {self.pattern}" if self.pattern else words

    def read(self, value: Any, key: str, source: Source) -> Any:
        if type(value) is self.kind and self._allows(value):
            return value
        raise mistake(key, f"must be {self.expected}, but is {shown(value)}")

    def _allows(self, value: Any) -> bool:
        return (
            (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (not self.pattern or re.fullmatch(self.pattern, value) is not None)
        )

    def schema(self, definitions: Schema) -> Schema:
        kind = {bool: "boolean", int: "integer", str: "string"}[self.kind]
        pattern = f"^{self.pattern}$" if self.pattern else None
        return _given(type=kind, minimum=self.least, maximum=self.most, pattern=pattern)


@dataclass(frozen=True)
class OneOf:
    """One of several words or numbers."""

    values: tuple[Any, ...]

    @property
    def expected(self) -> str:
        return " or ".join(repr(value) for value in self.values)

    def read(self, value: Any, key: str, source: Source) -> Any:
        if not any(value == one and type(value) is type(one) for one in self.values):
            near = hint(value, self.values)
            raise mistake(key, f"must be {self.expected}, but is {shown(value)}{near}")
        return value

    def schema(self, definitions: Schema) -> Schema:
        return {"const": self.values[0]} if len(self.values) == 1 else {"enum": list(self.values)}


@dataclass(frozen=True)
class AnyOf:
    """A value that one of several forms accepts. words: instead of their `expected`."""

    forms: tuple[Form, ...]
    words: str = ""

    @property
    def expected(self) -> str:
        return self.words or " or ".join(form.expected for form in self.forms)

    def read(self, value: Any, key: str, source: Source) -> Any:
        for form in self.forms:
            try:
                return form.read(value, key, source)
            except Mistakes as reason:
                if isinstance(form, Number) and isinstance(value, str):
                    raise  # a text is a number with its unit, if these are alternatives
                if all(line.startswith((f"`{key}.", f"`{key}[")) for line in reason.lines):
                    raise  # it is of this form, with a mistake inside
        near = hint(value, (each for form in self.forms for each in getattr(form, "values", ())))
        raise mistake(key, f"must be {self.expected}, but is {shown(value)}{near}")

    def schema(self, definitions: Schema) -> Schema:
        return {"anyOf": [form.schema(definitions) for form in self.forms]}


@dataclass(frozen=True)
class Items:
    """A list. least, most: how many. build: what is made of the values read."""

    item: Form
    least: int = 0
    most: int | None = None
    build: Callable[[list[Any]], Any] = tuple
    expected = "a list"

    def read(self, value: Any, key: str, source: Source) -> Any:
        if not isinstance(value, list):
            raise mistake(key, f"must be a list, but is {shown(value)}")
        if not self.least <= len(value) <= (self.most or len(value)):
            few = len(value) < self.least
            bound, count = ("at least", self.least) if few else ("at most", self.most)
            items = "item" if count == 1 else "items"
            raise mistake(key, f"must hold {bound} {count} {items}, but holds {len(value)}")
        read: list[Any] = []
        lines: list[str] = []
        for i, item in enumerate(value):
            with gathered(lines):
                read.append(self.item.read(item, f"{key}[{i}]", source))
        if lines:
            raise Mistakes(lines)
        with located(key, {}):
            return self.build(read)

    def schema(self, definitions: Schema) -> Schema:
        limits = _given(minItems=self.least or None, maxItems=self.most)
        return {"type": "array", "items": self.item.schema(definitions), **limits}


def _given(**properties: Any) -> Schema:
    return {name: value for name, value in properties.items() if value is not None}


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

    def read(self, name: str, value: Any, key: str, source: Source) -> Any:
        """Convert and check `value`, given under `name`."""
        result = self.form.read(value, key, source)
        if self.check is None:
            return result
        with located(key, {name: key}):
            return self.check(name, result)

    def schema(self, definitions: Schema) -> Schema:
        """Return the JSON schema of the value, with its meaning."""
        schema = self.form.schema(definitions)
        words = [text for text in (self.meaning, schema.get("description")) if text]
        return schema | {"description": "; ".join(words)} if words else schema


@dataclass(frozen=True)
class Table:
    """A table; keys that it does not know are refused, and the nearest one it does is named.

    name: in the JSON schema. kind: that it was chosen by, if any. build: called with what was read;
    a Refusal, or an InvalidArgument that names an argument, becomes a mistake of the key.
    """

    name: str
    meaning: str
    entries: Mapping[str, Entry]
    build: Callable[..., Any] = dict
    kind: str = ""
    expected = "a table"

    def unknown(self, value: Mapping[str, Any], key: str, known: Iterable[str]) -> list[str]:
        """Return a line for each key of `value` that is not among `known`."""
        return [unknown_key(key, each, known, self.kind) for each in value if each not in known]

    def read(self, value: Any, key: str, source: Source) -> Any:
        if not isinstance(value, Mapping):
            raise mistake(key, f"must be a table, but is {shown(value)}")
        lines = self.unknown(value, key, self.entries)
        arguments, keys = {}, {}
        for name, entry in self.entries.items():
            argument, at = entry.argument or name, inside(key, name)
            keys[argument] = at
            if name in value:
                with gathered(lines):
                    arguments[argument] = entry.read(name, value[name], at, source)
            elif entry.required:
                lines.append(f"`{at}` is missing")
            elif entry.omitted is not None:
                arguments[argument] = entry.omitted
        if lines:
            raise Mistakes(lines)
        with located(key, keys):
            return self.build(**arguments)

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


@dataclass(frozen=True)
class Choice:
    """One of several tables, by its key `kind`.

    default: the kind of a table without one, if any. own: makes the table of a class that is named
    as `kind = "module:Class"`, from that text and the folder of the file.
    """

    kinds: Mapping[str, Table]
    default: str = ""
    own: Callable[[str, Path], Table] | None = None
    expected = "a table"

    def read(self, value: Any, key: str, source: Source) -> Any:
        if not isinstance(value, Mapping):
            raise mistake(key, f"must be a table, but is {shown(value)}")
        kind = value.get("kind", self.default)
        at = inside(key, "kind")
        if not kind:
            raise Mistakes([f"`{at}` is missing"])
        rest = {name: item for name, item in value.items() if name != "kind"}
        if isinstance(kind, str) and kind in self.kinds:
            return replace(self.kinds[kind], kind=kind).read(rest, key, source)
        if self.own is None or not isinstance(kind, str) or ":" not in kind:
            known = ", ".join(repr(name) for name in self.kinds)
            expected = f"one of {known}" if known else "the name of a class, 'module:Class'"
            near = hint(kind, self.kinds)
            raise mistake(at, f"must be {expected}, but is {shown(kind)}{near}")
        with located(at, {"name": at}):
            table = self.own(kind, source.folder)
        return table.read(rest, key, source)

    def schema(self, definitions: Schema) -> Schema:
        forms = []
        for kind, table in self.kinds.items():
            entries = {"kind": Entry(OneOf((kind,)), kind != self.default), **table.entries}
            # named apart from the table without a kind
            named = replace(table, name=f"{table.name}Table", entries=entries)
            forms.append(named.schema(definitions))
        if self.own is not None:
            own = {"type": "string", "pattern": ":", "description": "module:Class or file.py:Class"}
            forms.append({"type": "object", "properties": {"kind": own}, "required": ["kind"]})
        return forms[0] if len(forms) == 1 else {"oneOf": forms}
