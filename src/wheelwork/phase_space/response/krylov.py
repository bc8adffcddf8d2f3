"""Projection of a large relaxation on a rational Krylov space.

The space holds what starts and its images under (G − σ)⁻¹ for a few shifts σ, again and again
(A. Ruhe, Linear Algebra Appl. 58, 391 (1984)).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.phase_space.response.quantities import differences
from wheelwork.phase_space.response.relaxation import Relaxation

LARGEST_SPACE = 400

Solver = Callable[[FloatArray], FloatArray]


def compressed(
    starts: FloatArray,
    solvers: Sequence[Solver],
    project: Callable[[FloatArray], Relaxation],
    accuracy: float,
    negligible: float,
) -> tuple[Relaxation, Mapping[str, float]]:
    """Enlarge the space until what that changes is below `accuracy`; return the changes too.

    solvers: (G − σ)⁻¹ for each shift, real and imaginary parts side by side. negligible: share of
    a vector below which what it adds is noise. Where `accuracy` is not reached, the best is
    returned.
    """
    smaller: Relaxation | None = None
    best: tuple[Relaxation, Mapping[str, float]] | None = None
    for space in _spaces(starts, solvers, negligible):
        larger = project(space)
        if smaller is not None:
            changes = differences(smaller, larger)
            if best is None or max(changes.values()) < max(best[1].values()):
                best = larger, changes
            if max(changes.values()) <= accuracy:
                break
        smaller = larger
    if best is None:
        raise NotConverged("the Krylov space of the correlations ended before it was of use")
    return best


def _spaces(
    starts: FloatArray, solvers: Sequence[Solver], negligible: float
) -> Iterator[FloatArray]:
    """Orthonormal bases, each with one more solve per shift and start than the one before."""
    space = _fresh(np.zeros((len(starts), 0)), starts, negligible)
    latest = [space] * len(solvers)
    while space.shape[1] <= LARGEST_SPACE:
        for i, solve in enumerate(solvers):
            new = _fresh(space, solve(latest[i]), negligible)
            space = np.hstack([space, new])
            latest[i] = new[:, : starts.shape[1]] if new.size else latest[i]
        yield space


def _fresh(space: FloatArray, vectors: FloatArray, negligible: float) -> FloatArray:
    """Orthonormal basis of what `vectors` add to `space`, the largest first, less noise."""
    vectors = vectors / np.linalg.norm(vectors, axis=0)
    for _ in range(2):
        vectors = vectors - space @ (space.T @ vectors)
    basis, sizes, _ = np.linalg.svd(vectors, full_matrices=False)
    new = basis[:, sizes > negligible]
    new = new - space @ (space.T @ new)
    return np.asarray(np.linalg.qr(new)[0])
