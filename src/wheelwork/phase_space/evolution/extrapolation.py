"""A stretch of time at three step sizes at once, extrapolated to none."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.phase_space.evolution.flow import Flow
from wheelwork.phase_space.evolution.mesh import Field
from wheelwork.phase_space.evolution.step import Step

# Close together, as the coarsest must still resolve how force and noise vary over a period.
LEVELS = (4, 5, 6)
FEWEST_TERMS, MOST_TERMS, STABLE = 3, 24, 0.1


@dataclass(frozen=True)
class Stretch:
    """W after a stretch of time, of sixth order in Δt, and its distance from that of fourth."""

    field: Field
    correction: float


def advance(
    field: Field, flow: Flow, duration: float, count: int, allowed: float
) -> Stretch | None:
    """Advance in 4, 5 and 6 times `count` steps, and extrapolate from Δt², Δt⁴ to zero.

    allowed: size of what may be left out of the series in the friction. None when the steps are
    too long for that series.
    """
    rates = flow.rates(field.mesh.half_width)
    steps = [
        Step(field.mesh, rates, flow.model.frequency, duration / (level * count))
        for level in LEVELS
    ]
    order = _order(steps[0], field, allowed / (LEVELS[0] * count))
    if order is None:
        return None
    ends = [
        step.advance(field.values, level * count, order)
        for step, level in zip(steps, LEVELS, strict=True)
    ]
    found = Field(field.mesh, combined(ends, LEVELS))
    return Stretch(found, found.size(found.values - combined(ends[1:], LEVELS[1:])))


def combined(ends: Sequence[FloatArray], levels: Sequence[int]) -> FloatArray:
    """Σ_i c_i end_i without the terms in Δt², Δt⁴, … that so many values can cancel."""
    total = np.zeros_like(ends[0])
    for end, level in zip(ends, levels, strict=True):
        others = [other for other in levels if other != level]
        total += end * math.prod(level**2 / (level**2 - other**2) for other in others)
    return total


def _order(step: Step, field: Field, allowed: float) -> int | None:
    """Terms of the series in the friction until one is below `allowed`, which is left out.

    At least as many as keep the series from magnifying what the mesh cannot resolve.
    """
    largest = step.largest_term
    if largest == 0.0:
        return 0
    for order in range(FEWEST_TERMS + 1, MOST_TERMS):
        stable = largest**order < STABLE * math.factorial(order)
        if stable and field.size(step.term(field.values, order)) <= max(allowed, field.rounding):
            return order - 1
    return None
