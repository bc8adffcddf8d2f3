"""Everything that an object shows, as plain data that can be compared in another process."""

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cached_property
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import xarray as xr

from wheelwork.errors import WheelworkError
from wheelwork.results import Observable

PLAIN = (bool, int, float, complex, str, bytes, type(None), np.ndarray, Enum, Path, range, slice)
READ = (property, cached_property, Observable)
DEEPEST = 4  # parts of parts, whose fields are compared; what they compute is not


def observed(value, depth=0):
    """`value` as nested lists and mappings of plain data: fields and, of `value` itself, all that
    is computed where it is read.
    """
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, xr.Dataset | xr.DataArray):
        return repr(value.sizes), [observed(each) for each in _arrays(value)]
    if isinstance(value, BaseException):
        return (
            type(value).__name__,
            str(value),
            observed(getattr(value, "partial", None), depth + 1),
        )
    if depth > DEEPEST:
        return type(value).__name__
    if sp.issparse(value):
        return value.toarray()
    if callable(written_down := getattr(value, "written_down", None)):
        return written_down()
    shown = _parts(value, _names(type(value), depth), depth) if _is_own(value) else {}
    if isinstance(value, Mapping):
        return shown, [(repr(key), observed(item, depth + 1)) for key, item in value.items()]
    if isinstance(value, Sequence):
        return shown, [observed(item, depth + 1) for item in value]
    return shown or getattr(value, "__qualname__", type(value).__name__)


def _is_own(value):
    return type(value).__module__.partition(".")[0] in ("wheelwork", "public_objects")


def _arrays(data):
    parts = data.variables.values() if isinstance(data, xr.Dataset) else [data]
    return [part.values for part in parts]


def _names(kind, depth):
    fields = (
        [each.name for each in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []
    )
    if depth:
        return fields
    members = {name: member for base in kind.__mro__ for name, member in vars(base).items()}
    read = [name for name, each in members.items() if isinstance(each, READ) and name[0] != "_"]
    return sorted({*fields, *read})


def _parts(value, names, depth):
    parts = {"": type(value).__name__}
    for name in names:
        try:
            parts[name] = observed(getattr(value, name), depth + 1)
        except (WheelworkError, NotImplementedError, ImportError) as reason:
            parts[name] = str(reason)
    return parts


def observe_all(objects, called):
    """`observed` of each of a mapping, its printout, and what its method in `called` returns."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return {
            name: (observed(one), repr(one), observed(called.get(name, type)(one)))
            for name, one in objects.items()
        }
