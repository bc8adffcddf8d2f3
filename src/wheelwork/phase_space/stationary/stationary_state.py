"""A stationary distribution with its moments and their estimated errors."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.phase_space.chebyshev import ChebyshevTable
from wheelwork.phase_space.distribution import Distribution, moments
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel
from wheelwork.results import AuditEntry, with_error

MEASURED = ("phonon_number", "g2", "purity")  # moments whose relative errors `rtol` bounds


@dataclass(frozen=True, repr=False, eq=False)
class Stationary(Computed):
    """A stationary distribution with estimated errors.

    rates: table over X of (f, γ, d, local observables), see `PhaseSpaceModel.scaled`.
    moments: see `phase_space.moments`. errors: their estimated absolute errors.
    relative_error: the largest estimated relative error among those that `rtol` bounds.
    distance: estimated ∫|δW| (1 + H/⟨H⟩) dX dP with H = X² + P², the part of δW odd in P squared,
    as it enters entropy and ergotropy. wigner_error: the same with all of δW linear.
    quadrature_error: of `local_means`, relative to the largest local value: due to rates that vary
    faster than W. details: sizes of the mesh that was used. replicas: of a sampled distribution,
    one without each group of trajectories, for the jackknife; widening: factor on errors from them,
    above one where the samples are no fair ones; checks: audit entries of the samples.
    """

    model: PhaseSpaceModel
    distribution: Distribution
    rates: ChebyshevTable
    moments: Mapping[str, float]
    errors: Mapping[str, float]
    relative_error: float
    distance: float
    wigner_error: float
    quadrature_error: float = 0.0
    details: Mapping[str, float] = field(default_factory=dict)
    replicas: tuple[Distribution, ...] = ()
    widening: float = 1.0
    checks: Mapping[str, AuditEntry] = field(default_factory=dict)

    def __repr__(self) -> str:
        shown = (f"{name}={with_error(self.moments[name], self.errors[name])}" for name in MEASURED)
        return f"Stationary({', '.join(shown)}, wigner_error={self.wigner_error:.1e})"

    @cached_property
    def _rates_at_nodes(self) -> FloatArray:
        nodes = self.distribution.nodes
        return self.rates(nodes.X) if nodes.rates is None else nodes.rates

    @property
    def imbalance(self) -> float:
        """⟨mγ p²/m²⟩ over ⟨D⟩/2m, less one: friction takes the power that noise gives."""
        nodes = self.distribution.nodes
        lost = np.sum(nodes.weight * self._rates_at_nodes[1] * nodes.P**2)
        gained = np.sum(nodes.weight * self._rates_at_nodes[2])
        return float(lost / gained - 1.0)

    @cached_property
    def local_means(self) -> Mapping[str, float]:
        """Means of the model's local observables over the distribution."""
        weight = self.distribution.nodes.weight
        values = np.sum(weight * self._rates_at_nodes[3:], axis=(1, 2))
        return dict(zip(self.model.local_observables, map(float, values), strict=True))

    @cached_property
    def local_errors(self) -> Mapping[str, float]:
        """Bounds on the absolute errors of `local_means`."""
        size = np.max(np.abs(self._rates_at_nodes[3:]), axis=(1, 2))
        bounds = size * (self.distance + self.rates.error[3:] + self.quadrature_error)
        return dict(zip(self.model.local_observables, map(float, bounds), strict=True))


def stationary(
    model: PhaseSpaceModel,
    distribution: Distribution,
    rates: ChebyshevTable,
    error: FloatArray,
    details: Mapping[str, float],
    quadrature_error: float = 0.0,
) -> Stationary:
    """Return `distribution` with its moments and their errors.

    error: relative errors of `MEASURED`, then the two distances, see `Stationary`.
    """
    values = moments(distribution)
    distance = float(error[-2])
    spread = values["x_squared"] + values["p_squared"]
    errors = dict.fromkeys(values, distance * spread)
    errors |= {name: float(error[i]) * abs(values[name]) for i, name in enumerate(MEASURED)}
    size = math.sqrt(spread) if spread > 0.0 else math.inf  # W of a partial result may be anything
    errors["x"] = errors["p"] = distance * size
    largest, full = float(np.max(error[:-1])), float(error[-1])
    widths = largest, distance, full, quadrature_error
    return Stationary(model, distribution, rates, values, errors, *widths, details)
