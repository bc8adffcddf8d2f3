"""The ring of a driven oscillator: where W, averaged over angles, is largest."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from wheelwork._checks import FloatArray
from wheelwork.phase_space.distribution import Distribution

ANGLES = 64
RADII = 400
FLAT = 1e-9  # relative rise of W above its value at the centre that is no ring


@dataclass(frozen=True)
class Ring:
    """The crest of W in scaled coordinates, centred at the mean of (X, P).

    radius: √(X² + P²) of the crest from the centre; zero for a state that is largest there.
    curvature: −∂² ln W/∂R² at the crest. contrast: ln of W on the crest over W at the centre.
    """

    radius: float
    curvature: float
    contrast: float


def find_ring(distribution: Distribution) -> Ring:
    """Return the crest of W, averaged over 64 angles."""
    nodes = distribution.nodes
    X = float(np.sum(nodes.weight * nodes.X))
    P = float(np.sum(nodes.weight * nodes.P))
    phi = 2.0 * np.pi * (np.arange(ANGLES) + 0.5) / ANGLES

    def mean(R: FloatArray) -> FloatArray:
        r = R[:, None]
        values = distribution.density(X + r * np.cos(phi), P + r * np.sin(phi))
        return np.asarray(np.mean(values, axis=1))

    step = distribution.extent / RADII
    W = mean(step * np.arange(RADII, dtype=np.float64))
    peak = int(np.argmax(W))
    radius = 0.0
    if peak > 0 and W[peak] > W[0] * (1.0 + FLAT):
        bracket = step * (peak - 1), step * (peak + 1)
        found = minimize_scalar(
            lambda R: -mean(np.array([R]))[0], bounds=bracket, options={"xatol": 1e-8}
        )
        radius = float(found.x)
    width = 2.0 * step
    below, at, above = np.log(mean(np.array([abs(radius - width), radius, radius + width])))
    centre = float(np.log(mean(np.zeros(1))[0]))
    return Ring(radius, float(2.0 * at - below - above) / width**2, float(at) - centre)
