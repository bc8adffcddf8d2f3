"""The machines; only here are the descriptions of a device combined."""

from wheelwork.machines.flywheel import Flywheel
from wheelwork.machines.flywheel.state import FlywheelState
from wheelwork.machines.power_grid import (
    MasterEquation,
    MeanField,
    MeanFieldState,
    PowerGrid,
    QuantumJumps,
    QuantumState,
    Saturable,
)
from wheelwork.machines.rotor import (
    GlobalMasterEquation,
    LocalMasterEquation,
    RotorEngine,
    RotorState,
)

__all__ = [
    "Flywheel",
    "FlywheelState",
    "GlobalMasterEquation",
    "LocalMasterEquation",
    "MasterEquation",
    "MeanField",
    "MeanFieldState",
    "PowerGrid",
    "QuantumJumps",
    "QuantumState",
    "RotorEngine",
    "RotorState",
    "Saturable",
]
