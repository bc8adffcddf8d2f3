"""From columns of numbers to one labelled dataset."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from wheelwork.sweeps.cases import Cases
from wheelwork.sweeps.columns import NOT_COMPUTED, Columns

Labels = Mapping[str, Sequence[str]]  # symbol, unit, long name


def to_dataset(cases: Cases, columns: Columns, labels: Labels) -> xr.Dataset:
    """Return every number of `columns`, laid out as `cases` say.

    Over their dimensions: each observable and `<name>_error` (NaN where there is none), `failed`,
    `failure` (empty where the point succeeded), `audit_passed` (1 or 0; -1 without a verdict).
    Over these and `check`: `audit_value`, `audit_bound`, and `audit_ok` (1, 0 or -1).
    """
    variables = {
        **_observables(cases, columns, labels),
        **_errors(cases, columns, labels),
        **_verdicts(cases, columns),
        **_audit(cases, columns),
    }
    along = {name: (name,) if name in cases.dims else cases.dims for name in cases.columns}
    coordinates = {
        name: xr.Variable(along[name], column, _attributes(name, labels))
        for name, column in cases.columns.items()
    }
    taken = {name: item for name, item in variables.items() if name not in coordinates}
    return xr.Dataset(taken, coords=coordinates)


def _laid_out(cases: Cases, column: npt.NDArray[Any], attributes: Mapping[str, str]) -> xr.Variable:
    return xr.Variable(cases.dims, column.reshape(cases.shape), attributes)


def _attributes(name: str, labels: Labels) -> dict[str, str]:
    if name not in labels:
        return {}
    return dict(zip(("symbol", "units", "long_name"), labels[name], strict=True))


def _observables(cases: Cases, columns: Columns, labels: Labels) -> dict[str, xr.Variable]:
    table = columns.observables
    return {
        name: _laid_out(cases, table.columns[name], _attributes(name, labels))
        for name in table.names
    }


def _errors(cases: Cases, columns: Columns, labels: Labels) -> dict[str, xr.Variable]:
    table = columns.errors
    variables = {}
    for name in table.names:
        attributes = {"long_name": f"estimated absolute error of {name}"}
        if name in labels:
            attributes["units"] = labels[name][1]
        variables[f"{name}_error"] = _laid_out(cases, table.columns[name], attributes)
    return variables


def _verdicts(cases: Cases, columns: Columns) -> dict[str, xr.Variable]:
    failure = columns.failure
    failed = (failure != "") & (failure != NOT_COMPUTED)
    words = "1: every check passed, 0: some failed, -1: no verdict"
    return {
        "failed": _laid_out(
            cases, failed.astype(np.int8), {"long_name": "1 where the point was tried in vain"}
        ),
        "failure": _laid_out(cases, failure, {"long_name": "why the point has no numbers"}),
        "audit_passed": _laid_out(cases, columns.passed, {"long_name": words}),
    }


def _audit(cases: Cases, columns: Columns) -> dict[str, xr.Variable]:
    checks = columns.audit_value.names
    if not checks:
        return {}
    dims, shape = (*cases.dims, "check"), (*cases.shape, len(checks))

    def stack(by_check: Mapping[str, npt.NDArray[Any]]) -> xr.Variable:
        columns = np.stack([by_check[name] for name in checks], axis=-1)
        return xr.Variable(dims, columns.reshape(shape))

    return {
        "check": xr.Variable("check", np.array(checks, dtype=object)),
        "audit_value": stack(columns.audit_value.columns),
        "audit_bound": stack(columns.audit_bound.columns),
        "audit_ok": stack(columns.audit_ok),
    }
