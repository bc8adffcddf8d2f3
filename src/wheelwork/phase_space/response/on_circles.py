"""The generator on polynomials over the circles of `orbits`.

W = w(R²) u(R, φ) with the orbit-averaged density w, and u in the span of R^k p_n(R²) cos kφ and
R^k p_n(R²) sin kφ, orthonormal under w R dR dφ. For any v of that span

∫ v X′ w ∂_t u = ω0 ∫ v w ∂_φ u − ∫ (∂_P v) w [d̃ ∂_P u + c P u]   (over dρ dP = R dR dφ),

with c and d̃ as in `stationary.circle_solver`: probability is kept exactly, and where noise and
friction balance (c = 0) every mode decays. The span holds all polynomials in ρ and P up to some
degree: a harmonic oscillator is exact at any damping. Derived in docs/developers/phase-space.md.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import Literal

import numpy as np
from scipy.linalg import LinAlgError, cholesky, lu_factor, lu_solve, solve_triangular

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import NotConverged
from wheelwork.numerics.work import tick
from wheelwork.phase_space.discretisation import GAUSS_ORDER, gauss_panels, orthonormal
from wheelwork.phase_space.response.relaxation import Relaxation, Solver, compress, through
from wheelwork.phase_space.stationary.orbit_distribution import orbit_angles
from wheelwork.phase_space.stationary.orbits import Orbits

FEWEST_PANELS = 6  # of R, for the coefficients, before those for the polynomials

Factors = list[tuple[int, FloatArray]]  # which of the radial functions, and angular ones
NEGLIGIBLE = 1e-10  # share of a Krylov vector, below which it is rounding


class CircleBasis(Computed):
    """Radial functions and harmonics at the nodes of a quadrature over circles.

    Functions in the order (cos kφ, k = 0 … K; sin kφ, k = 1 … K), each with all its radial ones.
    R: (radii,). phi: (angles,). root: (radii, 1), √(w R dR). radial: (K + 1, 3, functions,
    radii): R^k p_n, its derivative and R^(k−1) p_n, times `root`.
    harmonics: (2K + 1,) the k of every angular function. angular, angular_slope: (2K + 1, angles).
    position, momentum: X and P at the nodes, (radii, angles). measure: dX dP over R dR, X′ dφ.
    """

    def __init__(self, orbits: Orbits, functions: int, harmonics: int) -> None:
        panels = FEWEST_PANELS + (2 * functions + harmonics) // GAUSS_ORDER
        R, width = gauss_panels(0.0, orbits.radius, panels)
        log_density = orbits.log_density(R)[0]
        root = np.sqrt(np.exp(log_density - np.max(log_density)) * R * width)
        self.radial = np.empty((harmonics + 1, 3, functions, R.size))
        for k in range(harmonics + 1):
            scale = (R / orbits.radius) ** max(k - 1, 0) * root
            first = scale * R if k else scale
            values, slopes = orthonormal(R**2, 2.0 * R, first, k * scale, functions)
            self.radial[k] = values, slopes, values / R
        points = orbit_angles(orbits, 8, 1e-9).size // 2 + 2 * harmonics + 4
        phi = 2.0 * np.pi * (np.arange(points) + 0.5) / points
        order = np.arange(1, harmonics + 1)[:, None]
        even, odd = np.cos(order * phi), np.sin(order * phi)
        constant = np.full((1, points), np.sqrt(0.5))
        self.harmonics = np.concatenate([np.arange(harmonics + 1), order[:, 0]])
        self.angular = np.concatenate([constant, even, odd]) / np.sqrt(np.pi)
        slopes = np.concatenate([0.0 * constant, -order * odd, order * even])
        self.angular_slope = slopes / np.sqrt(np.pi)
        self.orbits, self.R, self.phi, self.root = orbits, R, phi, root[:, None]
        self._rho, self.momentum = R[:, None] * np.cos(phi), R[:, None] * np.sin(phi)
        self.position = orbits.geometry(self._rho)[0]
        self._stretch, self._turn = orbits.stretch(self._rho)[0], float(2.0 * np.pi / points)
        self.measure = self._stretch * self._turn
        # Even and odd functions of φ, which X and its functions do not mix.
        size = (harmonics + 1) * functions
        self._parities = slice(0, size), slice(size, None)
        # Lower L of ∫ v X′ w u = L Lᵀ by parity: the L⁻¹v are orthonormal under w dX dP.
        mass = self._blocks([(0, self.angular)], [self.measure], [(0, self.angular)])
        blocks = (mass[part, part] for part in self._parities)
        try:
            self._shapes = [cholesky(block, lower=True, check_finite=False) for block in blocks]
        except LinAlgError:  # of what is positive but for rounding
            raise NotConverged(
                f"correlations on orbits lost their digits with {functions} radial functions: the "
                "density varies by too many orders of magnitude over them; ask for a larger `rtol`"
            ) from None

    @cached_property
    def generator(self) -> FloatArray:
        """G, (N, N)."""
        s = self.orbits.slope(self.R)[0][:, None]
        friction, d = self.orbits.geometry(self._rho)[1:]
        drift = (friction + 2.0 * s * d) * self.momentum * self._turn
        noise = d * self._turn
        up = [(1, np.sin(self.phi) * self.angular), (2, np.cos(self.phi) * self.angular_slope)]
        loss = self._blocks(up, [noise, noise, drift], [*up, (0, self.angular)])
        half = self._lowered(self._rotation - loss)
        return np.ascontiguousarray(self._lowered(half.T).T)

    def _lowered(self, values: FloatArray, trans: Literal["N", "T"] = "N") -> FloatArray:
        """L⁻¹ values, or L⁻ᵀ values."""
        parts = [
            solve_triangular(shape, values[part], lower=True, trans=trans, check_finite=False)
            for shape, part in zip(self._shapes, self._parities, strict=True)
        ]
        return np.concatenate(parts)

    @property
    def _rotation(self) -> FloatArray:
        count, functions = len(self.radial), self.radial.shape[2]
        size = (2 * count - 1) * functions
        matrix = np.zeros((size, size))
        for k in range(1, count):
            even = np.arange(functions) + k * functions
            odd = np.arange(functions) + (count + k - 1) * functions
            matrix[even, odd] = self.orbits.model.frequency * k
            matrix[odd, even] = -self.orbits.model.frequency * k
        return matrix

    def _blocks(self, left: Factors, weights: list[FloatArray], right: Factors) -> FloatArray:
        """Σ over nodes of (radial · angular)_left (weight · radial · angular)_right."""
        functions = self.radial.shape[2]
        size, harmonics = self.harmonics.size, len(self.radial)
        blocks = np.zeros((size, functions, size, functions))
        pairs = [(w[:, :, None], b.T) for (_, b), w in zip(right, weights, strict=True)]
        # (right harmonic, radii, left harmonic, left, right); one product at a time fits the cache
        coupling = np.array([[a @ (w * b) for w, b in pairs] for _, a in left])
        coupling = coupling.transpose(4, 2, 3, 0, 1)
        stacked = [
            np.concatenate([self.radial[k, order] for order, _ in left], axis=1)
            for k in self.harmonics
        ]
        for b, kb in enumerate(self.harmonics):
            same = slice(0, harmonics) if b < harmonics else slice(harmonics, size)
            columns = np.stack([self.radial[kb, order].T for order, _ in right], axis=1)
            mixed = coupling[b, :, same] @ columns[:, None]  # (radii, harmonics, left, functions)
            inner = mixed.transpose(1, 2, 0, 3).reshape(mixed.shape[1], -1, functions)
            blocks[same, :, b] = np.stack(stacked[same]) @ inner
        return blocks.reshape(size * functions, size * functions)

    def integrals(self, plain: FloatArray, along_x: FloatArray, along_p: FloatArray) -> FloatArray:
        """∫ (v plain + ∂_X v along_x + ∂_P v along_p) √w dX dP for every function v."""
        sin, cos = np.sin(self.phi), np.cos(self.phi)
        across, up = along_x * self._turn, along_p * self.measure
        parts = (
            (plain * self.measure) @ self.angular.T,
            (across * cos + up * sin) @ self.angular.T,
            (up * cos - across * sin) @ self.angular_slope.T,
        )
        values = [
            sum(self.radial[k, i] @ parts[i][:, a] for i in range(3))
            for a, k in enumerate(self.harmonics)
        ]
        return self._lowered(np.concatenate(values))

    def fields(self, coefficients: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """W = w u, ∂_X W and ∂_P W over √w at the nodes."""
        table = self._lowered(coefficients, "T").reshape(self.harmonics.size, -1)
        radial = [
            np.stack([table[a] @ self.radial[k, i] for a, k in enumerate(self.harmonics)], axis=1)
            for i in range(3)
        ]
        sin, cos = np.sin(self.phi), np.cos(self.phi)
        u = radial[0] @ self.angular
        u_R, u_phi = radial[1] @ self.angular, radial[2] @ self.angular_slope
        s = self.orbits.slope(self.R)[0][:, None]
        along_x = (u_R * cos - u_phi * sin + 2.0 * s * self._rho * u) / self._stretch
        return u, along_x, u_R * sin + u_phi * cos + 2.0 * s * self.momentum * u


def relaxation(orbits: Orbits, functions: int, harmonics: int) -> Relaxation:
    """Project the generator on `functions` radial functions of each harmonic up to `harmonics`.

    The first function is constant, so the first coefficient is the probability, which is conserved;
    the others relax to values that it determines.
    """
    basis = CircleBasis(orbits, functions, harmonics)
    tick("the generator of correlations")
    generator = basis.generator
    tick("the steady state of correlations")
    inner = np.ascontiguousarray(generator[1:, 1:])
    driven = lu_solve(lu_factor(inner, check_finite=False), generator[1:, 0], check_finite=False)
    state = np.concatenate([[1.0], -driven])
    X, P = basis.position, basis.momentum
    none = np.zeros_like(X)
    root = basis.root + none
    state /= basis.integrals(root, none, none) @ state
    observables = X, P, X**2 + P**2
    read = np.stack([basis.integrals(B * basis.root, none, none) for B in observables], axis=1)
    projected_starts = _starts(basis, state)
    traces = projected_starts[0] / state[0]
    W = basis.fields(state)[0]

    return Relaxation(
        generator=inner,
        starts=(projected_starts - np.outer(state, traces))[1:],
        traces=traces,
        readings=read[1:],
        means=read.T @ state,
        probability=(W * root * basis.measure).ravel(),
        positions=np.stack([B.ravel() for B in observables], axis=1),
        ratio=partial(_ratio, basis, W),
        frequency=orbits.model.frequency,
    )


def _ratio(basis: CircleBasis, W: FloatArray, deviation: FloatArray) -> FloatArray:
    field = basis.fields(np.concatenate([[0.0], deviation]))[0]
    return np.asarray((field / W).ravel())


def compressed(
    full: Relaxation, turning_rate: float, tolerance: float
) -> tuple[Relaxation, Mapping[str, float]]:
    """Project a large relaxation on a Krylov space with shifts at 0, 1 and 2 i·turning_rate."""
    solvers = [_solver(full.generator, order * turning_rate) for order in range(3)]

    def project(space: FloatArray) -> Relaxation:
        return replace(
            full,
            generator=space.T @ (full.generator @ space),
            starts=space.T @ full.starts,
            readings=space.T @ full.readings,
            ratio=partial(through, full.ratio, space),
        )

    return compress(full.starts, solvers, project, tolerance, NEGLIGIBLE)


def _solver(generator: FloatArray, frequency: float) -> Solver:
    """(G − i·frequency)⁻¹, real and imaginary parts side by side."""
    if frequency == 0.0:
        real = lu_factor(generator, check_finite=False)
        return lambda right: np.asarray(lu_solve(real, right, check_finite=False))
    factors = lu_factor(generator - 1j * frequency * np.eye(len(generator)), check_finite=False)

    def solve(right: FloatArray) -> FloatArray:
        solution = lu_solve(factors, right.astype(complex), check_finite=False)
        return np.hstack([solution.real, solution.imag])

    return solve


def _starts(basis: CircleBasis, state: FloatArray) -> FloatArray:
    """Projections (N, 6) of `Relaxation.starts`; derivatives of W are moved to the functions."""
    X, P = basis.position, basis.momentum
    W, W_X, W_P = basis.fields(state)
    none = np.zeros_like(W)
    intensity = X**2 + P**2
    columns = (
        (X * W, none, none),
        (P * W, none, none),
        (X * W, -0.25 * W, none),
        (P * W, none, -0.25 * W),
        (intensity * W, none, none),
        ((intensity - 0.5) * W, -0.5 * X * W - W_X / 16.0, -0.5 * P * W - W_P / 16.0),
    )
    return np.stack([basis.integrals(*column) for column in columns], axis=1)
