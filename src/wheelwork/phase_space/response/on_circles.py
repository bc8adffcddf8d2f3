"""Relaxation in the basis of circles."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.linalg import lu_factor, lu_solve

from wheelwork._checks import FloatArray
from wheelwork.phase_space.response import krylov
from wheelwork.phase_space.response.circle_basis import CircleBasis, circle_basis
from wheelwork.phase_space.response.relaxation import Relaxation
from wheelwork.phase_space.stationary.orbits import Orbits

NEGLIGIBLE = 1e-10  # share of a Krylov vector below which it is noise


def relaxation(orbits: Orbits, functions: int, harmonics: int) -> Relaxation:
    """Project the generator on `functions` radial functions of each harmonic up to `harmonics`.

    The first function is constant, so the first coefficient is the probability, which is kept;
    the others relax to what it drives.
    """
    basis = circle_basis(orbits, functions, harmonics)
    generator = basis.generator
    inner = np.ascontiguousarray(generator[1:, 1:])
    driven = lu_solve(lu_factor(inner, check_finite=False), generator[1:, 0], check_finite=False)
    state = np.concatenate([[1.0], -driven])
    X, P = basis.position, basis.momentum
    none = np.zeros_like(X)
    root = basis.root + none
    state /= basis.integrals(root, none, none) @ state
    begun, read = _starts(basis, state), _readings(basis)
    traces = begun[0] / state[0]

    W = basis.fields(state).W

    def ratio(deviation: FloatArray) -> FloatArray:
        field = basis.fields(np.concatenate([[0.0], deviation])).W
        return np.asarray((field / W).ravel())

    probability = W * root * basis.measure
    places = np.stack([X.ravel(), P.ravel(), (X**2 + P**2).ravel()], axis=1)
    return Relaxation(
        generator=inner,
        starts=(begun - np.outer(state, traces))[1:],
        traces=traces,
        readings=read[1:],
        means=read.T @ state,
        probability=probability.ravel(),
        places=places,
        ratio=ratio,
    )


def compressed(
    full: Relaxation, turning_rate: float, accuracy: float
) -> tuple[Relaxation, Mapping[str, float]]:
    """Project a large relaxation on a Krylov space with shifts at 0, 1 and 2 i·turning_rate."""
    solvers = [_solver(full.generator, order * turning_rate) for order in range(3)]

    def project(space: FloatArray) -> Relaxation:
        return replace(
            full,
            generator=space.T @ (full.generator @ space),
            starts=space.T @ full.starts,
            readings=space.T @ full.readings,
            ratio=lambda deviation: full.ratio(space @ deviation),
        )

    return krylov.compressed(full.starts, solvers, project, accuracy, NEGLIGIBLE)


def _solver(generator: FloatArray, frequency: float) -> krylov.Solver:
    """(G − i·frequency)⁻¹, real and imaginary parts side by side."""
    if frequency == 0.0:
        real = lu_factor(generator, check_finite=False)
        return lambda right: np.asarray(lu_solve(real, right, check_finite=False))
    factors = lu_factor(generator - 1j * frequency * np.eye(len(generator)), check_finite=False)

    def solve(right: FloatArray) -> FloatArray:
        found = lu_solve(factors, right.astype(complex), check_finite=False)
        return np.hstack([found.real, found.imag])

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


def _readings(basis: CircleBasis) -> FloatArray:
    """∫ B v w dX dP for B = X, P and |α|²: (N, 3)."""
    X, P = basis.position, basis.momentum
    none = np.zeros_like(X)
    observables = (X, P, X**2 + P**2)
    return np.stack([basis.integrals(B * basis.root, none, none) for B in observables], axis=1)
