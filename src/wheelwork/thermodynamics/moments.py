"""Number statistics and energy of an oscillator state.

Each takes a matrix or populations, and raises InvalidArgument unless they have trace one (to 1e-3).
"""

import math

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray, integer, positive
from wheelwork.thermodynamics.spectrum import normalised, populations


def ladder(frequency: float, levels: int) -> FloatArray:
    """Energies omega n of the oscillator Hamiltonian omega a†a, shape (levels,)."""
    return positive("frequency", frequency) * np.arange(
        integer("levels", levels, 1), dtype=np.float64
    )


def phonon_number(state: npt.ArrayLike) -> float:
    """Mean number ⟨a†a⟩ = sum_n n p_n of a matrix (n, n) or of populations (n,)."""
    p = normalised("state", populations(state))
    return float(np.arange(p.size) @ p)


def g2(state: npt.ArrayLike) -> float:
    """Second-order coherence g²(0) = sum n(n-1) p_n / (sum n p_n)² at zero delay.

    2 for a thermal state, 1 for a coherent one, 1 - 1/n for a number state; NaN in the vacuum.
    """
    p = normalised("state", populations(state))
    n = np.arange(p.size)
    mean = float(n @ p)
    return float((n * (n - 1.0)) @ p) / mean**2 if mean > 0.0 else math.nan


def energy(state: npt.ArrayLike, frequency: float) -> float:
    """Mean energy omega ⟨a†a⟩, without the zero-point energy."""
    return positive("frequency", frequency) * phonon_number(state)
