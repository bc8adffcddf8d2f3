"""A mixture divided among trajectories: strata, their weights, and estimates from them."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray
from wheelwork.lindblad.operators import ComplexArray, IndexArray
from wheelwork.lindblad.unravelling import STARTS, Unravelling, uniforms

EMPTY = 1e-14  # an eigenvalue of the initial state below is rounding
FEWEST = 2  # trajectories of an eigenvector of its own: with fewer there is no spread


def mixture(
    rho: sp.csc_array, unravelling: Unravelling
) -> tuple[FloatArray, list[tuple[ComplexArray, int]]]:
    """Eigenvalues of ρ and its eigenvectors, each with its set."""
    probabilities, vectors = [], []
    starts, order = unravelling.starts, unravelling.order
    ordered = sp.csr_array(sp.csr_array(rho)[order][:, order])
    weight = np.add.reduceat(ordered.diagonal().real, starts[:-1])
    for block in np.flatnonzero(weight > 0.0):
        inside = slice(int(starts[block]), int(starts[block + 1]))
        values, columns = np.linalg.eigh(ordered[inside, inside].toarray())
        for value, column in zip(values, columns.T, strict=True):
            if value > EMPTY:
                probabilities.append(float(value))
                vectors.append((np.ascontiguousarray(column), int(block)))
    return np.array(probabilities), vectors


def divided(
    probabilities: FloatArray, M: int, seed: int
) -> tuple[IndexArray, FloatArray, IndexArray]:
    """The initial vector, weight and stratum of each of M trajectories.

    Each vector of probability p has round(M p) of them and is a stratum; those that would have
    fewer than two are drawn, together one stratum, whose size makes up M.
    """
    count = np.rint(M * probabilities).astype(np.int64)
    count[count < FEWEST] = 0
    rare = np.flatnonzero(count == 0)
    share = float(probabilities[rare].sum())
    least = FEWEST if share > 0.0 else 0
    while count.sum() > M - least:  # rounding gave too many
        largest = int(np.argmax(np.where(count > FEWEST, count - M * probabilities, -np.inf)))
        if count[largest] <= FEWEST:
            return _drawn(probabilities, M, seed, 0, np.arange(M))
        count[largest] -= 1
    if share == 0.0:
        while count.sum() < M:
            count[int(np.argmin(count - M * probabilities))] += 1
    own = np.repeat(np.arange(count.size), count)
    weights = np.repeat(probabilities / np.maximum(count, 1), count)
    if share == 0.0:
        return own, weights, own.copy()
    last = np.arange(own.size, M)
    vectors, drawn, stratum = _drawn(probabilities[rare] / share, M, seed, count.size, last)
    return (
        np.concatenate((own, rare[vectors])),
        np.concatenate((weights, share * drawn)),
        np.concatenate((own, stratum)),
    )


def _drawn(
    probabilities: FloatArray, M: int, seed: int, stratum: int, numbers: IndexArray
) -> tuple[IndexArray, FloatArray, IndexArray]:
    """Vectors of the trajectories `numbers` at random, of equal weights."""
    cumulative, key = np.cumsum(probabilities), np.uint64(seed)
    choices = [uniforms(key, number, 0, STARTS)[0] for number in numbers]
    vectors = np.minimum(np.searchsorted(cumulative, choices), probabilities.size - 1)
    n = numbers.size
    return vectors, np.full(n, 1.0 / n), np.full(n, stratum, dtype=np.int64)


def estimate(lines: FloatArray, weights: FloatArray, strata: IndexArray) -> Any:
    """Weighted mean of lines (M, ...), and its standard error from the spread within strata."""
    mean, square = np.tensordot(weights, lines, 1), np.zeros(lines.shape[1:])
    for stratum in np.unique(strata):
        inside = strata == stratum
        share, count = float(weights[inside].sum()), int(np.count_nonzero(inside))
        square += share**2 * lines[inside].var(axis=0, ddof=1) / count
    return mean, np.sqrt(square)


class Sums:
    """Sums over the trajectories of one stratum, less the first of them against cancellation."""

    def __init__(self, first: FloatArray) -> None:
        self.origin, self.count = first, 0
        self.total, self.square = np.zeros((2, *first.shape))

    def add(self, lines: FloatArray) -> None:
        self.count += len(lines)
        self.total += np.sum(lines - self.origin, axis=0)
        self.square += np.sum((lines - self.origin) ** 2, axis=0)

    @property
    def mean(self) -> FloatArray:
        return np.asarray(self.origin + self.total / self.count)

    @property
    def variance(self) -> FloatArray:
        """Of the mean."""
        spread = np.maximum(self.square - self.total**2 / self.count, 0.0)
        return np.asarray(spread / (self.count * (self.count - 1)))
