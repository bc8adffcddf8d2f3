"""States for the laws of thermodynamics."""

import numpy as np
from hypothesis import strategies as st
from scipy.linalg import expm

from wheelwork.states import thermal_state


def random_state(levels, seed, rank=None):
    """Random density matrix, complex in every element."""
    rng = np.random.default_rng(seed)
    shape = (levels, rank or levels)
    factor = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    rho = factor @ factor.conj().T
    return rho / np.trace(rho).real


def random_unitary(levels, seed):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(levels, levels)) + 1j * rng.normal(size=(levels, levels))
    return np.linalg.qr(matrix)[0]


def squeezed_thermal(mean_number, r, levels):
    """S rho S† with S = exp(r (a² - a†²)/2); exact where levels hold it with room to spare."""
    a = np.diag(np.sqrt(np.arange(1.0, levels)), 1)
    squeeze = expm(0.5 * r * (a @ a - a.T @ a.T))
    return squeeze @ thermal_state(mean_number, levels, tolerance=1e-12).real @ squeeze.T


states = st.builds(
    random_state, levels=st.integers(2, 12), seed=st.integers(0, 10**6), rank=st.integers(1, 12)
)
