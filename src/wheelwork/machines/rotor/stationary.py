"""The steady state on a window of l that grows until it holds the rotor.

A classical chain of rates in l gives the first window, and what lies beyond one.
"""

from dataclasses import dataclass

import numpy as np

from wheelwork import lindblad
from wheelwork._checks import FloatArray
from wheelwork.errors import NoSteadyState, NotConverged
from wheelwork.machines.rotor.block_state import Window, block_state
from wheelwork.machines.rotor.model import RotorMethod, WindowState
from wheelwork.machines.rotor.parameters import LARGEST_MOMENTUM, RotorParameters
from wheelwork.numerics.work import tick

NEGLIGIBLE = 1e-17  # probability times l², where the chain is cut: below rounding of the sum
MARGIN = 4  # levels added on both sides of the chain's window, as the chain is rough
FLATTEST = 0.95  # largest ratio of neighbouring populations by which a tail is continued
ENOUGH = 1e-3  # of rtol: what may lie beyond the largest range of the chain
TURNED_BACK = 4.0  # effect of a cut tail on the populations within, over the tail itself
SMALLEST_REACH = 1 << 10  # |l| of the first range of the chain; cheap
REACH_GROWTH = 8  # factor from one range of the chain to the next
LARGEST_WINDOW = 20_000  # levels; the generator then has 120 000 unknowns
GROWTHS = 8  # windows tried; each is larger by half on a side
END_SHARE = 1e-3  # of the larger end's population: below it a side need not grow


@dataclass(frozen=True, eq=False)
class ChainGuess:
    """Populations of a classical chain in l that hops as load and baths make it.

    momenta and log_population: (2R + 1,). It neglects the memory of the qubits, so that it serves
    only to choose a window and to estimate what lies beyond one.
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

        Tails fall off as the chain does, or as the populations do towards the end, whichever is
        slower. The end level itself lacks a neighbour and is not relied on. The populations that a
        window cuts off are turned back into it, which changes those within: TURNED_BACK.
        """
        total = np.zeros(3)
        first = int(self.momenta[0])
        below = slice(0, max(window.lowest - first, 0))
        above = slice(window.highest - first + 1, None)
        for edge, ends, outside in (
            (window.lowest - first, populations[:3], below),
            (window.highest - first, populations[:-4:-1], above),
        ):
            momenta = self.momenta[outside]
            if momenta.size:
                last, before, inner = np.abs(ends[[0, 1, -1]])
                fall = min(before / inner, FLATTEST) if inner > 0.0 else 0.0
                tail = self.log_population[outside] - self.log_population[edge]
                steps = np.abs(momenta - self.momenta[edge])
                share = np.maximum(np.exp(np.minimum(tail, 0.0)), fall**steps)
                share *= max(last, fall * before)
                distance = np.abs(momenta)
                total += [share.sum(), share @ distance, share @ distance**2]
        return TURNED_BACK * total

    def secondary_population(self, window: Window) -> float:
        """Probability beyond `window` where it rises again: of a second persistent motion."""
        first, total = int(self.momenta[0]), 0.0
        low, high = window.lowest - first, window.highest - first
        below, above = self.log_population[: max(low, 0)], self.log_population[high + 1 :]
        for outside, end in ((below, low), (above, high)):
            if outside.size:
                total += float(np.exp(outside[outside > self.log_population[end]]).sum())
        return total


def guess_chain(parameters: RotorParameters, method: RotorMethod) -> ChainGuess:
    """Return the chain on a range of l that holds it.

    The qubits push a heavy rotor hardest near the resonance of a pair, where the populations may
    rise again far beyond a range in which they vanish: the range ends where friction is stronger.

    Raises NotConverged when that takes more than 131 073 levels.
    """
    reach = SMALLEST_REACH
    while True:
        momenta = np.arange(-reach, reach + 1, dtype=np.float64)
        log_population = _log_population(parameters, method, momenta)
        ends = log_population[[0, -1]] + 3.0 * np.log(reach)
        falling = _falls_beyond(parameters, method, reach)
        if falling and np.all(ends < np.log(NEGLIGIBLE)):
            return ChainGuess(momenta, log_population)
        if reach >= LARGEST_MOMENTUM:
            if not falling:
                raise NotConverged(
                    f"no window holds the rotor: the qubits may drive it beyond |l| = {reach}, to "
                    f"their resonance at l = {parameters.resonance:.3g}"
                )
            if np.all(ends < np.log(ENOUGH * method.rtol)):
                return ChainGuess(momenta, log_population)
            exponent = 16.0 * parameters.moment_of_inertia * parameters.temperature_load + 2.0
            raise NotConverged(
                f"no window holds the rotor: about {np.exp(np.max(ends)):.1e} of its kinetic "
                f"energy lies beyond |l| = {reach}; the load damps too weakly, or its temperature "
                "is too low for the moment of inertia (the populations fall off as "
                f"l^-{exponent:.3g})"
            )
        reach *= REACH_GROWTH


