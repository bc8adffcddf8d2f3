"""Linear relaxation to the stationary state in a small space, and its modes."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import eig, lu_factor, lu_solve

from wheelwork._checks import FloatArray
from wheelwork.phase_space.response.decay import ComplexArray, Decay

# What evolves by the regression theorem, by the columns of `Relaxation.starts`. With α = X + iP,
# ∂_{α*} = ½(∂_X + i∂_P): aρ ↔ (α + ½∂_{α*})W = LOWERED_X + i LOWERED_P, and for aρa†
# (α + ½∂_{α*})(α* + ½∂_α)W = [|α|² + ½ + ½(X∂_X + P∂_P) + (∂_X² + ∂_P²)/16]W.
POSITION, MOMENTUM, LOWERED_X, LOWERED_P, INTENSITY, PAIR = range(6)
INVISIBLE = 1e-7  # share of a mode in the correlations, below which it is not listed
INVERSE_STEPS = 4


class Share(NamedTuple):
    """A combination of columns: Σ factor · column."""

    columns: tuple[int, ...]
    factors: tuple[complex, ...] = (1.0,)

    def of(self, values: npt.NDArray[np.inexact]) -> ComplexArray:
        """The combination along the last axis of `values`."""
        return np.asarray(values[..., list(self.columns)] @ np.array(self.factors, complex))


@dataclass(frozen=True)
class Relaxation:
    """dy/dt = G y for deviations y from the stationary state, in an orthonormal basis.

    generator: G, (n, n). starts: (n, 6), what the regression theorem lets evolve, less its
    stationary part; traces: (6,), the factors of W in that part. readings: (n, 3), of X, P
    and |α|²; means: (3,), theirs in the stationary state.
    probability: (nodes,), of W at nodes of phase space. ratio: takes y to the deviation it stands
    for over W, at the nodes. places: (nodes, 3), X, P and |α|² there.

    The equation has no growing modes; where G has, they are errors of its basis, and are left out
    of correlations, which keep count of them.
    """

    generator: FloatArray
    starts: FloatArray
    traces: FloatArray
    readings: FloatArray
    means: FloatArray
    probability: FloatArray
    places: FloatArray
    ratio: Callable[[FloatArray], FloatArray]

    @cached_property
    def _modes(self) -> tuple[ComplexArray, ComplexArray, ComplexArray]:
        """Eigenvalues, readings (modes, 3) and starts (modes, 6) of the modes."""
        values, vectors = eig(self.generator, check_finite=False)
        begun = np.linalg.solve(vectors, self.starts)
        return values, vectors.T @ self.readings, begun

    @cached_property
    def _decaying(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self._modes[0].real < 0.0)

    @cached_property
    def eigenvalues(self) -> ComplexArray:
        """Eigenvalues of the modes that decay and show in some correlation, slowest first."""
        values, read, begun = self._modes
        read = np.max(np.abs(read) / np.linalg.norm(self.readings, axis=0), axis=1)
        begun = np.max(np.abs(begun) / np.linalg.norm(self.starts, axis=0), axis=1)
        shown = values[self._decaying & (read * begun > INVISIBLE)]
        return np.asarray(shown[np.lexsort((shown.imag, -shown.real))])

    @property
    def slowest_rate(self) -> float:
        """The smallest rate of a real mode, NaN where there is none."""
        real = self.eigenvalues[self.eigenvalues.imag == 0.0].real
        return float(-np.max(real)) if real.size else math.nan

    @property
    def turning_rate(self) -> float:
        """|Im λ| of the slowest mode that turns, one where none does."""
        turning = self.eigenvalues[self.eigenvalues.imag > 0.0]
        return float(turning[0].imag) if turning.size else 1.0

    def slowest_mode(self) -> FloatArray:
        """W_1/W at the nodes for the slowest real mode W_1, whose integral vanishes."""
        shifted = self.generator + self.slowest_rate * (1.0 - 1e-9) * np.eye(len(self.generator))
        factors = lu_factor(shifted, check_finite=False)
        vector = np.ones(len(shifted)) / math.sqrt(len(shifted))
        for _ in range(INVERSE_STEPS):
            vector = lu_solve(factors, vector, check_finite=False)
            vector /= np.linalg.norm(vector)
        return self.ratio(vector)

    def decay(self, reading: Share, start: Share) -> Decay:
        """The correlation of two combinations."""
        values, read, begun = self._modes
        amplitudes = reading.of(read) * start.of(begun)
        return Decay(
            eigenvalues=values[self._decaying],
            amplitudes=amplitudes[self._decaying],
            constant=complex(reading.of(self.means) * start.of(self.traces)),
            generator=self.generator,
            start=start.of(self.starts),
            reading=reading.of(self.readings),
            left_out=float(np.sum(np.abs(amplitudes[~self._decaying]))),
        )
