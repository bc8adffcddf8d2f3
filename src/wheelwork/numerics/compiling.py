"""Inner loops as machine code, which is kept in files between processes.

Numba compiles. Where its code is kept is ours, since the library must run where nothing can be
written (a container without a home), from many processes on one shared folder, and after an upgrade
in place. A file is named after a digest of all that its code depends on, functions and constants of
other modules included: it is never out of date, and writers of one name write the same. What cannot
be read or written is compiled anew.
"""

import contextlib
import functools
import hashlib
import importlib.util
import os
import pickle
import stat
import sys
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numba
import numpy as np
from numba.core import config
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.dispatcher import Dispatcher
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

from wheelwork._computed import Computed

MODEL = {"error_model": "numpy"}  # divisions by zero give infinities, as in array operations

inlined = numba.njit(inline="always", **MODEL)
"""Decorate a function that compiled functions contain."""


def compiled(function: Callable[..., Any]) -> Any:
    """Decorate a function to be compiled at its first call, for the types of its arguments.

    It runs without the interpreter's lock. It must not use modules of this library as globals, only
    what they hold: `ingredients` would not see a change.
    """
    return _kept(numba.njit(nogil=True, **MODEL)(function))


def compiled_sums(function: Callable[..., Any]) -> Any:
    """Decorate as `compiled` a function whose sums may be taken in any order: side by side.

    Its results depend on the processor in their last digits, as those of BLAS do.
    """
    return _kept(numba.njit(nogil=True, fastmath={"reassoc"}, **MODEL)(function))


def _kept(dispatcher: Any) -> Any:
    if not config.DISABLE_JIT:
        dispatcher._cache = _KeptCode(dispatcher.py_func)
    return dispatcher


class _KeptCode(Computed, NullCache):  # type: ignore[misc]
    """The machine code of one function, by the types of its arguments."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    @functools.cached_property
    def made_of(self) -> str:
        return "\n".join([numba.__version__, sys.version, *ingredients(self.function)])

    def file_name(self, signature: Any, target: Any) -> str:
        text = f"{signature}\n{target.magic_tuple()}\n{self.made_of}"
        digest = hashlib.sha256(text.encode()).hexdigest()[:24]
        return f"{self.function.__module__}.{self.function.__qualname__}-{digest}.code"

    def load_overload(self, signature: Any, context: Any) -> Any:
        context.refresh()
        name = self.file_name(signature, context.codegen())
        for folder in _folders():
            try:
                check, data = (folder / name).read_bytes().split(b"\n", 1)
                if check == _checksum(data):
                    return CompileResult._rebuild(context, *pickle.loads(data))
            except (OSError, ValueError):  # absent, unreadable, or cut short
                continue
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        folder = writable_folder()
        if folder is None or result.library.has_dynamic_globals:
            return
        data = dumps(result._reduce())
        temporary = folder / f"{uuid.uuid4().hex}.tmp"
        try:
            temporary.write_bytes(_checksum(data) + b"\n" + data)
            temporary.replace(folder / self.file_name(signature, result.codegen))
        except OSError:  # a full disk, say: the code is there, and only not kept
            with contextlib.suppress(OSError):
                temporary.unlink()


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def ingredients(value: Any, known: set[int] | None = None) -> Iterator[str]:
    """Yield in words all that the machine code of a function depends on.

    These are its instructions and constants, and those of all functions that it calls.
    """
    known = set() if known is None else known
    if isinstance(value, Dispatcher):
        yield repr(sorted(value.targetoptions.items()))
        value = value.py_func
    if isinstance(value, FunctionType):
        if id(value) not in known:
            known.add(id(value))
            yield from _code(value.__code__)
            for name in sorted(_names(value.__code__) & value.__globals__.keys()):
                yield name
                yield from ingredients(value.__globals__[name], known)
    elif isinstance(value, ModuleType):
        yield value.__name__
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape} {value.tobytes().hex()}"
    else:
        yield repr(value)


def _code(code: CodeType) -> Iterator[str]:
    yield f"{code.co_code.hex()} {code.co_names} {code.co_varnames}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code(constant)
        else:
            yield repr(constant)


def _names(code: CodeType) -> set[str]:
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return set(code.co_names).union(*map(_names, inner))


@functools.cache
def lasting_folders() -> tuple[Path, ...]:
    """Return where code is kept: NUMBA_CACHE_DIR, or beside this file or with the user's caches."""
    if config.CACHE_DIR:
        return (Path(config.CACHE_DIR).absolute(),)
    package = Path(importlib.util.cache_from_source(__file__)).parent
    own = Path(AppDirs("wheelwork", appauthor=False).user_cache_dir)
    return (package, own) if own.is_absolute() else (package,)  # "~/…" where there is no home


@functools.cache
def writable_folder() -> Path | None:
    """Return the first folder that can be written, else a temporary one, else None.

    Gives a warning, once in a process, where no folder lasts.
    """
    for folder in lasting_folders():
        if _can_write(folder):
            return folder
    temporary = _temporary_folder()
    instead = f"is kept in {temporary}" if temporary else "is compiled anew in each process"
    warnings.warn(
        f"compiled code cannot be written to {' nor '.join(map(str, lasting_folders()))}, and "
        f"{instead}: set NUMBA_CACHE_DIR to a folder that lasts",
        RuntimeWarning,
        stacklevel=2,
    )
    return temporary


def _folders() -> Iterator[Path]:
    """Where code is looked for, also where it cannot be written: an image may hold it."""
    yield from lasting_folders()
    if (folder := writable_folder()) is not None:
        yield folder


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _temporary_folder() -> Path | None:
    """A folder that nobody else can write, since code in it is run, for all processes of a user."""
    user = os.getuid() if hasattr(os, "getuid") else "code"  # Windows: a user's own files anyway
    try:
        folder = Path(tempfile.gettempdir()) / f"wheelwork-{user}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    private = user == "code" or (found.st_uid == user and stat.S_IMODE(found.st_mode) == 0o700)
    return folder if private and _can_write(folder) else None
