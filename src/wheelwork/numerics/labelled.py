"""Arrays with labelled dimensions: what stands along them, and how a dataset writes that down."""

import ast
import math
import re
from array import array
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork._deferred import xr
from wheelwork.errors import InvalidArgument

LITERALS = "Python literals"  # attribute `labels` of a coordinate whose keys are written down
WHOLE = range(-(2**63), 2**63)  # integers that netCDF holds
FOREIGN = re.compile("[\0\ud800-\udfff]")  # ends a text in netCDF; halves of letters, not UTF-8
SHOWN = 3  # keys that a text names
Label = tuple[str, str, str]  # symbol (TeX mathematics without its dollars), unit, long name
NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Axis:
    """What stands along a dimension.

    keys: numbers, text, and tuples of them stay what they are; others become their `repr`.
    parts: names of the members of keys that are tuples, each a coordinate of its own.
    """

    name: str
    keys: tuple[Hashable, ...]
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple(_plain(key) for key in self.keys))

    def coordinates(self) -> "dict[str, xr.Variable]":
        """The coordinate of the dimension, and those of the parts: see `labels_of`."""
        columns = {self.name: labels_of(self.keys)}
        pool = [member for key in self.keys if self.parts for member in key]  # type: ignore[attr-defined]
        labels, text = labels_of(pool)  # together: all parts are of one type
        for position, part in enumerate(self.parts):
            columns[part] = labels[position :: len(self.parts)].copy(), text
        return {name: xr.Variable(self.name, *column) for name, column in columns.items()}


@dataclass(frozen=True, eq=False)
class LabelledArray:
    """Numbers over axes.

    values: one dimension for each axis. errors: absolute, of the same shape, None where unknown.
    reason: why there are NaN among the values, else empty. label: symbol, unit and long name.
    """

    axes: tuple[Axis, ...]
    values: FloatArray
    errors: FloatArray | None = None
    reason: str = ""
    label: Label | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _floats(self.values))
        if self.errors is not None:
            errors = np.broadcast_to(_floats(self.errors), self.values.shape)
            object.__setattr__(self, "errors", errors)

    @classmethod
    def of(
        cls, over: tuple[str, ...], value: Any, error: Any = None, axes: Mapping[str, Axis] = NONE
    ) -> "LabelledArray":
        """Label an array, or a mapping from the keys of one dimension to numbers.

        axes: known beforehand, by name; the positions of an array without one are counted from 0.
        """
        if isinstance(value, Mapping):
            keys = tuple(value)
            axes = {over[0]: getattr(value, "axis", None) or Axis(over[0], keys)}
            value, error = _listed(value, keys), _listed(error, keys)
        numbers = np.asarray(value, dtype=np.float64)
        if numbers.ndim != len(over):
            raise InvalidArgument(
                f"an array over {', '.join(over)} must have that many dimensions, but has shape "
                f"{numbers.shape}"
            )
        sizes = zip(over, numbers.shape, strict=True)
        named = tuple(axes.get(name) or Axis(name, tuple(range(size))) for name, size in sizes)
        if any(len(axis.keys) != size for axis, size in zip(named, numbers.shape, strict=True)):
            raise InvalidArgument(f"an array over {', '.join(over)} must fit its axes")
        return cls(named, numbers, error)

    @classmethod
    def unknown(
        cls, over: tuple[str, ...], axes: Mapping[str, Axis], reason: str
    ) -> "LabelledArray":
        """NaN over the axes that are known."""
        named = tuple(axes.get(name) or Axis(name, ()) for name in over)
        return cls(named, np.full([len(axis.keys) for axis in named], np.nan), None, reason)

    def explained(self, reason: str) -> "LabelledArray":
        """Return it with this reason, if there are NaN and it has none."""
        gaps = not self.reason and bool(np.any(np.isnan(self.values)))
        return replace(self, reason=reason) if gaps else self

    def entry(self) -> dict[str, Any]:
        """As JSON material, which `from_entry` reads without any loss."""
        axes = [[axis.name, axis.keys, axis.parts] for axis in self.axes]
        entry: dict[str, Any] = {"axes": axes, "values": self.values.tolist()}
        entry |= {} if self.errors is None else {"errors": self.errors.tolist()}
        texts = {"reason": self.reason, "label": self.label}
        return entry | {name: text for name, text in texts.items() if text}

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> "LabelledArray":
        axes = tuple(Axis(name, _tuples(keys), tuple(parts)) for name, keys, parts in entry["axes"])
        shape = [len(axis.keys) for axis in axes]
        values = _floats(entry["values"]).reshape(shape)
        errors = _floats(entry["errors"]).reshape(shape) if "errors" in entry else None
        label = tuple(entry["label"]) if "label" in entry else None
        return cls(axes, values, errors, entry.get("reason", ""), label)  # type: ignore[arg-type]


