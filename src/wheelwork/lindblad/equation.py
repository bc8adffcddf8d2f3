"""The Lindblad equation, as sparse matrices."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from wheelwork._checks import FloatArray, finite_array, integer, listed, shown
from wheelwork._computed import Computed
from wheelwork.errors import InvalidArgument
from wheelwork.lindblad.operators import CANCELLED, LARGEST, hermitian_operator, sparse_operator

FILLED = (
    0.1  # share of entries that are not zero, above which a product of filled matrices is faster
)


@dataclass(frozen=True, eq=False, repr=False)
class Lindblad(Computed):
    """dρ/dt = −i[H, ρ] + Σ_k (L_k ρ L_k† − ½{L_k†L_k, ρ}).

    hamiltonian: H, Hermitian, (D, D), an energy (ħ = 1). jumps: L_k, (D, D) each, square roots of
    rates. Both from NumPy, SciPy or QuTiP; kept as complex CSC arrays. Contributions to the
    equation whose sum is below 1.4e-14 of their magnitudes count as cancelling exactly.

    Raises:
        InvalidArgument: for a matrix that is not square, finite and of H's shape, or when H is
            not Hermitian to 1e-12 of its largest entry.
    """

    hamiltonian: sp.csc_array
    jumps: tuple[sp.csc_array, ...] = ()

    def __post_init__(self) -> None:
        H = hermitian_operator("hamiltonian", self.hamiltonian)
        if not isinstance(self.jumps, Iterable) or hasattr(self.jumps, "shape"):
            kind = type(self.jumps).__name__
            raise InvalidArgument(f"`jumps` must be a sequence of matrices, but is of type {kind}")
        D, jumps = H.shape[0], enumerate(self.jumps)
        checked = tuple(sparse_operator("jumps", jump, D, f"jump {k}") for k, jump in jumps)
        object.__setattr__(self, "hamiltonian", H)
        object.__setattr__(self, "jumps", checked)

    def __repr__(self) -> str:
        return f"Lindblad({self.dimension} levels, {len(self.jumps)} jumps)"

    @property
    def dimension(self) -> int:
        return int(self.hamiltonian.shape[0])

    @cached_property
    def stacked_jumps(self) -> sp.csc_array:
        """All jumps on top of each other, (K D, D): entry (k D + a, c) is (L_k)_ac."""
        return _stacked(self.jumps, self.dimension)

    @cached_property
    def drift(self) -> sp.csc_array:
        """−iH − ½ Σ_k L_k†L_k: what acts between jumps. Sums that cancel to rounding are zero."""
        H = self.hamiltonian
        unitary = sp.csc_array((-1j * H.data, H.indices, H.indptr), shape=H.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            drift: sp.csc_array = unitary - _half_loss(self.stacked_jumps)
        drift.sum_duplicates()
        drift.eliminate_zeros()
        if not np.all(np.isfinite(drift.data)):
            raise InvalidArgument("`jumps` must have squares that are finite, but they overflow")
        return drift

    def adjoint_unitary(self, operator: Any) -> sp.csc_array:
        """i[H, O], so that Tr(O (−i[H, ρ])) = Tr(i[H, O] ρ)."""
        O = sparse_operator("operator", operator, self.dimension)  # noqa: E741
        H = self.hamiltonian
        return sp.csc_array(1j * (H @ O - O @ H))

    def adjoint_dissipator(self, operator: Any, jumps: Iterable[int] | None = None) -> sp.csc_array:
        """Σ_k (L_k†O L_k − ½{L_k†L_k, O}), whose mean is d⟨O⟩/dt by these jumps alone.

        jumps: their positions in `self.jumps`, by default all. Raises InvalidArgument for an
        operator of the wrong shape, or a position out of range.
        """
        O = sparse_operator("operator", operator, self.dimension)  # noqa: E741
        stacked, D, count = self.stacked_jumps, self.dimension, len(self.jumps)
        if jumps is not None:
            positions = listed(jumps)
            if positions is None:
                raise InvalidArgument(f"`jumps` must be positions, but is {shown(jumps)}")
            chosen = [integer("jumps", k, 0) for k in positions]
            if any(k >= count for k in chosen):
                raise InvalidArgument(
                    f"`jumps` must be positions below {count}, but holds {max(chosen)}"
                )
            stacked, count = _stacked([self.jumps[k] for k in chosen], D), len(chosen)
        if not count:
            return sp.csc_array(O.shape, dtype=np.complex128)
        entries = stacked.tocoo()  # (k D + a, c), to be multiplied as (a, k D + c)
        kind, state = entries.coords[0] // D, entries.coords[0] % D
        beside = (entries.data, (state, kind * D + entries.coords[1]))
        moved = sp.coo_array(O @ sp.csc_array(beside, shape=(D, count * D)))
        kind, state = moved.coords[1] // D, moved.coords[1] % D
        image = sp.csc_array((moved.data, (kind * D + moved.coords[0], state)), shape=stacked.shape)
        rate = _product(stacked, stacked)
        return sp.csc_array(_product(stacked, image) - 0.5 * (rate @ O + O @ rate))


def require_lindblad(value: Any) -> None:
    """Raise InvalidArgument for anything but a `Lindblad`, saying what is not supported."""
    if not isinstance(value, Lindblad):
        raise InvalidArgument(
            "`lindblad` must be a Lindblad(H, jumps) of constant matrices, but is of type "
            f"{type(value).__name__}; superoperators and H(t) are not supported"
        )


def jump_weights(weights: npt.ArrayLike, kinds: int) -> FloatArray:
    """Return what a jump of each kind adds to a count, (kinds,), checked."""
    w = finite_array("weights", weights, ndim=1)
    if w.size != kinds:
        raise InvalidArgument(
            f"`weights` must hold one number for each of the {kinds} jumps, but holds {w.size}"
        )
    if float(np.abs(w).max(initial=0.0)) > LARGEST:
        raise InvalidArgument(f"`weights` must be below {LARGEST:g}, so that squares are finite")
    return w


def _stacked(jumps: Sequence[sp.csc_array], dimension: int) -> sp.csc_array:
    """Matrices on top of each other, (K D, D)."""
    D, count = dimension, len(jumps)
    if count == 0:
        return sp.csc_array((D, D), dtype=np.complex128)
    rows = [jump.indices.astype(np.int64) + k * D for k, jump in enumerate(jumps)]
    row = np.concatenate(rows)
    column = np.concatenate([_columns(jump) for jump in jumps])
    data = np.concatenate([jump.data for jump in jumps])
    order = np.argsort(column, kind="stable")  # jumps and rows ascend already
    indptr = np.concatenate(([0], np.cumsum(np.bincount(column, minlength=D))))
    return sp.csc_array((data[order], row[order], indptr), shape=(count * D, D))


def _product(left: sp.csc_array, right: sp.csc_array) -> sp.csc_array:
    """left† right, by filled matrices where the sparse ones are no shorter."""
    size = float(np.prod(left.shape))
    if left.nnz > FILLED * size and right.nnz > FILLED * size:
        return sp.csc_array(left.toarray().conj().T @ right.toarray())
    return sp.csc_array(left.conj().T @ right)


def _columns(matrix: sp.csc_array) -> Any:
    return np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))


def _half_loss(stacked: sp.csc_array) -> sp.csc_array:
    """½ Σ_k L_k†L_k, without sums that cancel to rounding."""
    D = stacked.shape[1]
    if np.bincount(stacked.indices, minlength=1).max() <= 1:  # one entry in a row: diagonal
        rates = np.bincount(_columns(stacked), np.abs(stacked.data) ** 2, minlength=D)
        return sp.csc_array((0.5 * rates, np.arange(D), np.arange(D + 1)), shape=(D, D))
    loss, sizes = 0.5 * _product(stacked, stacked), abs(stacked)
    bound = _product(sizes, sizes)
    return sp.csc_array(loss.multiply(abs(loss) > CANCELLED * bound))
