"""How the results of one kind of machine are shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Presentation:
    """What a job does for one kind of machine after its sweep.

    headings: columns of the table, by observable. judged: the observable whose relative error
    stands in the table, under the heading `accuracy`. complete: (dataset, machine, parameter,
    method) -> the dataset with what a sweep alone does not hold. draw: dataset -> figure.
    remarks: dataset -> lines for a person.
    """

    headings: Mapping[str, str]
    judged: str
    accuracy: str
    complete: Callable[[xr.Dataset, Any, str, Any], xr.Dataset]
    draw: Callable[[xr.Dataset], Figure]
    remarks: Callable[[xr.Dataset], list[str]]
