"""From a distribution in phase space to the state in the Fock basis."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from wheelwork import states, thermodynamics
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged, UnphysicalState
from wheelwork.phase_space import Distribution

LARGEST_MATRIX = 8000  # levels: a dense matrix of 1 GiB


@dataclass(frozen=True)
class FockState:
    """A density matrix with few diagonals.

    diagonals: (K + 1, n), diagonals[k, j] = ρ[j + k, j]. left_out: bound on the share of the
    energy beyond the last level, and on the weight of each coherence that is left out.
    """

    diagonals: npt.NDArray[np.complex128]
    left_out: float

    @property
    def levels(self) -> int:
        return int(self.diagonals.shape[1])

    @property
    def populations(self) -> FloatArray:
        return np.asarray(self.diagonals[0].real)

    @property
    def lost(self) -> float:
        """Probability beyond the highest level."""
        return 1.0 - float(np.sum(self.populations))

    @property
    def phonon_number(self) -> float:
        return float(np.arange(self.levels) @ self.populations)

    @cached_property
    def eigenvalues(self) -> FloatArray:
        """Eigenvalues, descending.

        Raises UnphysicalState where W is narrower than the vacuum allows, as at temperatures
        below the frequency, or where what is left out at a loose tolerance makes it seem so.
        """
        try:
            return thermodynamics.banded_spectrum(self.diagonals)
        except InvalidArgument as reason:
            raise UnphysicalState(
                "the Wigner function found is that of no quantum state: its noise lies below the "
                "vacuum's (the quasi-adiabatic description needs temperatures above the "
                f"frequency), or `rtol` is too large for its Fock basis; {reason}"
            ) from None

    @property
    def negativity(self) -> float:
        """How far populations or eigenvalues reach below zero; raises as `eigenvalues`."""
        smallest = min(float(np.min(self.populations)), float(np.min(self.eigenvalues)))
        return max(0.0, -smallest)

    @property
    def matrix(self) -> npt.NDArray[np.complex128]:
        return states.expand_diagonals(self.diagonals)


def fock_state(distribution: Distribution, tolerance: float) -> FockState:
    """Return the state with `tolerance` of its energy beyond the last level.

    Angular harmonics of weight below `tolerance` are left out: coherences enter entropy and
    ergotropy by their square.
    """
    levels = _levels(distribution, tolerance)
    radius = min(distribution.extent, math.sqrt(levels) + 4.0)
    mesh = states.radial_mesh(radius, levels)
    components = _harmonics(distribution, mesh, tolerance)
    return FockState(states.density_matrix_from_harmonics(components, mesh, levels), tolerance)


def _levels(distribution: Distribution, tolerance: float) -> int:
    nodes = distribution.nodes
    energy = (nodes.X**2 + nodes.P**2).ravel()
    order = np.argsort(energy)
    share = nodes.weight.ravel()[order] * energy[order]
    share = np.cumsum(share[::-1])[::-1] / np.sum(share)
    beyond = energy[order][np.searchsorted(-share, -tolerance)]
    # A Fock state's W has a skirt beyond its radius; four widths of the vacuum hold it.
    levels = math.ceil((math.sqrt(beyond) + 1.5) ** 2)
    if levels > LARGEST_MATRIX:
        raise NotConverged(
            f"the density matrix would need {levels} Fock levels "
            f"({16 * levels**2 / 2**30:.1f} GiB), more than {LARGEST_MATRIX}; the moments of the "
            "Wigner function are still available"
        )
    return levels


def _harmonics(
    distribution: Distribution, mesh: states.RadialMesh, negligible: float
) -> npt.NDArray[np.complex128]:
    """W_k(r) for all k that matter, (K + 1, radii)."""
    angles = 64
    while True:
        theta = 2.0 * np.pi / angles * np.arange(angles)
        r = mesh.radius[:, None]
        W = distribution.density(r * np.cos(theta), r * np.sin(theta))
        components = np.fft.rfft(W, axis=1, norm="forward").T
        weight = 2.0 * np.pi * np.abs(components) @ (mesh.weight * mesh.radius)
        matter = int(np.flatnonzero(weight > negligible)[-1])
        if matter < angles // 2 - 2 or angles >= 1024:
            components[weight <= negligible] = 0.0
            return components[: matter + 1]
        angles *= 2
