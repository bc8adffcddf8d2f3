"""Power grids of few quanta: the master equation itself."""

from wheelwork.machines.power_grid.quantum.jumps import (
    QuantumJumps,
    SampledQuantumState,
    sample_quantum,
)
from wheelwork.machines.power_grid.quantum.master_equation import MasterEquation
from wheelwork.machines.power_grid.quantum.state import QuantumState, solve_quantum

__all__ = [
    "MasterEquation",
    "QuantumJumps",
    "QuantumState",
    "SampledQuantumState",
    "sample_quantum",
    "solve_quantum",
]
