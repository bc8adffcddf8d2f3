"""Stationary moments of a sampling run, with errors and checks."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import xarray as xr

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.methods.sampling_method import CHUNK, ROUNDING
from wheelwork.numerics import stationarity
from wheelwork.numerics.stationarity import BURN_IN_TIMES, MOST_DRIFT, Mixing, half_means
from wheelwork.numerics.statistics import (
    Batches,
    ErrorOf,
    Estimate,
    error_function,
    standard_error,
)
from wheelwork.phase_space.langevin import run
from wheelwork.phase_space.langevin.run import Ensemble, Progress, Setup
from wheelwork.phase_space.langevin.stepping import LOOKUP_RTOL, OBSERVABLES
from wheelwork.results import AuditEntry, verdict
from wheelwork.results.datasets import Variables, checks, variables
from wheelwork.states.oscillator import pair_number

FEWEST_TIMES = 8.0  # correlation times after the burn-in: shorter runs still depend on their starts
FEWEST_BATCHES = 8  # the error of an error from fewer exceeds a quarter
FEWEST_BLOCKS = 4  # of time: two halves, and something to leave out of the first
MOST_ERRORS = 5.0  # standard errors by which chance may take a phonon number below zero


@dataclass(frozen=True, eq=False)
class Samples:
    """Sampled means with their standard errors, and the state from which the run can be continued.

    moments: as those of `Stationary`, without the purity, each (mean, standard_error).
    local_means: of the model's local observables. step_change: moments at 2Δt minus moments at Δt
    on the same noise; the error left at Δt is about a third of it for `Langevin`, about all
    of it for `EulerMaruyama`. Empty if no trajectory was checked.
    effective_samples: number of independent draws of the energy with the same standard error.
    burn_in: time left out at the start, of each trajectory.
    shortfall: why the run is not what was asked for, empty where it is; the samples are then the
    `partial` of a NotConverged. error_of: how errors follow from batches, `standard_error`, or
    `cautious_error` where the run is no fair sample of the stationary state.
    audit: what a fair sample must meet, each with value, bound and verdict.
    details: correlation_time of the energy; drift of the energy between the halves of the run, in
    standard errors; mixing, the variance between trajectories over that within them, and
    mixing_bound, the most that chance allows (`numerics.stationarity.mixing`); widening, the error
    of the energy over its standard error, one for a fair sample; lookup_error, the bound on the
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
    audit: Mapping[str, AuditEntry] = field(default_factory=dict)
    shortfall: str = ""
    error_of: ErrorOf = standard_error

    @property
    def passed(self) -> bool:
        """Whether every audit entry passes."""
        return all(entry.ok for entry in self.audit.values())

    @property
    def duration(self) -> float:
        """Time covered by each trajectory, burn-in included: whole chunks of 256 steps."""
        return self.progress.chunks * CHUNK * self.setup.step

    @property
    def positions(self) -> FloatArray:
        """(2, trajectories): X = x/x0 and P = p/p0 of every trajectory at the end."""
        return self.progress.fine.state

    def to_xarray(self) -> xr.Dataset:
        """Return all means with their errors, changes at 2Δt, and the audit over `check`.

        Moments are in scaled coordinates, X = x/x0 and P = p/p0, without a unit.
        """
        parts: Variables = {}
        for name, (mean, error) in {**self.moments, **self.local_means}.items():
            parts |= variables((), name, mean, error, "" if name in self.local_means else "1")
        for name, (mean, error) in self.step_change.items():
            parts |= variables((), f"{name}_step_change", mean, error)
        numbers = {
            "duration": self.duration, "burn_in": self.burn_in, "step": self.setup.step,
            "trajectories": self.setup.trajectories, "effective_samples": self.effective_samples,
        }  # fmt: skip
        return xr.Dataset(parts | checks(self.audit), attrs={**numbers, **self.details})

    def save(self, path: str | Path) -> None:
        """Write the run to `path` (npz): complete, or not at all."""
        run.write(run.as_path("path", path), self.setup, self.progress)

    @classmethod
    def load(cls, path: str | Path, burn_in: float | None = None) -> "Samples":
        """Read a saved run or the checkpoint of an interrupted one.

        Raises NotConverged as `Langevin.sample`, with these samples as its `partial`.
        """
        samples = summary(*run.read(run.as_path("path", path)), burn_in)
        return accepted(samples, samples)

    def __repr__(self) -> str:
        mean, error = self.moments["phonon_number"]
        size = f"trajectories={self.setup.trajectories}, duration={self.duration:g}"
        times = f"step={self.setup.step:g}, burn_in={self.burn_in:g}"
        failing = "" if self.passed else f", {verdict(self.audit)}"
        return f"Samples(phonon_number={mean:.6g} ± {error:.1g}, {size}, {times}{failing})"


