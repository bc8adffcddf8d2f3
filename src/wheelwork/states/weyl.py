"""Density matrix of any Wigner function on a uniform mesh, through the position representation.

    <x + y| rho |x - y> = ∫ dp W(x, p) exp(2 i p y),    rho_{nm} = ∫∫ phi_n <x1| rho |x2> phi_m

(units m = omega = hbar = 1 inside). The integral over p is a Fourier sum, exact to rounding for a
W that the mesh holds. The lattice of x1, x2 has a step that resolves the wave functions as well as
the state, and W is carried from the mesh to the half-steps of that lattice by its band-limited
interpolant. (Summing the Laguerre kernel over mesh points instead would alias.)
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.fft import next_fast_len, rfft

from wheelwork import _checks
from wheelwork._checks import FloatArray, integer
from wheelwork.errors import NotConverged
from wheelwork.states.density import ComplexArray
from wheelwork.states.mesh import ROUNDING, Scaled, held_wigner, refuse_memory, scale_mesh
from wheelwork.states.oscillator import hermite_functions, reach


def density_matrix_from_wigner(
    wigner: npt.ArrayLike,
    x: npt.ArrayLike,
    p: npt.ArrayLike,
    *,
    levels: int | None = None,
    tolerance: float = 1e-9,
    mass: float = 1.0,
    frequency: float = 1.0,
) -> ComplexArray:
    """Density matrix rho[n, m] = <n|rho|m>, in the Fock basis of a†a, of a Wigner function.

    Args:
        wigner: W[i_x, i_p], real, of either sign, shape (n_x, n_p); ∫ W dx dp = 1.
        x: positions in equal steps, shape (n_x,).
        p: momenta in equal steps, shape (n_p,).
        levels: Fock levels. By default the fewest that lose at most `tolerance` of probability.
        tolerance: what W may reach at the edge of the mesh, and its Fourier transform at the
            highest wave numbers, relative to their maxima; and the probability lost.
        mass, frequency: of the oscillator; a = x/x0 + i p/p0, x0 = sqrt(2/(m omega)),
            p0 = sqrt(2 m omega).

    Returns:
        Hermitian matrix, shape (levels, levels). It is not normalised again: its trace is the
        integral of W less the probability lost.

    Raises:
        InvalidArgument: when W does not integrate to one (to 1e-6, or `tolerance` if larger), the
            mesh ends too early or is too coarse, or the arrays would take more than 4 GiB.
        NotConverged: when levels are chosen here and no number that the mesh can hold loses so
            little: W is then no state, or no smooth one.
    """
    accuracy = _checks.tolerance("tolerance", tolerance)
    mesh = scale_mesh(x, p, mass, frequency)
    values, norm = held_wigner(wigner, mesh, accuracy)
    if levels is not None:
        return _matrix(values, mesh, integer("levels", levels, 1))
    return _grow(values, mesh, norm, accuracy)


def _grow(values: FloatArray, mesh: Scaled, norm: float, accuracy: float) -> ComplexArray:
    """Add levels until the probability lost is within `accuracy`, then drop those not needed."""
    radius2 = mesh.x[:, None] ** 2 + mesh.p**2
    held = np.abs(values) > 0.1 * accuracy * np.abs(values).max()
    levels = math.ceil(0.5 * float(radius2[held].max())) + 8
    most = math.ceil(0.5 * float(radius2.max())) + 8
    while True:
        rho = _matrix(values, mesh, levels)
        lost = norm - np.cumsum(np.diagonal(rho).real)
        # the tail must be small as a whole, not only where an alternating sum crosses the norm
        enough = np.flatnonzero(np.abs(lost) > accuracy)
        needed = int(enough[-1]) + 2 if enough.size else 1
        if needed <= levels:
            return np.ascontiguousarray(rho[:needed, :needed])
        if levels >= most:
            raise NotConverged(
                f"`wigner` keeps {abs(float(lost[-1])):.1e} of probability outside the {levels} "
                f"levels that the mesh can hold; allowed is `tolerance` = {accuracy:.1e}"
            )
        levels = min(most, math.ceil(1.3 * levels) + 8)


def _matrix(values: FloatArray, mesh: Scaled, levels: int) -> ComplexArray:
    """rho = step² Phi M Phi^T with M the position representation on the lattice."""
    width = reach(levels, ROUNDING)
    profile = np.abs(values).max(axis=0)
    momentum = float(np.abs(mesh.p[profile > 1e-17 * profile.max()]).max())
    dp = float(mesh.p[-1] - mesh.p[0]) / (mesh.p.size - 1)
    # the Fourier sum over p runs on `period` points, which ties the lattice step to dp
    period = next_fast_len(math.ceil((width + momentum) / dp), real=True)
    period = max(period, mesh.p.size + mesh.p.size % 2)
    step = 2.0 * math.pi / (period * dp)
    half = math.ceil(width / step)
    points = 2 * half + 1
    size = 16.0 * (mesh.x.size * period + 2 * points * (points + mesh.x.size + levels))
    refuse_memory("levels", size)
    rows = _coherences(values, mesh.p, dp, period, min(2 * half, period // 2))
    position = _position_matrix(rows, mesh.x, step, half)
    waves = hermite_functions(step * np.arange(-half, half + 1), levels)
    rho = np.empty((levels, levels), dtype=np.complex128)
    # contiguous real parts, as real products cost half of complex ones
    rho.real = step**2 * (waves @ np.ascontiguousarray(position.real) @ waves.T)
    rho.imag = step**2 * (waves @ np.ascontiguousarray(position.imag) @ waves.T)
    return 0.5 * (rho + rho.conj().T)


def _coherences(
    values: FloatArray, p: FloatArray, dp: float, period: int, most: int
) -> ComplexArray:
    """dp sum_p W(x, p) exp(2 i p y) at y = j step/2, j = 0 ... most; shape (n_x, most + 1)."""
    sums = rfft(values, n=period, axis=1)[:, : most + 1].conj()
    shift = np.exp(2j * math.pi * (p[0] / (period * dp)) * np.arange(most + 1))
    coherences: ComplexArray = sums * (dp * shift)
    return coherences


def _position_matrix(rows: ComplexArray, x: FloatArray, step: float, half: int) -> ComplexArray:
    """<x1| rho |x2> at x1, x2 = -half * step ... half * step, zero where the mesh has no W."""
    points = 2 * half + 1
    matrix = np.zeros((points, points), dtype=np.complex128)
    first = max(math.ceil(2.0 * x[0] / step), -2 * half)
    last = min(math.floor(2.0 * x[-1] / step), 2 * half)
    for parity in (0, 1):
        # (x1 + x2)/2 = i step/2 and (x1 - x2)/2 = j step/2 with i and j both even or both odd
        i = np.arange(first + (first + parity) % 2, last + 1, 2)
        j = np.arange(parity, rows.shape[1], 2)
        if i.size == 0 or j.size == 0:
            continue
        columns = np.ascontiguousarray(rows[:, parity::2]).view(np.float64)
        block = (_interpolation(x, 0.5 * step * i) @ columns).view(np.complex128)
        a, b = (i[:, None] + j) // 2 + half, (i[:, None] - j) // 2 + half
        inside = (a >= 0) & (a < points) & (b >= 0) & (b < points)
        matrix[a[inside], b[inside]] = block[inside]
        matrix[b[inside], a[inside]] = block[inside].conj()
    return matrix


def _interpolation(x: FloatArray, at: FloatArray) -> FloatArray:
    """Matrix (n_at, n_x) of the band-limited interpolant through values on the uniform mesh x.

    W has ended at both ends of the mesh, so the series over all integers stops there.
    """
    per_step = (x.size - 1) / (x[-1] - x[0])
    kernel: FloatArray = np.sinc((at[:, None] - x[0]) * per_step - np.arange(x.size))
    return kernel
