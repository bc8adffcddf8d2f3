"""Density matrix of a smooth Wigner function, diagonal by diagonal, in polar coordinates.

With the scaled quadratures X = x/x0 and P = p/p0, alpha = X + iP = r exp(i theta), and W normalised
over dX dP (W(X, P) = 2 W(x, p), since x0 p0 = 2), the displaced parity gives

    rho_{n+k,n} = 2 (-1)^n ∫ r dr dtheta W(r, theta) exp(i k theta) l_n^k(4 r²)

with the Laguerre functions l_n^k (Culhane et al., Eqs. (D6)-(D8), prefactors corrected). The
harmonics of W are smooth in r while l_n^k oscillates with wave number up to 4 sqrt(n): the radial
nodes resolve the product, so nothing aliases.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.fft import rfft
from scipy.special import roots_legendre

from wheelwork import _checks
from wheelwork._checks import FloatArray, integer, positive
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.states.density import ComplexArray
from wheelwork.states.oscillator import laguerre_sums

Wigner = Callable[[FloatArray, FloatArray], FloatArray]

_GAUSSIAN_BAND = 8.5  # exp(-8.5²/2) = 2e-16: wave number, in 1/width, where a Gaussian has ended
_PANEL_PHASE = 190.0  # of a wave along a panel, which 64 Gauss nodes integrate to rounding
_MOST_ANGLES = 4096  # bounds the time for a W that is not smooth


class RadialMesh(NamedTuple):
    """Gauss-Legendre nodes and weights on 0 < r < radius, both of shape (n_r,)."""

    radius: FloatArray
    weight: FloatArray

    def __repr__(self) -> str:
        return f"RadialMesh(<{self.radius.size} radii up to {self.radius[-1]:.4g}>)"


def radial_mesh(radius: float, levels: int, *, resolution: float = 0.5) -> RadialMesh:
    """Radial nodes that integrate a Wigner function against all Laguerre functions below `levels`.

    Args:
        radius: where the Wigner function has ended, in units of |alpha|.
        levels: Fock levels wanted.
        resolution: smallest length on which W varies, as the width (standard deviation) of a
            Gaussian; 0.5 is the vacuum's, and the smallest of any classical mixture of
            coherent states.

    Panels of 64 nodes each integrate a wave exactly to rounding up to a phase of about 190.
    """
    radius = positive("radius", radius)
    levels = integer("levels", levels, 1)
    wave_number = 4.0 * math.sqrt(levels) + _GAUSSIAN_BAND / positive("resolution", resolution)
    panels = math.ceil(wave_number * radius / _PANEL_PHASE)
    node, weight = _panel()
    width = radius / panels
    start = width * np.arange(panels)[:, None]
    return RadialMesh((start + width * node).ravel(), np.tile(width * weight, panels))


@cache
def _panel() -> tuple[FloatArray, FloatArray]:
    node, weight = roots_legendre(64)
    return 0.5 * (node + 1.0), 0.5 * weight


def density_matrix_from_polar(
    wigner: Wigner,
    radius: float,
    *,
    levels: int,
    harmonics: int,
    resolution: float = 0.5,
    tolerance: float = 1e-9,
) -> ComplexArray:
    """Diagonals of the density matrix of a nearly rotation-symmetric Wigner function.

    Args:
        wigner: W(X, P) of the scaled quadratures, vectorised over arrays of equal shape;
            ∫ W dX dP = 1.
        radius: |alpha| beyond which W is negligible.
        levels: Fock levels, n = 0 ... levels - 1.
        harmonics: largest |k| kept; rho_{mn} with |m - n| > harmonics is left out.
        resolution: smallest length on which W varies in the (X, P) plane.
        tolerance: what W may reach at `radius`, and its angular harmonics at the highest order
            resolved, relative to its maximum. Angles are added until that holds.

    Returns:
        Diagonals, complex, shape (harmonics + 1, levels).

    Raises:
        InvalidArgument: on bad numbers; when W is not finite, has the wrong shape, does not end
            within the radius, or does not integrate to one (to 1e-6, or `tolerance` if larger).
        NotConverged: when 4096 angles do not resolve W.
    """
    harmonics = integer("harmonics", harmonics, 0)
    tolerance = _checks.tolerance("tolerance", tolerance)
    mesh = radial_mesh(radius, levels, resolution=resolution)
    components = _angular_harmonics(wigner, mesh, 4 * (harmonics + 1), tolerance)
    norm = 2.0 * math.pi * float((mesh.weight * mesh.radius) @ components[0].real)
    if abs(norm - 1.0) > max(tolerance, 1e-6):
        raise InvalidArgument(f"`wigner` must integrate to one over dX dP, but gives {norm!r}")
    return density_matrix_from_harmonics(components[: harmonics + 1], mesh, levels)


def _angular_harmonics(
    wigner: Wigner, mesh: RadialMesh, angles: int, tolerance: float
) -> ComplexArray:
    """All W_k(r) with k up to half the number of angles, the highest of them negligible."""
    while angles <= _MOST_ANGLES:
        theta = 2.0 * math.pi / angles * np.arange(angles)
        x, p = np.outer(mesh.radius, np.cos(theta)), np.outer(mesh.radius, np.sin(theta))
        values = np.asarray(wigner(x, p))
        if values.shape != x.shape or not np.all(np.isfinite(values)):
            raise InvalidArgument(
                f"`wigner` must return finite values of the shape of its arguments, {x.shape}, "
                f"but returned shape {values.shape}"
            )
        allowed = tolerance * float(np.abs(values).max())
        components: ComplexArray = rfft(values, axis=1, norm="forward").T
        if float(np.abs(components[-2:]).max()) <= allowed:
            edge = float(np.abs(values[-1]).max())
            if edge > allowed:
                raise InvalidArgument(
                    f"`radius` must extend to where `wigner` is below {allowed:.1e}, "
                    f"but it is still {edge:.1e} there"
                )
            return components
        angles *= 2
    raise NotConverged(
        f"`wigner` is not resolved by {_MOST_ANGLES} angles to `tolerance` = {tolerance:.1e}"
    )


def density_matrix_from_harmonics(
    components: npt.ArrayLike, mesh: RadialMesh, levels: int
) -> ComplexArray:
    """Diagonals of the density matrix from the angular harmonics of the Wigner function.

    Args:
        components: W_k(r) of W = sum_k W_k(r) exp(i k theta), k = 0 ... K, at the nodes of
            `mesh`, shape (K + 1, n_r). Those of negative k follow, as W is real.
        mesh: from `radial_mesh`, made for at least `levels`.
        levels: Fock levels.

    Returns:
        Diagonals, complex, shape (K + 1, levels).

    Raises:
        InvalidArgument: when `components` does not fit `mesh`.
    """
    components = np.asarray(components, dtype=np.complex128)
    if components.ndim != 2 or components.shape[1] != mesh.radius.size:
        raise InvalidArgument(
            f"`components` must have shape (K + 1, {mesh.radius.size}), but has {components.shape}"
        )
    # ∫ dtheta W exp(i k theta) = 2 pi W_{-k} = 2 pi conj(W_k)
    amplitude = 4.0 * math.pi * mesh.weight * mesh.radius * components.conj()
    sign = 1.0 - 2.0 * (np.arange(integer("levels", levels, 1)) % 2)
    diagonals = np.zeros((components.shape[0], levels), dtype=np.complex128)
    present = np.flatnonzero(np.any(components != 0.0, axis=1))
    for k in present[present < levels]:
        integral = _radial_integral(k, mesh.radius, amplitude[k], levels - k)
        diagonals[k, : levels - k] = sign[: levels - k] * integral
    diagonals[0] = diagonals[0].real
    return diagonals


def _radial_integral(
    order: int, radius: FloatArray, amplitude: ComplexArray, levels: int
) -> ComplexArray:
    """Sum over nodes of amplitude times l_n^k(4 r²)."""
    present = amplitude != 0.0
    parts = np.stack([amplitude[present].real, amplitude[present].imag])
    total = laguerre_sums(order, 4.0 * radius[present] ** 2, parts, levels)
    return np.asarray(total[:, 0] + 1j * total[:, 1])


def levels_within(radius: float) -> int:
    """Fock levels that hold a smooth state whose Wigner function ends at |alpha| = `radius`."""
    return math.ceil(positive("radius", radius) ** 2) + 8
