"""A store as a folder: how it is made, read, and shared between writers."""

import contextlib
import os
import platform
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wheelwork.errors import InvalidArgument
from wheelwork.sweeps.store.files import is_held, locked, require_locks, storing
from wheelwork.sweeps.store.journal import Reader, Writer
from wheelwork.sweeps.store.manifest import NAME, Manifest, read_manifest, write_manifest

LOCK, JOURNALS, SUFFIX = "lock", "journals", ".journal"
_SHARD = re.compile(r"(\d+)of(\d+)-")  # beginning of a journal's name


@dataclass(frozen=True)
class Store:
    """A folder that holds the points of one sweep. Reading needs no lock."""

    folder: Path
    manifest: Manifest

    def journals(self) -> list[Path]:
        with storing("read the store", self.folder):
            return sorted((self.folder / JOURNALS).glob(f"*{SUFFIX}"))

    def readers(self) -> list[Reader]:
        return [Reader(path, self.manifest.seal) for path in self.journals()]

    def writers_alive(self) -> int:
        """Number of processes that work on it now."""
        with storing("read the store", self.folder):
            return sum(is_held(path) for path in self.journals())

    @contextlib.contextmanager
    def ledger(self, shard: tuple[int, int] | None = None) -> Iterator["Ledger"]:
        """Yield a ledger with a new journal, to fill the store or a shard of it."""
        ledger = Ledger(self, shard)
        try:
            yield ledger
        finally:
            ledger.close()


def open_store(folder: str | Path) -> Store:
    """Return the store in `folder`; raises InvalidArgument where there is none."""
    return Store(Path(folder), read_manifest(Path(folder)))


def prepare_store(folder: str | Path, manifest: Manifest) -> Store:
    """Return the store of the sweep `manifest` in `folder`, made if it is not there.

    Raises InvalidArgument where the folder holds another sweep or anything else, StoreError where
    it cannot be written.
    """
    require_locks()
    folder = Path(folder)
    with storing("make the store", folder):
        _require_free(folder)
        (folder / JOURNALS).mkdir(parents=True, exist_ok=True)
        with locked(folder / LOCK):
            if not (folder / NAME).exists():
                write_manifest(folder, manifest)
    existing = read_manifest(folder)
    manifest.require_same(existing, folder)
    return Store(folder, existing)


def _require_free(folder: Path) -> None:
    """Refuse a file, and a folder of something else."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InvalidArgument(f"`store` must be a folder, but is the file '{folder}'")
    names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    strange = sorted(names - {LOCK, JOURNALS})
    if NAME not in names and strange:
        raise InvalidArgument(
            f"`store` must be a new folder or a store, but '{folder}' holds '{strange[0]}'"
        )


class Ledger:
    """One writer's view of a store: which points others have finished, and which they compute.

    A writer claims points before it computes them, under a lock of the store. Its claims are valid
    as long as it holds the lock on its journal, which the system releases when the writer ends.
    """

    def __init__(self, store: Store, shard: tuple[int, int] | None = None) -> None:
        self.store, self.shard = store, shard
        self._later: dict[str, dict[str, Any]] = {}
        self._others: dict[Path, _Other] = {}
        part = "all" if shard is None else f"{shard[0]}of{shard[1]}"
        name = f"{part}-{time.strftime('%Y%m%dT%H%M%S')}-{platform.node()}-{os.getpid()}"
        path = store.folder / JOURNALS / f"{name}-{uuid.uuid4().hex[:8]}{SUFFIX}"
        with locked(store.folder / LOCK):
            self._own = Writer(path, store.manifest.seal)
        try:
            self._own.append([{"writer": platform.node(), "process": os.getpid()}])
        except BaseException:
            self._own.close()
            raise

    def exclusive(self) -> contextlib.AbstractContextManager[None]:
        """Hold the lock of the store, so that nobody else claims points meanwhile."""
        return locked(self.store.folder / LOCK)

    def news(self, wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the points that others have stored since the last call; needs `exclusive`.

        Points whose keys are not `wanted` are kept for a later call.
        """
        for path in self.store.journals():
            known = path == self._own.path or path in self._others
            if not known and self._concerns(path):
                self._others[path] = _Other(Reader(path, self.store.manifest.seal), set())
        for other in self._others.values():
            for entry in other.news():
                if entry["point"] in wanted:
                    yield entry
                else:
                    self._later[entry["point"]] = entry
        for key in wanted.keys() & self._later.keys():
            yield self._later.pop(key)

    def _concerns(self, path: Path) -> bool:
        """Whether a journal may hold points of this shard: not that of another of as many."""
        other = _SHARD.match(path.name)
        if self.shard is None or other is None:
            return True
        return int(other[2]) != self.shard[1] or int(other[1]) == self.shard[0]

    @property
    def busy(self) -> set[str]:
        """Keys that other running writers have claimed and not finished, as of the last `news`."""
        return set().union(*(other.claimed for other in self._others.values() if other.alive))

    def claim(self, keys: list[str]) -> None:
        """Announce that this writer computes `keys`; needs `exclusive`."""
        self._own.append([{"claim": keys}])

    def append(self, entries: list[dict[str, Any]]) -> None:
        self._own.append(entries)

    def close(self) -> None:
        """Give up what is claimed and not finished."""
        self._own.close()


@dataclass
class _Other:
    """The journal of another writer."""

    reader: Reader
    claimed: set[str]
    alive: bool = True

    def news(self) -> Iterator[dict[str, Any]]:
        if not self.alive:
            return
        # Checked before reading, so that all that it wrote is read now.
        self.alive = is_held(self.reader.path)
        for entry in self.reader.news(final=not self.alive):
            if "claim" in entry:
                self.claimed.update(entry["claim"])
            elif "point" in entry:
                self.claimed.discard(entry["point"])
                yield entry
