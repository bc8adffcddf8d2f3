"""Files of a store: locks that end with their holder, and failures turned into StoreError.

On POSIX systems a lock is a `flock` of the whole file. On Windows it is the lock of one byte
(`msvcrt.locking`), which is far behind the end of the file, since there a locked byte can be
neither read nor written by others. In both cases the system releases the lock when the holder dies,
however it dies.
"""

import contextlib
import errno
import importlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wheelwork.errors import WheelworkError


def _module(name: str) -> Any:
    """Return a module that only some systems have, None elsewhere."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


fcntl, msvcrt = _module("fcntl"), _module("msvcrt")

# The byte that is locked on Windows: the last position that its 32-bit argument reaches. A journal
# as long as that (2 GiB, about a million points) could no longer be read while it is written.
LOCKED_BYTE = 2**31 - 2
RETRY_INTERVAL = 0.01  # seconds between attempts on Windows; a lock is held for about 1 ms
# On Windows, files are opened as text and inherited by children unless told otherwise.
OPEN_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

_held: set[int] = set()


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


def _close_in_child() -> None:
    """A forked child must not keep a lock that its parent holds."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)


def require_locks() -> None:
    """Raise StoreError on systems without locks that end with their holder."""
    if fcntl is None and msvcrt is None:
        raise StoreError("a store needs file locks (flock or msvcrt), which this system lacks")


def open_locked(path: Path, flags: int) -> int:
    """Open `path` with `flags`, wait until nobody else holds it, and return its descriptor.

    It is to be closed by `close`.
    """
    descriptor = os.open(path, flags | OPEN_FLAGS, 0o666)
    _held.add(descriptor)
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        else:
            while not _try_byte(descriptor):
                time.sleep(RETRY_INTERVAL)
    except BaseException:
        _held.discard(descriptor)
        os.close(descriptor)
        raise
    return descriptor


def close(descriptor: int) -> None:
    """Unlock and close what `open_locked` opened."""
    if descriptor in _held:
        _held.discard(descriptor)
        try:
            if fcntl is None:  # Windows unlocks a closed file only after some time
                _set_byte(descriptor, msvcrt.LK_UNLCK)
        finally:
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
    """Whether anybody holds the lock on the file `path`, the caller included.

    On Windows the answer may also be True while another process asks, as there are no shared locks.
    """
    if fcntl is None and msvcrt is None:
        return False
    descriptor = os.open(path, os.O_RDONLY | OPEN_FLAGS)
    try:
        if fcntl is None:
            free = _try_byte(descriptor)
            if free:
                _set_byte(descriptor, msvcrt.LK_UNLCK)
            return not free
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _try_byte(descriptor: int) -> bool:
    """Lock `LOCKED_BYTE`, and return whether it was free."""
    try:
        _set_byte(descriptor, msvcrt.LK_NBLCK)
    except OSError as reason:
        if reason.errno not in {errno.EACCES, errno.EDEADLK}:
            raise
        return False
    return True


def _set_byte(descriptor: int, mode: int) -> None:
    """Apply a mode of `msvcrt.locking` to `LOCKED_BYTE`; the position in the file stays."""
    position = os.lseek(descriptor, 0, os.SEEK_CUR)
    os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, mode, 1)
    finally:
        os.lseek(descriptor, position, os.SEEK_SET)
