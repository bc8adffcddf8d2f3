"""States of a flywheel: their observables, and the steady state."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from wheelwork import _checks, states
from wheelwork._checks import FloatArray
from wheelwork.machines.flywheel import accuracy
from wheelwork.machines.flywheel import model as equations
from wheelwork.machines.flywheel.fock_state import AnyFockState, FockState, StoredWork, fock_state
from wheelwork.machines.flywheel.model import Flows
from wheelwork.machines.flywheel.parameters import FlywheelParameters
from wheelwork.phase_space import Snapshot, Stationary, jackknife_error
from wheelwork.phase_space.distribution import Ring, find_ring
from wheelwork.results import UNAVAILABLE, AuditEntry, Result, entry, observable

if TYPE_CHECKING:
    from qutip import Qobj

DISPLAY_POINTS = 201  # along each axis of `wigner`: what a figure resolves

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
    def flow_errors(self) -> Mapping[str, float]:
        """Estimated absolute errors of the flows."""
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
        return self.solution.moments["phonon_number"]

    @observable(r"g^{(2)}(0)", "1", "second-order coherence", error="moment_errors")
    def g2(self) -> float:
        """g²(0) = ⟨a†a†aa⟩/⟨a†a⟩² (Culhane et al., Eq. (10))."""
        return self.solution.moments["g2"]

    @observable("U", "energy", "mean energy above the ground state", error="moment_errors")
    def energy(self) -> float:
        """U = ω0 ⟨a†a⟩."""
        return self.machine.frequency * self.phonon_number

    entropy = work_entry("stored_work.entropy", "S", "1", "von Neumann entropy")

    @observable(r"\mathrm{Tr}\,\rho^2", "1", "purity", error="moment_errors")
    def purity(self) -> float:
        return self.solution.moments["purity"]

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
    entropy_production = flow_entry(
        "flows.entropy_production", r"\dot\Sigma", "energy", "entropy production rate of the leads"
    )

    @property
    def particle_currents(self) -> Mapping[int, float]:
        """Mean particle current out of each lead, by its index."""
        return _by_lead(self.flows.particle_currents)

    @property
    def energy_currents(self) -> Mapping[int, float]:
        """Mean energy current out of each lead, by its index."""
        return _by_lead(self.flows.energy_currents)

    @property
    def heat_currents(self) -> Mapping[int, float]:
        """Mean heat out of each lead into the device, J_α = E_α − μ_α I_α, by its index."""
        return _by_lead(self.flows.heat_currents)

    @cached_property
    def validity(self) -> Mapping[str, AuditEntry]:
        """Ratios that must be small for the description to hold, see `accuracy.validity`."""
        positions = accuracy.orbit_positions(self.solution, self.machine.length)
        return accuracy.validity(self.machine, positions)

    def arrays(self) -> xr.Dataset:
        """Wigner function, and populations where the state has a density matrix."""
        dataset = xr.Dataset({"wigner": self.wigner})
        fock = self.known_fock
        if fock is not None:
            dataset["population"] = ("n", fock.populations, {"long_name": "population"})
        return dataset


def _by_lead(values: FloatArray) -> Mapping[int, float]:
    return MappingProxyType(dict(enumerate(map(float, values))))


@dataclass(frozen=True, repr=False, eq=False)
class FlywheelState(OscillatorState):
    """Steady state of a flywheel, returned by `Flywheel.steady_state`."""

    machine: FlywheelParameters
    method: Any
    solution: Stationary

    @cached_property
    def fock(self) -> FockState:
        """The state in the Fock basis of ω0 a†a, as diagonals, populations and eigenvalues."""
        return fock_state(self.solution.distribution, accuracy.FOCK_SHARE * self.method.rtol)

    def scaled_wigner(self, X: FloatArray, P: FloatArray) -> FloatArray:
        return self.solution.distribution.density(X[:, None], P[None, :])

    @cached_property
    def wigner(self) -> xr.DataArray:
        """W over x, p on a square mesh that holds the state; its integral over dx dp is one."""
        reach = self.solution.distribution.extent
        axis = np.linspace(-reach, reach, DISPLAY_POINTS)
        x, p = axis * self.machine.length, axis * self.machine.momentum
        return self._over_phase_space(axis, self.wigner_on(x, p))

    @property
    def wigner_error(self) -> float:
        """Estimated ∫ |δW| dx dp between the computed Wigner function and the true one.

        Larger than the error of any observable: parts odd in p enter it linearly, but entropy and
        ergotropy quadratically.
        """
        return self.solution.wigner_error

    @cached_property
    def ring(self) -> Ring:
        """The crest of W: radius, curvature, contrast."""
        return find_ring(self.solution.distribution)

    @observable(
        "r", "1", "radius of the ring where W is largest, in |a|", error=lambda one: one.ring_error
    )
    def ring_radius(self) -> float:
        """Radius √(x²/x0² + p²/p0²), from the mean of (x, p), where W is largest over angles.

        Zero below threshold, where W is largest at rest.
        """
        return self.ring.radius

    @cached_property
    def replicas(self) -> "tuple[FlywheelState, ...]":
        """Jackknife replicas, each omitting one group of trajectories; empty unless sampled."""
        return tuple(replace(self, solution=one) for one in accuracy.leave_one_out(self.solution))

    def _standard_error(self, name: str) -> float:
        """Standard error of an observable, by the jackknife over trajectories."""
        error = jackknife_error([one.value(name) for one in self.replicas])
        return self.solution.widening * error

    @cached_property
    def ring_error(self) -> float:
        """Estimated absolute error of the ring's radius."""
        error = self._standard_error("ring_radius") if self.replicas else 0.0
        # No scatter (zero in every replica) does not mean no error: fall back to the bound.
        return error or accuracy.ring_error(self.solution, self.method.rtol, self.ring)

    @cached_property
    def work_errors(self) -> Mapping[str, float]:
        """Bounds from the distance of W to the true one; standard errors if sampled.

        Raises as `stored_work`.
        """
        bounds = accuracy.work_errors(self.solution, self.method.rtol, self.stored_work)
        if not self.replicas:
            return bounds
        errors = {name: self._standard_error(name) for name in bounds}
        for name in ("ergotropy", "ergotropy_diagonal"):
            # No scatter (clipped at zero in every replica) does not mean no error.
            errors[name] = errors[name] or bounds[name]
        # Scatter alone misses the smoothing bias of the fitted density, so use `distance`.
        return errors | {"inversion": self.solution.distance}

    @cached_property
    def flow_errors(self) -> Mapping[str, float]:
        """Estimated absolute errors of the flows; the standard error of a sampled state."""
        bounds = accuracy.flow_errors(self.solution, self.flows)
        if not self.replicas:
            return bounds
        return {name: self._standard_error(name) for name in bounds}

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Named checks with value, bound and verdict."""
        rtol, replicas = self.method.rtol, [one.solution for one in self.replicas]
        entries = accuracy.stationary_audit(
            self.solution, rtol, self.flows, self.known_fock, replicas
        )
        return MappingProxyType(entries | dict(self.solution.checks) | dict(self.validity))
