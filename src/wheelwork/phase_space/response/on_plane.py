"""Relaxation on a mesh of the plane, for several wells or strong friction.

The generator of `stationary.plane` is projected on a Krylov space. Functions are compared in the
norm ∫ y²/W, in which the equation contracts, so that growing modes are errors of the mesh (derived
in docs/developers/phase-space.md).
"""

from collections.abc import Mapping
from functools import partial

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray
from wheelwork.phase_space.discretisation import central
from wheelwork.phase_space.response.relaxation import Relaxation, Solver, compress, through
from wheelwork.phase_space.stationary import plane
from wheelwork.phase_space.stationary.plane import Box

FLOOR = 1e-6  # of the largest W; where W is below, the norm takes it as constant
NEGLIGIBLE = 1e-6  # share of a Krylov vector, below which it is rounding of the solves


class MeshProblem:
    """The generator on points × points nodes, with everything scaled by 1/√W.

    scale: (nodes,). generator: (nodes, nodes). starts: (nodes, 6). The others as in `Relaxation`;
    shifts: of the Krylov space.
    """

    def __init__(self, box: Box, points: int) -> None:
        steady = plane.solve(box, points)
        W = steady.values.ravel() / np.sum(steady.values)
        X, P = (axis.ravel() for axis in np.meshgrid(steady.X, steady.P, indexing="ij"))
        self.scale = scale = 1.0 / np.sqrt(np.maximum(W, FLOOR * np.max(W)))
        plain = plane.generator(box, steady.X, steady.P)
        self.generator = sp.csc_array(sp.diags_array(scale) @ plain @ sp.diags_array(1.0 / scale))
        projected_starts = _starts(steady.X, steady.P, W)
        self.traces = np.sum(projected_starts, axis=0)
        self.starts = scale[:, None] * (projected_starts - np.outer(W, self.traces))
        self.probability, self.positions = W, np.stack([X, P, X**2 + P**2], axis=1)
        # Frequency of small oscillations about the deepest well, at least half the bare one.
        X, frequency = np.linspace(box.low, box.high, 400), box.model.frequency
        self.frequency = frequency
        slope = box.rates.component(0).derivative()(X[[plane.deepest(box, X)]])[0, 0]
        turning = float(frequency * np.sqrt(max(1.0 - slope / frequency, 0.25)))
        self.shifts = (0.0, 1j * turning)

    def projected(self, space: FloatArray) -> Relaxation:
        """Galerkin projection on orthonormal columns, (nodes, m)."""
        return Relaxation(
            generator=space.T @ (self.generator @ space),
            starts=space.T @ self.starts,
            traces=self.traces,
            readings=space.T @ (self.positions / self.scale[:, None]),
            means=self.positions.T @ self.probability,
            probability=self.probability,
            positions=self.positions,
            ratio=partial(through, partial(np.multiply, self.scale), space),
            frequency=self.frequency,
        )

    def compressed(self, tolerance: float) -> tuple[Relaxation, Mapping[str, float]]:
        """Relaxation in a Krylov space, with the changes by its last enlargement."""
        solvers = [self._solver(shift) for shift in self.shifts]
        return compress(self.starts, solvers, self.projected, tolerance, NEGLIGIBLE)

    def _solver(self, shift: complex) -> Solver:
        """(G − shift)⁻¹, real and imaginary parts side by side."""
        if shift == 0.0:
            return self._solver_at_zero()
        unit = sp.eye_array(self.scale.size, dtype=complex)
        factors = plane.factorised(sp.csc_array(self.generator - unit * shift))

        def solve(right: FloatArray) -> FloatArray:
            solution = factors.solve(right.astype(complex))
            return np.hstack([solution.real, solution.imag])

        return solve

    def _solver_at_zero(self) -> Solver:
        """G⁻¹ on functions whose integral vanishes, which replaces one redundant equation."""
        pinned = int(np.argmax(self.probability))
        matrix = self.generator.tolil()
        matrix[pinned, :] = 0.0
        matrix[pinned, pinned] = self.frequency  # of the size of its other rows
        factors = plane.factorised(matrix.tocsc())
        state = self.scale * self.probability

        def solve(right: FloatArray) -> FloatArray:
            right = right.copy()
            right[pinned] = 0.0
            solution = factors.solve(right)
            return np.asarray(solution - np.outer(state, (1.0 / self.scale) @ solution))

        return solve


def _starts(X: FloatArray, P: FloatArray, W: FloatArray) -> FloatArray:
    """`Relaxation.starts` at the nodes, (nodes, 6)."""
    field = W.reshape(X.size, P.size)
    along_x = [central(X.size, X[1] - X[0], order) @ field for order in (1, 2)]
    along_p = [(central(P.size, P[1] - P[0], order) @ field.T).T for order in (1, 2)]
    X, P = X[:, None], P[None, :]
    intensity = X**2 + P**2
    pair = (intensity + 0.5) * field + 0.5 * (X * along_x[0] + P * along_p[0])
    pair += (along_x[1] + along_p[1]) / 16.0
    columns = (
        X * field,
        P * field,
        X * field + 0.25 * along_x[0],
        P * field + 0.25 * along_p[0],
        intensity * field,
        pair,
    )
    return np.stack([column.ravel() for column in columns], axis=1)
