"""Writing results: a folder known to be writable beforehand, files whole or not at all."""

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from wheelwork.errors import InvalidArgument


def prepare_folder(folder: Path, names: Iterable[str] = ()) -> None:
    """Create `folder` and write a probe into it, so that a bad one is refused before computing.

    Raises InvalidArgument where that fails, or where a folder stands in the way of a file in
    `names`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"probe")
    except OSError as reason:
        raise InvalidArgument(
            f"`--out` must be a writable folder, but is '{folder}' ({reason.strerror})"
        ) from None
    for name in names:
        if (folder / name).is_dir():
            raise InvalidArgument(
                f"`--out` must leave room for {name}, but holds a folder of that name ('{folder}')"
            )


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it to `path`.

    A reader sees the old file or the new one, never a part of it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
