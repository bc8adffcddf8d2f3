"""Reading a store as a dataset, or as a summary of its progress."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wheelwork._deferred import xr
from wheelwork.errors import InvalidArgument
from wheelwork.sweeps.cases import Zipped, from_description, side_by_side
from wheelwork.sweeps.dataset import NOT_COMPUTED, Columns, to_dataset
from wheelwork.sweeps.identity import indices_by_key
from wheelwork.sweeps.point import Point
from wheelwork.sweeps.store import REFINED, Store, StoreError, open_store


@dataclass(frozen=True)
class Status:
    """Progress of a store. total: None for `refine`, which chooses points as it proceeds.

    done: points stored, the failed ones included. audit_failed: other points with a failed check.
    damaged: invalid lines, whose points count as missing. writers: processes that work on it now.
    seconds: computing time of all points.
    """

    folder: Path
    total: int | None
    done: int
    failed: int
    audit_failed: int
    damaged: int
    writers: int
    seconds: float

    @property
    def complete(self) -> bool:
        """Whether no point is missing; always true for `refine`."""
        return self.total is None or self.done >= self.total


def collect(folder: str | Path, *, partial: bool = False) -> "xr.Dataset":
    """Return the dataset of the sweep whose store is `folder`, as `sweep` would.

    It does not depend on which process computed a point, or when: the same store gives the same
    bytes. Raises InvalidArgument where there is no store, StoreError where points are missing,
    unless `partial`.
    """
    store = open_store(folder)
    values = store.manifest.identity["values"]
    cases = _visited(store, values[REFINED]) if REFINED in values else from_description(values)
    columns = Columns(len(cases))
    indices = indices_by_key(store.manifest.seal, cases)
    for entry in _points(store):
        for index in indices.pop(entry["point"], ()):
            columns.put(index, Point.from_entry(entry, index, len(cases)))
    if not columns.complete and not partial:
        missing = int((columns.failure == NOT_COMPUTED).sum())
        raise StoreError(
            f"'{folder}' is not complete: {missing} of {len(cases)} points are missing; resume it, "
            "or collect what there is (partial)"
        )
    asked = store.manifest.identity["observables"]
    dataset = to_dataset(cases, columns, store.manifest.labels, asked)
    return dataset.assign_attrs(store.manifest.attributes, complete=int(columns.complete))


def status(folder: str | Path) -> Status:
    """Return the progress of the store in `folder`, which may be in use."""
    store = open_store(folder)
    writers = store.writers_alive()
    keys: dict[str, None] = {}
    failed = audit_failed = damaged = 0
    seconds = 0.0
    for reader in store.readers():
        for entry in reader.news(final=writers == 0):
            if "point" in entry and entry["point"] not in keys:
                keys[entry["point"]] = None
                failed += bool(entry["failure"])
                passed = all(ok for _, _, ok in entry["audit"].values())
                audit_failed += not (passed or entry["failure"])
                seconds += entry["seconds"]
        damaged += reader.damaged
    values, total = store.manifest.identity["values"], None
    if REFINED not in values:  # points with equal parameters count once
        total = len(indices_by_key(store.manifest.seal, from_description(values)))
    return Status(store.folder, total, len(keys), failed, audit_failed, damaged, writers, seconds)


def _points(store: Store) -> Iterator[Any]:
    for reader in store.readers():
        yield from (entry for entry in reader.news() if "point" in entry)


def _visited(store: Store, names: list[str]) -> Zipped:
    """Return the points of a refinement, in the order of their parameters."""
    rows = {tuple(entry["at"][name] for name in names) for entry in _points(store)}
    if not rows:
        raise InvalidArgument(f"`store` must hold points, but '{store.folder}' has none yet")
    return side_by_side(names, sorted(rows))
