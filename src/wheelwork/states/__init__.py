"""Quantum states of an oscillator: Fock basis, Wigner functions, conversions."""

from wheelwork.states.density import expand_diagonals, to_qutip, trim_levels
from wheelwork.states.fock import (
    cat_state,
    coherent_state,
    number_state,
    squeezed_state,
    thermal_state,
)
from wheelwork.states.oscillator import hermite_functions, laguerre_functions
from wheelwork.states.polar import (
    RadialMesh,
    density_matrix_from_harmonics,
    density_matrix_from_polar,
    levels_within,
    radial_mesh,
)
from wheelwork.states.preparations import (
    Cat,
    Coherent,
    FromDensityMatrix,
    Ground,
    Preparation,
    Thermal,
)
from wheelwork.states.wigner import density_matrix_from_wigner, wigner_from_density_matrix

__all__ = [
    "Cat", "Coherent", "FromDensityMatrix", "Ground", "Preparation", "RadialMesh", "Thermal",
    "cat_state", "coherent_state", "density_matrix_from_harmonics", "density_matrix_from_polar",
    "density_matrix_from_wigner", "expand_diagonals", "hermite_functions", "laguerre_functions",
    "levels_within", "number_state", "radial_mesh", "squeezed_state", "thermal_state", "to_qutip",
    "trim_levels", "wigner_from_density_matrix",
]  # fmt: skip
