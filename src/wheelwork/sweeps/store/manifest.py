"""The manifest of a store: which sweep its points belong to, in full."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wheelwork.errors import InvalidArgument
from wheelwork.sweeps.identity import seal_of
from wheelwork.sweeps.store.errors import StoreError, storing

FORMAT = "wheelwork sweep"
SCHEMA = 1
NAME = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """What a store says of itself; JSON material throughout.

    identity: all that decides on the numbers (machine, method, observables, values, code): a store
    with another identity is foreign. labels: symbol, unit and long name by name. attributes: of
    the dataset. recipe: how whoever made the store can make the sweep again.
    """

    identity: Mapping[str, Any]
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seal(self) -> bytes:
        """Digest of the identity and of the schema."""
        return seal_of({"schema": SCHEMA, **self.identity})

    def require_same(self, found: "Manifest", folder: Path) -> None:
        """Raise InvalidArgument where `found`, that of `folder`, belongs to another sweep."""
        if found.seal == self.seal:
            return
        other = _differences(self.identity, found.identity)
        raise InvalidArgument(
            f"`store` must hold this sweep, but '{folder}' holds another: {'; '.join(other)}"
        )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, whole or not at all."""
    content = {
        "format": FORMAT,
        "schema": SCHEMA,
        "seal": manifest.seal.hex(),
        "identity": manifest.identity,
        "labels": manifest.labels,
        "attributes": manifest.attributes,
        "recipe": manifest.recipe,
    }
    temporary = folder / f".{NAME}.{os.getpid()}.part"
    with storing("write into the store", folder):
        try:
            with temporary.open("w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(folder / NAME)
        finally:
            temporary.unlink(missing_ok=True)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of the store in `folder`.

    Raises InvalidArgument where there is no store of this schema, StoreError for a damaged one.
    """
    path = folder / NAME
    if not path.is_file():
        raise InvalidArgument(f"`store` must be a store of a sweep, but is '{folder}'")
    try:
        with storing("read the store", folder):
            content = json.loads(path.read_text(encoding="utf-8"))
        schema = content["schema"] if content["format"] == FORMAT else None
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"'{path}' is damaged, or no manifest") from None
    if schema != SCHEMA:
        raise InvalidArgument(f"`store` must have schema {SCHEMA}, but has {schema!r} ('{folder}')")
    try:
        parts = {key: content[key] for key in ("labels", "attributes", "recipe")}
        manifest = Manifest(content["identity"], **parts)
        whole = manifest.seal.hex() == content["seal"]
    except (KeyError, TypeError):
        whole = False
    if not whole:
        raise StoreError(f"'{path}' is damaged: its seal does not fit")
    return manifest


def _differences(wanted: Any, found: Any, place: str = "") -> list[str]:
    """Say where two pieces of JSON material differ, the first few places."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        names = dict.fromkeys([*wanted, *found])
        parts = (
            _differences(wanted.get(name), found.get(name), f"{place}.{name}" if place else name)
            for name in names
            if wanted.get(name) != found.get(name)
        )
        return [line for part in parts for line in part][:4]
    return [f"{place} is {_short(found)} there, {_short(wanted)} here"]


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:40]} ... {text[-15:]}"
