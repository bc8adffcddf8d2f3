"""Time evolution of a flywheel (charging, switching, decay) and its initial states."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import InvalidArgument, NotConverged, UnphysicalState, shown
from wheelwork.machines.flywheel import accuracy
from wheelwork.machines.flywheel.fock_state import DenseFockState, StoredWork, dense_fock_state
from wheelwork.machines.flywheel.oscillator_state import OscillatorState
from wheelwork.machines.flywheel.parameters import FlywheelParameters
from wheelwork.machines.flywheel.state import FlywheelState
from wheelwork.phase_space import Distribution, Evolution, FokkerPlanck, Snapshot
from wheelwork.results import AuditEntry, Series, attributes, observable, worst
from wheelwork.states import FromDensityMatrix, Preparation

UNPHYSICAL = 1e-2  # below zero: an eigenvalue that no error explains
NEGLIGIBLE = 3e-11  # of the largest Fourier component of W, above the noise of its tables
FEWEST_POINTS, MOST_POINTS = 64, 1024  # along each axis, to look for the largest wave number
RESOLVED = 0.8  # of the largest wave number of a mesh: content below it is not aliased
SEEN = 5  # positions at which the colour of the noise is looked at, some ten milliseconds each
MARGIN = 1.1  # between the largest wave number seen and the one reported

Schedule = tuple[tuple[float, FlywheelParameters], ...]  # (start, device) in order of time


@dataclass(frozen=True, repr=False, eq=False)
class FlywheelSnapshot(OscillatorState):
    """The state of a flywheel at one time. A further evolution can start from it.

    machine: the device from this time on. inherited: error of W of the initial state of the
    evolution.
    """

    machine: FlywheelParameters
    method: FokkerPlanck
    solution: Snapshot
    inherited: float = 0.0

    @property
    def time(self) -> float:
        """In units of 1/energy."""
        return self.solution.time

    @property
    def title(self) -> str:
        """Name and time, for printing."""
        return f"FlywheelSnapshot at t = {self.time:g}"

    @cached_property
    def fock(self) -> DenseFockState:
        """The state in the Fock basis of ω0 a†a: matrix, populations and eigenvalues."""
        return dense_fock_state(self.solution, self.machine)

    @cached_property
    def stored_work(self) -> StoredWork:
        """Entropy and work; raises UnphysicalState where W is that of no quantum state."""
        if self.fock.negativity > UNPHYSICAL:
            raise UnphysicalState(
                f"the density matrix at t = {self.time:g} has the eigenvalue "
                f"{-self.fock.negativity:.2g}"
            )
        return StoredWork(
            np.maximum(self.fock.eigenvalues, 0.0),
            np.maximum(self.fock.populations, 0.0),
            self.machine.frequency,
            self.energy,
            self.machine.free_energy_temperature,
        )

    def scaled_wigner(self, X: FloatArray, P: FloatArray) -> FloatArray:
        return self.solution.wigner(X, P)

    @cached_property
    def wigner(self) -> xr.DataArray:
        """W over x, p on the mesh it was computed on; its integral over dx dp is one."""
        field = self.solution.field
        return self._over_phase_space(field.mesh.axis, 0.5 * field.values)  # dX dP = dx dp / 2

    # ------------------------------------------------------------------ observables

    @observable(r"g^{(2)}(0)", "1", "second-order coherence", error="moment_errors")
    def g2(self) -> float:
        """g²(0); raises NotConverged where the phonon number is within its error."""
        value = self.solution.moments["g2"]
        if math.isnan(value):
            raise NotConverged(
                f"g2 is not known at t = {self.time:g}: the phonon number "
                f"{self.phonon_number:.2g} is within its error"
            )
        return value

    @observable(r"\langle x\rangle", "length", "mean position", error="moment_errors")
    def position(self) -> float:
        return self.machine.length * self.solution.moments["x"]

    @observable(r"\langle p\rangle", "1/length", "mean momentum", error="moment_errors")
    def momentum(self) -> float:
        return self.machine.momentum * self.solution.moments["p"]

    @observable(
        r"\dot U",
        "energy^2",
        "rate of change of the mean energy",
        error=lambda state: state.machine.frequency * state.solution.energy_rates_error,
    )
    def charging_power(self) -> float:
        """dU/dt, exactly, from the equation of motion: mean force, friction and noise together."""
        return sum(self.powers)

    @property
    def powers(self) -> tuple[float, float, float]:
        """Power of the mean force, of the friction (positive where it drives) and of the noise.

        ω0 (2⟨f P⟩, −2⟨γ P²⟩, 2⟨d⟩) in scaled coordinates, that is
        ⟨force p/m⟩, −⟨γ p²/m⟩ and ⟨D⟩/2m.
        """
        force, friction, noise = self.solution.energy_rates
        frequency = self.machine.frequency
        return frequency * force, frequency * friction, frequency * noise

    @cached_property
    def work_errors(self) -> Mapping[str, float]:
        """Estimated absolute errors of entropy and work; raises as `stored_work`."""
        return accuracy.transient_work_errors(self.solution, self.fock, self.stored_work)

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Named checks with value, bound and verdict."""
        allowed = self.method.rtol + self.inherited
        entries = accuracy.transient_audit([self.solution], [self.known_fock], allowed)
        return MappingProxyType(entries | dict(self.validity))


