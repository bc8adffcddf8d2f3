"""The noisy oscillator that every method of this package works on, and tables of its rates."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged, shown
from wheelwork.parameters import ShortRepr
from wheelwork.phase_space.chebyshev import ChebyshevTable, tabulate
from wheelwork.states.oscillator import length_unit, momentum_unit

Coefficients = Callable[[FloatArray], FloatArray]
# Of rtol, for the tables of the coefficients. Their errors are integrated into ln W, and tables
# made of tables are looser by 10 and 30: `table_error` estimates what is left of them in W.
TABLE_SHARE = 1e-5
FINEST_TABLES = 2e-13  # relative; rounding of the coefficients allows no finer ones


@dataclass(frozen=True, repr=False)
class Together(ShortRepr):
    """Coefficients of a `PhaseSpaceModel` from one function for each row."""

    force: Coefficients
    friction: Coefficients
    diffusion: Coefficients

    def __call__(self, x: FloatArray) -> FloatArray:
        rows = self.force(x), self.friction(x), self.diffusion(x)
        return np.stack(np.broadcast_arrays(x, *rows)[1:])


@dataclass(frozen=True, repr=False)
class PhaseSpaceModel(ShortRepr):
    """An oscillator with position-dependent force, friction and noise.

    dx = p/m dt,
    dp = (−m ω0² x + force(x) − friction(x) p/m) dt + √diffusion(x) dW,

    so that ∂W/∂t = ∂_p[(m ω0² x − force + friction p/m) W] − (p/m) ∂_x W + (diffusion/2) ∂_p² W
    (Culhane et al., Eqs. (6) and (A24), with friction = m γ and diffusion = D).

    coefficients: x (n,) -> (3 + local observables, n): force, friction, diffusion (the drift and
    the noise), in one function because they usually share a calculation.
    local_observables: names of further rows, local quantities such as a particle current at x,
    tabulated together so that their means cost nothing extra.
    mass, frequency: of the bare oscillator; they set the units of phase space,
    x0 = √(2/(m ω0)) and p0 = √(2 m ω0), and the orbit of a free trajectory.
    landmarks: positions x about which the rates may vary; one far out is not seen otherwise.
    rough: the same as `coefficients` to four digits, where that is faster, for a first look.
    """

    coefficients: Coefficients = field(repr=False)
    frequency: float = 1.0
    mass: float = 1.0
    local_observables: tuple[str, ...] = ()
    landmarks: tuple[float, ...] = ()
    rough: Coefficients | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "frequency", _checks.positive("frequency", self.frequency))
        object.__setattr__(self, "mass", _checks.positive("mass", self.mass))

    @classmethod
    def from_functions(
        cls,
        *,
        force: Callable[[FloatArray], FloatArray],
        friction: Callable[[FloatArray], FloatArray],
        diffusion: Callable[[FloatArray], FloatArray],
        frequency: float = 1.0,
        mass: float = 1.0,
    ) -> "PhaseSpaceModel":
        """Build a model from three separate functions of x (arrays or constants back)."""
        return cls(Together(force, friction, diffusion), frequency, mass)

    @property
    def length(self) -> float:
        """x0 = √(2/(m ω0)), the unit of position in which a = x/x0 + i p/p0."""
        return length_unit(self.mass, self.frequency)

    @property
    def momentum(self) -> float:
        """p0 = √(2 m ω0) = 2/x0, the unit of momentum."""
        return momentum_unit(self.mass, self.frequency)

    def scaled(self, X: FloatArray, *, rough: bool = False) -> FloatArray:
        """Return (force, friction, diffusion) as rates at X = x/x0, then the local observables.

        Shape (3 + local observables, *X.shape). With P = p/p0: dX = ω0 P dt,
        dP = (−ω0 X + f − γ P) dt + √(2 d) dW, where f = force/p0, γ = friction/m,
        d = diffusion/(2 p0²).
        """
        x = self.length * np.asarray(X)
        with np.errstate(over="ignore", invalid="ignore"):
            rates = self.rough if rough and self.rough is not None else self.coefficients
            values = np.array(rates(x), dtype=float)
            values[0] /= self.momentum
            values[1] /= self.mass
            values[2] /= 2.0 * self.momentum**2
        if not np.all(np.isfinite(values)):
            where = x[~np.all(np.isfinite(values), axis=0)].flat[0]
            raise NotConverged(
                f"force, friction, diffusion and flows are not finite numbers at x = {where:g}: "
                "a state that reaches there is beyond the range of floats"
            )
        return values


def require_model(model: Any) -> PhaseSpaceModel:
    """Return `model`; InvalidArgument unless it is a `PhaseSpaceModel`."""
    if not isinstance(model, PhaseSpaceModel):
        raise InvalidArgument(
            f"`model` must be a PhaseSpaceModel, such as Flywheel.paper().model(), "
            f"but is {shown(model)}"
        )
    return model


def table_tolerance(rtol: float) -> float:
    """Relative tolerance of coefficients and tables for a solution to `rtol`."""
    return max(TABLE_SHARE * rtol, FINEST_TABLES)


def tabulated_rates(
    model: PhaseSpaceModel, reach: float, rtol: float, inner: ChebyshevTable | None = None
) -> ChebyshevTable:
    """Return the table of (f, γ, d, local observables) over |X| ≤ reach; `inner` is continued."""
    # Magnitudes below which a rate hardly influences a state of this size.
    diffusion = float(np.max(np.abs(model.scaled(np.linspace(-reach, reach, 9))[2])))
    floor = np.array([0.01 * model.frequency, diffusion / reach**2, 1e-2 * diffusion])
    if inner is not None:
        floor = np.maximum(1e-2 * inner.magnitude[:3], floor)
    floor = np.concatenate([floor, np.zeros(len(model.local_observables))])

    def between(low: float, high: float, pieces: int = 1) -> ChebyshevTable:
        return tabulate(model.scaled, low, high, rtol, floor, checked=3, pieces=pieces)

    if inner is None:
        return between(-reach, reach, pieces=2)
    return between(-reach, inner.low).joined(inner).joined(between(inner.high, reach))


def mean_decay(z: FloatArray) -> FloatArray:
    """(1 − e^{−z})/z, one at z = 0: the mean of a decay over the time it is followed."""
    safe = np.where(z == 0.0, 1.0, z)
    return np.asarray(np.where(z == 0.0, 1.0, -np.expm1(-safe) / safe))
