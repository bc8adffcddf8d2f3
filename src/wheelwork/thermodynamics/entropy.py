"""Von Neumann entropy, and the free energy of an oscillator above its Gibbs state."""

import math
from typing import Any

from scipy.special import entr

from wheelwork._checks import FloatArray, positive
from wheelwork.thermodynamics.moments import energy
from wheelwork.thermodynamics.spectrum import spectrum


def von_neumann_entropy(density_matrix: Any) -> float:
    """S = -Tr rho ln rho, in units of k_B."""
    return spectral_entropy(spectrum(density_matrix))


def spectral_entropy(eigenvalues: FloatArray) -> float:
    """S = -sum_k r_k ln r_k ≥ 0 of eigenvalues, which must not be negative."""
    return max(0.0, float(entr(eigenvalues).sum()))  # 1 + 1e-16 would count as −1e-16


def log_partition_function(frequency: float, temperature: float) -> float:
    """ln Z of the whole ladder omega n, n = 0, 1, ...: -ln(1 - exp(-omega/T))."""
    omega, T = positive("frequency", frequency), positive("temperature", temperature)
    ratio = omega / T
    return -math.log(-math.expm1(-ratio)) if ratio > 0.0 else math.log(T) - math.log(omega)


def free_energy_gain(density_matrix: Any, frequency: float, temperature: float) -> float:
    """W_F = U - T S + T ln Z = T S(rho || Gibbs state): the work a bath at T helps to extract.

    Never below the ergotropy. U = omega ⟨a†a⟩ of a matrix (n, n) in the Fock basis, and Z is that
    of the infinite ladder: the matrix must include all occupied levels.
    """
    S, U = von_neumann_entropy(density_matrix), energy(density_matrix, frequency)
    return max(0.0, spectral_free_energy_gain(S, U, frequency, temperature))


def spectral_free_energy_gain(
    entropy: float, mean_energy: float, frequency: float, temperature: float
) -> float:
    """`free_energy_gain` from a known entropy and energy."""
    return mean_energy + temperature * (log_partition_function(frequency, temperature) - entropy)
