"""Stationary distributions of noisy oscillators in the (x, p) plane.

Knows no device: force, friction and noise come in as functions of x (`PhaseSpaceModel`), a
distribution with estimated errors comes out (`Stationary`).
"""

from wheelwork.phase_space.distribution import Distribution, Nodes, moments
from wheelwork.phase_space.langevin import EulerMaruyama, Langevin
from wheelwork.phase_space.model import PhaseSpaceModel
from wheelwork.phase_space.samples import Samples
from wheelwork.phase_space.stationary import (
    EnergyDiffusion,
    FokkerPlanck,
    Stationary,
    table_tolerance,
)
from wheelwork.phase_space.statistics import Estimate

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
