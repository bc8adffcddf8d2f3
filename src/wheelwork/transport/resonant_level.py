"""The resonant level: one electronic level between leads, its energy moved by a position."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray, finite_array, real, tolerance
from wheelwork.errors import InvalidArgument
from wheelwork.parameters import Parameters, parameter
from wheelwork.transport.coefficients import Coefficients, compute_coefficients
from wheelwork.transport.leads import Lead
from wheelwork.transport.noise import charge_noise


def checked_leads(name: str, leads: Any) -> tuple[Lead, ...]:
    """Return `leads` as a tuple of one lead or more; a `Parameters` check."""
    if not isinstance(leads, tuple | list):
        raise InvalidArgument(f"`{name}` must be a tuple of leads, but is {leads!r}")
    if not leads:
        raise InvalidArgument(f"`{name}` must hold at least one lead, but is {leads!r}")
    for index, lead in enumerate(leads):
        if not isinstance(lead, Lead):
            raise InvalidArgument(
                f"`{name}` must hold leads only, but holds {lead!r} (lead {index})"
            )
    return tuple(leads)


@dataclass(frozen=True, repr=False)
class ResonantLevel(Parameters):
    """A single level of energy `level` - `force` x without interactions, between `leads`.

    H = (level - force x) c†c plus leads and tunnelling (Culhane et al., Eq. (B1)); `leads` is one
    `Lead` or more, the flows follow their order. Energies in units of frequency, `force` in
    frequency per length. Raises `InvalidArgument` for anything but leads, or numbers that are not
    finite.
    """

    leads: tuple[Lead, ...] = parameter("", "1", "leads", check=checked_leads)
    level: float = parameter(r"\epsilon", "energy", "energy of the level at x = 0", check=real)
    force: float = parameter("F", "energy/length", "force of a charge", check=real)

    def coefficients(self, x: npt.ArrayLike, rtol: float = 1e-12) -> Coefficients:
        """Return occupation, diffusion, friction and flows at the positions `x`, of any shape.

        Each has an estimated quadrature error below `rtol` (1e-12 to 0.1) times the integral of its
        absolute integrand. Valid while the oscillator is slow against the level (Culhane et al.,
        Eq. (5)). A peak close to a band edge or a knot can put an `rtol` below 1e-9 out of reach.
        Raises `NotConverged` if the error cannot be reached, `NoSteadyState` if the level has a
        bound state outside all bands, and `InvalidArgument` for a bad `x` or `rtol`.
        """
        positions = finite_array("x", x)
        return compute_coefficients(
            self.leads, self.level, self.force, positions, tolerance("rtol", rtol)
        )

    def force_noise_spectrum(
        self, frequency: npt.ArrayLike, x: float = 0.0, rtol: float = 1e-10
    ) -> FloatArray:
        """Return S_x(w) = F^2 int dw'/2pi g(w') [a - g](w' + w), shaped as `frequency`.

        The spectrum of the force fluctuations at rest at `x` (Culhane et al., Eq. (8)): D = S_x(0)
        and m gamma = S_x'(0). Positive w is energy given by the oscillator to the electrons, so
        S_x(-w) = exp(-w/T) S_x(w) at equilibrium; Eq. (B21) prints it mirrored. Relative error
        below `rtol` at every frequency. Raises as `coefficients` does.
        """
        w, position = finite_array("frequency", frequency), real("x", x)
        rtol = tolerance("rtol", rtol)
        self.coefficients(position, rtol)  # refuses a level that has a bound state
        level = self.level - self.force * position
        return self.force**2 * charge_noise(self.leads, level, w.ravel(), rtol).reshape(w.shape)

    def green_function(
        self, frequency: npt.ArrayLike, x: npt.ArrayLike = 0.0
    ) -> npt.NDArray[np.complex128]:
        """Return G = 1/(w - level + force x - sum chi), `frequency` and `x` broadcast together."""
        w, position = finite_array("frequency", frequency), finite_array("x", x)
        chi = sum(lead.self_energy(w) for lead in self.leads)
        return np.asarray(1.0 / (w - (self.level - self.force * position) - chi))

    def spectral_function(self, frequency: npt.ArrayLike, x: npt.ArrayLike = 0.0) -> FloatArray:
        """Return a = -2 Im G, which integrates to one over dw/2pi; shapes as `green_function`."""
        return np.asarray(-2.0 * self.green_function(frequency, x).imag)
