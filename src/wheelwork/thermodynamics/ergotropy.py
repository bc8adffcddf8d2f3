"""Work that a cyclic unitary can extract, and the passive states that yield none.

The Hamiltonian is diagonal in the basis of the state, with the given energies in any order.
Reference: A. E. Allahverdyan, R. Balian, Th. M. Nieuwenhuizen, Maximal work extraction from finite
quantum systems, Europhys. Lett. 67, 565 (2004).
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray, finite_array, non_negative
from wheelwork.errors import InvalidArgument
from wheelwork.thermodynamics.spectrum import populations, spectrum


class Inversion(NamedTuple):
    """Largest step p_{n+1} - p_n between neighbouring levels, and its lower level n."""

    step: float
    level: int


def ergotropy(density_matrix: Any, energies: npt.ArrayLike) -> float:
    """W_E = Tr(rho H) - sum_k r_k e_k, with r descending and e ascending.

    Args:
        density_matrix: rho, shape (n, n), in the eigenbasis of H.
        energies: eigenvalues of H in the order of that basis, shape (n,).

    Raises:
        InvalidArgument: when shapes disagree or rho is not a state.
    """
    eigenvalues = spectrum(density_matrix)
    levels = _energies(energies, eigenvalues.size)
    return spectral_ergotropy(eigenvalues, populations(density_matrix), levels)


def spectral_ergotropy(
    eigenvalues: FloatArray, state_populations: FloatArray, energies: FloatArray
) -> float:
    """Ergotropy from eigenvalues (descending) computed before, by `spectrum` or `banded_spectrum`.

    The difference of populations and eigenvalues is summed by parts, level by level from below:
    W_E = sum_k (e_{k+1} - e_k) (R_k - P_k), where R_k and P_k are their sums over the k + 1
    lowest levels. No large sums cancel, and by Schur's theorem no term is negative.
    """
    order = np.argsort(energies, kind="stable")
    gained = np.cumsum(eigenvalues - state_populations[order])
    return max(0.0, float(np.diff(energies[order]) @ gained[:-1]))


def diagonal_ergotropy(state: Any, energies: npt.ArrayLike, *, noise: float = 1e-14) -> float:
    """Ergotropy of the populations alone: of the state after its coherences are lost.

    Args:
        state: density matrix (n, n) or populations (n,). The result is in proportion to their sum,
            which is not checked.
        energies: of the levels, shape (n,).
        noise: populations below it count as zero, in the state and in its passive rearrangement
            alike: the rounding noise of an empty tail is in no order, and over many levels
            would add up to work. Set it to the accuracy of the populations.
    """
    p = populations(state)
    levels = _energies(energies, p.size)
    p = np.where(p < non_negative("noise", noise), 0.0, p)
    return spectral_ergotropy(np.sort(p)[::-1], p, levels)


def passive_state(density_matrix: Any, energies: npt.ArrayLike) -> FloatArray:
    """The state of the same spectrum and least energy: real and diagonal, shape (n, n)."""
    eigenvalues = spectrum(density_matrix)
    levels = _energies(energies, eigenvalues.size)
    p = np.empty_like(eigenvalues)
    p[np.argsort(levels, kind="stable")] = eigenvalues
    return np.diag(p)


def is_passive(density_matrix: Any, energies: npt.ArrayLike, *, tolerance: float = 1e-12) -> bool:
    """Whether the ergotropy is at most `tolerance` times the difference of extreme energies."""
    part, work = non_negative("tolerance", tolerance), ergotropy(density_matrix, energies)
    return work <= part * float(np.ptp(finite_array("energies", energies)))


def population_inversion(state: Any) -> Inversion:
    """Largest p_{n+1} - p_n of a matrix or of populations; positive when a pair is inverted."""
    p = populations(state)
    if p.size < 2:
        raise InvalidArgument(f"`state` must have at least 2 levels, but has {p.size}")
    steps = np.diff(p)
    return Inversion(float(steps.max()), int(steps.argmax()))


def _energies(energies: npt.ArrayLike, levels: int) -> FloatArray:
    values = finite_array("energies", energies, ndim=1)
    if values.size != levels:
        raise InvalidArgument(f"`energies` must have length {levels}, but has {values.size}")
    return values
