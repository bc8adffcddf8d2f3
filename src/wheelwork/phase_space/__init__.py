"""Noisy oscillators in the (x, p) plane: steady states, response, evolution, trajectories.

Independent of any device: force, friction and noise are given as functions of x
(`PhaseSpaceModel`), and results are distributions with estimated errors (`Stationary`, `Response`,
`Evolution`, `Samples`).
"""

from wheelwork.numerics.statistics import Estimate, jackknife_error
from wheelwork.phase_space.coexistence.wells import Well, Wells, find_wells
from wheelwork.phase_space.distribution import Distribution, Nodes, moments
from wheelwork.phase_space.evolution.evolve import Evolution, Snapshot
from wheelwork.phase_space.fokker_planck import EnergyDiffusion, FokkerPlanck
from wheelwork.phase_space.langevin.correlations import SampledCorrelations, SampledSpectrum
from wheelwork.phase_space.langevin.histograms import Histogram
from wheelwork.phase_space.langevin.methods import EulerMaruyama, Langevin
from wheelwork.phase_space.langevin.samples import Samples
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel, table_tolerance
from wheelwork.phase_space.response.correlations import Response, Switching
from wheelwork.phase_space.response.decay import Line
from wheelwork.phase_space.stationary.stationary_state import Stationary

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
    "Well",
    "Wells",
    "find_wells",
    "jackknife_error",
    "moments",
    "table_tolerance",
]
