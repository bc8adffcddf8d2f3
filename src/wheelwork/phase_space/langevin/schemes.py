"""One time step of a noisy oscillator, as rotations about a kick.

A step of length Δt turns (X, P) by an angle, then kicks P at fixed X,
P ← P + loss(X) P + push(X) + √variance(X) ξ with ξ normal, and turns again. Only the functions
loss, push and variance depend on the model; they are tabulated once.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.phase_space.phase_space_model import mean_decay

Kicks = Callable[[FloatArray, FloatArray], FloatArray]


@dataclass(frozen=True)
class Scheme:
    """A way to step.

    name: of the method. order: p of the weak error O(Δtᵖ). step: Δt.
    angle: of the rotation before the kick and of that after it. drift: X also moves by
    drift · P, with the P before the kick. kicks: X (n,), rates (3, n) of
    `PhaseSpaceModel.scaled` -> loss, push, variance (3, n).
    """

    name: str
    order: int
    step: float
    angle: float
    drift: float
    kicks: Kicks

    @property
    def motion(self) -> FloatArray:
        """cos and sin of `angle`, cos and sin of twice that, and `drift`, for compiled code."""
        a = self.angle
        return np.array([math.cos(a), math.sin(a), math.cos(2 * a), math.sin(2 * a), self.drift])


def splitting(frequency: float, step: float) -> Scheme:
    """Half a rotation, the exact Ornstein–Uhlenbeck kick at fixed X, half a rotation.

    P ← e^{−γΔt} P + f (1 − e^{−γΔt})/γ + √(d (1 − e^{−2γΔt})/γ) ξ, for γ of either sign and
    its limit γ → 0. Weak order two; a harmonic oscillator with constant γ and d and no force keeps
    its exact stationary state at every Δt.
    """

    def kicks(X: FloatArray, rates: FloatArray) -> FloatArray:
        force, friction, diffusion = rates
        push = force * step * mean_decay(friction * step)
        variance = 2.0 * diffusion * step * mean_decay(2.0 * friction * step)
        return np.stack([np.expm1(-friction * step), push, variance])

    return Scheme("Langevin", 2, step, 0.5 * frequency * step, 0.0, kicks)


def explicit_euler(frequency: float, step: float) -> Scheme:
    """Euler–Maruyama, Culhane et al., Eqs. (C1)–(C2): everything from the old X and P.

    Weak order one. It turns too far out: X² + P² grows by the factor 1 + (ω0 Δt)² in each step,
    as if the friction γ were less by ω0² Δt.
    """

    def kicks(X: FloatArray, rates: FloatArray) -> FloatArray:
        force, friction, diffusion = rates
        push = (force - frequency * X) * step
        return np.stack([-friction * step, push, 2.0 * diffusion * step])

    return Scheme("EulerMaruyama", 1, step, 0.0, frequency * step, kicks)


def kick_function(
    scheme: Scheme, rates: Callable[[FloatArray], FloatArray]
) -> Callable[[FloatArray], FloatArray]:
    """Return X -> (loss, push, variance, local observables), from X -> (f, γ, d, the same)."""

    def function(X: FloatArray) -> FloatArray:
        values = rates(X)
        lowest = int(np.argmin(values[2]))
        if values[2, lowest] < -1e-6 * np.max(values[2]):
            raise InvalidArgument(
                f"`diffusion` must not be negative, but is at x/x0 = {X[lowest]:.6g}"
            )
        values[2] = np.maximum(values[2], 0.0)
        # A run-away friction overflows here and is refused when a trajectory comes near it.
        with np.errstate(over="ignore"):
            kicks = np.minimum(scheme.kicks(X, values[:3]), 1e300)
        return np.concatenate([kicks, values[3:]])

    return function
