"""Sweeps: a machine at many parameter values, as one labelled dataset; and the verbs."""

from wheelwork.sweeps.cases import Product, Zipped
from wheelwork.sweeps.collect import Status, collect, status
from wheelwork.sweeps.execution import Processes
from wheelwork.sweeps.loop import sweep
from wheelwork.sweeps.nested import replace_at
from wheelwork.sweeps.point import Point
from wheelwork.sweeps.protocols import AuditEntry, Labelled, Machine, State
from wheelwork.sweeps.refinement import Change, Crossing, Event, Verdict, refine
from wheelwork.sweeps.store import StoreError
from wheelwork.sweeps.verbs import evolve, sample, steady_state

__all__ = [
    "AuditEntry",
    "Change",
    "Crossing",
    "Event",
    "Labelled",
    "Machine",
    "Point",
    "Processes",
    "Product",
    "State",
    "Status",
    "StoreError",
    "Verdict",
    "Zipped",
    "collect",
    "evolve",
    "refine",
    "replace_at",
    "sample",
    "status",
    "steady_state",
    "sweep",
]
