"""Lindblad equations graded by a charge that jumps raise or lower by one."""

from wheelwork.lindblad.graded.model import Ladder, Link, required_bytes
from wheelwork.lindblad.graded.solve import LadderSteady, ladder_steady_state

__all__ = ["Ladder", "LadderSteady", "Link", "ladder_steady_state", "required_bytes"]
