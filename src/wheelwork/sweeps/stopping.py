"""How a sweep ends before its time: by Ctrl-C, by SIGTERM, or for want of workers.

What it raises then has the attribute `dataset`: as the sweep would have returned it, with
`complete` = 0; None where a refinement has no point yet.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from wheelwork._deferred import xr
from wheelwork.sweeps.execution import WorkersLost


class Terminated(SystemExit):
    """The program was told to end by SIGTERM, and ends with code 143."""


STOPS = (KeyboardInterrupt, Terminated, WorkersLost)


@contextlib.contextmanager
def sigterm_raised() -> Iterator[None]:
    """Raise Terminated at a SIGTERM in the block, which would end the program on the spot.

    So workers are ended, journals closed and semaphores freed. Where the program handles SIGTERM
    itself, or in another thread than the main one, nothing is changed.
    """
    unhandled = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not unhandled or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated(128 + number)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def load_datasets() -> None:
    """Load what makes datasets, before the first point: Ctrl-C meanwhile would lose them all."""
    xr.Dataset({"y": ("x", [0.0])}, {"x": ["a"]}).assign(z=0.0)  # xarray loads Dask only here


def with_dataset(
    reason: BaseException, dataset: Any, count: str, store: str | Path | None
) -> BaseException:
    """Return what a sweep that `reason`, one of STOPS, has ended is to raise, with its `dataset`.

    A KeyboardInterrupt stays of that class itself, by which Python and shells know Ctrl-C.
    count: how many points are done, such as "3 of 10".
    """
    words = f"{count} points are "
    if store is None:
        words += "done: `dataset` of this exception holds them"
    else:
        words += f"stored in '{store}': call again with the same arguments to go on"
    error: Any = reason
    if isinstance(reason, WorkersLost):
        error = WorkersLost(f"{reason}; {words}")
    elif isinstance(reason, KeyboardInterrupt):
        error = KeyboardInterrupt(words)
        for note in getattr(reason, "__notes__", ()):
            error.add_note(note)
    error.dataset = dataset
    return error  # type: ignore[no-any-return]
