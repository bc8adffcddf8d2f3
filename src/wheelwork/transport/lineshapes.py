"""Line shapes: how strongly a lead couples to the level at each frequency.

A line shape is the width kappa(w) >= 0 of a lead and the self energy that causality makes of it,

    chi(w) = P int dw'/2pi kappa(w') / (w - w') - i kappa(w) / 2        (Culhane et al., Eq. (B9)).

Anything with the two members of `LineShape` is a line shape. The classes here are closed forms, and
`Tabulated`: a piecewise cubic through samples, with its principal value in closed form.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

from wheelwork._checks import FloatArray, energy, finite_array, positive_energy
from wheelwork.errors import InvalidArgument
from wheelwork.parameters import Parameters, parameter

_LEAST_SAMPLES = 5  # half of them, which `error_estimate` keeps, must still show a curvature
# Half lengths from the middle of a piece up to which its transform is taken by Legendre functions
# of the second kind. These lose digits further out, where 8 Gauss points are exact to rounding.
_NEAR = 5.0
_GAUSS_POINTS, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(8)
# Column k: Legendre coefficients of (1 + t)^k, which turn powers on a piece into Legendre series.
_LEGENDRE = np.array(
    [[1.0, 1.0, 4 / 3, 2.0], [0.0, 1.0, 2.0, 3.6], [0.0, 0.0, 2 / 3, 2.0], [0.0, 0.0, 0.0, 0.4]]
)
_BLOCK = 1 << 16  # numbers in a temporary array: 512 KiB stay in cache
_TINY = np.finfo(np.float64).tiny  # keeps the logarithm of a distance finite at a knot


Numbers = tuple[float, ...]


class Sample(NamedTuple):
    """A line shape at given frequencies: three arrays of the shape of the frequencies.

    kappa: width, never negative. slope: dkappa/dw. shift: Re chi.
    """

    kappa: FloatArray
    slope: FloatArray
    shift: FloatArray


class Landmarks(NamedTuple):
    """Frequencies near which a quadrature needs fine panels.

    poles: (position, distance from the real axis) of singularities in the complex plane. edges:
    singularities on the real axis, weaker than a pole: band edges, knots.
    """

    poles: tuple[tuple[float, float], ...] = ()
    edges: tuple[float, ...] = ()

    def __repr__(self) -> str:
        return f"Landmarks(<{len(self.poles)} poles, {len(self.edges)} edges>)"


@runtime_checkable
class LineShape(Protocol):
    """Spectrum of a lead, as the Green function needs it."""

    @property
    def landmarks(self) -> Landmarks:
        """Singularities near and on the real axis."""

    def sample(self, frequency: FloatArray) -> Sample:
        """Return width, slope of the width and shift at `frequency`, an array of any shape."""


@dataclass(frozen=True, repr=False)
class Lorentzian(Parameters):
    """Lorentzian line of half width `width` about `centre`, of height `rate`.

    kappa = rate width^2 / ((w - centre)^2 + width^2), chi = (rate width/2) / (w - centre + i width)
    (Culhane et al., Eqs. (9), (B24)). All three in units of frequency.
    Raises `InvalidArgument` unless `rate` and `width` are positive and `centre` is finite.
    """

    rate: float = parameter(r"\Gamma", "energy", "height of the line", check=positive_energy)
    centre: float = parameter(
        r"\omega_c", "energy", "centre of the line", check=energy, omitted=0.0
    )
    width: float = parameter(
        r"\delta", "energy", "half width at half maximum", check=positive_energy
    )

    @property
    def landmarks(self) -> Landmarks:
        return Landmarks(poles=((self.centre, self.width),))

    def sample(self, frequency: FloatArray) -> Sample:
        detuning = (frequency - self.centre) / self.width
        envelope = 1.0 / (detuning * detuning + 1.0)
        kappa = self.rate * envelope
        shift = 0.5 * kappa * detuning
        return Sample(kappa, (-4.0 / self.width) * shift * envelope, shift)


@dataclass(frozen=True, repr=False)
class WideBand(Parameters):
    """Infinitely wide, flat band: kappa = rate, chi = -i rate / 2.

    Raises `InvalidArgument` unless `rate` is positive. Valid while the true band is wide against
    the temperatures, the bias and the excursion of the level.
    """

    rate: float = parameter(r"\Gamma", "energy", "height of the band", check=positive_energy)

    @property
    def landmarks(self) -> Landmarks:
        return Landmarks()

    def sample(self, frequency: FloatArray) -> Sample:
        zero = np.zeros_like(frequency)
        return Sample(np.full_like(frequency, self.rate), zero, zero)


@dataclass(frozen=True, repr=False)
class Semicircle(Parameters):
    """Band of half width `width`, as of a semi-infinite chain: kappa = rate sqrt(1 - y^2).

    y = (w - centre) / width. Re chi = rate y/2 in the band, |y| < 1, and, where kappa vanishes,
    (rate/2)(y - sign(y) sqrt(y^2 - 1)). A level there can remain bound, without steady state.
    Raises `InvalidArgument` unless `rate` and `width` are positive and `centre` is finite.
    """

    rate: float = parameter(r"\Gamma", "energy", "height of the band", check=positive_energy)
    centre: float = parameter(
        r"\omega_c", "energy", "centre of the band", check=energy, omitted=0.0
    )
    width: float = parameter(r"\delta", "energy", "half width of the band", check=positive_energy)

    @property
    def landmarks(self) -> Landmarks:
        return Landmarks(edges=(self.centre - self.width, self.centre + self.width))

    def sample(self, frequency: FloatArray) -> Sample:
        y = (frequency - self.centre) / self.width
        distance = np.abs(y)
        root = np.sqrt(np.abs((1.0 - distance) * (1.0 + distance)))
        inside = distance < 1.0
        slope = np.divide(-y, root, out=np.zeros_like(y), where=inside)  # zero at the edges
        shift = np.where(inside, y, np.copysign(1.0, y) / (distance + root))
        kappa = self.rate * np.where(inside, root, 0.0)
        return Sample(kappa, (self.rate / self.width) * slope, 0.5 * self.rate * shift)


def _numbers(name: str, value: Any) -> Numbers:
    return tuple(energy(name, number) for number in finite_array(name, value, ndim=1).tolist())


@dataclass(frozen=True, repr=False)
class Tabulated(Parameters):
    """Line shape through samples of the width kappa, zero outside them.

    `rate[i]` is kappa at `frequency[i]`: one-dimensional, rising, five samples or more. Between
    them kappa is a monotone piecewise cubic (PCHIP): continuous with its slope, never negative. The
    real part of the self energy is its exact Hilbert transform, so causality and the sum rule hold
    to rounding for the interpolant; `error_estimate` says how far that may be from the true width.
    Let the samples fall to zero at both ends: a step there is a true, logarithmic, band edge.
    Raises `InvalidArgument` for wrong shapes, frequencies that do not rise, negative or no rates.
    """

    frequency: Numbers = parameter(r"\omega", "energy", "frequencies of samples", check=_numbers)
    rate: Numbers = parameter(r"\kappa", "energy", "widths at these frequencies", check=_numbers)

    def __post_init__(self) -> None:
        super().__post_init__()
        w, rate = np.array(self.frequency), np.array(self.rate)
        if w.size < _LEAST_SAMPLES:
            raise InvalidArgument(
                f"`frequency` must hold at least {_LEAST_SAMPLES} samples, but holds {w.size}"
            )
        if rate.shape != w.shape:
            raise InvalidArgument(
                f"`rate` must have the shape of `frequency`, {w.shape}, but has {rate.shape}"
            )
        rising = np.diff(w) > 0.0
        if not np.all(rising):
            i = int(np.argmin(rising))
            raise InvalidArgument(
                f"`frequency` must rise, but is {w[i]} at sample {i} and {w[i + 1]} at the next"
            )
        positive_energy("frequency", float(np.min(np.diff(w))), "smallest step")
        if np.any(rate < 0.0):
            i = int(np.argmax(rate < 0.0))
            raise InvalidArgument(f"`rate` must not be negative, but is {rate[i]} (sample {i})")
        if not np.any(rate > 0.0):
            raise InvalidArgument("`rate` must be positive somewhere, but is zero at every sample")

    def __repr__(self) -> str:
        low, high = self.frequency[0], self.frequency[-1]
        return f"Tabulated(<{len(self.frequency)} samples from {low!r} to {high!r}>)"

    @property
    def landmarks(self) -> Landmarks:
        return Landmarks(edges=self.frequency)

    @cached_property
    def error_estimate(self) -> float:
        """Largest error of kappa at the samples when every second one is left out.

        In units of rate. An upper estimate for smooth widths, whose error falls with the spacing.
        """
        knots, rate = np.array(self.frequency), np.array(self.rate)
        kept = np.unique(np.append(np.arange(0, knots.size, 2), knots.size - 1))
        return float(np.max(np.abs(PchipInterpolator(knots[kept], rate[kept])(knots) - rate)))

    @cached_property
    def _pieces(self) -> "_Pieces":
        return _Pieces.through(np.array(self.frequency), np.array(self.rate))

    def sample(self, frequency: FloatArray) -> Sample:
        flat = np.ravel(frequency)
        parts = [*self._pieces.width(flat), self._pieces.hilbert(flat) / (2.0 * np.pi)]
        return Sample(*(part.reshape(np.shape(frequency)) for part in parts))


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Cubic pieces between `knots`: `power` in w - left knot and `legendre`, shape (4, pieces)."""

    knots: FloatArray
    power: FloatArray
    legendre: FloatArray

    @classmethod
    def through(cls, knots: FloatArray, rate: FloatArray) -> "_Pieces":
        power = PchipInterpolator(knots, rate).c[::-1]
        half = 0.5 * np.diff(knots)
        return cls(knots, power, _LEGENDRE @ (power * half ** np.arange(4)[:, None]))

    def width(self, frequency: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return kappa and its slope."""
        piece = np.clip(np.searchsorted(self.knots, frequency) - 1, 0, self.knots.size - 2)
        inside = (frequency >= self.knots[0]) & (frequency <= self.knots[-1])
        t = frequency - self.knots[piece]
        c0, c1, c2, c3 = self.power[:, piece]
        kappa = np.maximum(c0 + t * (c1 + t * (c2 + t * c3)), 0.0)
        slope = c1 + t * (2.0 * c2 + t * 3.0 * c3)
        return np.where(inside, kappa, 0.0), np.where(inside, slope, 0.0)

    def hilbert(self, frequency: FloatArray) -> FloatArray:
        """Return P int dw' kappa(w') / (w - w'), piece by piece."""
        size = max(1, _BLOCK // self.legendre.shape[1])
        starts = range(0, max(frequency.size, 1), size)
        return np.concatenate([self._hilbert_block(frequency[at : at + size]) for at in starts])

    def _hilbert_block(self, frequency: FloatArray) -> FloatArray:
        middle = 0.5 * (self.knots[1:] + self.knots[:-1])
        half = 0.5 * np.diff(self.knots)
        tau = (frequency[:, None] - middle) / half
        near = np.abs(tau) < _NEAR
        where, piece = np.nonzero(near)
        total = np.zeros(frequency.size)
        np.add.at(total, where, self._near(frequency[where], piece))
        tau[near] = np.inf
        values = np.polynomial.legendre.legval(_GAUSS_POINTS, self.legendre) * _GAUSS_WEIGHTS
        for point, value in zip(_GAUSS_POINTS, values.T, strict=True):
            total += (1.0 / (tau - point)) @ value
        return total

    def _near(self, frequency: FloatArray, piece: npt.NDArray[np.intp]) -> FloatArray:
        """Return sum_l c_l 2 Q_l(tau), Neumann's formula on and off the piece.

        The logarithms are taken of distances from the knots: those of neighbours cancel at a knot.
        """
        left, right = self.knots[piece], self.knots[piece + 1]
        tau = ((frequency - left) + (frequency - right)) / (right - left)
        log = np.log(np.maximum(np.abs(frequency - left), _TINY))
        log -= np.log(np.maximum(np.abs(frequency - right), _TINY))
        c0, c1, c2, c3 = self.legendre[:, piece]
        square = tau * tau
        at_tau = c0 + c1 * tau + c2 * (1.5 * square - 0.5) + c3 * tau * (2.5 * square - 1.5)
        beyond = 2.0 * c1 + 3.0 * c2 * tau + c3 * (5.0 * square - 4.0 / 3.0)
        return np.asarray(at_tau * log - beyond)
