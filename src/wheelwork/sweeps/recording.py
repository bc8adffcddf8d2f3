"""The library's warnings of one calculation, caught without touching those of other threads."""

import contextlib
import threading
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from wheelwork.errors import WheelworkWarning

_heard: ContextVar[list[WheelworkWarning] | None] = ContextVar("heard", default=None)


class _Hook:
    """Directs warnings to the calculation that gives them; in force while any is recorded.

    `warnings.catch_warnings` alone holds for all threads at once, so that of two calculations in
    threads the one that ends first would undo what the other relies on.
    """

    def __init__(self) -> None:
        self.lock, self.users = threading.Lock(), 0
        self.context = contextlib.ExitStack()

    def begin(self) -> None:
        with self.lock:
            self.users += 1
            if self.users == 1:
                self.context.enter_context(warnings.catch_warnings())
                # each time, also where the user made it an error: it is issued again afterwards
                warnings.simplefilter("always", WheelworkWarning)
                self.show, warnings.showwarning = warnings.showwarning, self.receive

    def end(self) -> None:
        with self.lock:
            self.users -= 1
            if self.users == 0:
                self.context.close()

    def receive(
        self, message: Warning | str, category: type[Warning], *place: Any, **more: Any
    ) -> None:
        heard = _heard.get()
        if heard is None or not isinstance(message, WheelworkWarning):
            self.show(message, category, *place, **more)
        elif str(message) not in map(str, heard):
            heard.append(message)


_hook = _Hook()


@contextlib.contextmanager
def recorded_warnings() -> Iterator[list[WheelworkWarning]]:
    """Yield a list that gets each `WheelworkWarning` of the block, each text once.

    They are not shown meanwhile; other warnings are.
    """
    heard: list[WheelworkWarning] = []
    token = _heard.set(heard)
    _hook.begin()
    try:
        yield heard
    finally:
        _hook.end()
        _heard.reset(token)
