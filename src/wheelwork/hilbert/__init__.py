"""Open quantum systems in Hilbert space: Lindblad equations on the matrix elements that matter."""

from wheelwork.hilbert.counting import CountingStatistics, counting_covariance, counting_statistics
from wheelwork.hilbert.direct import SparseLU
from wheelwork.hilbert.evolution import Evolution, evolve
from wheelwork.hilbert.krylov import Krylov
from wheelwork.hilbert.lindblad import Lindblad
from wheelwork.hilbert.propagation import ExplicitSteps, ImplicitSteps
from wheelwork.hilbert.sector import Sector, diagonal_sector
from wheelwork.hilbert.solve import steady_state
from wheelwork.hilbert.state import State
from wheelwork.hilbert.steady import SteadyMethod, SteadyState
from wheelwork.hilbert.trajectories import JumpSamples, sample_jumps
from wheelwork.hilbert.truncation import Grown, Truncation, grow

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
