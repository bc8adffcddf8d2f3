"""Initial states of an evolution, as Wigner functions in scaled coordinates.

α = X + iP with X = x/x0 and P = p/p0, and ∫ W dX dP = 1. The vacuum is (2/π) exp(−2(X² + P²)).
"""

import cmath
import math
from dataclasses import dataclass
from numbers import Number
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray, non_negative, real
from wheelwork.errors import InvalidArgument, shown
from wheelwork.parameters import Parameters, parameter
from wheelwork.states.density import hermitian
from wheelwork.states.oscillator import reach
from wheelwork.states.wigner import LOG_CUTOFF, wigner_from_density_matrix

VACUUM_EXTENT = math.sqrt(0.5 * LOG_CUTOFF)  # exp(−2 r²) = 1e-17
SMALLEST_NORM = 1e-4  # of a cat: below, the difference of its two parts loses four digits
SMALLEST_EIGENVALUE = -1e-6  # of a density matrix; a lower one is more than rounding
LARGEST_AMPLITUDE = 1e6  # far beyond any mesh, so that squares stay finite


def _finite_complex(name: str, value: Any) -> complex:
    if isinstance(value, str | bytes | bool) or not isinstance(value, Number):
        raise InvalidArgument(f"`{name}` must be a complex number, but is {shown(value)}")
    number: complex = complex(value)  # type: ignore[call-overload]
    if not cmath.isfinite(number):
        raise InvalidArgument(f"`{name}` must be finite, but is {shown(number)}")
    if max(abs(number.real), abs(number.imag)) > LARGEST_AMPLITUDE:
        raise InvalidArgument(
            f"`{name}` must be at most {LARGEST_AMPLITUDE:g} in size, but is {shown(number)}"
        )
    return number


@runtime_checkable
class Preparation(Protocol):
    """A state that an evolution can start from.

    extent: radius √(X² + P²) beyond which |W| is below 1e-17 of its maximum.
    wavenumber: the same for the Fourier transform of W.
    error: estimated ∫|δW| (1 + H/⟨H⟩) dX dP of the state itself, zero where it is exact.
    """

    @property
    def extent(self) -> float: ...

    @property
    def wavenumber(self) -> float: ...

    @property
    def error(self) -> float: ...

    def wigner(self, X: FloatArray, P: FloatArray) -> FloatArray:
        """W on the mesh of the axes X (n,) and P (m,), shape (n, m)."""
        ...


@dataclass(frozen=True)
class Ground:
    """The ground state of ω0 a†a."""

    error = 0.0

    @property
    def extent(self) -> float:
        return VACUUM_EXTENT

    @property
    def wavenumber(self) -> float:
        return 4.0 * VACUUM_EXTENT

    def wigner(self, X: FloatArray, P: FloatArray) -> FloatArray:
        return _vacuum(X, P)


@dataclass(frozen=True)
class Thermal(Parameters):
    """The Gibbs state with ⟨a†a⟩ = occupation: a Gaussian of variance (2·occupation + 1)/4."""

    occupation: float = parameter(r"\bar{n}", "1", "mean number of quanta", check=non_negative)
    error = 0.0

    @property
    def _spread(self) -> float:
        return math.sqrt(2.0 * self.occupation + 1.0)

    @property
    def extent(self) -> float:
        return VACUUM_EXTENT * self._spread

    @property
    def wavenumber(self) -> float:
        return 4.0 * VACUUM_EXTENT / self._spread

    def wigner(self, X: FloatArray, P: FloatArray) -> FloatArray:
        return np.asarray(_vacuum(X / self._spread, P / self._spread) / self._spread**2)


@dataclass(frozen=True)
class Coherent(Parameters):
    """|amplitude⟩, the vacuum displaced to X + iP = amplitude."""

    amplitude: complex = parameter(r"\alpha", "1", "amplitude", check=_finite_complex)
    error = 0.0

    @property
    def extent(self) -> float:
        return abs(self.amplitude) + VACUUM_EXTENT

    @property
    def wavenumber(self) -> float:
        return 4.0 * VACUUM_EXTENT

    def wigner(self, X: FloatArray, P: FloatArray) -> FloatArray:
        return _vacuum(X - self.amplitude.real, P - self.amplitude.imag)


