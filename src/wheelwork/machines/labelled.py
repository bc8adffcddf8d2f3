"""Numbers with their symbols, units and errors, as variables of a dataset."""

from collections.abc import Mapping

import xarray as xr

Labels = Mapping[str, tuple[str, str, str]]


def add_observables(
    dataset: xr.Dataset, values: Mapping[str, float], errors: Mapping[str, float], labels: Labels
) -> None:
    """Add every value as a scalar, and its error, where it has one, as NAME_error.

    labels: symbol, unit and long name of each.
    """
    for name, value in values.items():
        symbol, unit, long_name = labels[name]
        attrs = {"symbol": symbol, "units": unit, "long_name": long_name}
        dataset[name] = ((), value, attrs)
        if name in errors:
            dataset[f"{name}_error"] = ((), errors[name], {"units": unit})
