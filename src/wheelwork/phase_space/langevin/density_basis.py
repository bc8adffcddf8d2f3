"""Functions in which ln W is expanded: a spline of r², and polynomials in the plane."""

import math
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray


@dataclass(frozen=True)
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
        """Return the basis with knots at quantiles of the samples: `counts` at the points s.

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
