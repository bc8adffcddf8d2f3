"""Newton's linear equations of large networks with few active sites, by the modes of the network.

With C = L + iω = V (λ + iω) V⁻¹ and the rates P of K active sites, a step δ, τ of α and ω solves
(C + E P Eᵀ) δ + iα τ = f, Im ⟨α, δ⟩ = 0. On the active sites these are 2K + 1 equations,

    β + X P β + i τ (C⁻¹α)_a = (C⁻¹f)_a,   X = Eᵀ C⁻¹ E,   β = Eᵀδ,

and the rest follows by products with V: N² operations instead of N³.
"""

from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.oscillator_networks.model import AmplitudeModel, ComplexArray
from wheelwork.parameters import ShortRepr

FEWEST_SITES = 24  # below, a dense solution is as fast
MOST_ACTIVE = 0.25  # of the sites: beyond, the equations of active sites are as many
MOST_SKEWED = 1e5  # condition number of V: what a step may lose in digits
NEAREST = 1e-9  # |λ + iω| against the largest: nearer to a mode, C is taken as singular


def solved_by_modes(model: AmplitudeModel) -> bool:
    """Whether the modes of the network are faster than a dense solution."""
    return model.sites >= FEWEST_SITES and model.active.size <= MOST_ACTIVE * model.sites


@dataclass(frozen=True, eq=False, repr=False)
class ModalSolution(ShortRepr):
    """exponents: λ, (N,). modes: V. inverse: V⁻¹."""

    exponents: ComplexArray
    modes: ComplexArray
    inverse: ComplexArray

    @classmethod
    def of(cls, model: AmplitudeModel) -> "ModalSolution | None":
        """Return that of `model`, None where a dense solution is better."""
        if not solved_by_modes(model):
            return None
        exponents, modes = np.linalg.eig(model.linear)
        if not np.linalg.cond(modes) < MOST_SKEWED:
            return None
        return cls(exponents, modes, np.linalg.inv(modes))

    def regular(self, omega: FloatArray) -> np.ndarray:
        """Whether C can be inverted at each ω, (B,)."""
        distance = np.abs(self.exponents + 1j * omega[:, None])
        far: np.ndarray = np.min(distance, axis=1) > NEAREST * np.max(distance, axis=1)
        return far

    def solve(
        self, model: AmplitudeModel, alpha: ComplexArray, omega: FloatArray, right: ComplexArray
    ) -> tuple[ComplexArray, FloatArray]:
        """Return δ, (F, B, N), and τ, (F, B), for the right sides f, (F, B, N), at α (B, N)."""
        a, K = model.active, model.active.size
        weight = 1.0 / (self.exponents + 1j * omega[:, None])
        parts, along = right @ self.inverse.T, alpha @ self.inverse.T
        drive, seen = self.inverse[:, a], self.modes[a]
        X = (weight @ (seen.T[:, :, None] * drive[:, None, :]).reshape(-1, K * K)).reshape(-1, K, K)
        toward = (alpha.conj() @ self.modes) * weight / np.sum(np.abs(alpha) ** 2, axis=1)[:, None]
        rates = _rates(model, alpha)
        system = np.zeros((omega.size, 2 * K + 1, 2 * K + 1))
        system[:, :-1, :-1] = np.eye(2 * K) + _packed(X) @ rates
        turned = 1j * (weight * along) @ seen.T
        system[:, :-1, -1] = np.concatenate([turned.real, turned.imag], axis=1)
        fed = toward @ drive
        row = np.concatenate([fed.imag, fed.real], axis=1)[:, None, :]
        system[:, -1, :-1] = (row @ rates)[:, 0]
        system[:, -1, -1] = np.sum(toward * along, axis=1).real
        given = (weight * parts) @ seen.T
        gauge = np.sum(toward * parts, axis=2).imag
        sides = np.concatenate([given.real, given.imag, gauge[..., None]], axis=2)
        solved = np.linalg.solve(system, np.moveaxis(sides, 0, 2))
        beta, turn = np.moveaxis(solved[:, :-1], 2, 0), solved[:, -1].T
        driven = (rates @ beta[..., None])[..., 0]
        acting = (driven[..., :K] + 1j * driven[..., K:]) @ drive.T
        rest = weight * (parts - 1j * turn[..., None] * along - acting)
        return rest @ self.modes.T, turn


def _rates(model: AmplitudeModel, alpha: ComplexArray) -> FloatArray:
    """P on real parts before imaginary parts, (B, 2K, 2K): as in `AmplitudeModel.jacobian`."""
    x, y = alpha[:, model.active].real, alpha[:, model.active].imag
    n = x * x + y * y
    rate, slope = 0.5 * model.growth.rates(n), model.growth.slopes(n)
    K = model.active.size
    k, matrix = np.arange(K), np.zeros((alpha.shape[0], 2 * K, 2 * K))
    matrix[:, k, k] = rate + slope * x * x
    matrix[:, K + k, K + k] = rate + slope * y * y
    matrix[:, k, K + k] = matrix[:, K + k, k] = slope * x * y
    return matrix


def _packed(X: ComplexArray) -> FloatArray:
    """Complex matrices on real parts before imaginary parts."""
    return np.concatenate(
        [
            np.concatenate([X.real, -X.imag], axis=2),
            np.concatenate([X.imag, X.real], axis=2),
        ],
        axis=1,
    )
