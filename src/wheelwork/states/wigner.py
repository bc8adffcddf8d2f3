"""Wigner functions on a mesh and density matrices: both directions, by the position representation.

    W(x, p) = (1/pi) ∫ dy <x + y| rho |x - y> exp(-2 i p y)
    <x + y| rho |x - y> = ∫ dp W(x, p) exp(2 i p y),    rho_{nm} = ∫∫ phi_n <x1| rho |x2> phi_m

(units m = omega = hbar = 1 inside).

To W: the matrix <x1| rho |x2> is needed on a lattice of step h in y that divides the mesh step in
x. The pairs x1 = x + y, x2 = x - y fall into classes modulo twice the ratio, and each class is a
small matrix product. The trapezoid rule in y is exact to rounding once pi/h exceeds the state's
momentum plus the largest p asked for.

To rho: the integral over p is a Fourier sum, exact to rounding for a W that the mesh holds. The
lattice of x1, x2 has a step that resolves the wave functions as well as the state, and W is carried
from the mesh to the half-steps of that lattice by its band-limited interpolant. (Summing the
Laguerre kernel over mesh points instead would alias.)
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.fft import next_fast_len, rfft

from wheelwork import _checks
from wheelwork._checks import FloatArray, finite_array, integer, positive
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.states.density import ComplexArray, Matrix, hermitian
from wheelwork.states.oscillator import hermite_functions, reach

MEMORY_LIMIT = 4 * 2**30  # bytes, of the arrays of one transform: half of a small machine
LOG_CUTOFF = 39.0  # functions are treated as zero below exp(-39) = 1e-17


class Scaled(NamedTuple):
    """A phase-space mesh in the oscillator's units: x sqrt(m omega) and p / sqrt(m omega)."""

    x: FloatArray
    p: FloatArray


def scale_mesh(x: npt.ArrayLike, p: npt.ArrayLike, mass: float, frequency: float) -> Scaled:
    """Check the axes and scale them; dx dp is unchanged."""
    unit = math.sqrt(positive("mass", mass) * positive("frequency", frequency))
    mesh = Scaled(finite_array("x", x, ndim=1) * unit, finite_array("p", p, ndim=1) / unit)
    for name, axis in zip("xp", mesh, strict=True):
        if axis.size == 0:
            raise InvalidArgument(f"`{name}` must not be empty")
    return mesh


def is_uniform(axis: FloatArray) -> bool:
    """Whether points rise in equal steps, to rounding (a single point does)."""
    steps = np.diff(axis)
    if steps.size == 0:
        return True
    slack = 1e-12 * max(abs(float(axis[0])), abs(float(axis[-1])))
    return bool(steps.min() > 0.0 and steps.max() - steps.min() <= 2.0 * slack)


def uniform_step(name: str, axis: FloatArray) -> float:
    """The step of an axis; InvalidArgument unless it is uniform, of at least 8 points."""
    if axis.size < 8 or not is_uniform(axis):
        raise InvalidArgument(f"`{name}` must hold at least 8 points that rise in equal steps")
    return float(axis[-1] - axis[0]) / (axis.size - 1)


