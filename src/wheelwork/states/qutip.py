"""Bridge to QuTiP (optional)."""

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from wheelwork.states.density import hermitian

if TYPE_CHECKING:
    from qutip import Qobj
else:
    Qobj = Any


def to_qutip(density_matrix: npt.ArrayLike) -> Qobj:
    """The same matrix as a `qutip.Qobj` of type "oper".

    QuTiP's Wigner function of it, at our x and p (m = omega = 1), is
    `qutip.wigner(to_qutip(rho), x, p, g=sqrt(2)).T`: it puts p on the first axis.

    Raises:
        ImportError: when QuTiP is not installed.
        InvalidArgument: when the matrix is not square, finite and Hermitian.
    """
    matrix = hermitian(density_matrix)
    try:
        import qutip  # optional, and slow to load: only when asked for
    except ImportError as missing:
        message = 'to_qutip needs QuTiP: pip install "wheelwork[qutip]"'
        raise ImportError(message) from missing
    return qutip.Qobj(matrix.astype(complex))