@dataclass(frozen=True, repr=False, eq=False)
class FlywheelEvolution(Series[FlywheelSnapshot]):
    """Evolution of a flywheel: a sequence of `FlywheelSnapshot`.

    schedule: (start, device) in order of time. evolution: W(t) in scaled coordinates, with errors.
    """

    kind: ClassVar[type[FlywheelSnapshot]] = FlywheelSnapshot

    schedule: Schedule
    method: FokkerPlanck
    evolution: Evolution

    @cached_property
    def results(self) -> tuple[FlywheelSnapshot, ...]:
        """One snapshot for each time."""
        inherited = self.evolution.inherited
        return tuple(
            FlywheelSnapshot(self._in_force(one.time), self.method, one, inherited)
            for one in self.evolution.snapshots
        )

    def _in_force(self, time: float) -> FlywheelParameters:
        return next(device for start, device in reversed(self.schedule) if start <= time)

    @property
    def times(self) -> FloatArray:
        """In units of 1/energy."""
        return self.evolution.times

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Named checks with value, bound and verdict: the worst over all times."""
        entries = accuracy.transient_audit(
            self.evolution.snapshots,
            [one.known_fock for one in self.results],
            self.method.rtol + self.evolution.inherited,
        )
        if self.evolution.time_left > 0.0:
            entries["time left"] = AuditEntry(self.evolution.time_left, 0.0)
        return MappingProxyType(entries | dict(self.validity))

    @property
    def passed(self) -> bool:
        """Whether every audit entry passes."""
        return all(entry.ok for entry in self.audit.values())

    @cached_property
    def validity(self) -> Mapping[str, AuditEntry]:
        """Ratios that must be small for the description to hold.

        The worst over all devices, each where its oscillator swings in any of its snapshots.
        """
        by_device: dict[int, list[FlywheelSnapshot]] = {}  # by identity: line shapes need no hash
        for one in self.results:
            by_device.setdefault(id(one.machine), []).append(one)
        return MappingProxyType(worst(map(_validity, by_device.values())))

    def to_xarray(self) -> xr.Dataset:
        """All observables with errors over `time`, and the bias of a two-lead device."""
        dataset = super().to_xarray()
        if all(len(device.leads) == 2 for _, device in self.schedule):
            bias = [one.machine.bias for one in self.results]
            label = FlywheelParameters.parameter_labels()["bias"]
            dataset["bias"] = ("time", bias, attributes(label))
        return dataset


def _validity(snapshots: Sequence[FlywheelSnapshot]) -> Mapping[str, AuditEntry]:
    """Validity of one device over all positions that its snapshots reach."""
    machine = snapshots[0].machine
    turns = [accuracy.orbit_positions(one.solution, machine.length) for one in snapshots]
    return accuracy.validity(machine, np.linspace(np.min(turns), np.max(turns), SEEN).tolist())


# ------------------------------------------------------------------ what an evolution starts from


@dataclass(frozen=True, eq=False)
class SteadyStart(Computed):
    """A stationary W as initial state; error: its distance to the true one."""

    distribution: Distribution
    error: float

    @property
    def extent(self) -> float:
        """Radius √(X² + P²) beyond which W is negligible."""
        return self.distribution.extent

    @cached_property
    def wavenumber(self) -> float:
        """Where the Fourier transform of W has become negligible, on a mesh fine enough to tell."""
        points = FEWEST_POINTS
        while True:
            axis = np.linspace(-self.extent, self.extent, points, endpoint=False)
            content = np.abs(np.fft.rfft2(self.wigner(axis, axis)))
            k = 2.0 * np.pi * np.fft.fftfreq(points, axis[1] - axis[0])
            size = np.hypot(k[:, None], np.abs(k[: content.shape[1]]))
            largest = float(np.max(size[content > NEGLIGIBLE * np.max(content)]))
            if largest < RESOLVED * np.max(np.abs(k)) or points >= MOST_POINTS:
                return MARGIN * largest
            points *= 2

    def wigner(self, X: FloatArray, P: FloatArray) -> FloatArray:
        """W on the mesh of the axes X (n,) and P (m,), shape (n, m)."""
        return self.distribution.density(X[:, None], P[None, :])


def preparation(initial: Any, parameters: FlywheelParameters) -> Preparation:
    """Return a preparation, steady state, snapshot or density matrix as what evolution takes.

    Raises InvalidArgument for anything else, and for a result of another oscillator, whose W is
    in other units of x and p.
    """
    match initial:
        case FlywheelState() | FlywheelSnapshot():
            for name in ("frequency", "mass"):
                value, own = getattr(initial.machine, name), getattr(parameters, name)
                if value != own:
                    raise InvalidArgument(
                        f"`initial` must be a state of an oscillator of the same {name} = {own:g}, "
                        f"but is of {value:g}; its density matrix may be given instead"
                    )
            if isinstance(initial, FlywheelSnapshot):
                return initial.solution
            return SteadyStart(initial.solution.distribution, initial.wigner_error)
        case np.ndarray() if initial.dtype.kind in "biufc":
            return FromDensityMatrix(initial)
        case Preparation() if not isinstance(initial, type):
            return initial
    raise InvalidArgument(
        "`initial` must be a state such as Ground(), Coherent(2.0) or device.steady_state(), "
        f"but is {shown(initial)}"
    )


def schedule(device: FlywheelParameters, changes: Mapping[float, Any]) -> Schedule:
    """Return (start, device) in order of time, from `device` and what replaces it later.

    Raises InvalidArgument unless all are devices with as many leads, from positive times on.
    """
    if not isinstance(changes, Mapping):
        raise InvalidArgument(
            f"`changes` must map times to devices, {{2e4: device}}, but is {shown(changes)}"
        )
    parts: list[tuple[float, FlywheelParameters]] = [(0.0, device)]
    moments = {_checks.positive("time", time, "changes"): time for time in changes}
    for time in sorted(moments):
        changed = changes[moments[time]]
        if not isinstance(changed, FlywheelParameters) or len(changed.leads) != len(device.leads):
            raise InvalidArgument(
                f"`changes` must hold devices with {len(device.leads)} leads, "
                f"but holds {shown(changed)} (time {time:g})"
            )
        parts.append((time, changed))
    return tuple(parts)
