"""Forms of values that TOML has no type for: members of enums, numbers by node, and none at all."""

import ast
import contextlib
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from wheelwork.cli.forms import (
    Form,
    Schema,
    Source,
)
from wheelwork.cli.mistakes import (
    Mistakes,
    gathered,
    inside,
    mistake,
)
from wheelwork.errors import shown

LONGEST = 200  # characters of a node that a key writes down


@dataclass(frozen=True)
class Member:
    """A member of an enum, by its value where that is a text, or else by its name."""

    kind: type[Enum]

    @property
    def words(self) -> dict[str, Enum]:
        values = [(one.value, one) for one in self.kind if isinstance(one.value, str)]
        return {**{one.name: one for one in self.kind}, **dict(values)}

    @property
    def expected(self) -> str:
        named = (one.value if isinstance(one.value, str) else one.name for one in self.kind)
        return " or ".join(map(repr, named))

    def read(self, value: Any, key: str, source: Source) -> Enum:
        if not isinstance(value, str) or value not in self.words:
            raise mistake(key, f"must be {self.expected}, but is {shown(value)}")
        return self.words[value]

    def schema(self, definitions: Schema) -> Schema:
        return {"enum": list(self.words)}


@dataclass(frozen=True)
class Closed:
    """A field that no file can hold, and that may be left out. kind: its type in words."""

    kind: str
    expected = "left out"

    def read(self, value: Any, key: str, source: Source) -> Any:
        raise mistake(key, f"must be left out, since a file cannot hold a {self.kind}")

    def schema(self, definitions: Schema) -> Schema:
        return {"not": {}, "description": "cannot be set from a file"}


@dataclass(frozen=True)
class ByNode:
    """A table of numbers by node, such as {1 = 0.1, "(0, 1)" = 0.2, a = 0.3}.

    A key of digits is an integer; one in parentheses or quotes is read as a Python literal.
    """

    number: Form
    expected = "a table of numbers by node"

    def read(self, value: Any, key: str, source: Source) -> dict[Hashable, Any]:
        if not isinstance(value, Mapping) or not value:
            raise mistake(key, f"must be {self.expected}, but is {shown(value)}")
        lines: list[str] = []
        numbers: dict[Hashable, Any] = {}
        for node, one in value.items():
            with gathered(lines):
                numbers[_node(node)] = self.number.read(one, inside(key, node), source)
        if lines:
            raise Mistakes(lines)
        return numbers

    def schema(self, definitions: Schema) -> Schema:
        return {"type": "object", "additionalProperties": self.number.schema(definitions)}


def _node(key: str) -> Hashable:
    """What a key stands for; a tuple, or text of digits, is written as Python writes it."""
    if re.fullmatch(r"-?[0-9]{1,18}", key):
        return int(key)
    if re.fullmatch(r"\(.*\)|'.*'|\".*\"", key) and len(key) < LONGEST:
        with contextlib.suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            node: Hashable = ast.literal_eval(key)
            hash(node)  # a TypeError for a list inside
            return node
    return key
