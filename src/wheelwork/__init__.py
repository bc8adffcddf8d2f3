"""Autonomous quantum machines: steady states, stored work, flows, and the error of every number.

The names below load on first use, so that `import wheelwork` itself costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wheelwork.errors import (
    InvalidArgument,
    NoSteadyState,
    NotConverged,
    UnphysicalState,
    ValidityWarning,
    WheelworkError,
)

if TYPE_CHECKING:
    from wheelwork.machines.flywheel import Flywheel
    from wheelwork.machines.power_grid import MasterEquation, PowerGrid, QuantumJumps, Saturable
    from wheelwork.machines.rotor import GlobalMasterEquation, LocalMasterEquation, RotorEngine
    from wheelwork.oscillator_networks import MeanField
    from wheelwork.phase_space import EnergyDiffusion, EulerMaruyama, FokkerPlanck, Langevin
    from wheelwork.states import Cat, Coherent, Ground, Thermal
    from wheelwork.sweeps import sweep
    from wheelwork.transport import Lead, Lorentzian, Semicircle, Tabulated, WideBand
    from wheelwork.verbs import evolve, sample, steady_state

    __version__: str

_HOMES = {
    "Cat": "wheelwork.states",
    "Coherent": "wheelwork.states",
    "EnergyDiffusion": "wheelwork.phase_space",
    "EulerMaruyama": "wheelwork.phase_space",
    "FokkerPlanck": "wheelwork.phase_space",
    "Ground": "wheelwork.states",
    "Langevin": "wheelwork.phase_space",
    "Flywheel": "wheelwork.machines.flywheel",
    "GlobalMasterEquation": "wheelwork.machines.rotor",
    "LocalMasterEquation": "wheelwork.machines.rotor",
    "MasterEquation": "wheelwork.machines.power_grid",
    "MeanField": "wheelwork.oscillator_networks",
    "PowerGrid": "wheelwork.machines.power_grid",
    "QuantumJumps": "wheelwork.machines.power_grid",
    "RotorEngine": "wheelwork.machines.rotor",
    "Saturable": "wheelwork.machines.power_grid",
    "Lead": "wheelwork.transport",
    "Lorentzian": "wheelwork.transport",
    "Semicircle": "wheelwork.transport",
    "Tabulated": "wheelwork.transport",
    "Thermal": "wheelwork.states",
    "WideBand": "wheelwork.transport",
    "evolve": "wheelwork.verbs",
    "sample": "wheelwork.verbs",
    "steady_state": "wheelwork.verbs",
    "sweep": "wheelwork.sweeps",
}

__all__ = [
    "Cat",
    "Coherent",
    "EnergyDiffusion",
    "EulerMaruyama",
    "Flywheel",
    "FokkerPlanck",
    "GlobalMasterEquation",
    "Ground",
    "InvalidArgument",
    "Langevin",
    "Lead",
    "LocalMasterEquation",
    "Lorentzian",
    "MasterEquation",
    "MeanField",
    "NoSteadyState",
    "NotConverged",
    "PowerGrid",
    "QuantumJumps",
    "RotorEngine",
    "Saturable",
    "Semicircle",
    "Tabulated",
    "Thermal",
    "UnphysicalState",
    "ValidityWarning",
    "WheelworkError",
    "WideBand",
    "__version__",
    "evolve",
    "sample",
    "steady_state",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("wheelwork")
    if name not in _HOMES:
        raise AttributeError(f"module 'wheelwork' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
