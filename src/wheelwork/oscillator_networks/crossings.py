"""Crossings of two active elements with the curve of their network: starts for Newton's method.

Along the curve n_1 follows from R_1(n_1)/2 = S_1, then n_2 = n_1 |β_2/β_1|²; steady states are the
zeros of the mismatch R_2(n_2)/2 − S_2, a function of one variable (docs/developers/
two-site-curve.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.oscillator_networks.model import ComplexArray, IntArray, InvertibleGrowth
from wheelwork.oscillator_networks.two_site_curve import TwoSiteCurve
from wheelwork.parameters import ShortRepr

# Halvings of an interval where n_1 is steep: 2^-16 of it is within 2e-5 of the start's rates, while
# an interval is no longer than a few percent of them.
HALVINGS = 16
VAST = 1e100  # quanta, in natural units, that stand for infinitely many
STEEP = 2.0  # ratio of n_1 at neighbouring points beyond which a line does not locate the zero
# A minimum of |mismatch|, against its rise to the neighbours, that may hide two zeros. A parabola
# on equidistant points has at most 1/8 there; the rest is for other shapes and distances.
DIP = 0.5
FLAT = 1e-9  # rise, against the minimum, below which there is only rounding


@dataclass(frozen=True, eq=False, repr=False)
class Crossings(ShortRepr):
    """Positions between neighbouring points of a curve, and the quanta of the first active site.

    after: (B,), number of the point before. share: (B,), of the way to the next one. quanta:
    (B,), n_1 > 0 there.
    """

    after: IntArray
    share: FloatArray
    quanta: FloatArray

    def __len__(self) -> int:
        return int(self.after.size)

    @staticmethod
    def joined(parts: "Sequence[Crossings]") -> "Crossings":
        """All of them, one after the other."""
        return Crossings(
            np.concatenate([each.after for each in parts]),
            np.concatenate([each.share for each in parts]),
            np.concatenate([each.quanta for each in parts]),
        )

    def starts(self, curve: TwoSiteCurve) -> tuple[ComplexArray, FloatArray]:
        """Amplitudes (B, N) and frequencies (B,) at these positions of `curve`: α = X(ω) v."""
        i, share = self.after, self.share
        nearest = np.where(share < 0.5, i, curve.following(i))
        root = np.sqrt(self.quanta)
        driven = np.empty((i.size, 2), dtype=np.complex128)
        driven[:, 0] = curve.between(curve.first, i, share) * root
        size = root * np.exp(0.5 * curve.between(curve.log_ratio, i, share))
        driven[:, 1] = curve.between(curve.second, i, share) * size * curve.turn[nearest]
        omega = curve.between(curve.omega, i, share)
        alpha = np.einsum("mnk,mk->mn", curve.network.response(omega), driven)
        return alpha, omega


def find_crossings(curve: TwoSiteCurve, growth: InvertibleGrowth) -> Crossings:
    """Return positions of `curve` near every steady state with the elements `growth`.

    There may be several near one state, and some near none.
    """
    mismatch, n = _mismatch(curve, growth)
    inside = (n > 0.0) & (n < VAST)
    i = np.flatnonzero(curve.linked & inside[:-1] & inside[1:])
    i = i[_changes_sign(mismatch[i], mismatch[i + 1], growth)]
    ends = np.flatnonzero(curve.linked & (inside[:-1] != inside[1:]))
    where = np.concatenate(
        [
            _zeros(curve, growth, i, mismatch, n),
            _zeros_at_limits(curve, growth, ends, n),
            _double_zeros(curve, mismatch, inside),
        ]
    )
    i = np.minimum(np.floor(where).astype(np.intp), max(curve.omega.size - 2, 0))
    quanta = growth.occupation(0, 2.0 * curve.between(curve.first, i, where - i))
    kept = (quanta > 0.0) & (quanta < VAST)
    return Crossings(i[kept], (where - i)[kept], quanta[kept])


def _mismatch(curve: TwoSiteCurve, growth: InvertibleGrowth) -> tuple[FloatArray, FloatArray]:
    """The mismatch at each point of the curve, and n_1 there, (M,)."""
    first = np.minimum(growth.occupation(0, 2.0 * curve.first), VAST)
    second = np.minimum(first * curve.ratio, VAST)
    return 0.5 * growth.rate(1, second) - curve.second, first


def _mismatch_between(
    curve: TwoSiteCurve, growth: InvertibleGrowth, i: IntArray, share: FloatArray
) -> FloatArray:
    """The mismatch at `share` of the way from points i to the next ones."""
    quanta = growth.occupation(0, 2.0 * curve.between(curve.first, i, share))
    ratio = np.exp(curve.between(curve.log_ratio, i, share))
    second = np.minimum(np.minimum(quanta, VAST) * ratio, VAST)
    return 0.5 * growth.rate(1, second) - curve.between(curve.second, i, share)


def _changes_sign(before: FloatArray, after: FloatArray, growth: InvertibleGrowth) -> np.ndarray:
    """Whether a mismatch changes its sign, other than at a pole of S_2."""
    largest = np.max(np.abs(growth.rates(np.zeros(2))))
    finite = np.fmax(np.abs(before), np.abs(after)) < largest
    changes: np.ndarray = finite & (before * after <= 0.0)
    return changes


def _zeros(
    curve: TwoSiteCurve,
    growth: InvertibleGrowth,
    i: IntArray,
    mismatch: FloatArray,
    n: FloatArray,
) -> FloatArray:
    """Zeros of the mismatch after points i: by linear interpolation, or halving where n_1 is steep.

    n_1 is steep near zero, where α = 0 would attract starts with too few quanta.
    """
    fewer, more = np.minimum(n[i], n[i + 1]), np.maximum(n[i], n[i + 1])
    steep = more > STEEP * fewer
    j = i[~steep]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nan_to_num(mismatch[j] / (mismatch[j] - mismatch[j + 1]))
    k = i[steep]
    return np.concatenate([j + share, _halved(curve, growth, k, np.zeros(k.size), np.ones(k.size))])


def _zeros_at_limits(
    curve: TwoSiteCurve, growth: InvertibleGrowth, i: IntArray, n: FloatArray
) -> FloatArray:
    """Zeros in intervals of which one end is beyond the range of element 1, R_1(0) or zero.

    The part within the range is searched for a change of sign. Where the mismatch nearly vanishes
    at the limit, the end within the range is a start as well: from more quanta Newton's method
    converges to a state of few, but not from fewer.
    """
    begins_inside = (n[i] > 0.0) & (n[i] < VAST)
    outside = np.where(begins_inside, n[i + 1], n[i])
    limit = np.where(outside > 0.0, 0.0, 0.5 * growth.rates(np.zeros(2))[0])
    cut = (limit - curve.first[i]) / (curve.first[i + 1] - curve.first[i])
    cut, end = np.clip(cut, 0.0, 1.0), np.where(begins_inside, 0.0, 1.0)
    at_cut = _mismatch_between(curve, growth, i, cut)
    at_end = _mismatch_between(curve, growth, i, end)
    inner = _changes_sign(at_cut, at_end, growth)
    near = np.abs(at_cut) <= DIP * np.abs(at_end - at_cut)
    return np.concatenate(
        [_halved(curve, growth, i[inner], cut[inner], end[inner]), (i + end)[near]]
    )


def _halved(
    curve: TwoSiteCurve, growth: InvertibleGrowth, i: IntArray, low: FloatArray, high: FloatArray
) -> FloatArray:
    """Zeros of the mismatch after points i, by halving between the shares `low` and `high`."""
    if i.size == 0:
        return np.empty(0)
    below = _mismatch_between(curve, growth, i, low) < 0.0
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        same = (_mismatch_between(curve, growth, i, middle) < 0.0) == below
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return np.asarray(i + 0.5 * (low + high))


def _double_zeros(curve: TwoSiteCurve, mismatch: FloatArray, inside: np.ndarray) -> FloatArray:
    """Points about a minimum of |mismatch| that may hide two zeros between neighbouring points.

    From either side Newton's method converges to one of two zeros that are about to merge. Of
    points that nearly coincide both may lie on one side, so that the next but one are starts too.
    """
    size = np.abs(mismatch)
    alike = curve.linked & (mismatch[1:] * mismatch[:-1] > 0.0) & inside[1:] & inside[:-1]
    lowest = (size[1:-1] <= size[:-2]) & (size[1:-1] <= size[2:])
    i = 1 + np.flatnonzero(alike[:-1] & alike[1:] & lowest)
    linked = np.concatenate([[False], curve.linked, [False]])  # of a point with the one before
    left, right = i - 1 - linked[i - 1], i + 1 + linked[i + 2]
    rise = np.fmax(np.fmax(size[left], size[right]), np.fmax(size[i - 1], size[i + 1])) - size[i]
    near = (rise > FLAT * size[i]) & (size[i] < DIP * rise)
    points = np.concatenate([each[near] for each in (left, i - 1, i + 1, right)])
    return np.unique(points).astype(np.float64)
