"""Two-time correlations of the stationary state and its spectrum, from windows of samples."""

import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.fft import irfft, next_fast_len, rfft

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged, shown
from wheelwork.methods.sampling_method import SAMPLE, SamplingMethod
from wheelwork.numerics.statistics import (
    BATCHES,
    MANY_TRAJECTORIES,
    ErrorOf,
    cautious_error,
    standard_error,
)
from wheelwork.phase_space.distribution import Weight
from wheelwork.phase_space.langevin.samples import Samples, accepted
from wheelwork.phase_space.langevin.simulation import Simulation, watch
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel
from wheelwork.results import AuditEntry
from wheelwork.results.datasets import Variables, variables

FEWEST_ORIGINS = 2048  # samples of a window that serve as time zero, so that transforms pay
SHORTEST_DELAY = 1e-6  # over the frequency: a step that resolves a shorter one would take too long
ROWS = 4  # position, real and imaginary part of the amplitude, intensity
SHORTEST_WINDOW = 8  # samples, for which the shape of Hann still means something
MEMORY_LIMIT = 2 * 2**30  # bytes of the windows of all trajectories
LANES_AT_ONCE = 8  # of one task; fixed, so that the bits do not depend on the threads


class Windows:
    """Windows of `length` samples, each `hop` samples after the last; they may overlap.

    buffer: (2, lanes, length), the last samples. filled: how many of them there are. Raises
    InvalidArgument, naming `name`, beyond 2 GiB.
    """

    def __init__(self, lanes: int, length: int, hop: int, name: str) -> None:
        if 16 * lanes * length > MEMORY_LIMIT:
            raise InvalidArgument(
                f"`{name}` must need windows of less than {MEMORY_LIMIT} bytes, but "
                f"{length} samples of {lanes} trajectories take {16 * lanes * length:.3g}"
            )
        self.buffer, self.length = np.empty((2, lanes, length)), length
        self.hop, self.filled = hop, 0

    def feed(self, series: FloatArray) -> Iterator[FloatArray]:
        """Take samples (n, 2, lanes); yield every window (2, lanes, length) that they fill.

        A window is overwritten when the next is requested.
        """
        taken = 0
        while taken < len(series):
            count = min(self.length - self.filled, len(series) - taken)
            part = series[taken : taken + count]
            self.buffer[:, :, self.filled : self.filled + count] = np.moveaxis(part, 0, 2)
            self.filled += count
            taken += count
            if self.filled == self.length:
                yield self.buffer
                kept = self.length - self.hop
                self.buffer[:, :, :kept] = self.buffer[:, :, self.hop :].copy()
                self.filled = kept


