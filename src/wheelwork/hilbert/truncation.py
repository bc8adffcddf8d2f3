"""Cutoffs that grow until what lies beyond them no longer matters."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wheelwork._checks import FloatArray, integer, tolerance
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.hilbert.lindblad import Lindblad
from wheelwork.hilbert.operators import sparse_operator
from wheelwork.hilbert.solve import steady_state
from wheelwork.hilbert.steady import SteadyMethod, SteadyState

GROWTH = 1.5
LARGEST = 200_000  # basis states


@dataclass(frozen=True, eq=False)
class Truncation:
    """A model cut to finitely many basis states.

    edges: for each cutoff the basis states next to it. observables: matrices by name whose
    means must not depend on the cutoffs.
    """

    lindblad: Lindblad
    edges: Sequence[Any]
    observables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Grown:
    """A steady state whose cutoffs no longer matter.

    cutoffs: those of `steady`. means: of the observables; errors: their estimated absolute errors,
    the last change and what the state's own error allows. edge_populations: (cutoffs,).
    """

    steady: SteadyState
    cutoffs: tuple[int, ...]
    means: Mapping[str, float]
    errors: Mapping[str, float]
    edge_populations: FloatArray


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
    the state itself has.

    Args:
        build: makes the model at given cutoffs.
        first: cutoffs to begin with, at least 1.
        largest: most basis states.
        method: see `steady_state`.

    Raises:
        NotConverged: when more than `largest` basis states were needed.
        NoSteadyState, InvalidArgument: as `steady_state` and `build` do.
    """
    accuracy = tolerance("rtol", rtol)
    cutoffs = tuple(integer("first", cutoff, 1) for cutoff in first)
    previous: Mapping[str, float] | None = None
    while True:
        cut = build(cutoffs)
        if cut.lindblad.dimension > largest:
            raise NotConverged(_exhausted(cutoffs, cut, largest))
        steady = steady_state(cut.lindblad, method)
        edges = _edge_populations(steady, cut, cutoffs)
        full = edges > accuracy
        means, noise = _means(steady, cut)
        if not np.any(full):
            if previous is not None and _agree(means, previous, noise, accuracy):
                errors = {name: abs(means[name] - previous[name]) + noise[name] for name in means}
                return Grown(steady, cutoffs, means, errors, edges)
            previous = means
        growing = full if np.any(full) else np.ones(len(cutoffs), dtype=bool)
        cutoffs = tuple(
            math.ceil(GROWTH * cutoff) if grows else cutoff
            for cutoff, grows in zip(cutoffs, growing, strict=True)
        )


def _edge_populations(steady: SteadyState, cut: Truncation, cutoffs: tuple[int, ...]) -> FloatArray:
    if len(cut.edges) != len(cutoffs):
        raise InvalidArgument(
            f"`edges` must hold one entry for each of {len(cutoffs)} cutoffs, "
            f"but holds {len(cut.edges)}"
        )
    populations = steady.state.populations
    return np.array([float(np.sum(populations[edge])) for edge in cut.edges])


def _means(steady: SteadyState, cut: Truncation) -> tuple[dict[str, float], dict[str, float]]:
    """Means, and the errors that the error of the state allows."""
    means, noise = {}, {}
    for name, value in cut.observables.items():
        operator = sparse_operator(f"observables[{name!r}]", value, cut.lindblad.dimension)
        means[name] = float(np.real(steady.expect(operator)))
        noise[name] = steady.error * float(abs(operator.data).max(initial=0.0))
    return means, noise


def _agree(
    means: Mapping[str, float],
    previous: Mapping[str, float],
    noise: Mapping[str, float],
    rtol: float,
) -> bool:
    return all(
        abs(mean - previous[name]) <= max(rtol * abs(mean), noise[name])
        for name, mean in means.items()
    )


def _exhausted(cutoffs: tuple[int, ...], cut: Truncation, largest: int) -> str:
    return (
        f"the cutoffs had to grow to {cutoffs}, which takes {cut.lindblad.dimension} basis states "
        f"of at most {largest}: the populations may have no bound"
    )
