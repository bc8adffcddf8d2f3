"""A rotor engine in time: its states, powers, and the populations of l."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import xarray as xr

from wheelwork import _checks, lindblad
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged, partial_as, shown
from wheelwork.machines.rotor import energetics
from wheelwork.machines.rotor.block_state import BlockState, Window, block_state, from_matrix
from wheelwork.machines.rotor.energetics import RotorFlows
from wheelwork.machines.rotor.model import RotorMethod, RotorModel, WindowState
from wheelwork.machines.rotor.parameters import RotorParameters
from wheelwork.machines.rotor.state import RotorResult
from wheelwork.machines.rotor.stationary import LARGEST_WINDOW, guess_chain
from wheelwork.numerics.work import tick
from wheelwork.parameters import Parameters
from wheelwork.results import AuditEntry, Result, Series, entry, worst

MARGIN = 16  # levels on both sides of the initial state
SMALLEST_RTOL = 1e-8  # smallest tolerance that rounding allows over many long intervals
LARGEST_FIRST = 512  # levels of a first window that holds the steady state too; cheap to solve on
LARGEST_MATRIX = 2.0**31  # bytes of the initial density matrix, which is dense
ENDS = ("first", "last")  # values of l in the window, whose populations are followed
FEW_STEPS = 5000  # a second or two; where rounding of more adds up, exponentials are tried
WATCHED = 2.0 ** -np.arange(0.0, 50.0, 0.25)  # of the last time: when exponentials watch the ends
GROWING = 0.1  # of rtol: an end that turns back more than this is moved outwards


@dataclass(frozen=True)
class RotorStart(Parameters):
    """An initial state: one angular momentum, and qubits without coherence.

    angular_momentum: l. excited_cold, excited_hot: excited populations of the qubits, None for
    that of the qubit alone with its bath.

    The counterpart of `Ground`, `Coherent` and the other initial states of an oscillator. Thermal
    qubits depend on the parameters, so that the matrix is made when a machine evolves.
    """

    angular_momentum: int = 0
    excited_cold: float | None = None
    excited_hot: float | None = None

    def __post_init__(self) -> None:
        momentum = _checks.integer("angular_momentum", self.angular_momentum, -LARGEST_WINDOW)
        object.__setattr__(self, "angular_momentum", momentum)
        for name in ("excited_cold", "excited_hot"):
            if getattr(self, name) is not None:
                value = _checks.within(name, getattr(self, name), 0.0, 1.0)
                object.__setattr__(self, name, value)

    def blocks(self, parameters: RotorParameters) -> BlockState:
        """Return the state on a window of three levels about l."""
        cold = parameters.cold.excited if self.excited_cold is None else self.excited_cold
        hot = parameters.hot.excited if self.excited_hot is None else self.excited_hot
        populations = np.zeros((4, 3))
        populations[:, 1] = np.outer([1.0 - cold, cold], [1.0 - hot, hot]).ravel()
        window = Window(self.angular_momentum - 1, self.angular_momentum + 1)
        return BlockState(window, populations, np.zeros(2, dtype=np.complex128))


@dataclass(frozen=True, eq=False)
class TransientSolution(WindowState):
    """The state at one time. error: estimated Σ|δρ| over populations and coherences."""

    time: float
    error: float


@dataclass(frozen=True, eq=False, repr=False)
class RotorSnapshot(RotorResult):
    """A rotor engine at one time of an evolution."""

    headline: ClassVar[tuple[str, ...]] = (
        "heat_cold", "heat_hot", "heat_load", "net_power", "angular_momentum", "ergotropy_total"
    )  # fmt: skip

    machine: RotorParameters
    method: RotorMethod
    solution: TransientSolution

    @cached_property
    def flows(self) -> RotorFlows:
        """All heat, work and power."""
        return energetics.flows(self.model, self.blocks)

    kinetic_power = entry(
        "flows.kinetic_power", r"\dot W_\mathrm{kin}", "energy^2", "change of the kinetic energy"
    )
    net_power = entry("flows.net_power", r"\dot W_\mathrm{net}", "energy^2", "net power")

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Named checks with value, bound and verdict."""
        bound = max(self.method.rtol, SMALLEST_RTOL) + 2.0 * self.method.rtol
        lowest = float(self.blocks.eigenvalues[-1])
        entries = {
            "estimated error": AuditEntry(self.solution.error, bound),
            "trace": AuditEntry(abs(self.blocks.trace - 1.0), bound),
            "negativity": AuditEntry(max(0.0, -lowest), bound),
        }
        return MappingProxyType(entries | dict(self.validity))