Made = TypeVar("Made")


def accepted(samples: Samples, result: Made) -> Made:
    """Return `result`, made of the samples; as `partial` of NotConverged if they fall short."""
    if samples.shortfall:
        raise NotConverged(samples.shortfall, partial=result)
    return result


def summary(
    setup: Setup,
    progress: Progress,
    burn_in: float | None,
    judge: bool | None = None,
    shortfall: str = "",
    time_left: float = 0.0,
) -> Samples:
    """Return means and errors of a run; `burn_in` follows from the data if it is None.

    Samples fall short when the run is too short for error estimates, is visibly not stationary
    (the mean energies of its halves differ by more than five standard errors, or it is shorter than
    eight correlation times of the energy), or when trajectories do not mix: the variance of their
    means exceeds what their own course explains by more than Fisher's F allows once in 1e5 runs
    (`numerics.stationarity.mixing`). The last three only if `judge`, by default only without a
    `burn_in`, which is then where the energy has become stationary (`_first_block`). With `judge`,
    a given burn-in must cover four correlation times as well.
    shortfall, time_left: why and by how much a run ended early.

    Raises NotConverged without samples, InvalidArgument for a burn-in longer than the run.
    """
    fine = progress.fine
    if not fine.chunks:
        raise NotConverged(shortfall or "nothing has been sampled; raise `duration`")
    first, unknown = _first_block(setup, fine, burn_in, whole=not time_left)
    time = (fine.chunks - first * fine.width) * CHUNK * setup.step
    plain, drifted, mixed = batches_of(fine, first), _drift(fine, first), _mixing(fine, first)
    quantity = quantities(plain.mean)["phonon_number"]
    variance = float(plain.mean[5] - (plain.mean[2] + plain.mean[3]) ** 2)
    checks = _checks(plain, time_left, drifted, mixed)
    correlation_time, left_out = math.nan, first * fine.width * CHUNK * setup.step
    try:
        _require_batches(plain, fine.filled - first)
        error = estimate(plain, quantity).standard_error
        span = 0.5 * time * setup.trajectories
        correlation_time = span * error**2 / variance if error > 0.0 else 0.0
        checks["correlation times"] = AuditEntry(FEWEST_TIMES * correlation_time, time)
        if judge:
            checks["burn-in"] = AuditEntry(BURN_IN_TIMES * correlation_time, left_out)
        if judge or (judge is None and burn_in is None):
            _require_fair(drifted, mixed, time, correlation_time, left_out if judge else math.inf)
    except NotConverged as reason:
        unknown = unknown or str(reason)
    error_of = error_function(not unknown and _is_fair(checks), unmixed=True)
    batches = batches_of(fine, first, error_of=error_of)
    moments = {name: estimate(batches, each) for name, each in quantities(batches.mean).items()}
    number, error = moments["phonon_number"]
    checks["negativity of phonon number"] = AuditEntry(max(0.0, -number), MOST_ERRORS * error)
    unit, local = np.eye(len(batches.mean)), {}
    for row, name in enumerate(setup.local_observables, len(OBSERVABLES)):
        local[name] = estimate(batches, Quantity(float(batches.mean[row]), unit[row]))
    return Samples(
        setup=setup,
        progress=progress,
        moments=moments,
        local_means=local,
        step_change=_step_change(progress, first, error_of),
        effective_samples=float(variance / error**2) if error else math.inf,
        burn_in=left_out,
        details={
            "correlation_time": correlation_time,
            "drift": drifted,
            "mixing": mixed.ratio,
            "mixing_bound": mixed.bound,
            "widening": _widening(plain, quantity, error, error_of),
            "lookup_error": LOOKUP_RTOL,
            "low": progress.low,
            "high": progress.high,
        },
        audit=checks,
        shortfall=shortfall or unknown,
        error_of=error_of,
    )


