"""Number statistics straight from a Wigner function: a check on the density matrix.

Averages over W are those of symmetrically ordered products; with |alpha|² = (x/x0)² + (p/p0)²,
⟨a†a⟩ = E|alpha|² - 1/2 and ⟨a†² a²⟩ = E|alpha|⁴ - 2 E|alpha|² + 1/2.
"""

import numpy.typing as npt

from wheelwork.states.mesh import held_wigner, scale_mesh

_ACCURACY = 1e-7  # to which the mesh must hold W


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
    second, _ = _averages(wigner, x, p, mass, frequency)
    return second - 0.5


def wigner_g2(
    wigner: npt.ArrayLike,
    x: npt.ArrayLike,
    p: npt.ArrayLike,
    *,
    mass: float = 1.0,
    frequency: float = 1.0,
) -> float:
    """g²(0) = ⟨a†² a²⟩/⟨a†a⟩² of a Wigner function; arguments as `wigner_phonon_number`.

    Loses accuracy as 1/⟨a†a⟩² near the vacuum, where it is undefined.
    """
    second, fourth = _averages(wigner, x, p, mass, frequency)
    return (fourth - 2.0 * second + 0.5) / (second - 0.5) ** 2


def _averages(
    wigner: npt.ArrayLike, x: npt.ArrayLike, p: npt.ArrayLike, mass: float, frequency: float
) -> tuple[float, float]:
    """E|alpha|² and E|alpha|⁴."""
    mesh = scale_mesh(x, p, mass, frequency)
    values, _ = held_wigner(wigner, mesh, _ACCURACY)
    radius2 = 0.5 * (mesh.x[:, None] ** 2 + mesh.p**2)
    norm = float(values.sum())
    return float((values * radius2).sum()) / norm, float((values * radius2**2).sum()) / norm
