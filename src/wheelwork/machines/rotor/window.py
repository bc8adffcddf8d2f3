"""Which angular momenta to keep: a window of l, guessed from a chain of rates."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged

if TYPE_CHECKING:
    from wheelwork.machines.rotor.engine import RotorEngine
    from wheelwork.machines.rotor.solve import RotorMethod

NEGLIGIBLE = 1e-17  # probability times l² / ⟨l²⟩, where the guess ends
ENOUGH = 1e-3  # of rtol: what may lie beyond the largest range looked at
SMALLEST_REACH = 1 << 10
LARGEST_REACH = 1 << 16
LARGEST_WINDOW = 20_000  # levels


@dataclass(frozen=True)
class Window:
    """The angular momenta lowest ≤ l ≤ highest."""

    lowest: int
    highest: int

    def __post_init__(self) -> None:
        lowest = _checks.integer("lowest", self.lowest, -LARGEST_REACH, "window")
        highest = _checks.integer("highest", self.highest, -LARGEST_REACH, "window")
        if highest <= lowest:
            raise InvalidArgument(
                f"`highest` must be larger than `lowest` = {lowest}, but is {highest} (window)"
            )

    @property
    def levels(self) -> int:
        """N, how many there are."""
        return self.highest - self.lowest + 1

    @property
    def momenta(self) -> FloatArray:
        """The values of l, (N,)."""
        return np.arange(self.lowest, self.highest + 1, dtype=np.float64)


def fixed_window(value: Any) -> tuple[int, int]:
    """Return a window given as (lowest, highest), checked."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise InvalidArgument(f"`window` must be (lowest, highest), but is {value!r}")
    window = Window(*value)
    return window.lowest, window.highest


@dataclass(frozen=True)
class ChainGuess:
    """Populations of a classical chain in l that hops as the load and the weak coupling make it.

    momenta and log_population: (2R + 1,). It ignores the memory of the qubits, so that it serves
    for choosing a window and for what lies beyond one, and for nothing else.
    """

    momenta: FloatArray
    log_population: FloatArray

    @property
    def window(self) -> Window:
        """Where population times l² matters, at least l = -4 … 4."""
        share = self.log_population + np.log1p(self.momenta**2)
        kept = self.momenta[share > np.log(NEGLIGIBLE)]
        return Window(min(int(kept[0]) - 1, -4), max(int(kept[-1]) + 1, 4))

    def beyond(self, window: Window, lowest: float, highest: float) -> FloatArray:
        """Sums of p, p|l| and p l² beyond `window` for given populations of its two ends, (3,)."""
        total = np.zeros(3)
        first = int(self.momenta[0])
        below = slice(0, max(window.lowest - first, 0))
        above = slice(window.highest - first + 1, None)
        for place, value, outside in (
            (window.lowest - first, lowest, below),
            (window.highest - first, highest, above),
        ):
            distance = np.abs(self.momenta[outside])
            if distance.size:
                tail = self.log_population[outside] - self.log_population[place]
                share = abs(value) * np.exp(np.minimum(tail, 0.0))
                total += [share.sum(), share @ distance, share @ distance**2]
        return total


def guess_chain(machine: "RotorEngine", method: "RotorMethod") -> ChainGuess:
    """Return the chain on a range of l that holds it.

    Raises NotConverged when that takes more than 131 073 levels.
    """
    reach = SMALLEST_REACH
    while True:
        momenta = np.arange(-reach, reach + 1, dtype=np.float64)
        up, down = _rates(machine, method, momenta)
        tiny = np.finfo(float).tiny
        steps = np.log(np.maximum(up[:-1], tiny)) - np.log(np.maximum(down[1:], tiny))
        log_population = np.concatenate([[0.0], np.cumsum(steps)])
        log_population -= np.logaddexp.reduce(log_population)
        ends = log_population[[0, -1]] + 3.0 * np.log(reach)
        if np.all(ends < np.log(NEGLIGIBLE)):
            return ChainGuess(momenta, log_population)
        if reach >= LARGEST_REACH:
            if np.all(ends < np.log(ENOUGH * method.rtol)):
                return ChainGuess(momenta, log_population)
            raise NotConverged(
                f"no window holds the rotor: at |l| = {reach} about {np.exp(np.max(ends)):.1e} of "
                "its kinetic energy lies farther out; the load damps too weakly, or its "
                "temperature is too low for the moment of inertia (the populations fall off as "
                f"l^-{16.0 * machine.moment_of_inertia * machine.temperature_load + 2.0:.3g})"
            )
        reach *= 8


def _rates(
    machine: "RotorEngine", method: "RotorMethod", momenta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Rates of l → l + 1 and l → l − 1."""
    cold, hot = machine.cold.excited, machine.hot.excited
    hop = method.hopping(machine, momenta)
    up, down = machine.load_rates(momenta)
    return up + hop * hot * (1.0 - cold), down + np.roll(hop, 1) * cold * (1.0 - hot)


def mismatch(machine: "RotorEngine", momenta: FloatArray) -> FloatArray:
    """Energy of |1,0,l+1⟩ above |0,1,l⟩, without the interaction."""
    fields = 2.0 * (machine.field_cold - machine.field_hot)
    return np.asarray(fields + (2.0 * momenta + 1.0) / (2.0 * machine.moment_of_inertia))
