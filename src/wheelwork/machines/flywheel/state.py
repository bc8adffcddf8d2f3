"""The steady state of a flywheel, and the states that coexist in it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged
from wheelwork.machines.flywheel import accuracy
from wheelwork.machines.flywheel.fock_state import FockState, fock_state
from wheelwork.machines.flywheel.oscillator_state import CURRENTS, OscillatorState
from wheelwork.machines.flywheel.parameters import FlywheelParameters
from wheelwork.phase_space import Stationary, jackknife_error
from wheelwork.phase_space.coexistence.wells import Well, Wells, find_wells, has_one_maximum
from wheelwork.phase_space.distribution import Ring, find_ring
from wheelwork.results import UNAVAILABLE, AuditEntry, observable

UNSEEN = 1e-17  # probability beyond the region that holds W
NOTICEABLE = 0.05  # of phonon number, by which a run from rest may differ without a warning
DISPLAY_POINTS = 201  # along each axis of `wigner`: what a figure resolves


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
    def wells(self) -> Wells:
        """The states that coexist, each with weight, barrier and switching rate; mostly one.

        By averages over the orbits of the equation, whatever method the state is from; see
        `wheelwork.phase_space.Wells`. Takes some tenths of a second.
        Raises NotConverged where there are too many.
        """
        try:
            return find_wells(self.solution.model)
        except NoSteadyState as reason:
            raise NotConverged(f"the wells could not be told apart: {reason}") from None

    @cached_property
    def _from_rest(self) -> Well | None:
        """The well that a run from rest stays in, None where there is no other."""
        if has_one_maximum(self.solution) or len(self.wells) == 1:
            return None
        if self.wells.from_rest is None:
            raise InvalidArgument("rest lies on a ridge between several states: see `wells`")
        return self.wells.from_rest

    @cached_property
    def rest_errors(self) -> Mapping[str, float]:
        """Estimated absolute errors of what a run from rest sees."""
        well = self._from_rest
        if well is None:
            number = self.moment_errors["phonon_number"]
            return {"rest_weight": UNSEEN, "rest_phonon_number": number}
        return {
            "rest_weight": well.weight_error, "rest_phonon_number": well.phonon_number_error
        }  # fmt: skip

    @observable(
        "w_0", "1", "probability of the state that a run from rest stays in", error="rest_errors"
    )
    def rest_weight(self) -> float:
        """One where no other state coexists with it; see `wells`."""
        well = self._from_rest
        return 1.0 if well is None else well.weight

    @observable("n_0", "1", "mean phonon number that a run from rest sees", error="rest_errors")
    def rest_phonon_number(self) -> float:
        """Mean ⟨a†a⟩ over the well that contains x = p = 0, before the first switch."""
        well = self._from_rest
        return self.phonon_number if well is None else well.phonon_number

    @property
    def coexistence(self) -> str:
        """The states that coexist in one sentence, or nothing where there is one."""
        try:
            one = has_one_maximum(self.solution) or len(self.wells) == 1
        except UNAVAILABLE:
            return ""
        return "" if one else self.wells.summary

    @property
    def misses_mean(self) -> bool:
        """Whether a run from rest sees another phonon number than the mean over all states."""
        seen, mean = self.value("rest_phonon_number"), self.value("phonon_number")
        return abs(seen - mean) > NOTICEABLE * (abs(mean) + 0.5)

    def __repr__(self) -> str:
        note = self.coexistence
        return super().__repr__() + (f"\n  note: {note}" if note else "")

    def _repr_html_(self) -> str:
        note = self.coexistence
        return super()._repr_html_() + (f"<p>{escape(note)}</p>" if note else "")

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
    def flow_errors(self) -> Mapping[str, Any]:
        """Estimated absolute errors of the flows; the standard error of a sampled state."""
        bounds = accuracy.flow_errors(self.solution, self.flows)
        if not self.replicas:
            return bounds
        return {
            name: self._lead_errors(name) if name in CURRENTS else self._standard_error(name)
            for name in bounds
        }

    def _lead_errors(self, name: str) -> Mapping[int, float]:
        """Standard errors of a current out of each lead."""
        samples = [getattr(one, name) for one in self.replicas]
        return {i: jackknife_error([one[i] for one in samples]) for i in getattr(self, name)}

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Named checks with value, bound and verdict."""
        rtol, replicas = self.method.rtol, [one.solution for one in self.replicas]
        entries = accuracy.stationary_audit(
            self.solution, rtol, self.flows, self.known_fock, replicas
        )
        return MappingProxyType(entries | dict(self.solution.checks) | dict(self.validity))
