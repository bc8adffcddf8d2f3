"""The stationary state from samples: a smooth density fitted to them, and its errors."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import NotConverged
from wheelwork.methods.sampling_method import SamplingMethod
from wheelwork.numerics.statistics import Estimate, jackknife_error, standard_error
from wheelwork.phase_space.distribution import Distribution, Nodes, moments
from wheelwork.phase_space.domain import find_domain
from wheelwork.phase_space.langevin.density_fit import DensityBasis, best_fit
from wheelwork.phase_space.langevin.histograms import RINGS, SECTORS, PolarCounts, cell_centres
from wheelwork.phase_space.langevin.samples import Samples, accepted
from wheelwork.phase_space.langevin.simulation import Simulation, watch
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel
from wheelwork.phase_space.stationary.stationary_state import Stationary

MARGIN = 1.2  # of the duration proposed: its error of the mean is itself sampled


@dataclass(frozen=True, eq=False)
class FittedDensity(Computed):
    """W = e^{ln W} with ln W in a `DensityBasis` about a centre (X, P), normalised.

    square: largest r² of the rings. replicas: the same with each group of trajectories left out
    (one Newton step from the whole), for `jackknife`; without replicas of their own.
    Holds what the samples show: structure finer than the knots or of higher degree than the
    basis is smoothed away, and the replicas do not know of it.
    """

    basis: DensityBasis
    coefficients: FloatArray
    centre: tuple[float, float]
    square: float
    replicas: tuple["FittedDensity", ...] = ()

    def __repr__(self) -> str:
        knots, degree = self.basis.knots.size, self.basis.degree
        return f"FittedDensity({knots} knots, degree {degree}, {len(self.replicas)} replicas)"

    @classmethod
    def of(
        cls, counts: PolarCounts, effective_samples: float, search: bool = True
    ) -> "FittedDensity":
        """Fit the counts. Raises NotConverged as `best_fit`."""
        fit = best_fit(counts, effective_samples, search)

        def density(b: FloatArray, replicas: tuple["FittedDensity", ...] = ()) -> "FittedDensity":
            return cls(fit.basis, b, counts.centre, counts.square, replicas)

        return density(fit.coefficients, tuple(density(b) for b in fit.replicas))

    @property
    def extent(self) -> float:
        return math.sqrt(self.square) + math.hypot(*self.centre)

    @property
    def edge_probability(self) -> float:
        inner, last = self._share[-2:]
        # Beyond the last ring ln W falls linearly in r², ever faster where slopes differ.
        return float(np.sum(last / np.maximum(np.log(inner / last), 1e-12)))

    @cached_property
    def nodes(self) -> Nodes:
        s, theta = cell_centres(self.square)
        r = np.sqrt(s)[:, None]
        X, P = self.centre[0] + r * np.cos(theta), self.centre[1] + r * np.sin(theta)
        return Nodes(X, P, self._share, self._share / self._area)

    def density(self, X: FloatArray, P: FloatArray) -> FloatArray:
        x, p = np.broadcast_arrays(np.asarray(X) - self.centre[0], np.asarray(P) - self.centre[1])
        log = self.basis.values(x**2 + p**2, np.arctan2(p, x), self.coefficients)
        return np.asarray(np.exp(log - self._log_norm) / self._area)

    @property
    def _area(self) -> float:
        """dX dP of a cell."""
        return math.pi * self.square / (RINGS * SECTORS)

    @cached_property
    def _log(self) -> FloatArray:
        s, theta = cell_centres(self.square)
        return self.basis.values(s[:, None], theta, self.coefficients)

    @cached_property
    def _log_norm(self) -> float:
        top = float(np.max(self._log))
        return top + math.log(float(np.sum(np.exp(self._log - top))))

    @cached_property
    def _share(self) -> FloatArray:
        """Probability of each cell, (rings, sectors)."""
        return np.asarray(np.exp(np.maximum(self._log - self._log_norm, -700.0)))


def jackknife(density: FittedDensity, function: Callable[[Distribution], float]) -> Estimate:
    """Return function(density) with its standard error over groups of trajectories."""
    values = [function(replica) for replica in density.replicas]
    return Estimate(function(density), jackknife_error(values))


def solve(method: SamplingMethod, model: PhaseSpaceModel, rtol: float) -> Stationary:
    """See `Langevin.solve`."""
    domain = find_domain(model)

    def prepare(begun: Simulation, samples: int) -> PolarCounts:
        means = begun.progress.fine.late_means()
        X, P = float(means[0]), float(means[1])
        # The largest distance from the centre of the orbits that hold the state.
        radius = max(domain.high - X, X - domain.low, math.sqrt(domain.energy) + abs(P), 1.0)
        return PolarCounts((X, P), radius**2, samples, method.trajectories)

    done, samples, counts = watch(method, model, prepare)
    relative, shortfall = _relative_error(samples, rtol)
    samples = replace(samples, shortfall=samples.shortfall or shortfall)
    try:
        fair = samples.error_of is standard_error  # else a finer fit is not worth its seconds
        density = FittedDensity.of(counts, samples.effective_samples, search=fair)
    except NotConverged as reason:
        raise NotConverged(samples.shortfall or str(reason)) from None
    return accepted(samples, _stationary(done, samples, density, counts, relative))


def _relative_error(samples: Samples, rtol: float) -> tuple[float, str]:
    """Relative error of the phonon number, statistical and due to the step; why it is too large."""
    mean, error = samples.moments["phonon_number"]
    relative = error / abs(mean) if mean else math.inf
    by_step = _step_errors(samples)["phonon_number"] / abs(mean) if mean else math.inf
    shortfall = ""
    if not relative <= rtol:
        needed = MARGIN * samples.duration * (relative / rtol) ** 2
        shortfall = (
            f"the phonon number, {mean:.6g} ± {error:.2g}, has a relative standard error of "
            f"{relative:.2g}, more than rtol = {rtol:g}; `duration` = {needed:.2g} would do"
        )
    elif not by_step <= rtol:
        shortfall = (
            f"the phonon number, {mean:.6g}, has a relative error of {by_step:.2g} from the "
            f"step {samples.setup.step:g}, more than rtol = {rtol:g}; "
            f"`step` = {0.5 * samples.setup.step:g} is better"
        )
    return max(relative, by_step), shortfall


def _step_errors(samples: Samples) -> dict[str, float]:
    """Errors of the moments due to the step: the change from Δt to 2Δt over 2^order − 1.

    Infinite where 2Δt was unstable, zero where the method asks for no check.
    """
    share = 1.0 / (2.0**samples.setup.order - 1.0)
    errors = dict.fromkeys(samples.moments, 0.0)
    for name, change in samples.step_change.items():
        errors[name] = share * abs(change.mean) if math.isfinite(change.mean) else math.inf
    return errors


def _stationary(
    done: Simulation, samples: Samples, density: FittedDensity, counts: PolarCounts, relative: float
) -> Stationary:
    widening = samples.details["widening"]
    purity = jackknife(density, lambda d: moments(d)["purity"])
    purity = purity._replace(standard_error=widening * purity.standard_error)
    estimates = dict(samples.moments) | {"purity": purity}
    even, odd = (widening * part for part in _distances(density))
    shift, spread = _step_moves(samples)
    # Relative variance that sectors of finite width add where W is narrow: ⟨(δθ ∂_θ ln W)²⟩/12.
    log = np.log(density.nodes.density)
    rise = 0.5 * (np.roll(log, -1, axis=1) - np.roll(log, 1, axis=1))
    blur = float(np.sum(density.nodes.weight * rise**2)) / 12.0
    misfit = _misfit(density, counts, purity.mean) + (0.5 * spread + blur) * purity.mean
    systematic = _step_errors(samples) | {"purity": misfit}
    moved = 2.0 * (shift + spread + blur)  # of a Gaussian, in the measure of `_distances`
    total = float(np.sum(counts.counts)) + counts.outside
    details = dict(samples.details) | {
        "knots": float(density.basis.knots.size),
        "degree": float(density.basis.degree),
        "outside": counts.outside / total,
        "effective_samples": samples.effective_samples,
        "burn_in": samples.burn_in,
    }
    return Stationary(
        model=done.stepping.model,
        distribution=density,
        rates=done.stepping.rates,
        moments={name: estimate.mean for name, estimate in estimates.items()},
        errors={
            name: math.hypot(estimate.standard_error, systematic[name])
            for name, estimate in estimates.items()
        },
        relative_error=relative,
        distance=even + odd**2 + moved,
        wigner_error=even + odd + moved,
        details=details,
        replicas=density.replicas,
        widening=widening,
        checks=samples.audit,
    )


def _misfit(density: FittedDensity, counts: PolarCounts, purity: float) -> float:
    """Error of the purity π∫W² of a fit V that cannot follow W: |2π∫(W − V)V| to first order."""
    totals = counts.counts.sum(axis=(0, 1))
    overlap = math.pi * float(np.sum(totals * density.nodes.density) / np.sum(totals))
    return 2.0 * abs(overlap - purity)


def _step_moves(samples: Samples) -> tuple[float, float]:
    """Effect of the step on X and P: shifts in standard deviations, relative changes of variance.

    Summed over both; zero if the method requests no check.
    """
    shifts, spreads = 0.0, 0.0
    share = 1.0 / (2.0**samples.setup.order - 1.0)
    for axis in ("x", "p") if samples.step_change else ():
        mean = samples.moments[axis].mean
        variance = samples.moments[f"{axis}_squared"].mean - mean**2
        shift = share * samples.step_change[axis].mean
        spread = share * samples.step_change[f"{axis}_squared"].mean - 2.0 * mean * shift
        shifts += abs(shift) / math.sqrt(variance)
        spreads += abs(spread) / variance
    return shifts, spreads


def _distances(density: FittedDensity) -> tuple[float, float]:
    """∫|δW| (1 + H/⟨H⟩) dX dP of the standard error of W: its parts even and odd in P."""
    nodes, groups = density.nodes, len(density.replicas)
    energy = nodes.X**2 + nodes.P**2
    measure = 1.0 + energy / float(np.sum(nodes.weight * energy))
    even, odd = np.zeros_like(nodes.weight), np.zeros_like(nodes.weight)
    for replica in density.replicas:
        change = replica.nodes.weight - nodes.weight
        mirrored = change[:, ::-1]
        even += 0.25 * (change + mirrored) ** 2
        odd += 0.25 * (change - mirrored) ** 2
    scale = math.sqrt((groups - 1) / groups)
    first, second = (scale * float(np.sum(np.sqrt(part) * measure)) for part in (even, odd))
    return first, second
