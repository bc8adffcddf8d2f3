"""A run: one machine over one parameter, and how its results are shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from wheelwork._checks import FloatArray


@dataclass(frozen=True)
class Presentation:
    """Presentation of the results of one kind of machine.

    draw: dataset -> figure.
    headings: columns of the table, by observable; empty: the first observables, by their names.
    judged: the observable whose relative error is listed under `error_heading`; empty: the
    first with an error.
    complete: (dataset, machine, parameter, method) -> the dataset with what the figure shows
    besides the sweep. remarks: dataset -> lines for a person.
    """

    draw: Callable[[xr.Dataset], Figure]
    headings: Mapping[str, str] = field(default_factory=dict)
    judged: str = ""
    error_heading: str = "error"
    complete: Callable[[xr.Dataset, Any, str, Any], xr.Dataset] = lambda dataset, *_: dataset
    remarks: Callable[[xr.Dataset], list[str]] = lambda dataset: []


@dataclass(frozen=True, eq=False)
class Run:
    """A machine, the parameter to vary and its values, and the method.

    values: (n,), in the machine's units. method: None for the machine's default.
    name: of the files that the results go to.
    """

    machine: Any
    parameter: str
    values: FloatArray
    method: Any
    presentation: Presentation
    name: str


def missing_parts(dataset: xr.Dataset) -> list[str]:
    """Return what `complete` could not compute, and why: PART_missing in the attributes."""
    parts = [key for key in dataset.attrs if key.endswith("_missing")]
    return [f"{key.replace('_', ' ')}: {dataset.attrs[key]}" for key in parts]
