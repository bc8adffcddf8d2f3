"""Locks on files that the kernel releases when their holder dies, however it dies."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from wheelwork.sweeps.store.errors import StoreError, storing

try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None  # type: ignore[assignment]

_held: set[int] = set()


def _close_in_child() -> None:
    """A forked child must not keep alive what its parent held."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)


def require_locks() -> None:
    """Raise StoreError on systems without flock."""
    if fcntl is None:
        raise StoreError("a store needs the file locks of POSIX, which this system has not")


def open_locked(path: Path, flags: int) -> int:
    """Open `path` with `flags`, wait until nobody else holds it, and return its descriptor.

    It is to be given back by `close`.
    """
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o666)
    _held.add(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except BaseException:
        close(descriptor)
        raise
    return descriptor


def close(descriptor: int) -> None:
    """Close what `open_locked` opened, which unlocks it."""
    if descriptor in _held:
        _held.discard(descriptor)
        os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock on the file `path` of a store, made if it is not there."""
    with storing("lock the store", path.parent):
        descriptor = open_locked(path, os.O_RDWR | os.O_CREAT)
    try:
        yield
    finally:
        close(descriptor)


def is_held(path: Path) -> bool:
    """Whether anybody holds the lock on the file `path`, the caller included."""
    if fcntl is None:
        return False
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