@dataclass(frozen=True)
class Cat(Parameters):
    """|amplitude⟩ + e^(i phase) |−amplitude⟩, normalised; its W has negative parts.

    Raises InvalidArgument when the two nearly cancel (a small amplitude at phase π): the remainder
    is |1⟩ with a loss of digits; use `FromDensityMatrix` for that.
    """

    amplitude: complex = parameter(r"\alpha", "1", "amplitude", check=_finite_complex)
    phase: float = parameter(r"\varphi", "1", "phase between the parts", check=real, default=0.0)
    error = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self._norm < SMALLEST_NORM:
            raise InvalidArgument(
                f"`amplitude` must not be so small at phase {shown(self.phase)} that the two parts "
                f"cancel, but is {shown(self.amplitude)}"
            )

    @property
    def _norm(self) -> float:
        """Half the square of the sum of two normalised parts."""
        return 1.0 + math.cos(self.phase) * math.exp(-2.0 * abs(self.amplitude) ** 2)

    @property
    def extent(self) -> float:
        return abs(self.amplitude) + VACUUM_EXTENT

    @property
    def wavenumber(self) -> float:
        return 4.0 * self.extent

    def wigner(self, X: FloatArray, P: FloatArray) -> FloatArray:
        a = self.amplitude
        lobes = _vacuum(X - a.real, P - a.imag) + _vacuum(X + a.real, P + a.imag)
        fringes = np.cos(4.0 * (a.real * P - a.imag * X[:, None]) + self.phase)
        return np.asarray((0.5 * lobes + fringes * _vacuum(X, P)) / self._norm)


@dataclass(frozen=True, eq=False, repr=False)
class FromDensityMatrix:
    """Any state: matrix[n, m] = ⟨n|ρ|m⟩ in the Fock basis of a†a.

    Raises InvalidArgument unless the matrix is Hermitian, its trace one to 1e-6 (it is then divided
    by it), and no eigenvalue below -1e-6.
    """

    matrix: npt.ArrayLike
    error = 0.0

    def __post_init__(self) -> None:
        matrix = hermitian(self.matrix)
        trace = float(np.trace(matrix).real)
        if not abs(trace - 1.0) < 1e-6:
            raise InvalidArgument(f"`matrix` must have trace one, but has {shown(trace)}")
        low = float(np.linalg.eigvalsh(matrix)[0])
        if low < SMALLEST_EIGENVALUE:
            raise InvalidArgument(f"`matrix` must have no negative eigenvalue, but has {low:.3g}")
        object.__setattr__(self, "matrix", matrix / trace)

    def __repr__(self) -> str:
        return f"FromDensityMatrix(<{len(np.asarray(self.matrix))} levels>)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FromDensityMatrix) and np.array_equal(self.matrix, other.matrix)

    def __hash__(self) -> int:
        return hash(tuple(np.diagonal(self.matrix).tolist()))

    @property
    def extent(self) -> float:
        # W is a sum of products of two wave functions; those here are of a/√2 + h.c.
        return reach(len(np.asarray(self.matrix)), 0.5 * LOG_CUTOFF) / math.sqrt(2.0)

    @property
    def wavenumber(self) -> float:
        # of a displacement: ⟨n|D(β)|m⟩ falls in |β| as W of |n⟩⟨m| does in 2r
        return 4.0 * self.extent

    def wigner(self, X: FloatArray, P: FloatArray) -> FloatArray:
        unit = math.sqrt(2.0)
        return 2.0 * wigner_from_density_matrix(self.matrix, unit * X, unit * P)


def _vacuum(X: FloatArray, P: FloatArray) -> FloatArray:
    return np.outer(np.exp(-2.0 * X**2), (2.0 / math.pi) * np.exp(-2.0 * P**2))
