"""Values computed once and kept with their object, which do not travel with it."""

from functools import cached_property
from typing import Any


class Computed:
    """Base of every class with a `cached_property`: pickles and copies leave these values out.

    They are computed again where they are read; some, such as factors and splines, could not be
    pickled, others are larger than what they are made of.
    """

    def __getstate__(self) -> dict[str, Any]:
        kind = type(self)
        return {
            name: value
            for name, value in vars(self).items()
            if not isinstance(getattr(kind, name, None), cached_property)
        }
