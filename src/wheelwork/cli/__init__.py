"""The command line of wheelwork."""

from wheelwork.cli.app import main

__all__ = ["main"]
