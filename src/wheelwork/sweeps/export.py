"""A sweep as a table of rows: for spreadsheets and data frames."""

import importlib.util
import itertools
from pathlib import Path
from typing import Any

from wheelwork._deferred import xr
from wheelwork.errors import InvalidArgument


def to_table(dataset: "xr.Dataset") -> Any:
    """Return a pandas.DataFrame with one row per point: parameters, numbers, verdicts.

    What stands over further dimensions becomes a column for each of their keys: "audit_value[first
    law]", "edge_current[(0, 1)]".
    """
    dims = dataset["failure"].dims
    columns: dict[str, Any] = {}
    for name, coordinate in dataset.coords.items():
        if set(coordinate.dims) <= set(dims):
            whole = coordinate.broadcast_like(dataset["failure"]).transpose(*dims)
            columns[str(name)] = whole.values.ravel()
    for name, variable in dataset.data_vars.items():
        if variable.dims == dims:
            columns[str(name)] = variable.values.ravel()
        elif variable.dims[: len(dims)] == dims:
            further = [dataset[dim].values.tolist() for dim in variable.dims[len(dims) :]]
            flat = variable.values.reshape(dataset["failure"].size, -1)
            for position, keys in enumerate(itertools.product(*further)):
                columns[f"{name}[{', '.join(map(str, keys))}]"] = flat[:, position]
    rows = xr.Dataset({name: ("row", column) for name, column in columns.items()})
    return rows.to_dataframe()


def write_csv(dataset: "xr.Dataset", path: Path) -> None:
    """Write the table of `dataset` as CSV; numbers keep all their digits."""
    to_table(dataset).to_csv(path, index=False)


def write_parquet(dataset: "xr.Dataset", path: Path) -> None:
    """Write the table of `dataset` as Parquet; needs pyarrow (extra `parquet`)."""
    if importlib.util.find_spec("pyarrow") is None:
        raise InvalidArgument(
            "Parquet needs pyarrow, which is not installed: pip install 'wheelwork[parquet]'"
        )
    to_table(dataset).to_parquet(path, index=False)


def write_netcdf(dataset: "xr.Dataset", path: Path) -> None:
    """Write `dataset` as netCDF; the same dataset gives the same bytes."""
    dataset.to_netcdf(path, engine="netcdf4")


def same_numbers(one: "xr.Dataset", other: "xr.Dataset") -> bool:
    """Return whether two datasets agree bit for bit: names, order, values, attributes."""
    return bool(
        list(one.variables) == list(other.variables)
        and one.attrs == other.attrs
        and all(_same(one[name].variable, other[name].variable) for name in one.variables)
    )


def _same(one: "xr.Variable", other: "xr.Variable") -> bool:
    if one.dims != other.dims or one.attrs != other.attrs or one.dtype != other.dtype:
        return False
    if one.dtype == object:
        return bool(one.values.tolist() == other.values.tolist())
    return one.shape == other.shape and one.values.tobytes() == other.values.tobytes()
