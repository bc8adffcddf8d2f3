"""Which correlations there are, and how far two approximations to them differ."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.phase_space.response.decay import Decay
from wheelwork.phase_space.response.line import find_line
from wheelwork.phase_space.response.relaxation import (
    INTENSITY,
    LOWERED_P,
    LOWERED_X,
    MOMENTUM,
    PAIR,
    POSITION,
    Relaxation,
    Share,
)

X, P, SQUARE = Share((0,)), Share((1,)), Share((2,))
CONJUGATE = Share((0, 1), (1.0, -1.0j))  # α* = X − iP

CORRELATIONS: Mapping[str, tuple[Share, Share]] = MappingProxyType(
    {
        "position": (X, Share((POSITION,))),
        "momentum": (P, Share((MOMENTUM,))),
        "amplitude": (CONJUGATE, Share((POSITION, MOMENTUM), (1.0, 1.0j))),
        "emission": (CONJUGATE, Share((LOWERED_X, LOWERED_P), (1.0, 1.0j))),
        "intensity": (SQUARE, Share((INTENSITY,))),
        "pair": (SQUARE, Share((PAIR,))),
    }
)
# The correlation whose size is the scale of errors: normal order may vanish by cancellation.
SCALES = {"emission": "amplitude", "pair": "intensity"}
DELAYS = 48
LONGEST_DELAY = 4.0  # over the slowest rate


def correlation(relaxation: Relaxation, name: str) -> Decay:
    """One of `CORRELATIONS`."""
    return relaxation.decay(*CORRELATIONS[name])


def differences(coarse: Relaxation, fine: Relaxation) -> dict[str, float]:
    """Relative changes of everything reported.

    Of a correlation: the largest over delays, over its fluctuations at τ = 0 (of `SCALES`), with
    what growing modes took from it. Of the line: of its frequency over its width, of its width
    and coherence time over themselves.
    """
    delays = _delays(fine)
    pairs = {name: (correlation(coarse, name), correlation(fine, name)) for name in CORRELATIONS}
    changes = {}
    for name, (before, after) in pairs.items():
        scale = abs(pairs[SCALES.get(name, name)][1].initial)
        moved = np.abs(before.fluctuation(delays) - after.fluctuation(delays))
        still = abs(before.constant - after.constant)
        changes[name] = (float(np.max(moved)) + still + after.lost) / scale
    numbers = _line_changes(*pairs["amplitude"])
    numbers["slowest_rate"] = _relative(coarse.slowest_rate, fine.slowest_rate)
    least = max(changes.values())
    return changes | {name: max(change, least) for name, change in numbers.items()}


def _line_changes(before: Decay, after: Decay) -> dict[str, float]:
    try:
        coarse, fine = find_line(before), find_line(after)
    except NotConverged:
        return dict.fromkeys(("line_frequency", "line_width", "coherence_time"), np.inf)
    return {
        "line_frequency": abs(coarse.frequency - fine.frequency) / fine.width,
        "line_width": _relative(coarse.width, fine.width),
        "coherence_time": _relative(coarse.coherence_time, fine.coherence_time),
    }


def _relative(coarse: float, fine: float) -> float:
    if np.isnan(fine):
        return 0.0 if np.isnan(coarse) else np.inf
    return np.inf if np.isnan(coarse) else abs(coarse / fine - 1.0)


def _delays(relaxation: Relaxation) -> FloatArray:
    rates = relaxation.eigenvalues
    longest = LONGEST_DELAY / float(np.min(-rates.real))
    shortest = 0.05 / float(np.max(np.abs(rates[: max(1, rates.size // 4)])))
    return np.concatenate([[0.0], np.geomspace(shortest, longest, DELAYS)])
