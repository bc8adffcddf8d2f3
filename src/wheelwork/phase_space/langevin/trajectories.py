"""Bundles of trajectories, stepped together in compiled code.

A chunk of 256 steps is 64 blocks of four steps, one call of the random generator each; a sample is
taken at the end of a block. Lanes of a bundle do not see each other: splitting it changes no bit of
any lane.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.numerics.cubic_cells import EqualCells, cubic, locate_equal
from wheelwork.numerics.random import BLOCK, fill_normals, join_normals
from wheelwork.numerics.sampling_method import CHUNK
from wheelwork.phase_space.langevin.schemes import Scheme

SAMPLES_PER_CHUNK = CHUNK // BLOCK  # one for each block of normal deviates, 4 Δt apart
OBSERVABLES = ("x", "p", "x_squared", "p_squared", "x_p", "fourth")
KICKS = 3  # functions of the table that a step needs: loss, push, variance


@dataclass(frozen=True)
class Record:
    """What a bundle of trajectories did in a number of chunks.

    states: (chunks + 1, 2, lanes), X and P at the chunks' ends, the start included.
    sums: (chunks, observables, lanes) of X, P, X², P², XP, (X² + P²)² and local observables over
    the 64 samples. low, high: (chunks,) the range of X in which the coefficients were looked up.
    series: (chunks, 64, 2, lanes), X and P of all samples, or none at all.
    """

    states: FloatArray
    sums: FloatArray
    low: FloatArray
    high: FloatArray
    series: FloatArray

    @classmethod
    def joined(cls, records: Sequence["Record"]) -> "Record":
        """The record of several bundles as one."""
        return cls(
            np.concatenate([r.states for r in records], axis=2),
            np.concatenate([r.sums for r in records], axis=2),
            np.min([r.low for r in records], axis=0),
            np.max([r.high for r in records], axis=0),
            np.concatenate([r.series for r in records], axis=3),
        )

    def first(self, chunks: int) -> "Record":
        """The record of the first `chunks` chunks."""
        others = (self.sums, self.low, self.high, self.series)
        return Record(self.states[: chunks + 1], *(each[:chunks] for each in others))


def propagate(
    scheme: Scheme,
    cells: EqualCells,
    state: FloatArray,
    *,
    seed: int,
    first: int,
    chunk: int,
    chunks: int,
    joined: bool = False,
    keep_series: bool = False,
) -> Record:
    """Carry trajectories first, first + 1, … through `chunks` chunks from number `chunk` on.

    state: (2, lanes) X and P. cells: of `schemes.kick_function`. With `joined`, `scheme` has
    twice the step, and each of its steps takes the noise of two.
    """
    lanes = state.shape[1]
    count = len(OBSERVABLES) + cells.coefficients.shape[1] - KICKS
    states = np.empty((chunks + 1, 2, lanes))
    states[0] = state
    sums = np.zeros((chunks, count, lanes))
    series = np.empty((chunks, SAMPLES_PER_CHUNK if keep_series else 0, 2, lanes))
    reached = np.empty((chunks, 2, lanes))
    reached[:, 0], reached[:, 1] = np.inf, -np.inf
    kicks = np.ascontiguousarray(cells.coefficients[:, :KICKS])
    local = np.ascontiguousarray(cells.coefficients[:, KICKS:])
    half = len(kicks) / 2.0
    mesh = (1.0 / cells.spacing, half, 2.0 * half - 1.0)
    _propagate(
        states, sums, reached, series, kicks, local, mesh, scheme.motion,
        np.uint64(seed), first, chunk, joined,
    )  # fmt: skip
    low, high = reached[:, 0].min(axis=1), reached[:, 1].max(axis=1)
    return Record(states, sums, low, high, series)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _propagate(  # type: ignore[no-untyped-def]
    states, sums, reached, series, kicks, local, mesh, motion, seed, first, chunk, joined
):
    normals = np.empty((BLOCK, states.shape[2]))
    steps = BLOCK // 2 if joined else BLOCK
    for i in range(sums.shape[0]):
        X, P = states[i + 1, 0], states[i + 1, 1]
        X[:] = states[i, 0]
        P[:] = states[i, 1]
        low, high = reached[i, 0], reached[i, 1]
        start = (chunk + i) * SAMPLES_PER_CHUNK
        for block in range(start, start + SAMPLES_PER_CHUNK):
            fill_normals(normals, block, first, seed)
            if joined:
                join_normals(normals)
            _step(X, P, normals[0], motion[0], motion[1], motion[4], kicks, mesh, low, high)
            for j in range(1, steps):
                # The second half turn of a step and the first of the next, at once.
                _step(X, P, normals[j], motion[2], motion[3], motion[4], kicks, mesh, low, high)
            _turn(X, P, motion[0], motion[1], low, high)
            _measure(X, P, sums[i])
            if series.shape[1] > 0:
                series[i, block - start, 0] = X
                series[i, block - start, 1] = P
            if local.shape[1] > 0:
                _measure_local(X, local, mesh, sums[i, len(OBSERVABLES) :])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _step(X, P, normals, c, s, drift, kicks, mesh, low, high):  # type: ignore[no-untyped-def]
    for lane in range(X.size):
        x = c * X[lane] + s * P[lane]
        p = c * P[lane] - s * X[lane]
        low[lane] = x if x < low[lane] else low[lane]
        high[lane] = x if x > high[lane] else high[lane]
        cell, t = locate_equal(x, mesh[0], mesh[1], mesh[2])
        kick = cubic(kicks, cell, 0, t) * p + cubic(kicks, cell, 1, t)
        variance = cubic(kicks, cell, 2, t)
        spread = math.sqrt(variance) if variance > 0.0 else 0.0
        P[lane] = p + (kick + spread * normals[lane])
        X[lane] = x + drift * p


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _turn(X, P, c, s, low, high):  # type: ignore[no-untyped-def]
    for lane in range(X.size):
        x = c * X[lane] + s * P[lane]
        low[lane] = x if x < low[lane] else low[lane]
        high[lane] = x if x > high[lane] else high[lane]
        P[lane] = c * P[lane] - s * X[lane]
        X[lane] = x


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _measure(X, P, sums):  # type: ignore[no-untyped-def]
    for lane in range(X.size):
        x, p = X[lane], P[lane]
        sums[0, lane] += x
        sums[1, lane] += p
        sums[2, lane] += x * x
        sums[3, lane] += p * p
        sums[4, lane] += x * p
        sums[5, lane] += (x * x + p * p) * (x * x + p * p)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _measure_local(X, local, mesh, sums):  # type: ignore[no-untyped-def]
    for lane in range(X.size):
        cell, t = locate_equal(X[lane], mesh[0], mesh[1], mesh[2])
        for k in range(local.shape[1]):
            sums[k, lane] += cubic(local, cell, k, t)
