"""The rotor engine: two qubits between baths turn a quantum rotor against a load.

Reference: H. Leitch, K. Hammam, G. De Chiara, Thermodynamics of hybrid quantum rotor devices
(2024), cited as Leitch et al.
"""

from wheelwork.machines.rotor.comparisons import Optimum, Rectification, RegimeBoundaries
from wheelwork.machines.rotor.evolution import RotorEvolution, RotorSnapshot, RotorStart
from wheelwork.machines.rotor.global_equation import GlobalMasterEquation
from wheelwork.machines.rotor.local_equation import LocalMasterEquation
from wheelwork.machines.rotor.machine import RotorEngine
from wheelwork.machines.rotor.parameters import RotorParameters
from wheelwork.machines.rotor.state import RotorState

__all__ = [
    "GlobalMasterEquation", "LocalMasterEquation", "Optimum", "Rectification", "RegimeBoundaries",
    "RotorEngine", "RotorEvolution", "RotorParameters", "RotorSnapshot", "RotorStart", "RotorState",
]  # fmt: skip
