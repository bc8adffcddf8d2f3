"""Validation of arguments: conversion, and error messages of one form.

Every message reads "`name` must ..., but is ... (where)".
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from wheelwork.errors import InvalidArgument

FloatArray = npt.NDArray[np.float64]


def _refuse(
    name: str, requirement: str, value: Any, where: str, instead: str = ""
) -> InvalidArgument:
    where = f" ({where})" if where else ""
    return InvalidArgument(f"`{name}` must {requirement}, but {instead or f'is {value!r}'}{where}")


def real(name: str, value: Any, where: str = "") -> float:
    """Return `value` as a finite float."""
    if isinstance(value, str | bytes | bool | complex):
        raise _refuse(name, "be a real number", value, where)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise _refuse(name, "be a real number", value, where) from None
    if not math.isfinite(number):
        raise _refuse(name, "be finite", number, where)
    return number


def positive(name: str, value: Any, where: str = "") -> float:
    """Return `value` as a float above zero."""
    number = real(name, value, where)
    if number <= 0.0:
        raise _refuse(name, "be positive", number, where)
    return number


def non_negative(name: str, value: Any, where: str = "") -> float:
    """Return `value` as a float of at least zero."""
    number = real(name, value, where)
    if number < 0.0:
        raise _refuse(name, "not be negative", number, where)
    return number


def within(name: str, value: Any, low: float, high: float, where: str = "") -> float:
    """Return `value` as a float of at least `low` and at most `high`."""
    number = real(name, value, where)
    if not low <= number <= high:
        raise _refuse(name, f"lie between {low:g} and {high:g}", number, where)
    return number


def tolerance(name: str, value: Any, where: str = "") -> float:
    """Return `value` as a relative tolerance between 1e-12 and 0.1."""
    return within(name, positive(name, value, where), 1e-12, 0.1, where)


def integer(name: str, value: Any, minimum: int, where: str = "") -> int:
    """Return `value` as an int of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise _refuse(name, "be an integer", value, where)
    if value < minimum:
        raise _refuse(name, f"be at least {minimum}", int(value), where)
    return int(value)


def finite_array(name: str, value: Any, ndim: int | None = None, where: str = "") -> FloatArray:
    """Return `value` as a finite float64 array, of `ndim` dimensions where that is given."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise _refuse(name, "be an array of real numbers", value, where) from None
    if ndim is not None and array.ndim != ndim:
        raise _refuse(name, f"have {ndim} dimension(s)", array, where, f"has shape {array.shape}")
    if not np.all(np.isfinite(array)):
        raise _refuse(name, "be finite", array, where, "holds NaN or infinity")
    return array


def ascending_times(name: str, value: Any) -> FloatArray:
    """Return at least one time, ascending from 0 or later, as an array (T,)."""
    times = finite_array(name, value, ndim=1)
    if times.size == 0:
        raise InvalidArgument(f"`{name}` must hold at least one time, but is empty")
    if times[0] < 0.0 or np.any(np.diff(times) < 0.0):
        raise InvalidArgument(f"`{name}` must be ascending from 0 or later, but is not")
    return times
