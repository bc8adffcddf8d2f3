"""From finished points to one labelled dataset."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from wheelwork._checks import FloatArray
from wheelwork.sweeps.point import Point

Labels = Mapping[str, tuple[str, str, str]]

NOT_COMPUTED = "not computed"
NO_VERDICT = -1


def to_dataset(
    axes: Mapping[str, FloatArray], points: Sequence[Point], labels: Labels
) -> xr.Dataset:
    """Return every number of `points` on the product of `axes`.

    Over the axes: each observable and `<name>_error` (NaN where there is none), `failure` (empty
    where the point succeeded), `audit_passed` (1 or 0; -1 without a verdict).
    Over the axes and `check`: `audit_value`, `audit_bound`, and `audit_ok` (1, 0 or -1).
    """
    layout = _Layout(tuple(axes), tuple(axis.size for axis in axes.values()), points)
    variables = {
        **_observables(layout, labels),
        **_errors(layout, labels),
        **_verdicts(layout),
        **_audit(layout),
    }
    coordinates = {name: (name, axis, _attributes(name, labels)) for name, axis in axes.items()}
    taken = {name: item for name, item in variables.items() if name not in axes}
    return xr.Dataset(taken, coords=coordinates)


@dataclass(frozen=True)
class _Layout:
    """Where the points lie on the product of the axes."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    points: Sequence[Point]

    def place(self, values: Iterable[Any], empty: Any, dtype: type) -> npt.NDArray[Any]:
        """Return one value per point on the axes, and `empty` where no point was computed."""
        flat: npt.NDArray[Any] = np.full(math.prod(self.shape), empty, dtype=dtype)
        for point, value in zip(self.points, values, strict=True):
            flat[point.index] = value
        return flat.reshape(self.shape)

    def numbers(self, of_points: Iterable[Mapping[str, float]], name: str) -> FloatArray:
        return self.place((values.get(name, math.nan) for values in of_points), math.nan, float)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _attributes(name: str, labels: Labels) -> dict[str, str]:
    if name not in labels:
        return {}
    return dict(zip(("symbol", "units", "long_name"), labels[name], strict=True))


def _observables(layout: _Layout, labels: Labels) -> dict[str, xr.Variable]:
    found = [point.observables for point in layout.points]
    return {
        name: xr.Variable(layout.dims, layout.numbers(found, name), _attributes(name, labels))
        for name in _unique(name for values in found for name in values)
    }


def _errors(layout: _Layout, labels: Labels) -> dict[str, xr.Variable]:
    found = [point.errors for point in layout.points]
    variables = {}
    for name in _unique(name for values in found for name in values):
        attributes = {"long_name": f"estimated absolute error of {name}"}
        if name in labels:
            attributes["units"] = labels[name][1]
        numbers = layout.numbers(found, name)
        variables[f"{name}_error"] = xr.Variable(layout.dims, numbers, attributes)
    return variables


def _verdicts(layout: _Layout) -> dict[str, xr.Variable]:
    failures = (point.failure for point in layout.points)
    verdicts = (
        NO_VERDICT if point.failure else all(check.ok for check in point.audit.values())
        for point in layout.points
    )
    return {
        "failure": xr.Variable(
            layout.dims,
            layout.place(failures, NOT_COMPUTED, object),
            {"long_name": "why the point has no numbers"},
        ),
        "audit_passed": xr.Variable(
            layout.dims,
            layout.place(verdicts, NO_VERDICT, np.int8),
            {"long_name": "1: every check passed, 0: some failed, -1: no verdict"},
        ),
    }


def _audit(layout: _Layout) -> dict[str, xr.Variable]:
    checks = _unique(name for point in layout.points for name in point.audit)
    if not checks:
        return {}
    dims = (*layout.dims, "check")

    def stack(field: str, empty: Any, dtype: type) -> xr.Variable:
        columns = [
            layout.place(
                [getattr(point.audit.get(name), field, empty) for point in layout.points],
                empty,
                dtype,
            )
            for name in checks
        ]
        return xr.Variable(dims, np.stack(columns, axis=-1))

    return {
        "check": xr.Variable("check", np.array(checks, dtype=object)),
        "audit_value": stack("value", math.nan, float),
        "audit_bound": stack("bound", math.nan, float),
        "audit_ok": stack("ok", NO_VERDICT, np.int8),
    }
