"""What the evolution of a flywheel may start from."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.machines.flywheel.snapshot import FlywheelSnapshot
from wheelwork.machines.flywheel.state import FlywheelState
from wheelwork.phase_space import Distribution
from wheelwork.states import FromDensityMatrix, Preparation

NEGLIGIBLE = 3e-11  # of the largest Fourier component of W, above the noise of its tables
FEWEST_POINTS, MOST_POINTS = 64, 1024


@dataclass(frozen=True)
class Settled:
    """A stationary W as a state to start from."""

    distribution: Distribution
    error: float

    @property
    def extent(self) -> float:
        return self.distribution.extent

    @cached_property
    def wavenumber(self) -> float:
        """Where the Fourier transform of W has become negligible, on a mesh fine enough to tell."""
        points = FEWEST_POINTS
        while True:
            axis = np.linspace(-self.extent, self.extent, points, endpoint=False)
            content = np.abs(np.fft.rfft2(self.wigner(axis, axis)))
            k = 2.0 * np.pi * np.fft.fftfreq(points, axis[1] - axis[0])
            size = np.hypot(k[:, None], np.abs(k[: content.shape[1]]))
            largest = float(np.max(size[content > NEGLIGIBLE * np.max(content)]))
            if largest < 0.8 * np.max(np.abs(k)) or points >= MOST_POINTS:
                return 1.1 * largest
            points *= 2

    def wigner(self, X: FloatArray, P: FloatArray) -> FloatArray:
        """W on the mesh of the axes X (n,) and P (m,), shape (n, m)."""
        return self.distribution.density(X[:, None], P[None, :])


def _same_oscillator(machine: Any, frequency: float, mass: float) -> None:
    for name, value in (("frequency", frequency), ("mass", mass)):
        if getattr(machine, name) != value:
            raise InvalidArgument(
                f"`initial` must be a state of an oscillator of the same {name} = {value:g}, "
                f"but is of {getattr(machine, name):g}; its density matrix may be given instead"
            )


def preparation(initial: Any, frequency: float, mass: float) -> Preparation:
    """Return a preparation, settled state, snapshot or density matrix as what evolution takes.

    Raises InvalidArgument for anything else, and for a result of another oscillator, whose W is
    in other units of x and p.
    """
    match initial:
        case FlywheelState():
            _same_oscillator(initial.machine, frequency, mass)
            return Settled(initial.stationary.distribution, initial.wigner_error)
        case FlywheelSnapshot():
            _same_oscillator(initial.machine, frequency, mass)
            return initial.snapshot
        case np.ndarray():
            return FromDensityMatrix(initial)
        case Preparation() if not isinstance(initial, type):
            return initial
    raise InvalidArgument(
        "`initial` must be a state such as Ground(), Coherent(2.0) or device.steady_state(), "
        f"but is {initial!r}"
    )