def _checks(
    batches: Batches, time_left: float, drifted: float, mixed: Mixing
) -> dict[str, AuditEntry]:
    checks = {"batches": AuditEntry(FEWEST_BATCHES, batches.values[..., 0].size)}
    if time_left > 0.0:
        checks["time left"] = AuditEntry(time_left, 0.0)
    if not math.isnan(drifted):
        checks["drift"] = AuditEntry(drifted, MOST_DRIFT)
    if not math.isnan(mixed.ratio):
        checks["mixing"] = AuditEntry(*mixed)
    return checks


def _is_fair(checks: Mapping[str, AuditEntry]) -> bool:
    """Whether trajectories have forgotten their starts, which no stationary state has drawn."""
    return all(check.ok for name, check in checks.items() if name != "time left")


def _require_fair(
    drifted: float, mixed: Mixing, time: float, correlation_time: float, burn_in: float
) -> None:
    stationarity.require_no_drift(drifted, "energy")
    stationarity.require_mixing(mixed)
    if time < FEWEST_TIMES * correlation_time:
        raise NotConverged(
            f"the run is too short: after burn-in {time:.3g} is left of it, where the "
            f"energy has a correlation time of {correlation_time:.3g}; raise `duration`"
        )
    stationarity.require_burn_in(burn_in, correlation_time, "energy")


def _widening(batches: Batches, quantity: "Quantity", error: float, error_of: ErrorOf) -> float:
    """`error` over the standard error of independent batches, at least one; one if that is it."""
    if error_of is standard_error:
        return 1.0
    deviations = batches.deviations(quantity.gradient)
    if deviations.size < 2:
        return math.inf
    plain = float(np.std(deviations)) / math.sqrt(deviations.size - 1)
    return max(1.0, error / plain) if plain else 1.0


class Quantity(NamedTuple):
    """A function of the means of the observables: its value and its gradient there."""

    value: float
    gradient: FloatArray


def quantities(mean: FloatArray) -> dict[str, Quantity]:
    """Moments of `phase_space.moments` (without the purity) from means of the observables.

    mean: of X, P, X², P², XP, (X² + P²)², local observables.
    """
    unit = np.eye(len(mean))
    energy, fourth = mean[2] + mean[3], mean[5]
    number = energy - 0.5
    pairs = pair_number(energy, fourth)
    energy_gradient = unit[2] + unit[3]
    pairs_gradient = unit[5] - 2.0 * energy_gradient
    g2_gradient = pairs_gradient / number**2 - 2.0 * pairs / number**3 * energy_gradient
    sampled = zip(OBSERVABLES[:5], mean, unit, strict=False)
    return {name: Quantity(float(value), gradient) for name, value, gradient in sampled} | {
        "phonon_number": Quantity(float(number), energy_gradient),
        "g2": Quantity(float(pairs / number**2), g2_gradient),
    }


def batches_of(
    ensemble: Ensemble, first: int, last: int | None = None, error_of: ErrorOf = standard_error
) -> Batches:
    """Batches of the blocks of time first … last − 1."""
    stop = ensemble.filled if last is None else last
    return Batches.of(ensemble.sums[first:stop], ensemble.samples[first:stop], error_of)


def _require_batches(batches: Batches, blocks: int) -> None:
    """Raise NotConverged when there are fewer than 8 in all."""
    if batches.values[..., 0].size < FEWEST_BATCHES:
        raise NotConverged(
            f"an error estimate needs at least {FEWEST_BATCHES} batches, but after burn-in there "
            f"are {blocks} blocks of {batches.values.shape[1]} trajectories; raise `duration` or "
            "`trajectories`"
        )