@dataclass
class Stacks:
    """The labelled arrays of `size` points, by name; any of them may be lacking at a point."""

    size: int
    by_name: dict[str, "_Stack"] = field(default_factory=dict)

    def put(self, index: int, arrays: Mapping[str, LabelledArray]) -> None:
        for position, (name, one) in enumerate(arrays.items()):
            stack = self.by_name.setdefault(name, _Stack())
            stack.alike.setdefault(one.axes, _Alike()).put(index, one)
            stack.first = min(stack.first, (index, position))
            stack.label = stack.label or one.label
            if one.reason:
                stack.reasons[index] = one.reason

    @property
    def names(self) -> list[str]:
        """In the order of the first point that has them."""
        return sorted(self.by_name, key=lambda name: self.by_name[name].first)

    @property
    def axes(self) -> dict[str, Axis]:
        """By name, with every key that occurs at any point, in the order of the points."""
        axes: dict[str, Axis] = {}
        every = [one for name in self.names for one in self.by_name[name].alike.items()]
        for own, _ in sorted(every, key=lambda one: min(one[1].indices)):
            for axis in own:
                known = axes.get(axis.name, axis)
                if known.keys != axis.keys:
                    known = replace(axis, keys=tuple(dict.fromkeys((*known.keys, *axis.keys))))
                axes[axis.name] = known
        return axes

    def dataset(self, dims: tuple[str, ...], shape: tuple[int, ...]) -> "xr.Dataset":
        """Return the arrays over `dims` and their axes, with NAME_error and NAME_missing.

        dims, shape: how the points are laid out. Where points differ in their keys, each has NaN
        for those of the others, and the reason says so.
        """
        axes, variables = self.axes, dict[str, xr.Variable]()
        for name in self.names:
            known = self.by_name[name].label
            units = {"units": known[1]} if known else {}
            text: dict[str, dict[str, str]] = {"": attributes(known) if known else {}}
            text["_error"] = {"long_name": f"estimated absolute error of {name}", **units}
            text["_missing"] = {"long_name": f"why numbers of {name} are missing"}
            laid_out = self.by_name[name].laid_out(self.size, dims, shape, axes)
            for part, column in laid_out.items():
                variables[f"{name}{part}"] = xr.Variable(*column, text[part])
        coordinates = [axis.coordinates() for axis in axes.values()]
        return xr.Dataset(variables, {n: one for each in coordinates for n, one in each.items()})


@dataclass
class _Stack:
    """Arrays of one name. first: index of a point, and position among its names."""

    alike: dict[tuple[Axis, ...], "_Alike"] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    first: tuple[float, int] = (math.inf, 0)
    label: Label | None = None

    def laid_out(
        self, size: int, dims: tuple[str, ...], shape: tuple[int, ...], axes: Mapping[str, Axis]
    ) -> dict[str, tuple[Any, npt.NDArray[Any]]]:
        """Values, and errors ("_error") and reasons ("_missing") where there are any."""
        names = min((min(rows.indices), _names(own)) for own, rows in self.alike.items())[1]
        whole = (size, *(len(axes[name].keys) for name in names))
        values, errors = np.full(whole, np.nan), np.full(whole, np.nan)
        reasons = np.full(size, "", dtype=object)
        for own, rows in self.alike.items():
            if _names(own) != names:
                reasons[np.array(rows.indices)] = f"here it is over {', '.join(_names(own))}"
                continue
            at = np.array(rows.indices), *(_positions(axis, axes[axis.name]) for axis in own)
            values[np.ix_(*at)], errors[np.ix_(*at)] = rows.numbers(own)
            reasons[at[0]] = "; ".join(filter(None, (_lacking(x, axes[x.name]) for x in own)))
        for index, reason in self.reasons.items():
            reasons[index] = reason
        over, sizes = (*dims, *names), (*shape, *whole[1:])
        found: dict[str, tuple[Any, npt.NDArray[Any]]] = {"": (over, values.reshape(sizes))}
        if not np.all(np.isnan(errors)):
            found["_error"] = over, errors.reshape(sizes)
        if np.any(reasons != ""):
            found["_missing"] = dims, reasons.reshape(shape)
        return found


