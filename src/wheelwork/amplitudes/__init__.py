"""Amplitude equations of networks of oscillators: steady states, stability, continuation, motion.

Knows matrices and callables, no machine.
"""

from wheelwork.amplitudes.continuation import Continuation, Event, Point
from wheelwork.amplitudes.mean_field import Attractors, MeanField
from wheelwork.amplitudes.model import (
    AmplitudeModel,
    ComplexArray,
    Growth,
    InvertibleGrowth,
    Mirror,
)
from wheelwork.amplitudes.motion import TimeAverage
from wheelwork.amplitudes.newton import Solutions
from wheelwork.amplitudes.pair_curve import PairCurve, pair_curve
from wheelwork.amplitudes.stability import Deviations, growth_rates, rest_growth_rate

__all__ = [
    "AmplitudeModel",
    "Attractors",
    "ComplexArray",
    "Continuation",
    "Deviations",
    "Event",
    "Growth",
    "InvertibleGrowth",
    "MeanField",
    "Mirror",
    "PairCurve",
    "Point",
    "Solutions",
    "TimeAverage",
    "growth_rates",
    "pair_curve",
    "rest_growth_rate",
]
