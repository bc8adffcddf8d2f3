"""Forms derived from classes: a file may hold what the fields of a dataclass take.

A field's type says what it is, its declaration (`wheelwork.parameters.parameter`) its unit, meaning
and check. A class without declarations, such as a method, needs types only.
"""

import dataclasses
import inspect
import re
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import networkx as nx

from wheelwork.cli.forms import (
    AnyOf,
    Choice,
    Entry,
    Form,
    Items,
    Number,
    OneOf,
    Plain,
    Schema,
    Source,
    Table,
)
from wheelwork.cli.known import KINDS, load_class
from wheelwork.cli.mistakes import (
    Mistakes,
    Refusal,
    inside,
    mistake,
)
from wheelwork.cli.quantities import PLAIN, dimension_of
from wheelwork.cli.special_forms import ByNode, Closed, Member
from wheelwork.cli.toml_text import read_text
from wheelwork.errors import InvalidArgument, shown
from wheelwork.parameters import Parameter, declarations

LISTS = (list, Sequence)

TEXT = Plain(str)
NAME = AnyOf((Plain(int), TEXT))
NODE = AnyOf((NAME, Items(NAME, least=1)), "an integer, text, or a list of these")
EDGES = Items(Items(NODE, 2, 2), least=1, build=nx.Graph)

_in_progress: list[type] = []  # classes whose tables are being made, each within the one before


def table_of(cls: type, needed: Collection[str] = ()) -> Table:
    """Return the table with a key for every field of the dataclass `cls` that a file can hold.

    needed: fields that must be given though the class has a default. Where all that must be given
    are lists of numbers, a CSV file may hold them (see `ColumnTable`).
    Raises InvalidArgument for what is no dataclass, and for a field without a default of a type
    that no file can hold, such as that of the class itself.
    """
    if not dataclasses.is_dataclass(cls):
        raise InvalidArgument(f"`{cls.__name__}` must be a dataclass to be described in a file")
    hints, declared = _hints(cls), declarations(cls)
    entries: dict[str, Entry] = {}
    _in_progress.append(cls)
    try:
        for field in (field for field in dataclasses.fields(cls) if field.init):
            name = field.name
            required = field.default is field.default_factory is dataclasses.MISSING
            required = required or name in needed
            entries |= _entry(cls, name, hints[name], required, declared.get(name))
    finally:
        _in_progress.pop()
    forms = [entry.form for entry in entries.values() if entry.required]
    columns = len(forms) > 1 and all(_is_column(form) for form in forms)
    kind = ColumnTable if columns else Table
    return kind(cls.__name__, purpose(cls), entries, cls)


def table_of_call(call: Callable[..., Any], cls: type) -> Table:
    """Return the table with a key for every argument of `call`, a classmethod that makes a `cls`.

    Units and meanings are those of the parameters of `cls` with the same names.
    """
    hints, labels = _hints(call), parameter_labels(cls)
    entries: dict[str, Entry] = {}
    for name, argument in inspect.signature(call).parameters.items():
        declared = Parameter(*labels[name]) if name in labels else None
        required = argument.default is argument.empty
        entries |= _entry(cls, name, hints[name], required, declared)
    name = f"{cls.__name__}{call.__name__.title()}"
    return Table(name, purpose(call), entries, call)


def parameter_labels(cls: Any) -> Mapping[str, tuple[str, str, str]]:
    return cls.parameter_labels() if hasattr(cls, "parameter_labels") else {}


def number(unit: str) -> Number:
    """Return the form of a number that is declared with `unit`."""
    return Number(unit if dimension_of(unit) != PLAIN else "1")


def choice(kinds: Mapping[str, type], default: str = "") -> Choice:
    """Return the choice between the tables of several classes, or a class that a user names."""

    def own(name: str, folder: Path) -> Table:
        return table_of(load_class(name, folder))

    return Choice({kind: table_of(cls) for kind, cls in kinds.items()}, default, own)


def purpose(described: Any) -> str:
    """Return the first paragraph of a docstring, as one line."""
    return " ".join((inspect.getdoc(described) or "").partition("\n\n")[0].split())


def _hints(described: Any) -> dict[str, Any]:
    try:
        return get_type_hints(described)
    except NameError as reason:
        raise InvalidArgument(
            f"`{described.__name__}` must have types that exist at run time, but {reason}"
        ) from None


def _entry(
    cls: type, name: str, hint: Any, required: bool, declared: Parameter | None
) -> dict[str, Entry]:
    """Return the entry of one field by its key, or none where a file cannot hold it."""
    if hint is nx.Graph:
        return {"edges": Entry(EDGES, required, argument=name, meaning="pairs of nodes")}
    form = form_of(hint, declared)
    if form is None:
        if required:
            raise InvalidArgument(
                f"`{cls.__name__}` must have fields that a file can hold, but `{name}` is "
                f"{hint!s:.80}"
            )
        return {name: Entry(Closed(getattr(hint, "__name__", str(hint))), False)}
    if declared is None:
        return {name: Entry(form, required)}
    omitted = declared.omitted if required else None
    required = required and omitted is None
    check = declared.check if isinstance(form, Number | Plain) else None
    return {name: Entry(form, required, omitted, check=check, meaning=declared.meaning)}


