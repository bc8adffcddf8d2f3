"""Results in order of time."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork._deferred import xr
from wheelwork._printing import html_table
from wheelwork.numerics.labelled import Stacks, with_arrays
from wheelwork.results.datasets import variables_of
from wheelwork.results.result import Result

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
        return dataset.assign(variables_of("time", *numbers, labels))

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
