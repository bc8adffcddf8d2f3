"""Stationary distributions of noisy oscillators in the (x, p) plane.

Knows no device: force, friction and noise come in as functions of x (`PhaseSpaceModel`), a
distribution with estimated errors comes out (`Stationary`).
"""

from wheelwork.numerics.statistics import Estimate, jackknife_error
from wheelwork.phase_space.distribution import Distribution, Nodes, moments
from wheelwork.phase_space.evolution.result import Evolution, Snapshot
from wheelwork.phase_space.fokker_planck import FokkerPlanck
from wheelwork.phase_space.langevin.correlations import SampledCorrelations, SampledSpectrum
from wheelwork.phase_space.langevin.histograms import Histogram
from wheelwork.phase_space.langevin.methods import EulerMaruyama, Langevin
from wheelwork.phase_space.langevin.samples import Samples
from wheelwork.phase_space.model import PhaseSpaceModel
from wheelwork.phase_space.response import Line, Response, Switching
from wheelwork.phase_space.stationary.accuracy import table_tolerance
from wheelwork.phase_space.stationary.energy_diffusion import EnergyDiffusion
from wheelwork.phase_space.stationary.result import Stationary

__all__ = [
    "Distribution",
    "EnergyDiffusion",
    "Estimate",
    "EulerMaruyama",
    "Evolution",
    "FokkerPlanck",
    "Histogram",
    "Langevin",
    "Line",
    "Nodes",
    "PhaseSpaceModel",
    "Response",
    "SampledCorrelations",
    "SampledSpectrum",
    "Samples",
    "Snapshot",
    "Stationary",
    "Switching",
    "jackknife_error",
    "moments",
    "table_tolerance",
]
