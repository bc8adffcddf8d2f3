"""Standard states as density matrices in the Fock basis of a†a, rho[n, m] = <n|rho|m>.

Coefficients are formed from their logarithms, so that thousands of levels neither overflow nor
lose accuracy. A state beyond these levels is rejected.
"""

import cmath
import math
from numbers import Number
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from wheelwork._checks import integer, non_negative, real
from wheelwork.errors import InvalidArgument, shown
from wheelwork.states.density import ComplexArray


def number_state(n: int, levels: int) -> ComplexArray:
    """|n><n|, shape (levels, levels)."""
    n = integer("n", n, 0)
    if n >= integer("levels", levels, 1):
        raise InvalidArgument(f"`levels` must exceed n = {n}, but is {levels}")
    rho = np.zeros((levels, levels), dtype=np.complex128)
    rho[n, n] = 1.0
    return rho


def thermal_state(mean_number: float, levels: int, *, tolerance: float = 1e-9) -> ComplexArray:
    """Gibbs state with ⟨a†a⟩ = mean_number: p_n = n̄^n / (n̄+1)^(n+1).

    Raises InvalidArgument when more than `tolerance` of probability lies above the `levels` kept;
    what is lost is not put back.
    """
    mean = non_negative("mean_number", mean_number)
    log_ratio = -math.log1p(1.0 / mean) if mean > 0.0 else -math.inf
    n = np.arange(integer("levels", levels, 1), dtype=np.float64)
    _refuse_loss(math.exp(levels * log_ratio), levels, tolerance)
    exponent = np.multiply(n, log_ratio, out=np.zeros_like(n), where=n > 0)
    return np.diag(np.exp(exponent - math.log1p(mean))).astype(np.complex128)


def coherent_state(alpha: complex, levels: int, *, tolerance: float = 1e-9) -> ComplexArray:
    """|alpha><alpha|, with a|alpha> = alpha|alpha>; refused as in `thermal_state`."""
    return _projector(_coherent_amplitudes(alpha, levels), levels, tolerance)


def cat_state(
    alpha: complex, levels: int, *, phase: float = 0.0, tolerance: float = 1e-9
) -> ComplexArray:
    """Superposition of |alpha> and exp(i phase)|-alpha>, normalised.

    `phase` 0 gives the even cat, pi the odd one. Refused as in `thermal_state`, and when the two
    parts cancel (alpha = 0 with phase pi).
    """
    phase = real("phase", phase)
    amplitudes = _coherent_amplitudes(alpha, levels)
    parity = 1.0 - 2.0 * (np.arange(levels) % 2)
    # 2 + 2 cos(phase) exp(-2|alpha|²), without the cancellation at small alpha
    norm = 4.0 * math.cos(phase / 2) ** 2 + 2.0 * math.cos(phase) * math.expm1(
        -2 * abs(alpha) * abs(alpha)
    )
    if norm < 1e-28:
        raise InvalidArgument(
            f"`alpha` must not be so small at phase {shown(phase)}, but is {shown(alpha)}"
        )
    both = amplitudes * ((1.0 + parity * cmath.exp(1j * phase)) / math.sqrt(norm))
    return _projector(both, levels, tolerance)


def squeezed_state(r: float, angle: float, levels: int, *, tolerance: float = 1e-9) -> ComplexArray:
    """Squeezed vacuum exp[(z* a² - z a†²)/2]|0> with z = r exp(i angle).

    At angle 0 the variance of x shrinks by exp(-2r) and that of p grows by exp(2r); the squeezed
    axis lies at angle/2. Refused as in `thermal_state`.
    """
    r, angle = real("r", r), real("angle", angle)
    amplitudes = np.zeros(integer("levels", levels, 1), dtype=np.complex128)
    m = np.arange((levels + 1) // 2, dtype=np.float64)
    log_size = 0.5 * gammaln(2 * m + 1) - gammaln(m + 1) - m * math.log(2.0)
    log_tanh = math.log(math.tanh(abs(r))) if r else -math.inf
    log_size[1:] += m[1:] * log_tanh
    turn = np.exp(1j * m * (angle + (math.pi if r > 0 else 0.0)))
    log_cosh = abs(r) + math.log1p(math.exp(-2.0 * abs(r))) - math.log(2.0)
    amplitudes[::2] = np.exp(log_size - 0.5 * log_cosh) * turn
    return _projector(amplitudes, levels, tolerance)


def _coherent_amplitudes(alpha: complex, levels: int) -> ComplexArray:
    if isinstance(alpha, str | bool) or not isinstance(alpha, Number):
        raise InvalidArgument(f"`alpha` must be a complex number, but is {shown(alpha)}")
    size = abs(alpha)
    if not math.isfinite(size):
        raise InvalidArgument(f"`alpha` must be finite, but is {shown(alpha)}")
    n = np.arange(integer("levels", levels, 1), dtype=np.float64)
    log_size = -0.5 * size * size - 0.5 * gammaln(n + 1)
    log_size[1:] += n[1:] * (math.log(size) if size else -math.inf)
    return np.asarray(np.exp(log_size) * np.exp(1j * n * cmath.phase(alpha)))


def _projector(amplitudes: npt.NDArray[Any], levels: int, tolerance: float) -> ComplexArray:
    _refuse_loss(1.0 - float((np.abs(amplitudes) ** 2).sum()), levels, tolerance)
    return np.outer(amplitudes, amplitudes.conj())


def _refuse_loss(lost: float, levels: int, tolerance: float) -> None:
    if lost > non_negative("tolerance", tolerance) + 1e-12:
        raise InvalidArgument(
            f"`levels` must hold all but {tolerance:.1e} of the probability, "
            f"but is {levels} and loses {lost:.1e}"
        )
