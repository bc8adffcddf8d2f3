"""Lindblad equations graded by a charge, which jumps raise or lower by one and H conserves."""

from wheelwork.lindblad.graded.equation import GradedLindblad, Link, required_bytes
from wheelwork.lindblad.graded.steady import GradedSteadyState, steady_state

__all__ = ["GradedLindblad", "GradedSteadyState", "Link", "required_bytes", "steady_state"]
