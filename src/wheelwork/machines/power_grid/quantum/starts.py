"""Where trajectories begin, so that those that stay where they began are noticed."""

import math
from typing import TYPE_CHECKING

import numpy as np

from wheelwork.errors import NotConverged
from wheelwork.lindblad import JumpSamples
from wheelwork.machines.power_grid.quantum.fock_space import FockSpace, IndexArray
from wheelwork.oscillator_networks import MeanField

if TYPE_CHECKING:
    from wheelwork.machines.power_grid.machine import PowerGrid

ROUNDING = 1e-9  # of a mean: a difference that counts where no trajectory deviates
LIKELY = 3.0  # standard errors of a difference that chance makes


def brightest(machine: "PowerGrid") -> IndexArray | None:
    """Occupations of the stable branch without noise that has most quanta, in whole quanta, (N,).

    None where the branches are not found.
    """
    try:
        branches = machine.steady_state(MeanField()).stable_branches
    except NotConverged:
        return None
    most = max((branch.occupation for branch in branches), key=np.sum, default=None)
    if most is None:
        return np.zeros(len(machine.nodes), dtype=np.int64)
    return np.asarray(np.rint(most), dtype=np.int64)


def place_of(space: FockSpace, occupations: IndexArray) -> int:
    """Index of a number state in the whole basis."""
    K = int(occupations.sum())
    within = np.flatnonzero(np.all(space.occupations[K] == occupations, axis=1))
    return sum(space.sizes[:K]) + int(within[0])


def difference(one: JumpSamples, other: JumpSamples) -> float:
    """Largest difference of the averages of two independent runs, in standard errors."""
    found = 0.0
    for name, (mean, error) in one.averages.items():
        second, second_error = other.averages[name]
        apart, doubt = abs(mean - second), math.hypot(error, second_error)
        if apart > ROUNDING * (abs(mean) + abs(second)):
            found = max(found, apart / doubt if doubt else math.inf)
    return found


def merged(one: JumpSamples, other: JumpSamples) -> JumpSamples:
    """Two independent runs as one, weighted by their trajectories.

    Where their averages differ by more than is likely, the truth may be with either: the error of
    the average then includes half of their difference.
    """
    n, m = len(one.counts), len(other.counts)
    a, b = n / (n + m), m / (n + m)
    averages = {}
    for name, (mean, error) in one.averages.items():
        second, second_error = other.averages[name]
        apart, found = abs(mean - second), math.hypot(a * error, b * second_error)
        if apart > LIKELY * math.hypot(error, second_error):
            found = math.hypot(found, 0.5 * apart)
        averages[name] = a * mean + b * second, found
    return JumpSamples(
        times=one.times,
        means={name: a * mean + b * other.means[name] for name, mean in one.means.items()},
        standard_errors={
            name: np.hypot(a * error, b * other.standard_errors[name])
            for name, error in one.standard_errors.items()
        },
        averages=averages,
        counts=np.concatenate((one.counts, other.counts)),
        counted_time=one.counted_time,
    )
