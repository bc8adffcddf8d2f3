"""Observables of a result, each declared once."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Generic, TypeVar, overload

from wheelwork.errors import InvalidArgument, NotConverged, UnphysicalState
from wheelwork.numerics.labelled import Axis, Label, LabelledArray

Labels = Mapping[str, Label]
Value = TypeVar("Value")
Error = Callable[[Any], Any] | str | None  # see `observable`

UNAVAILABLE = (InvalidArgument, NotConverged, UnphysicalState)  # raised where one is undefined


@dataclass(eq=False, repr=False)
class Observable(Generic[Value]):
    """A named quantity of a result, made by `observable`; read as an attribute, computed once."""

    compute: Callable[[Any], Value]
    label: Label
    error: Error = None
    key: str = ""
    parts: Labels = field(default_factory=dict)
    over: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.__doc__ = self.compute.__doc__ or f"{self.label[2][:1].upper()}{self.label[2][1:]}."

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute, self.key = name, self.key or name
        labels = {f"{self.key}_{part}": text for part, text in self.parts.items()}
        self.labels: Labels = labels or ({} if self.over else {self.key: self.label})

    @overload
    def __get__(self, result: None, owner: type) -> "Observable[Value]": ...
    @overload
    def __get__(self, result: object, owner: type) -> Value: ...

    def __get__(self, result: object | None, owner: type) -> "Observable[Value] | Value":
        if result is None:
            return self
        value = result.__dict__[self.attribute] = self.compute(result)  # read from there next time
        return value

    def __repr__(self) -> str:  # as `help` shows it
        return f"<observable in units of {self.label[1]}: {self.label[2]}>"

    def error_of(self, result: object) -> Any:
        """Its error in a result, None if unknown."""
        if isinstance(self.error, str):
            return attrgetter(self.error)(result).get(self.key)
        return self.error(result) if self.error else None

    def array_of(self, result: object, axes: Mapping[str, Axis]) -> LabelledArray:
        """Its numbers in a result over the dimensions `over`, NaN with the reason if undefined."""
        try:
            value = getattr(result, self.attribute)
            one = LabelledArray.of(self.over, value, self.error_of(result), axes)
        except UNAVAILABLE as reason:
            one = LabelledArray.unknown(self.over, axes, str(reason))
        return replace(one, label=self.label)

    def numbers(self, value: Any) -> dict[str, float]:
        """`value`, or an error of it, as numbers under the keys of `labels`."""
        value = value if self.parts else {self.key: value}
        parts = (float(value.get(part, math.nan)) for part in self.parts or [self.key])
        return dict(zip(self.labels, parts, strict=True))


def observable(
    symbol: str = "",
    unit: str = "1",
    meaning: str = "",
    *,
    error: Error = None,
    key: str = "",
    parts: Labels = MappingProxyType({}),
    over: str | tuple[str, ...] = (),
) -> Callable[[Callable[[Any], Value]], Observable[Value]]:
    """Declare the method below it as an observable of its result.

    symbol: TeX mathematics without its dollars. unit: in terms of "energy", "rate", "length".
    meaning: a few words, for axes and tables. error: a function result → absolute error, or the
    dotted path of a mapping of errors, looked up by `key`. key: name in `observables`; default: the
    attribute's. parts: labels of the entries of a mapping, which become KEY_PART. over: dimensions
    of an array, which `array_observables`, datasets and sweeps hold.
    The method returns a number, or a mapping with `parts`; over one dimension a mapping, whose keys
    are its coordinate, or over any an array, with the `axes` of the result; an undefined quantity
    raises one of `UNAVAILABLE`, and the observable is NaN with that reason.
    """
    dims, label = (over,) if isinstance(over, str) else over, (symbol, unit, meaning)
    return lambda compute: Observable(compute, label, error, key, parts, dims)


def entry(
    path: str, symbol: str, unit: str, meaning: str, error: Error = None
) -> Observable[float]:
    """Declare an attribute of a part as an observable; path: such as "flows.heat_hot"."""
    read = attrgetter(path)
    return Observable(lambda result: float(read(result)), (symbol, unit, meaning), error)
