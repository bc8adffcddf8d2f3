"""Stationary distributions of noisy oscillators in the (x, p) plane.

Knows no device: force, friction and noise come in as functions of x (`PhaseSpaceModel`), a
distribution with estimated errors comes out (`Stationary`).
"""

from wheelwork.phase_space.distribution import Distribution, Nodes, moments
from wheelwork.phase_space.fokker_planck import FokkerPlanck
from wheelwork.phase_space.model import PhaseSpaceModel
from wheelwork.phase_space.sampling.langevin import EulerMaruyama, Langevin
from wheelwork.phase_space.sampling.samples import Samples
from wheelwork.phase_space.sampling.statistics import Estimate
from wheelwork.phase_space.stationary.accuracy import table_tolerance
from wheelwork.phase_space.stationary.energy_diffusion import EnergyDiffusion
from wheelwork.phase_space.stationary.result import Stationary

__all__ = [
    "Distribution",
    "EnergyDiffusion",
    "Estimate",
    "EulerMaruyama",
    "FokkerPlanck",
    "Langevin",
    "Nodes",
    "PhaseSpaceModel",
    "Samples",
    "Stationary",
    "moments",
    "table_tolerance",
]
