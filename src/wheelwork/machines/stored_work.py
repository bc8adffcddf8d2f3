"""The work that a state of the oscillator stores, from its eigenvalues and populations."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wheelwork import thermodynamics
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument


@dataclass(frozen=True)
class StoredWork:
    """Work against ω0 a†a, and against a bath.

    eigenvalues: of ρ, descending, none negative. populations: ⟨n|ρ|n⟩. frequency: ω0.
    energy: U = ω0 ⟨a†a⟩. temperature: of the bath, None where none is named.
    """

    eigenvalues: FloatArray
    populations: FloatArray
    frequency: float
    energy: float
    temperature: float | None

    @cached_property
    def entropy(self) -> float:
        """S = −Tr ρ ln ρ."""
        return thermodynamics.spectral_entropy(self.eigenvalues)

    @cached_property
    def ergotropy(self) -> float:
        """Work that a cyclic unitary can extract from the whole state."""
        return thermodynamics.spectral_ergotropy(self.eigenvalues, self.populations, self._ladder)

    @cached_property
    def ergotropy_diagonal(self) -> float:
        """Ergotropy of the populations alone, the quantity of the paper."""
        return thermodynamics.diagonal_ergotropy(self.populations, self._ladder)

    @property
    def free_energy_gain(self) -> float:
        """W_F = U − T S + T ln Z, over the bath.

        Raises InvalidArgument when the leads differ in temperature and none was named.
        """
        if self.temperature is None:
            raise InvalidArgument(
                "`temperature` must be given (Flywheel(temperature=...)) for a free energy: "
                "the leads differ in temperature"
            )
        return thermodynamics.spectral_free_energy_gain(
            self.entropy, self.energy, self.frequency, self.temperature
        )

    @cached_property
    def inversion(self) -> float:
        """Largest p_{n+1} − p_n; positive when a level holds more than the one below it."""
        return thermodynamics.population_inversion(self.populations).step

    @property
    def _ladder(self) -> FloatArray:
        return self.frequency * np.arange(self.populations.size, dtype=np.float64)


class StoresWork:
    """What a state offers once its `StoredWork` is known."""

    @property
    def stored_work(self) -> StoredWork:
        """Entropy and work, from the eigenvalues and populations."""
        raise NotImplementedError

    @property
    def entropy(self) -> float:
        """S = −Tr ρ ln ρ."""
        return self.stored_work.entropy

    @property
    def ergotropy(self) -> float:
        """Work that a cyclic unitary can extract from the whole state, against ω0 a†a."""
        return self.stored_work.ergotropy

    @property
    def ergotropy_diagonal(self) -> float:
        """Ergotropy of the populations alone, the quantity of the paper."""
        return self.stored_work.ergotropy_diagonal

    @property
    def free_energy_gain(self) -> float:
        """W_F = U − T S + T ln Z, over the bath that `machine.temperature` names.

        Raises InvalidArgument when the leads differ in temperature and none was named.
        """
        return self.stored_work.free_energy_gain