@dataclass
class _Alike:
    """Arrays of points with the same axes, one after the other, without these."""

    indices: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    errors: "array[float]" = field(default_factory=lambda: array("d"))

    def put(self, index: int, one: LabelledArray) -> None:
        errors = np.full(one.values.shape, np.nan) if one.errors is None else one.errors
        self.indices.append(index)
        self.values.frombytes(one.values.tobytes())
        self.errors.frombytes(errors.tobytes())

    def numbers(self, axes: tuple[Axis, ...]) -> tuple[FloatArray, FloatArray]:
        shape = (len(self.indices), *(len(axis.keys) for axis in axes))
        return np.array(self.values).reshape(shape), np.array(self.errors).reshape(shape)


def with_arrays(dataset: "xr.Dataset", arrays: "xr.Dataset") -> "xr.Dataset":
    """Return `dataset` with the variables and coordinates of `arrays`."""
    return dataset.assign_coords(arrays.coords).assign(arrays.data_vars)


def attributes(label: Label) -> dict[str, str]:
    """Return a label as attributes of a variable in a dataset."""
    return dict(zip(("symbol", "units", "long_name"), label, strict=True))


def labels_of(keys: Iterable[Any]) -> tuple[npt.NDArray[Any], dict[str, str]]:
    """Return keys as a coordinate that netCDF can hold, and its attributes.

    All integers, all floats and all text stay what they are; any others are written down as Python
    literals, "(0, 1)" for a tuple, which `keys_of` reads.
    """
    keys = tuple(keys)
    kinds = {type(key) for key in keys}
    if kinds == {int} and all(key in WHOLE for key in keys):
        return np.array(keys, dtype=np.int64), {}
    if kinds == {float}:
        return np.array(keys), {}
    if kinds == {str} and not any(FOREIGN.search(key) for key in keys):
        return np.array(keys, dtype=object), {}
    return np.array([repr(key) for key in keys], dtype=object), {"labels": LITERALS}


def keys_of(coordinate: "xr.DataArray") -> tuple[Any, ...]:
    """Return what stands along a coordinate, with its type: nodes, pairs of nodes, baths.

    coordinate: such as `dataset.edge`, also of a dataset that was read from a file. Tuples, and
    keys of mixed types, which the coordinate holds as text, come back as they were.
    """
    keys = np.asarray(coordinate.values).tolist()
    if coordinate.attrs.get("labels") != LITERALS:
        return tuple(keys)
    return tuple(_literal(key) for key in keys)


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):  # the `repr` of an object
        return text


def _plain(key: Any) -> Hashable:
    """A key without types that only NumPy or the user knows."""
    if isinstance(key, np.generic):
        key = key.item()
    if isinstance(key, tuple):
        return tuple(_plain(member) for member in key)
    known = key is None or type(key) in (bool, int, float, str)
    return key if known else repr(key)  # type: ignore[no-any-return]


def _tuples(keys: Any) -> tuple[Any, ...]:
    """Tuples that JSON holds as lists."""
    return tuple(_tuples(key) if isinstance(key, list) else key for key in keys)


def _listed(value: Any, keys: tuple[Hashable, ...]) -> Any:
    """The numbers of a mapping in the order of `keys`."""
    if not isinstance(value, Mapping):
        return value
    if isinstance(known := getattr(value, "array", None), np.ndarray):
        return known
    return np.array([float(value.get(key, math.nan)) for key in keys])


def _floats(numbers: Any) -> FloatArray:
    """As float64; every NaN becomes the same one, since JSON does not tell them apart."""
    given = np.asarray(numbers, dtype=np.float64)
    return np.where(np.isnan(given), np.nan, given)


def _names(axes: tuple[Axis, ...]) -> tuple[str, ...]:
    return tuple(axis.name for axis in axes)


def _positions(axis: Axis, whole: Axis) -> npt.NDArray[np.intp]:
    if axis.keys == whole.keys:
        return np.arange(len(axis.keys))
    index = {key: position for position, key in enumerate(whole.keys)}
    return np.array([index[key] for key in axis.keys], dtype=np.intp)


def _lacking(axis: Axis, whole: Axis) -> str:
    """In words, the keys of the whole that one point does not have."""
    if len(axis.keys) == len(whole.keys):
        return ""
    missing = [repr(key) for key in whole.keys if key not in set(axis.keys)]
    more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
    return f"there is no {axis.name} {', '.join(missing[:SHOWN])}{more} at this point"
