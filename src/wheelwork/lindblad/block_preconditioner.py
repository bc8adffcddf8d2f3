"""An approximate inverse of the generator: exact between jumps, swept over what jumps connect."""

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components, reverse_cuthill_mckee

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.inverse import norm
from wheelwork.lindblad.operators import ComplexArray, IndexArray
from wheelwork.lindblad.sector import Sector

LARGEST_BLOCK = 6000  # basis states; its eigenvectors take 0.6 GiB
LARGEST_CONDITION, NEAR = 1e7, 1e-4  # of eigenvectors; how far to move from an exceptional point
SMALLEST_DECAY = 1e-6  # of the norm: a shift for blocks that would never jump


@dataclass(frozen=True, eq=False)
class Modes:
    """−iH − ½ΣL†L on the basis states that it mixes: P diag(λ) P⁻¹.

    Next to an exceptional point, where eigenvectors coincide, it is that of a matrix near by.
    """

    rates: ComplexArray
    vectors: ComplexArray
    inverse: ComplexArray

    @classmethod
    def of(cls, drift: ComplexArray) -> "Modes":
        rates, vectors = np.linalg.eig(drift)
        if np.linalg.cond(vectors, 1) > LARGEST_CONDITION:
            moved = NEAR * np.linalg.norm(drift, 1) * np.linspace(-1.0, 1.0, rates.size)
            rates, vectors = np.linalg.eig(drift + np.diag(moved))
        return cls(rates, vectors, np.linalg.inv(vectors))


@dataclass(frozen=True, eq=False)
class Block:
    """Unknowns whose elements join the same two sets of basis states.

    unknowns: slice of the reordered sector. at, conjugate: places of the elements in the dense
    block (b_i, b_j), and whether the block holds their complex conjugates. coupling: rows of the
    generator, columns reordered.
    """

    unknowns: slice
    shape: tuple[int, int]
    at: tuple[IndexArray, IndexArray]
    factors: ComplexArray
    mirrored: bool
    left: Modes
    right: Modes
    coupling: sp.csr_array
    shift: float

    @cached_property
    def _denominator(self) -> ComplexArray:
        total = self.left.rates[:, None] + self.right.rates.conj()[None, :] - self.shift
        return np.asarray(total)

    def solve(self, values: FloatArray) -> FloatArray:
        """Return X with G X + X G† = R, on the unknowns."""
        R = np.zeros(self.shape, dtype=np.complex128)
        np.add.at(R, self.at, values * self.factors)
        if self.mirrored:
            R += np.tril(R, -1).conj().T
        left, right = self.left, self.right
        Y = (left.inverse @ R @ right.inverse.conj().T) / self._denominator
        X = left.vectors @ Y @ right.vectors.conj().T
        return np.asarray((X[self.at] * self.factors.conj()).real)


@dataclass(frozen=True, eq=False)
class BlockSweeps:
    """One forward and one backward block Gauss–Seidel sweep.

    order: the sector's unknowns, block after block.
    """

    order: IndexArray
    blocks: tuple[Block, ...]

    @classmethod
    def of(cls, lindblad: Lindblad, sector: Sector, generator: sp.csc_array) -> "BlockSweeps":
        """Return the preconditioner.

        Raises:
            NotConverged: when a block has more than 6000 basis states.
        """
        drift = lindblad.drift
        links = sp.csc_array((np.ones(drift.nnz), drift.indices, drift.indptr), drift.shape)
        count, found = connected_components(links, directed=False)
        label = np.asarray(found, dtype=np.int64)
        sizes = np.bincount(label)
        if sizes.max() > LARGEST_BLOCK:
            raise NotConverged(
                f"without jumps {sizes.max()} basis states are mixed, which takes "
                f"{48e-9 * float(sizes.max()) ** 2:.1f} GB: at most {LARGEST_BLOCK} are handled"
            )
        pair, swapped = _pairs(sector, label, count)
        order, starts = _block_order(generator, pair)
        blocks = _blocks(lindblad, sector, generator, label, swapped, order, starts)
        return cls(order, blocks)

    def solve(self, b: FloatArray) -> FloatArray:
        right = b[self.order]
        x = np.zeros_like(right)
        for block in self.blocks:
            x[block.unknowns] = block.solve(right[block.unknowns] - block.coupling @ x)
        for block in self.blocks[-2::-1]:
            x[block.unknowns] = block.solve(right[block.unknowns] - block.coupling @ x)
        result = np.empty_like(b)
        result[self.order] = x
        return result


def _pairs(
    sector: Sector, label: IndexArray, count: int
) -> tuple[IndexArray, npt.NDArray[np.bool_]]:
    """For every unknown its pair of sets, and whether ρ_ba rather than ρ_ab has them in order."""
    a, b = label[sector.row], label[sector.column]
    swapped = a < b
    return np.where(swapped, b * count + a, a * count + b), swapped


def _block_order(generator: sp.csc_array, pair: IndexArray) -> tuple[IndexArray, IndexArray]:
    """Unknowns sorted by block, neighbours by jumps next to each other; and where blocks begin."""
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
    members = np.argsort(label, kind="stable")
    sizes = np.bincount(label)
    place = np.empty(label.size, dtype=np.int64)
    place[members] = np.arange(label.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    rows = sp.csr_array(sp.csr_array(generator)[order][:, order])
    modes = _Modes(lindblad.drift, members, sizes)
    shift = SMALLEST_DECAY * norm(generator)
    found = []
    for start, stop in itertools.pairwise(starts.tolist()):
        unknowns = order[start:stop]
        turned = swapped[unknowns]
        a = np.where(turned, sector.column[unknowns], sector.row[unknowns])
        b = np.where(turned, sector.row[unknowns], sector.column[unknowns])
        i, j = int(label[a[0]]), int(label[b[0]])
        coupling = rows[start:stop].tocoo()
        outside = (coupling.coords[1] < start) | (coupling.coords[1] >= stop)
        kept = (coupling.data[outside], tuple(part[outside] for part in coupling.coords))
        factors = sector.factors[unknowns]
        found.append(
            Block(
                unknowns=slice(int(start), int(stop)),
                shape=(int(sizes[i]), int(sizes[j])),
                at=(place[a], place[b]),
                factors=np.where(turned, factors.conj(), factors),
                mirrored=i == j,
                left=modes.of(i),
                right=modes.of(j),
                coupling=sp.csr_array(kept, shape=coupling.shape),
                shift=shift,
            )
        )
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Modes:
    """Modes of every set of basis states, found when first needed."""

    drift: sp.csc_array
    members: IndexArray
    sizes: IndexArray

    @cached_property
    def _known(self) -> dict[int, Modes]:
        return {}

    def of(self, i: int) -> Modes:
        if i not in self._known:
            end = int(np.sum(self.sizes[: i + 1]))
            states = np.sort(self.members[end - int(self.sizes[i]) : end])
            dense = sp.csc_array(self.drift[:, states])[states].toarray()
            self._known[i] = Modes.of(dense)
        return self._known[i]
