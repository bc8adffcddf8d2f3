"""Line shapes: how strongly a lead couples to the level at each frequency.

A line shape is the width kappa(w) >= 0 of a lead and the self energy that causality makes of it,

    chi(w) = P int dw'/2pi kappa(w') / (w - w') - i kappa(w) / 2        (Culhane et al., Eq. (B9)).

Anything with the two members of `LineShape` is a line shape; the classes here are closed forms.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from wheelwork._checks import FloatArray, positive, real
from wheelwork.parameters import Parameters, parameter


class Sample(NamedTuple):
    """A line shape at given frequencies: three arrays of the shape of the frequencies."""

    kappa: FloatArray
    """Width kappa(w), never negative."""
    slope: FloatArray
    """Derivative of kappa with respect to w."""
    shift: FloatArray
    """Real part of the self energy."""


class Landmarks(NamedTuple):
    """Where a quadrature over frequency has to look closely."""

    poles: tuple[tuple[float, float], ...] = ()
    """(position, distance from the real axis) of singularities in the complex plane."""
    edges: tuple[float, ...] = ()
    """Singularities on the real axis: band edges, knots. Weaker than a pole."""


@runtime_checkable
class LineShape(Protocol):
    """What the Green function needs to know of a lead's spectrum."""

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

    rate: float = parameter(r"\Gamma", "energy", "height of the line", check=positive)
    centre: float = parameter(r"\omega_c", "energy", "centre of the line", check=real, omitted=0.0)
    width: float = parameter(r"\delta", "energy", "half width at half maximum", check=positive)

    @property
    def landmarks(self) -> Landmarks:
        """One pole, `width` away from the real axis."""
        return Landmarks(poles=((self.centre, self.width),))

    def sample(self, frequency: FloatArray) -> Sample:
        """Return width, slope of the width and shift at `frequency`."""
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

    rate: float = parameter(r"\Gamma", "energy", "height of the band", check=positive)

    @property
    def landmarks(self) -> Landmarks:
        """None: the line is flat."""
        return Landmarks()

    def sample(self, frequency: FloatArray) -> Sample:
        """Return width, slope of the width and shift at `frequency`."""
        zero = np.zeros_like(frequency)
        return Sample(np.full_like(frequency, self.rate), zero, zero)


@dataclass(frozen=True, repr=False)
class Semicircle(Parameters):
    """Band of half width `width`, as of a semi-infinite chain: kappa = rate sqrt(1 - y^2).

    y = (w - centre) / width. Re chi = rate y/2 in the band, |y| < 1, and, where kappa vanishes,
    (rate/2)(y - sign(y) sqrt(y^2 - 1)). A level out there can stay bound, without steady state.
    Raises `InvalidArgument` unless `rate` and `width` are positive and `centre` is finite.
    """

    rate: float = parameter(r"\Gamma", "energy", "height of the band", check=positive)
    centre: float = parameter(r"\omega_c", "energy", "centre of the band", check=real, omitted=0.0)
    width: float = parameter(r"\delta", "energy", "half width of the band", check=positive)

    @property
    def landmarks(self) -> Landmarks:
        """The two band edges."""
        return Landmarks(edges=(self.centre - self.width, self.centre + self.width))

    def sample(self, frequency: FloatArray) -> Sample:
        """Return width, slope of the width (0 at the edges) and shift at `frequency`."""
        y = (frequency - self.centre) / self.width
        distance = np.abs(y)
        root = np.sqrt(np.abs((1.0 - distance) * (1.0 + distance)))
        inside = distance < 1.0
        slope = np.divide(-y, root, out=np.zeros_like(y), where=inside)
        shift = np.where(inside, y, np.copysign(1.0, y) / (distance + root))
        return Sample(
            self.rate * np.where(inside, root, 0.0),
            (self.rate / self.width) * slope,
            0.5 * self.rate * shift,
        )
