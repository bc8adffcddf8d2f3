"""The stationary state of a power grid with noise, from trajectories."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import sparse
from scipy.special import stdtrit

from wheelwork._checks import FloatArray
from wheelwork.machines.labelled import add_observables
from wheelwork.machines.power_grid.elements import Saturable
from wheelwork.machines.power_grid.estimates import EdgeEstimates, Marginal, NodeEstimates
from wheelwork.machines.power_grid.labels import LABELS
from wheelwork.numerics.stationarity import RARE
from wheelwork.numerics.statistics import Estimate, Sampled
from wheelwork.oscillator_networks.langevin.samples import AmplitudeSamples, Means, Quantity
from wheelwork.phase_space import EulerMaruyama, Langevin
from wheelwork.results import AuditEntry

if TYPE_CHECKING:
    from wheelwork.machines.power_grid.machine import PowerGrid

MOST_TABLE_ERROR = 1e-4
MOST_GRANULAR = 0.2
FEWEST_MIXING = 4  # trajectories
SIZES = ("occupation", "injected", "extracted", "dissipated", "mean_damping", "mean_current")


@dataclass(frozen=True, eq=False)
class SampledState:
    """What `PowerGrid.steady_state(Langevin(...))` returns: means over trajectories.

    Each number is an `Estimate`, (mean, standard_error). The standard errors are those of chance;
    `errors` add the error due to the step. Quanta per time: multiply by ω0 for energy.
    Amplitudes are those of the P function (Huber and Rabl, Appendix A): |α|² averages to ⟨a†a⟩, and
    squares are normally ordered. Good for saturation numbers n0 ≫ 1 (from some 10 on).
    """

    machine: "PowerGrid"
    method: Langevin | EulerMaruyama
    samples: AmplitudeSamples

    # ------------------------------------------------------------------ per edge and node

    @cached_property
    def current(self) -> EdgeEstimates:
        """⟨J⟩, J = g Im(α_u* α_v), of each edge: positive from u to v."""
        return EdgeEstimates(self.machine.edges, self._fine.current)

    @cached_property
    def current_fluctuation(self) -> EdgeEstimates:
        """ΔJ = √(⟨J²⟩ − ⟨J⟩²) of each edge, J at one time: the same in both directions.

        In normal order; the square of the operator holds (g²/4)(n_u + n_v) more.
        """
        return EdgeEstimates(self.machine.edges, self._fine.fluctuation, odd=False)

    @cached_property
    def occupation(self) -> NodeEstimates:
        """⟨|α_j|²⟩ by node."""
        return NodeEstimates(self.machine.index, self._fine.occupation)

    @cached_property
    def marginals(self) -> Mapping[Hashable, Marginal]:
        """P(|α_j|) by node, in 63 equal bins up to about four times the root mean square.

        Empty for networks of thousands of nodes.
        """
        counts = self.samples.counts.astype(np.float64).sum(axis=0)
        if counts.size == 0:
            return MappingProxyType({})
        width = self.samples.bin_width
        found = {n: Marginal.of(counts[:, j], width[j]) for n, j in self.machine.index.items()}
        return MappingProxyType(found)

    # ------------------------------------------------------------------ of the whole network

    @property
    def total_occupation(self) -> Estimate:
        """Σ ⟨|α_j|²⟩."""
        return self._estimates["occupation"]

    @property
    def injected(self) -> Estimate:
        """Σ ⟨G_j n_j + noise of the generator⟩: with spontaneous emission."""
        return self._estimates["injected"]

    @property
    def extracted(self) -> Estimate:
        """Σ ⟨Λ_j n_j − noise of the engine⟩."""
        return self._estimates["extracted"]

    @property
    def dissipated(self) -> Estimate:
        """Σ γ_j (⟨n_j⟩ − N_th,j), net loss to the surroundings."""
        return self._estimates["dissipated"]

    @property
    def mean_damping(self) -> Estimate:
        """Γ̄ = ⟨Σ Λ_j(n_j) − Σ G_j(n_j)⟩ (Huber and Rabl, Sec. V)."""
        return self._estimates["mean_damping"]

    @property
    def mean_current(self) -> Estimate:
        """Mean over the edges as listed: the current of a chain (Huber and Rabl, ⟨J⟩)."""
        return self._estimates["mean_current"]

    @cached_property
    def observables(self) -> Mapping[str, float]:
        """Numbers for sweeps."""
        return MappingProxyType({name: each.mean for name, each in self._estimates.items()})

    @cached_property
    def errors(self) -> Mapping[str, float]:
        """Absolute errors of the observables: of chance, and of the step as far as it was checked
        (NaN where 2Δt was unstable).
        """
        asked = self.samples.alike is not None or self.method.checked
        return MappingProxyType(
            {
                name: math.hypot(each.standard_error, self.step_errors[name] if asked else 0.0)
                for name, each in self._estimates.items()
            }
        )

    @cached_property
    def step_errors(self) -> Mapping[str, float]:
        """Absolute errors of the observables due to the step, with their own chance."""
        found = self.samples.step_error(self._totals)
        return MappingProxyType(dict(zip(SIZES, found.tolist(), strict=True)))

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Everything that could make the numbers wrong, checked."""
        samples, mixing = self.samples, self.samples.mixing
        rtol = self.method.rtol if isinstance(self.method, Langevin) else math.inf
        mean, error = self.total_occupation
        size = max(mean, 1e-300)
        entries = {
            "sampling error": AuditEntry(error / size, rtol),
            "energy balance": self._energy_balance,
            "burn-in": AuditEntry(4.0 * samples.correlation_time, samples.burn_in),
            "lookup error": AuditEntry(samples.table_error, MOST_TABLE_ERROR),
        }
        if self.method.checked:
            by_step = self.step_errors["occupation"]
            entries["step error"] = AuditEntry(by_step / size, rtol + error / size)
        # of one, two or three trajectories NaN: they cannot show that several states attract
        few = samples.trajectories < FEWEST_MIXING
        entries["mixing"] = AuditEntry(math.nan if few else mixing.ratio, mixing.bound)
        if not math.isnan(samples.drift):
            entries["drift"] = AuditEntry(samples.drift, 5.0)
            entries["memory of the start"] = AuditEntry(*samples.memory)
        return MappingProxyType(entries)

    @property
    def validity(self) -> Mapping[str, AuditEntry]:
        """Ratio that the amplitude equations take for small: one quantum to those that saturate.

        At a fifth they are off by some 3 %, at a half they are wrong (of saturable elements).
        """
        elements = (*self.machine.generators.values(), *self.machine.engines.values())
        numbers = [each.saturation for each in elements if isinstance(each, Saturable)]
        ratio = 1.0 / min(numbers, default=math.inf)
        return MappingProxyType({"1 / saturation": AuditEntry(ratio, MOST_GRANULAR)})

    def to_xarray(self) -> xr.Dataset:
        """Return everything as one labelled dataset."""
        rate = {"units": "rate"}
        dataset = xr.Dataset(
            {
                "edge_current": ("edge", self.current.array, rate),
                "edge_current_error": ("edge", self.current.errors, rate),
                "edge_current_step_error": (
                    "edge",
                    self.samples.step_error(lambda means: means.current),
                    rate,
                ),
                "edge_current_fluctuation": ("edge", self.current_fluctuation.array, rate),
                "edge_current_fluctuation_error": ("edge", self.current_fluctuation.errors, rate),
                "node_occupation": ("node", self.occupation.array, {"units": "1"}),
                "node_occupation_error": ("node", self.occupation.errors, {"units": "1"}),
            },
            coords=self.machine.coordinates,
            attrs={"step": self.samples.step, "trajectories": self.samples.trajectories},
        )
        marginals = list(self.marginals.values())
        if marginals:
            dataset["amplitude"] = (("node", "bin"), np.array([m.amplitude for m in marginals]))
            dataset["amplitude_density"] = (
                ("node", "bin"),
                np.array([m.density for m in marginals]),
            )
            dataset["amplitude_density_error"] = (
                ("node", "bin"),
                np.array([m.error for m in marginals]),
            )
        add_observables(dataset, self.observables, self.errors, LABELS)
        return dataset

    # ------------------------------------------------------------------ from the samples

    @property
    def _fine(self) -> Means:
        return self.samples.fine

    @cached_property
    def _estimates(self) -> Mapping[str, Estimate]:
        return dict(zip(SIZES, self._totals(self._fine).estimates, strict=True))

    @property
    def _totals(self) -> Quantity:
        """Σn, injected, extracted, dissipated, mean damping, mean current, in one."""
        machine = self.machine

        def totals(means: Means) -> Sampled:
            occupation, current = means.occupation, means.current
            edges = max(len(machine.edges), 1)
            lost = _sum(occupation, machine.dampings)
            loss, gain = _sum(means.local_observable("loss")), _sum(means.local_observable("gain"))
            through_bath = float(machine.dampings @ machine.thermal_occupations)
            return _stack(
                _sum(occupation),
                _sum(means.local_observable("injected")),
                _sum(means.local_observable("extracted")),
                Sampled(lost.value - through_bath, lost.deviations),
                Sampled(loss.value - gain.value, loss.deviations - gain.deviations),
                _sum(current, np.full(len(machine.edges), 1.0 / edges)),
            )

        return totals

    def _balances(self, means: Means) -> Sampled:
        """Quanta per time that each node gains in all, (N,): zero in a stationary state."""
        machine, N = self.machine, len(self.machine.nodes)
        found = means.occupation
        value = machine.dampings * (machine.thermal_occupations - found.value)
        change = -machine.dampings * found.deviations
        current, incidence = means.current, _incidence(machine.edge_indices, N)
        value = value + current.value @ incidence
        flat = current.deviations.reshape(change[..., 0].size, len(machine.edges)) @ incidence
        change = change + flat.reshape(change.shape)
        for name, sign in (("injected", 1.0), ("extracted", -1.0)):
            flow = means.local_observable(name)
            value[means.model.active] += sign * flow.value
            change[..., means.model.active] += sign * flow.deviations
        return Sampled(value, change)

    @cached_property
    def _energy_balance(self) -> AuditEntry:
        """Largest of what nodes gain, in its standard errors plus the error of the step; the bound
        is passed by chance once in 1e5 runs (Student's t).
        """
        machine, balance = self.machine, self._balances(self._fine)
        by_step = np.nan_to_num(self.samples.step_error(self._balances))
        flows = (
            self._fine.local_observable("injected").value,
            self._fine.local_observable("extracted").value,
        )
        lost = machine.dampings * (self.occupation.array + machine.thermal_occupations)
        terms = np.concatenate([np.abs(self.current.array), *map(np.abs, flows), lost])
        through = 1e-9 * float(np.max(terms, initial=1e-300))
        off = float(np.max(np.abs(balance.value) / (balance.errors + by_step + through)))
        freedom = balance.deviations.shape[0] * balance.deviations.shape[1] - 1
        bound = float(stdtrit(freedom, 1.0 - 0.5 * RARE / balance.value.size))
        return AuditEntry(off, bound)


def _incidence(ends: npt.NDArray[np.intp], nodes: int) -> sparse.csr_array:
    """(E, N): −1 where an edge begins, 1 where it ends."""
    edges = np.repeat(np.arange(len(ends)), 2)
    signs = np.tile([-1.0, 1.0], len(ends))
    return sparse.csr_array((signs, (edges, ends.ravel())), shape=(len(ends), nodes))


def _sum(found: Sampled, weights: FloatArray | None = None) -> Sampled:
    chosen = np.ones(found.value.size) if weights is None else weights
    return found.combined(chosen[None])


def _stack(*parts: Sampled) -> Sampled:
    values = np.concatenate([part.value for part in parts])
    return Sampled(values, np.concatenate([part.deviations for part in parts], axis=2))
