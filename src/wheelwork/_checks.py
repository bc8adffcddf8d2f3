"""Validation of arguments: conversion, and error messages of one form.

Every message reads "`name` must ..., but is ... (where)".
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from wheelwork.errors import InvalidArgument
from wheelwork.errors import shown as shown

FloatArray = npt.NDArray[np.float64]

# Of energies, in any unit: the fourth power of a Green function stays within the range of floats.
LARGEST_ENERGY = 1e60


def refusal(
    name: str, requirement: str, value: Any, where: str = "", instead: str = ""
) -> InvalidArgument:
    """Return the error of an argument: "`name` must requirement, but is value (where)".

    instead: of "is value". What is None was not given, and is told to be.
    """
    where = f" ({where})" if where else ""
    if value is None:
        return InvalidArgument(f"`{name}` must be given, and {requirement}{where}")
    return InvalidArgument(
        f"`{name}` must {requirement}, but {instead or f'is {shown(value)}'}{where}"
    )


def real(name: str, value: Any, where: str = "") -> float:
    """Return `value` as a finite float."""
    if isinstance(value, str | bytes | bool | complex):
        raise refusal(name, "be a real number", value, where)
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise refusal(name, "be a real number", value, where) from None
    except OverflowError:  # an integer
        raise refusal(name, "be a number below 1e308", value, where, "is larger") from None
    if not math.isfinite(number):
        raise refusal(name, "be finite", number, where)
    return number


def positive(name: str, value: Any, where: str = "") -> float:
    """Return `value` as a float above zero."""
    number = real(name, value, where)
    if number <= 0.0:
        raise refusal(name, "be positive", number, where)
    return number


def energy(name: str, value: Any, where: str = "") -> float:
    """Return `value` as a float whose square and fourth power are finite numbers."""
    return _in_range(name, real(name, value, where), where)


def positive_energy(name: str, value: Any, where: str = "") -> float:
    """Return `value` as an `energy` above zero, whose inverse is one as well."""
    number = positive(name, value, where)
    _in_range(name, 1.0 / max(number, np.finfo(float).tiny), where, number)
    return _in_range(name, number, where)


def _in_range(name: str, number: float, where: str, value: float | None = None) -> float:
    if abs(number) > LARGEST_ENERGY:
        bounds = f"be of a size between {1.0 / LARGEST_ENERGY:g} and {LARGEST_ENERGY:g}"
        raise refusal(name, bounds + " in the unit chosen", value or number, where)
    return number


def non_negative(name: str, value: Any, where: str = "") -> float:
    """Return `value` as a float of at least zero."""
    number = real(name, value, where)
    if number < 0.0:
        raise refusal(name, "not be negative", number, where)
    return number


def within(name: str, value: Any, low: float, high: float, where: str = "") -> float:
    """Return `value` as a float of at least `low` and at most `high`."""
    number = real(name, value, where)
    if not low <= number <= high:
        raise refusal(name, f"lie between {low:g} and {high:g}", number, where)
    return number


def tolerance(name: str, value: Any, where: str = "") -> float:
    """Return `value` as a relative tolerance between 1e-12 and 0.1."""
    return within(name, positive(name, value, where), 1e-12, 0.1, where)


def integer(name: str, value: Any, minimum: int, where: str = "") -> int:
    """Return `value` as an int of at least `minimum`."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, np.timedelta64)
    if isinstance(value, bool) or not whole:
        raise refusal(name, "be an integer", value, where)
    number = int(value)
    if number < minimum:
        raise refusal(name, f"be at least {minimum}", number, where)
    return number


def flag(name: str, value: Any) -> bool:
    """Return `value` as a bool, which it must be."""
    if not isinstance(value, bool | np.bool_):
        raise refusal(name, "be True or False", value, "")
    return bool(value)


def listed(value: Any) -> list[Any] | None:
    """The entries of a sequence, or None of what is none."""
    try:
        return list(value)
    except (TypeError, LookupError):
        return None


def named(name: str, value: Any) -> dict[str, Any]:
    """Return a mapping from text, or None for an empty one, as a dict."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or any(not isinstance(key, str) for key in value):
        raise refusal(name, "be a dict from names to values", value, "")
    return dict(value)


def finite_array(name: str, value: Any, ndim: int | None = None, where: str = "") -> FloatArray:
    """Return `value` as a finite float64 array, of `ndim` dimensions where that is given."""
    try:
        plain = np.asarray(value)
        if plain.dtype.kind not in "biufO":  # text and dates would be converted, too
            raise TypeError
        array = plain.astype(np.float64)
    except Exception:  # whatever the value's own conversion raises
        raise refusal(name, "be an array of real numbers", value, where) from None
    if ndim is not None and array.ndim != ndim:
        raise refusal(name, f"have {ndim} dimension(s)", array, where, f"has shape {array.shape}")
    if not np.all(np.isfinite(array)):
        raise refusal(name, "be finite", array, where, "holds NaN or infinity")
    return array


def ascending_times(name: str, value: Any) -> FloatArray:
    """Return at least one time, ascending from 0 or later, as an array (T,)."""
    times = finite_array(name, value, ndim=1)
    if times.size == 0:
        raise InvalidArgument(f"`{name}` must hold at least one time, but is empty")
    if times[0] < 0.0 or np.any(np.diff(times) < 0.0):
        raise InvalidArgument(f"`{name}` must be ascending from 0 or later, but is not")
    return times
