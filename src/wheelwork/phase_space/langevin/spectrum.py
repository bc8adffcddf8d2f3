"""The spectrum of the position, from trajectories by Welch's method."""

import math
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from scipy.fft import next_fast_len, rfft

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.phase_space.langevin.batching import BatchMeans
from wheelwork.phase_space.langevin.samples import Samples
from wheelwork.phase_space.langevin.simulation import Method, Simulation, watch
from wheelwork.phase_space.langevin.windows import Windows, lane_groups
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel


@dataclass(frozen=True)
class SampledSpectrum:
    """S(ω) = ∫dτ e^{iωτ} (E[x(τ)x(0)] − ⟨x⟩²), so that ∫dω S/2π is the variance of x.

    frequency: ω ≥ 0, (n,), in steps of 2π/window; S is even in ω. position: S, (n,).
    position_error: (n,) standard errors. window: duration of one window. samples: the moments of
    the same run.

    P. D. Welch, IEEE Trans. Audio Electroacoust. 15, 70 (1967): windows of Hann's shape that
    overlap by half. S is smoothed over 1.5 · 2π/window (the shape's noise bandwidth): a line
    narrower than that is broadened, so `resolution` must be small against the line width. Samples
    4 Δt apart cannot tell ω from 2π/4Δt − ω: what lies above π/4Δt is folded back.
    """

    frequency: FloatArray
    position: FloatArray
    position_error: FloatArray
    window: float
    samples: Samples


def sampled_spectrum(method: Method, model: PhaseSpaceModel, resolution: float) -> SampledSpectrum:
    """Return the spectrum from trajectories, see `Langevin.spectrum`."""
    resolution = _checks.positive("resolution", resolution)
    sums: list[_Sums] = []

    def prepare(settled: Simulation, samples: int) -> "_Sums":
        wanted = math.ceil(2.0 * math.pi / (resolution * settled.interval))
        length = next_fast_len(max(wanted, 8), real=True)
        if length > samples:
            raise InvalidArgument(
                "`resolution` must be at least "
                f"{2.0 * math.pi / (samples * settled.interval):.3g}, "
                f"2π over the run after burn-in, but is {resolution!r}"
            )
        sums.append(_Sums.of(settled, length, samples))
        return sums[0]

    done, samples = watch(method, model, prepare)
    window = sums[0].windows.length * done.interval
    mean, error = sums[0].means.estimates()
    frequency = np.asarray(2.0 * math.pi / window * np.arange(mean.size))
    mean, error = model.length**2 * mean, model.length**2 * error
    return SampledSpectrum(frequency, mean, error, window, samples)


@dataclass
class _Sums:
    """Periodograms summed over windows. centre: mean of X in the burn-in, taken off first."""

    shape: FloatArray
    centre: float
    windows: Windows
    means: BatchMeans

    @classmethod
    def of(cls, settled: Simulation, length: int, samples: int) -> "_Sums":
        lanes, hop = settled.setup.trajectories, length // 2
        shape = 0.5 - 0.5 * np.cos(2.0 * math.pi * (np.arange(length) + 0.5) / length)
        shape *= math.sqrt(settled.interval / np.sum(shape**2))
        centre = float(settled.progress.fine.late_means()[0])
        windows = Windows.of(lanes, length, hop, "resolution")
        means = BatchMeans.of((samples - length) // hop + 1, lanes, (length // 2 + 1,))
        return cls(shape, centre, windows, means)

    def __call__(self, series: FloatArray, executor: Executor) -> None:
        for window in self.windows.feed(series):
            part = self.means.values[self.means.part]

            def work(lanes: slice, window: FloatArray = window, part: FloatArray = part) -> None:
                part[lanes] += np.abs(rfft(self.shape * (window[0, lanes] - self.centre))) ** 2

            list(executor.map(work, lane_groups(window.shape[1])))
            self.means.finish()
