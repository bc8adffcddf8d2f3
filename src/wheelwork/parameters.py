"""Parameters declared once: the field, its symbol, unit and meaning, and what it must be.

Validation, labels, printing, parameter files and the schema of these follow from the declaration.
"""

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from types import FunctionType, MappingProxyType
from typing import Any, ClassVar, ParamSpec, Self, TypeVar

import numpy as np

from wheelwork._checks import non_negative as non_negative
from wheelwork._checks import positive as positive
from wheelwork._checks import real as real
from wheelwork._computed import Computed
from wheelwork.errors import InvalidArgument, UnknownName, one_of
from wheelwork.results import Label, Labels, html_table

Call = ParamSpec("Call")
Made = TypeVar("Made")
Check = Callable[[str, Any], Any]  # name, value -> the value to keep; such as `positive`
LONGEST_SHOWN = 40  # characters of one parameter in a printout


@dataclass(frozen=True)
class Parameter:
    """Declaration of a field.

    optional: whether None is a valid value. omitted: the value assumed when a parameter file leaves
    out the key; ignored if the field has a default.
    """

    symbol: str
    unit: str
    meaning: str
    check: Check | None = None
    optional: bool = False
    omitted: Any = None

    @property
    def label(self) -> Label:
        return self.symbol, self.unit, self.meaning


def parameter(
    symbol: str,
    unit: str,
    meaning: str,
    check: Check | None = None,
    *,
    optional: bool = False,
    default: Any = MISSING,
    omitted: Any = None,
    guard: bool = False,
) -> Any:
    """Declare a field of a `Parameters` class.

    symbol: TeX mathematics without its dollars. unit: in terms of "energy", "rate", "length";
    "1" for a plain number. meaning: a few words. check: called with name and value when a machine
    is made; returns the value to store or raises InvalidArgument. optional: None is also valid.
    omitted: value assumed when a parameter file leaves out this key; ignored if there is a default.
    guard: whether the field cannot change a result; it is then given by keyword only, and has no
    part in comparisons, printouts and the identity of a sweep.
    """
    declared = Parameter(symbol, unit, meaning, check, optional, omitted)
    metadata = {"parameter": declared}
    if guard:
        return field(default=default, metadata=metadata, kw_only=True, compare=False, repr=False)
    return field(default=default, metadata=metadata)


class ShortRepr:
    """Base of dataclasses (with repr=False) whose printout fits on a line or two.

    It names the fields that differ from their defaults; long values are given by kind and size.
    """

    def shown(self, name: str) -> str:
        """The value of a field as printed; a subclass may abbreviate some."""
        return short(getattr(self, name))

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{each.name}={self.shown(each.name)}"
            for each in fields(type(self))  # type: ignore[arg-type]
            if each.repr and not _is_default(self, each)
        )
        return f"{type(self).__name__}({shown})"


class Parameters(ShortRepr, Computed):
    """Base of a machine's parameters: a frozen dataclass with fields made by `parameter`.

    derived: further names for `replace`, with their labels; such a class must override `replace`.
    sets: maps a derived name to the field it determines and a placeholder used until it is set; a
    parameter file may give either. "leads.temperature" means that field of every lead.
    """

    derived: ClassVar[Labels] = MappingProxyType({})
    sets: ClassVar[Mapping[str, tuple[str, float]]] = MappingProxyType({})

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Refuse an argument that `__init__` does not have, and name the nearest that it has."""
        if kwargs:
            _require_arguments(kwargs, cls.__name__, _arguments(cls), cls.derived)  # type: ignore[arg-type]
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for name, declared in declarations(type(self)).items():  # type: ignore[arg-type]
            value = getattr(self, name)
            if declared.check is not None and not (declared.optional and value is None):
                object.__setattr__(self, name, declared.check(name, value))

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed; raises InvalidArgument for unknown names."""
        self.require_known(changes)
        own = self.__dataclass_fields__  # type: ignore[attr-defined]
        for name in changes:
            if name not in own:
                raise InvalidArgument(f"`{name}` must be a field to be replaced, but is derived")
        return replace(self, **changes)  # type: ignore[type-var]

    @classmethod
    def require_known(cls, names: Mapping[str, Any]) -> None:
        """Raise InvalidArgument for a name that is neither a field nor derived."""
        own = cls.__dataclass_fields__  # type: ignore[attr-defined]
        unknown = [name for name in names if name not in own and name not in cls.derived]
        if unknown:
            known = [*(each.name for each in fields(cls)), *cls.derived]  # type: ignore[arg-type]
            raise InvalidArgument(f"`{min(unknown):.80}` {one_of(min(unknown), known)}")

    @classmethod
    def parameter_labels(cls) -> Labels:
        """Symbol, unit and long name of every parameter, derived ones included."""
        own = {name: declared.label for name, declared in declarations(cls).items()}  # type: ignore[arg-type]
        return {**own, **cls.derived}

    def _repr_html_(self) -> str:
        labels = self.parameter_labels()
        rows = [
            (each.name, self.shown(each.name), *labels.get(each.name, ("", "", ""))[1:])
            for each in fields(type(self))  # type: ignore[arg-type]
            if each.repr
        ]
        return html_table(type(self).__name__, rows)


@functools.cache
def declarations(cls: type) -> Mapping[str, Parameter]:
    """Return the declarations of the fields of a `Parameters` class, by name."""
    return {
        each.name: each.metadata["parameter"]
        for each in fields(cls)
        if "parameter" in each.metadata
    }


def named(call: Callable[Call, Made]) -> Callable[Call, Made]:
    """Return `call`, which refuses an argument that it does not have, and names the nearest."""

    @functools.wraps(call)
    def checked(*args: Call.args, **kwargs: Call.kwargs) -> Made:
        _require_arguments(kwargs, call.__name__, inspect.signature(call).parameters)
        return call(*args, **kwargs)

    return checked


def _require_arguments(
    given: Mapping[str, Any],
    where: str,
    known: Mapping[str, inspect.Parameter],
    derived: Collection[str] = (),
) -> None:
    """Raise UnknownName for a name that is not among the arguments `known`, all of which count."""
    if given.keys() <= known.keys() or any(one.kind is one.VAR_KEYWORD for one in known.values()):
        return
    name = min(given.keys() - known.keys())
    words = one_of(name, (each for each in known if each not in ("self", "cls")))
    if name in derived:
        words = "is derived from the fields, and must be given to `replace` of a finished value"
    raise UnknownName(f"`{name:.80}` {words} (in {where})")


@functools.cache
def _arguments(cls: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(cls.__init__).parameters


def short(value: Any) -> str:
    """Return `repr(value)`, or its kind and size where that is long."""
    if isinstance(value, np.ndarray):
        return f"array{value.shape}"
    if isinstance(value, FunctionType):
        return value.__qualname__
    text = repr(value)
    if len(text) <= LONGEST_SHOWN or isinstance(value, Parameters):
        return text
    if isinstance(value, tuple | list | Mapping):
        return f"<{len(value)} entries>"
    return f"{text[: LONGEST_SHOWN - 1]}…"


def _is_default(parameters: Any, each: Field[Any]) -> bool:
    value = getattr(parameters, each.name)
    return (
        each.default is not MISSING
        and type(value) is type(each.default)
        and bool(np.all(value == each.default))
    )
