"""Parameter values of a sweep: a product, values side by side, or a table.

Cases are numbered combinations of values. They have `columns`, the values by parameter (those of
an axis, or one per case); `dims` and `shape`, how they are laid out in a dataset;
`parameters(index)` of a case counted from zero; and `describe()`, all values as JSON material.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wheelwork._checks import FloatArray, finite_array
from wheelwork.errors import InvalidArgument, shown
from wheelwork.parameters import ShortRepr

POINT = "point"  # the dimension of values side by side
# Names of a dataset's own variables, which no parameter may have.
RESERVED = {
    "check", "failed", "failure", "warning", "audit_passed", "audit_value", "audit_bound",
    "audit_ok",
}  # fmt: skip


class _ByValue(ShortRepr):
    """Values of parameters, equal where names, values and their order are."""

    def describe(self) -> Any:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.describe() == other.describe()

    def __hash__(self) -> int:
        return hash(tuple(self.describe()["order"]))


@dataclass(frozen=True, eq=False, repr=False)
class Product(_ByValue):
    """Every combination of the values of several parameters, the last varying fastest.

    axes: parameter → values, (n,), finite and not empty.
    """

    axes: Mapping[str, Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", _columns(self.axes))

    @property
    def columns(self) -> Mapping[str, FloatArray]:
        return self.axes

    @property
    def dims(self) -> tuple[str, ...]:
        return tuple(self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(axis.size for axis in self.axes.values())

    def __len__(self) -> int:
        return math.prod(self.shape)

    def parameters(self, index: int) -> dict[str, float]:
        values: dict[str, float] = {}
        for name, axis in reversed(list(self.axes.items())):
            index, position = divmod(index, axis.size)
            values[name] = float(axis[position])
        return {name: values[name] for name in self.axes}

    def describe(self) -> Any:
        values = {name: axis.tolist() for name, axis in self.axes.items()}
        return {"product": values, "order": list(values)}


@dataclass(frozen=True, eq=False, repr=False)
class Zipped(_ByValue):
    """Values side by side: the first of every parameter, then the second, and so on.

    columns: parameter → values, (n,), finite, the same n for all. The dataset has the dimension
    "point", and every parameter as a coordinate along it.
    """

    columns: Mapping[str, Any]

    def __post_init__(self) -> None:
        columns = _columns(self.columns)
        sizes = {name: column.size for name, column in columns.items()}
        if len(set(sizes.values())) > 1:
            raise InvalidArgument(f"`values` must hold as many of each, but has {sizes} (Zipped)")
        if POINT in columns:
            raise InvalidArgument(f"`values` must not name a parameter `{POINT}` (Zipped)")
        object.__setattr__(self, "columns", columns)

    @property
    def dims(self) -> tuple[str, ...]:
        return (POINT,)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self),)

    def __len__(self) -> int:
        return int(next(iter(self.columns.values())).size)

    def parameters(self, index: int) -> dict[str, float]:
        return {name: float(column[index]) for name, column in self.columns.items()}

    def describe(self) -> Any:
        values = {name: column.tolist() for name, column in self.columns.items()}
        return {"zipped": values, "order": list(values)}


Cases = Product | Zipped


def as_cases(values: Any) -> Cases:
    """Return the cases given by `values`.

    A mapping is a `Product`, a list of mappings with the same names a table (`Zipped`).
    Raises InvalidArgument for anything else.
    """
    if isinstance(values, Product | Zipped):
        return values
    if isinstance(values, Mapping):
        return Product(values)
    if isinstance(values, Sequence) and not isinstance(values, str | bytes):
        return _table(values)
    raise InvalidArgument(
        "`values` must be a mapping of parameters to values, Zipped(...) or a list of mappings, "
        f"but is {shown(values)}"
    )


def from_description(description: Mapping[str, Any]) -> Cases:
    """Return the cases that `describe` described."""
    if "product" in description:
        return Product(description["product"])
    return Zipped(description["zipped"])


def side_by_side(names: list[str], rows: list[tuple[float, ...]]) -> Zipped:
    return Zipped({name: [row[i] for row in rows] for i, name in enumerate(names)})


def _table(rows: Sequence[Any]) -> Zipped:
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise InvalidArgument(f"`values` must hold mappings, but row {number} is {shown(row)}")
        if row.keys() != rows[0].keys():
            raise InvalidArgument(
                f"`values` must name the same parameters in every row, but row {number} has "
                f"{shown(list(row))}, the first {shown(list(rows[0]))}"
            )
    return Zipped({name: [row[name] for row in rows] for name in (rows[0] if rows else ())})


def _columns(values: Any) -> dict[str, FloatArray]:
    if not isinstance(values, Mapping) or not values:
        raise InvalidArgument(f"`values` must name at least one parameter, but is {shown(values)}")
    columns = {}
    for name, value in values.items():
        if not isinstance(name, str) or "/" in name:
            raise InvalidArgument(f"`values` must have names without '/', but has {shown(name)}")
        if name in RESERVED:
            raise InvalidArgument(f"`values` must not name a parameter `{name}`: a dataset does")
        column = _numbers(name, value)
        if column.size == 0:
            raise InvalidArgument(f"`{name}` must hold at least one value, but is empty (sweep)")
        column.flags.writeable = False
        columns[name] = column
    return columns


def _numbers(name: str, value: Any) -> FloatArray:
    """Return `value` as a new array, (n,); refuses what is not a number or would be rounded."""
    given = np.asanyarray(value)
    if given.dtype.kind in "USbmM" or isinstance(given, np.ma.MaskedArray):
        raise InvalidArgument(f"`{name}` must be an array of real numbers, but is {shown(value)}")
    column = np.array(finite_array(name, value, ndim=1))
    if given.dtype.kind in "iuO":
        for one, number in zip(given.tolist(), column.tolist(), strict=True):
            if isinstance(one, int) and one != number:
                raise InvalidArgument(
                    f"`{name}` must hold numbers that double precision can, but holds {one}"
                )
    return column
