"""Linear relaxation to the stationary state in a small space: modes, correlations, Krylov spaces.

A large relaxation is projected on a rational Krylov space, which holds what starts and its images
under (G − σ)⁻¹ for a few shifts σ, again and again (A. Ruhe, Linear Algebra Appl. 58, 391 (1984)).
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import eig, lu_factor, lu_solve

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import NotConverged
from wheelwork.numerics.work import tick
from wheelwork.phase_space.response.decay import ComplexArray, Decay, find_line

# What the regression theorem evolves, by the columns of `Relaxation.starts`. With α = X + iP,
# ∂_{α*} = ½(∂_X + i∂_P): aρ ↔ (α + ½∂_{α*})W = LOWERED_X + i LOWERED_P, and for aρa†
# (α + ½∂_{α*})(α* + ½∂_α)W = [|α|² + ½ + ½(X∂_X + P∂_P) + (∂_X² + ∂_P²)/16]W.
POSITION, MOMENTUM, LOWERED_X, LOWERED_P, INTENSITY, PAIR = range(6)
INVISIBLE = 1e-7  # share of a mode in the correlations, below which it is not listed
INVERSE_STEPS = 4  # of inverse iteration at a shift 1e-9 off: each gains some nine digits
# The correlation whose size is the scale of errors: normal order may vanish by cancellation.
SCALES = {"emission": "amplitude", "pair": "intensity"}
DELAYS = 48  # at which two approximations are compared, in equal ratios, beside zero
LONGEST_DELAY = 4.0  # in units of one over the slowest rate: e^-4 of a fluctuation is left
LARGEST_SPACE = 400  # vectors: bounds the time to compute all modes
Solver = Callable[[FloatArray], FloatArray]


class Combination(NamedTuple):
    """Σ factor · column."""

    columns: tuple[int, ...]
    factors: tuple[complex, ...] = (1.0,)

    def of(self, values: npt.NDArray[np.inexact]) -> ComplexArray:
        """The combination along the last axis of `values`."""
        return np.asarray(values[..., list(self.columns)] @ np.array(self.factors, complex))


@dataclass(frozen=True, repr=False, eq=False)
class Relaxation(Computed):
    """dy/dt = G y for deviations y from the stationary state, in an orthonormal basis.

    generator: G, (n, n). starts: (n, 6), the initial deviations of the regression theorem, without
    their stationary part; traces: (6,), the factors of W in that part. readings: (n, 3), of X, P
    and |α|²; means: (3,), theirs in the stationary state.
    probability: (nodes,), of W at nodes of phase space. ratio: takes y to the deviation it stands
    for over W, at the nodes; no closure, so that results can be pickled. positions: (nodes, 3),
    X, P and |α|² there. frequency: of the bare oscillator.

    The equation has no growing modes. Where G has, they are errors of its basis: correlations leave
    them out and count them as an error.
    """

    generator: FloatArray
    starts: FloatArray
    traces: FloatArray
    readings: FloatArray
    means: FloatArray
    probability: FloatArray
    positions: FloatArray
    ratio: Callable[[FloatArray], FloatArray]
    frequency: float

    @cached_property
    def _modes(self) -> tuple[ComplexArray, ComplexArray, ComplexArray]:
        """Eigenvalues, readings (modes, 3) and starts (modes, 6) of the modes."""
        values, vectors = eig(self.generator, check_finite=False)
        return values, vectors.T @ self.readings, np.linalg.solve(vectors, self.starts)

    @cached_property
    def _decaying(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self._modes[0].real < 0.0)

    @cached_property
    def eigenvalues(self) -> ComplexArray:
        """Eigenvalues of the modes that decay and show in some correlation, slowest first."""
        values, read, projected_starts = self._modes
        read = np.max(np.abs(read) / np.linalg.norm(self.readings, axis=0), axis=1)
        started = np.abs(projected_starts) / np.linalg.norm(self.starts, axis=0)
        shown = values[self._decaying & (read * np.max(started, axis=1) > INVISIBLE)]
        return np.asarray(shown[np.lexsort((shown.imag, -shown.real))])

    @property
    def slowest_rate(self) -> float:
        """The smallest rate of a real mode, NaN where there is none."""
        real = self.eigenvalues[self.eigenvalues.imag == 0.0].real
        return float(-np.max(real)) if real.size else math.nan

    @property
    def turning_rate(self) -> float:
        """|Im λ| of the slowest mode that turns, the bare frequency where none does."""
        turning = self.eigenvalues[self.eigenvalues.imag > 0.0]
        return float(turning[0].imag) if turning.size else self.frequency

    def slowest_mode(self) -> FloatArray:
        """W_1/W at the nodes for the slowest real mode W_1, whose integral vanishes."""
        shifted = self.generator + self.slowest_rate * (1.0 - 1e-9) * np.eye(len(self.generator))
        factors = lu_factor(shifted, check_finite=False)
        vector = np.ones(len(shifted)) / math.sqrt(len(shifted))
        for _ in range(INVERSE_STEPS):
            vector = lu_solve(factors, vector, check_finite=False)
            vector /= np.linalg.norm(vector)
        return self.ratio(vector)

    def correlation(self, name: str) -> Decay:
        """One of `CORRELATIONS`."""
        reading, start = CORRELATIONS[name]
        values, read, projected_starts = self._modes
        amplitudes = reading.of(read) * start.of(projected_starts)
        return Decay(
            eigenvalues=values[self._decaying],
            amplitudes=amplitudes[self._decaying],
            constant=complex(reading.of(self.means) * start.of(self.traces)),
            generator=self.generator,
            start=start.of(self.starts),
            reading=reading.of(self.readings),
            left_out=float(np.sum(np.abs(amplitudes[~self._decaying]))),
        )


READ_X, READ_P, READ_SQUARE = Combination((0,)), Combination((1,)), Combination((2,))
CONJUGATE = Combination((0, 1), (1.0, -1.0j))  # α* = X − iP

CORRELATIONS: Mapping[str, tuple[Combination, Combination]] = MappingProxyType(
    {
        "position": (READ_X, Combination((POSITION,))),
        "momentum": (READ_P, Combination((MOMENTUM,))),
        "amplitude": (CONJUGATE, Combination((POSITION, MOMENTUM), (1.0, 1.0j))),
        "emission": (CONJUGATE, Combination((LOWERED_X, LOWERED_P), (1.0, 1.0j))),
        "intensity": (READ_SQUARE, Combination((INTENSITY,))),
        "pair": (READ_SQUARE, Combination((PAIR,))),
    }
)


def differences(coarse: Relaxation, fine: Relaxation) -> dict[str, float]:
    """Relative changes of everything reported.

    Of a correlation: the largest over delays, over its fluctuations at τ = 0 (of `SCALES`), with
    the growing modes that were left out of it. Of the line: of its frequency over its width, of its
    width and coherence time over themselves.
    """
    tick("modes of the relaxation")
    delays = _delays(fine)
    pairs = {name: (coarse.correlation(name), fine.correlation(name)) for name in CORRELATIONS}
    changes = {}
    for name, (before, after) in pairs.items():
        scale = abs(pairs[SCALES.get(name, name)][1].initial)
        moved = np.abs(before.fluctuation(delays) - after.fluctuation(delays))
        still = abs(before.constant - after.constant)
        changes[name] = (float(np.max(moved)) + still + after.lost) / scale
    numbers = _line_changes(*pairs["amplitude"])
    numbers["slowest_rate"] = _relative(coarse.slowest_rate, fine.slowest_rate)
    least = max(changes.values())
    return changes | {name: max(change, least) for name, change in numbers.items()}


def _line_changes(before: Decay, after: Decay) -> dict[str, float]:
    try:
        coarse, fine = find_line(before), find_line(after)
    except NotConverged:
        return dict.fromkeys(("line_frequency", "line_width", "coherence_time"), np.inf)
    return {
        "line_frequency": abs(coarse.frequency - fine.frequency) / fine.width,
        "line_width": _relative(coarse.width, fine.width),
        "coherence_time": _relative(coarse.coherence_time, fine.coherence_time),
    }


def _relative(coarse: float, fine: float) -> float:
    if np.isnan(fine):
        return 0.0 if np.isnan(coarse) else np.inf
    return np.inf if np.isnan(coarse) else abs(coarse / fine - 1.0)


def _delays(relaxation: Relaxation) -> FloatArray:
    rates = relaxation.eigenvalues
    longest = LONGEST_DELAY / float(np.min(-rates.real))
    shortest = 0.05 / float(np.max(np.abs(rates[: max(1, rates.size // 4)])))
    return np.concatenate([[0.0], np.geomspace(shortest, longest, DELAYS)])


def through(
    full: Callable[[FloatArray], FloatArray], space: FloatArray, deviation: FloatArray
) -> FloatArray:
    """`ratio` of a relaxation projected on `space`, from that of the whole."""
    return full(space @ deviation)


def compress(
    starts: FloatArray,
    solvers: Sequence[Solver],
    project: Callable[[FloatArray], Relaxation],
    tolerance: float,
    negligible: float,
) -> tuple[Relaxation, Mapping[str, float]]:
    """Enlarge the space until the changes are below `tolerance`; return these as well.

    solvers: (G − σ)⁻¹ for each shift, real and imaginary parts side by side. negligible: share of a
    new vector below which it is noise. If `tolerance` is not reached, the best result is returned.
    """
    smaller: Relaxation | None = None
    best: tuple[Relaxation, Mapping[str, float]] | None = None
    for space in _spaces(starts, solvers, negligible):
        tick("a Krylov space of the correlations", space.shape[1], LARGEST_SPACE)
        larger = project(space)
        if smaller is not None:
            changes = differences(smaller, larger)
            if best is None or max(changes.values()) < max(best[1].values()):
                best = larger, changes
            if max(changes.values()) <= tolerance:
                break
        smaller = larger
    if best is None:
        raise NotConverged("the Krylov space of the correlations ended after a single step")
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
