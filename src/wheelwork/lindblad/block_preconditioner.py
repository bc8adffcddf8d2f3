"""An approximate inverse of the generator: exact between jumps, swept over the blocks they connect.

Derived in docs/developers/lindblad.md.
"""

import itertools
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components, reverse_cuthill_mckee

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import NotConverged
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.factorisation import norm
from wheelwork.lindblad.operators import ComplexArray, IndexArray
from wheelwork.lindblad.sector import Sector

LARGEST_BLOCK = 6000  # basis states; its eigenvectors take 0.6 GiB
# Condition of eigenvectors above which the matrix is moved away from its exceptional point, by NEAR
# of its norm: next to a second-order one the condition then is about NEAR^(-1/2) = 100.
LARGEST_CONDITION, NEAR = 1e7, 1e-4
# Seconds per cube of a block's size: of its eigenvectors, and of the products in one solution.
EIGENVECTOR_SECONDS, PRODUCT_SECONDS = 30e-9, 3e-9
BLOCK_SECONDS = 1e-4  # what a small block takes in one sweep
SMALLEST_DECAY = 1e-6  # of the norm, subtracted from every decay: some blocks never jump


@dataclass(frozen=True, eq=False)
class Eigenmodes:
    """G = −iH − ½ΣL†L on a set of basis states that it mixes: P diag(λ) P⁻¹.

    rates: λ. vectors: P. inverse: P⁻¹. Next to an exceptional point, where eigenvectors coincide,
    those of a nearby matrix.
    """

    rates: ComplexArray
    vectors: ComplexArray
    inverse: ComplexArray

    @classmethod
    def of(cls, drift: ComplexArray) -> "Eigenmodes":
        rates, vectors = np.linalg.eig(drift)
        if np.linalg.cond(vectors, 1) > LARGEST_CONDITION:
            moved = NEAR * np.linalg.norm(drift, 1) * np.linspace(-1.0, 1.0, rates.size)
            rates, vectors = np.linalg.eig(drift + np.diag(moved))
        return cls(rates, vectors, np.linalg.inv(vectors))


@dataclass(frozen=True, eq=False)
class Block(Computed):
    """The unknowns whose elements ρ_ab have a in one set of basis states and b in another.

    unknowns: slice of the reordered sector. positions: of the elements in the dense block, rows and
    columns. factors: (n,), 1 for a real part, ±i for an imaginary one (− where the block holds
    ρ_ba). diagonal: whether the two sets are the same. left, right: the modes of the two sets.
    coupling: rows of the generator in the reordered sector, without the block itself. shift:
    subtracted from the decay.
    """

    unknowns: slice
    positions: tuple[IndexArray, IndexArray]
    factors: ComplexArray
    diagonal: bool
    left: Eigenmodes
    right: Eigenmodes
    coupling: sp.csr_array
    shift: float

    @cached_property
    def _denominator(self) -> ComplexArray:
        return self.left.rates[:, None] + self.right.rates.conj()[None, :] - self.shift

    def solve(self, values: FloatArray) -> FloatArray:
        """Return X with G_i X + X G_j† − σ X = R, on the unknowns."""
        R = np.zeros(self._denominator.shape, dtype=np.complex128)
        np.add.at(R, self.positions, values * self.factors)
        if self.diagonal:
            R += np.tril(R, -1).conj().T
        left, right = self.left, self.right
        Y = (left.inverse @ R @ right.inverse.conj().T) / self._denominator
        X = left.vectors @ Y @ right.vectors.conj().T
        return np.asarray((X[self.positions] * self.factors.conj()).real)


@dataclass(frozen=True, eq=False)
class BlockSweeps:
    """A block Gauss–Seidel sweep forth and one back; order: (n,), unknowns block after block."""

    order: IndexArray
    blocks: tuple[Block, ...]

    @classmethod
    def of(cls, lindblad: Lindblad, sector: Sector, generator: sp.csc_array) -> "BlockSweeps":
        """Return the preconditioner; raises NotConverged for a block above 6000 basis states."""
        label = mixed_sets(lindblad.drift)
        sizes = np.bincount(label)
        count = sizes.size
        if sizes.max() > LARGEST_BLOCK:
            raise NotConverged(
                f"−iH − ½ΣL†L mixes {sizes.max()} basis states, whose eigenvectors take "
                f"{3 * 16e-9 * float(sizes.max()) ** 2:.1f} GB: at most {LARGEST_BLOCK} are handled"
            )
        a, b = label[sector.row], label[sector.column]
        swapped = a < b  # whether ρ_ba has the pair of sets in order, not ρ_ab
        order, starts = _block_order(generator, np.where(swapped, b * count + a, a * count + b))
        return cls(order, _blocks(lindblad, sector, generator, label, swapped, order, starts))

    def solve(self, b: FloatArray) -> FloatArray:
        """Return an approximate x with generator · x = b, (n,)."""
        right = b[self.order]
        x = np.zeros_like(right)
        for block in itertools.chain(self.blocks, self.blocks[-2::-1]):
            x[block.unknowns] = block.solve(right[block.unknowns] - block.coupling @ x)
        result = np.empty_like(b)
        result[self.order] = x
        return result


