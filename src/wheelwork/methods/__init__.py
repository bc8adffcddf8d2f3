"""Methods: how to solve, as values; here the base of all and that of those which sample."""

from wheelwork.methods.method import Method

__all__ = ["Method"]
