"""Amplitude equations of networks of oscillators: steady states, stability, continuation, motion.

Knows matrices and callables, no machine.
"""

from wheelwork.amplitudes.continuation import Continuation, Event, Point
from wheelwork.amplitudes.mean_field import Attractors, MeanField
from wheelwork.amplitudes.model import (
    AmplitudeModel,
    ComplexArray,
    Growth,
    GrowthRows,
    IntArray,
    InvertibleGrowth,
    Mirror,
    invertible,
)
from wheelwork.amplitudes.motion import TimeAverage
from wheelwork.amplitudes.newton import Solutions
from wheelwork.amplitudes.pair_curve import PairCurve, pair_curve
from wheelwork.amplitudes.stability import Deviations, growth_rates, rest_growth_rate
from wheelwork.amplitudes.steady_states import Search, run_together

__all__ = [
    "AmplitudeModel",
    "Attractors",
    "ComplexArray",
    "Continuation",
    "Deviations",
    "Event",
    "Growth",
    "GrowthRows",
    "IntArray",
    "InvertibleGrowth",
    "MeanField",
    "Mirror",
    "PairCurve",
    "Point",
    "Search",
    "Solutions",
    "TimeAverage",
    "growth_rates",
    "invertible",
    "pair_curve",
    "rest_growth_rate",
    "run_together",
]