def estimate(batches: Batches, quantity: Quantity) -> Estimate:
    return Estimate(quantity.value, batches.error_of(batches.deviations(quantity.gradient)))


def _first_block(
    setup: Setup, ensemble: Ensemble, burn_in: float | None, whole: bool
) -> tuple[int, str]:
    """Blocks of time to leave out, and why they are not known.

    Those that cover `burn_in`, or by `stationarity.truncation`; at most half of a short run. Raises
    InvalidArgument where a whole run is shorter than `burn_in`.
    """
    if burn_in is None:
        if ensemble.filled < FEWEST_BLOCKS:
            return ensemble.filled // 2, (
                f"burn-in cannot be told from a run of {ensemble.chunks} x {CHUNK} steps; "
                "raise `duration` or give `burn_in`"
            )
        means = ensemble.sums[: ensemble.filled].mean(axis=2) / ensemble.samples[:, None]
        return stationarity.truncation(means), ""
    width = ensemble.width * CHUNK * setup.step
    first = math.ceil(burn_in / width - ROUNDING)
    if first >= ensemble.filled and whole:
        raise InvalidArgument(
            f"`burn_in` must leave at least one block of {width:g} of the run, but is {burn_in!r}"
        )
    return min(first, ensemble.filled - 1), ""


def _mixing(ensemble: Ensemble, first: int) -> Mixing:
    """Compare the variance of x and energy between trajectories with that within them."""
    blocks = ensemble.filled - first
    if ensemble.state.shape[1] < 2 or blocks < 2:
        return Mixing(math.nan, math.nan)
    rows = slice(first, ensemble.filled)
    halves = half_means(ensemble.sums[rows], ensemble.samples[rows], (blocks + 1) // 2)
    unit = np.eye(halves.shape[1])
    chosen = np.stack([unit[0], unit[2] + unit[3]])
    return stationarity.mixing(chosen @ halves[0], chosen @ halves[1])


def _drift(ensemble: Ensemble, first: int) -> float:
    """Change of ⟨X² + P²⟩ from the first to the second half, in its standard errors.

    NaN if the halves are too short for standard errors.
    """
    middle = (first + ensemble.filled) // 2
    if middle == first:
        return math.nan
    try:
        halves = [batches_of(ensemble, first, middle), batches_of(ensemble, middle)]
        for half, blocks in zip(halves, (middle - first, ensemble.filled - middle), strict=True):
            _require_batches(half, blocks)
        early, late = (estimate(each, quantities(each.mean)["phonon_number"]) for each in halves)
    except NotConverged:
        return math.nan
    error = math.hypot(early.standard_error, late.standard_error)
    return abs(late.mean - early.mean) / error if error > 0.0 else 0.0


def _step_change(progress: Progress, first: int, error_of: ErrorOf) -> dict[str, Estimate]:
    """Moments at 2Δt minus those at Δt, with the standard error of the paired difference.

    The error is infinite where the differences are correlated over the whole run.
    """
    lanes = progress.coarse.state.shape[1]
    if lanes == 0:
        return {}
    if not progress.compares:
        names = quantities(np.ones(len(OBSERVABLES)))
        return dict.fromkeys(names, Estimate(math.nan, math.inf))
    fine = progress.fine
    same = replace(fine, state=fine.state[:, :lanes], sums=fine.sums[:, :, :lanes])
    coarse, paired = (
        batches_of(each, first, error_of=error_of) for each in (progress.coarse, same)
    )
    at_coarse, at_fine = quantities(coarse.mean), quantities(paired.mean)
    changes = {}
    for name, quantity in at_fine.items():
        other = at_coarse[name]
        change = coarse.deviations(other.gradient) - paired.deviations(quantity.gradient)
        try:
            error = error_of(change) if change.size > 1 else math.inf
        except NotConverged:
            error = math.inf
        changes[name] = Estimate(other.value - quantity.value, error)
    return changes
