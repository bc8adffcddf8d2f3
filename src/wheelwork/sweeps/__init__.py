"""Sweeps: a machine at many parameter values, as one labelled dataset; and the verbs."""

from wheelwork.sweeps.loop import sweep
from wheelwork.sweeps.point import Point
from wheelwork.sweeps.protocols import AuditEntry, Labelled, Machine, State
from wheelwork.sweeps.verbs import evolve, sample, steady_state

__all__ = [
    "AuditEntry",
    "Labelled",
    "Machine",
    "Point",
    "State",
    "evolve",
    "sample",
    "steady_state",
    "sweep",
]
