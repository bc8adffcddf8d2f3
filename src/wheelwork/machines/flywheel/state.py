"""The steady state of a flywheel: quantum state, stored work, flows, and the audit."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged, UnphysicalState
from wheelwork.machines.flywheel.accuracy import FOCK_SHARE, balance_bound, errors
from wheelwork.machines.flywheel.flows import Flows
from wheelwork.machines.flywheel.fock_state import FockState, fock_state
from wheelwork.machines.flywheel.validity import orbit_places, validity
from wheelwork.machines.labelled import add_observables
from wheelwork.machines.stored_work import StoredWork, StoresWork
from wheelwork.phase_space import Stationary
from wheelwork.phase_space.distribution import Ring, find_ring
from wheelwork.results import AuditEntry
from wheelwork.states import to_qutip

if TYPE_CHECKING:
    from qutip import Qobj

    from wheelwork.machines.flywheel import Flywheel

DISPLAY_POINTS = 201

LABELS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "bias": ("V", "energy", "bias"),
        "phonon_number": (r"\langle a^\dagger a\rangle", "1", "mean phonon number"),
        "g2": (r"g^{(2)}(0)", "1", "second-order coherence"),
        "energy": ("U", "energy", "mean energy above the ground state"),
        "entropy": ("S", "1", "von Neumann entropy"),
        "purity": (r"\mathrm{Tr}\,\rho^2", "1", "purity"),
        "ergotropy": (r"W_E", "energy", "ergotropy"),
        "ergotropy_diagonal": (r"W_E^{\mathrm{diag}}", "energy", "ergotropy of the populations"),
        "free_energy_gain": (r"W_F", "energy", "non-equilibrium free energy"),
        "inversion": (r"\max_n(p_{n+1}-p_n)", "1", "largest population inversion"),
        "ring_radius": (r"r", "1", "radius of the ring where W is largest, in |a|"),
        "particle_current": (r"I", "energy", "particle current out of the first lead"),
        "electrical_power": (r"P", "energy^2", "electrical power taken from the leads"),
        "entropy_production": (r"\dot\Sigma", "energy", "entropy production rate of the leads"),
    }
)


@dataclass(frozen=True)
class FlywheelState(StoresWork):
    """What `Flywheel.steady_state` returns.

    machine and method: what was asked for. stationary: W in scaled coordinates with its errors.
    Everything else is computed from these when it is first read.
    """

    machine: "Flywheel"
    method: Any
    stationary: Stationary

    # ------------------------------------------------------------------ quantum state

    @cached_property
    def fock(self) -> FockState:
        """The state in the Fock basis of ω0 a†a, as diagonals, populations and eigenvalues."""
        return fock_state(self.stationary.distribution, FOCK_SHARE * self.method.rtol)

    @cached_property
    def density_matrix(self) -> npt.NDArray[np.complex128]:
        """ρ in the Fock basis of ω0 a†a, complex (n, n)."""
        return self.fock.matrix

    def to_qutip(self) -> "Qobj":
        """Return the density matrix as a qutip.Qobj (extra `qutip`)."""
        return to_qutip(self.density_matrix)

    def wigner_on(self, x: npt.ArrayLike, p: npt.ArrayLike) -> FloatArray:
        """W at all positions x (n_x,) and momenta p (n_p,): shape (n_x, n_p)."""
        X = _checks.finite_array("x", x, ndim=1)[:, None] / self.machine.length
        P = _checks.finite_array("p", p, ndim=1)[None, :] / self.machine.momentum
        return 0.5 * self.stationary.distribution.density(X, P)  # dX dP = dx dp / 2

    @cached_property
    def wigner(self) -> xr.DataArray:
        """W on a square mesh that holds the state; its integral over dx dp is one."""
        reach = self.stationary.distribution.extent
        axis = np.linspace(-reach, reach, DISPLAY_POINTS)
        x, p = axis * self.machine.length, axis * self.machine.momentum
        return xr.DataArray(
            self.wigner_on(x, p),
            coords={"x": x, "p": p},
            dims=("x", "p"),
            name="wigner",
            attrs={"long_name": "Wigner function"},
        )

    # ------------------------------------------------------------------ stored work

    @property
    def phonon_number(self) -> float:
        """⟨a†a⟩ = ⟨x²/x0² + p²/p0²⟩ − 1/2."""
        return self.stationary.moments["phonon_number"]

    @property
    def g2(self) -> float:
        """g²(0) = ⟨a†a†aa⟩/⟨a†a⟩² (Culhane et al., Eq. (10))."""
        return self.stationary.moments["g2"]

    @property
    def energy(self) -> float:
        """U = ω0 ⟨a†a⟩."""
        return self.machine.frequency * self.phonon_number

    @property
    def wigner_error(self) -> float:
        """Estimated ∫ |δW| dx dp between the Wigner function found and the true one.

        Larger than the error of any observable: what is odd in p enters it linearly, entropy and
        ergotropy by its square.
        """
        return self.stationary.wigner_error

    @property
    def purity(self) -> float:
        """Tr ρ²."""
        return self.stationary.moments["purity"]

    @cached_property
    def stored_work(self) -> StoredWork:
        """Entropy and work, from the eigenvalues and populations."""
        return StoredWork(
            self.fock.eigenvalues,
            self.fock.populations,
            self.machine.frequency,
            self.energy,
            self.machine.bath_temperature,
        )

    @property
    def inversion(self) -> float:
        """Largest p_{n+1} − p_n; positive when a level holds more than the one below it."""
        return self.stored_work.inversion

    @cached_property
    def ring(self) -> Ring:
        """The crest of W: radius, curvature, contrast."""
        return find_ring(self.stationary.distribution)

    @property
    def ring_radius(self) -> float:
        """Radius √(x²/x0² + p²/p0²), from the mean of (x, p), where W is largest over angles.

        Zero below threshold, where W is largest at rest.
        """
        return self.ring.radius

    @cached_property
    def passive_state(self) -> FloatArray:
        """Diagonal state of the same spectrum and least energy, (n, n)."""
        return np.asarray(np.diag(self.fock.eigenvalues), dtype=np.float64)

    # ------------------------------------------------------------------ flows

    @cached_property
    def flows(self) -> Flows:
        """Mean particle and energy currents of all leads, with what follows from them."""
        means = self.stationary.local_means
        rows = np.reshape(
            [means[name] for name in self.stationary.model.local_observables], (2, -1)
        )
        leads = self.machine.leads
        return Flows(
            particle_currents=rows[0],
            energy_currents=rows[1],
            chemical_potentials=np.array([lead.chemical_potential for lead in leads]),
            temperatures=np.array([lead.temperature for lead in leads]),
        )

    @property
    def particle_currents(self) -> FloatArray:
        """Mean particle current out of each lead, (leads,)."""
        return self.flows.particle_currents

    @property
    def particle_current(self) -> float:
        """Mean particle current out of the first lead (left to right where there are two)."""
        return float(self.flows.particle_currents[0])

    @property
    def energy_currents(self) -> FloatArray:
        """Mean energy current out of each lead, (leads,)."""
        return self.flows.energy_currents

    @property
    def heat_currents(self) -> FloatArray:
        """Mean heat out of each lead into the device, J_α = E_α − μ_α I_α, (leads,)."""
        return self.flows.heat_currents

    @property
    def electrical_power(self) -> float:
        """Σ μ_α I_α, the work that the chemical potentials do on the device; I V for two leads."""
        return self.flows.electrical_power

    @property
    def entropy_production(self) -> float:
        """−Σ J_α/T_α ≥ 0."""
        return self.flows.entropy_production

    # ------------------------------------------------------------------ results and warrant

    @cached_property
    def observables(self) -> Mapping[str, float]:
        """All scalar observables by name.

        NaN: the free energy where no temperature is named, and what needs the Fock basis where the
        state has too many levels or is no quantum state (reading the property says which).
        """
        values = {}
        for name in LABELS.keys() - {"bias"}:
            try:
                values[name] = float(getattr(self, name))
            except (InvalidArgument, NotConverged, UnphysicalState):
                values[name] = np.nan
        return MappingProxyType({name: values[name] for name in LABELS if name != "bias"})

    @cached_property
    def errors(self) -> Mapping[str, float]:
        """Estimated absolute errors of the observables, see `flywheel_errors`."""
        return errors(self)

    @cached_property
    def validity(self) -> Mapping[str, AuditEntry]:
        """Ratios that the description takes for small, see `flywheel_validity`."""
        return validity(self.machine, orbit_places(self.stationary.moments, self.machine.length))

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Everything that could make the numbers wrong, checked."""
        rtol, stationary = self.method.rtol, self.stationary
        density = stationary.distribution.nodes.density
        entries = {
            "estimated error": AuditEntry(stationary.relative_error, rtol),
            "edge probability": AuditEntry(stationary.distribution.edge_probability, 1e-10),
            "negativity of W": AuditEntry(max(0.0, -np.min(density) / np.max(density)), 1e-12),
            "negativity of phonon number": AuditEntry(max(0.0, -self.phonon_number), 0.0),
            "first law": AuditEntry(self.flows.first_law, 1e-9),
            "oscillator balance": AuditEntry(stationary.balance, balance_bound(self)),
            "second law": AuditEntry(-self.entropy_production, 1e-10 * self.flows.scale),
        }
        return MappingProxyType(entries | self._fock_audit | dict(self.validity))

    @property
    def _fock_audit(self) -> dict[str, AuditEntry]:
        rtol = self.method.rtol
        try:
            fock = self.fock
            smallest = fock.negativity
        except (NotConverged, UnphysicalState):
            return {"state in the Fock basis": AuditEntry(np.inf, 0.0)}
        difference = abs(fock.phonon_number / self.phonon_number - 1.0)
        return {
            "probability lost in Fock basis": AuditEntry(abs(fock.lost), 1e-2 * rtol),
            "negativity of density matrix": AuditEntry(smallest, 1e-9),
            "phonon number, Wigner against Fock": AuditEntry(difference, rtol),
        }

    def to_xarray(self) -> xr.Dataset:
        """Observables with errors, Wigner function and populations as one labelled dataset."""
        dataset = xr.Dataset({"wigner": self.wigner})
        dataset["population"] = ("n", self.fock.populations, {"long_name": "population"})
        add_observables(dataset, self.observables, self.errors, LABELS)
        return dataset