class BatchMeans:
    """Means over windows of time, of each trajectory; of fewer than 16 in at least 64 parts.

    total: windows to come. values: (parts, lanes, *shape) sums. counts: (parts,) windows in each.
    """

    def __init__(self, total: int, lanes: int, shape: tuple[int, ...]) -> None:
        parts = 1 if lanes >= MANY_TRAJECTORIES else min(total, -(-BATCHES // lanes))
        self.values, self.counts = np.zeros((parts, lanes, *shape)), np.zeros(parts)
        self.total, self.done = total, 0

    @property
    def part(self) -> int:
        """The part of the run to which the next window belongs."""
        return self.done * len(self.counts) // self.total

    def finish(self) -> None:
        """Count a window, after its values were added to `values[part]`."""
        self.counts[self.part] += 1.0
        self.done += 1

    def estimates(self, error_of: ErrorOf = standard_error) -> tuple[FloatArray, FloatArray]:
        """Means and errors of all windows so far, each of the shape of one value.

        Raises NotConverged before the first window, and as `error_of`.
        """
        begun = self.counts > 0.0
        if not np.any(begun):
            raise NotConverged("the run ended before the first window was full; raise `duration`")
        values, counts = self.values[begun], self.counts[begun]
        weight = counts.reshape((-1, *[1] * (values.ndim - 1)))
        mean = values.sum(axis=(0, 1)) / (np.sum(counts) * values.shape[1])
        off = values / weight - mean
        flat = off.reshape((*off.shape[:2], -1))
        error = np.array([error_of(flat[..., i]) for i in range(flat.shape[2])])
        return mean, error.reshape(mean.shape)

    def of(self, samples: Samples) -> tuple[FloatArray, FloatArray, str]:
        """`estimates` with the errors that the samples of the run deserve, and their shortfall."""
        try:
            return *self.estimates(samples.error_of), samples.shortfall
        except NotConverged as reason:
            cautious = partial(cautious_error, unmixed=False)
            return *self.estimates(cautious), samples.shortfall or str(reason)


@dataclass(eq=False)
class WindowMeans:
    """An observer of samples: means of a function over windows.

    function: window (2, lanes, length) of some lanes -> values (lanes, *shape).
    """

    windows: Windows
    means: BatchMeans
    function: Callable[[FloatArray], FloatArray]

    def __call__(self, series: FloatArray, executor: Executor) -> None:
        for window in self.windows.feed(series):
            if self.means.done == self.means.total:
                return
            part = self.means.values[self.means.part]

            def work(first: int, window: FloatArray = window, part: FloatArray = part) -> None:
                lanes = slice(first, first + LANES_AT_ONCE)
                part[lanes] += self.function(window[:, lanes])

            list(executor.map(work, range(0, window.shape[1], LANES_AT_ONCE)))
            self.means.finish()


@dataclass(frozen=True, eq=False)
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

    @property
    def audit(self) -> Mapping[str, AuditEntry]:
        """That of the samples."""
        return self.samples.audit

    def __repr__(self) -> str:
        longest = float(np.max(self.delays))
        return f"SampledCorrelations({self.delays.size} delays up to {longest:g}, {self.samples!r})"

    def to_xarray(self) -> xr.Dataset:
        """Return all correlations over `delay` with their errors, and the moments of the run.

        Complex ones as NAME_real and NAME_imag.
        """
        parts: Variables = {}
        units = {"position": "length^2"}
        for name in ("position", "amplitude", "intensity", "weighted"):
            values, errors = getattr(self, name), getattr(self, f"{name}_error")
            if values is not None:
                unit, meaning = units.get(name, "1"), f"correlation of {name}"
                parts |= variables("delay", name, values, errors, unit, meaning)
        delay = {"delay": ("delay", self.delays, {"units": "1/energy"})}
        return self.samples.to_xarray().assign(parts).assign_coords(delay)


def sampled_correlations(
    method: SamplingMethod, model: PhaseSpaceModel, delays: npt.ArrayLike, weight: Weight | None
) -> SampledCorrelations:
    """See `Langevin.correlations`."""
    if not isinstance(model, PhaseSpaceModel):
        raise InvalidArgument(f"`model` must be a PhaseSpaceModel, but is {shown(model)}")
    if weight is not None and not callable(weight):
        raise InvalidArgument(f"`weight` must be a function of X and P, but is {shown(weight)}")
    times = _times(delays, model.frequency)
    if method.step is None:
        step = Simulation.begin(method, model).setup.step
        if np.any(times > 0.0):  # of which the first delay is a multiple of four
            first = float(np.min(times[times > 0.0]))
            step = first / (SAMPLE * math.ceil(first / (SAMPLE * step) - 1e-9))
        method = replace(method, step=step)

    def prepare(begun: Simulation, samples: int) -> WindowMeans:
        lags = np.rint(times / begun.interval).astype(np.intp)
        return _correlation_means(lags, begun.setup.trajectories, samples, weight)

    done, samples, observer = watch(method, model, prepare)
    mean, error, shortfall = observer.means.of(samples)
    samples = replace(samples, shortfall=shortfall)
    result = SampledCorrelations(
        delays=np.asarray(np.rint(times / done.interval) * done.interval),
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
    return accepted(samples, result)


def _times(delays: npt.ArrayLike, frequency: float) -> FloatArray:
    times = _checks.finite_array("delays", delays, 1)
    if times.size == 0 or np.min(times) < 0.0:
        raise InvalidArgument("`delays` must hold at least one time, none of them negative")
    shortest = float(np.min(times[times > 0.0], initial=np.inf))
    if shortest < SHORTEST_DELAY / frequency:
        raise InvalidArgument(
            f"`delays` must be zero or at least {SHORTEST_DELAY / frequency:g}, a millionth of "
            f"1/frequency, but holds {shortest!r}"
        )
    return times


def _correlation_means(
    lags: npt.NDArray[np.intp], lanes: int, samples: int, weight: Weight | None
) -> WindowMeans:
    """Means over windows, whose first samples are times zero."""
    longest = int(np.max(lags))
    if longest >= samples:
        raise InvalidArgument(
            f"`delays` must be shorter than the run after burn-in, {samples} samples of each "
            f"trajectory, but reach over {longest}"
        )
    count = -(-(samples - longest) // max(longest, FEWEST_ORIGINS))
    origins = (samples - longest) // count

    def products(window: FloatArray) -> FloatArray:
        """Means over the origins of all products, (lanes, rows, delays)."""
        X, P = window
        first, size = slice(origins), next_fast_len(X.shape[1], real=True)
        x, p, s = (rfft(values, size) for values in (X, P, X**2 + P**2))
        x0, p0, s0 = (np.conj(rfft(values[:, first], size)) for values in (X, P, X**2 + P**2))
        spectra = [x * x0, x * x0 + p * p0, x * p0 - p * x0, s * s0]
        rows = [irfft(spectrum, size)[:, lags] for spectrum in spectra]
        if weight is not None:
            w0 = weight(X[:, first], P[:, first])
            weighted = irfft(s * np.conj(rfft(w0, size)), size)[:, lags]
            rows.append(weighted - 0.5 * np.sum(w0, axis=1, keepdims=True))
        return np.moveaxis(np.stack(rows) / origins, 0, 1)

    means = BatchMeans(count, lanes, (ROWS + (weight is not None), lags.size))
    return WindowMeans(Windows(lanes, origins + longest, origins, "delays"), means, products)


@dataclass(frozen=True, eq=False)
class SampledSpectrum:
    """S(ω) = ∫dτ e^{iωτ} (E[x(τ)x(0)] − ⟨x⟩²), so that ∫dω S/2π is the variance of x.

    frequency: ω ≥ 0, (n,), in steps of 2π/window; S is even in ω. position: S, (n,).
    position_error: (n,) standard errors. window: duration of one window. samples: the moments of
    the same run.

    P. D. Welch, IEEE Trans. Audio Electroacoust. 15, 70 (1967): windows of Hann's shape that
    overlap by half. S is smoothed over 1.5 · 2π/window (the noise bandwidth of the window):
    narrower lines are broadened, so `resolution` must be small against the line width. Samples 4 Δt
    apart do not distinguish ω from 2π/4Δt − ω: frequencies above π/4Δt are aliased.
    """

    frequency: FloatArray
    position: FloatArray
    position_error: FloatArray
    window: float
    samples: Samples

    @property
    def audit(self) -> Mapping[str, AuditEntry]:
        """That of the samples."""
        return self.samples.audit

    def __repr__(self) -> str:
        return f"SampledSpectrum({self.frequency.size} frequencies, {self.samples!r})"

    def to_xarray(self) -> xr.Dataset:
        """Return the spectrum over `frequency` with its errors, and the moments of the run."""
        of = "spectrum of the position"
        parts = variables(
            "frequency", "position_spectrum", self.position, self.position_error,
            "length^2/energy", of,
        )  # fmt: skip
        frequency = {"frequency": ("frequency", self.frequency, {"units": "energy"})}
        dataset = self.samples.to_xarray().assign(parts).assign_coords(frequency)
        return dataset.assign_attrs(window=self.window)


def sampled_spectrum(
    method: SamplingMethod, model: PhaseSpaceModel, resolution: float
) -> SampledSpectrum:
    """See `Langevin.spectrum`."""
    resolution = _checks.positive("resolution", resolution)

    def prepare(begun: Simulation, samples: int) -> WindowMeans:
        wanted = math.ceil(2.0 * math.pi / (resolution * begun.interval))
        length = next_fast_len(max(wanted, SHORTEST_WINDOW), real=True)
        if length > samples:
            least = 2.0 * math.pi / (samples * begun.interval)
            raise InvalidArgument(
                f"`resolution` must be at least {least:.3g}, 2π over the run after burn-in, "
                f"but is {shown(resolution)}"
            )
        lanes, hop = begun.setup.trajectories, length // 2
        shape = 0.5 - 0.5 * np.cos(2.0 * math.pi * (np.arange(length) + 0.5) / length)
        shape *= math.sqrt(begun.interval / np.sum(shape**2))
        centre = float(begun.progress.fine.late_means()[0])  # of X in the burn-in
        means = BatchMeans((samples - length) // hop + 1, lanes, (length // 2 + 1,))

        def periodogram(window: FloatArray) -> FloatArray:
            return np.asarray(np.abs(rfft(shape * (window[0] - centre))) ** 2)

        return WindowMeans(Windows(lanes, length, hop, "resolution"), means, periodogram)

    done, samples, observer = watch(method, model, prepare)
    window, square = observer.windows.length * done.interval, model.length**2
    mean, error, shortfall = observer.means.of(samples)
    samples = replace(samples, shortfall=shortfall)
    frequency = np.asarray(2.0 * math.pi / window * np.arange(mean.size))
    result = SampledSpectrum(frequency, square * mean, square * error, window, samples)
    return accepted(samples, result)
