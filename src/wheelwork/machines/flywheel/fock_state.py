"""A distribution in phase space as a state in the Fock basis, and the work that it stores."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from numpy.polynomial.chebyshev import chebvander
from scipy.fft import dct

from wheelwork import states, thermodynamics
from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import InvalidArgument, NotConverged, UnphysicalState
from wheelwork.machines.flywheel.parameters import FlywheelParameters
from wheelwork.numerics.work import require_budget
from wheelwork.parameters import ShortRepr
from wheelwork.phase_space import Distribution, Snapshot

LARGEST_MATRIX = 8000  # levels: a dense matrix of 1 GiB
MOST_WORK = 2.5e9  # multiplications of a state of few diagonals: some ten seconds
FINEST_STATE = 1e-9  # error of the dense transform if W allows it; lower errors cost more
EMPTY = 1e-16  # of the largest W, the rounding of its series: the middle of a ring is left out
UNMIXED_SHARE = 1e-2  # of what is left out, for coherences that are left out of the spectrum
FEWEST_ANGLES, MOST_ANGLES = 64, 1024  # of W on circles; 1024 resolve coherences to |n - m| = 510
# Radii of W in equal angles of r = R cos φ, less one; the most resolve a vacuum at 8000 levels.
FEWEST_INTERVALS, MOST_INTERVALS = 64, 1024
SERIES_SHARE = 1e-3  # of what is negligible, for the last terms of the series of W
RADII_TOGETHER = 512  # whose polynomials stay in cache


class FockPopulations:
    """Quantities that follow from the populations of a state."""

    @property
    def populations(self) -> FloatArray:
        """⟨n|ρ|n⟩, (levels,)."""
        raise NotImplementedError

    @property
    def levels(self) -> int:
        """Number of Fock states."""
        return int(self.populations.size)

    @property
    def phonon_number(self) -> float:
        """⟨a†a⟩ from the populations."""
        return float(np.arange(self.levels) @ self.populations)


@dataclass(frozen=True, eq=False, repr=False)
class FockState(ShortRepr, FockPopulations, Computed):
    """A density matrix with few diagonals, as steady states have.

    diagonals: (K + 1, n), diagonals[k, j] = ρ[j + k, j]. left_out: bound on the share of the
    energy beyond the last level, and on the weight of each coherence that is left out.
    """

    diagonals: npt.NDArray[np.complex128]
    left_out: float

    @property
    def populations(self) -> FloatArray:
        return np.asarray(self.diagonals[0].real)

    @property
    def lost(self) -> float:
        """Probability beyond the highest level."""
        return 1.0 - float(np.sum(self.populations))

    @cached_property
    def eigenvalues(self) -> FloatArray:
        """Eigenvalues, descending; levels that hardly mix have their populations.

        Raises UnphysicalState where W is narrower than the vacuum allows, as at temperatures
        below the frequency, or seems so because of the truncation at a loose tolerance.
        """
        mixed, outermost = self._mixed
        inner = self.diagonals[: outermost + 1, :mixed].copy()
        for k in range(1, len(inner)):
            inner[k, max(mixed - k, 0) :] = 0.0
        parts = (inner, self.diagonals[:1, mixed:])
        try:
            spectra = [thermodynamics.banded_spectrum(part) for part in parts if part.size]
            return np.asarray(np.sort(np.concatenate(spectra))[::-1])
        except InvalidArgument as reason:
            raise UnphysicalState(
                "the Wigner function is not that of a quantum state: its noise is below the "
                "vacuum's (the quasi-adiabatic description needs temperatures above the "
                f"frequency), or `rtol` is too large for its Fock basis; {reason}"
            ) from None

    @property
    def _mixed(self) -> tuple[int, int]:
        """Number of levels, and the outermost diagonal, whose coherences matter to the spectrum.

        ρ_nm changes the entropy by |ρ_nm|²/min(p_n, p_m) at most, and the ergotropy by as small a
        share of the energy, to leading order.
        """
        levels, p = self.levels, self.populations
        p = np.maximum(p, np.finfo(float).eps * np.max(p))
        effect = np.zeros(self.diagonals.shape)  # by the higher of both levels
        for k in range(1, min(len(effect), levels)):
            square = np.abs(self.diagonals[k, : levels - k]) ** 2
            effect[k, k:] = square / np.minimum(p[k:], p[: levels - k])
        beyond = (np.cumsum(np.sum(effect, axis=axis)[::-1]) for axis in (0, 1))
        small = UNMIXED_SHARE * self.left_out
        mixed, diagonals = (int(np.count_nonzero(sums > small)) for sums in beyond)
        return max(mixed, 1), max(diagonals - 1, 0)

    @property
    def negativity(self) -> float:
        """Magnitude of the most negative population or eigenvalue; raises as `eigenvalues`."""
        smallest = min(float(np.min(self.populations)), float(np.min(self.eigenvalues)))
        return max(0.0, -smallest)

    @property
    def matrix(self) -> npt.NDArray[np.complex128]:
        """ρ, complex (levels, levels)."""
        return states.expand_diagonals(self.diagonals)


@dataclass(frozen=True, eq=False, repr=False)
class DenseFockState(ShortRepr, FockPopulations, Computed):
    """Any density matrix, as states in time have; `matrix` is ρ, complex (levels, levels)."""

    matrix: npt.NDArray[np.complex128]

    @property
    def populations(self) -> FloatArray:
        return np.asarray(np.diagonal(self.matrix).real)

    @property
    def lost(self) -> float:
        """Probability beyond the highest level."""
        return 1.0 - float(np.trace(self.matrix).real)

    @cached_property
    def eigenvalues(self) -> FloatArray:
        """Eigenvalues, descending; the last ones may lie below zero."""
        return np.asarray(np.linalg.eigvalsh(self.matrix)[::-1], dtype=np.float64)

    @property
    def negativity(self) -> float:
        """Magnitude of the most negative eigenvalue.

        Numerical error, and at early times of a pure state also that of the equation: like all
        of its kind (quantum Brownian motion without the small noise in position) it is not
        completely positive, by terms of second order in friction/noise.
        """
        return max(0.0, -float(self.eigenvalues[-1]))


AnyFockState = FockState | DenseFockState


def fock_state(distribution: Distribution, tolerance: float) -> FockState:
    """Return the state with `tolerance` of its energy beyond the last level.

    Angular harmonics of weight below `tolerance` are left out: coherences enter entropy and
    ergotropy by their square. Raises NotConverged beyond `LARGEST_MATRIX` levels or `MOST_WORK`.
    """
    levels = _levels(distribution, tolerance)
    # W of the highest level falls off over a width of the vacuum, 1/2, beyond √levels.
    radius = min(distribution.extent, math.sqrt(levels) + 4.0)
    mesh = states.radial_mesh(radius, levels)
    components = _harmonics(distribution, mesh, radius, tolerance)
    _require_work(components, levels)
    return FockState(states.density_matrix_from_harmonics(components, mesh, levels), tolerance)


def _require_work(components: npt.NDArray[np.complex128], levels: int) -> None:
    """Refuse a state whose diagonals and eigenvalues would take more than `MOST_WORK`."""
    present = np.flatnonzero(np.any(components != 0.0, axis=1))
    blocks = 1 if np.any(present % 2) else 2  # of even and of odd levels, where these do not mix
    diagonals = float(np.count_nonzero(components)) * levels
    eigenvalues = 2.0 * levels**2 * len(components) / blocks**2
    advice = "ask for a larger `rtol`; the moments of the Wigner function are still available"
    need = diagonals + eigenvalues
    require_budget("the density matrix", need, MOST_WORK, "multiplications", advice)


def _levels(distribution: Distribution, tolerance: float) -> int:
    nodes = distribution.nodes
    energy = (nodes.X**2 + nodes.P**2).ravel()
    order = np.argsort(energy)
    share = nodes.weight.ravel()[order] * energy[order]
    share = np.cumsum(share[::-1])[::-1] / np.sum(share)
    beyond = energy[order][np.searchsorted(-share, -tolerance)]
    # A Fock state's W has a skirt beyond its radius; three widths of the vacuum hold it.
    levels = math.ceil((math.sqrt(beyond) + 1.5) ** 2)
    if levels > LARGEST_MATRIX:
        raise NotConverged(
            f"the density matrix would need {levels} Fock levels "
            f"({16 * levels**2 / 2**30:.1f} GiB), more than {LARGEST_MATRIX}; the moments of the "
            "Wigner function are still available"
        )
    return levels


def _harmonics(
    distribution: Distribution, mesh: states.RadialMesh, radius: float, negligible: float
) -> npt.NDArray[np.complex128]:
    """Return W_k(r) for all k of weight above `negligible`, (K + 1, radii).

    W is smooth where Laguerre functions oscillate: it is evaluated at few radii, and continued to
    those of `mesh` by Chebyshev series on the diameter, W_k(−r) = (−1)^k W_k(r).
    """
    angles, intervals = FEWEST_ANGLES, FEWEST_INTERVALS
    while True:
        along = 0.5 * np.pi / intervals * np.arange(intervals + 1)
        r = radius * np.cos(along)
        theta = 2.0 * np.pi / angles * np.arange(angles)
        W = distribution.density(r[:, None] * np.cos(theta), r[:, None] * np.sin(theta))
        components = np.fft.rfft(W, axis=1, norm="forward").T
        step = 0.5 * np.pi / intervals * radius * np.sin(along)
        weight = 2.0 * np.pi * np.abs(components) @ (step * r)
        highest = int(np.flatnonzero(weight > negligible)[-1])
        if highest >= angles // 2 - 2 and angles < MOST_ANGLES:
            angles *= 2
            continue
        components = components[: highest + 1]
        components[weight[: highest + 1] <= negligible] = 0.0
        series = _diameter_series(components)
        size = np.max(np.abs(series))
        if np.max(np.abs(series[:, -4:])) <= SERIES_SHARE * negligible * size or (
            intervals >= MOST_INTERVALS
        ):
            return _on_radii(series, mesh.radius / radius, EMPTY * np.max(np.abs(components)))
        intervals *= 2


def _diameter_series(components: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128]:
    """Return coefficients of T_0, T_1, ... from values at the Lobatto points from radius to 0."""
    parity = (-1.0) ** np.arange(len(components))[:, None]
    values = np.concatenate([components, parity * components[:, -2::-1]], axis=1)
    last = values.shape[1] - 1
    series = (dct(values.real, type=1) + 1j * dct(values.imag, type=1)) / last
    series[:, [0, last]] *= 0.5
    return np.asarray(series)


def _on_radii(
    series: npt.NDArray[np.complex128], r: FloatArray, empty: float
) -> npt.NDArray[np.complex128]:
    """Return the series at r, in units of the radius; values below `empty` are zero."""
    result = np.zeros((len(series), r.size), dtype=np.complex128)
    used = np.flatnonzero(np.any(series != 0.0, axis=1))
    parts = np.concatenate([series[used].real, series[used].imag])
    for at in range(0, r.size, RADII_TOGETHER):
        some = slice(at, at + RADII_TOGETHER)
        values = parts @ chebvander(r[some], series.shape[1] - 1).T
        result[used, some] = values[: used.size] + 1j * values[used.size :]
    result[np.abs(result) <= empty] = 0.0
    return result


def dense_fock_state(snapshot: Snapshot, parameters: FlywheelParameters) -> DenseFockState:
    """Return the state of a W on a mesh, as accurately as W is known.

    Raises InvalidArgument or NotConverged where W ends, or has too many levels, at its own
    accuracy already.
    """
    field = snapshot.field
    tolerance = FINEST_STATE
    while True:
        try:
            matrix = states.density_matrix_from_wigner(
                0.5 * field.values,  # dX dP = dx dp / 2
                parameters.length * field.mesh.axis,
                parameters.momentum * field.mesh.axis,
                tolerance=tolerance,
                mass=parameters.mass,
                frequency=parameters.frequency,
            )
            return DenseFockState(matrix)
        except (InvalidArgument, NotConverged):  # W ends or is cut off at more than that
            if tolerance > max(snapshot.distance, FINEST_STATE):
                raise
            tolerance *= 10.0


@dataclass(frozen=True, eq=False, repr=False)
class StoredWork(ShortRepr, Computed):
    """Work against ω0 a†a, and against a bath.

    eigenvalues: of ρ, descending, none negative. populations: ⟨n|ρ|n⟩. frequency: ω0.
    energy: U = ω0 ⟨a†a⟩. temperature: of the bath, None where none is named.
    """

    eigenvalues: FloatArray
    populations: FloatArray
    frequency: float
    energy: float
    temperature: float | None

    @cached_property
    def entropy(self) -> float:
        """S = −Tr ρ ln ρ."""
        return thermodynamics.spectral_entropy(self.eigenvalues)

    @cached_property
    def ergotropy(self) -> float:
        """Work that a cyclic unitary can extract from the whole state."""
        return thermodynamics.spectral_ergotropy(self.eigenvalues, self.populations, self.energies)

    @cached_property
    def ergotropy_diagonal(self) -> float:
        """Ergotropy of the populations alone, the quantity of Culhane et al."""
        return thermodynamics.diagonal_ergotropy(self.populations, self.energies)

    @property
    def free_energy_gain(self) -> float:
        """W_F = U − T S + T ln Z, over the bath.

        Raises InvalidArgument when the baths differ in temperature and none was named.
        """
        if self.temperature is None:
            raise InvalidArgument(
                "`temperature` must be given (Flywheel(temperature=...)) for a free energy: "
                "the baths differ in temperature"
            )
        return thermodynamics.spectral_free_energy_gain(
            self.entropy, self.energy, self.frequency, self.temperature
        )

    @cached_property
    def inversion(self) -> float:
        """Largest p_{n+1} − p_n; positive when a level holds more than the one below it."""
        return thermodynamics.population_inversion(self.populations).step

    @property
    def energies(self) -> FloatArray:
        """n ω0 of the levels."""
        return self.frequency * np.arange(self.populations.size, dtype=np.float64)
