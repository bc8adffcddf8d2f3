"""Lindblad equations graded by a charge, which jumps raise or lower by one and H conserves."""

from wheelwork.lindblad.graded.equation import (
    MAKING,
    GradedLindblad,
    Link,
    required_bytes,
    required_work,
)
from wheelwork.lindblad.graded.steady import GradedSteadyState, steady_state

__all__ = [
    "MAKING",
    "GradedLindblad",
    "GradedSteadyState",
    "Link",
    "required_bytes",
    "required_work",
    "steady_state",
]
