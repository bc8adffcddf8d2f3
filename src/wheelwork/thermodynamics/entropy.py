"""Von Neumann entropy."""

import numpy.typing as npt
from scipy.special import entr

from wheelwork._checks import FloatArray
from wheelwork.thermodynamics.spectrum import spectrum


def von_neumann_entropy(density_matrix: npt.ArrayLike) -> float:
    """S = -Tr rho ln rho, in units of k_B."""
    return spectral_entropy(spectrum(density_matrix))


def spectral_entropy(eigenvalues: FloatArray) -> float:
    """S = -sum_k r_k ln r_k of eigenvalues, which must not be negative."""
    return float(entr(eigenvalues).sum())
