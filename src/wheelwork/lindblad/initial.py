"""The state to start from, checked at the door."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from wheelwork.errors import InvalidArgument
from wheelwork.lindblad.blocks import hermitian_blocks
from wheelwork.lindblad.operators import hermitian_operator, plain_matrix
from wheelwork.lindblad.state import State

TRACE_ATOL = 1e-9
LOWEST_EIGENVALUE = -1e-6  # what a state solved for to a modest tolerance may have


def initial_state(value: Any, dimension: int) -> sp.csc_array:
    """Return a density matrix from one, from a `State`, or from a vector of shape (D,) or (D, 1).

    Raises:
        InvalidArgument: when the shape does not fit, or it is not Hermitian (1e-12 of its largest
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
        _require_positive(rho)
    return rho


def _require_positive(rho: sp.csc_array) -> None:
    lowest = min(float(np.linalg.eigvalsh(dense).min()) for _, dense in hermitian_blocks(rho))
    if not lowest >= LOWEST_EIGENVALUE:
        raise InvalidArgument(f"`initial` must have no negative eigenvalue, but has {lowest:.3g}")
