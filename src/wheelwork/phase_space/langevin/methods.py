"""Methods that sample trajectories of the Langevin equation."""

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import numpy.typing as npt

from wheelwork import _checks
from wheelwork.methods.sampling_method import SamplingMethod
from wheelwork.parameters import parameter
from wheelwork.phase_space.distribution import Weight
from wheelwork.phase_space.langevin.correlations import (
    SampledCorrelations,
    SampledSpectrum,
    sampled_correlations,
    sampled_spectrum,
)
from wheelwork.phase_space.langevin.fitted_density import solve
from wheelwork.phase_space.langevin.histograms import Histogram, sampled_histogram
from wheelwork.phase_space.langevin.run import as_path
from wheelwork.phase_space.langevin.samples import Samples, accepted
from wheelwork.phase_space.langevin.simulation import Simulation
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel
from wheelwork.phase_space.stationary.stationary_state import Stationary


class TrajectoryMethod(SamplingMethod):
    """Base of both methods."""

    def sample(
        self,
        model: PhaseSpaceModel,
        *,
        after: Samples | None = None,
        checkpoint: str | Path | None = None,
    ) -> Samples:
        """Return stationary means of `model` with standard errors.

        after: the beginning of the same run, with a shorter duration; the result has the bits of
        one uninterrupted run. checkpoint: a file that holds the run; it is continued from there
        if it exists, and written every 30 s, on Ctrl-C and at the end. Without one, Ctrl-C leaves
        the run in a temporary file, whose name is a note of the KeyboardInterrupt.

        Raises InvalidArgument when `step` is too large or `after` is of another run,
        NotConverged when the run is too short for error estimates, is not stationary or not
        confined, or when its trajectories do not mix (each stays in its own well); with `start`
        None also as `find_domain`. Its `partial` are the samples so far, with errors that allow for
        what is amiss and an audit that fails; with a longer `duration` they can be continued.
        """
        path = None if checkpoint is None else as_path("checkpoint", checkpoint)
        with self.guard():
            simulation = Simulation.begin(self, model, after, path)
            samples = simulation.advanced(simulation.chunks, path).samples(self.burn_in)
        return accepted(samples, samples)

    def histogram(self, model: PhaseSpaceModel, bins: int = 200) -> Histogram:
        """Return counts on bins² equal cells of a square that holds all samples' orbits."""
        with self.guard():
            return sampled_histogram(self, model, bins)


@dataclass(frozen=True, kw_only=True, repr=False)
class Langevin(TrajectoryMethod):
    """Sampled trajectories of dx = p/m dt, dp = (−m ω0² x + force − friction p/m) dt + √D dW.

    (Culhane et al., Eq. (6); coefficients of `PhaseSpaceModel`.) Each step is half a rotation, an
    exact Ornstein–Uhlenbeck kick at fixed x, half a rotation: weak order two in Δt, and for
    constant friction and noise without a force the exact stationary state at any Δt.

    duration: time covered by each trajectory, rounded up to whole chunks of 256 steps.
    trajectories: independent ones. Multiples of 64 per thread run at full speed. With 16 or more
    standard errors follow from their means (Student's t); with fewer, those of ⟨p⟩ and ⟨xp⟩ are
    overestimated.
    step: Δt, at most one radian of the fastest rate that occurs (ω0, |γ|, √(ω0 |∂f/∂X|)). None: a
    quarter of that, over the range of a short pilot run.
    seed: of the noise, 0 … 2⁶⁴ − 1. Trajectory i has the same noise in every run with this seed.
    burn_in: time discarded at the start; None: `sample` determines it from the data.
    checked: trajectories repeated at 2Δt on the same noise, for the error due to the step. None:
    a quarter of them, at least 8. Zero: no check.
    start: (x, p) at which all trajectories start. None: orbits spread over the whole domain of the
    state (`simulation.spread`), so that wells and rings are approached from all sides.
    threads: None: one per processor. Results do not depend on it, to the last bit.
    rtol: bound on the relative standard error of the phonon number that `solve` returns.

    `PowerGrid.steady_state` accepts this method too: it starts from random amplitudes, so `start`
    must be None, a step of None is a tenth of the fastest time scale, and `rtol` bounds the error
    of the total occupation.

    Noise: independent normal deviates, by Philox4x32-10 and Box–Muller. Coefficients come from a
    look-up table, to 1e-6 of their size. Errors are statistical and fall as duration^−½: for high
    precision use `FokkerPlanck`.
    """

    scheme = "splitting"
    order = 2

    rtol: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "rtol", _checks.tolerance("rtol", self.rtol))

    def solve(self, model: PhaseSpaceModel) -> Stationary:
        """Return the stationary state: a smooth density fitted to the samples.

        ln W is a spline of the distance from the mean plus a polynomial of X and P
        (`fitted_density.FittedDensity`), with as many terms as the data support. Moments are the
        sampled means, their errors standard errors; `distribution.replicas` carry the error of
        everything else (`fitted_density.jackknife`). The burn-in is a quarter of the run, unless
        given; an interrupted run cannot be continued. Raises as `sample`, and NotConverged when the
        standard error of the phonon number, or its error from the step, exceeds `rtol`, with a
        sufficient duration or step in the message.
        """
        with self.guard():
            return solve(self, model, self.rtol)

    def correlations(
        self, model: PhaseSpaceModel, delays: npt.ArrayLike, weight: Weight | None = None
    ) -> SampledCorrelations:
        """Return two-time correlations of the stationary state, see `SampledCorrelations`.

        delays: times τ ≥ 0, in any order; taken to the nearest multiples of 4 Δt, which the result
        holds. With `step` None, Δt is chosen so that multiples of the smallest delay are exact.
        weight: w(X, P), for E[w(X(0), P(0)) (|α(τ)|² − ½)]. Raises as `solve` but for `rtol`.
        """
        with self.guard():
            return sampled_correlations(self, model, delays, weight)

    def spectrum(self, model: PhaseSpaceModel, resolution: float) -> SampledSpectrum:
        """Return the spectrum of the position, averaged over windows of length 2π/resolution."""
        with self.guard():
            return sampled_spectrum(self, model, resolution)


@dataclass(frozen=True, repr=False)
class EulerMaruyama(TrajectoryMethod):
    """The explicit Euler scheme of Culhane et al., Eqs. (C1)–(C2), for comparison.

    Both x and p are updated from their old values: weak order one. On an oscillator this adds
    energy at a rate ω0² Δt, as if the friction γ were reduced by that amount, so Δt must be far
    below γ/ω0². The paper's device at V = 8 has γ of some 1e-4: with Δt = 0.003 this scheme gives
    ⟨n⟩ = 58, with Δt = 0.001 about 35; the correct value is 28.862, which `Langevin` gives at
    Δt = 0.5. Strictly, the scheme has no stationary state there: far from rest, where friction is
    small, energy grows at any Δt. Therefore all trajectories start from one point, `start`.
    Fields as those of `Langevin`; `step` is Δt and has no default.
    """

    scheme = "euler"
    order = 1

    step: float = parameter(r"\Delta t", "1/energy", "step")  # without the base's default
    _: KW_ONLY
    start: tuple[float, float] = (0.0, 0.0)
