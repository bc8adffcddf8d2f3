"""Wigner functions known in closed form, W[i_x, i_p], and random states."""

import numpy as np

from wheelwork.states import laguerre_functions


def gaussian_wigner(x, p, mean, covariance):
    """Gaussian of means (x, p) and covariance [[xx, xp], [xp, pp]], in dimensional units."""
    inverse = np.linalg.inv(covariance)
    dx, dp = x[:, None] - mean[0], p[None, :] - mean[1]
    form = inverse[0, 0] * dx**2 + 2 * inverse[0, 1] * dx * dp + inverse[1, 1] * dp**2
    return np.exp(-0.5 * form) / (2 * np.pi * np.sqrt(np.linalg.det(covariance)))


def coherent_wigner(x, p, alpha, x0, p0):
    """Of |alpha>: centre (x0 Re alpha, p0 Im alpha), variances (x0/2)² and (p0/2)²."""
    covariance = np.diag([x0**2 / 4, p0**2 / 4])
    return gaussian_wigner(x, p, (x0 * alpha.real, p0 * alpha.imag), covariance)


def squeezed_wigner(x, p, r, angle, mean_number=0.0):
    """Squeezed thermal state at m = omega = 1: short axis at angle/2 from the x axis."""
    c, s = np.cos(angle / 2), np.sin(angle / 2)
    rotation = np.array([[c, -s], [s, c]])
    axes = (mean_number + 0.5) * np.diag([np.exp(-2 * r), np.exp(2 * r)])
    return gaussian_wigner(x, p, (0.0, 0.0), rotation @ axes @ rotation.T)


def cat_wigner(x, p, alpha, phase):
    """Of |alpha> + exp(i phase)|-alpha> at m = omega = 1, where x = sqrt(2) Re alpha.

    The interference term is the transform of exp(-i phase)|alpha><-alpha| and its conjugate.
    """
    X, P = x[:, None] / np.sqrt(2), p[None, :] / np.sqrt(2)
    lobes = sum(
        np.exp(-2 * ((X - s * alpha.real) ** 2 + (P - s * alpha.imag) ** 2)) for s in (1, -1)
    )
    fringe = 4 * (P * alpha.real - X * alpha.imag) + phase
    fringes = 2 * np.exp(-2 * (X**2 + P**2)) * np.cos(fringe)
    return (lobes + fringes) / (2 * np.pi * (1 + np.cos(phase) * np.exp(-2 * abs(alpha) ** 2)))


def number_wigner(x, p, n):
    """Of |n> at m = omega = 1: (-1)^n/pi exp(-x² - p²) L_n(2x² + 2p²)."""
    y = 2 * (x[:, None] ** 2 + p[None, :] ** 2)
    return (-1) ** n / np.pi * laguerre_functions(0, y.ravel(), n + 1)[n].reshape(y.shape)


def random_state(levels, seed, rank=None):
    """Random density matrix, complex in every element."""
    rng = np.random.default_rng(seed)
    shape = (levels, rank or levels)
    factor = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    rho = factor @ factor.conj().T
    return rho / np.trace(rho).real
