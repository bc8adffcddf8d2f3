"""The manifest of a store: which sweep its points belong to, in full."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wheelwork.errors import InvalidArgument, shown
from wheelwork.parameters import ShortRepr
from wheelwork.results import Labels
from wheelwork.sweeps.identity import seal_of
from wheelwork.sweeps.store.files import StoreError, storing

FORMAT = "wheelwork sweep"
SCHEMA = 1  # of manifest and journals; a store of another one cannot be read
NAME = "manifest.json"
REFINED = "refined"  # marks the store of `refine`, whose points are not known beforehand
SHOWN = 4, 60  # differences named in an error message, and characters of each value


@dataclass(frozen=True, repr=False)
class Manifest(ShortRepr):
    """The description of a store; JSON material throughout.

    identity: all that determines the numbers (machine, method, observables, values, code); a sweep
    with another identity cannot use the store. labels: of observables and parameters. attributes:
    of the dataset. recipe: how the program that made the store can repeat the sweep.
    """

    identity: Mapping[str, Any]
    labels: Labels = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seal(self) -> bytes:
        """Digest of the identity and of the schema."""
        return seal_of({"schema": SCHEMA, **self.identity})

    def require_same(self, existing: "Manifest", folder: Path) -> None:
        """Raise InvalidArgument where `existing`, that of `folder`, belongs to another sweep."""
        if existing.seal == self.seal:
            return
        other = _differences(self.identity, existing.identity)
        raise InvalidArgument(
            f"`store` must hold this sweep, but '{folder}' holds another: {'; '.join(other)}"
        )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, whole or not at all."""
    content = {"format": FORMAT, "schema": SCHEMA, "seal": manifest.seal.hex(), **vars(manifest)}
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
        amiss = "has none" if folder.is_dir() else "is no folder"
        raise InvalidArgument(f"`store` must be a store of a sweep, but '{folder}' {amiss}")
    try:
        with storing("read the store", folder):
            content = json.loads(path.read_text(encoding="utf-8"))
        schema = content["schema"] if content["format"] == FORMAT else None
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"'{path}' is damaged, or no manifest") from None
    if schema != SCHEMA:
        raise InvalidArgument(
            f"`store` must have schema {SCHEMA}, but has {shown(schema)} ('{folder}')"
        )
    try:
        labels = {name: (s, unit, words) for name, (s, unit, words) in content["labels"].items()}
        manifest = Manifest(content["identity"], labels, content["attributes"], content["recipe"])
        whole = manifest.seal.hex() == content["seal"]
    except (KeyError, TypeError, ValueError, AttributeError):
        whole = False
    if not whole:
        raise StoreError(f"'{path}' is damaged: its seal does not fit")
    return manifest


def _differences(wanted: Any, existing: Any, path: str = "") -> list[str]:
    """Return in words the first few differences of two pieces of JSON material."""
    if isinstance(wanted, Mapping) and isinstance(existing, Mapping):
        names = dict.fromkeys([*wanted, *existing])
        parts = (
            _differences(wanted.get(name), existing.get(name), f"{path}.{name}" if path else name)
            for name in names
            if wanted.get(name) != existing.get(name)
        )
        return [line for part in parts for line in part][: SHOWN[0]]
    return [f"{path} is {_short(existing)} there, {_short(wanted)} here"]


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= SHOWN[1] else f"{text[:40]} ... {text[-15:]}"
