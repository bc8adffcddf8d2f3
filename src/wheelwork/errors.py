"""Every error and warning that wheelwork raises on purpose."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from types import FunctionType
from typing import Any

LONGEST_SHOWN = 80  # characters of a value in a message


class WheelworkError(Exception):
    """Base class of the library's own errors."""


class InvalidArgument(WheelworkError, ValueError):
    """An invalid argument; the message says which, what it must be, and what it is."""


class UnknownKey(InvalidArgument, KeyError):
    """An invalid key of a mapping; also a KeyError, as mappings need."""

    __str__ = Exception.__str__  # a KeyError would put the message in quotes


class UnknownName(InvalidArgument, TypeError):
    """An argument that does not exist; also a TypeError, as calls in Python have it."""


class NotConverged(WheelworkError, RuntimeError):
    """A method did not reach the requested tolerance; the message says which limit was hit.

    partial: the best result reached, with an audit that fails, or None where there is none.
    """

    def __init__(self, message: str = "", partial: Any = None) -> None:
        super().__init__(message)
        self.partial = partial


class OutOfTime(NotConverged):
    """A method did not reach the requested tolerance within its `time_limit`."""


class NoSteadyState(WheelworkError, RuntimeError):
    """The parameters admit no normalisable (or no unique) steady state."""


class UnphysicalState(WheelworkError, RuntimeError):
    """The solution is not a quantum state: the equations were used beyond their validity."""


class WheelworkWarning(UserWarning):
    """Base class of the library's own warnings; sweeps store them with their point."""


class ValidityWarning(WheelworkWarning):
    """The equations are solved accurately, but are near the limit of their validity."""


class CoexistenceWarning(WheelworkWarning):
    """Several states coexist, and a run that starts at rest does not see the mean of all."""


@contextmanager
def partial_as(convert: Callable[[Any], Any]) -> Iterator[None]:
    """Raise a NotConverged of the block with `convert(partial)` as its partial result.

    For the layers above a solver, which turn its solution into a result of their own. A partial
    result that cannot be converted is dropped: the reason to report is the first one.
    """
    try:
        yield
    except NotConverged as reason:
        if reason.partial is not None:
            try:
                reason.partial = convert(reason.partial)
            except (WheelworkError, ArithmeticError, ValueError):
                reason.partial = None
        raise


# ---------------------------------------------------------------------------- parts of messages


def shown(value: Any) -> str:
    """Return `value` as a message has it: on one line, and cut where it is long."""
    try:
        plain = isinstance(value, FunctionType)  # whose repr has an address
        text = value.__qualname__ if plain else " ".join(repr(value).split())
    except Exception:  # an integer of more than 4300 digits; an object that cannot be printed
        return f"of type {type(value).__name__}"
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def one_of(name: str, known: Iterable[str]) -> str:
    """Return "must be one of a, b, c; did you mean `b`?", of a name that is not one of `known`."""
    names = list(known)
    return f"must be one of {', '.join(names)}{nearest_hint(name, names)}"


def nearest_hint(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean `b`?", or nothing where no name in `known` is near."""
    near = get_close_matches(name[:LONGEST_SHOWN], known, 1)
    return f"; did you mean `{near[0]}`?" if near else ""
