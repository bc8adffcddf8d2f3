"""Computing points: here, in processes, or by any executor; batched, and over lost workers."""

from wheelwork.sweeps.execution.executors import Processes
from wheelwork.sweeps.execution.run import compute, crew_of
from wheelwork.sweeps.execution.work import Share, Work

__all__ = ["Processes", "Share", "Work", "compute", "crew_of"]
