"""What a result is: observables declared once, their errors, and the audit.

An observable is one declaration: what it is called, its symbol, unit and meaning, how it is
computed, and how its error is estimated. The property, the mappings `observables` and `errors`, the
labels of tables and figures, the dataset and what is printed all follow from it.
"""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar, overload

import numpy as np
import xarray as xr

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged, UnphysicalState, ValidityWarning

Label = tuple[str, str, str]  # symbol (TeX mathematics without its dollars), unit, long name
Labels = Mapping[str, Label]
Value = TypeVar("Value")

# What a result raises for an observable that this state does not have.
UNAVAILABLE = (InvalidArgument, NotConverged, UnphysicalState)
SHOWN_DIGITS = 6  # of a value without an error


@dataclass(frozen=True)
class AuditEntry:
    """A checked number; `ok` when it does not exceed `bound`."""

    value: float
    bound: float

    @property
    def ok(self) -> bool:
        """Whether the bound is kept; NaN never is."""
        return self.value <= self.bound


class Observable(Generic[Value]):
    """A named quantity of a result, made by `observable`; read as an attribute, computed once."""

    def __init__(
        self,
        compute: Callable[[Any], Value],
        label: Label,
        error: Callable[[Any], Any] | None,
        key: str | None,
        parts: Labels,
    ) -> None:
        self.compute, self.label, self.error, self.parts = compute, label, error, parts
        self.key = key or compute.__name__
        self.attribute = compute.__name__
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name

    @overload
    def __get__(self, result: None, owner: type) -> "Observable[Value]": ...
    @overload
    def __get__(self, result: object, owner: type) -> Value: ...

    def __get__(self, result: object | None, owner: type) -> "Observable[Value] | Value":
        if result is None:
            return self
        # Stored under the same name, so that the next reading does not come here.
        value = result.__dict__[self.attribute] = self.compute(result)
        return value

    @property
    def labels(self) -> Labels:
        """The label under each key that this observable has in `Result.observables`."""
        if not self.parts:
            return {self.key: self.label}
        return {f"{self.key}_{part}": label for part, label in self.parts.items()}

    def numbers(self, value: Any) -> dict[str, float]:
        """`value`, or an error of it, as numbers under the keys of `labels`."""
        if not self.parts:
            return {self.key: float(value)}
        return {f"{self.key}_{part}": float(value[part]) for part in self.parts}


def observable(
    symbol: str = "",
    unit: str = "1",
    meaning: str = "",
    *,
    error: Callable[[Any], Any] | None = None,
    key: str | None = None,
    parts: Labels = MappingProxyType({}),
) -> Callable[[Callable[[Any], Value]], Observable[Value]]:
    """Declare the method below it as an observable of its result.

    symbol: TeX mathematics without its dollars. unit: in terms of "energy", "rate", "length".
    meaning: a few words, for axes and tables. error: function of the result, its estimated absolute
    error; without one the observable has none. key: its name in `observables`, where that differs
    from the attribute's. parts: labels of the entries of a mapping, which become KEY_PART.
    The method returns what `float` takes, or a mapping with `parts`; where the state has no such
    quantity it raises one of `UNAVAILABLE`, and the observable is NaN with that reason.
    """

    def declare(compute: Callable[[Any], Value]) -> Observable[Value]:
        return Observable(compute, (symbol, unit, meaning), error, key, parts)

    return declare


class Computed:
    """Base of what caches numbers: it is pickled without `cached_property`, computed again.

    Observables already read are kept.
    """

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in vars(self).items()
            if not isinstance(getattr(type(self), name, None), cached_property)
        }


