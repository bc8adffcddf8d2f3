"""A flywheel at one moment of its evolution: quantum state, stored work, flows."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import xarray as xr

from wheelwork import _checks, states
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged, UnphysicalState
from wheelwork.machines.stored_work import StoredWork, StoresWork
from wheelwork.phase_space import Snapshot

if TYPE_CHECKING:
    from wheelwork.machines.flywheel import Flywheel

UNPHYSICAL = 1e-2  # below zero: an eigenvalue that no error explains
FINEST_STATE = 1e-9  # accuracy of the transform to the Fock basis, where W has it


@dataclass(frozen=True)
class FlywheelSnapshot(StoresWork):
    """The state of a flywheel at one time.

    machine: the device in force from this time on. snapshot: W in scaled coordinates. Everything
    else is computed when it is first read. A snapshot can be what a further evolution starts from.
    """

    machine: "Flywheel"
    snapshot: Snapshot

    @property
    def time(self) -> float:
        return self.snapshot.time

    # ------------------------------------------------------------------ moments

    @property
    def phonon_number(self) -> float:
        """⟨a†a⟩."""
        return self.snapshot.moments["phonon_number"]

    @property
    def g2(self) -> float:
        """g²(0); NaN for a state of no quanta."""
        return self.snapshot.moments["g2"]

    @property
    def purity(self) -> float:
        """Tr ρ²."""
        return self.snapshot.moments["purity"]

    @property
    def energy(self) -> float:
        """U = ω0 ⟨a†a⟩."""
        return self.machine.frequency * self.phonon_number

    @property
    def position(self) -> float:
        """⟨x⟩."""
        return self.machine.length * self.snapshot.moments["x"]

    @property
    def momentum(self) -> float:
        """⟨p⟩."""
        return self.machine.momentum * self.snapshot.moments["p"]

    @property
    def charging_power(self) -> float:
        """dU/dt, exactly, from the equation of motion: mean force, friction and noise together."""
        return sum(self.powers)

    @property
    def powers(self) -> tuple[float, float, float]:
        """What the mean force, the friction (positive where it drives) and the noise put in.

        ω0 (2⟨f P⟩, −2⟨γ P²⟩, 2⟨d⟩) in scaled coordinates, that is
        ⟨force p/m⟩, −⟨γ p²/m⟩ and ⟨D⟩/2m.
        """
        force, friction, noise = self.snapshot.energy_rates
        frequency = self.machine.frequency
        return frequency * force, frequency * friction, frequency * noise

    @property
    def particle_current(self) -> float:
        """Mean particle current out of the first lead."""
        return self.snapshot.local_means["particle_0"]

    # ------------------------------------------------------------------ quantum state

    @cached_property
    def density_matrix(self) -> npt.NDArray[np.complex128]:
        """ρ in the Fock basis of ω0 a†a, complex (n, n)."""
        accuracy = FINEST_STATE
        while True:
            try:
                return self._density_matrix(accuracy)
            except (InvalidArgument, NotConverged):  # W ends or is cut off at more than that
                if accuracy > max(self.snapshot.distance, FINEST_STATE):
                    raise
                accuracy *= 10.0

    def _density_matrix(self, accuracy: float) -> npt.NDArray[np.complex128]:
        field = self.snapshot.field
        return states.density_matrix_from_wigner(
            0.5 * field.values,  # dX dP = dx dp / 2
            self.machine.length * field.mesh.axis,
            self.machine.momentum * field.mesh.axis,
            tolerance=accuracy,
            mass=self.machine.mass,
            frequency=self.machine.frequency,
        )

    @property
    def lost(self) -> float:
        """|1 − Tr ρ|, probability beyond the highest level."""
        return abs(1.0 - float(np.trace(self.density_matrix).real))

    @property
    def disagreement(self) -> float:
        """Phonon number by ρ against that by W, over ⟨a†a⟩ + ½."""
        populations = np.diagonal(self.density_matrix).real
        number = float(np.arange(populations.size) @ populations)
        return abs(number - self.phonon_number) / (self.phonon_number + 0.5)

    @cached_property
    def _eigenvalues(self) -> FloatArray:
        return np.asarray(np.linalg.eigvalsh(self.density_matrix)[::-1], dtype=np.float64)

    @property
    def negativity(self) -> float:
        """How far the lowest eigenvalue of ρ lies below zero.

        Numerical error, and at early times of a pure state also that of the equation: like all
        of its kind (quantum Brownian motion without the small noise in position) it is not
        completely positive, by terms of second order in friction/noise.
        """
        return max(0.0, -float(self._eigenvalues[-1]))

    @cached_property
    def stored_work(self) -> StoredWork:
        """Entropy and work; raises UnphysicalState where W is that of no quantum state."""
        if self.negativity > UNPHYSICAL:
            raise UnphysicalState(
                f"the density matrix at t = {self.time:g} has the eigenvalue {-self.negativity:.2g}"
            )
        return StoredWork(
            np.maximum(self._eigenvalues, 0.0),
            np.maximum(np.diagonal(self.density_matrix).real, 0.0),
            self.machine.frequency,
            self.energy,
            self.machine.free_energy_temperature,
        )

    @property
    def wigner(self) -> xr.DataArray:
        """W on the mesh it was computed on; its integral over dx dp is one."""
        field = self.snapshot.field
        x = self.machine.length * field.mesh.axis
        p = self.machine.momentum * field.mesh.axis
        return xr.DataArray(
            0.5 * field.values,
            coords={"x": x, "p": p},
            dims=("x", "p"),
            name="wigner",
            attrs={"long_name": "Wigner function"},
        )

    def wigner_on(self, x: npt.ArrayLike, p: npt.ArrayLike) -> FloatArray:
        """W at all positions x (n_x,) and momenta p (n_p,): shape (n_x, n_p)."""
        X = _checks.finite_array("x", x, ndim=1) / self.machine.length
        P = _checks.finite_array("p", p, ndim=1) / self.machine.momentum
        return 0.5 * self.snapshot.wigner(X, P)

    # ------------------------------------------------------------------ results

    @cached_property
    def observables(self) -> Mapping[str, float]:
        """All scalar observables by name; NaN where one has no value, see `value`."""
        return MappingProxyType({name: self.value(name) for name in OBSERVABLES})

    def value(self, name: str) -> float:
        """The observable `name`, NaN where there is none.

        That is a free energy without a temperature, and what needs the Fock basis where W is that
        of no quantum state.
        """
        try:
            return float(getattr(self, name))
        except (InvalidArgument, NotConverged, UnphysicalState):
            return np.nan

    @cached_property
    def errors(self) -> Mapping[str, float]:
        """Estimated absolute errors, from the distance between the W found and the true one.

        Without those of entropy and work where the state has too many levels for a density matrix.
        """
        moment, frequency = self.snapshot.errors, self.machine.frequency
        errors = {
            "phonon_number": moment["phonon_number"],
            "g2": moment["g2"],
            "purity": moment["purity"],
            "energy": frequency * moment["phonon_number"],
            "position": self.machine.length * moment["x"],
            "momentum": self.machine.momentum * moment["p"],
            "charging_power": frequency * self.snapshot.energy_rates_error,
            "particle_current": self.snapshot.local_errors["particle_0"],
        }
        try:
            return MappingProxyType(errors | self._work_errors)
        except (InvalidArgument, NotConverged):
            return MappingProxyType(errors)

    @property
    def _work_errors(self) -> dict[str, float]:
        """Of what needs the Fock basis; raises as `density_matrix`."""
        levels = self.density_matrix.shape[0]
        energy = self.machine.frequency * self.snapshot.errors["phonon_number"]
        changed = self.snapshot.distance + self.negativity + self.lost
        # Fannes' inequality: what little probability is misplaced may lie anywhere
        spread = changed * (np.log(levels) + 1.0 - np.log(changed))
        work = energy + (self.negativity + self.lost) * self.machine.frequency * levels
        errors = {"entropy": spread, "ergotropy": work, "ergotropy_diagonal": work}
        if self.machine.free_energy_temperature is not None:
            errors["free_energy_gain"] = energy + self.machine.free_energy_temperature * spread
        return errors


OBSERVABLES = (
    "phonon_number",
    "g2",
    "purity",
    "energy",
    "position",
    "momentum",
    "entropy",
    "ergotropy",
    "ergotropy_diagonal",
    "free_energy_gain",
    "charging_power",
    "particle_current",
)
