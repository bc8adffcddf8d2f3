"""Cutoffs that grow until what lies beyond them no longer matters."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray, integer, tolerance
from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged
from wheelwork.lindblad.direct import SparseLU
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.krylov import Krylov
from wheelwork.lindblad.operators import hermitian_operator
from wheelwork.lindblad.sector import diagonal_sector
from wheelwork.lindblad.solve import bandwidth
from wheelwork.lindblad.steady import SteadyMethod, SteadyState

GROWTH, FAR = 1.5, 3
LARGEST = 200_000  # unknowns
LARGEST_FILL = 1e8  # unknowns times bandwidth, about the entries of an LU


@dataclass(frozen=True, eq=False)
class Truncation:
    """A model cut to finitely many basis states.

    edges: for each cutoff the basis states next to it. observables: at least one Hermitian matrix
    by name, whose means must not depend on the cutoffs.

    Raises:
        InvalidArgument: without observables.
    """

    lindblad: Lindblad
    edges: Sequence[Any]
    observables: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not self.observables:
            raise InvalidArgument("`observables` must hold at least one matrix, but is empty")


@dataclass(frozen=True, eq=False)
class Grown:
    """A steady state whose cutoffs no longer matter.

    cutoffs: those of `steady`. means: of the observables; errors: their estimated absolute errors,
    the largest change between cutoffs and what the state's own error allows. edge_populations:
    (cutoffs,). checked: largest cutoffs at which the means were the same; `cutoffs` where three
    times as much was too large to solve.
    """

    steady: SteadyState
    cutoffs: tuple[int, ...]
    means: Mapping[str, float]
    errors: Mapping[str, float]
    edge_populations: FloatArray
    checked: tuple[int, ...]


def grow(
    build: Callable[[tuple[int, ...]], Truncation],
    first: Sequence[int],
    *,
    rtol: float = 1e-9,
    largest: int = LARGEST,
    method: SteadyMethod | None = None,
) -> Grown:
    """Return the steady state at cutoffs that have grown until they no longer matter.

    A cutoff whose edge holds more than `rtol` of probability grows by half. When none does, all
    grow once more, until no mean changes by more than `rtol` of itself, or than the error that
    the state itself has. As a state may have another branch behind empty levels, the means are
    then compared with those at three times the cutoffs, from where growth goes on if they differ.

    A branch further out than three times the cutoffs, or one that no observable sees, is missed.

    Args:
        build: makes the model at given cutoffs.
        first: cutoffs to begin with, at least 1.
        largest: most unknowns, the real numbers of ρ that populations drive.
        method: see `steady_state`; by default `SparseLU()` where its factors fit into about a
            gigabyte.

    Raises:
        NotConverged: when more than `largest` unknowns were needed, or a steady state could not be
            found on the way.
        NoSteadyState, InvalidArgument: as `steady_state` and `build` do at the first cutoffs.
    """
    accuracy = tolerance("rtol", rtol)
    search = _Search(build, accuracy, integer("largest", largest, 1), method, [])
    cut = search.solve(tuple(integer("first", cutoff, 1) for cutoff in first))
    while True:
        previous, cut = cut, search.solve(cut.grown(accuracy))
        if not _agree(previous, cut, accuracy):
            continue
        far = search.attempt(tuple(FAR * cutoff for cutoff in cut.cutoffs))
        if far is None or _agree(cut, far, accuracy):
            return _grown(previous, cut, far)
        cut = far


@dataclass(frozen=True, eq=False)
class _Cut:
    """A steady state at some cutoffs. noise: errors of means that the state's own error allows."""

    cutoffs: tuple[int, ...]
    steady: SteadyState
    edges: FloatArray
    means: Mapping[str, float]
    noise: Mapping[str, float]

    def grown(self, rtol: float) -> tuple[int, ...]:
        """The next cutoffs: those that overflow grow, or all where none does."""
        full = self.edges > rtol
        growing = full if np.any(full) else np.ones(full.size, dtype=bool)
        return tuple(
            math.ceil(GROWTH * cutoff) if grows else cutoff
            for cutoff, grows in zip(self.cutoffs, growing, strict=True)
        )


@dataclass(frozen=True, eq=False)
class _Search:
    build: Callable[[tuple[int, ...]], Truncation]
    rtol: float
    largest: int
    method: SteadyMethod | None
    tried: list[tuple[tuple[int, ...], float]]  # cutoffs, and the population at their edges

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
        _require_edges(model, cutoffs)
        if model.lindblad.dimension > self.largest:
            return None
        sector, generator = diagonal_sector(model.lindblad)
        if sector.size > self.largest:
            return None
        try:
            steady = (self.method or _suitable(generator)).solve(model.lindblad, sector, generator)
        except (NoSteadyState, NotConverged) as reason:
            if not self.tried:
                raise
            raise NotConverged(f"at cutoffs {cutoffs}{self._history()}, {reason}") from reason
        populations = steady.state.populations
        edges = np.array([float(np.sum(populations[edge])) for edge in model.edges])
        self.tried.append((cutoffs, float(edges.max(initial=0.0))))
        return _Cut(cutoffs, steady, edges, *_means(steady, model))

    def _history(self) -> str:
        if not self.tried:
            return ""
        held = ", ".join(f"{edge:.1e} at {cutoffs}" for cutoffs, edge in self.tried[-4:])
        return f", after edges that held {held}"


def _suitable(generator: sp.csc_array) -> SteadyMethod:
    """An LU for as long as it fits: iterations fail on the slow escapes that cutoffs let in."""
    fits = generator.shape[0] * float(bandwidth(generator)) <= LARGEST_FILL
    return SparseLU() if fits else Krylov()


def _require_edges(model: Truncation, cutoffs: tuple[int, ...]) -> None:
    if len(model.edges) != len(cutoffs):
        raise InvalidArgument(
            f"`edges` must hold one entry for each of {len(cutoffs)} cutoffs, "
            f"but holds {len(model.edges)}"
        )


def _means(steady: SteadyState, model: Truncation) -> tuple[dict[str, float], dict[str, float]]:
    """Means, and the errors that the error of the state allows."""
    means, noise = {}, {}
    for name, value in model.observables.items():
        operator = hermitian_operator(f"observables[{name!r}]", value, model.lindblad.dimension)
        means[name] = float(np.real(steady.expect(operator)))
        noise[name] = steady.error * float(abs(operator.data).max(initial=0.0))
    return means, noise


def _agree(one: _Cut, other: _Cut, rtol: float) -> bool:
    """Whether no edge is full and no mean has changed."""
    if np.any(one.edges > rtol) or np.any(other.edges > rtol):
        return False
    return all(
        abs(mean - one.means[name]) <= max(rtol * abs(mean), one.noise[name], other.noise[name])
        for name, mean in other.means.items()
    )


def _grown(previous: _Cut, cut: _Cut, far: _Cut | None) -> Grown:
    others = [previous] if far is None else [previous, far]
    errors = {
        name: max(abs(mean - other.means[name]) for other in others) + cut.noise[name]
        for name, mean in cut.means.items()
    }
    checked = cut.cutoffs if far is None else far.cutoffs
    return Grown(cut.steady, cut.cutoffs, cut.means, errors, cut.edges, checked)
