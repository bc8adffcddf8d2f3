"""Newton's method for many rotating steady states at once, in a frame that turns with each."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.numerics.work import tick
from wheelwork.oscillator_networks.modal_solution import ModalSolution
from wheelwork.oscillator_networks.model import AmplitudeModel, ComplexArray
from wheelwork.parameters import ShortRepr

# Of a residual, against its terms: the sums of a row have a few roundings each.
ROUNDING = 8.0 * float(np.finfo(np.float64).eps)
LONGEST = 0.5  # of a step, against the norm of the amplitudes, so that no step leads to α = 0
TURN = 0.1  # largest change of the frequency in a step, against the largest rate
SMALL = 1e-7  # a step, against |α|, after which quadratic convergence ends in rounding (1e-14)
STALLED = 0.25  # decrease of a step that is no longer quadratic: rounding keeps the step up
SINGULAR = 1e15  # condition number of a matrix whose solution has no correct digit
FEWEST_STARTS = 8  # that share the modes of their network, which cost as much as five dense steps
VANISHED = 1e-150  # |α| below which |α|² leaves the range of normal numbers


@dataclass(frozen=True, eq=False, repr=False)
class Solutions(ShortRepr):
    """Amplitudes (B, N), frequencies (B,), and how far Newton would still move each.

    error: (B,), norm of the next step of α, or of one that rounding could cause if that is larger;
    absolute. Infinite where Newton's method failed.
    """

    amplitudes: ComplexArray
    frequency: FloatArray
    error: FloatArray

    def chosen(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Solutions":
        """Those that a mask or indices choose."""
        return Solutions(self.amplitudes[which], self.frequency[which], self.error[which])

    def __len__(self) -> int:
        return int(self.frequency.size)


def newton(
    model: AmplitudeModel, amplitudes: ComplexArray, frequency: FloatArray, steps: int = 40
) -> Solutions:
    """Solve dα/dt + iωα = 0 from each start, α (B, N) and ω (B,); the phase of α stays.

    Long steps are shortened. The error is infinite where a start leads to α = 0 or does not
    converge.
    """
    alpha, omega = amplitudes.astype(np.complex128), frequency.astype(np.float64)
    error = np.full(omega.size, np.inf)
    before = np.full(omega.size, np.inf)
    scales = largest_rates(model, omega.size)
    running = np.arange(omega.size)
    modal = ModalSolution.of(model) if omega.size >= FEWEST_STARTS else None
    for step in range(steps):
        if running.size == 0:
            break
        tick("steps of Newton's method", step, steps)
        here, scale = alpha[running], scales[running]
        move, turn, noise = _step(model.rows(running), here, omega[running], modal)
        size = np.linalg.norm(here, axis=1)
        length = np.linalg.norm(move, axis=1)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            short = np.minimum(LONGEST * size / length, TURN * scale / np.abs(turn))
        short = np.fmin(1.0, short)
        alpha[running] += short[:, None] * move
        omega[running] += short * turn
        # Steps shrink quadratically, s' = C s², until rounding dominates them.
        with np.errstate(invalid="ignore", over="ignore"):
            left = np.where(
                np.isfinite(before[running]), length * (length / before[running]) ** 2, length
            )
        stalled = length > STALLED * before[running]
        converged = (short == 1.0) & (length < SMALL * size) & ((left <= noise) | stalled)
        left = np.where(stalled, length, left)
        error[running[converged]] = np.maximum(left, noise)[converged]
        before[running] = length
        lost = ~np.isfinite(length) | (size < VANISHED)
        running = running[~converged & ~lost]
    return Solutions(alpha, omega, error)


def _step(
    model: AmplitudeModel, alpha: ComplexArray, omega: FloatArray, modal: ModalSolution | None
) -> tuple[ComplexArray, FloatArray, FloatArray]:
    """Newton's move of α and ω, and the move that rounding of the residual could cause."""
    # A right side along the solution excites the direction that the matrix resists least.
    right = np.stack([model.residual(alpha, omega), alpha])
    solved, turn = np.full_like(right, np.nan), np.full((2, omega.size), np.nan)
    by_modes = np.zeros(omega.size, dtype=bool) if modal is None else modal.regular(omega)
    for solve, rows in ((_dense, ~by_modes), (modal.solve if modal else _dense, by_modes)):
        if np.any(rows):
            some = model.rows(np.flatnonzero(rows))
            try:
                solved[:, rows], turn[:, rows] = solve(
                    some, alpha[rows], omega[rows], right[:, rows]
                )
            except np.linalg.LinAlgError:  # of a start that leads nowhere
                continue
    rounding = ROUNDING * model.terms(alpha, omega)
    size = np.linalg.norm(alpha, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        soft = np.linalg.norm(solved[1], axis=1) / size
    noise: FloatArray = rounding * soft + ROUNDING * size
    return -solved[0], -turn[0], noise


def _dense(
    model: AmplitudeModel, alpha: ComplexArray, omega: FloatArray, right: ComplexArray
) -> tuple[ComplexArray, FloatArray]:
    """δ, (2, B, N), and τ, (2, B), of J δ + iα τ = f, NaN where that is singular."""
    batch, N = alpha.shape
    matrix = bordered(model, alpha, omega)[0]
    sides = np.zeros((batch, 2 * N + 1, 2))
    sides[:, :N] = np.moveaxis(right.real, 0, 2)
    sides[:, N:-1] = np.moveaxis(right.imag, 0, 2)
    try:
        solved = np.linalg.solve(matrix, sides)
    except np.linalg.LinAlgError:
        solved = np.full_like(sides, np.nan)
        for b in range(batch):
            if np.linalg.cond(matrix[b]) < SINGULAR:
                solved[b] = np.linalg.solve(matrix[b], sides[b])
    turn: FloatArray = np.asarray(solved[:, -1].T, dtype=np.float64)
    return np.moveaxis(solved[:, :N] + 1j * solved[:, N:-1], 2, 0), turn


def bordered(
    model: AmplitudeModel, alpha: ComplexArray, omega: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Jacobian in (α, ω) with the phase of α fixed: (B, 2N + 1, 2N + 1), and |α|, (B,)."""
    batch, N = alpha.shape
    size = np.linalg.norm(alpha, axis=1).astype(np.float64)
    matrix = np.zeros((batch, 2 * N + 1, 2 * N + 1))
    matrix[:, :-1, :-1] = model.jacobian(alpha, omega)
    turned = np.concatenate([-alpha.imag, alpha.real], axis=1)
    matrix[:, :-1, -1] = turned
    with np.errstate(divide="ignore", invalid="ignore"):
        matrix[:, -1, :-1] = turned / size[:, None]
    return matrix, size


def largest_rate(model: AmplitudeModel) -> float:
    """Bound on |dα_j/dt| over the largest |α|: row sums of |L| and the largest |R(0)|."""
    return float(largest_rates(model, 1)[0])


def largest_rates(model: AmplitudeModel, number: int) -> FloatArray:
    """That bound for each of `number` states, which may follow different active elements."""
    nothing = np.zeros((number, model.active.size))
    linear = np.max(np.sum(np.abs(model.linear), axis=1))
    rates: FloatArray = linear + np.max(np.abs(model.growth.rates(nothing)), axis=1, initial=0.0)
    return rates
