"""Where numbers come from: versions, parameters in full, method."""

import json
import platform
from typing import Any

from wheelwork.sweeps.identity import code_version, describe


def provenance(machine: Any, method: Any) -> dict[str, str]:
    """Return the attributes that say how a dataset was made, each a string.

    They hold no date: the same sweep made twice gives the same dataset.
    """
    versions = code_version()
    return {
        "wheelwork_version": versions["wheelwork"],
        "python_version": platform.python_version(),
        "numpy_version": versions["numpy"],
        "scipy_version": versions["scipy"],
        "numba_version": versions["numba"],
        "machine": json.dumps(describe(machine)),
        "method": "default of the machine" if method is None else repr(method),
    }
