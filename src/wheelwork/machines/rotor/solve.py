"""From machine and method to the steady state, on a window of l that grows until it holds it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from wheelwork import lindblad
from wheelwork._checks import FloatArray
from wheelwork.errors import NoSteadyState, NotConverged
from wheelwork.machines.rotor.blocks import BlockState, block_state
from wheelwork.machines.rotor.model import RotorModel
from wheelwork.machines.rotor.window import LARGEST_WINDOW, ChainGuess, Window, guess_chain
from wheelwork.results import AuditEntry

if TYPE_CHECKING:
    from wheelwork.machines.rotor.machine import RotorEngine

GROWTHS = 8


@runtime_checkable
class RotorMethod(Protocol):
    """A description of the baths, with the tolerance to which it is solved."""

    @property
    def rtol(self) -> float: ...

    @property
    def window(self) -> tuple[int, int] | None: ...

    def model(self, machine: "RotorEngine", window: Window) -> RotorModel:
        """The equations on a window."""

    def chain_rates(
        self, machine: "RotorEngine", momenta: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Rates of l → l + 1 and back by the qubits' baths, roughly: for a guess of the window."""

    def validity(self, model: RotorModel, blocks: BlockState) -> Mapping[str, AuditEntry]:
        """Ratios that the description takes for small."""


@dataclass(frozen=True, eq=False)
class Solution:
    """The stationary state on a window that holds it.

    beyond: (3,), estimated sums of p, p|l| and p l² outside the window. elsewhere: probability of
    another motion there, by the guess.
    """

    model: RotorModel
    blocks: BlockState
    steady: lindblad.SteadyState
    beyond: FloatArray
    elsewhere: float


def solve(machine: "RotorEngine", method: RotorMethod) -> Solution:
    """Return the stationary state.

    Raises NotConverged when a fixed window, or the largest one, cannot hold the rotor to `rtol`, or
    where slow relaxation magnifies rounding beyond it.
    """
    chain = guess_chain(machine, method)
    window = chain.window if method.window is None else Window(*method.window)
    for _ in range(GROWTHS):
        if window.levels > LARGEST_WINDOW:
            break
        solution = on_window(machine, method, window, chain)
        share = share_beyond(solution)
        if share <= method.rtol:
            return solution
        if method.window is not None:
            raise NotConverged(
                f"the window {window.lowest} ≤ l ≤ {window.highest} cannot hold the rotor: about "
                f"{share:.1e} of ⟨L_z²⟩ lies beyond it, more than rtol = {method.rtol:g}"
            )
        window = _grown(window, solution.blocks)
    raise NotConverged(
        f"the rotor reaches beyond the largest window, of {LARGEST_WINDOW} levels: "
        f"{window.lowest} ≤ l ≤ {window.highest} was needed for rtol = {method.rtol:g}"
    )


def on_window(
    machine: "RotorEngine", method: RotorMethod, window: Window, chain: ChainGuess | None = None
) -> Solution:
    """Return the stationary state on one window, whether it holds the rotor or not."""
    chain = guess_chain(machine, method) if chain is None else chain
    model = method.model(machine, window)
    try:
        steady = lindblad.steady_state(model.lindblad, lindblad.SparseLU(rtol=method.rtol))
    except (NoSteadyState, NotConverged) as reason:  # with a load there is exactly one
        raise NotConverged(
            f"the steady state of the rotor was not found: {reason}. With a weak load "
            f"(`load_damping` is {machine.load_damping:g}) or a very hot bath it relaxes too "
            "slowly against the fastest rate; so it does between two motions that both persist, of "
            "which a `window` may hold one"
        ) from None
    blocks = block_state(window, steady.state)
    beyond, elsewhere = chain.beyond(window, blocks.rotor), chain.elsewhere(window)
    return Solution(model, blocks, steady, beyond, elsewhere)


def share_beyond(solution: Solution) -> float:
    """Share beyond the window of ⟨L_z²⟩ or of probability, whichever is larger.

    By the guess of the tails, and no less than the ends'.
    """
    blocks, square = solution.blocks, solution.blocks.moment(2)
    weight = np.maximum(blocks.window.momenta[[0, -1]] ** 2 / square, 1.0)
    ends = float(np.abs(blocks.rotor[[0, -1]]) @ weight)
    return max(float(solution.beyond[2]) / square, float(solution.beyond[0]), ends)


def _grown(window: Window, blocks: BlockState) -> Window:
    """Grow by half of the window at each end that still holds something."""
    more = max(8, window.levels // 2)
    ends = np.abs(blocks.rotor[[0, -1]]) > 1e-3 * np.max(np.abs(blocks.rotor[[0, -1]]))
    return Window(window.lowest - more * int(ends[0]), window.highest + more * int(ends[1]))
