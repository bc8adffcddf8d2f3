"""The resonant level: one electronic level between leads, its energy moved by a position."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray, energy, finite_array, real, refusal, tolerance
from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged, shown
from wheelwork.parameters import Parameters, parameter
from wheelwork.transport.contour import integrate_on_contour, is_rational
from wheelwork.transport.far_levels import integrate_far
from wheelwork.transport.integrands import quantities
from wheelwork.transport.leads import Lead
from wheelwork.transport.noise import charge_noise
from wheelwork.transport.quadrature import SMALLEST, Integrals, integrate
from wheelwork.transport.resonances import Index

_BATCH = 128  # positions that share one mesh: neighbours in x have similar peaks
_ROUNDING = 8.0 * np.finfo(np.float64).eps  # of an integral, relative to its scale
_BOUND = 1e-9  # spectral weight from which a gap in the sum rule is a bound state, not rounding


@dataclass(frozen=True, eq=False, repr=False)
class Coefficients:
    """Coefficients of the oscillator's motion for a level that follows its position instantly.

    Arrays have the shape of `x`; the currents have one more axis, of leads, in front, and count
    what leaves each lead for the device. The particle current is a number per time, the energy and
    heat currents are frequency per time (hbar = e = k_B = 1). Equations: Culhane et al.

    occupation: <c†c> = int dw/2pi g, g = |G|^2 sum kappa f, a = |G|^2 sum kappa (Eq. (B13)).
    diffusion: D = F^2 int dw/2pi g (a - g), of the momentum (Eqs. (7), (B22)).
    friction: m gamma = F^2 int dw/2pi g a', prime by frequency (Eqs. (7), (B23)); negative where
    the leads drive the motion.
    spectral_weight: int dw/2pi a: one, unless the level has a bound state.
    particle_currents: I_a = int dw/2pi |G|^2 kappa_a sum_b kappa_b (f_a - f_b), (leads, ...).
    energy_currents: the same with w under the integral. chemical_potentials: one per lead.
    error: estimated absolute error of each of these quantities, by name, each shaped as it is.
    """

    x: FloatArray
    occupation: FloatArray
    diffusion: FloatArray
    friction: FloatArray
    spectral_weight: FloatArray
    particle_currents: FloatArray
    energy_currents: FloatArray
    chemical_potentials: tuple[float, ...]
    error: Mapping[str, FloatArray]

    def __repr__(self) -> str:
        leads = len(self.chemical_potentials)
        return f"Coefficients(<at x of shape {self.x.shape}, {leads} leads>)"

    @property
    def particle_current(self) -> FloatArray:
        """Particle current out of the first lead: left to right, where there are two."""
        return np.asarray(self.particle_currents[0])

    @property
    def heat_currents(self) -> FloatArray:
        """Heat leaving each lead, energy current - mu particle current, shape (leads, ...)."""
        mu = np.reshape(self.chemical_potentials, (-1,) + (1,) * self.x.ndim)
        return np.asarray(self.energy_currents - mu * self.particle_currents)


def _integrals(
    leads: tuple[Lead, ...], levels: FloatArray, x: FloatArray, rtol: float
) -> Integrals:
    """Integrate at `levels`, those of the positions `x`, each in the fastest way that does."""
    result = Integrals(*np.zeros((3, levels.size, len(quantities(len(leads))))))
    left = np.arange(levels.size)
    for fast in (integrate_on_contour, integrate_far) if is_rational(leads) else ():
        part = fast(leads, levels[left]) if left.size else None
        if part is not None:
            good = np.all(part.error <= rtol * np.maximum(part.scale, SMALLEST), axis=1)
            _set(result, left[good], Integrals(*(field[good] for field in part)))
            left = left[~good]
    left = left[np.argsort(levels[left], kind="stable")]
    for batch in np.split(left, range(_BATCH, left.size, _BATCH)) if left.size else ():
        _set(result, batch, _checked(leads, levels[batch], x[batch], rtol))
    return result._replace(error=result.error + _ROUNDING * result.scale)


def _set(result: Integrals, at: Index, part: Integrals) -> None:
    for field, values in zip(result, part, strict=True):
        field[at] = values


def _checked(leads: tuple[Lead, ...], levels: FloatArray, x: FloatArray, rtol: float) -> Integrals:
    """Integrate on panels; raise where the sum rule is violated."""
    value, error, scale = integrate(leads, levels, rtol)
    relative = np.max(error / np.maximum(scale, SMALLEST), axis=1)
    missing = 1.0 - value[:, 0]
    certain = np.abs(missing) - 10.0 * error[:, 0]
    gaps = any(lead.lineshape.landmarks.edges for lead in leads)
    if gaps and np.max(certain) > max(_BOUND, 10.0 * rtol):
        worst = int(np.argmax(certain))
        raise NoSteadyState(
            f"the level has a bound state outside the bands of its leads at x = {x[worst]:.6g}: "
            f"{missing[worst]:.3g} of its spectral weight is missing, "
            "and its occupation would never forget the start"
        )
    # The sum rule sees what the panels do not: rounding inside a very narrow peak.
    relative = np.maximum(relative, np.abs(missing))
    if np.any(relative > rtol):
        worst = int(np.argmax(relative))
        raise NotConverged(
            f"the frequency integrals reach a relative error of {relative[worst]:.1e} at "
            f"x = {x[worst]:.6g}, not {rtol:.1e} ({np.sum(relative > rtol)} of {x.size} "
            "positions): the panels or the digits ran out, or a line shape is not causal; "
            "ask for a larger `rtol`"
        )
    return Integrals(value, error + np.abs(missing)[:, None] * scale, scale)


def _by_name(
    table: FloatArray, leads: int, force: float, *, signed: bool, shape: tuple[int, ...]
) -> dict[str, FloatArray]:
    """Turn integrals (positions, quantities), or their errors, into the fields of the result."""
    fields = {f"{name}_currents": np.zeros((leads, *shape)) for name in ("particle", "energy")}
    for column, key in zip(table.T, quantities(leads), strict=True):
        column = column.reshape(shape)
        if isinstance(key, str):
            fields[key] = column * (force**2 if key in ("diffusion", "friction") else 1.0)
            continue
        name, source, target = key
        fields[f"{name}_currents"][source] += column
        fields[f"{name}_currents"][target] += -column if signed else column
    return fields


def _broadcast(frequency: npt.ArrayLike, x: npt.ArrayLike) -> list[FloatArray]:
    """Return checked frequencies and positions in their common shape."""
    w, position = finite_array("frequency", frequency), finite_array("x", x)
    try:
        return list(np.broadcast_arrays(w, position))
    except ValueError:
        raise InvalidArgument(
            f"`x` must fit the shape of `frequency`, {w.shape}, but has {position.shape}"
        ) from None


def checked_leads(name: str, leads: Any) -> tuple[Lead, ...]:
    """Return `leads` as a tuple of one lead or more; a `Parameters` check."""
    if not isinstance(leads, tuple | list):
        raise refusal(name, "be a tuple of leads", leads)
    if not leads:
        raise InvalidArgument(f"`{name}` must hold at least one lead, but is {shown(leads)}")
    for i, lead in enumerate(leads):
        if not isinstance(lead, Lead):
            raise InvalidArgument(
                f"`{name}` must hold leads only, but holds {shown(lead)} (lead {i})"
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
    level: float = parameter(r"\epsilon", "energy", "energy of the level at x = 0", check=energy)
    force: float = parameter("F", "energy/length", "force of a charge", check=real)

    def coefficients(self, x: npt.ArrayLike, rtol: float = 1e-12) -> Coefficients:
        """Return occupation, diffusion, friction and flows at the positions `x`, of any shape.

        Each has an estimated quadrature error below `rtol` (1e-12 to 0.1) times the integral of its
        absolute integrand, or times 5e-277 where that is less: such numbers lose their digits.
        Cost: some 2 us per position among the lines and potentials of Lorentzian and flat leads,
        1 ms more for new leads; 35 us or more elsewhere. Valid while the oscillator is slow against
        the level (Culhane et al., Eq. (5)). With a peak close to a band edge or a knot an `rtol`
        below 1e-9 may not be reached. Raises `NotConverged` if the error cannot be reached,
        `NoSteadyState` if the level has a bound state outside all bands, and `InvalidArgument` for
        a bad `x` or `rtol`.
        """
        x, rtol = finite_array("x", x), tolerance("rtol", rtol)
        leads, force, count = self.leads, self.force, len(self.leads)
        value, error, _ = _integrals(leads, self.level - force * x.ravel(), x.ravel(), rtol)
        fields = _by_name(value, count, force, signed=True, shape=x.shape)
        errors = _by_name(error, count, force, signed=False, shape=x.shape)
        mu = tuple(lead.chemical_potential for lead in leads)
        return Coefficients(x=x, chemical_potentials=mu, error=errors, **fields)

    def force_noise_spectrum(
        self, frequency: npt.ArrayLike, x: npt.ArrayLike = 0.0, rtol: float = 1e-10
    ) -> FloatArray:
        """Return S_x(w) = F^2 int dw'/2pi g(w') [a - g](w' + w), `frequency` and `x` broadcast.

        The spectrum of the force fluctuations at rest at `x` (Culhane et al., Eq. (8)): D = S_x(0)
        and m gamma = S_x'(0). Positive w is energy given by the oscillator to the electrons, so
        S_x(-w) = exp(-w/T) S_x(w) at equilibrium; Eq. (B21) prints it mirrored. Relative error
        below `rtol` at every frequency. Raises as `coefficients` does.
        """
        w, position = _broadcast(frequency, x)
        rtol = tolerance("rtol", rtol)
        if not is_rational(self.leads):
            self.coefficients(np.unique(position), rtol)  # refuses a level that has a bound state
        levels = self.level - self.force * position.ravel()
        noise = charge_noise(self.leads, levels, w.ravel(), rtol)
        return np.asarray(self.force**2 * noise.reshape(w.shape))

    def green_function(
        self, frequency: npt.ArrayLike, x: npt.ArrayLike = 0.0
    ) -> npt.NDArray[np.complex128]:
        """Return G = 1/(w - level + force x - sum chi), `frequency` and `x` broadcast together."""
        w, position = _broadcast(frequency, x)
        chi = sum(lead.self_energy(w) for lead in self.leads)
        return np.asarray(1.0 / (w - (self.level - self.force * position) - chi))

    def spectral_function(self, frequency: npt.ArrayLike, x: npt.ArrayLike = 0.0) -> FloatArray:
        """Return a = -2 Im G, which integrates to one over dw/2pi; shapes as `green_function`."""
        return np.asarray(-2.0 * self.green_function(frequency, x).imag)
