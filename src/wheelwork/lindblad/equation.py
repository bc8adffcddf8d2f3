"""The Lindblad equation, as sparse matrices."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from wheelwork._checks import FloatArray, finite_array, integer
from wheelwork.errors import InvalidArgument
from wheelwork.lindblad.operators import CANCELLED, hermitian_operator, sparse_operator


@dataclass(frozen=True, eq=False, repr=False)
class Lindblad:
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
        D, count = self.dimension, len(self.jumps)
        if count == 0:
            return sp.csc_array((D, D), dtype=np.complex128)
        rows = [jump.indices.astype(np.int64) + k * D for k, jump in enumerate(self.jumps)]
        row = np.concatenate(rows)
        column = np.concatenate([_columns(jump) for jump in self.jumps])
        data = np.concatenate([jump.data for jump in self.jumps])
        order = np.argsort(column, kind="stable")  # jumps and rows ascend already
        indptr = np.concatenate(([0], np.cumsum(np.bincount(column, minlength=D))))
        return sp.csc_array((data[order], row[order], indptr), shape=(count * D, D))

    @cached_property
    def drift(self) -> sp.csc_array:
        """−iH − ½ Σ_k L_k†L_k: what acts between jumps. Sums that cancel to rounding are zero."""
        H = self.hamiltonian
        unitary = sp.csc_array((-1j * H.data, H.indices, H.indptr), shape=H.shape)
        drift: sp.csc_array = unitary - _half_loss(self.stacked_jumps)
        drift.sum_duplicates()
        drift.eliminate_zeros()
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
        total, count = sp.csc_array(O.shape, dtype=np.complex128), len(self.jumps)
        for k in range(count) if jumps is None else jumps:
            if integer("jumps", k, 0) >= count:
                raise InvalidArgument(f"`jumps` must be positions below {count}, but holds {k}")
            L = self.jumps[k]
            adjoint = L.conj().T
            rate = adjoint @ L
            total = total + adjoint @ O @ L - 0.5 * (rate @ O + O @ rate)
        return sp.csc_array(total)


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
    return w


def _columns(matrix: sp.csc_array) -> Any:
    return np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))


def _half_loss(stacked: sp.csc_array) -> sp.csc_array:
    """½ Σ_k L_k†L_k, without sums that cancel to rounding."""
    D = stacked.shape[1]
    if np.bincount(stacked.indices, minlength=1).max() <= 1:  # one entry in a row: diagonal
        rates = np.bincount(_columns(stacked), np.abs(stacked.data) ** 2, minlength=D)
        return sp.csc_array((0.5 * rates, np.arange(D), np.arange(D + 1)), shape=(D, D))
    loss = sp.csc_array(0.5 * (stacked.conj().T @ stacked))
    bound = sp.csc_array(abs(stacked).T @ abs(stacked))
    return sp.csc_array(loss.multiply(abs(loss) > CANCELLED * bound))
