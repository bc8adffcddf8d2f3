"""The command line of wheelwork."""

import atexit
import gc
import sys
from collections.abc import Sequence
from importlib import import_module


def main(tokens: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; see `wheelwork.cli.app`."""
    atexit.register(gc.freeze)  # a last search for cycles in all that is loaded takes 0.7 s
    try:
        app = import_module("wheelwork.cli.app")
    except KeyboardInterrupt:
        print("wheelwork: interrupted", file=sys.stderr)
        return 130
    code: int = app.main(tokens)
    return code


__all__ = ["main"]
