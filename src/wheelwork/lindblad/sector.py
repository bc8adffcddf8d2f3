"""The unknowns of a density matrix that an equation couples, and the generator among them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.exploration import BITS, LOW, element_keys, explore
from wheelwork.lindblad.operators import ComplexArray, IndexArray, csc_parts
from wheelwork.numerics.work import require_budget, tick

# Of the rates kept in its column, the largest sum that may be dropped as rounding. Where symmetry
# cancels it is about 1e-14; near one, energies are so large that rounding hides their differences.
LARGEST_DROPPED = 1e-6
# Contributions to the generator that are summed at most: up to half a minute, and some gigabytes.
MOST_CONTRIBUTIONS = 3e8
# Jumps are multiplied as filled matrices where their entries make at least this part of what
# filled ones would, and enough contributions that sorting them takes time.
FILLED_SHARE, FILLED_FROM = 0.05, 8
FILLED_SECONDS, FILLED_BUDGET = 0.5e-9, 20.0  # per jump and D⁴; estimated seconds
MOST_BYTES = 4e9  # of filled jumps, and of the generator that they lead to


@dataclass(frozen=True, eq=False, repr=False)
class Sector(Computed):
    """Unknowns: real or imaginary parts of elements ρ_ab with a ≥ b, in ascending order of key.

    dimension: D. keys: (n,), the number of each unknown, see `wheelwork.lindblad.exploration`.
    A vector of the sector holds these n real numbers; all other elements of ρ are zero.
    """

    dimension: int
    keys: IndexArray

    def __repr__(self) -> str:
        return f"Sector({self.size} unknowns of {self.dimension} levels)"

    @property
    def size(self) -> int:
        return int(self.keys.size)

    @cached_property
    def row(self) -> IndexArray:
        """(n,): a of every unknown."""
        return np.asarray(self.keys >> (BITS + 1))

    @cached_property
    def column(self) -> IndexArray:
        """(n,): b of every unknown."""
        return np.asarray((self.keys >> 1) & LOW)

    @cached_property
    def imaginary(self) -> npt.NDArray[np.bool_]:
        """(n,): whether an unknown is an imaginary part."""
        return np.asarray((self.keys & 1).astype(bool))

    @cached_property
    def populations(self) -> IndexArray:
        """Positions of the unknowns ρ_aa, in ascending order of a."""
        return np.flatnonzero(self.row == self.column)

    @cached_property
    def trace(self) -> FloatArray:
        """(n,): one at populations, else zero; its product with a vector is the trace."""
        trace = np.zeros(self.size)
        trace[self.populations] = 1.0
        return trace

    @cached_property
    def factors(self) -> npt.NDArray[np.complex128]:
        """(n,): the value that an unknown of one puts at ρ_ab (1 or i)."""
        return np.where(self.imaginary, 1j, 1.0)

    def matrix(self, values: FloatArray | ComplexArray) -> sp.csr_array:
        """The matrix of a vector, (D, D), sparse; of a + ib it is A + iB, A and B Hermitian."""
        off = self.row != self.column
        lower, upper = values * self.factors, values * self.factors.conj()
        row = np.concatenate((self.row, self.column[off]))
        column = np.concatenate((self.column, self.row[off]))
        data = np.concatenate((lower, upper[off]))
        shape = (self.dimension, self.dimension)
        return sp.csr_array(sp.coo_array((data, (row, column)), shape=shape))

    def vector(self, matrix: sp.csc_array) -> FloatArray:
        """The vector of a Hermitian matrix; InvalidArgument for elements outside the sector."""
        keys, data = unknowns_of(matrix)
        position = np.minimum(np.searchsorted(self.keys, keys), self.size - 1)
        if np.any(self.keys[position] != keys):
            raise InvalidArgument(
                "`state` must lie in the sector, but has elements outside; "
                "make the sector from this state"
            )
        values = np.zeros(self.size)
        values[position] = data
        return values

    def functional(self, operator: sp.csc_array) -> FloatArray:
        """(n,): its product with a vector is Re Tr(O ρ)."""
        transposed = sp.csr_array(operator.T)
        upper = np.asarray(transposed[self.row, self.column]).ravel()  # O_ba goes with ρ_ab
        lower = np.asarray(transposed[self.column, self.row]).ravel()
        twice = np.where(self.row == self.column, 0.5, 1.0)
        return np.asarray(twice * (self.factors * upper + self.factors.conj() * lower).real)


def diagonal_sector(lindblad: Lindblad) -> tuple[Sector, sp.csc_array]:
    """Return the sector that the populations drive, and the generator (n, n) on it.

    A steady state that every initial state reaches is zero outside it.
    """
    states = np.arange(lindblad.dimension, dtype=np.int64)
    return driven_sector(lindblad, element_keys(states, states))


def state_sector(lindblad: Lindblad, state: sp.csc_array) -> tuple[Sector, sp.csc_array]:
    """Return the sector that the elements of a state drive, and the generator (n, n) on it."""
    return driven_sector(lindblad, unknowns_of(state)[0])


def driven_sector(lindblad: Lindblad, starts: IndexArray) -> tuple[Sector, sp.csc_array]:
    """Return the sector that the unknowns `starts` drive, and the generator (n, n) on it.

    starts: keys, without repetition. Time and memory are proportional to the generator's entries.
    Raises NotConverged when the result depends on a difference of energies that may be rounding.
    """
    weights = np.ones(len(lindblad.jumps))
    *columns, dropped = _explore(lindblad, None, weights, starts)
    if dropped > LARGEST_DROPPED:
        raise NotConverged(
            "matrix elements that differ by no more than their rounding (1e-14) decide: the "
            f"difference is {dropped:.0e} of the rates beside it; count energies from a level "
            "near by"
        )
    return _ordered(lindblad.dimension, *columns)


def jump_superoperator(
    lindblad: Lindblad, sector: Sector, weights: FloatArray
) -> tuple[sp.csc_array, IndexArray]:
    """Return ρ → Σ w_k L_k ρ L_k† as a matrix (n, n), and the keys that it drives outside.

    weights: w, (K,). The matrix represents it only where there is no key outside.
    """
    none = sp.csc_array(lindblad.hamiltonian.shape, dtype=np.complex128)
    keys, indptr, indices, data, _ = _explore(lindblad, none, weights, sector.keys)
    n = sector.size
    inside = slice(0, indptr[n])
    matrix = (data[inside], np.minimum(indices[inside], n - 1), indptr[: n + 1])
    return sp.csc_array(matrix, shape=(n, n)), keys[n:]


def _explore(
    lindblad: Lindblad, drift: sp.csc_array | None, weights: FloatArray, starts: IndexArray
) -> Any:
    """`exploration.explore` for SciPy's arrays, by default with the equation's own drift.

    Raises NotConverged beyond its budget.
    """
    tick("search for the unknowns")
    filled = _filled_jumps(lindblad)
    used = sp.csc_array((0, lindblad.dimension)) if filled.size else lindblad.stacked_jumps
    indptr, row, data = csc_parts(sp.csc_array(used, dtype=np.complex128))
    kind = row // lindblad.dimension
    jumps = indptr, (kind << BITS) | (row - kind * lindblad.dimension), data
    between = csc_parts(lindblad.drift if drift is None else drift)
    result = explore(between, jumps, weights, filled, MOST_CONTRIBUTIONS, starts)
    if result[1].size <= result[0].size:
        raise NotConverged(
            f"the generator of {lindblad!r} has more than {MOST_CONTRIBUTIONS:.0e} contributions, "
            f"to {result[0].size} unknowns and more: reduce the number of levels or of jumps"
        )
    return result


def _filled_jumps(lindblad: Lindblad) -> ComplexArray:
    """All jumps as an array (D, D, K), (L_k)_ac at [c, a, k]; empty where they are sparse."""
    D, K = lindblad.dimension, len(lindblad.jumps)
    pairs = float(sum(jump.nnz**2 for jump in lindblad.jumps))
    if D < FILLED_FROM or pairs < max(FILLED_SHARE * K, 0.5) * float(D) ** 4:
        return np.empty((0, 0, 0), dtype=np.complex128)
    task, advice = f"the generator of {lindblad!r}", "reduce the number of levels or of jumps"
    seconds = FILLED_SECONDS * K * float(D) ** 4
    require_budget(task, seconds, FILLED_BUDGET, "seconds", advice)
    need = 48.0 * D**2 * K + 40.0 * float(D) ** 4
    require_budget(task, need, MOST_BYTES, "bytes", advice)
    stacked = lindblad.stacked_jumps.toarray()  # (k D + a, c)
    return np.ascontiguousarray(stacked.reshape(K, D, D).transpose(2, 1, 0))


def _ordered(
    dimension: int, keys: IndexArray, indptr: IndexArray, indices: IndexArray, data: FloatArray
) -> tuple[Sector, sp.csc_array]:
    """The sector and the generator with unknowns in ascending order of key."""
    n, order = keys.size, np.argsort(keys)
    rank = np.empty_like(order)
    rank[order] = np.arange(n)
    lengths = np.diff(indptr)[order]
    begins = np.concatenate(([0], np.cumsum(lengths)))
    moved = np.repeat(indptr[:-1][order] - begins[:-1], lengths) + np.arange(data.size)
    generator = sp.csc_array((data[moved], rank[indices[moved]], begins), shape=(n, n))
    return Sector(dimension, keys[order]), generator


def unknowns_of(matrix: sp.csc_array) -> tuple[IndexArray, FloatArray]:
    """Keys, ascending, and values of the nonzero unknowns of a Hermitian matrix."""
    coo = sp.coo_array(matrix)
    row, column = (part.astype(np.int64) for part in coo.coords)
    below = row >= column
    element, data = element_keys(row[below], column[below]), coo.data[below]
    real, imaginary = data.real != 0.0, data.imag != 0.0
    keys = np.concatenate((element[real], element[imaginary] + 1))
    values = np.concatenate((data.real[real], data.imag[imaginary]))
    order = np.argsort(keys)
    return keys[order], values[order]
