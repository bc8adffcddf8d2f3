"""Two-time correlations of the stationary state, from trajectories."""

import math
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.phase_space.langevin.batching import BatchMeans
from wheelwork.phase_space.langevin.samples import Samples
from wheelwork.phase_space.langevin.simulation import Method, Simulation, watch
from wheelwork.phase_space.langevin.trajectories import BLOCKS_PER_CHUNK, CHUNK
from wheelwork.phase_space.langevin.windows import Windows, lane_groups
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel

Weight = Callable[[FloatArray, FloatArray], FloatArray]
FEWEST_ORIGINS = 2048  # samples of a window that serve as time zero
PER_SAMPLE = CHUNK // BLOCKS_PER_CHUNK  # steps
SHORTEST_DELAY = 1e-6
ROWS = 4  # position, real and imaginary part of the amplitude, intensity


@dataclass(frozen=True)
class SampledCorrelations:
    """Stationary two-time correlations with standard errors, each (delays,).

    With X = x/x0, P = p/p0 and α = X + iP, which turns as e^{−iω0 t}:

    position: E[x(τ) x(0)] = Re⟨x(τ) x(0)⟩ (Culhane et al., Eqs. (A28)–(A31)), in units of x²;
    the mean is not subtracted. amplitude: E[α*(τ) α(0)], symmetrised, complex, turning as
    e^{+iω0 τ}; its error is that of real and imaginary part, as a complex number.
    intensity: E[|α(τ)|² |α(0)|²], symmetrised (Weyl) at both times.
    weighted: E[w(X(0), P(0)) (|α(τ)|² − ½)], None without a `weight`.
    With w the Weyl symbol of aρa† over that of ρ, w = [(α + ½∂_{α*})(α* + ½∂_α) W]/W, it is
    ⟨a†(0) a†(τ) a(τ) a(0)⟩, and g²(τ) after division by ⟨a†a⟩².

    delays: τ, multiples of 4 Δt. samples: the moments of the same run.

    Every sample serves as time zero. The errors are those of whole trajectories (or with fewer
    than 16, of parts of them); errors at neighbouring delays are correlated.
    """

    delays: FloatArray
    position: FloatArray
    position_error: FloatArray
    amplitude: npt.NDArray[np.complex128]
    amplitude_error: npt.NDArray[np.complex128]
    intensity: FloatArray
    intensity_error: FloatArray
    weighted: FloatArray | None
    weighted_error: FloatArray | None
    samples: Samples


def sampled_correlations(
    method: Method, model: PhaseSpaceModel, delays: npt.ArrayLike, weight: Weight | None
) -> SampledCorrelations:
    """Return correlations from trajectories, see `Langevin.correlations`."""
    times = _times(delays)
    sums: list[_Sums] = []

    def prepare(settled: Simulation, samples: int) -> "_Sums":
        lags = np.rint(times / settled.interval).astype(np.intp)
        sums.append(_Sums.of(lags, settled.setup.trajectories, samples, weight))
        return sums[0]

    done, samples = watch(method, model, prepare)
    mean, error = sums[0].means.estimates()
    return SampledCorrelations(
        delays=np.asarray(sums[0].lags * done.interval),
        position=model.length**2 * mean[0],
        position_error=model.length**2 * error[0],
        amplitude=mean[1] + 1j * mean[2],
        amplitude_error=error[1] + 1j * error[2],
        intensity=mean[3],
        intensity_error=error[3],
        weighted=mean[4] if weight else None,
        weighted_error=error[4] if weight else None,
        samples=samples,
    )


def sampling_step(method: Method, model: PhaseSpaceModel, delays: npt.ArrayLike) -> float:
    """Return the method's step; without one, a step of which the first delay is a multiple of four.

    So that uniform delays are met exactly.
    """
    if method.step is not None:
        return method.step
    step = Simulation.begin(method, model).setup.step
    times = _times(delays)
    if not np.any(times > 0.0):
        return step
    first = float(np.min(times[times > 0.0]))
    return first / (PER_SAMPLE * math.ceil(first / (PER_SAMPLE * step) - 1e-9))


def _times(delays: npt.ArrayLike) -> FloatArray:
    times = _checks.finite_array("delays", delays, 1)
    if times.size == 0 or np.min(times) < 0.0:
        raise InvalidArgument("`delays` must hold at least one time, none of them negative")
    shortest = np.min(times[times > 0.0], initial=np.inf)
    if shortest < SHORTEST_DELAY:
        raise InvalidArgument(
            f"`delays` must be zero or at least {SHORTEST_DELAY:g}, but holds {shortest!r}"
        )
    return times


@dataclass
class _Sums:
    """Correlations summed over windows, whose first `origins` samples are times zero."""

    lags: npt.NDArray[np.intp]
    origins: int
    weight: Weight | None
    windows: Windows
    means: BatchMeans

    @classmethod
    def of(
        cls, lags: npt.NDArray[np.intp], lanes: int, samples: int, weight: Weight | None
    ) -> "_Sums":
        longest = int(np.max(lags))
        if longest >= samples:
            raise InvalidArgument(
                f"`delays` must be shorter than the run after burn-in, {samples} samples of each "
                f"trajectory, but reach over {longest}"
            )
        count = -(-(samples - longest) // max(longest, FEWEST_ORIGINS))
        origins = (samples - longest) // count
        windows = Windows.of(lanes, origins + longest, origins, "delays")
        means = BatchMeans.of(count, lanes, (ROWS + (weight is not None), lags.size))
        return cls(lags, origins, weight, windows, means)

    def __call__(self, series: FloatArray, executor: Executor) -> None:
        for window in self.windows.feed(series):
            if self.means.done == self.means.total:
                return
            part = self.means.values[self.means.part]

            def work(lanes: slice, window: FloatArray = window, part: FloatArray = part) -> None:
                part[lanes] += np.moveaxis(self._products(window[:, lanes]), 0, 1)

            list(executor.map(work, lane_groups(window.shape[1])))
            self.means.finish()

    def _products(self, window: FloatArray) -> FloatArray:
        """Means over the origins of all products, (rows, lanes, delays)."""
        X, P = window
        first, size = slice(self.origins), next_fast_len(X.shape[1], real=True)
        x, p, s = (rfft(values, size) for values in (X, P, X**2 + P**2))
        x0, p0, s0 = (np.conj(rfft(values[:, first], size)) for values in (X, P, X**2 + P**2))
        spectra = [x * x0, x * x0 + p * p0, x * p0 - p * x0, s * s0]
        rows = [irfft(spectrum, size)[:, self.lags] for spectrum in spectra]
        if self.weight is not None:
            w0 = self.weight(X[:, first], P[:, first])
            products = irfft(s * np.conj(rfft(w0, size)), size)[:, self.lags]
            rows.append(products - 0.5 * np.sum(w0, axis=1, keepdims=True))
        return np.stack(rows) / self.origins
