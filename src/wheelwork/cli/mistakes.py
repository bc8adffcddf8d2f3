"""Mistakes in a parameter file: one line each, which names the key."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wheelwork.cli.quantities import similar
from wheelwork.errors import LONGEST_SHOWN, InvalidArgument, nearest_hint, shown

MOST_TOLD = 20  # mistakes of one file: as many as fit on a screen


class Mistakes(InvalidArgument):
    """Mistakes in a file, one line each."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = list(lines)
        super().__init__("\n".join(self.lines))


def in_file(lines: Sequence[str], path: Path) -> InvalidArgument:
    """Return the error of a file with these mistakes; of many the first ones."""
    told = [f"{line} ({path})" for line in lines[:MOST_TOLD]]
    if len(lines) > MOST_TOLD:
        told.append(f"and {len(lines) - MOST_TOLD} more mistakes ({path})")
    return InvalidArgument("\n".join(told))


class Refusal(InvalidArgument):
    """A mistake in words that read after the name of the key: "must hold ..."."""


def subject(key: str) -> str:
    """Return how a message names `key`; the empty one is the file itself."""
    return f"`{key}`" if key else "the file"


def inside(key: str, name: str) -> str:
    return f"{key}.{plain(name)}" if key else plain(name)


def plain(name: str) -> str:
    """Return a key as it stands in a message: on one line, and no longer than that needs."""
    text = repr(name)[1:-1]
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def unknown_key(key: str, name: str, known: Iterable[str], kind: str = "") -> str:
    """Return the line on a key `name` of the table `key`, which has only the keys `known`."""
    names = list(known)
    near = similar(name, names)
    listed = ", ".join(f"`{each}`" for each in names) or "none"
    hint = f"the nearest valid key is `{near}`" if near else f"its keys are {listed}"
    of_kind = f" of kind {shown(kind)}" if kind else ""
    return f"{subject(key)}{of_kind} has no key `{plain(name)}`; {hint}"


def hint(value: Any, known: Iterable[Any]) -> str:
    """Return "; did you mean `b`?", or nothing where no text in `known` is near `value`."""
    texts = [each for each in known if isinstance(each, str)]
    return nearest_hint(value, texts) if isinstance(value, str) else ""


def mistake(key: str, words: str) -> Mistakes:
    return Mistakes([f"{subject(key)} {words}"])


@contextmanager
def located(key: str, keys: Mapping[str, str]) -> Iterator[None]:
    """Turn an error of a class into a mistake of the key that its argument was read from.

    keys: argument -> key. A message that does not begin with an argument names `key` at its end.
    """
    try:
        yield
    except Mistakes:
        raise
    except Refusal as reason:
        raise mistake(key, str(reason)) from None
    except ValueError as reason:  # as InvalidArgument is; a class of the user may know only this
        text = str(reason)
        start = re.match(r"`(\w+)`", text)
        if start is not None and start[1] in keys:
            raise Mistakes([f"`{keys[start[1]]}`{text[start.end() :]}"]) from None
        raise Mistakes([f"{text} (in {subject(key)})" if key else text]) from None


@contextmanager
def gathered(lines: list[str]) -> Iterator[None]:
    """Collect the lines of mistakes in `lines` instead of raising them."""
    try:
        yield
    except Mistakes as reason:
        lines += reason.lines