def _log_population(
    parameters: RotorParameters, method: RotorMethod, momenta: FloatArray
) -> FloatArray:
    up, down = method.chain_rates(parameters, momenta[:-1])
    load_up, load_down = parameters.load_rates(momenta)
    tiny = np.finfo(float).tiny
    steps = np.log(np.maximum(load_up[:-1] + up, tiny))
    steps -= np.log(np.maximum(load_down[1:] + down, tiny))
    log_population = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(log_population - np.logaddexp.reduce(log_population))


def _falls_beyond(parameters: RotorParameters, method: RotorMethod, reach: int) -> bool:
    """Whether friction, γ|l|, exceeds the push of the qubits for all |l| ≥ reach."""
    resonance = parameters.resonance
    strongest = np.copysign(max(abs(resonance), reach), resonance)
    up, down = method.chain_rates(parameters, np.array([strongest]))
    push = float((up - down)[0]) * np.sign(strongest)
    return bool(push < parameters.load_damping * reach)


@dataclass(frozen=True, eq=False, repr=False)
class Solution(WindowState):
    """The steady state on a window that holds it.

    beyond: (3,), estimated sums of p, p|l| and p l² outside the window. secondary_population:
    estimated probability of a second motion there.
    """

    steady: lindblad.SteadyState
    beyond: FloatArray
    secondary_population: float

    def __repr__(self) -> str:
        return f"Solution({self.blocks!r}, error {self.steady.error:.1e} within it)"

    @property
    def share_beyond(self) -> float:
        """Share beyond the window of ⟨L_z²⟩ or of probability, whichever is larger.

        The estimate of the tails, and no less than the shares of the two end levels.
        """
        blocks, square = self.blocks, self.blocks.moment(2)
        weight = np.maximum(blocks.window.momenta[[0, -1]] ** 2 / square, 1.0)
        ends = float(np.abs(blocks.rotor[[0, -1]]) @ weight)
        return max(float(self.beyond[2]) / square, float(self.beyond[0]), ends)


def solve(parameters: RotorParameters, method: RotorMethod) -> Solution:
    """Return the steady state.

    Raises NoSteadyState without a load or with one that is too cold; NotConverged when a fixed
    window, or the largest one, cannot hold the rotor to `rtol`, or where slow relaxation magnifies
    rounding beyond it.
    """
    inertia, temperature = parameters.moment_of_inertia, parameters.temperature_load
    if parameters.load_damping == 0.0:
        raise NoSteadyState(
            "without a load (load_damping = 0) the rotor is never at rest: its populations "
            "spread to ever larger |l|; add a load, or use `evolve`"
        )
    if 16.0 * inertia * temperature <= 1.0:
        raise NoSteadyState(
            "the load leaves the rotor an infinite kinetic energy: its temperature must "
            f"exceed 1/(16 I) = {0.0625 / inertia:.4g}, but is {temperature:.4g}"
        )
    chain = guess_chain(parameters, method)
    window = chain.window if method.window is None else Window(*method.window)
    solution = None
    for growth in range(GROWTHS):
        if window.levels > LARGEST_WINDOW:
            break
        tick("window of angular momenta", growth, GROWTHS)
        solution = on_window(parameters, method, window, chain)
        share = solution.share_beyond
        if share <= method.rtol:
            return solution
        if method.window is not None:
            raise NotConverged(
                f"the window {window.lowest} ≤ l ≤ {window.highest} cannot hold the rotor: about "
                f"{share:.1e} of ⟨L_z²⟩ lies beyond it, more than rtol = {method.rtol:g}",
                partial=solution,
            )
        ends = np.abs(solution.blocks.rotor[[0, -1]])
        window = window.grown(ends > END_SHARE * np.max(ends))
    raise NotConverged(
        f"the rotor reaches beyond the largest window, of {LARGEST_WINDOW} levels: "
        f"rtol = {method.rtol:g} needs {window.lowest} ≤ l ≤ {window.highest}",
        partial=solution,
    )


def on_window(
    parameters: RotorParameters,
    method: RotorMethod,
    window: Window,
    chain: ChainGuess | None = None,
) -> Solution:
    """Return the steady state on one window, even if that is too small for the rotor."""
    chain = guess_chain(parameters, method) if chain is None else chain
    model = method.model(parameters, window)

    def solution(steady: lindblad.SteadyState) -> Solution:
        blocks = block_state(window, steady.state)
        return Solution(
            model,
            blocks,
            steady,
            beyond=chain.beyond(window, blocks.rotor),
            secondary_population=chain.secondary_population(window),
        )

    try:
        return solution(lindblad.steady_state(model.lindblad, lindblad.SparseLU(rtol=method.rtol)))
    except (NoSteadyState, NotConverged) as reason:  # with a load there is exactly one
        reached = getattr(reason, "partial", None)
        why = (
            "to rounding of the largest rate there are several"
            if isinstance(reason, NoSteadyState)
            else reason
        )
        raise NotConverged(
            f"the steady state of the rotor was not resolved: {why}. With a weak load "
            f"(`load_damping` is {parameters.load_damping:g}) or a very hot bath it relaxes too "
            "slowly compared with the fastest rate, as it does between two metastable motions, of "
            "which a fixed `window` can select one",
            partial=None if reached is None else solution(reached),
        ) from None
