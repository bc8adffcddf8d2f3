"""Which angular momenta to keep: a window of l, guessed from a chain of rates."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged

if TYPE_CHECKING:
    from wheelwork.machines.rotor.machine import RotorEngine
    from wheelwork.machines.rotor.solve import RotorMethod

NEGLIGIBLE = 1e-17  # probability times l² / ⟨l²⟩, where the guess ends
MARGIN = 4  # levels
FLATTEST = 0.95  # ratio of neighbouring populations in a tail, where the chain falls faster
ENOUGH = 1e-3  # of rtol: what may lie beyond the largest range looked at
TURNED_BACK = 4.0  # of what would lie beyond: its effect on what lies within
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
    """Populations of a classical chain in l that hops as load and baths make it.

    momenta and log_population: (2R + 1,). It ignores the memory of the qubits, so that it serves
    for choosing a window and for what lies beyond one, and for nothing else.
    """

    momenta: FloatArray
    log_population: FloatArray

    @property
    def window(self) -> Window:
        """Where population times l² matters, and MARGIN levels more on both sides."""
        share = self.log_population + np.log1p(self.momenta**2)
        kept = self.momenta[share > np.log(NEGLIGIBLE)]
        first, last = int(self.momenta[0]), int(self.momenta[-1])
        return Window(max(int(kept[0]) - MARGIN, first), min(int(kept[-1]) + MARGIN, last))

    def beyond(self, window: Window, populations: FloatArray) -> FloatArray:
        """Sums of p, p|l| and p l² beyond `window` for the populations within it, (3,).

        They fall off as the chain does, or as they do towards the end, whichever is slower. The
        last one is not to be trusted, as its level lacks a neighbour. What does not get out changes
        the populations within, which counts too.
        """
        total = np.zeros(3)
        first = int(self.momenta[0])
        below = slice(0, max(window.lowest - first, 0))
        above = slice(window.highest - first + 1, None)
        for place, ends, outside in (
            (window.lowest - first, populations[:3], below),
            (window.highest - first, populations[:-4:-1], above),
        ):
            momenta = self.momenta[outside]
            if momenta.size:
                last, before, inner = np.abs(ends[[0, 1, -1]])
                fall = min(before / inner, FLATTEST) if inner > 0.0 else 0.0
                tail = self.log_population[outside] - self.log_population[place]
                steps = np.abs(momenta - self.momenta[place])
                share = np.maximum(np.exp(np.minimum(tail, 0.0)), fall**steps)
                share *= max(last, fall * before)
                distance = np.abs(momenta)
                total += [share.sum(), share @ distance, share @ distance**2]
        return TURNED_BACK * total

    def elsewhere(self, window: Window) -> float:
        """Probability beyond `window` where it rises again: of another motion that persists."""
        first, total = int(self.momenta[0]), 0.0
        low, high = window.lowest - first, window.highest - first
        below, above = self.log_population[: max(low, 0)], self.log_population[high + 1 :]
        for outside, end in ((below, low), (above, high)):
            if outside.size:
                total += float(np.exp(outside[outside > self.log_population[end]]).sum())
        return total


def guess_chain(machine: "RotorEngine", method: "RotorMethod") -> ChainGuess:
    """Return the chain on a range of l that holds it.

    The qubits push a heavy rotor hardest near the resonance of a pair, where the populations may
    rise again far beyond a range in which they vanish: the range ends where friction wins.

    Raises NotConverged when that takes more than 131 073 levels.
    """
    reach = SMALLEST_REACH
    while True:
        momenta = np.arange(-reach, reach + 1, dtype=np.float64)
        log_population = _log_population(machine, method, momenta)
        ends = log_population[[0, -1]] + 3.0 * np.log(reach)
        falling = _falls_beyond(machine, method, reach)
        if falling and np.all(ends < np.log(NEGLIGIBLE)):
            return ChainGuess(momenta, log_population)
        if reach >= LARGEST_REACH:
            if not falling:
                raise NotConverged(
                    f"no window holds the rotor: the qubits may drive it beyond |l| = {reach}, to "
                    f"their resonance at l = {_resonance(machine):.3g}"
                )
            if np.all(ends < np.log(ENOUGH * method.rtol)):
                return ChainGuess(momenta, log_population)
            raise NotConverged(
                f"no window holds the rotor: at |l| = {reach} about {np.exp(np.max(ends)):.1e} of "
                "its kinetic energy lies farther out; the load damps too weakly, or its "
                "temperature is too low for the moment of inertia (the populations fall off as "
                f"l^-{16.0 * machine.moment_of_inertia * machine.temperature_load + 2.0:.3g})"
            )
        reach *= 8


def _log_population(
    machine: "RotorEngine", method: "RotorMethod", momenta: FloatArray
) -> FloatArray:
    up, down = method.chain_rates(machine, momenta[:-1])
    load_up, load_down = machine.load_rates(momenta)
    tiny = np.finfo(float).tiny
    steps = np.log(np.maximum(load_up[:-1] + up, tiny))
    steps -= np.log(np.maximum(load_down[1:] + down, tiny))
    log_population = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(log_population - np.logaddexp.reduce(log_population))


def _falls_beyond(machine: "RotorEngine", method: "RotorMethod", reach: int) -> bool:
    """Whether friction, γ|l|, exceeds the push of the qubits for all |l| ≥ reach."""
    resonance = _resonance(machine)
    strongest = np.copysign(max(abs(resonance), reach), resonance)
    up, down = method.chain_rates(machine, np.array([strongest]))
    push = float((up - down)[0]) * np.sign(strongest)
    return bool(push < machine.load_damping * reach)


def _resonance(machine: "RotorEngine") -> float:
    """l at which |1,0,l+1⟩ and |0,1,l⟩ have the same energy."""
    return 2.0 * machine.moment_of_inertia * (machine.field_hot - machine.field_cold) - 0.5


def mismatch(machine: "RotorEngine", momenta: FloatArray) -> FloatArray:
    """Energy of |1,0,l+1⟩ above |0,1,l⟩, without the interaction."""
    fields = 2.0 * (machine.field_cold - machine.field_hot)
    return np.asarray(fields + (2.0 * momenta + 1.0) / (2.0 * machine.moment_of_inertia))
