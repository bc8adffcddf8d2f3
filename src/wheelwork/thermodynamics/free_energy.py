"""Non-equilibrium free energy of an oscillator above its Gibbs state."""

import math

import numpy.typing as npt

from wheelwork._checks import positive
from wheelwork.thermodynamics.entropy import spectral_entropy
from wheelwork.thermodynamics.moments import energy
from wheelwork.thermodynamics.spectrum import spectrum


def log_partition_function(frequency: float, temperature: float) -> float:
    """ln Z of the whole ladder omega n, n = 0, 1, ...: -ln(1 - exp(-omega/T))."""
    ratio = positive("frequency", frequency) / positive("temperature", temperature)
    return -math.log(-math.expm1(-ratio))


def free_energy_gain(density_matrix: npt.ArrayLike, frequency: float, temperature: float) -> float:
    """W_F = U - T S + T ln Z = T S(rho || Gibbs state): the work a bath at T helps to extract.

    Never below the ergotropy. U = omega ⟨a†a⟩, and Z is that of the infinite ladder: the levels
    kept must hold the state.

    Args:
        density_matrix: shape (n, n), in the Fock basis.
        frequency: omega.
        temperature: T of the bath.
    """
    return spectral_free_energy_gain(
        spectral_entropy(spectrum(density_matrix)),
        energy(density_matrix, frequency),
        frequency,
        temperature,
    )


def spectral_free_energy_gain(
    entropy: float, mean_energy: float, frequency: float, temperature: float
) -> float:
    """The same from an entropy and an energy computed before."""
    return mean_energy + temperature * (log_partition_function(frequency, temperature) - entropy)
