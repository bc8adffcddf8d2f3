"""Stationary phase-space distributions, and the numbers read off them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from wheelwork._checks import FloatArray


@dataclass(frozen=True)
class Nodes:
    """Quadrature of the distribution: any mean is Σ weight f(X, P); the weights sum to one.

    X, P: scaled coordinates, any shape. weight: of the same shape. density: W(X, P) there.
    """

    X: FloatArray
    P: FloatArray
    weight: FloatArray
    density: FloatArray


class Distribution(Protocol):
    """A normalised W in scaled coordinates: ∫ W dX dP = 1 with X = x/x0, P = p/p0."""

    @property
    def nodes(self) -> Nodes:
        """Quadrature nodes fine enough for the distribution itself and smooth functions."""
        ...

    @property
    def extent(self) -> float:
        """Radius √(X² + P²) beyond which W is negligible."""
        ...

    @property
    def edge_probability(self) -> float:
        """Bound on the probability outside the domain."""
        ...

    def density(self, X: FloatArray, P: FloatArray) -> FloatArray:
        """Return W(X, P)."""
        ...


def moments(distribution: Distribution) -> dict[str, float]:
    """Moments of the symmetrised quadratures, and what follows from them.

    phonon_number = ⟨X² + P²⟩ − ½; g2 = ⟨a†a†aa⟩/⟨a†a⟩² with
    ⟨a†a†aa⟩ = ⟨(X² + P²)²⟩ − 2⟨X² + P²⟩ + ½; purity = π ∫ W² dX dP.
    """
    nodes = distribution.nodes

    def mean(values: FloatArray) -> float:
        return float(np.sum(nodes.weight * values))

    square = nodes.X**2 + nodes.P**2
    number = mean(square) - 0.5
    return {
        "x": mean(nodes.X),
        "p": mean(nodes.P),
        "x_squared": mean(nodes.X**2),
        "p_squared": mean(nodes.P**2),
        "x_p": mean(nodes.X * nodes.P),
        "phonon_number": number,
        "g2": (mean(square**2) - 2.0 * number - 0.5) / number**2,
        "purity": np.pi * mean(nodes.density),
    }
