"""Columns of numbers from finished points, and the labelled dataset made of them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from wheelwork._deferred import xr
from wheelwork.numerics.labelled import Stacks, with_arrays
from wheelwork.results import Labels, attributes
from wheelwork.sweeps.cases import Cases
from wheelwork.sweeps.point import Point

NOT_COMPUTED = "not computed"
NO_VERDICT = -1  # of the audit, where a point has no numbers

ByteArray = npt.NDArray[np.int8]
FirstUse = tuple[int, int]  # index of a point, and position among its names


@dataclass
class Table:
    """Columns by name, made when a name first occurs and full of `empty` then.

    The order of the names is that of the first point that has them, by index, so that it does not
    depend on the order in which points are put.
    """

    size: int
    empty: Any = math.nan
    dtype: Any = np.float64
    columns: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    first: dict[str, FirstUse] = field(default_factory=dict)

    def put(self, index: int, values: Mapping[str, Any]) -> None:
        for position, (name, value) in enumerate(values.items()):
            if name not in self.columns:
                self.columns[name] = np.full(self.size, self.empty, dtype=self.dtype)
            self.columns[name][index] = value
            use = (index, position)
            if use < self.first.get(name, (self.size, 0)):
                self.first[name] = use

    def reserve(self, names: Iterable[str]) -> None:
        """Make the columns that no point has filled."""
        for position, name in enumerate(names):
            if name not in self.columns:
                self.columns[name] = np.full(self.size, self.empty, dtype=self.dtype)
                self.first[name] = (self.size, position)

    @property
    def names(self) -> list[str]:
        """In the order of the sweep."""
        return sorted(self.columns, key=lambda name: self.first[name])


class Columns:
    """The numbers of a sweep of `size` points; NaN and `NOT_COMPUTED` where there are none yet."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.observables, self.errors = Table(size), Table(size)
        self.arrays = Stacks(size)
        self.audit_value, self.audit_bound = Table(size), Table(size)
        self.audit_ok = Table(size, NO_VERDICT, np.int8)
        self.missing = Table(size, "", object)
        self.failure: npt.NDArray[Any] = np.full(self.size, NOT_COMPUTED, dtype=object)
        self.warning: npt.NDArray[Any] = np.full(self.size, "", dtype=object)
        self.passed: ByteArray = np.full(self.size, NO_VERDICT, dtype=np.int8)
        self.known = self.kept = 0  # kept: without those that a sweep that resumes tries again

    def put(self, index: int, point: Point) -> None:
        self.known += 1
        self.kept += not point.transient
        self.observables.put(index, point.observables)
        self.errors.put(index, point.errors)
        self.arrays.put(index, point.arrays)
        self.audit_value.put(index, {name: entry.value for name, entry in point.audit.items()})
        self.audit_bound.put(index, {name: entry.bound for name, entry in point.audit.items()})
        self.audit_ok.put(index, {name: entry.ok for name, entry in point.audit.items()})
        self.missing.put(index, point.missing)
        self.failure[index], self.warning[index] = point.failure, point.warning
        if not point.failure:
            self.passed[index] = all(entry.ok for entry in point.audit.values())
        elif point.partial:
            self.passed[index] = False  # of a method that did not converge, whatever it says

    @property
    def complete(self) -> bool:
        return not bool(np.any(self.failure == NOT_COMPUTED))


def to_dataset(
    cases: Cases, columns: Columns, labels: Labels, observables: Iterable[str] | None = None
) -> "xr.Dataset":
    """Return `columns` as a dataset over the dimensions of `cases`.

    observables: names that were asked for, which are NaN where no point has any.

    Over their dimensions, and of an array also over its own: each observable and `<name>_error`
    (NaN where there is none). Over their dimensions: `failed`, `failure` (empty where the point
    succeeded), `warning` (empty where there was none), `audit_passed` (1 or 0; -1 without a
    verdict); and `<name>_missing`, the reason why an observable is NaN (else empty), if it is at
    any point. Over these and `check`: `audit_value`, `audit_bound`, and `audit_ok` (1, 0 or -1).
    """

    arrays = columns.arrays.dataset(cases.dims, cases.shape)

    def laid_out(column: npt.NDArray[Any], text: Mapping[str, str]) -> "xr.Variable":
        return xr.Variable(cases.dims, column.reshape(cases.shape), text)

    columns.observables.reserve(name for name in observables or () if name not in arrays)
    variables: dict[str, xr.Variable] = {}
    for name in columns.observables.names:
        variables[name] = laid_out(columns.observables.columns[name], _label(name, labels))
    for name in columns.errors.names:
        text = {"long_name": f"estimated absolute error of {name}"}
        if name in labels:
            text["units"] = labels[name][1]
        variables[f"{name}_error"] = laid_out(columns.errors.columns[name], text)
    for name in columns.observables.names:
        if name in columns.missing.columns:
            text = {"long_name": f"why {name} is missing"}
            variables[f"{name}_missing"] = laid_out(columns.missing.columns[name], text)
    failed = (columns.failure != "") & (columns.failure != NOT_COMPUTED)
    words = "1 where the point has no result; numbers there did not converge"
    variables["failed"] = laid_out(failed.astype(np.int8), {"long_name": words})
    variables["failure"] = laid_out(columns.failure, {"long_name": "why the point has no result"})
    variables["warning"] = laid_out(columns.warning, {"long_name": "warnings of validity"})
    words = "1: every check passed, 0: some failed, -1: no verdict"
    variables["audit_passed"] = laid_out(columns.passed, {"long_name": words})
    variables |= _audit(cases, columns)
    along = {name: (name,) if name in cases.dims else cases.dims for name in cases.columns}
    coordinates = {
        name: xr.Variable(along[name], column, _label(name, labels))
        for name, column in cases.columns.items()
    }
    # A parameter that is also an observable is kept once, as the coordinate.
    data = {name: item for name, item in variables.items() if name not in coordinates}
    return with_arrays(xr.Dataset(data, coords=coordinates), arrays)


def _label(name: str, labels: Labels) -> dict[str, str]:
    return attributes(labels[name]) if name in labels else {}


def _audit(cases: Cases, columns: Columns) -> "dict[str, xr.Variable]":
    checks = columns.audit_value.names
    if not checks:
        return {}
    dims, shape = (*cases.dims, "check"), (*cases.shape, len(checks))

    def stack(by_check: Mapping[str, npt.NDArray[Any]]) -> "xr.Variable":
        stacked = np.stack([by_check[name] for name in checks], axis=-1)
        return xr.Variable(dims, stacked.reshape(shape))

    return {
        "check": xr.Variable("check", np.array(checks, dtype=object)),
        "audit_value": stack(columns.audit_value.columns),
        "audit_bound": stack(columns.audit_bound.columns),
        "audit_ok": stack(columns.audit_ok.columns),
    }
