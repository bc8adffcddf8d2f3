"""Truncations of any model that grow until the means no longer depend on them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from wheelwork._checks import FloatArray, integer, listed, named, shown, tolerance
from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.krylov import Krylov
from wheelwork.lindblad.operators import hermitian_operator
from wheelwork.lindblad.sector import diagonal_sector
from wheelwork.lindblad.steady import SteadyMethod, SteadyState
from wheelwork.lindblad.steady_methods import SparseLU, bandwidth, require_steady_method
from wheelwork.results import html_table, with_error
from wheelwork.results.datasets import variables

GROWTH = 1.5  # of a cutoff whose edge is occupied
FAR = 3  # times the cutoffs, where the means are compared at the end
LARGEST = 200_000  # unknowns, by default
LARGEST_FILL = 1e8  # unknowns times bandwidth, about the entries of an LU: 1 GB
HISTORY = 4  # last cutoffs that an error message names


@dataclass(frozen=True, eq=False, repr=False)
class Truncation:
    """A model truncated to finitely many basis states.

    edges: for each cutoff the basis states next to it. observables: at least one Hermitian matrix
    by name, whose means must not depend on the cutoffs; InvalidArgument without.
    """

    lindblad: Lindblad
    edges: Sequence[Any]
    observables: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not named("observables", self.observables):
            raise InvalidArgument("`observables` must hold at least one matrix, but is empty")

    def __repr__(self) -> str:
        names = ", ".join(self.observables)
        return f"Truncation({self.lindblad!r}, {len(self.edges)} cutoffs: {names})"


@dataclass(frozen=True, eq=False, repr=False)
class GrownTruncation:
    """A steady state whose means no longer depend on the cutoffs.

    cutoffs: those of `steady`. means: of the observables; errors: their estimated absolute errors,
    the largest change between cutoffs plus what the state's own error allows. edge_populations:
    (cutoffs,), probability next to each cutoff. checked: largest cutoffs at which the means were
    the same; equal to `cutoffs` where three times as much was too large to solve.
    """

    steady: SteadyState
    cutoffs: tuple[int, ...]
    means: Mapping[str, float]
    errors: Mapping[str, float]
    edge_populations: FloatArray
    checked: tuple[int, ...]

    def __repr__(self) -> str:
        means = ", ".join(f"{name} = {value}" for name, value in self._shown)
        return f"GrownTruncation(cutoffs {self.cutoffs}, {means})"

    def _repr_html_(self) -> str:
        title = f"GrownTruncation, cutoffs {self.cutoffs}"
        return html_table(title, self._shown, ("observable", "mean"))

    def to_xarray(self) -> xr.Dataset:
        """Return the means with their errors, and cutoffs and edges over `cutoff`."""
        parts = variables("cutoff", "levels", self.cutoffs)
        parts |= variables("cutoff", "edge_population", self.edge_populations)
        for name, mean in self.means.items():
            parts |= variables((), name, mean, self.errors[name])
        return xr.Dataset(parts)

    @property
    def _shown(self) -> list[tuple[str, str]]:
        return [(name, with_error(mean, self.errors[name])) for name, mean in self.means.items()]


def grow(
    build: Callable[[tuple[int, ...]], Truncation],
    first: Sequence[int],
    *,
    rtol: float = 1e-9,
    largest: int = LARGEST,
    method: SteadyMethod | None = None,
) -> GrownTruncation:
    """Return the steady state at cutoffs that have grown until the means no longer change.

    A cutoff whose edge holds more than `rtol` of probability grows by half. When none does, all
    grow, until no mean changes by more than `rtol` of itself, or by more than its error. To detect
    another branch beyond empty levels, the means are then compared with those at three times the
    cutoffs; if they differ, growth continues from there.

    A branch beyond three times the cutoffs, or without effect on the observables, is missed.

    Args:
        build: makes the model at given cutoffs.
        first: cutoffs to begin with, at least 1.
        largest: most unknowns, see `diagonal_sector`.
        method: see `steady_state`; by default `SparseLU()` where its factors fit into about a
            gigabyte.

    Raises:
        NotConverged: when more than `largest` unknowns were needed, or an intermediate steady state
            failed.
        NoSteadyState, InvalidArgument: as `steady_state` and `build` do at the first cutoffs.
    """
    rtol = tolerance("rtol", rtol)
    require_steady_method(method)
    search = _Search(build, rtol, integer("largest", largest, 1), method, [])
    cutoffs = listed(first)
    if cutoffs is None or not callable(build):
        raise InvalidArgument(
            "`build` must be a function of the cutoffs, and `first` a sequence of these, but are "
            f"{shown(build)} and {shown(first)}"
        )
    cut = search.solve(tuple(integer("first", cutoff, 1) for cutoff in cutoffs))
    while True:
        previous, cut = cut, search.solve(cut.grown(rtol))
        if not _agree(previous, cut, rtol):
            continue
        far = search.attempt(tuple(FAR * cutoff for cutoff in cut.cutoffs))
        if far is None or _agree(cut, far, rtol):
            break
        cut = far
    others, checked = ([previous], cut) if far is None else ([previous, far], far)
    errors = {
        name: max(abs(mean - other.means[name]) for other in others) + cut.noise[name]
        for name, mean in cut.means.items()
    }
    return GrownTruncation(cut.steady, cut.cutoffs, cut.means, errors, cut.edges, checked.cutoffs)


@dataclass(frozen=True, eq=False)
class _Cut:
    """A steady state at some cutoffs. noise: errors of the means by that of the state."""

    cutoffs: tuple[int, ...]
    steady: SteadyState
    edges: FloatArray
    means: Mapping[str, float]
    noise: Mapping[str, float]

    def grown(self, rtol: float) -> tuple[int, ...]:
        """The next cutoffs: those with an occupied edge grow, or all where there is none."""
        occupied = self.edges > rtol
        growing = occupied if np.any(occupied) else np.ones(occupied.size, dtype=bool)
        pairs = zip(self.cutoffs, growing, strict=True)
        return tuple(math.ceil(GROWTH * cutoff) if grows else cutoff for cutoff, grows in pairs)


@dataclass(frozen=True, eq=False)
class _Search:
    build: Callable[[tuple[int, ...]], Truncation]
    rtol: float
    largest: int
    method: SteadyMethod | None
    attempts: list[tuple[tuple[int, ...], float]]  # cutoffs, and the population at their edges

    def solve(self, cutoffs: tuple[int, ...]) -> _Cut:
        cut = self.attempt(cutoffs)
        if cut is None:
            raise NotConverged(
                f"the cutoffs had to grow to {cutoffs}, which takes more than {self.largest} "
                f"unknowns{self._history()}: the populations may have no bound"
            )
        return cut

    def attempt(self, cutoffs: tuple[int, ...]) -> _Cut | None:
        """The steady state at these cutoffs, or None where it is too large."""
        model = self.build(cutoffs)
        if not isinstance(model, Truncation):
            raise InvalidArgument(f"`build` must return a Truncation, but gave {shown(model)}")
        if len(model.edges) != len(cutoffs):
            raise InvalidArgument(
                f"`edges` must hold one entry for each of {len(cutoffs)} cutoffs, "
                f"but holds {len(model.edges)}"
            )
        if model.lindblad.dimension > self.largest:
            return None
        sector, generator = diagonal_sector(model.lindblad)
        if sector.size > self.largest:
            return None
        # an LU as long as it fits: GMRES fails on the slow escape that too small a cutoff causes
        fits = generator.shape[0] * float(bandwidth(generator)) <= LARGEST_FILL
        method = self.method or (SparseLU() if fits else Krylov())
        try:
            steady = method.solve(model.lindblad, sector, generator)
        except (NoSteadyState, NotConverged) as reason:
            if not self.attempts:
                raise
            raise NotConverged(f"at cutoffs {cutoffs}{self._history()}, {reason}") from reason
        populations = steady.state.populations
        edges = np.array([float(np.sum(populations[edge])) for edge in model.edges])
        self.attempts.append((cutoffs, float(edges.max(initial=0.0))))
        means, noise = {}, {}
        for name, value in model.observables.items():
            matrix = hermitian_operator(f"observables[{name!r}]", value, model.lindblad.dimension)
            means[name] = float(np.real(steady.expect(matrix)))
            noise[name] = steady.error * float(abs(matrix.data).max(initial=0.0))
        return _Cut(cutoffs, steady, edges, means, noise)

    def _history(self) -> str:
        held = ", ".join(f"{edge:.1e} at {cutoffs}" for cutoffs, edge in self.attempts[-HISTORY:])
        return f", after edges that held {held}" if held else ""


def _agree(one: _Cut, other: _Cut, rtol: float) -> bool:
    """Whether no edge is occupied and no mean has changed."""
    if np.any(one.edges > rtol) or np.any(other.edges > rtol):
        return False
    return all(
        abs(mean - one.means[name]) <= max(rtol * abs(mean), one.noise[name], other.noise[name])
        for name, mean in other.means.items()
    )
