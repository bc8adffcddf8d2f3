"""What all states of a flywheel have in common: observables, flows, density matrix."""

from collections.abc import Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from wheelwork import _checks, states
from wheelwork._checks import FloatArray
from wheelwork.errors import UnphysicalState
from wheelwork.machines.flywheel import accuracy
from wheelwork.machines.flywheel import model as equations
from wheelwork.machines.flywheel.fock_state import AnyFockState, StoredWork
from wheelwork.machines.flywheel.model import Flows
from wheelwork.machines.flywheel.parameters import FlywheelParameters
from wheelwork.numerics.labelled import Axis
from wheelwork.phase_space import Snapshot, Stationary
from wheelwork.results import (
    UNAVAILABLE,
    AuditEntry,
    Label,
    Result,
    entry,
    observable,
)

if TYPE_CHECKING:
    from qutip import Qobj


# Labels of what leaves each lead; heat also as observables of the first two leads.
CURRENTS: dict[str, Label] = {
    "particle_currents": ("I", "energy", "particle currents out of the leads"),
    "energy_currents": ("E", "energy^2", "energy currents out of the leads"),
    "heat_currents": ("J", "energy^2", "heat currents out of the leads"),
}
HEAT: Any = {i: (f"J_{i}", "energy^2", f"heat current out of lead {i}") for i in (0, 1)}

work_entry, flow_entry = partial(entry, error="work_errors"), partial(entry, error="flow_errors")


