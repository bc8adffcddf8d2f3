"""What a sampling run says about the stationary state."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.numerics.statistics import Estimate, Mixing
from wheelwork.phase_space.langevin import checkpoint
from wheelwork.phase_space.langevin.checkpoint import Setup
from wheelwork.phase_space.langevin.run import Progress
from wheelwork.phase_space.langevin.statistics import (
    Batches,
    Quantity,
    changes,
    drift,
    mixing,
    quantities,
    settled_after,
)
from wheelwork.phase_space.langevin.stepping import LOOKUP_RTOL
from wheelwork.phase_space.langevin.trajectories import CHUNK, OBSERVABLES

MOST_DRIFT = 5.0  # standard errors
FEWEST_TIMES = 8.0  # correlation times after the burn-in: with less, what was begun from shows


@dataclass(frozen=True)
class Samples:
    """Sampled means with their standard errors, and all that is needed to go on.

    moments: as those of `Stationary`, without the purity, each (mean, standard_error).
    local_means: of the model's local observables. step_change: moments at 2Δt minus moments at Δt
    on the same noise; the error left at Δt is about a third of it for `Langevin`, about all of it
    for `EulerMaruyama`. Empty if no trajectory was checked.
    effective_samples: number of independent draws of the energy with the same standard error.
    burn_in: time left out at the start, of each trajectory.
    details: correlation_time of the energy; drift of the energy between the halves of the run, in
    standard errors; mixing, the variance between trajectories over that within them, and
    mixing_bound, the most that chance allows (`statistics.mixing`); lookup_error, the bound on the
    error of the tables, relative to the size of the coefficients; low and high, the range of X
    reached.
    """

    setup: Setup
    progress: Progress
    moments: Mapping[str, Estimate]
    local_means: Mapping[str, Estimate]
    step_change: Mapping[str, Estimate]
    effective_samples: float
    burn_in: float
    details: Mapping[str, float] = field(default_factory=dict)

    @property
    def step(self) -> float:
        """Δt."""
        return self.setup.step

    @property
    def trajectories(self) -> int:
        return self.setup.trajectories

    @property
    def duration(self) -> float:
        """Time covered by each trajectory, burn-in included: whole chunks of 256 steps."""
        return self.progress.chunks * CHUNK * self.setup.step

    @property
    def positions(self) -> FloatArray:
        """(2, trajectories): X = x/x0 and P = p/p0 of every trajectory at the end."""
        return self.progress.fine.state

    def save(self, path: str | Path) -> None:
        """Write the run to `path` (npz), at once or not at all."""
        checkpoint.write(Path(path), self.setup, self.progress)

    @classmethod
    def load(cls, path: str | Path, burn_in: float | None = None) -> "Samples":
        """Read a run that was saved, or the checkpoint of one that was interrupted."""
        return summary(*checkpoint.read(Path(path)), burn_in)


def summary(
    setup: Setup, progress: Progress, burn_in: float | None, judge: bool | None = None
) -> Samples:
    """Return means and errors of a run; `burn_in` is found from the data if it is None.

    Raises NotConverged when the run is too short for error estimates, has visibly not settled (the
    mean energies of its halves differ by more than five standard errors, or it is shorter than
    eight correlation times of the energy), or when trajectories stay apart. The last three only if
    `judge`, by default without a `burn_in`, which stands for the user's own judgement.
    """
    fine = progress.fine
    first = settled_after(fine) if burn_in is None else _given(setup, progress, burn_in)
    batches = Batches.of(fine, first)
    found = quantities(batches.mean)
    moments = {name: batches.estimate(quantity) for name, quantity in found.items()}
    drifted, mixed = drift(fine, first), mixing(fine, first)
    effective = _effective_samples(batches, moments["phonon_number"])
    time = (fine.chunks - first * fine.width) * CHUNK * setup.step
    correlation_time = 0.5 * time * setup.trajectories / effective
    if judge or (judge is None and burn_in is None):
        _refuse(drifted, mixed)
        _require_long(time, correlation_time)
    return Samples(
        setup=setup,
        progress=progress,
        moments=moments,
        local_means=_local_means(setup, batches),
        step_change=_step_change(progress, first),
        effective_samples=effective,
        burn_in=first * fine.width * CHUNK * setup.step,
        details={
            "correlation_time": correlation_time,
            "drift": drifted,
            "mixing": mixed.ratio,
            "mixing_bound": mixed.bound,
            "lookup_error": LOOKUP_RTOL,
            "low": progress.low,
            "high": progress.high,
        },
    )


def _refuse(drifted: float, mixed: Mixing) -> None:
    if drifted > MOST_DRIFT:
        raise NotConverged(
            f"the trajectories have not settled: from the first to the second half of the run the "
            f"mean energy changed by {drifted:.1f} standard errors; raise `duration`"
        )
    if mixed.ratio > mixed.bound:
        raise NotConverged(
            f"the trajectories do not mix: their means differ {mixed.ratio:.3g} times as much "
            f"(in variance) as their own course explains, at most {mixed.bound:.3g} would be "
            "chance; some stay in one part of the plane for the whole run; raise `duration`"
        )


def _require_long(time: float, correlation_time: float) -> None:
    if time < FEWEST_TIMES * correlation_time:
        raise NotConverged(
            f"the run is too short to settle in: after burn-in {time:.3g} is left of it, where the "
            f"energy has a correlation time of {correlation_time:.3g}; raise `duration`"
        )


def _given(setup: Setup, progress: Progress, burn_in: float) -> int:
    """Blocks of time that cover `burn_in`."""
    width = progress.fine.width * CHUNK * setup.step
    first = math.ceil(burn_in / width - 1e-9)
    if first >= progress.fine.filled:
        raise InvalidArgument(
            f"`burn_in` must leave at least one block of {width:g} of the run, but is {burn_in!r}"
        )
    return first


def _effective_samples(batches: Batches, energy: Estimate) -> float:
    variance = batches.mean[5] - (batches.mean[2] + batches.mean[3]) ** 2
    return float(variance / energy.standard_error**2) if energy.standard_error else math.inf


def _local_means(setup: Setup, batches: Batches) -> dict[str, Estimate]:
    unit = np.eye(len(batches.mean))
    rows = range(len(OBSERVABLES), len(batches.mean))
    return {
        name: batches.estimate(Quantity(float(batches.mean[row]), unit[row]))
        for name, row in zip(setup.local_observables, rows, strict=True)
    }


def _step_change(progress: Progress, first: int) -> dict[str, Estimate]:
    lanes = progress.coarse.state.shape[1]
    if lanes == 0:
        return {}
    if not progress.compares:
        names = quantities(np.ones(len(OBSERVABLES)))
        return dict.fromkeys(names, Estimate(math.nan, math.inf))
    return changes(
        Batches.of(progress.coarse, first), Batches.of(progress.fine.of_first(lanes), first)
    )
