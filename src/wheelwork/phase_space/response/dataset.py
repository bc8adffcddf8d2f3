"""Correlations and spectra as a labelled dataset."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from wheelwork._checks import finite_array
from wheelwork.results import UNAVAILABLE
from wheelwork.results.datasets import Variables, checks, variables

# method → unit and meaning: at delays, and of the spectrum METHOD_spectrum at frequencies
CORRELATIONS = {
    "position": ("length^2", "correlation of x"),
    "momentum": ("1/length^2", "correlation of p"),
    "amplitude": ("1", "symmetrised correlation of a"),
    "emission": ("1", "correlation of a in normal order"),
    "intensity": ("1", "correlation of |alpha|^2"),
    "g2": ("1", "second-order coherence"),
}
SPECTRA = ("position", "momentum", "emission", "amplitude")
LINE = {
    "frequency": ("energy", "frequency of the line"),
    "width": ("energy", "full width of the line at half maximum"),
    "coherence_time": ("1/energy", "coherence time of the emitted light"),
}


def dataset(response: Any, delays: npt.ArrayLike, frequencies: npt.ArrayLike) -> xr.Dataset:
    """See `Response.to_xarray`."""
    tau, omega = finite_array("delays", delays, 1), finite_array("frequencies", frequencies, 1)
    errors = _or_else({}, lambda: response.errors)
    parts = variables((), "phonon_number", response.phonon_number, None, "1", "mean phonon number")
    for name, (unit, meaning) in LINE.items():
        key = name if name.startswith("coherence") else f"line_{name}"
        value = _or_else(math.nan, lambda name=name: getattr(response.line, name))
        parts |= variables((), key, value, errors.get(key), unit, meaning)
    for name, (unit, meaning) in CORRELATIONS.items():
        parts |= _over("delay", tau, name, getattr(response, name), errors.get(name), unit, meaning)
    for name in SPECTRA:
        unit, meaning = CORRELATIONS[name]
        of = f"spectrum of the {meaning}"
        spectrum = getattr(response, f"{name}_spectrum")
        parts |= _over("frequency", omega, f"{name}_spectrum", spectrum, None, f"{unit}/energy", of)
    axes = {"delay": ("delay", tau, {"units": "1/energy"})}
    axes["frequency"] = ("frequency", omega, {"units": "energy"})
    return xr.Dataset(parts | checks(response.audit), axes, {"rtol": response.rtol})


def _over(
    axis: str, at: Any, name: str, function: Any, error: float | None, unit: str, meaning: str
) -> Variables:
    values = _or_else(np.full(at.shape, math.nan), lambda: function(at))
    errors = None if error is None else np.full(at.shape, error)
    return variables(axis, name, values, errors, unit, meaning)


def _or_else(instead: Any, read: Any) -> Any:
    try:
        return read()
    except UNAVAILABLE:
        return instead