class OscillatorState(Result):
    """Quantities common to steady and transient states of a flywheel.

    Each quantity is computed when first read, the density matrix only if needed. An undefined
    quantity is NaN in `observables`, with the reason in `missing`: the free energy without a
    reference temperature, entropy and work if the state has too many levels or is unphysical.
    Reading its attribute raises that reason as an exception.

    solution: W in scaled coordinates, with its moments, mean flows and errors.
    """

    machine: FlywheelParameters
    solution: Stationary | Snapshot
    headline: ClassVar[tuple[str, ...]] = (
        "phonon_number", "g2", "energy", "ergotropy", "free_energy_gain", "particle_current"
    )  # fmt: skip

    @property
    def fock(self) -> AnyFockState:
        """The state in the Fock basis of ω0 a†a: populations and eigenvalues.

        Raises NotConverged where it has too many levels.
        """
        raise NotImplementedError

    @property
    def known_fock(self) -> AnyFockState | None:
        """`fock` with its eigenvalues, or None where there is none."""
        try:
            _ = self.fock.eigenvalues
        except UNAVAILABLE:
            return None
        return self.fock

    @cached_property
    def stored_work(self) -> StoredWork:
        """Entropy and work; raises UnphysicalState where W is that of no quantum state."""
        return StoredWork(
            self.fock.eigenvalues,
            self.fock.populations,
            self.machine.frequency,
            self.energy,
            self.machine.free_energy_temperature,
        )

    @cached_property
    def flows(self) -> Flows:
        """Mean particle and energy currents of all leads, with what follows from them."""
        solution = self.solution
        return equations.flows(
            self.machine.leads, solution.local_means, solution.model.local_observables
        )

    @cached_property
    def moment_errors(self) -> Mapping[str, float]:
        """Estimated absolute errors of the quantities computed from moments of W."""
        return accuracy.moment_errors(self.solution, self.machine)

    @property
    def work_errors(self) -> Mapping[str, float]:
        """Estimated absolute errors of entropy and work; raises as `stored_work`."""
        raise NotImplementedError

    @cached_property
    def flow_errors(self) -> Mapping[str, Any]:
        """Estimated absolute errors of the flows; mappings of what has one value per lead."""
        return accuracy.flow_errors(self.solution, self.flows)

    @cached_property
    def density_matrix(self) -> npt.NDArray[np.complex128]:
        """ρ in the Fock basis of ω0 a†a, complex (n, n)."""
        return self.fock.matrix

    def to_qutip(self) -> "Qobj":
        """Return the density matrix as a qutip.Qobj (extra `qutip`)."""
        return states.to_qutip(self.density_matrix)

    @cached_property
    def passive_state(self) -> FloatArray:
        """Diagonal state of the same spectrum and least energy, (n, n)."""
        return np.asarray(np.diag(self.stored_work.eigenvalues), dtype=np.float64)

    def wigner_on(self, x: npt.ArrayLike, p: npt.ArrayLike) -> FloatArray:
        """W at all positions x (n_x,) and momenta p (n_p,): shape (n_x, n_p)."""
        X = _checks.finite_array("x", x, ndim=1) / self.machine.length
        P = _checks.finite_array("p", p, ndim=1) / self.machine.momentum
        return 0.5 * self.scaled_wigner(X, P)  # dX dP = dx dp / 2

    def scaled_wigner(self, X: FloatArray, P: FloatArray) -> FloatArray:
        """W per dX dP on the mesh of the axes X = x/x0 (n,) and P = p/p0 (m,): shape (n, m)."""
        raise NotImplementedError

    @property
    def wigner(self) -> xr.DataArray:
        """W over x, p on a square mesh that holds the state; its integral over dx dp is one."""
        raise NotImplementedError

    def _over_phase_space(self, axis: FloatArray, values: FloatArray) -> xr.DataArray:
        """W over x, p from values on the mesh of the scaled `axis`."""
        x, p = axis * self.machine.length, axis * self.machine.momentum
        attributes = {"long_name": "Wigner function"}
        return xr.DataArray(values, {"x": x, "p": p}, ("x", "p"), "wigner", attributes)

    # ------------------------------------------------------------------ observables

    @observable(r"\langle a^\dagger a\rangle", "1", "mean phonon number", error="moment_errors")
    def phonon_number(self) -> float:
        """⟨a†a⟩ = ⟨x²/x0² + p²/p0²⟩ − 1/2."""
        return accuracy.require_possible("phonon_number", self.solution, 0.0)

    @observable(r"g^{(2)}(0)", "1", "second-order coherence", error="moment_errors")
    def g2(self) -> float:
        """g²(0) = ⟨a†a†aa⟩/⟨a†a⟩² (Culhane et al., Eq. (10))."""
        if self.phonon_number <= 0.0:
            raise UnphysicalState("g2 is not defined for a state without quanta")
        return accuracy.require_possible("g2", self.solution, 0.0)

    @observable("U", "energy", "mean energy above the ground state", error="moment_errors")
    def energy(self) -> float:
        """U = ω0 ⟨a†a⟩."""
        return self.machine.frequency * self.phonon_number

    entropy = work_entry("stored_work.entropy", "S", "1", "von Neumann entropy")

    @observable(r"\mathrm{Tr}\,\rho^2", "1", "purity", error="moment_errors")
    def purity(self) -> float:
        return accuracy.require_possible("purity", self.solution, 0.0, 1.0)

    ergotropy = work_entry("stored_work.ergotropy", "W_E", "energy", "ergotropy")
    ergotropy_diagonal = work_entry(
        "stored_work.ergotropy_diagonal",
        r"W_E^{\mathrm{diag}}",
        "energy",
        "ergotropy of the populations",
    )
    free_energy_gain = work_entry(
        "stored_work.free_energy_gain", "W_F", "energy", "non-equilibrium free energy"
    )
    inversion = work_entry(
        "stored_work.inversion", r"\max_n(p_{n+1}-p_n)", "1", "largest population inversion"
    )

    @observable("I", "energy", "particle current out of the first lead", error="flow_errors")
    def particle_current(self) -> float:
        """Mean particle current out of the first lead (left to right where there are two)."""
        return float(self.flows.particle_currents[0])

    electrical_power = flow_entry(
        "flows.electrical_power", "P", "energy^2", "electrical power taken from the leads"
    )

    @observable(
        r"\dot\Sigma", "energy", "entropy production rate of the leads", error="flow_errors"
    )
    def entropy_production(self) -> float:
        """−Σ J_α/T_α, not below zero; raises UnphysicalState where it is, beyond its error."""
        return accuracy.require_lawful(self.flows, self.flow_errors["entropy_production"])

    @property
    def axes(self) -> Mapping[str, Axis]:
        """The leads, by index."""
        return {"lead": Axis("lead", tuple(range(len(self.machine.leads))))}

    @observable(*CURRENTS["heat_currents"], parts=HEAT, over="lead", error="flow_errors")
    def heat_currents(self) -> Mapping[int, float]:
        """Mean heat out of each lead into the device, J_α = E_α − μ_α I_α, by its index.

        Of all leads; `observables` hold the first two, `array_observables` all.
        """
        return accuracy.by_lead(self.flows.heat_currents)

    @observable(*CURRENTS["particle_currents"], over="lead", error="flow_errors")
    def particle_currents(self) -> Mapping[int, float]:
        """Mean particle current out of each lead, by its index."""
        return accuracy.by_lead(self.flows.particle_currents)

    @observable(*CURRENTS["energy_currents"], over="lead", error="flow_errors")
    def energy_currents(self) -> Mapping[int, float]:
        """Mean energy current out of each lead, by its index."""
        return accuracy.by_lead(self.flows.energy_currents)

    def undefined(self, name: str) -> str:
        """Why an observable is NaN that raises no reason itself."""
        if name.startswith("heat_currents_"):
            return f"the device has no lead {name.rpartition('_')[2]}"
        return super().undefined(name)

    @cached_property
    def validity(self) -> Mapping[str, AuditEntry]:
        """Ratios that must be small for the description to hold, see `accuracy.validity`."""
        positions = accuracy.orbit_positions(self.solution, self.machine.length)
        return accuracy.validity(self.machine, positions)

    def arrays(self) -> xr.Dataset:
        """Wigner function, and populations where there are any."""
        dataset = xr.Dataset({"wigner": self.wigner})
        fock = self.known_fock
        if fock is not None:
            dataset["population"] = ("n", fock.populations, {"long_name": "population"})
        return dataset
