"""A flywheel in time: charging, switching, decay."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.machines.flywheel.snapshot import OBSERVABLES, FlywheelSnapshot
from wheelwork.machines.flywheel.state import LABELS
from wheelwork.machines.flywheel.validity import orbit_places, validity
from wheelwork.phase_space import Evolution
from wheelwork.results import AuditEntry

if TYPE_CHECKING:
    from wheelwork.machines.flywheel import Flywheel

LARGEST_FOCK_LOSS = 1e-7  # of probability that may be lost on the way to the Fock basis
LARGEST_TRACE_DRIFT = 1e-12
LARGEST_NEGATIVITY = 1e-3  # of an eigenvalue, beyond the error of W
TIME_LABELS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "position": (r"\langle x\rangle", "length", "mean position"),
        "momentum": (r"\langle p\rangle", "1/length", "mean momentum"),
        "charging_power": (r"\dot U", "energy^2", "rate of change of the mean energy"),
    }
)


@dataclass(frozen=True)
class FlywheelEvolution:
    """What `Flywheel.evolve` returns: a sequence of `FlywheelSnapshot`.

    schedule: (start, device) in order of time. rtol: as asked for. evolution: W(t) in scaled
    coordinates with its error.
    """

    schedule: "tuple[tuple[float, Flywheel], ...]"
    rtol: float
    evolution: Evolution

    @cached_property
    def snapshots(self) -> tuple[FlywheelSnapshot, ...]:
        return tuple(
            FlywheelSnapshot(self._in_force(one.time), one) for one in self.evolution.snapshots
        )

    def _in_force(self, time: float) -> "Flywheel":
        return next(device for start, device in reversed(self.schedule) if start <= time)

    def __len__(self) -> int:
        return len(self.evolution.snapshots)

    def __iter__(self) -> Iterator[FlywheelSnapshot]:
        return iter(self.snapshots)

    def __getitem__(self, index: int) -> FlywheelSnapshot:
        return self.snapshots[index]

    @property
    def times(self) -> FloatArray:
        return self.evolution.times

    # ------------------------------------------------------------------ against time, (times,)

    def _series(self, name: str) -> FloatArray:
        return np.array([one.value(name) for one in self.snapshots])

    @property
    def phonon_number(self) -> FloatArray:
        """⟨a†a⟩."""
        return self._series("phonon_number")

    @property
    def g2(self) -> FloatArray:
        """g²(0); NaN where there are no quanta."""
        return self._series("g2")

    @property
    def purity(self) -> FloatArray:
        """Tr ρ²."""
        return self._series("purity")

    @property
    def energy(self) -> FloatArray:
        """U = ω0 ⟨a†a⟩."""
        return self._series("energy")

    @property
    def position(self) -> FloatArray:
        """⟨x⟩."""
        return self._series("position")

    @property
    def momentum(self) -> FloatArray:
        """⟨p⟩."""
        return self._series("momentum")

    @property
    def entropy(self) -> FloatArray:
        """S = −Tr ρ ln ρ."""
        return self._series("entropy")

    @property
    def ergotropy(self) -> FloatArray:
        """Ergotropy of the whole state."""
        return self._series("ergotropy")

    @property
    def ergotropy_diagonal(self) -> FloatArray:
        """Ergotropy of the populations."""
        return self._series("ergotropy_diagonal")

    @property
    def free_energy_gain(self) -> FloatArray:
        """W_F over the bath of the device in force; NaN where no temperature is named."""
        return self._series("free_energy_gain")

    @property
    def charging_power(self) -> FloatArray:
        """dU/dt."""
        return self._series("charging_power")

    @property
    def particle_current(self) -> FloatArray:
        """Mean particle current out of the first lead."""
        return self._series("particle_current")

    # ------------------------------------------------------------------ results and warrant

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Everything that could make the numbers wrong, checked; the worst over all times."""
        distance = float(np.max(self.evolution.distance))
        drift = float(np.max(np.abs(self.evolution.trace_drift)))
        entries = {
            "estimated error": AuditEntry(distance, self.rtol + self.evolution.inherited),
            "trace drift": AuditEntry(drift, LARGEST_TRACE_DRIFT),
        }
        return MappingProxyType(entries | self._fock_audit | dict(self.validity))

    @property
    def _fock_audit(self) -> dict[str, AuditEntry]:
        try:
            negativity = max(one.negativity for one in self.snapshots)
            lost = max(one.lost for one in self.snapshots)
            differing = max(one.disagreement for one in self.snapshots)
        except (InvalidArgument, NotConverged):
            return {"state in the Fock basis": AuditEntry(np.inf, 0.0)}
        doubled = 2.0 * float(np.max(self.evolution.distance))
        bound = LARGEST_FOCK_LOSS + doubled
        return {
            "negativity of density matrix": AuditEntry(negativity, LARGEST_NEGATIVITY + doubled),
            "probability lost in Fock basis": AuditEntry(lost, bound),
            "phonon number, Wigner against Fock": AuditEntry(differing, bound),
        }

    @cached_property
    def validity(self) -> Mapping[str, AuditEntry]:
        """Ratios that the description takes for small, the worst of all devices in force."""
        worst: dict[str, AuditEntry] = {}
        last = {id(one.machine): one for one in self.snapshots}  # line shapes need no hash
        for one in last.values():
            device, moments = one.machine, one.snapshot.moments
            for name, entry in validity(device, orbit_places(moments, device.length)).items():
                if name not in worst or entry.value > worst[name].value:
                    worst[name] = entry
        return MappingProxyType(worst)

    def to_xarray(self) -> xr.Dataset:
        """All observables with errors over `time`, and the bias of a two-lead device."""
        labels = {**LABELS, **TIME_LABELS}
        dataset = xr.Dataset(coords={"time": ("time", self.times, {"units": "1/energy"})})
        for name in OBSERVABLES:
            symbol, unit, long_name = labels[name]
            attrs = {"symbol": symbol, "units": unit, "long_name": long_name}
            dataset[name] = ("time", self._series(name), attrs)
            errors = [one.errors.get(name, np.nan) for one in self.snapshots]
            if not np.all(np.isnan(errors)):
                dataset[f"{name}_error"] = ("time", errors, {"units": unit})
        if all(len(device.leads) == 2 for _, device in self.schedule):
            symbol, unit, long_name = labels["bias"]
            attrs = {"symbol": symbol, "units": unit, "long_name": long_name}
            dataset["bias"] = ("time", [one.machine.bias for one in self.snapshots], attrs)
        return dataset
