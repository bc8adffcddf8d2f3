"""Lindblad equations, solved on the matrix elements that they couple.

Steady states, evolution, counting statistics and quantum-jump trajectories of any H and jumps;
`wheelwork.lindblad.graded` for large systems with a conserved charge that jumps change by one.
"""

from wheelwork.lindblad.counting import CountingStatistics, counting_covariance, counting_statistics
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.evolution import Evolution, evolve
from wheelwork.lindblad.exponential import Exponential
from wheelwork.lindblad.krylov import Krylov
from wheelwork.lindblad.sector import Sector, diagonal_sector
from wheelwork.lindblad.state import State
from wheelwork.lindblad.steady import SteadyMethod, SteadyState
from wheelwork.lindblad.steady_methods import SparseLU, steady_state
from wheelwork.lindblad.steps import ExplicitSteps, ImplicitSteps
from wheelwork.lindblad.trajectories import JumpRecord, JumpSamples, sample_jumps
from wheelwork.lindblad.truncation import GrownTruncation, Truncation, grow

__all__ = [
    "CountingStatistics", "Evolution", "ExplicitSteps", "Exponential", "GrownTruncation",
    "ImplicitSteps", "JumpRecord", "JumpSamples", "Krylov", "Lindblad", "Sector", "SparseLU",
    "State", "SteadyMethod", "SteadyState", "Truncation", "counting_covariance",
    "counting_statistics", "diagonal_sector", "evolve", "grow", "sample_jumps", "steady_state",
]  # fmt: skip
