"""Variables of datasets: numbers with their errors, complex ones in two parts, and checks."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from wheelwork.numerics.labelled import attributes
from wheelwork.results.audit import AuditEntry
from wheelwork.results.observable import Labels

Variables = dict[str, Any]
Numbers = Mapping[str, Any]


def variables(
    dims: Any, name: str, values: Any, errors: Any = None, unit: str = "1", meaning: str = ""
) -> Variables:
    """Return `values` over `dims` under `name`, and `errors`, if known, as NAME_error.

    Complex values become NAME_real and NAME_imag, which files can hold; an error that is real then
    bounds both parts.
    """
    values = np.asarray(values)
    if np.iscomplexobj(values):
        parts: Variables = {}
        for part in ("real", "imag"):
            error = getattr(errors, part) if np.iscomplexobj(errors) else errors
            of = meaning and f"{meaning}, {part} part"
            parts |= variables(dims, f"{name}_{part}", getattr(values, part), error, unit, of)
        return parts
    words = {"units": unit, **({"long_name": meaning} if meaning else {})}
    one = {name: (dims, values, words)}
    if errors is None:
        return one
    return one | {f"{name}_error": (dims, np.asarray(errors), {"units": unit})}


def checks(audit: Mapping[str, AuditEntry]) -> Variables:
    """Return an audit over `check`, named as in the dataset of a sweep."""
    entries = audit.values()
    return {
        "check": ("check", np.array(list(audit), dtype=object)),
        "audit_value": ("check", [float(entry.value) for entry in entries]),
        "audit_bound": ("check", [float(entry.bound) for entry in entries]),
        "audit_ok": ("check", np.array([entry.ok for entry in entries], dtype=np.int8)),
    }


def variables_of(
    dims: Any, values: Numbers, errors: Numbers, missing: Numbers, labels: Labels
) -> Variables:
    """Return observables over `dims`, known errors as NAME_error, reasons as NAME_missing."""
    made: Variables = {}
    for name, value in values.items():
        made[name] = (dims, value, attributes(labels[name]))
        if name in errors:
            made[f"{name}_error"] = (dims, errors[name], {"units": labels[name][1]})
        if name in missing:
            made[f"{name}_missing"] = (dims, missing[name])
    return made
