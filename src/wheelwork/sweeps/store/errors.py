"""What goes wrong with a store."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from wheelwork.errors import WheelworkError


class StoreError(WheelworkError, OSError):
    """A store cannot be read or written; what is in it remains valid."""


@contextlib.contextmanager
def storing(doing: str, folder: Path) -> Iterator[None]:
    """Turn an OSError into a StoreError that says what was being done, where, and why not."""
    try:
        yield
    except StoreError:
        raise
    except OSError as reason:
        why = reason.strerror or str(reason)
        raise StoreError(
            f"cannot {doing} '{folder}': {why}; what is stored there remains valid"
        ) from reason
