"""Number statistics and energy of an oscillator state: of a density matrix, or of W itself.

Averages over W are those of symmetrically ordered products, with |alpha|² = (x/x0)² + (p/p0)²; see
`wheelwork.states.oscillator`. They check those of the density matrix.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray, integer, positive, positive_energy, shown
from wheelwork.errors import InvalidArgument
from wheelwork.states.oscillator import g2_from_wigner
from wheelwork.states.wigner import checked_wigner, scale_mesh
from wheelwork.thermodynamics.spectrum import normalised, populations

MOST_LEVELS = 10**8  # a gigabyte
_TOLERANCE = 1e-7  # of the largest |W|, that may be left at the edges of mesh and spectrum


def ladder(frequency: float, levels: int) -> FloatArray:
    """Energies omega n of the oscillator Hamiltonian omega a†a, shape (levels,)."""
    count = integer("levels", levels, 1)
    if count > MOST_LEVELS:
        raise InvalidArgument(f"`levels` must be at most {MOST_LEVELS}, but is {shown(levels)}")
    return positive_energy("frequency", frequency) * np.arange(count, dtype=np.float64)


def phonon_number(state: Any) -> float:
    """Mean number ⟨a†a⟩ = sum_n n p_n of a matrix (n, n) or of populations (n,)."""
    p = _probabilities(state)
    return float(np.arange(p.size) @ p)


def g2(state: Any) -> float:
    """Second-order coherence g²(0) = sum n(n-1) p_n / (sum n p_n)² at zero delay.

    2 for a thermal state, 1 for a coherent one, 1 - 1/n for a number state; NaN in the vacuum.
    """
    p = _probabilities(state)
    n = np.arange(p.size)
    mean = float(n @ p)
    return float((n * (n - 1.0)) @ p) / mean / mean if mean > 0.0 else math.nan


def energy(state: Any, frequency: float) -> float:
    """Mean energy omega ⟨a†a⟩, without the zero-point energy."""
    return positive("frequency", frequency) * phonon_number(state)


def wigner_phonon_number(
    wigner: npt.ArrayLike,
    x: npt.ArrayLike,
    p: npt.ArrayLike,
    *,
    mass: float = 1.0,
    frequency: float = 1.0,
) -> float:
    """⟨a†a⟩ of a Wigner function W[i_x, i_p] on uniform x (n_x,) and p (n_p,).

    The sum over the mesh is exact to rounding for a W that the mesh holds; it is divided by the
    integral of W.

    Raises:
        InvalidArgument: when shapes disagree, a step is uneven, W does not integrate to one (to
            1e-6), or more than 1e-7 of its maximum is left at the edges of the mesh or, of its
            Fourier transform, at the highest wave numbers.
    """
    return _averages(wigner, x, p, mass, frequency)[0] - 0.5


def wigner_g2(
    wigner: npt.ArrayLike,
    x: npt.ArrayLike,
    p: npt.ArrayLike,
    *,
    mass: float = 1.0,
    frequency: float = 1.0,
) -> float:
    """g²(0) = ⟨a†² a²⟩/⟨a†a⟩² of a Wigner function; arguments as `wigner_phonon_number`.

    Loses digits as 1/⟨a†a⟩² near the vacuum, where it is undefined.
    """
    second, fourth = _averages(wigner, x, p, mass, frequency)
    return g2_from_wigner(second, fourth) if second != 0.5 else math.nan


def _probabilities(state: Any) -> FloatArray:
    """Populations that add up to one; those that rounding makes negative count as zero."""
    return np.maximum(normalised("state", populations(state)), 0.0)


def _averages(
    wigner: npt.ArrayLike, x: npt.ArrayLike, p: npt.ArrayLike, mass: float, frequency: float
) -> tuple[float, float]:
    """E|alpha|² and E|alpha|⁴."""
    mesh = scale_mesh(x, p, mass, frequency)
    values, _ = checked_wigner(wigner, mesh, _TOLERANCE)
    radius2 = 0.5 * (mesh.x[:, None] ** 2 + mesh.p**2)
    norm = float(values.sum())
    return float((values * radius2).sum()) / norm, float((values * radius2**2).sum()) / norm
