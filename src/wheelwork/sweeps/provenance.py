"""Where numbers come from: versions, parameters in full, method, date."""

import dataclasses
import datetime
import json
import platform
from importlib.metadata import version
from typing import Any

import numpy as np


def describe(value: Any) -> Any:
    """Return `value` as plain JSON material: dataclasses by field, arrays as lists.

    A dataclass becomes a mapping with its class name under "type"; numbers keep full precision.
    What JSON cannot hold is given as its repr.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: describe(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"type": type(value).__name__, **fields}
    if isinstance(value, np.ndarray | np.generic):
        return describe(value.tolist())
    if isinstance(value, dict):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [describe(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return repr(value)


def provenance(machine: Any, method: Any) -> dict[str, str]:
    """Return the attributes that say how a dataset was made, each a string."""
    return {
        "wheelwork_version": version("wheelwork"),
        "python_version": platform.python_version(),
        "numpy_version": np.__version__,
        "machine": json.dumps(describe(machine)),
        "method": "default of the machine" if method is None else repr(method),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
