"""A density matrix on the elements of a sector."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.lindblad.blocks import hermitian_blocks
from wheelwork.lindblad.operators import ComplexArray, IndexArray, sparse_operator
from wheelwork.lindblad.sector import Sector

LARGEST_DENSE = 8192  # basis states; 1 GiB


@dataclass(frozen=True, eq=False)
class State:
    """A Hermitian matrix ρ, zero outside its sector.

    values: (n,), a vector of the sector.
    """

    sector: Sector
    values: FloatArray

    @cached_property
    def matrix(self) -> sp.csr_array:
        """ρ, (D, D), sparse and complex."""
        return self.sector.matrix(self.values)

    @property
    def density_matrix(self) -> ComplexArray:
        """ρ, (D, D), dense.

        Raises:
            InvalidArgument: for more than 8192 basis states; use `matrix` or `blocks`.
        """
        if self.sector.dimension > LARGEST_DENSE:
            raise InvalidArgument(
                f"`density_matrix` must have at most {LARGEST_DENSE} basis states, "
                f"but has {self.sector.dimension}; use `matrix` or `blocks`"
            )
        return np.asarray(self.matrix.toarray())

    @property
    def trace(self) -> float:
        return float(np.sum(self.values[self.sector.populations]))

    @cached_property
    def populations(self) -> FloatArray:
        """(D,), the diagonal of ρ."""
        populations = np.zeros(self.sector.dimension)
        places = self.sector.populations
        populations[self.sector.row[places]] = self.values[places]
        return populations

    def expect(self, operator: Any) -> complex | float:
        """Tr(O ρ), real for a real number of a Hermitian operator, else complex.

        Raises:
            InvalidArgument: for an operator that is not a finite (D, D) matrix.
        """
        O = sparse_operator("operator", operator, self.sector.dimension)  # noqa: E741
        real = float(self.sector.functional(O) @ self.values)
        imaginary = float(self.sector.functional(sp.csc_array(-1j * O)) @ self.values)
        scale = float(abs(O.data).max(initial=0.0))
        return real if abs(imaginary) <= 1e-14 * scale else complex(real, imaginary)

    @cached_property
    def blocks(self) -> list[tuple[IndexArray, ComplexArray]]:
        """The blocks that ρ falls into, by size b: basis states (m, b) and matrices (m, b, b)."""
        return hermitian_blocks(self.matrix)

    @cached_property
    def eigenvalues(self) -> FloatArray:
        """(D,), descending; rounding may leave some slightly below zero."""
        parts = [np.linalg.eigvalsh(blocks).ravel() for _, blocks in self.blocks]
        return np.sort(np.concatenate(parts))[::-1]
