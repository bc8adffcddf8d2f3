"""Sweeps: a machine at many parameter values, as one labelled dataset."""

from wheelwork.sweeps.loop import sweep
from wheelwork.sweeps.point import Point, steady_state
from wheelwork.sweeps.protocols import AuditEntry, Labelled, Machine, State

__all__ = ["AuditEntry", "Labelled", "Machine", "Point", "State", "steady_state", "sweep"]
