"""Coefficients of the oscillator's motion, and the flows through the level, at fixed positions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NoSteadyState, NotConverged
from wheelwork.transport.integrands import quantities
from wheelwork.transport.leads import Lead
from wheelwork.transport.quadrature import Integrals, integrate

_BATCH = 128
_ROUNDING = 8.0 * np.finfo(np.float64).eps
_SMALLEST = np.finfo(np.float64).tiny
_BOUND = 1e-9  # spectral weight from which a gap in the sum rule is a bound state, not rounding


@dataclass(frozen=True, eq=False)
class Coefficients:
    """What a level that follows its leads without delay does to the oscillator at each position.

    Arrays have the shape of `x`; the flows have one more axis, of leads, in front, and count what
    leaves each lead for the device. The particle current is a number per time, the energy and heat
    currents frequency per time (hbar = e = k_B = 1).
    """

    x: FloatArray
    """Positions."""
    occupation: FloatArray
    """<c†c> = int dw/2pi g, with g = |G|^2 sum kappa f, a = |G|^2 sum kappa (Eq. (B13))."""
    diffusion: FloatArray
    """D = F^2 int dw/2pi g (a - g), of the momentum (Culhane et al., Eqs. (7), (B22))."""
    friction: FloatArray
    """m gamma = F^2 int dw/2pi g a', prime by frequency (Culhane et al., Eqs. (7), (B23)); it is
    negative where the leads drive the motion."""
    spectral_weight: FloatArray
    """int dw/2pi a: one, unless the level has a bound state."""
    particle_currents: FloatArray
    """I_a = int dw/2pi |G|^2 kappa_a sum_b kappa_b (f_a - f_b), shape (leads, ...)."""
    energy_currents: FloatArray
    """The same with w under the integral, shape (leads, ...)."""
    chemical_potentials: tuple[float, ...]
    """One per lead."""
    error: Mapping[str, FloatArray]
    """Estimated absolute error of each of the quantities above, by name, each shaped as it is."""

    @property
    def particle_current(self) -> FloatArray:
        """Particle current out of the first lead: left to right, where there are two."""
        return np.asarray(self.particle_currents[0])

    @property
    def heat_currents(self) -> FloatArray:
        """Heat leaving each lead, energy current - mu particle current, shape (leads, ...)."""
        mu = np.reshape(self.chemical_potentials, (-1,) + (1,) * self.x.ndim)
        return np.asarray(self.energy_currents - mu * self.particle_currents)


def compute_coefficients(
    leads: tuple[Lead, ...], level: float, force: float, x: FloatArray, rtol: float
) -> Coefficients:
    """Return the coefficients at `x`, with errors below `rtol` times the integrals' scale."""
    flat = np.sort(x, axis=None)
    batches = np.split(flat, range(_BATCH, flat.size, _BATCH))
    empty = Integrals(*np.zeros((3, 0, len(quantities(len(leads))))))
    results = [_checked(leads, level - force * b, b, rtol) for b in batches if b.size] or [empty]
    value, error, _ = (np.concatenate(field) for field in zip(*results, strict=True))
    back = np.empty(flat.size, dtype=np.intp)
    back[np.argsort(x, axis=None)] = np.arange(flat.size)
    fields = _by_name(value[back], len(leads), force, signed=True, shape=x.shape)
    errors = _by_name(error[back], len(leads), force, signed=False, shape=x.shape)
    mu = tuple(lead.chemical_potential for lead in leads)
    return Coefficients(x=x, chemical_potentials=mu, error=errors, **fields)


def _checked(leads: tuple[Lead, ...], levels: FloatArray, x: FloatArray, rtol: float) -> Integrals:
    """Integrate at `levels`, those of the positions `x`; raise where an answer is in doubt."""
    value, error, scale = integrate(leads, levels, rtol)
    relative = np.max(error / np.maximum(scale, _SMALLEST), axis=1)
    missing = 1.0 - value[:, 0]
    certain = np.abs(missing) - 10.0 * error[:, 0]
    if np.max(certain) > max(_BOUND, 10.0 * rtol):
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
            f"x = {x[worst]:.6g}, not {rtol:.1e} ({np.sum(relative > rtol)} of {x.size} places): "
            "the panels or the digits ran out; ask for a larger `rtol`"
        )
    return Integrals(value, error + (_ROUNDING + np.abs(missing))[:, None] * scale, scale)


def _by_name(
    table: FloatArray, leads: int, force: float, *, signed: bool, shape: tuple[int, ...]
) -> dict[str, FloatArray]:
    """Turn integrals (positions, quantities), or their errors, into the fields of the result."""
    fields = {
        "particle_currents": np.zeros((leads, *shape)),
        "energy_currents": np.zeros((leads, *shape)),
    }
    for column, key in zip(table.T, quantities(leads), strict=True):
        column = column.reshape(shape)
        if isinstance(key, str):
            fields[key] = column * (force**2 if key in ("diffusion", "friction") else 1.0)
            continue
        name, source, target = key
        fields[f"{name}_currents"][source] += column
        fields[f"{name}_currents"][target] += -column if signed else column
    return fields