def mixed_sets(drift: sp.csc_array) -> IndexArray:
    """Return the number of the set of basis states, mixed by −iH − ½ΣL†L, of each state, (D,)."""
    links = sp.csc_array((np.ones(drift.nnz), drift.indices, drift.indptr), drift.shape)
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def sweep_cost(lindblad: Lindblad, sector: Sector) -> tuple[float, float]:
    """Return the estimated seconds to make the preconditioner, and to apply it once."""
    label = mixed_sets(lindblad.drift)
    sizes = np.bincount(label).astype(np.float64)
    pairs = np.unique(label[sector.row] * sizes.size + label[sector.column])
    m, n = sizes[pairs // sizes.size], sizes[pairs % sizes.size]
    once = float(np.sum(PRODUCT_SECONDS * m * n * (m + n) + BLOCK_SECONDS))
    return EIGENVECTOR_SECONDS * float(np.sum(sizes**3)), once


def _block_order(generator: sp.csc_array, pair: IndexArray) -> tuple[IndexArray, IndexArray]:
    """Unknowns sorted by block, blocks in reverse Cuthill–McKee order; and where blocks begin."""
    _, block = np.unique(pair, return_inverse=True)
    coo = sp.coo_array(generator)
    row, column = block[coo.coords[0]], block[coo.coords[1]]
    count = int(block.max()) + 1
    links = sp.csr_array((np.ones(row.size), (row, column)), shape=(count, count))
    rank = np.empty(count, dtype=np.int64)
    rank[reverse_cuthill_mckee(links + links.T, symmetric_mode=True)] = np.arange(count)
    order = np.argsort(rank[block], kind="stable")
    sizes = np.bincount(rank[block], minlength=count)
    return order, np.concatenate(([0], np.cumsum(sizes)))


def _blocks(
    lindblad: Lindblad,
    sector: Sector,
    generator: sp.csc_array,
    label: IndexArray,
    swapped: npt.NDArray[np.bool_],
    order: IndexArray,
    starts: IndexArray,
) -> tuple[Block, ...]:
    members, sizes = np.argsort(label, kind="stable"), np.bincount(label)
    begins = np.cumsum(sizes) - sizes
    position = np.empty(label.size, dtype=np.int64)
    position[members] = np.arange(label.size) - np.repeat(begins, sizes)

    @cache
    def modes_of(i: int) -> Eigenmodes:
        states = members[begins[i] : begins[i] + sizes[i]]
        return Eigenmodes.of(sp.csc_array(lindblad.drift[:, states])[states].toarray())

    rows = sp.csr_array(sp.csr_array(generator)[order][:, order])
    shift = SMALLEST_DECAY * norm(generator)
    blocks = []
    for start, stop in itertools.pairwise(starts.tolist()):
        unknowns = order[start:stop]
        conjugated = swapped[unknowns]
        a = np.where(conjugated, sector.column[unknowns], sector.row[unknowns])
        b = np.where(conjugated, sector.row[unknowns], sector.column[unknowns])
        i, j = int(label[a[0]]), int(label[b[0]])
        coupling = rows[start:stop].tocoo()
        outside = (coupling.coords[1] < start) | (coupling.coords[1] >= stop)
        kept = (coupling.data[outside], tuple(part[outside] for part in coupling.coords))
        factors = sector.factors[unknowns]
        blocks.append(
            Block(
                unknowns=slice(int(start), int(stop)),
                positions=(position[a], position[b]),
                factors=np.where(conjugated, factors.conj(), factors),
                diagonal=i == j,
                left=modes_of(i),
                right=modes_of(j),
                coupling=sp.csr_array(kept, shape=coupling.shape),
                shift=shift,
            )
        )
    return tuple(blocks)
