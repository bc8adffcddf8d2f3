"""The flywheel: an oscillator driven by electrons that tunnel through a quantum dot.

Reference: O. Culhane, M. T. Mitchison, J. Goold, Extractable work in quantum electromechanics,
Phys. Rev. E 106, L032104 (2022), cited as Culhane et al.
"""

from wheelwork.machines.flywheel.evolution import FlywheelEvolution, FlywheelSnapshot
from wheelwork.machines.flywheel.machine import Flywheel
from wheelwork.machines.flywheel.state import FlywheelState

__all__ = ["Flywheel", "FlywheelEvolution", "FlywheelSnapshot", "FlywheelState"]
