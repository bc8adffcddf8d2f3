"""Results: observables declared once, their errors, and the audit.

The declaration of an observable provides the property, the entries of `observables` and
`errors`, the labels of tables and figures, the variable of the dataset and the printout.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from itertools import chain
from operator import attrgetter
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar, overload

import numpy as np

from wheelwork._audit import AuditEntry as AuditEntry
from wheelwork._audit import failed_checks
from wheelwork._audit import verdict as verdict
from wheelwork._audit import warn_outside_validity as warn_outside_validity
from wheelwork._audit import worst as worst
from wheelwork._checks import FloatArray
from wheelwork._computed import Computed as Computed
from wheelwork._deferred import xr
from wheelwork._printing import html_table as html_table
from wheelwork._printing import with_error as with_error
from wheelwork.errors import InvalidArgument, NotConverged, UnphysicalState
from wheelwork.numerics.labelled import Axis, LabelledArray, Stacks, with_arrays
from wheelwork.numerics.labelled import Label as Label
from wheelwork.numerics.labelled import attributes as attributes

Labels = Mapping[str, Label]
Numbers = Mapping[str, Any]
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


class Result(Computed):
    """Base of every state, built on its declared observables.

    A subclass declares observables and provides `machine`, `method` and `audit`. `headline` names
    the observables shown in a short printout.
    """

    declared: ClassVar[Mapping[str, Observable[Any]]] = MappingProxyType({})
    declared_arrays: ClassVar[Mapping[str, Observable[Any]]] = MappingProxyType({})
    by_name: ClassVar[Mapping[str, Observable[Any]]] = MappingProxyType({})
    headline: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        members = chain.from_iterable(vars(base).values() for base in reversed(cls.__mro__))
        every = {(m.key, m.over): m for m in members if isinstance(m, Observable)}.values()
        items = {item.key: item for item in every if item.labels}
        cls.declared = MappingProxyType(items)
        cls.declared_arrays = MappingProxyType({item.key: item for item in every if item.over})
        cls.by_name = MappingProxyType({name: x for x in items.values() for name in x.labels})

    def __getstate__(self) -> dict[str, Any]:
        """Fields and numbers already read; arrays are made again from the fields."""
        state = super().__getstate__()
        arrays = {name for name in state if getattr(getattr(type(self), name, None), "over", ())}
        return {name: value for name, value in state.items() if name not in arrays}

    @classmethod
    def labels(cls) -> Labels:
        """Symbol, unit and long name of every scalar observable."""
        return {name: item.labels[name] for name, item in cls.by_name.items()}

    @property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Named checks with value, bound and verdict."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """First line of a printout."""
        return type(self).__name__

    @classmethod
    def _item(cls, name: str) -> Observable[Any]:
        if isinstance(name, str) and name in cls.by_name:
            return cls.by_name[name]
        raise InvalidArgument(f"`name` must be one of {', '.join(cls.by_name)}, but is {name!r}")

    @cached_property
    def _reasons(self) -> dict[str, str]:
        """Keys of observables that could not be computed, with the reason."""
        return {}

    def _numbers(self, item: Observable[Any]) -> dict[str, float]:
        """Numbers of one observable, NaN where undefined."""
        if item.key not in self._reasons:
            try:
                return item.numbers(getattr(self, item.attribute))
            except UNAVAILABLE as reason:
                self._reasons[item.key] = str(reason)
        return dict.fromkeys(item.labels, math.nan)

    def _known_errors(self, item: Observable[Any]) -> dict[str, float]:
        """Errors of one observable, empty if unknown."""
        self._numbers(item)  # without a value there is no error
        try:
            error = None if item.key in self._reasons else item.error_of(self)
        except UNAVAILABLE:
            error = None
        return {} if error is None else item.numbers(error)

    def value(self, name: str) -> float:
        """The observable `name`, NaN if undefined in this state; computes no other observable."""
        return self._numbers(self._item(name))[name]

    def error(self, name: str) -> float:
        """The estimated absolute error of the observable `name`, NaN if unknown."""
        return self._known_errors(self._item(name)).get(name, math.nan)

    @cached_property
    def observables(self) -> Mapping[str, float]:
        """All scalar observables by name; NaN if undefined in this state (see `missing`)."""
        numbers = (self._numbers(item).items() for item in self.declared.values())
        return MappingProxyType(dict(chain.from_iterable(numbers)))

    @property
    def missing(self) -> Mapping[str, str]:
        """Reasons why observables are NaN, by name."""
        return {name: self.reason(name) for name, n in self.observables.items() if math.isnan(n)}

    def reason(self, name: str) -> str:
        """Why the observable `name` is NaN, empty where it is not."""
        if not math.isnan(self.value(name)):
            return ""
        return self._reasons.get(self._item(name).key) or self.undefined(name)

    def undefined(self, name: str) -> str:
        """Why an observable is NaN that raises no reason itself."""
        return f"`{name}` is not defined for this state"

    @cached_property
    def errors(self) -> Mapping[str, float]:
        """Estimated absolute errors of the observables that have one, by name."""
        errors = (self._known_errors(item).items() for item in self.declared.values())
        return MappingProxyType(dict(chain.from_iterable(errors)))

    @property
    def axes(self) -> Mapping[str, Axis]:
        """What stands along the dimensions of array observables, by dimension, where known."""
        return {}

    @cached_property
    def array_observables(self) -> Mapping[str, LabelledArray]:
        """Observables that are arrays over labelled dimensions, by name."""
        arrays = {key: x.array_of(self, self.axes) for key, x in self.declared_arrays.items()}
        return MappingProxyType({k: x.explained(self.undefined(k)) for k, x in arrays.items()})

    @property
    def passed(self) -> bool:
        """Whether every audit entry passes."""
        return not failed_checks(self.audit)

    def arrays(self) -> "xr.Dataset":
        """Arrays of `to_xarray` besides the observables, such as distributions."""
        return xr.Dataset()

    def to_xarray(self) -> "xr.Dataset":
        """Return `arrays`, observables, known errors as NAME_error, reasons as NAME_missing."""
        numbers, labels = (self.observables, self.errors, self.missing), self.labels()
        arrays = Stacks(1)
        arrays.put(0, self.array_observables)
        dataset = with_arrays(self.arrays(), arrays.dataset((), ()))
        return dataset.assign(_variables((), *numbers, labels))

    def shown(self, name: str) -> str:
        """One observable with its error, as printed."""
        return with_error(self.value(name), self.error(name))

    def _made_of(self, before_method: str) -> str:
        machine, method = self.machine, self.method  # type: ignore[attr-defined]
        return repr(machine) + ("" if method is None else f"{before_method}by {method!r}")

    def __repr__(self) -> str:
        lines = [f"  {name} = {self.shown(name)}" for name in self.headline or self.by_name]
        made_of = "  of " + self._made_of("\n  ")
        return "\n".join([self.title, *lines, f"  audit: {verdict(self.audit)}", made_of])

    def _repr_html_(self) -> str:
        names, labels = self.headline or self.by_name, self.labels()
        rows = [(name, self.shown(name), labels[name][1]) for name in names]
        made_of = escape(self._made_of(", "))
        notes = f"<p>audit: {escape(verdict(self.audit))}</p><p>{made_of}</p>"
        return html_table(self.title, rows) + notes


class Summary(Computed):
    """Base for parts of a result that print their `summary`."""

    @property
    def summary(self) -> Mapping[str, str]:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{n}={t}' for n, t in self.summary.items())})"

    def _repr_html_(self) -> str:
        return html_table(type(self).__name__, list(self.summary.items()))


ResultType = TypeVar("ResultType", bound=Result)


class Series(Computed, Sequence[ResultType]):
    """Results in order of time, and each of their observables as an array, (times,).

    A subclass provides `kind`, the class of its results, `results` and `times`. `listed`:
    restricts `observables` and the dataset to these names; the rest remain attributes.
    """

    kind: ClassVar[type[Result]]
    listed: ClassVar[tuple[str, ...]] = ()

    @property
    def times(self) -> FloatArray:
        """In units of 1/energy, (times,)."""
        raise NotImplementedError

    @property
    def results(self) -> Sequence[ResultType]:
        """One result for each time."""
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.results)

    def __getitem__(self, index: Any) -> Any:
        return self.results[index]

    def __getattr__(self, name: str) -> FloatArray:
        if name.startswith("_") or name not in self.kind.by_name:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        item = self.kind.by_name[name]
        return np.array([result._numbers(item)[name] for result in self.results])

    @cached_property
    def observables(self) -> Mapping[str, FloatArray]:
        """Observables by name, (times,) each."""
        return {name: getattr(self, name) for name in self.listed or self.kind.by_name}

    @property
    def errors(self) -> Mapping[str, FloatArray]:
        """Estimated absolute errors by name, (times,) each; NaN where unknown."""
        names = self.listed or self.kind.by_name
        errors = {name: np.array([one.error(name) for one in self.results]) for name in names}
        return {name: error for name, error in errors.items() if not np.all(np.isnan(error))}

    @property
    def missing(self) -> Mapping[str, FloatArray]:
        """Of observables that are NaN at some time: the reasons by name, (times,), else empty."""
        gaps = [name for name, values in self.observables.items() if np.any(np.isnan(values))]
        return {name: np.array([x.reason(name) for x in self.results], object) for name in gaps}

    def to_xarray(self) -> "xr.Dataset":
        """Return `observables` with their errors, and reasons where they are NaN, over `time`."""
        dataset = xr.Dataset(coords={"time": ("time", self.times, {"units": "1/energy"})})
        numbers, labels = (self.observables, self.errors, self.missing), self.kind.labels()
        names = self.kind.declared_arrays.keys() & (self.listed or self.kind.declared_arrays.keys())
        arrays = Stacks(len(self))
        for index, one in enumerate(self.results if names else ()):
            arrays.put(index, {key: x for key, x in one.array_observables.items() if key in names})
        dataset = with_arrays(dataset, arrays.dataset(("time",), (len(self),)))
        return dataset.assign(_variables("time", *numbers, labels))

    @property
    def title(self) -> str:
        times = self.times
        span = f"{len(self)} times from {times[0]:g} to {times[-1]:g}" if len(self) else "no times"
        return f"{type(self).__name__}, {span}"

    def _ends(self) -> list[tuple[str, ...]]:
        """Name, first and last value of the printed observables; no other result is computed."""
        names = self.kind.headline or self.kind.by_name
        ends = (self.results[0], self.results[-1]) if len(self) else ()
        return [(name, *(one.shown(name) for one in ends)) for name in names]

    def __repr__(self) -> str:
        lines = (f"  {name}: {' ... '.join(ends)}" for name, *ends in self._ends())
        return "\n".join([self.title, *lines])

    def _repr_html_(self) -> str:
        return html_table(self.title, self._ends())


def _variables(
    dims: Any, values: Numbers, errors: Numbers, missing: Numbers, labels: Labels
) -> dict[str, Any]:
    variables: dict[str, Any] = {}
    for name, value in values.items():
        variables[name] = (dims, value, attributes(labels[name]))
        if name in errors:
            variables[f"{name}_error"] = (dims, errors[name], {"units": labels[name][1]})
        if name in missing:
            variables[f"{name}_missing"] = (dims, missing[name])
    return variables