class Result(Computed):
    """Base of every state: what follows from its declared observables.

    A subclass declares observables, and offers `machine`, `method` and `audit`. `headline` names
    the observables that a short printout shows.
    """

    declared: ClassVar[Mapping[str, Observable[Any]]] = MappingProxyType({})
    headline: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        bases = (vars(base).values() for base in reversed(cls.__mro__))
        cls.declared = MappingProxyType(
            {item.key: item for each in bases for item in each if isinstance(item, Observable)}
        )

    @classmethod
    def labels(cls) -> Labels:
        """Symbol, unit and long name of every observable."""
        return {name: text for item in cls.declared.values() for name, text in item.labels.items()}

    @property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Everything that could make the numbers wrong, checked."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """What a printout begins with."""
        return type(self).__name__

    def _attempt(self, item: Observable[Any]) -> tuple[dict[str, float], str]:
        """Numbers of one declaration and an empty reason, or NaN and why there are none."""
        try:
            return item.numbers(getattr(self, item.attribute)), ""
        except UNAVAILABLE as reason:
            return dict.fromkeys(item.labels, math.nan), str(reason)

    @classmethod
    def _item(cls, name: str) -> Observable[Any]:
        for item in cls.declared.values():
            if name in item.labels:
                return item
        raise InvalidArgument(f"`name` must be one of {', '.join(cls.labels())}, but is {name!r}")

    def value(self, name: str) -> float:
        """The observable `name`, NaN where this state has none; no other is computed."""
        return self._attempt(self._item(name))[0][name]

    def error(self, name: str) -> float:
        """The estimated absolute error of the observable `name`, NaN where none is known."""
        item = self._item(name)
        if item.error is None or self._attempt(item)[1]:
            return math.nan
        error = item.error(self)
        return math.nan if error is None else item.numbers(error)[name]

    @cached_property
    def _attempts(self) -> Mapping[str, tuple[dict[str, float], str]]:
        return {key: self._attempt(item) for key, item in self.declared.items()}

    @cached_property
    def observables(self) -> Mapping[str, float]:
        """All scalar observables by name; NaN where this state has none (see `missing`)."""
        found = (numbers for numbers, _ in self._attempts.values())
        return MappingProxyType({name: x for numbers in found for name, x in numbers.items()})

    @property
    def missing(self) -> Mapping[str, str]:
        """Why an observable is NaN, by name."""
        attempts = self._attempts.values()
        return {name: why for numbers, why in attempts if why for name in numbers}

    @cached_property
    def errors(self) -> Mapping[str, float]:
        """Estimated absolute errors of the observables that have one, by name."""
        found: dict[str, float] = {}
        for key, item in self.declared.items():
            known = item.error is not None and not self._attempts[key][1]
            error = item.error(self) if known and item.error else None
            if error is not None:
                found |= item.numbers(error)
        return MappingProxyType(found)

    @property
    def passed(self) -> bool:
        """Whether every entry of the audit is kept."""
        return all(entry.ok for entry in self.audit.values())

    def arrays(self) -> xr.Dataset:
        """What `to_xarray` holds besides the observables: distributions, numbers per node."""
        return xr.Dataset()

    def to_xarray(self) -> xr.Dataset:
        """Return arrays, and observables with NAME_error where there is one, as one dataset."""
        dataset, labels = self.arrays(), self.labels()
        for name, value in self.observables.items():
            dataset[name] = ((), value, attributes(labels[name]))
            if name in self.errors:
                unit = {"units": labels[name][1]}
                dataset[f"{name}_error"] = ((), self.errors[name], unit)
        return dataset

    def __repr__(self) -> str:
        names = self.headline or tuple(self.observables)
        lines = [f"  {name} = {_shown(self, name)}" for name in names]
        made_of = f"  of {self.machine!r}\n  by {self.method!r}"  # type: ignore[attr-defined]
        return "\n".join([self.title, *lines, f"  audit: {verdict(self.audit)}", made_of])

    def _repr_html_(self) -> str:
        labels = self.labels()
        rows = [(name, _shown(self, name), *labels[name][1:]) for name in self.observables]
        made_of = f"{self.machine!r}, by {self.method!r}"  # type: ignore[attr-defined]
        notes = f"<p>audit: {escape(verdict(self.audit))}</p><p>{escape(made_of)}</p>"
        return html_table(self.title, rows) + notes


class Summary:
    """Base of smaller parts of a result: they print as what `summary` gives."""

    @property
    def summary(self) -> Mapping[str, str]:
        """What a printout shows, by name."""
        raise NotImplementedError

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={text}" for name, text in self.summary.items())
        return f"{type(self).__name__}({shown})"

    def _repr_html_(self) -> str:
        return html_table(type(self).__name__, list(self.summary.items()))


ResultType = TypeVar("ResultType", bound=Result)


class Series(Computed, Sequence[ResultType]):
    """Results in order of time, and each of their observables as an array, (times,).

    A subclass names the kind of its results as `kind`, and offers `results` and `times`.
    """

    kind: ClassVar[type[Result]]

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

    def __iter__(self) -> Iterator[ResultType]:
        return iter(self.results)

    def __getattr__(self, name: str) -> FloatArray:
        if name.startswith("_") or name not in self.kind.labels():
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return np.array([result.value(name) for result in self.results])

    @property
    def observables(self) -> Mapping[str, FloatArray]:
        """All observables by name, (times,) each."""
        return {name: getattr(self, name) for name in self.kind.labels()}

    @property
    def errors(self) -> Mapping[str, FloatArray]:
        """Estimated absolute errors by name, (times,) each; NaN where there is none."""
        found = {
            name: np.array([result.errors.get(name, math.nan) for result in self.results])
            for name in self.kind.labels()
        }
        return {name: error for name, error in found.items() if not np.all(np.isnan(error))}

    def to_xarray(self) -> xr.Dataset:
        """Return all observables with their errors over `time`."""
        dataset = xr.Dataset(coords={"time": ("time", self.times, {"units": "1/energy"})})
        labels, errors = self.kind.labels(), self.errors
        for name, values in self.observables.items():
            dataset[name] = ("time", values, attributes(labels[name]))
            if name in errors:
                dataset[f"{name}_error"] = ("time", errors[name], {"units": labels[name][1]})
        return dataset

    @property
    def title(self) -> str:
        """What a printout begins with."""
        times = self.times
        count = f"{len(self)} times from {times[0]:g} to {times[-1]:g}" if len(self) else "no times"
        return f"{type(self).__name__}, {count}"

    def _ends(self) -> list[tuple[str, ...]]:
        """Name, first and last value of what a printout shows; no result between is computed."""
        names = self.kind.headline or tuple(self.kind.labels())
        ends = (self.results[0], self.results[-1]) if len(self) else ()
        return [(name, *(_shown(one, name) for one in ends)) for name in names]

    def __repr__(self) -> str:
        return "\n".join(
            [self.title, *(f"  {name}: {' ... '.join(ends)}" for name, *ends in self._ends())]
        )

    def _repr_html_(self) -> str:
        return html_table(self.title, self._ends())


def html_table(title: str, rows: Sequence[Sequence[str]], header: Sequence[str] = ()) -> str:
    """Return a table whose rows begin with a name, its title above, for notebooks."""
    names = "".join(f"<th>{escape(text)}</th>" for text in header)
    cells = (
        f"<tr><th>{escape(name)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in others)}</tr>"
        for name, *others in rows
    )
    lines = [f"<tr>{names}</tr>"] if header else []
    return f"<b>{escape(title)}</b><table>{''.join([*lines, *cells])}</table>"


def attributes(label: Label) -> dict[str, str]:
    """Return a label as attributes of a variable in a dataset."""
    return dict(zip(("symbol", "units", "long_name"), label, strict=True))


def verdict(audit: Mapping[str, AuditEntry]) -> str:
    """Return in words whether the audit holds, or which entries fail."""
    failed = [
        f"{name} = {entry.value:.3g} (at most {entry.bound:.3g})"
        for name, entry in audit.items()
        if not entry.ok
    ]
    if not failed:
        return f"all {len(audit)} checks hold"
    return f"{len(failed)} of {len(audit)} checks fail: " + "; ".join(failed)


def warn_outside_validity(
    description: str, validity: Mapping[str, AuditEntry], stacklevel: int = 3
) -> None:
    """Give a ValidityWarning that names the ratios beyond their bounds; to be called by a verb."""
    ratios = ", ".join(
        f"{name} = {entry.value:.3g} (at most {entry.bound:g})"
        for name, entry in validity.items()
        if not entry.ok
    )
    if ratios:
        warnings.warn(f"{description}: {ratios}", ValidityWarning, stacklevel=stacklevel)


def with_error(value: float, error: float = math.nan) -> str:
    """Return "59.550138 ± 2.1e-06", as many digits as the error lets be known."""
    if not math.isfinite(error) or not math.isfinite(value):
        return f"{value:.{SHOWN_DIGITS}g}"
    if error <= 0.0 or value == 0.0:
        return f"{value:.{SHOWN_DIGITS}g} ± {error:.1g}"
    known = math.floor(math.log10(abs(value))) - math.floor(math.log10(error)) + 1
    return f"{value:.{min(max(known, 1), 12)}g} ± {error:.1g}"  # float64 holds no more than that


def _shown(result: Result, name: str) -> str:
    return with_error(result.value(name), result.error(name))
