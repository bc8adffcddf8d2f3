"""Identity of a sweep and of each of its points, and the provenance in a dataset."""

import dataclasses
import functools
import hashlib
import inspect
import json
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from wheelwork.errors import InvalidArgument, shown
from wheelwork.sweeps.cases import Cases

SOURCES = Path(__file__).parents[1]
DISPLAY_ONLY = ("cli", "papers", "plots")  # packages that cannot change the numbers of a point
NUMERICS = ("numpy", "scipy", "numba")
VERSIONED = {"wheelwork", *NUMERICS, *sys.stdlib_module_names}  # identified by their versions


def describe(value: Any, other: Callable[[Any], str] = repr) -> Any:
    """Return `value` as plain JSON material: dataclasses by field, arrays as lists.

    A dataclass becomes a mapping with its class name under "type", without fields that take no part
    in comparisons; numbers keep full precision.
    A mapping with other keys than text becomes a list of pairs, so that 0 and "0" stay apart.
    What has a method `written_down` is described by what that returns; what JSON cannot hold, by
    `other`.
    """
    go = functools.partial(describe, other=other)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = [part.name for part in dataclasses.fields(value) if part.compare]
        fields = {name: go(getattr(value, name)) for name in parts}
        return {"type": type(value).__qualname__, **fields}
    if callable(written_down := getattr(value, "written_down", None)):
        return {"type": type(value).__qualname__, **go(written_down())}
    if isinstance(value, np.ndarray | np.generic):
        plain = value.tolist()
        return other(plain) if isinstance(plain, np.generic) else go(plain)
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {key: go(item) for key, item in value.items()}
        return [[go(key), go(item)] for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [go(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return other(value)


def exact(name: str, value: Any) -> Any:
    """Return `describe(value)`, where that is complete.

    Raises InvalidArgument for objects identified by address only, such as functions, and for those
    whose `repr` is incomplete, such as sparse matrices: they could not be told apart when the sweep
    is resumed.
    """

    def in_words(part: Any) -> str:
        with np.printoptions(threshold=sys.maxsize, floatmode="unique"):
            words = repr(part)
        if _is_vague(part, words):
            raise InvalidArgument(
                f"`{name}` must consist of values that can be written down to be kept in a "
                f"store, but holds {shown(part)}"
            )
        return words

    return describe(value, in_words)


def _is_vague(part: Any, words: str) -> bool:
    """Whether `words`, the `repr` of `part`, does not identify it."""
    if isinstance(part, Enum | np.generic):
        return False
    no_words = getattr(type(part), "__repr__", None) is object.__repr__ or " at 0x" in words
    shortened = words.startswith("<") or "..." in words or hasattr(part, "__array__")
    return no_words or shortened or callable(part) or isinstance(part, set | frozenset)


@functools.cache
def code_version() -> dict[str, str]:
    """Return the versions of wheelwork, NumPy, SciPy and Numba.

    That of wheelwork has a digest of every source file that can change a number.
    """
    digest = hashlib.sha256()
    for path in sorted(SOURCES.rglob("*.py")):
        name = path.relative_to(SOURCES)
        if name.parts[0] not in DISPLAY_ONLY:
            digest.update(name.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    own = f"{version('wheelwork')} ({digest.hexdigest()[:16]})"
    return {"wheelwork": own, **{package: version(package) for package in NUMERICS}}


def own_code(*values: Any) -> dict[str, str]:
    """Return a digest of every source file that defines a class of a part of `values`.

    Files of wheelwork are left out, since `code_version` covers them, and so are files that these
    files import. Raises InvalidArgument for a class without a source file: on resuming, nobody
    could tell whether it has changed.
    """
    kinds = {base for value in values for kind in _kinds(value) for base in kind.__mro__}
    digests = {}
    for kind in sorted(kinds, key=lambda kind: kind.__module__):
        if kind.__module__.partition(".")[0] in VERSIONED:
            continue
        try:
            source = Path(inspect.getfile(kind)).read_bytes()
        except (OSError, TypeError):
            raise InvalidArgument(
                "`machine` must consist of classes defined in files to be kept in a store, but "
                f"{kind.__qualname__} is not: move it to a file and import it, or leave out `store`"
            ) from None
        digests[f"file of {kind.__module__}"] = hashlib.sha256(source).hexdigest()[:16]
    return digests


def _kinds(value: Any) -> Iterator[type]:
    """The classes of all parts that `describe` would enter."""
    yield type(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = [getattr(value, field.name) for field in dataclasses.fields(value)]
    elif isinstance(value, Mapping):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple):
        for part in value:
            yield from _kinds(part)


def seal_of(identity: Mapping[str, Any]) -> bytes:
    """Return the key of all checksums of one sweep: a digest of what its points share."""
    text = json.dumps(identity, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).digest()


def point_key(seal: bytes, parameters: Mapping[str, float]) -> str:
    """Return the name of a point: a digest of `seal` and of the parameters in full precision."""
    text = "\0".join(f"{name}={value.hex()}" for name, value in sorted(parameters.items()))
    text_bytes = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text_bytes, key=seal, digest_size=12).hexdigest()


def indices_by_key(seal: bytes, cases: Cases) -> dict[str, list[int]]:
    """Return the indices of all cases by `point_key`, which is the same for equal parameters."""
    indices: dict[str, list[int]] = {}
    for index in range(len(cases)):
        indices.setdefault(point_key(seal, cases.parameters(index)), []).append(index)
    return indices


def provenance(machine: Any, method: Any) -> dict[str, str]:
    """Return the attributes that say how a dataset was made, each a string.

    They hold no date: the same sweep made twice gives the same dataset.
    """
    versions = code_version()
    return {
        "wheelwork_version": versions["wheelwork"],
        "python_version": platform.python_version(),
        **{f"{package}_version": versions[package] for package in NUMERICS},
        "machine": json.dumps(describe(machine)),
        "method": "default of the machine" if method is None else repr(method),
    }
