"""A rotor engine in time: powers, and the populations of l."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import xarray as xr

from wheelwork import _checks, lindblad
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.machines.rotor.blocks import BlockState, block_state
from wheelwork.machines.rotor.flows import RotorFlows, flows
from wheelwork.machines.rotor.labels import EVOLVING
from wheelwork.machines.rotor.model import RotorModel
from wheelwork.machines.rotor.solve import RotorMethod
from wheelwork.machines.rotor.state import RotorState
from wheelwork.machines.rotor.window import LARGEST_WINDOW, Window, guess_chain

if TYPE_CHECKING:
    from wheelwork.machines.rotor.machine import RotorEngine

MARGIN = 16  # levels on both sides of the start
SMALLEST_RTOL = 1e-8  # what rounding allows over many long intervals
LARGEST_FIRST = 512  # levels
LARGEST_MATRIX = 2.0**31  # bytes


@dataclass(frozen=True)
class RotorStart:
    """A state to start from: one angular momentum, and qubits without coherence.

    angular_momentum: l. excited_cold, excited_hot: excited populations of the qubits, None for
    that of the qubit alone with its bath.
    """

    angular_momentum: int = 0
    excited_cold: float | None = None
    excited_hot: float | None = None

    def __post_init__(self) -> None:
        l = _checks.integer("angular_momentum", self.angular_momentum, -LARGEST_WINDOW)  # noqa: E741
        object.__setattr__(self, "angular_momentum", l)
        for name in ("excited_cold", "excited_hot"):
            if getattr(self, name) is not None:
                value = _checks.non_negative(name, getattr(self, name))
                if value > 1.0:
                    raise InvalidArgument(f"`{name}` must not exceed one, but is {value!r}")
                object.__setattr__(self, name, value)

    def blocks(self, machine: "RotorEngine") -> BlockState:
        """Return the state on a window of its own."""
        l = self.angular_momentum  # noqa: E741
        cold = machine.cold.excited if self.excited_cold is None else self.excited_cold
        hot = machine.hot.excited if self.excited_hot is None else self.excited_hot
        populations = np.zeros((4, 3))
        populations[:, 1] = np.outer([1.0 - cold, cold], [1.0 - hot, hot]).ravel()
        return BlockState(Window(l - 1, l + 1), populations, np.zeros(2, dtype=np.complex128))


@dataclass(frozen=True, eq=False)
class RotorEvolution:
    """What `RotorEngine.evolve` returns.

    times: (T,). states: one for each time. error: (T,), estimated Σ|δρ| over populations and
    coherences, with what the ends of the window may have turned back. ends: (T, 2), largest
    populations of the first and the last l of the window up to then, over all steps on the way.
    """

    machine: "RotorEngine"
    model: RotorModel
    times: FloatArray
    states: tuple[BlockState, ...]
    error: FloatArray
    ends: FloatArray

    @cached_property
    def flows(self) -> tuple[RotorFlows, ...]:
        """Heat, work and power at each time."""
        return tuple(flows(self.model, state) for state in self.states)

    @cached_property
    def rotor(self) -> FloatArray:
        """Populations of l, (T, N)."""
        return np.array([state.rotor for state in self.states])

    @property
    def angular_momentum(self) -> FloatArray:
        """⟨L_z⟩, (T,)."""
        return np.array([state.moment(1) for state in self.states])

    @property
    def kinetic_energy(self) -> FloatArray:
        """⟨L_z²⟩/2I, (T,)."""
        square = np.array([state.moment(2) for state in self.states])
        return np.asarray(square / (2.0 * self.machine.moment_of_inertia))

    @cached_property
    def observables(self) -> Mapping[str, FloatArray]:
        """Everything in `EVOLVING` against time, (T,) each."""
        own = {"angular_momentum": self.angular_momentum, "kinetic_energy": self.kinetic_energy}
        return {
            name: own[name] if name in own else np.array([getattr(f, name) for f in self.flows])
            for name in EVOLVING
        }

    def to_xarray(self) -> xr.Dataset:
        """Observables over time, and the populations of l over time and l."""
        window = self.model.window
        coords = {"time": self.times, "l": np.arange(window.lowest, window.highest + 1)}
        dataset = xr.Dataset({"rotor_population": (("time", "l"), self.rotor)}, coords=coords)
        for name, values in self.observables.items():
            symbol, unit, long_name = EVOLVING[name]
            attrs = {"symbol": symbol, "units": unit, "long_name": long_name}
            dataset[name] = ("time", values, attrs)
        dataset["state_error"] = ("time", self.error)
        return dataset


def evolve(
    machine: "RotorEngine", initial: object, times: npt.ArrayLike, method: RotorMethod
) -> RotorEvolution:
    """Return the states at `times`, on a window that grows until it holds the rotor."""
    at = _checks.finite_array("times", times, ndim=1)
    start = _blocks(machine, initial)
    window = _first_window(machine, start.window, method)
    while True:
        found = evolve_on(machine, start, at, method, window)
        beyond = window.levels * found.ends
        if np.max(beyond) <= method.rtol:
            return found
        late = at[int(np.argmax(np.max(beyond, axis=1) > method.rtol))]
        reached = (
            f"until t = {late:g} the ends of {window.lowest} ≤ l ≤ {window.highest} turned back "
            f"more than rtol = {method.rtol:g} (up to {np.max(beyond):.1e})"
        )
        if method.window is not None:
            raise NotConverged(f"the window cannot hold the rotor: {reached}")
        if 2 * window.levels > LARGEST_WINDOW:
            raise NotConverged(f"the rotor runs out of the largest window: {reached}")
        grown = np.max(beyond, axis=0) > 0.1 * method.rtol
        more = window.levels // 2
        window = Window(window.lowest - more * int(grown[0]), window.highest + more * int(grown[1]))


def _blocks(machine: "RotorEngine", initial: object) -> BlockState:
    if isinstance(initial, RotorStart):
        return initial.blocks(machine)
    if isinstance(initial, RotorState):
        return initial.blocks
    if isinstance(initial, BlockState):
        return _checked(initial)
    raise InvalidArgument(
        f"`initial` must be a RotorStart, RotorState or BlockState, but is {initial!r}"
    )


def _checked(state: BlockState) -> BlockState:
    levels = state.window.levels
    shapes = np.shape(state.populations), np.shape(state.coherences)
    if shapes != ((4, levels), (levels - 1,)):
        raise InvalidArgument(
            f"`initial` must have populations (4, {levels}) and coherences ({levels - 1},), "
            f"but has {shapes[0]} and {shapes[1]}"
        )
    lowest, trace = float(state.eigenvalues[-1]), state.trace
    if lowest < -SMALLEST_RTOL or abs(trace - 1.0) > SMALLEST_RTOL:
        raise InvalidArgument(
            "`initial` must be a state, positive and of trace one, but has the eigenvalue "
            f"{lowest:.3g} and the trace {trace:.10g}"
        )
    return state


def _first_window(machine: "RotorEngine", start: Window, method: RotorMethod) -> Window:
    if method.window is not None:
        window = Window(*method.window)
        if window.lowest > start.lowest or window.highest < start.highest:
            raise InvalidArgument(
                f"`window` must hold the initial state, {start.lowest} ≤ l ≤ {start.highest}, "
                f"but is {method.window}"
            )
        return window
    window = Window(start.lowest - MARGIN, start.highest + MARGIN)
    if machine.load_damping == 0.0:
        return window
    try:
        settled = guess_chain(machine, method).window
    except NotConverged:  # what holds it in the end may not be needed in time
        return window
    both = Window(min(window.lowest, settled.lowest), max(window.highest, settled.highest))
    return both if both.levels <= LARGEST_FIRST else window


def evolve_on(
    machine: "RotorEngine",
    start: BlockState,
    times: FloatArray,
    method: RotorMethod,
    window: Window,
) -> RotorEvolution:
    """Return the states on one window, whether it holds the rotor or not."""
    size = 16.0 * (4.0 * window.levels) ** 2
    if size > LARGEST_MATRIX:
        raise NotConverged(
            f"the density matrix on {window.lowest} ≤ l ≤ {window.highest} would take "
            f"{size / 2**30:.1f} GiB, more than {LARGEST_MATRIX / 2**30:g}"
        )
    model = method.model(machine, window)
    initial = start.on(window).matrix()
    solver = lindblad.ImplicitSteps(rtol=max(method.rtol, SMALLEST_RTOL))
    observables = {str(end): _projector(window, end) for end in (0, -1)}
    found = lindblad.evolve(model.lindblad, initial, times, observables=observables, method=solver)
    states = tuple(block_state(window, found.state(i)) for i in range(times.size))
    ends = np.column_stack(list(found.largest.values()))
    error = found.error + window.levels * np.sum(ends, axis=1)
    return RotorEvolution(machine, model, found.times, states, error, ends)


def _projector(window: Window, end: int) -> sp.csc_array:
    """On one l, whatever the qubits do."""
    level = np.zeros(window.levels)
    level[end] = 1.0
    return sp.csc_array(sp.diags_array(np.tile(level, 4)))
