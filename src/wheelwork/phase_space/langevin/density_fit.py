"""ln W as a spline of r² and polynomials of the plane, fitted to counts in rings and sectors.

Maximum likelihood; the number of functions is chosen by the data.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.numerics.work import tick
from wheelwork.phase_space.langevin.histograms import RINGS, SECTORS, PolarCounts, cell_centres

# Numbers of knots and degrees that are tried; more are told apart only by 1e7 independent samples.
KNOTS = (0, 1, 2, 3, 4, 6, 8, 12)
DEGREES = (0, 1, 2, 3, 4, 6, 8)
FIRST_CHOICE = (2, 2)  # holds every Gaussian and its first corrections
ROUNDS = 3  # of the search in turn over degrees and knots; the second mostly changes nothing
RIDGE = 1e-3  # pseudo-samples that hold back terms which no sample sees
MOST_STEPS = 60  # of Newton's method, which takes some ten
SMALLEST_GAIN = 1e-7  # of ln likelihood, far below the one that statistics can see
SHORTEST_STEP = 1e-6  # of Newton's: a shorter one moves nothing but rounding
ENOUGH = 0.1  # of the gain that the slope predicts: less, and a step is halved
LARGEST_LOG = 500.0  # of the mean count of a cell, against overflow in the first steps
BEYOND = 30.0  # effective samples beyond the last knot: they tell the slope there to a fifth
FEWEST_EFFECTIVE = 300.0  # so that at most a tenth of the samples is beyond
ROOM = 1.2  # rings that enter the fit, against the farthest sample
FEWEST_RINGS = 8  # that hold the middle half of the samples


@dataclass(frozen=True, eq=False)
class DensityBasis:
    """ln W = c0 + c1 s + Σ_j c_j (t_j − s)₊³ + Σ_k s^{k/2} q_k(s) (a cos kθ + b sin kθ), s = r².

    The spline is cubic between its knots t_j and linear beyond the last (a log-spline density,
    C. Kooperberg and C. J. Stone, Comput. Stat. Data Anal. 12, 327 (1991)); the rest is
    the general polynomial of X and P up to `degree` without what depends on r alone, kept
    constant along rays beyond the last knot. All functions are smooth at the centre.

    knots: t_j, rising. far: the s of the last knot. transforms: by order k = 0 … degree, matrices
    that make the radial functions orthonormal over the samples' r².
    """

    knots: FloatArray
    far: float
    degree: int
    transforms: tuple[FloatArray, ...]

    @classmethod
    def of(
        cls, s: FloatArray, counts: FloatArray, knots: int, degree: int, last: float
    ) -> "DensityBasis":
        """The basis with knots at quantiles of the samples: `counts` at the points s.

        last: quantile of the last knot. Knots that the points do not tell apart count once.
        """
        cumulated = np.cumsum(counts) / np.sum(counts)
        far = float(np.interp(last, cumulated, s))
        levels = np.arange(1, knots) / max(knots, 1)
        chosen = _apart(np.append(np.interp(levels, cumulated, s), far)[:knots], s)
        weight = np.sqrt(counts / np.sum(counts))[:, None]
        transforms = [
            np.linalg.inv(np.linalg.qr(weight * _radial(s, chosen, far, degree, order), "r"))
            for order in range(degree + 1)
        ]
        return cls(chosen, far, degree, tuple(transforms))

    @property
    def radial_terms(self) -> int:
        """Number of functions of r alone, which come first."""
        return 2 + self.knots.size

    @property
    def terms(self) -> int:
        return self.radial_terms + 2 * sum(len(t) for t in self.transforms[1:])

    def columns(self, s: FloatArray, theta: FloatArray, width: float = 0.0) -> FloatArray:
        """Return all functions at s (n,) and theta (m,): (terms, n, m).

        width: of sectors about the angles, over which they are averaged.
        """
        blocks = []
        for order, transform in enumerate(self.transforms):
            radial = (_radial(s, self.knots, self.far, self.degree, order) @ transform).T
            # np.sinc(t) = sin(πt)/(πt): the mean of cos kθ over a sector.
            mean = np.sinc(order * width / (2.0 * math.pi))
            angular = [np.cos(order * theta), np.sin(order * theta)][: 1 + (order > 0)]
            blocks += [radial[:, :, None] * (mean * values) for values in angular]
        return np.concatenate(blocks)

    def values(self, s: FloatArray, theta: FloatArray, coefficients: FloatArray) -> FloatArray:
        """Return ln W at s and theta, which are broadcast against each other."""
        result, first = np.zeros(np.broadcast_shapes(s.shape, theta.shape)), 0
        for order, transform in enumerate(self.transforms):
            radial = _radial(s.ravel(), self.knots, self.far, self.degree, order) @ transform
            for values in (np.cos(order * theta), np.sin(order * theta))[: 1 + (order > 0)]:
                last = first + len(transform)
                result += (radial @ coefficients[first:last]).reshape(s.shape) * values
                first = last
        return result


def _apart(knots: FloatArray, s: FloatArray) -> FloatArray:
    """Knots with two of the equidistant points s below the first and between any two."""
    chosen, least = [], s[0] + 2.0 * (s[1] - s[0])
    for knot in knots:
        if knot >= least:
            chosen.append(knot)
            least = knot + 2.0 * (s[1] - s[0])
    return np.array(chosen)


def _radial(s: FloatArray, knots: FloatArray, far: float, degree: int, order: int) -> FloatArray:
    """The radial functions of one angular order before the transform, (n, functions)."""
    if order == 0:
        spline = np.maximum(1.0 - s[:, None] / knots, 0.0) ** 3
        return np.column_stack([np.ones_like(s), s / far, spline])
    powers = np.arange(order, degree + 1, 2)
    return np.asarray(np.sqrt(np.minimum(s / far, 1.0))[:, None] ** powers)


@dataclass(frozen=True, eq=False)
class Fit:
    """Coefficients in a basis, those with each group of trajectories left out, and their score.

    coefficients: (terms,). replicas: (groups, terms). score: Takeuchi's criterion.
    """

    basis: DensityBasis
    coefficients: FloatArray
    replicas: FloatArray
    score: float


def best_fit(counts: PolarCounts, effective_samples: float, search: bool = True) -> Fit:
    """Return the fit with the largest score among numbers of knots and degrees.

    Takeuchi's criterion (as Akaike's, for samples that are not independent): the log likelihood
    less tr(J⁻¹ I), J the curvature of the likelihood and I the covariance of its slope as
    seen between groups of trajectories. The last knot leaves 30 of the effective samples
    beyond it. Without `search` a Gaussian with its first corrections. Raises NotConverged when no
    fit converges.
    """
    data = _data(counts)
    last = 1.0 - BEYOND / max(effective_samples, FEWEST_EFFECTIVE)

    @cache
    def fit(knots: int, degree: int) -> Fit:
        return _fit(data, knots, degree, last)

    knots, degree = FIRST_CHOICE
    for _ in range(ROUNDS if search else 0):
        before = knots, degree
        degree = max(DEGREES, key=lambda each: fit(knots, each).score)
        knots = max(KNOTS, key=lambda each: fit(each, degree).score)
        if (knots, degree) == before:
            break
    return fit(knots, degree)


_Data = tuple[FloatArray, FloatArray, FloatArray]  # s (n,), theta (m,), counts (groups, n, m)


def _data(counts: PolarCounts) -> _Data:
    """Counts up to a little beyond the farthest sample."""
    total = counts.by_group.sum(axis=(0, 2))
    if not np.any(total):
        raise NotConverged("no sample lies in the region that should hold the state")
    last = min(math.ceil(ROOM * (np.flatnonzero(total)[-1] + 1)), RINGS)
    middle = np.searchsorted(np.cumsum(total) / np.sum(total), [0.25, 0.75])
    if middle[1] - middle[0] < FEWEST_RINGS:
        raise NotConverged(
            f"half of the samples lie in {middle[1] - middle[0] + 1} of {RINGS} rings about "
            "their mean: the state is too thin a part of the region that may hold it for a "
            "fitted density; its moments can be sampled (`sample`)"
        )
    s, theta = cell_centres(counts.square)
    return s[:last], theta, counts.by_group[:, :last].astype(float)


def _fit(data: _Data, knots: int, degree: int, last: float) -> Fit:
    s, theta, counts = data
    groups, total = len(counts), counts.sum(axis=0)
    by_ring, size = total.sum(axis=1), np.sum(total)
    basis = DensityBasis.of(s, by_ring, knots, degree, last)
    columns = basis.columns(s, theta, 2.0 * math.pi / SECTORS)
    B = columns.reshape(basis.terms, -1)
    mean_square = by_ring @ s / size
    start = np.log(size / (theta.size * np.sum(np.exp(-s / mean_square))))
    radial = columns[: basis.radial_terms, :, 0]
    b = np.zeros(basis.terms)
    b[: basis.radial_terms] = radial * (by_ring / size) @ (start - s / mean_square)
    b, expected = _most_likely(B, total.ravel(), b)
    J = (B * expected) @ B.T + RIDGE * np.eye(basis.terms)
    share = expected / np.sum(expected)
    flat = counts.reshape(groups, -1)
    slopes = (flat - np.sum(flat, axis=1, keepdims=True) * share) @ B.T
    steps = np.linalg.solve(J, slopes.T).T
    penalty = groups / (groups - 1) * float(np.sum(slopes * steps))
    likelihood = float(total.ravel() @ np.log(np.maximum(share, 1e-300)))
    replicas = b - groups / (groups - 1) * steps
    return Fit(basis, b, replicas, likelihood - penalty)


def _most_likely(B: FloatArray, counts: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Newton's method for Poisson counts with mean e^{bB}; return b and the means."""

    def likelihood(b: FloatArray) -> tuple[float, FloatArray]:
        eta = np.minimum(b @ B, LARGEST_LOG)
        means = np.exp(eta)
        return float(counts @ eta - np.sum(means)) - 0.5 * RIDGE * float(b @ b), means

    value, means = likelihood(b)
    for done in range(MOST_STEPS):
        tick("the fit of a density", done, MOST_STEPS)
        slope = B @ (counts - means) - RIDGE * b
        step = np.linalg.solve((B * means) @ B.T + RIDGE * np.eye(len(b)), slope)
        gain = float(slope @ step)
        if gain < SMALLEST_GAIN:
            return b, means
        length, after = 1.0, (-math.inf, means)
        while after[0] < value + ENOUGH * length * gain and length > SHORTEST_STEP:
            after = likelihood(b + length * step)
            length *= 0.5
        b = b + 2.0 * length * step
        if after[0] <= value:
            return b, after[1]
        value, means = after
    raise NotConverged(
        f"the fit of the density took more than {MOST_STEPS} steps of Newton's method"
    )