@dataclass(frozen=True, eq=False, repr=False)
class RotorEvolution(Series[RotorSnapshot]):
    """Evolution of a rotor engine: a sequence of one `RotorSnapshot` per time.

    model: the equations, on a window that holds the rotor at all times. solution: of these.
    """

    kind: ClassVar[type[Result]] = RotorSnapshot
    listed: ClassVar[tuple[str, ...]] = (
        "kinetic_power", "intrinsic_power", "net_power", "back_action", "heat_cold", "heat_hot",
        "heat_load", "work_qubits", "work_load", "angular_momentum", "kinetic_energy",
    )  # fmt: skip

    machine: RotorParameters
    method: RotorMethod
    model: RotorModel
    solution: lindblad.Evolution

    @property
    def times(self) -> FloatArray:
        """(T,)."""
        return self.solution.times

    @cached_property
    def states(self) -> tuple[BlockState, ...]:
        """One for each time."""
        window = self.model.window
        return tuple(block_state(window, self.solution.state(i)) for i in range(self.times.size))

    @cached_property
    def ends(self) -> FloatArray:
        """(T, 2), largest populations of the first and the last l up to each time."""
        return np.column_stack([self.solution.largest[end] for end in ENDS])

    @property
    def error(self) -> FloatArray:
        """(T,), estimated Σ|δρ|, including reflection at the ends of the window."""
        turned_back = self.model.window.levels * np.sum(self.ends, axis=1)
        return np.asarray(self.solution.error + turned_back)

    @cached_property
    def results(self) -> tuple[RotorSnapshot, ...]:
        """One result for each time."""
        solutions = (
            TransientSolution(self.model, state, float(time), float(error))
            for time, state, error in zip(self.times, self.states, self.error, strict=True)
        )
        return tuple(RotorSnapshot(self.machine, self.method, each) for each in solutions)

    @property
    def errors(self) -> Mapping[str, FloatArray]:
        """Empty: only the error of the states is known, see `error`."""
        return {}

    @property
    def flows(self) -> tuple[RotorFlows, ...]:
        """Heat, work and power at each time."""
        return tuple(result.flows for result in self.results)

    @cached_property
    def rotor(self) -> FloatArray:
        """Populations of l, (T, N)."""
        return np.array([state.rotor for state in self.states])

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Audits of all times combined: the worst entry of each name."""
        return MappingProxyType(worst(result.audit for result in self.results))

    def to_xarray(self) -> xr.Dataset:
        """Observables over time, and the populations of l over time and l."""
        dataset, window = super().to_xarray(), self.model.window
        dataset = dataset.assign_coords(l=np.arange(window.lowest, window.highest + 1))
        dataset["rotor_population"] = (("time", "l"), self.rotor)
        dataset["state_error"] = ("time", self.error)
        return dataset


def evolve(
    parameters: RotorParameters, initial: Any, times: npt.ArrayLike, method: RotorMethod
) -> RotorEvolution:
    """Return the states at `times`, on a window that grows until it holds the rotor."""
    at = _checks.finite_array("times", times, ndim=1)
    start = _initial_state(parameters, initial, method)
    window = _first_window(parameters, start.window, method)
    while True:
        tick("window of angular momenta", window.levels, LARGEST_WINDOW)
        evolution = evolve_on(parameters, start, at, method, window)
        beyond = window.levels * evolution.ends
        if np.max(beyond) <= method.rtol:
            return evolution
        late = at[int(np.argmax(np.max(beyond, axis=1) > method.rtol))]
        reached = (
            f"until t = {late:g} the ends of {window.lowest} ≤ l ≤ {window.highest} turned back "
            f"more than rtol = {method.rtol:g} (up to {np.max(beyond):.1e})"
        )
        if method.window is not None:
            raise NotConverged(f"the window cannot hold the rotor: {reached}", evolution)
        if 2 * window.levels > LARGEST_WINDOW:
            raise NotConverged(f"the rotor runs out of the largest window: {reached}", evolution)
        window = window.grown(np.max(beyond, axis=0) > GROWING * method.rtol)


def _initial_state(parameters: RotorParameters, initial: Any, method: RotorMethod) -> BlockState:
    match initial:
        case RotorStart():
            return initial.blocks(parameters)
        case RotorResult():
            return initial.blocks
        case BlockState():
            return _checked(initial)
        case np.ndarray() if method.window is not None:
            return _checked(from_matrix(Window(*method.window), initial))
        case np.ndarray():
            raise InvalidArgument(
                "`initial` must come with a fixed window of the method where it is a density "
                "matrix, which does not tell its values of l, but `window` is None"
            )
    raise InvalidArgument(
        "`initial` must be a RotorStart, a state of a rotor engine, a BlockState or a density "
        f"matrix, but is {shown(initial)}"
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
    if not (lowest >= -SMALLEST_RTOL and abs(trace - 1.0) <= SMALLEST_RTOL):
        raise InvalidArgument(
            "`initial` must be a state, positive and of trace one, but has the eigenvalue "
            f"{lowest:.3g} and the trace {trace:.10g}"
        )
    return state


def _first_window(parameters: RotorParameters, start: Window, method: RotorMethod) -> Window:
    if method.window is not None:
        window = Window(*method.window)
        if window.lowest > start.lowest or window.highest < start.highest:
            raise InvalidArgument(
                f"`window` must hold the initial state, {start.lowest} ≤ l ≤ {start.highest}, "
                f"but is {method.window}"
            )
        return window
    window = Window(start.lowest - MARGIN, start.highest + MARGIN)
    if parameters.load_damping == 0.0:
        return window
    try:
        steady = guess_chain(parameters, method).window
    except NotConverged:  # the window of the steady state may not be needed at finite times
        return window
    both = Window(min(window.lowest, steady.lowest), max(window.highest, steady.highest))
    return both if both.levels <= LARGEST_FIRST else window


def evolve_on(
    parameters: RotorParameters,
    start: BlockState,
    times: FloatArray,
    method: RotorMethod,
    window: Window,
) -> RotorEvolution:
    """Return the states on one window, even if that is too small for the rotor."""
    size = 16.0 * (4.0 * window.levels) ** 2
    if size > LARGEST_MATRIX:
        raise NotConverged(
            f"the density matrix on {window.lowest} ≤ l ≤ {window.highest} would take "
            f"{size / 2**30:.1f} GiB, more than {LARGEST_MATRIX / 2**30:g}"
        )
    model = method.model(parameters, window)
    levels = np.zeros((2, window.levels))
    levels[0, 0] = levels[1, -1] = 1.0
    projectors = (sp.csc_array(sp.diags_array(np.tile(level, 4))) for level in levels)
    matrix, ends = start.on(window).matrix(), dict(zip(ENDS, projectors, strict=True))
    rtol = max(method.rtol, SMALLEST_RTOL)

    def by(way: Any, at: FloatArray = times) -> lindblad.Evolution:
        return lindblad.evolve(model.lindblad, matrix, at, observables=ends, method=way)

    with partial_as(lambda reached: RotorEvolution(parameters, method, model, reached)):
        try:
            solution = by(lindblad.ImplicitSteps(rtol=rtol, steps=FEW_STEPS))
        except NotConverged:
            try:
                every = np.union1d(times, times[-1] * WATCHED)
                solution = _at(by(lindblad.Exponential(rtol=rtol), every), times)
            except NotConverged:
                solution = by(lindblad.ImplicitSteps(rtol=rtol))
    return RotorEvolution(parameters, method, model, solution)


def _at(solution: lindblad.Evolution, times: FloatArray) -> lindblad.Evolution:
    """The solution at some of its times only, with the largest means on the way kept."""
    i = np.searchsorted(solution.times, times)
    assert solution.values is not None
    return replace(
        solution,
        times=times,
        means={name: row[i] for name, row in solution.means.items()},
        largest={name: row[i] for name, row in solution.largest.items()},
        values=solution.values[i],
        error=solution.error[i],
    )
