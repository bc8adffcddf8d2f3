"""A matrix on the elements of a sector, and conversion of initial states."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import xarray as xr

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import InvalidArgument
from wheelwork.lindblad.operators import (
    LARGEST,
    ComplexArray,
    IndexArray,
    diagonal_blocks,
    hermitian_operator,
    hermitian_parts,
    plain_matrix,
    sparse_operator,
)
from wheelwork.lindblad.sector import Sector
from wheelwork.results.datasets import variables

LARGEST_DENSE = 8192  # basis states of a dense ρ, which then takes 1 GiB
REAL_RTOL = 1e-14  # of the largest |O_ab| |ρ_ab|: an imaginary part below is rounding of Tr(O ρ)
TRACE_ATOL = 1e-9  # of an initial state: as far as solvers and papers give one
LOWEST_EIGENVALUE = -1e-6  # of an initial state: what one solved for to a modest rtol may have


@dataclass(frozen=True, eq=False, repr=False)
class State(Computed):
    """A matrix ρ that is zero outside its sector: a state, or any operator.

    values: (n,), a vector of the sector, real for a Hermitian ρ; a + ib stands for ρ = A + iB.
    """

    sector: Sector
    values: npt.NDArray[Any]

    def __repr__(self) -> str:
        levels, purity = self.sector.dimension, ""
        if not np.iscomplexobj(self.values):
            purity = f", purity {self.purity:.6g}"
        return f"State({levels} levels, trace {self.trace:.6g}{purity})"

    @cached_property
    def matrix(self) -> sp.csr_array:
        """ρ, (D, D), sparse and complex."""
        return self.sector.matrix(self.values)

    def to_xarray(self) -> xr.Dataset:
        """Return ρ as density_matrix_real and density_matrix_imag over `row` and `column`."""
        return xr.Dataset(variables(("row", "column"), "density_matrix", self.density_matrix))

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
    def trace(self) -> Any:
        """A float, or complex where ρ is not Hermitian."""
        return np.sum(self.values[self.sector.populations]).item()

    @property
    def purity(self) -> float:
        """Tr ρ². As those below, it raises InvalidArgument unless ρ is Hermitian."""
        twice = np.where(self.sector.row == self.sector.column, 1.0, 2.0)
        return float(twice @ self._real_values**2)

    @cached_property
    def populations(self) -> FloatArray:
        """(D,), the diagonal of ρ."""
        populations, positions = np.zeros(self.sector.dimension), self.sector.populations
        populations[self.sector.row[positions]] = self._real_values[positions]
        return populations

    @property
    def _real_values(self) -> FloatArray:
        if np.iscomplexobj(self.values):
            raise InvalidArgument("`state` must be Hermitian, but is not; use `matrix`")
        return np.asarray(self.values)

    def expect(self, operator: Any) -> complex | float:
        """Tr(O ρ), real where its imaginary part is rounding, else complex.

        Raises InvalidArgument for an operator that is not a finite (D, D) matrix.
        """
        O = sparse_operator("operator", operator, self.sector.dimension)  # noqa: E741
        rows = [self.sector.functional(part) for part in hermitian_parts(O)]
        mean = complex(rows[0] @ self.values)
        if len(rows) > 1:
            mean += 1j * complex(rows[1] @ self.values)
        scale = float(abs(O.data).max(initial=0.0) * abs(self.values).max(initial=0.0))
        return mean.real if abs(mean.imag) <= REAL_RTOL * scale else mean

    @cached_property
    def blocks(self) -> list[tuple[IndexArray, ComplexArray]]:
        """The diagonal blocks of ρ, by size b: basis states (m, b) and matrices (m, b, b)."""
        _ = self._real_values
        return diagonal_blocks(self.matrix)

    @cached_property
    def eigenvalues(self) -> FloatArray:
        """(D,), descending; rounding may leave some slightly below zero."""
        parts = [np.linalg.eigvalsh(blocks).ravel() for _, blocks in self.blocks]
        return np.sort(np.concatenate(parts))[::-1]


def initial_operator(value: Any, dimension: int) -> list[sp.csc_array]:
    """Return the Hermitian parts A and B (without B where it is zero) of any operator A + iB.

    value: as for `initial_state`; a vector must have length one.
    """
    plain, pure = _plain(value, dimension)
    if pure:
        return [initial_state(value, dimension)]
    return hermitian_parts(sparse_operator("initial", plain, dimension))


def initial_state(value: Any, dimension: int) -> sp.csc_array:
    """Return a density matrix from one, from a `State`, or from a vector of shape (D,) or (D, 1).

    Raises InvalidArgument when the shape does not fit, or it is not Hermitian (1e-12 of its largest
    entry), not of trace one (1e-9), or has an eigenvalue below −1e-6.
    """
    plain, pure = _plain(value, dimension)
    if pure:
        ket = sp.csr_array(_vector(plain))
        plain = ket @ ket.conj().T
    rho = hermitian_operator("initial", plain, dimension)
    trace = float(rho.diagonal().real.sum())
    if not abs(trace - 1.0) <= TRACE_ATOL:
        raise InvalidArgument(f"`initial` must have trace one, but has {trace!r}")
    if not pure:
        low = min(float(np.linalg.eigvalsh(dense).min()) for _, dense in diagonal_blocks(rho))
        if not low >= LOWEST_EIGENVALUE:
            raise InvalidArgument(f"`initial` must have no negative eigenvalue, but has {low:.3g}")
    return rho


def _vector(plain: Any) -> ComplexArray:
    """A state vector as a column, checked."""
    dense = plain.toarray() if hasattr(plain, "toarray") else plain
    try:
        vector = np.asarray(dense, dtype=np.complex128).reshape(-1, 1)
    except Exception:  # whatever the entries' own conversion raises
        raise InvalidArgument("`initial` must hold numbers, but does not") from None
    if not np.all(np.abs(vector) <= LARGEST):  # NaN too
        raise InvalidArgument("`initial` must be finite and of length one, but is not")
    return np.asarray(vector)


def _plain(value: Any, dimension: int) -> tuple[Any, bool]:
    """Return an initial state as a matrix or a vector, and whether it is one."""
    try:
        plain = value.matrix if isinstance(value, State) else plain_matrix(value)
    except ValueError:  # rows of different lengths
        raise InvalidArgument("`initial` must be a matrix or a vector, but is neither") from None
    shape = np.shape(plain) if isinstance(plain, np.ndarray) else getattr(plain, "shape", ())
    return plain, len(shape) == 1 or (shape[1:] == (1,) and dimension != 1)
