"""Amplitude equations of networks of oscillators: steady states, stability, continuation, motion.

They are given by matrices and callables; nothing here depends on a machine.
"""

from wheelwork.oscillator_networks.continuation import Continuation, Event, Point
from wheelwork.oscillator_networks.mean_field import Attractors, MeanField
from wheelwork.oscillator_networks.model import (
    AmplitudeModel,
    ComplexArray,
    Growth,
    GrowthRows,
    IntArray,
    InvertibleGrowth,
    Mirror,
    find_mirror,
    invertible,
)
from wheelwork.oscillator_networks.motion import TimeAverage
from wheelwork.oscillator_networks.newton import Solutions
from wheelwork.oscillator_networks.response import response_time
from wheelwork.oscillator_networks.stability import Deviations, growth_rates, rest_growth_rate
from wheelwork.oscillator_networks.steady_states import Search, run_together
from wheelwork.oscillator_networks.two_site_curve import TwoSiteCurve, two_site_curve
from wheelwork.oscillator_networks.units import Units

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
    "Point",
    "Search",
    "Solutions",
    "TimeAverage",
    "TwoSiteCurve",
    "Units",
    "find_mirror",
    "growth_rates",
    "invertible",
    "response_time",
    "rest_growth_rate",
    "run_together",
    "two_site_curve",
]
