"""Wigner function of a density matrix, through the position representation.

    W(x, p) = (1/pi) ∫ dy <x + y| rho |x - y> exp(-2 i p y)

(units m = omega = hbar = 1 inside). The matrix <x1| rho |x2> is needed on a lattice of step h in y
that divides the mesh step in x; the pairs x1 = x + y, x2 = x - y fall into classes modulo twice
the ratio, and each class is a small matrix product. The trapezoid rule in y is exact to rounding
once pi/h exceeds the state's momentum plus the largest p asked for.
"""

import math

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.states.density import Matrix, hermitian
from wheelwork.states.mesh import ROUNDING, is_uniform, refuse_memory, scale_mesh
from wheelwork.states.oscillator import hermite_functions, reach


def wigner_from_density_matrix(
    density_matrix: npt.ArrayLike,
    x: npt.ArrayLike,
    p: npt.ArrayLike,
    *,
    mass: float = 1.0,
    frequency: float = 1.0,
) -> FloatArray:
    """Wigner function W[i_x, i_p] of an oscillator state, ∫ W dx dp = Tr rho.

    Args:
        density_matrix: Hermitian, Fock basis of a†a, a = x/x0 + i p/p0, shape (n, n).
        x: positions, shape (n_x,). Equal steps are fast; any other points are taken one by one.
        p: momenta, shape (n_p,), any points.
        mass, frequency: of the oscillator; x0 = sqrt(2/(m omega)), p0 = sqrt(2 m omega).

    Returns:
        Real array of shape (n_x, n_p), accurate to about 1e-15 for 100 levels and 1e-13 for 1000
        (|W| is at most 1/pi).

    Raises:
        InvalidArgument: on a matrix that is not square, finite and Hermitian, or when the arrays
            would take more than 4 GiB.
    """
    rho = hermitian(density_matrix)
    mesh = scale_mesh(x, p, mass, frequency)
    refuse_memory("x, p", 24.0 * mesh.x.size * mesh.p.size)
    wigner = np.zeros((mesh.x.size, mesh.p.size))
    edge = reach(rho.shape[0], 0.5 * ROUNDING)  # W falls off as the square of the wave functions
    inside = np.abs(mesh.p) <= edge
    if not inside.any():
        return wigner
    momenta = mesh.p[inside]
    finest = math.pi / (edge + float(np.abs(momenta).max()))
    for part in _submeshes(mesh.x, finest):
        wigner[part, inside] = _on_lattice(rho, mesh.x[part], momenta, finest)
    return wigner


def _submeshes(x: FloatArray, finest: float) -> list[slice]:
    """Uniform parts of x, interleaved so that none is much finer than needed."""
    if not is_uniform(x):
        return [slice(i, i + 1) for i in range(x.size)]
    step = (x[-1] - x[0]) / (x.size - 1) if x.size > 1 else finest
    stride = min(x.size, max(1, math.floor(finest / step)))
    return [slice(start, None, stride) for start in range(stride)]


def _on_lattice(rho: Matrix, x: FloatArray, p: FloatArray, finest: float) -> FloatArray:
    """W at uniform x (n_x,) and any p (n_p,)."""
    step = (x[-1] - x[0]) / (x.size - 1) if x.size > 1 else finest
    ratio = math.ceil(step / finest)
    h = float(step / ratio)
    width = reach(rho.shape[0], ROUNDING)
    low, high = math.ceil((-width - x[0]) / h), math.floor((width - x[0]) / h)
    points = high - low + 1
    half = points // 2 + 1
    refuse_memory(
        "density_matrix", 8.0 * (4 * points * rho.shape[0] + (2 * half + p.size) * (x.size + half))
    )
    waves = np.ascontiguousarray(
        hermite_functions(x[0] + h * np.arange(low, high + 1), rho.shape[0]).T
    )
    weights = np.full(half, 2.0 * h / math.pi)
    weights[0] *= 0.5
    phase = 2.0 * h * np.outer(np.arange(half), p)
    parts = [(rho.real, np.cos(phase))]
    if np.iscomplexobj(rho):
        parts.append((rho.imag, np.sin(phase)))
    wigner = np.zeros((x.size, p.size))
    for part, kernel in parts:
        pairs = _pairs(waves, waves @ part.T, low, ratio, (x.size, half))
        wigner += (pairs * weights) @ kernel
    return wigner


def _pairs(
    waves: FloatArray, partner: FloatArray, low: int, ratio: int, shape: tuple[int, int]
) -> FloatArray:
    """Matrix <x_i + j h| part |x_i - j h>, zero outside the lattice, for j >= 0.

    Row u of `waves` and `partner` is the lattice point low + u; x_i is the point i * ratio.
    """
    pairs = np.zeros(shape)
    period = 2 * ratio
    for residue in range(period):
        first = (residue - low) % period
        second = (-residue - low) % period
        block = waves[first::period] @ partner[second::period].T
        u = low + first + period * np.arange(block.shape[0])[:, None]
        v = low + second + period * np.arange(block.shape[1])
        i, j = (u + v) // period, (u - v) // 2
        wanted = (j >= 0) & (i >= 0) & (i < shape[0])
        pairs[i[wanted], j[wanted]] = block[wanted]
    return pairs
