"""Modules that load when one of their names is first used.

Most of the time of a first call is that of imports. What the command line needs to answer a
question, or to refuse a mistake, defers its heavy modules: `xr` stands for xarray, and

    if TYPE_CHECKING:
        from wheelwork.cli import run
    else:
        run = Deferred("wheelwork.cli.run")

for one of our own. Annotations that name them are text, as `"xr.Dataset"`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["Deferred", "xr"]


class Deferred:
    """Stands for the module `name`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)


if TYPE_CHECKING:
    import xarray as xr
else:
    xr = Deferred("xarray")
