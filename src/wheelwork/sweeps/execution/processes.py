"""Processes of this machine: started apart from the program, deaf to Ctrl-C, ended with it."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any, cast

from wheelwork import _checks
from wheelwork.errors import InvalidArgument

PATIENCE = 2.0  # seconds for a process to end that was told to

_starting = threading.Lock()  # while the program is hidden from a process that starts


@dataclass(frozen=True)
class Processes:
    """That many processes of this machine, started for the sweep and ended with it.

    They do not run the program again, whether it is a script, a notebook or standard input: the
    machine is sent to them, with those of its classes that the program itself defines. Each limits
    its numerical libraries to one thread, and ends when the process that started it does.
    """

    workers: int

    def __post_init__(self) -> None:
        _checks.integer("workers", self.workers, 1)

    def start(self) -> ProcessPoolExecutor:
        """Return an executor with these processes, which start as they are needed."""
        return ProcessPoolExecutor(self.workers, _Apart(), initializer=_begin_worker)


class _Apart(SpawnContext):
    """Starts processes that neither run the program again nor hear Ctrl-C."""

    def __init__(self) -> None:
        self.started: list[Any] = []

    def Process(self, *arguments: Any, **options: Any) -> Any:  # type: ignore[override]  # noqa: N802
        self.started.append(_Process(*arguments, **options))
        return self.started[-1]


class _Process(SpawnProcess):
    def start(self) -> None:
        with _apart():
            super().start()


@contextlib.contextmanager
def _apart() -> Iterator[None]:
    """Hide the program and Ctrl-C from a process that is started in the block.

    A process that is spawned imports the module `__main__` of its parent, which needs a guarded
    script, and fails where the program is no file. Signals that are blocked here stay blocked
    there, also before `_begin_worker` is reached; Windows has no such mask.
    """
    with _starting:
        program = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        mask = getattr(signal, "pthread_sigmask", None)
        before = None if mask is None else mask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            sys.modules["__main__"] = program
            if mask is not None:
                mask(signal.SIG_SETMASK, before)


def _begin_worker() -> None:
    """Ignore Ctrl-C, which the parent handles, and end when the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def started_by(pool: Executor) -> list[Any]:
    """Return every process that a pool of `Processes` has started."""
    context = getattr(pool, "_mp_context", None)
    return context.started if isinstance(context, _Apart) else []


def how_it_ended(pool: Executor) -> str:
    """Return in words why a pool of `Processes` broke, from the exit codes of its processes.

    A pool that has lost one process terminates the others: their SIGTERM says nothing.
    """
    ended = sorted(filter(None, map(_exit_code, started_by(pool))), key=_is_termination)
    if not ended:
        return "it ended without an error"
    if ended[0] > 0:
        return f"it ended with exit code {ended[0]}"
    name = signal.Signals(-ended[0]).name
    memory = ", as when memory runs out: use fewer workers" if name == "SIGKILL" else ""
    return f"{name} ended it{memory}"


def _exit_code(process: Any) -> int | None:
    """Return the exit code of a process that ends now; another thread may be asking for it too."""
    end = time.monotonic() + PATIENCE
    while process.exitcode is None and time.monotonic() < end:
        time.sleep(0.001)
    return cast(int | None, process.exitcode)


def _is_termination(code: int) -> bool:
    return code == -signal.SIGTERM


def require_program(executor: Any) -> None:
    """Raise InvalidArgument where the processes of `executor` could not import the program.

    Those of the standard library that are not forked do so when they start, and each fails with a
    traceback where the program came from standard input.
    """
    context = getattr(executor, "_mp_context", None)
    if context is None or isinstance(context, _Apart) or context.get_start_method() == "fork":
        return
    program = sys.modules["__main__"]
    path = getattr(program, "__file__", None)
    if path is not None and program.__spec__ is None and not os.path.exists(path):
        raise InvalidArgument(
            f"`executor` must be Processes(n) where the program is no file, as {path} is none: "
            "other processes import the program as they start"
        )
