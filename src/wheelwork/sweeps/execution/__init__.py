"""Computing points: in this process, in several, or by any executor, also when workers die."""

from wheelwork.sweeps.execution.processes import Processes
from wheelwork.sweeps.execution.run import compute, open_pool
from wheelwork.sweeps.execution.work import Share, Work
from wheelwork.sweeps.execution.workers import WorkersLost

__all__ = ["Processes", "Share", "Work", "WorkersLost", "compute", "open_pool"]
