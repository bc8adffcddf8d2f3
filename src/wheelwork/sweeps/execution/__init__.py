"""Computing points: in this process, in several, or by any executor, also when workers die."""

from wheelwork.sweeps.execution.run import compute, open_pool
from wheelwork.sweeps.execution.work import Share, Work
from wheelwork.sweeps.execution.workers import Processes

__all__ = ["Processes", "Share", "Work", "compute", "open_pool"]
