"""Sweeps: a machine at many parameter values, as one labelled dataset."""

from wheelwork.sweeps.case_sweep import sweep
from wheelwork.sweeps.cases import Product, Zipped
from wheelwork.sweeps.collect import Status, collect, status
from wheelwork.sweeps.execution import Processes, WorkersLost
from wheelwork.sweeps.names import replace_at
from wheelwork.sweeps.point import Point
from wheelwork.sweeps.refine import Change, Crossing, Event, Verdict, refine
from wheelwork.sweeps.store import StoreError

__all__ = [
    "Change",
    "Crossing",
    "Event",
    "Point",
    "Processes",
    "Product",
    "Status",
    "StoreError",
    "Verdict",
    "WorkersLost",
    "Zipped",
    "collect",
    "refine",
    "replace_at",
    "status",
    "sweep",
]
