"""Power grids: networks of oscillators with gain and loss.

Reference: J. Huber, P. Rabl, Active energy transport and the role of symmetry breaking in
microscopic power grids (2022), cited as Huber and Rabl; its closed results are in
`wheelwork.papers.huber_rabl_2022.closed_forms`.
"""

from wheelwork.machines.power_grid.bifurcations import BranchPath
from wheelwork.machines.power_grid.branch import Branch, Oscillation
from wheelwork.machines.power_grid.elements import ActiveElement, Saturable
from wheelwork.machines.power_grid.langevin import SampledState
from wheelwork.machines.power_grid.machine import PowerGrid
from wheelwork.machines.power_grid.mean_field import MeanFieldState
from wheelwork.machines.power_grid.numbers import EdgeNumbers
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.machines.power_grid.quantum.jumps import QuantumJumps
from wheelwork.machines.power_grid.quantum.master_equation import MasterEquation
from wheelwork.machines.power_grid.quantum.state import QuantumState
from wheelwork.oscillator_networks import MeanField

__all__ = [
    "ActiveElement",
    "Branch",
    "BranchPath",
    "EdgeNumbers",
    "GridParameters",
    "MasterEquation",
    "MeanField",
    "MeanFieldState",
    "Oscillation",
    "PowerGrid",
    "QuantumJumps",
    "QuantumState",
    "SampledState",
    "Saturable",
]
