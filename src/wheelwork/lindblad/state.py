"""A density matrix on the elements of a sector, and conversion of initial states."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.lindblad.operators import (
    ComplexArray,
    IndexArray,
    hermitian_blocks,
    hermitian_operator,
    plain_matrix,
    sparse_operator,
)
from wheelwork.lindblad.sector import Sector

LARGEST_DENSE = 8192  # basis states of a dense ρ, which then takes 1 GiB
REAL_RTOL = 1e-14  # of the largest |O_ab|: an imaginary part below is rounding of Tr(O ρ)
TRACE_ATOL = 1e-9  # of an initial state: as far as solvers and papers give one
LOWEST_EIGENVALUE = -1e-6  # of an initial state: what one solved for to a modest rtol may have


@dataclass(frozen=True, eq=False, repr=False)
class State:
    """A Hermitian matrix ρ that is zero outside its sector.

    values: (n,), a vector of the sector.
    """

    sector: Sector
    values: FloatArray

    def __repr__(self) -> str:
        levels = self.sector.dimension
        return f"State({levels} levels, trace {self.trace:.6g}, purity {self.purity:.6g})"

    @cached_property
    def matrix(self) -> sp.csr_array:
        """ρ, (D, D), sparse and complex."""
        return self.sector.matrix(self.values)

    @property
    def density_matrix(self) -> ComplexArray:
        """ρ, (D, D), dense; InvalidArgument for more than 8192 basis states."""
        if self.sector.dimension > LARGEST_DENSE:
            raise InvalidArgument(
                f"`density_matrix` must have at most {LARGEST_DENSE} basis states, "
                f"but has {self.sector.dimension}; use `matrix` or `blocks`"
            )
        return np.asarray(self.matrix.toarray())

    @property
    def trace(self) -> float:
        return float(np.sum(self.values[self.sector.populations]))

    @property
    def purity(self) -> float:
        """Tr ρ²."""
        twice = np.where(self.sector.row == self.sector.column, 1.0, 2.0)
        return float(twice @ self.values**2)

    @cached_property
    def populations(self) -> FloatArray:
        """(D,), the diagonal of ρ."""
        populations, positions = np.zeros(self.sector.dimension), self.sector.populations
        populations[self.sector.row[positions]] = self.values[positions]
        return populations

    def expect(self, operator: Any) -> complex | float:
        """Tr(O ρ), real where its imaginary part is rounding, else complex.

        Raises InvalidArgument for an operator that is not a finite (D, D) matrix.
        """
        O = sparse_operator("operator", operator, self.sector.dimension)  # noqa: E741
        real = float(self.sector.functional(O) @ self.values)
        imaginary = float(self.sector.functional(sp.csc_array(-1j * O)) @ self.values)
        scale = float(abs(O.data).max(initial=0.0))
        return real if abs(imaginary) <= REAL_RTOL * scale else complex(real, imaginary)

    @cached_property
    def blocks(self) -> list[tuple[IndexArray, ComplexArray]]:
        """The diagonal blocks of ρ, by size b: basis states (m, b) and matrices (m, b, b)."""
        return hermitian_blocks(self.matrix)

    @cached_property
    def eigenvalues(self) -> FloatArray:
        """(D,), descending; rounding may leave some slightly below zero."""
        parts = [np.linalg.eigvalsh(blocks).ravel() for _, blocks in self.blocks]
        return np.sort(np.concatenate(parts))[::-1]


def initial_state(value: Any, dimension: int) -> sp.csc_array:
    """Return a density matrix from one, from a `State`, or from a vector of shape (D,) or (D, 1).

    Raises InvalidArgument when the shape does not fit, or it is not Hermitian (1e-12 of its largest
    entry), not of trace one (1e-9), or has an eigenvalue below −1e-6.
    """
    plain = value.matrix if isinstance(value, State) else plain_matrix(value)
    shape = np.shape(plain) if isinstance(plain, np.ndarray) else getattr(plain, "shape", ())
    pure = len(shape) == 1 or (shape[1:] == (1,) and dimension != 1)
    if pure:
        dense = plain.toarray() if hasattr(plain, "toarray") else plain
        ket = sp.csr_array(np.asarray(dense, dtype=np.complex128).reshape(-1, 1))
        plain = ket @ ket.conj().T
    rho = hermitian_operator("initial", plain, dimension)
    trace = float(rho.diagonal().real.sum())
    if not abs(trace - 1.0) <= TRACE_ATOL:
        raise InvalidArgument(f"`initial` must have trace one, but has {trace!r}")
    if not pure:
        low = min(float(np.linalg.eigvalsh(dense).min()) for _, dense in hermitian_blocks(rho))
        if not low >= LOWEST_EIGENVALUE:
            raise InvalidArgument(f"`initial` must have no negative eigenvalue, but has {low:.3g}")
    return rho
