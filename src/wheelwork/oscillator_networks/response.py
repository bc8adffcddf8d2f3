"""The time after which the occupation of a site has forgotten a perturbation of its amplitude."""

import math

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.numerics.work import require_budget, tick
from wheelwork.oscillator_networks.model import ComplexArray
from wheelwork.oscillator_networks.stability import Deviations

LEVELS = 1e-5, 1e-8  # of deviations (Huber and Rabl, Appendix F)
RESOLUTION = 0.05  # of a sample, against the fastest oscillation: peaks are met within 1e-3
CHUNK = 4096  # samples at once
MOST_SAMPLES = 4e6  # half a second for ten sites
COMPLETE = 1e-6  # what modes may miss of the first deviation: else they are not independent


def response_time(deviations: Deviations, site: int, first: float = 1.0) -> float:
    """Return (t_2 − t_1)/ln 10³, where the deviation of |α_site|² last exceeds each of LEVELS.

    first: deviation at t = 0, in whatever unit LEVELS shall have.
    The deviation is Σ_m w_m e^{λ_m t}, linear in a small change of |α_site| at t = 0, with the
    weights w of all modes.
    Raises InvalidArgument where the state is not stable, or |α_site|² is zero; NotConverged where
    modes coincide, or decay too slowly against their oscillation.
    """
    state = deviations.state
    if not deviations.stable or deviations.marginal:
        raise InvalidArgument("`branch` must be stable for a response time, but is not")
    if abs(state[site]) <= COMPLETE * np.max(np.abs(state)):
        raise InvalidArgument(
            "`site` must carry quanta for a response time, but has none: |α|² then responds to the "
            "square of a perturbation only"
        )
    exponents, weights = _weights(deviations, site)
    rates, level = -exponents.real, np.array(LEVELS) / first
    bound = [_last_of_bound(rates, np.abs(weights), each) for each in level]
    early, late = (_last(exponents, weights, *each) for each in zip(level, bound, strict=True))
    return (late - early) / math.log(LEVELS[0] / LEVELS[1])


def _weights(deviations: Deviations, site: int) -> tuple[ComplexArray, ComplexArray]:
    """Exponents and weights of all modes in δ|α_site|², against its value at t = 0."""
    N, state = deviations.state.size, deviations.state
    exponents, vectors = deviations.modes
    turn = state[site] / abs(state[site])
    radial = np.zeros(2 * N)
    radial[site], radial[N + site] = turn.real, turn.imag
    free = np.concatenate([-state.imag, state.real]) / np.linalg.norm(state)
    basis = np.column_stack([vectors, free])
    try:
        share = np.linalg.solve(basis, radial.astype(np.complex128))[:-1]
    except np.linalg.LinAlgError:
        share = np.full(exponents.size, np.nan)
    weights = (radial @ vectors) * share
    if not abs(np.sum(weights) - 1.0) <= COMPLETE:
        raise NotConverged("the modes of deviations coincide: their weights are not defined")
    return exponents, weights


def _last_of_bound(rates: FloatArray, sizes: FloatArray, level: float) -> float:
    """The time at which Σ |w| e^{−Γt}, which falls steadily, is `level`; by halving."""
    low, high = 0.0, math.log(max(float(np.sum(sizes)) / level, 1.0)) / float(np.min(rates))
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = float(sizes @ np.exp(-rates * middle)) > level
        low, high = (middle, high) if above else (low, middle)
    return high


def _last(exponents: ComplexArray, weights: ComplexArray, level: float, bound: float) -> float:
    """The last time at which |Σ w e^{λt}| is `level`, searched backwards from `bound`."""
    fastest = max(float(np.max(np.abs(exponents.imag))), float(np.max(-exponents.real)))
    slowest = float(np.min(-exponents.real))
    step = RESOLUTION / fastest
    require_budget(
        "the response time", 1.0 / (slowest * step), MOST_SAMPLES, "samples",
        "increase the damping",
    )  # fmt: skip
    left, done = bound, 0
    while left > 0.0:
        tick("response of an occupation", done, MOST_SAMPLES)
        times = left - step * np.arange(CHUNK + 1)
        carried = weights * np.exp(exponents * left)
        used = np.abs(carried) > 1e-3 * level / weights.size
        signal = np.exp(np.outer(times - left, exponents[used])) @ carried[used]
        above = np.flatnonzero(np.abs(signal.real) >= level)
        if above.size:
            return float(times[above[0]])
        left, done = float(times[-1]), done + CHUNK
        if done > MOST_SAMPLES:
            raise NotConverged("the response of the occupation was not resolved")
    return 0.0
