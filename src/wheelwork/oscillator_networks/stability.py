"""Growth and decay of small deviations from a rotating steady state."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.numerics.work import require_budget, tick
from wheelwork.oscillator_networks.model import AmplitudeModel, ComplexArray, Mirror
from wheelwork.parameters import ShortRepr

# Difference of a state and a mirror image that are one, in natural units and against the size: the
# accuracy of solutions by default.
SAME = 1e-9
MOST_WORK = 2e9  # states times sites³: 0.15 s for a state of 200 sites, in all some forty seconds
SEVERAL = (10.0, 100.0, 1000.0)  # quanta, in natural units, where saturable rates are below g
ALIKE = 1e-9  # difference of the parts of a mode, which are found to some 1e-13
NEUTRAL = 1e-13  # of the norm of L: a mode this far from being undamped, or from an active site


@dataclass(frozen=True, eq=False, repr=False)
class Deviations(ShortRepr, Computed):
    """Modes δα(t) of small deviations, in the frame that turns with the state.

    exponents: (2N − 1,), complex, largest real part first; that of the free phase, zero, is left
    out (not at α = 0, where there are 2N). rounding: error of an exponent by rounding.
    matrix: (2N, 2N), of which they are eigenvalues, over `unit`, on real parts before imaginary
    parts; at the amplitudes `state`, (N,). cubic: where an exponent is zero to rounding, the real
    part of c in du/dt = c |u|² u of its mode; NaN where it is not needed, or not that simple.
    """

    exponents: ComplexArray
    rounding: float
    matrix: FloatArray
    state: ComplexArray
    unit: float = 1.0
    cubic: float = math.nan

    @property
    def growth_rate(self) -> float:
        """Largest real part."""
        return float(self.exponents[0].real)

    @property
    def marginal(self) -> bool:
        """Whether the largest real part is zero to rounding."""
        return abs(self.growth_rate) <= self.rounding

    @property
    def stable(self) -> bool:
        """Whether every deviation decays; at an exponent of zero, by its next order."""
        if self.marginal and not self.undecided:
            return self.cubic < 0.0
        return self.growth_rate < 0.0

    @property
    def undecided(self) -> bool:
        """Whether neither the exponents nor the next order tell if the state attracts."""
        return self.marginal and not abs(self.cubic) > 0.0

    @property
    def doubt(self) -> float:
        """Rounding against the exponent that decides on stability; zero where the cubic does."""
        if self.marginal and not self.undecided:
            return 0.0
        return self.rounding / abs(self.growth_rate) if self.growth_rate else math.inf

    @cached_property
    def modes(self) -> tuple[ComplexArray, ComplexArray]:
        """Exponents, (M,), and vectors, (2N, M), without the free phase; longest-lived first."""
        exponents, vectors = np.linalg.eig(self.matrix)
        kept = _without_phase(exponents, self.state)
        return self.unit * exponents[kept].astype(np.complex128), vectors[:, kept]

    @cached_property
    def amplitude_share(self) -> FloatArray:
        """Share of each of `modes` along α_j, (M,); the rest is along iα_j, the phases."""
        vectors, N = self.modes[1], self.state.size
        turn = _phase(self.state)[:, None]
        along = np.sum(np.abs(turn.real * vectors[:N] + turn.imag * vectors[N:]) ** 2, axis=0)
        across = np.sum(np.abs(turn.real * vectors[N:] - turn.imag * vectors[:N]) ** 2, axis=0)
        share: FloatArray = along / (along + across)
        return share

    @cached_property
    def relaxation_times(self) -> Mapping[str, FloatArray]:
        """−1/Re λ of the modes that decay, longest first, in the sectors "amplitude" and "phase".

        A mode belongs to the sector that holds most of it; a sector may be empty. The sectors
        separate exactly only where the amplitudes can be made real, as at ω = 0 in a bipartite
        network: there |α_1| relaxes as the longest time of "amplitude". In other states slower
        modes take part, see `response_time`.
        """
        sector = self.amplitude_share >= 0.5
        return MappingProxyType({"amplitude": self._times(sector), "phase": self._times(~sector)})

    def _times(self, chosen: np.ndarray) -> FloatArray:
        rates = -self.modes[0].real[chosen]
        times: FloatArray = np.sort(1.0 / rates[rates > 0.0])[::-1]
        return times

    def in_units(self, unit: float, size: float) -> "Deviations":
        """Return them with rates times `unit` and amplitudes times `size`."""
        exponents, rounding = unit * self.exponents, unit * self.rounding
        return replace(
            self, exponents=exponents, rounding=rounding, state=size * self.state, unit=unit
        )


def deviations(
    model: AmplitudeModel, amplitudes: ComplexArray, frequency: FloatArray
) -> list[Deviations]:
    """Return the deviations from each steady state, α (B, N) and ω (B,)."""
    require_budget(
        "the stability of all steady states", len(frequency) * float(model.sites) ** 3, MOST_WORK,
        "sites³", "solve a smaller network, or ask for fewer random_starts",
    )  # fmt: skip
    result: list[Deviations] = []
    for alpha, omega in zip(amplitudes, frequency, strict=True):
        tick("stability of steady states", len(result), len(frequency))
        matrix = model.jacobian(alpha[None], np.array([omega]))[0]
        exponents = np.linalg.eigvals(matrix)
        kept = exponents[_without_phase(exponents, alpha)].astype(np.complex128)
        result.append(Deviations(kept, _rounding(model, matrix, alpha), matrix, alpha))
    return result


def deviations_at_rest(model: AmplitudeModel) -> Deviations:
    """Return the deviations from α = 0."""
    nothing = np.zeros(model.sites, dtype=np.complex128)
    (rest,) = deviations(model, nothing[None], np.zeros(1))
    return replace(rest, cubic=_cubic(model, rest.rounding)) if rest.marginal else rest


def has_neutral_mode(model: AmplitudeModel) -> bool:
    """Whether a mode is neither damped nor reaches an active site: it keeps any amplitude."""
    size = np.linalg.norm(model.linear)
    reach = np.zeros((model.active.size, model.sites))
    reach[np.arange(model.active.size), model.active] = size
    for exponent in np.linalg.eigvals(model.linear):
        if abs(exponent.real) <= NEUTRAL * size:
            tick("search for undamped modes")
            stacked = np.vstack([model.linear - exponent * np.eye(model.sites), reach])
            if np.linalg.svd(stacked, compute_uv=False)[-1] <= NEUTRAL * size:
                return True
    return False


def has_continuum(model: AmplitudeModel) -> bool:
    """Whether two active sites without damping have steady states of any size, as at equal rates.

    At equal occupations n the equations are linear, and an undamped mode with equal parts on both
    sites is a steady state with n quanta on each.
    """
    size = np.linalg.norm(model.linear)
    if model.active.size != 2 or np.max(-model.linear.diagonal().real) > NEUTRAL * size:
        return False
    for occupation in SEVERAL:
        rates = model.growth.rates(np.full(2, occupation))
        if not np.any(rates) or abs(np.sum(rates)) > NEUTRAL * np.max(np.abs(rates)):
            return False
        matrix = model.linear.astype(np.complex128)
        matrix[model.active, model.active] += 0.5 * rates
        exponents, modes = np.linalg.eig(matrix)
        first, second = np.abs(modes[model.active])
        equal = (np.abs(first - second) <= ALIKE * first) & (first > ALIKE)
        if not np.any(equal & (np.abs(exponents.real) <= ALIKE * size)):
            return False
    return True


def _cubic(model: AmplitudeModel, rounding: float) -> float:
    """Re c of du/dt = c |u|² u for the only mode of α = 0 that neither grows nor decays, or NaN.

    Perturbation theory: c = Σ_k w_k R_k′(0) |v_k|² v_k/2 with right and left vectors, w·v = 1.
    """
    nothing = np.zeros(model.sites, dtype=np.complex128)
    matrix = model.linear + np.diag(model.net_rates(nothing))
    exponents, vectors = np.linalg.eig(matrix)
    (slow,) = np.nonzero(np.abs(exponents.real) <= rounding)
    if slow.size != 1:
        return math.nan
    right = vectors[:, slow[0]]
    left = np.linalg.svd(matrix - exponents[slow[0]] * np.eye(model.sites))[0][:, -1].conj()
    v, w = right[model.active], left[model.active]
    slope = 0.5 * model.growth.slopes(np.zeros(model.active.size))
    return float((np.sum(w * slope * np.abs(v) ** 2 * v) / (left @ right)).real)


def _without_phase(exponents: ComplexArray, state: ComplexArray) -> np.ndarray:
    """Positions by falling real part; of a state with amplitudes without that of its free phase."""
    order = np.argsort(-exponents.real)
    return order[order != np.argmin(np.abs(exponents))] if np.any(state) else order


def _rounding(model: AmplitudeModel, matrix: FloatArray, alpha: ComplexArray) -> float:
    """Error of an exponent: of the matrix, and of gain minus loss on its diagonal."""
    terms = np.linalg.norm(matrix), np.max(np.abs(model.linear)), np.max(model.net_rates(alpha))
    return float(4.0 * np.finfo(np.float64).eps * np.linalg.norm(terms))


def _phase(state: ComplexArray) -> ComplexArray:
    size = np.abs(state)
    turn: ComplexArray = np.where(size == 0.0, 1.0, state / np.where(size == 0.0, 1.0, size))
    return turn


def growth_rates(
    model: AmplitudeModel,
    amplitudes: ComplexArray,
    frequency: FloatArray,
    mirror: Mirror | None = None,
) -> FloatArray:
    """Return the largest real part of the exponents of each state with α ≠ 0, (B,).

    mirror: of the network; a mirror image has the exponents of its original, and is not computed
    again.
    """
    if frequency.size == 0:
        return np.empty(0)
    own = np.arange(frequency.size)
    if mirror is not None:
        _, other = mirror.image(amplitudes, frequency)
        size = np.linalg.norm(amplitudes, axis=1)
        key = np.column_stack([frequency, size])
        image = np.column_stack([other, size])
        distance = np.max(np.abs(key[:, None] - image), axis=2)
        nearest = np.argmin(distance, axis=1)
        known = distance[own, nearest] <= SAME * (1.0 + size)
        own = np.where(known & (nearest < own), nearest, own)
    computed, position = np.unique(own, return_inverse=True)
    exponents = np.linalg.eigvals(model.jacobian(amplitudes[computed], frequency[computed]))
    free = np.argmin(np.abs(exponents), axis=1)
    rates = exponents.real.copy()
    rates[np.arange(computed.size), free] = -np.inf
    largest: FloatArray = np.max(rates, axis=1)[position]
    return largest


def rest_growth_rate(model: AmplitudeModel) -> float:
    """Return the largest real part of the exponents of α = 0."""
    nothing = np.zeros(model.sites, dtype=np.complex128)
    matrix = model.linear + np.diag(model.net_rates(nothing))
    return float(np.max(np.linalg.eigvals(matrix).real))