def form_of(hint: Any, declared: Parameter | None = None) -> Form | None:
    """Return the form of values of the type `hint`, None where a file cannot hold them."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _union(arguments, declared)
    if origin is Literal:
        return OneOf(arguments)
    if (origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis) or origin in LISTS:
        item = form_of(arguments[0], declared)
        return item and Items(item, build=list if origin is list else tuple)
    if origin is tuple:
        items = [form_of(one, declared) for one in arguments]
        alike = all(item == items[0] for item in items)
        return Items(items[0], len(items), len(items)) if items and items[0] and alike else None
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _by_node(form_of(arguments[1], declared))
    if hint is float:
        return number(declared.unit if declared is not None else "1")
    if hint in (bool, int, str):
        return Plain(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Member(hint)
    if hint in KINDS:
        kinds = KINDS[hint]
        return choice(kinds, default=next(iter(kinds)) if len(kinds) == 1 else "")
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return None if hint in _in_progress else table_of(hint)
    if getattr(hint, "_is_protocol", False):
        return choice({})
    return None


def _union(members: tuple[Any, ...], declared: Parameter | None) -> Form | None:
    """Dataclasses become kinds, by their names; of other types the first forms that there are."""
    known = [one for one in members if one is not NoneType and one not in _in_progress]
    if len(known) > 1 and all(dataclasses.is_dataclass(one) for one in known):
        return choice({_kebab(one.__name__): one for one in known})
    forms = [form for form in (form_of(one, declared) for one in known) if form is not None]
    if len(forms) > 1:
        return AnyOf(tuple(forms))
    return forms[0] if forms else None


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def _by_node(form: Form | None) -> Form | None:
    """Return the form of a mapping from nodes: a list of tables, each with its `node`.

    Numbers are a table by node.
    """
    if isinstance(form, Number):
        return ByNode(form)
    if not isinstance(form, Table | Choice):
        return None
    return Items(_paired(form), build=_mapping)


def _mapping(pairs: list[tuple[Hashable, Any]]) -> dict[Hashable, Any]:
    if len(dict(pairs)) < len(pairs):
        raise Refusal("must name every node once")
    return dict(pairs)


def _paired(form: Any) -> Any:
    """Return `form`, a table or a choice, with the key `node`: it reads (node, the rest)."""
    if isinstance(form, Choice):
        kinds = {kind: _paired(table) for kind, table in form.kinds.items()}
        own = form.own
        return dataclasses.replace(form, kinds=kinds, own=own and (lambda *of: _paired(own(*of))))

    def build(**arguments: Any) -> tuple[Any, Any]:
        return arguments.pop("node"), form.build(**arguments)

    entries = {"node": Entry(NODE, meaning="node of the graph"), **form.entries}
    return dataclasses.replace(form, entries=entries, build=build)


# ---------------------------------------------------------------------------- columns of numbers


def _is_column(form: Form) -> bool:
    return isinstance(form, Items) and isinstance(form.item, Number) and form.most is None


@dataclasses.dataclass(frozen=True)
class ColumnTable(Table):
    """A table of lists of numbers, or of the name of a CSV file that holds them as columns."""

    @property
    def columns(self) -> list[str]:
        """The lists that must be given."""
        entries = self.entries.items()
        return [name for name, entry in entries if entry.required and _is_column(entry.form)]

    def read(self, value: Any, key: str, source: Source) -> Any:
        if not isinstance(value, Mapping):
            return super().read(value, key, source)
        names, value = self.columns, dict(value)
        if lines := self.unknown(value, key, ["file", *self.entries]):
            raise Mistakes(lines)
        lists = "the lists " + " and ".join(f"`{name}`" for name in names)
        given = value.keys() & set(names)
        if "file" not in value and len(given) < len(names):
            raise mistake(key, f"must hold {lists}, or `file`")
        if "file" in value and given:
            raise mistake(key, f"must hold either `file` or {lists}, not both")
        if "file" in value:
            at = inside(key, "file")
            path = source.folder / TEXT.read(value.pop("file"), at, source)
            value |= zip(names, _read_columns(path, len(names), at), strict=True)
        return super().read(value, key, source)

    def schema(self, definitions: Schema) -> Schema:
        optional = {
            name: dataclasses.replace(self.entries[name], required=False) for name in self.columns
        }
        meaning = f"CSV file of {in_words(len(optional))} columns; comments begin with #"
        entries = {"file": Entry(TEXT, False, meaning=meaning), **self.entries, **optional}
        return Table(self.name, self.meaning, entries).schema(definitions)


def _read_columns(path: Path, count: int, key: str) -> list[list[float]]:
    """Return the columns of a CSV file; lines that begin with # are comments."""
    expected = f"must be a CSV file of {in_words(count)} columns of numbers"
    try:
        lines = list(enumerate(read_text(path).splitlines(), 1))
    except (OSError, ValueError) as reason:
        raise mistake(key, f"{expected}, but is {shown(str(path))} ({reason})") from None
    rows = []
    for number, line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        try:
            cells = line.split(",")
            rows.append([float(cells[i]) for i in range(count)])
        except (ValueError, IndexError):
            amiss = f"but line {number} of {shown(str(path))} is {shown(line)}"
            raise mistake(key, f"{expected}, {amiss}; comments begin with #") from None
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(count)]


def in_words(count: int) -> str:
    return {2: "two", 3: "three", 4: "four"}.get(count, str(count))
