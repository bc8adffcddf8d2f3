"""Closed results of Huber and Rabl, Appendices B to D, with where they hold.

Of a chain with generator at the first and engine at the last site, f(n) = 1/(1 + n/n0), detuning 0.
Arguments: injection Γ_i, extraction Γ_e, damping γ, coupling g, saturation n0, sites N. Currents
are in quanta per time. Each function raises InvalidArgument where its formula has no meaning.
"""

import math
from typing import NamedTuple

from wheelwork import _checks
from wheelwork.errors import InvalidArgument


class ChainAmplitudes(NamedTuple):
    """|α_1|², |α_N|² and the current of a chain."""

    first: float
    last: float
    current: float


def stalled_range(injection: float, coupling: float = 1.0) -> tuple[float, float] | None:
    """Return the extraction rates between which nothing flows, Γ_i ≤ Γ_e < g²/Γ_i, or None.

    (Appendix B.) There α = 0 is stable. Exact as γ → 0, N even; with damping the range is wider.
    """
    rate = _checks.positive("injection", injection)
    g = _checks.positive("coupling", coupling)
    return (rate, g * g / rate) if rate < g else None


def broken_phase(
    injection: float, extraction: float, coupling: float = 1.0, saturation: float = 1.0
) -> ChainAmplitudes:
    """Return the state with broken symmetry deep in its phase, Γ_e ≫ Γ_i (Eqs. (C7), (C8)).

    |α_1|² = n0(√(Γ_iΓ_e)/g − 1), |α_N|² = (g/Γ_e)²|α_1|². Asymptotic: it leaves out γ and the
    saturation of the engine, |α_N|² ≪ n0. Needs Γ_iΓ_e > g².
    """
    gain, loss, g, n0 = _rates(injection, extraction, coupling, saturation)
    if gain * loss <= g * g:
        raise InvalidArgument(
            f"`extraction` must exceed g²/Γ_i = {g * g / gain!r} for a state with amplitudes, "
            f"but is {loss!r}"
        )
    first = n0 * (math.sqrt(gain * loss) / g - 1.0)
    return ChainAmplitudes(first, (g / loss) ** 2 * first, g * g / loss * first)


def symmetric_phase_ends(
    injection: float,
    extraction: float,
    damping: float,
    coupling: float = 1.0,
    saturation: float = 1.0,
) -> ChainAmplitudes:
    """Return the symmetric state where only both ends are damped (Eqs. (C11), (C12)).

    Exact for N = 2 up to terms of order (γ/g)²; else for γ ≪ g and damping at the ends alone.
    Needs Γ_i − Γ_e > 2γ.
    """
    gain, loss, _, n0 = _rates(injection, extraction, coupling, saturation)
    damping = _checks.positive("damping", damping)
    end = _symmetric_end(gain, loss, n0, 2.0 * damping, "2γ")
    return ChainAmplitudes(end, end, end * damping * (gain + loss) / (gain - loss))


def symmetric_phase(
    sites: int,
    injection: float,
    extraction: float,
    damping: float,
    coupling: float = 1.0,
    saturation: float = 1.0,
) -> ChainAmplitudes:
    """Return the symmetric state of a chain of which every site is damped (Eqs. (C17), (C18)).

    `current` is that of the last edge: it falls along the chain, as every site leaks. Derived for
    odd N, good for even N > 2; to first order in γN/g, which must be small. Needs
    Γ_i − Γ_e > γ(N + 1)/2.
    """
    N = _checks.integer("sites", sites, 3)
    gain, loss, _, n0 = _rates(injection, extraction, coupling, saturation)
    damping = _checks.positive("damping", damping)
    end = _symmetric_end(gain, loss, n0, 0.5 * damping * (N + 1), "γ(N + 1)/2")
    current = 0.5 * damping * (loss * (N - 1) + 2.0 * gain) / (gain - loss) * end
    return ChainAmplitudes(end, end, current)


def _symmetric_end(gain: float, loss: float, n0: float, least: float, least_in_words: str) -> float:
    if gain - loss <= least:
        raise InvalidArgument(
            f"`extraction` must be below Γ_i − {least_in_words} = {gain - least!r} for a symmetric "
            f"state, but is {loss!r}"
        )
    return n0 * (math.sqrt((gain - loss) / least) - 1.0)


def transition(sites: int, injection: float, damping: float, coupling: float = 1.0) -> float:
    """Return Γ_e* at which the symmetric state becomes a travelling wave, |A| = |B|.

    Eq. (C13) for two sites, (D3) for more; for γN ≪ g, equal saturation at both ends. For Γ_i > g
    symmetry breaks close to it; the precise points come from `PowerGrid.follow`.
    """
    N = _checks.integer("sites", sites, 2)
    rate, g = _checks.positive("injection", injection), _checks.positive("coupling", coupling)
    damping = _checks.non_negative("damping", damping)
    if N == 2:
        return rate * (g - damping) / (g + damping)
    return 2.0 * rate * (g - damping) / (2.0 * g + damping * (N - 1))


def current_bound(injection: float, extraction: float, saturation: float = 1.0) -> float:
    """Return n0 min(Γ_i, Γ_e)/4, more than which no engine extracts: the most of Γn/(1 + n/n0)².

    Rigorous, for any network between one generator and one engine with exponent 2. The current of
    an edge may exceed it by what the nodes behind the edge lose to damping, but not n0 Γ_i/4.
    """
    gain = _checks.non_negative("injection", injection)
    loss = _checks.non_negative("extraction", extraction)
    return 0.25 * _checks.positive("saturation", saturation) * min(gain, loss)


def _rates(*rates: float) -> tuple[float, ...]:
    names = ("injection", "extraction", "coupling", "saturation")
    return tuple(map(_checks.positive, names, rates))
