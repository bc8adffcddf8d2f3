"""The terminal: how wide it is, and which characters it can show."""

import codecs
import json
import os
import sys
import unicodedata
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console

PLAIN_WIDTH = 100  # of a table that goes to a file or a pipe
IN_ASCII = "wheelwork.ascii"  # handler of characters that an encoding lacks
BESIDES = "what the figure shows besides"  # is computed, after the points
WORDS = {
    "ħ": "hbar", "δ": "d", "⟨": "<", "⟩": ">", "…": "...", "±": "+-", "−": "-", "–": "-",
    "→": "->", "≤": "<=", "≥": ">=", "·": "*", "×": "x", "√": "sqrt", "′": "'", "\u0307": "'",
}  # fmt: skip


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """Return what stands for the characters that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_word, error.object[error.start : error.end])), error.end


def _word(character: str) -> str:
    """Return "sqrt" for √, "2" for ², "eta" for η, and the code where there is no such word."""
    base = unicodedata.normalize("NFKD", character)
    known = WORDS.get(character) or base.encode("ascii", "ignore").decode()
    name = unicodedata.name(base[0], "")
    if not known and name.startswith("GREEK SMALL LETTER "):
        known = name.split()[3].lower()
    return known or character.encode("ascii", "backslashreplace").decode()


codecs.register_error(IN_ASCII, _in_ascii)


def open_closed_streams() -> None:
    """Let standard streams that are closed, as by `>&-` or for a service, lead nowhere.

    Otherwise Python has None for them, and the next file that is opened, such as one of a store,
    gets their number, and what a library writes there.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def accept_all_characters() -> None:
    """Let the standard streams write what their encoding lacks as words in ASCII.

    Of a terminal with LANG=C, or of a pipe on Windows, the encoding is not UTF-8.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=IN_ASCII)


def to_json(value: Any, indent: int | None = None) -> str:
    """Return JSON for standard output, in ASCII where that cannot hold every character."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    unicode = encoding.lower().startswith("utf")
    return json.dumps(value, default=str, indent=indent, ensure_ascii=not unicode)


def writable(text: str, console: Console) -> str:
    """Return `text` as it will be on `console`, so that its width is known beforehand."""
    return text.encode(console.encoding, IN_ASCII).decode(console.encoding)


def screen() -> Console:
    """Return standard output, as wide as the terminal, or as COLUMNS says, or 100 characters."""
    console = Console()
    known = console.is_terminal or os.environ.get("COLUMNS", "").isdigit()
    return console if known else Console(width=PLAIN_WIDTH)


def busy(words: str, console: Console, visible: bool = True) -> AbstractContextManager[object]:
    """Show `words` on `console` while something takes long."""
    spins = visible and console.is_terminal
    return console.status(words, spinner="line") if spins else nullcontext()
