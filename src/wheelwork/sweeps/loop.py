"""A machine at many parameter values, as one labelled dataset."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import xarray as xr

from wheelwork._checks import FloatArray, finite_array
from wheelwork.errors import InvalidArgument
from wheelwork.sweeps.dataset import to_dataset
from wheelwork.sweeps.point import Point, solve_point
from wheelwork.sweeps.protocols import Labelled, Machine, State
from wheelwork.sweeps.provenance import provenance


def sweep(
    machine: Machine[State],
    values: Mapping[str, Any],
    method: Any = None,
    *,
    on_point: Callable[[Point], None] | None = None,
) -> xr.Dataset:
    """Settle `machine` at every combination of `values` and return all numbers, labelled.

    `values` maps parameter names, as `machine.replace` takes them, to values of shape (n,), in the
    machine's units; several names span their product, the last varying fastest. `method` is the
    algorithm, None the machine's direct one. `on_point` is called after each point.

    The dataset holds each observable with its `<name>_error`, and per point `failure` and the
    audit; its attributes say how it was made (machine, method, versions, date). A point without a
    steady state, or short of its tolerance, is NaN with the reason in `failure`. Interrupted from
    the keyboard, the sweep returns what is finished and sets the attribute `complete` to 0.

    Raises InvalidArgument, before anything is computed, where a name or the first values are not
    accepted.
    """
    axes = _axes(values)
    machine.replace(**next(_cases(axes)))  # a misspelt name ends here, not as n failed points
    total = math.prod(axis.size for axis in axes.values())
    points: list[Point] = []
    complete = True
    try:
        for index, parameters in enumerate(_cases(axes)):
            points.append(solve_point(machine, parameters, method, index, total))
            if on_point is not None:
                on_point(points[-1])
    except KeyboardInterrupt:
        complete = len(points) == total
    labels = machine.labels if isinstance(machine, Labelled) else {}
    dataset = to_dataset(axes, points, labels)
    return dataset.assign_attrs(**provenance(machine, method), complete=int(complete))


def _axes(values: Mapping[str, Any]) -> dict[str, FloatArray]:
    if not values:
        raise InvalidArgument(f"`values` must name at least one parameter, but is {values!r}")
    axes = {name: finite_array(name, value, ndim=1) for name, value in values.items()}
    for name, axis in axes.items():
        if axis.size == 0:
            raise InvalidArgument(f"`{name}` must hold at least one value, but is empty (sweep)")
    return axes


def _cases(axes: Mapping[str, FloatArray]) -> Iterator[dict[str, float]]:
    for case in itertools.product(*(axis.tolist() for axis in axes.values())):
        yield dict(zip(axes, case, strict=True))
