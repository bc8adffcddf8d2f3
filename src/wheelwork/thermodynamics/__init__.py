"""Thermodynamics of quantum states: number statistics, entropy, ergotropy, free energy."""

from wheelwork.thermodynamics.bipartite import mutual_information, negativity, reduced_state
from wheelwork.thermodynamics.entropy import (
    free_energy_gain,
    log_partition_function,
    spectral_entropy,
    spectral_free_energy_gain,
    von_neumann_entropy,
)
from wheelwork.thermodynamics.ergotropy import (
    Inversion,
    diagonal_ergotropy,
    ergotropy,
    is_passive,
    passive_state,
    population_inversion,
    spectral_ergotropy,
)
from wheelwork.thermodynamics.moments import (
    energy,
    g2,
    ladder,
    phonon_number,
    wigner_g2,
    wigner_phonon_number,
)
from wheelwork.thermodynamics.spectrum import banded_spectrum, populations, spectrum

__all__ = [
    "Inversion", "banded_spectrum", "diagonal_ergotropy", "energy", "ergotropy", "free_energy_gain",
    "g2", "is_passive", "ladder", "log_partition_function", "mutual_information", "negativity",
    "passive_state", "phonon_number", "population_inversion", "populations", "reduced_state",
    "spectral_entropy", "spectral_ergotropy", "spectral_free_energy_gain", "spectrum",
    "von_neumann_entropy", "wigner_g2", "wigner_phonon_number",
]  # fmt: skip
