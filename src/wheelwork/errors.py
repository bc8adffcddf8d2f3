"""Every error and warning that wheelwork raises on purpose."""


class WheelworkError(Exception):
    """Base class of the library's own errors."""


class InvalidArgument(WheelworkError, ValueError):
    """An argument that cannot be accepted; the message names it, what it must be, what it was."""


class NotConverged(WheelworkError, RuntimeError):
    """A solver could not reach the tolerance asked for; the message says what ran out."""


class NoSteadyState(WheelworkError, RuntimeError):
    """The parameters admit no normalisable (or no unique) steady state."""


class UnphysicalState(WheelworkError, RuntimeError):
    """The solution is no quantum state: the equations were used beyond their validity."""


class ValidityWarning(UserWarning):
    """The numbers are accurate for the equations, but the equations are at their limit."""
