"""Switching between two coexisting states, from the slowest mode."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.phase_space.response.relaxation import Relaxation

LEAST_SHARE = 0.9  # of the variance of W_1/W, explained by which basin one is in

NEGLIGIBLE = 1e-9  # of the largest probability


@dataclass(frozen=True)
class Switching:
    """Two states that exchange rarely, in the order of their mean |α|².

    weights: stationary probabilities. rates: k out of each, so that their sum is |λ1| and
    weights · rates balance. X, intensity: mean X and |α|² in each. mixing: variance of W_1/W
    within the basins over its whole variance: the relative error of the picture of
    two states, as far as it enters rates.
    """

    weights: tuple[float, float]
    rates: tuple[float, float]
    X: tuple[float, float]
    intensity: tuple[float, float]
    mixing: float


def find_switching(relaxation: Relaxation) -> Switching | None:
    """Split phase space by the sign of the slowest real mode W_1.

    W_1/W is then nearly constant on both sides; None where it is not, as with one stable state.
    """
    slowest = relaxation.slowest_rate
    if math.isnan(slowest):
        return None
    present = relaxation.probability > NEGLIGIBLE * np.max(relaxation.probability)
    function = np.where(present, relaxation.slowest_mode(), 0.0)
    sides = function > 0.0, function <= 0.0
    weights = [float(np.sum(relaxation.probability[side])) for side in sides]
    if min(weights) <= 0.0:
        return None
    means = [_mean(relaxation, function, side) for side in sides]
    variance = float(relaxation.probability @ function**2)
    mixing = 1.0 - (weights[0] * means[0] ** 2 + weights[1] * means[1] ** 2) / variance
    if mixing > 1.0 - LEAST_SHARE:
        return None
    intensity = [_mean(relaxation, relaxation.places[:, 2], side) for side in sides]
    X = [_mean(relaxation, relaxation.places[:, 0], side) for side in sides]
    key = intensity if abs(intensity[0] - intensity[1]) > 1e-6 * sum(intensity) else X
    first, second = (0, 1) if key[0] < key[1] else (1, 0)
    return Switching(
        weights=(weights[first], weights[second]),
        rates=(slowest * weights[second], slowest * weights[first]),
        X=(X[first], X[second]),
        intensity=(intensity[first], intensity[second]),
        mixing=mixing,
    )


def _mean(relaxation: Relaxation, values: FloatArray, side: npt.NDArray[np.bool_]) -> float:
    weight = relaxation.probability[side]
    return float(np.sum(weight * values[side]) / np.sum(weight))
