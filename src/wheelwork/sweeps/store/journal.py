"""Journals: files of lines with checksums, to which only one writer appends.

A line is sixteen hexadecimal digits, a space, JSON, and a line feed. The digits are the BLAKE2b
digest of the JSON keyed with the seal of the store, so that a line that is cut short, damaged, or
from another sweep is recognised and left out.
"""

import errno
import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wheelwork.sweeps.store.files import close, open_locked, storing

DIGITS = 16  # hexadecimal, 64 bits: of 10⁶ damaged lines one passes with probability 5e-14
SYNC_INTERVAL = 1.0  # seconds: the longest computing time that a power failure may cost


def sealed(entry: Any, seal: bytes) -> bytes:
    """Return `entry` as a line."""
    text = json.dumps(entry, separators=(",", ":")).encode()
    return _checksum(text, seal) + b" " + text + b"\n"


def unsealed(line: bytes, seal: bytes) -> Any:
    """Return the entry of a line, None where it is damaged or not of this store."""
    text = line[DIGITS + 1 : -1]
    if line[-1:] != b"\n" or line[: DIGITS + 1] != _checksum(text, seal) + b" ":
        return None
    return json.loads(text)


def _checksum(text: bytes, seal: bytes) -> bytes:
    digest = hashlib.blake2b(text, key=seal, digest_size=DIGITS // 2)
    return digest.hexdigest().encode()


class Writer:
    """The only process that appends to a journal; it holds the lock until `close` or its end."""

    def __init__(self, path: Path, seal: bytes) -> None:
        self.path, self.seal = path, seal
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        with storing("write into the store", path.parents[1]):
            self._file = open_locked(path, flags)
        self._length = 0
        self._synced = time.monotonic()

    def append(self, entries: list[Any]) -> None:
        """Append `entries`, whole or not at all; raises StoreError where that fails."""
        block = b"".join(sealed(entry, self.seal) for entry in entries)
        try:
            with storing("write into the store", self.path.parents[1]):
                if os.fstat(self._file).st_nlink == 0:  # what is written now would be lost
                    raise OSError(errno.ENOENT, "its journal was removed")
                _write_all(self._file, block)
                if time.monotonic() - self._synced > SYNC_INTERVAL:
                    self.sync()
        except BaseException:
            os.ftruncate(self._file, self._length)
            raise
        self._length += len(block)

    def sync(self) -> None:
        """Wait until the disk has everything."""
        os.fsync(self._file)
        self._synced = time.monotonic()

    def close(self) -> None:
        """Wait for the disk and give up the lock."""
        try:
            with storing("write into the store", self.path.parents[1]):
                self.sync()
        finally:
            close(self._file)


def _write_all(file: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(file, view) :]


@dataclass
class Reader:
    """Reads a journal as it grows. damaged: number of lines that were not accepted."""

    path: Path
    seal: bytes
    offset: int = 0
    damaged: int = 0

    def news(self, final: bool = False) -> Iterator[Any]:
        """Yield the entries that were appended since the last call.

        final: whether the writer has ended, so that an incomplete line is a damaged one.
        """
        with storing("read the store", self.path.parents[1]), self.path.open("rb") as file:
            file.seek(self.offset)
            for line in file:
                if not line.endswith(b"\n"):
                    self.damaged += final
                    return
                self.offset += len(line)
                entry = unsealed(line, self.seal)
                if entry is None:
                    self.damaged += 1
                else:
                    yield entry
