"""Every error and warning that wheelwork raises on purpose."""


class WheelworkError(Exception):
    """Base class of the library's own errors."""


class InvalidArgument(WheelworkError, ValueError):
    """An invalid argument; the message says which, what it must be, and what it is."""


class NotConverged(WheelworkError, RuntimeError):
    """A method did not reach the requested tolerance; the message says which limit was hit."""


class NoSteadyState(WheelworkError, RuntimeError):
    """The parameters admit no normalisable (or no unique) steady state."""


class UnphysicalState(WheelworkError, RuntimeError):
    """The solution is not a quantum state: the equations were used beyond their validity."""


class ValidityWarning(UserWarning):
    """The equations are solved accurately, but are near the limit of their validity."""
