"""States: their observables with errors and reasons, printed and as datasets."""

import math
from collections.abc import Mapping
from functools import cached_property
from html import escape
from itertools import chain
from types import MappingProxyType
from typing import Any, ClassVar

from wheelwork._computed import Computed
from wheelwork._deferred import xr
from wheelwork._printing import html_table, with_error
from wheelwork.errors import InvalidArgument
from wheelwork.numerics.labelled import Axis, LabelledArray, Stacks, with_arrays
from wheelwork.results.audit import AuditEntry, failed_checks, verdict
from wheelwork.results.datasets import variables_of
from wheelwork.results.observable import UNAVAILABLE, Labels, Observable


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
        return dataset.assign(variables_of((), *numbers, labels))

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
