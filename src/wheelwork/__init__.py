"""Autonomous quantum machines: steady states, stored work, flows, and the error of every number.

The names below and all packages, such as `wheelwork.plots`, load on first use, so that
`import wheelwork` itself costs next to nothing.
"""

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wheelwork.errors import (
    CoexistenceWarning,
    InvalidArgument,
    NoSteadyState,
    NotConverged,
    UnphysicalState,
    ValidityWarning,
    WheelworkError,
    WheelworkWarning,
)

if TYPE_CHECKING:
    from wheelwork.machines.flywheel import Flywheel
    from wheelwork.machines.power_grid import MasterEquation, PowerGrid, QuantumJumps, Saturable
    from wheelwork.machines.rotor import (
        GlobalMasterEquation,
        LocalMasterEquation,
        RotorEngine,
        RotorStart,
    )
    from wheelwork.numerics.labelled import keys_of
    from wheelwork.numerics.progress import progress
    from wheelwork.oscillator_networks import MeanField
    from wheelwork.phase_space import EnergyDiffusion, EulerMaruyama, FokkerPlanck, Langevin
    from wheelwork.states import Cat, Coherent, Ground, Thermal
    from wheelwork.sweeps import sweep
    from wheelwork.transport import Lead, Lorentzian, Semicircle, Tabulated, WideBand
    from wheelwork.verbs import evolve, sample, steady_state

    __version__: str

_HOMES = {
    name: module
    for module, names in {
        "wheelwork.machines.flywheel": ("Flywheel",),
        "wheelwork.machines.power_grid": (
            "MasterEquation",
            "PowerGrid",
            "QuantumJumps",
            "Saturable",
        ),
        "wheelwork.machines.rotor": (
            "GlobalMasterEquation",
            "LocalMasterEquation",
            "RotorEngine",
            "RotorStart",
        ),
        "wheelwork.numerics.labelled": ("keys_of",),
        "wheelwork.numerics.progress": ("progress",),
        "wheelwork.oscillator_networks": ("MeanField",),
        "wheelwork.phase_space": ("EnergyDiffusion", "EulerMaruyama", "FokkerPlanck", "Langevin"),
        "wheelwork.states": ("Cat", "Coherent", "Ground", "Thermal"),
        "wheelwork.sweeps": ("sweep",),
        "wheelwork.transport": ("Lead", "Lorentzian", "Semicircle", "Tabulated", "WideBand"),
        "wheelwork.verbs": ("evolve", "sample", "steady_state"),
    }.items()
    for name in names
}

__all__ = [
    "Cat", "CoexistenceWarning", "Coherent", "EnergyDiffusion", "EulerMaruyama", "Flywheel",
    "FokkerPlanck", "GlobalMasterEquation", "Ground", "InvalidArgument", "Langevin", "Lead",
    "LocalMasterEquation", "Lorentzian", "MasterEquation", "MeanField", "NoSteadyState",
    "NotConverged", "PowerGrid", "QuantumJumps", "RotorEngine", "RotorStart", "Saturable",
    "Semicircle", "Tabulated", "Thermal", "UnphysicalState", "ValidityWarning", "WheelworkError",
    "WheelworkWarning", "WideBand", "__version__", "evolve", "keys_of", "progress", "sample",
    "steady_state", "sweep",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("wheelwork")
    if name in _packages():
        return import_module(f"wheelwork.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'wheelwork' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def _packages() -> set[str]:
    return {module.name for module in pkgutil.iter_modules(__path__) if module.name[0] != "_"}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_packages()})