def checked_wigner(
    wigner: npt.ArrayLike, mesh: Scaled, tolerance: float
) -> tuple[FloatArray, float]:
    """W[i_x, i_p] and its integral, checked to be on the mesh to within `tolerance`.

    Raises InvalidArgument when shapes disagree, a step is uneven, W does not integrate to one (to
    1e-6, or `tolerance` if larger), or the mesh ends too early or is too coarse.
    """
    cell = uniform_step("x", mesh.x) * uniform_step("p", mesh.p)
    values = finite_array("wigner", wigner, ndim=2)
    if values.shape != (mesh.x.size, mesh.p.size):
        raise InvalidArgument(
            f"`wigner` must have shape {(mesh.x.size, mesh.p.size)} as (x, p), "
            f"but has {values.shape}"
        )
    norm = float(values.sum()) * cell
    if abs(norm - 1.0) > max(tolerance, 1e-6):
        raise InvalidArgument(f"`wigner` must integrate to one over dx dp, but gives {norm!r}")
    for name, edge in (("x", values[[0, -1]]), ("p", values[:, [0, -1]])):
        relative = float(np.abs(edge).max() / np.abs(values).max())
        if relative > tolerance:
            raise InvalidArgument(
                f"`{name}` must extend to where `wigner` is below {tolerance:.1e} of its maximum, "
                f"but it ends at {relative:.1e}"
            )
    for axis, name in enumerate("xp"):
        content = np.abs(rfft(values, axis=axis)).max(axis=1 - axis)
        # in the top tenth of wave numbers; at least two, as the last vanishes for a symmetric W
        relative = float(content[-max(2, content.size // 10) :].max() / content.max())
        if relative > tolerance:
            raise InvalidArgument(
                f"`{name}` must resolve `wigner` so that its Fourier transform falls below "
                f"{tolerance:.1e} of its maximum, but it ends at {relative:.1e}: use smaller steps"
            )
    return values, norm


def refuse_memory(name: str, size: float) -> None:
    """Raise InvalidArgument for arrays of more than 4 GiB; size: in bytes."""
    if size > MEMORY_LIMIT:
        raise InvalidArgument(
            f"`{name}` must be such that the arrays fit in {MEMORY_LIMIT} bytes, "
            f"but they would take {size:.3g} bytes"
        )


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
    edge = reach(rho.shape[0], 0.5 * LOG_CUTOFF)  # W falls off as the square of the wave functions
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
    width = reach(rho.shape[0], LOG_CUTOFF)
    low, high = math.ceil((-width - x[0]) / h), math.floor((width - x[0]) / h)
    points = high - low + 1
    half = points // 2 + 1
    size = 8.0 * (4 * points * rho.shape[0] + (2 * half + p.size) * (x.size + half))
    refuse_memory("density_matrix", size)
    lattice = x[0] + h * np.arange(low, high + 1)
    waves = np.ascontiguousarray(hermite_functions(lattice, rho.shape[0]).T)
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
    tolerance = _checks.tolerance("tolerance", tolerance)
    mesh = scale_mesh(x, p, mass, frequency)
    values, norm = checked_wigner(wigner, mesh, tolerance)
    if levels is not None:
        return _matrix(values, mesh, integer("levels", levels, 1))
    return _grow(values, mesh, norm, tolerance)


def _grow(values: FloatArray, mesh: Scaled, norm: float, tolerance: float) -> ComplexArray:
    """Add levels until the probability lost is within `tolerance`, then drop those not needed."""
    radius2 = mesh.x[:, None] ** 2 + mesh.p**2
    held = np.abs(values) > 0.1 * tolerance * np.abs(values).max()
    levels = math.ceil(0.5 * float(radius2[held].max())) + 8
    most = math.ceil(0.5 * float(radius2.max())) + 8
    while True:
        rho = _matrix(values, mesh, levels)
        lost = norm - np.cumsum(np.diagonal(rho).real)
        # the tail must be small as a whole, not only where an alternating sum crosses the norm
        too_few = np.flatnonzero(np.abs(lost) > tolerance)
        needed = int(too_few[-1]) + 2 if too_few.size else 1
        if needed <= levels:
            return np.ascontiguousarray(rho[:needed, :needed])
        if levels >= most:
            raise NotConverged(
                f"`wigner` keeps {abs(float(lost[-1])):.1e} of probability outside the {levels} "
                f"levels that the mesh can hold; allowed is `tolerance` = {tolerance:.1e}"
            )
        levels = min(most, math.ceil(1.3 * levels) + 8)


def _matrix(values: FloatArray, mesh: Scaled, levels: int) -> ComplexArray:
    """rho = step² Phi M Phi^T with M the position representation on the lattice."""
    width = reach(levels, LOG_CUTOFF)
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
    # dp Σ_p W(x, p) exp(2 i p y) at y = j step/2, j = 0 … most
    most = min(2 * half, period // 2)
    sums = rfft(values, n=period, axis=1)[:, : most + 1].conj()
    rows = sums * (dp * np.exp(2j * math.pi * (mesh.p[0] / (period * dp)) * np.arange(most + 1)))
    position = _position_matrix(rows, mesh.x, step, half)
    waves = hermite_functions(step * np.arange(-half, half + 1), levels)
    rho = np.empty((levels, levels), dtype=np.complex128)
    # contiguous real parts, as real products cost half of complex ones
    rho.real = step**2 * (waves @ np.ascontiguousarray(position.real) @ waves.T)
    rho.imag = step**2 * (waves @ np.ascontiguousarray(position.imag) @ waves.T)
    return 0.5 * (rho + rho.conj().T)


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
        # band-limited interpolant; W has ended at both ends of the mesh, where the series stops
        at = (0.5 * step * i)[:, None] - x[0]
        kernel = np.sinc(at * ((x.size - 1) / (x[-1] - x[0])) - np.arange(x.size))
        block = (kernel @ columns).view(np.complex128)
        a, b = (i[:, None] + j) // 2 + half, (i[:, None] - j) // 2 + half
        inside = (a >= 0) & (a < points) & (b >= 0) & (b < points)
        matrix[a[inside], b[inside]] = block[inside]
        matrix[b[inside], a[inside]] = block[inside].conj()
    return matrix
