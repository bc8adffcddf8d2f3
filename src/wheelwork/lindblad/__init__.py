"""Open quantum systems in Hilbert space: Lindblad equations on the matrix elements that matter."""

from wheelwork.lindblad.counting import CountingStatistics, counting_covariance, counting_statistics
from wheelwork.lindblad.direct import SparseLU
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.evolution import Evolution, evolve
from wheelwork.lindblad.krylov import Krylov
from wheelwork.lindblad.propagation import ExplicitSteps, ImplicitSteps
from wheelwork.lindblad.sector import Sector, diagonal_sector
from wheelwork.lindblad.solve import steady_state
from wheelwork.lindblad.state import State
from wheelwork.lindblad.steady import SteadyMethod, SteadyState
from wheelwork.lindblad.trajectories import JumpSamples, sample_jumps
from wheelwork.lindblad.truncation import Grown, Truncation, grow

__all__ = [
    "CountingStatistics",
    "Evolution",
    "ExplicitSteps",
    "Grown",
    "ImplicitSteps",
    "JumpSamples",
    "Krylov",
    "Lindblad",
    "Sector",
    "SparseLU",
    "State",
    "SteadyMethod",
    "SteadyState",
    "Truncation",
    "counting_covariance",
    "counting_statistics",
    "diagonal_sector",
    "evolve",
    "grow",
    "sample_jumps",
    "steady_state",
]
