"""Means over the quantum-jump trajectories of a power grid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
import xarray as xr

from wheelwork._checks import FloatArray
from wheelwork.lindblad import JumpSamples
from wheelwork.machines.power_grid.numbers import EdgeNumbers, NodeNumbers
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.machines.power_grid.quantum.jumps import (
    MOST_APART,
    MOST_AT_EDGE,
    MOST_DRIFT,
    QuantumJumps,
    largest_drift,
)
from wheelwork.machines.power_grid.quantum.moments import standard_deviation
from wheelwork.numerics.statistics import Estimate
from wheelwork.results import AuditEntry, Result, observable

Error = Callable[["SampledQuantumState"], float]


def _standard_error(name: str) -> Error:
    """Of an `Estimate` of the state."""
    return lambda state: float(getattr(state, name).standard_error)


def _mean_error(name: str) -> Error:
    """Of the mean over the edges of an `EdgeNumbers`: at most the mean of the errors."""
    return lambda state: float(np.mean(getattr(state, name).errors))


@dataclass(frozen=True, eq=False, repr=False)
class SampledQuantumState(Result):
    """What `PowerGrid.steady_state(QuantumJumps(...))` returns: means with standard errors.

    Those of sums and of means over the edges are bounds. Quanta per time: multiply by ω0 for
    energy. samples: averages over time and trajectories. apart, mean_field_quanta: see `JumpRun`.
    """

    machine: GridParameters
    method: QuantumJumps
    samples: JumpSamples
    apart: float
    mean_field_quanta: float

    # ------------------------------------------------------------------ per node and edge

    @property
    def occupation(self) -> NodeNumbers:
        """⟨a_j†a_j⟩ by node."""
        return NodeNumbers(self.machine.index, *self._averages("occupation", self.machine.nodes))

    @property
    def current(self) -> EdgeNumbers:
        """⟨J⟩ by edge: `current[(u, v)]` is positive from u to v."""
        return EdgeNumbers(self.machine.edges, *self._averages("current", self.machine.edges))

    @cached_property
    def current_fluctuation(self) -> EdgeNumbers:
        """ΔJ = √(⟨J²⟩ − ⟨J⟩²) of the operator J."""
        square, square_error = self._averages("square", self.machine.edges)
        mean, error = self._averages("current", self.machine.edges)
        variance = np.maximum(square - mean**2, 0.0)
        variance_error = square_error + 2.0 * np.abs(mean) * error
        deviation = standard_deviation(variance, variance_error)
        return EdgeNumbers(self.machine.edges, *deviation, odd=False)

    def _averages(self, name: str, over: tuple[object, ...]) -> tuple[FloatArray, FloatArray]:
        averages = [self.samples.averages[f"{name} {i}"] for i in range(len(over))]
        return np.array([mean for mean, _ in averages]), np.array([error for _, error in averages])

    def _total(self, name: str) -> Estimate:
        values, errors = self._averages(name, self.machine.nodes)
        return Estimate(float(np.sum(values)), float(np.sum(errors)))

    # ------------------------------------------------------------------ observables

    @observable("J_i", "rate", "quanta injected", error=_standard_error("injected"))
    def injected(self) -> Estimate:
        """Quanta per time that generators add."""
        return self._total("injected")

    @observable("J_e", "rate", "quanta extracted", error=_standard_error("extracted"))
    def extracted(self) -> Estimate:
        """Quanta per time that engines take."""
        return self._total("extracted")

    @observable(
        r"\sum_j n_j",
        "1",
        "quanta in the network",
        key="occupation",
        error=_standard_error("total_occupation"),
    )
    def total_occupation(self) -> Estimate:
        """Σ ⟨a_j†a_j⟩."""
        return self._total("occupation")

    @observable(
        r"\bar J",
        "rate",
        "quanta along an edge, mean over the edges",
        error=_mean_error("current"),
    )
    def mean_current(self) -> float:
        """Mean of `current` over the edges as listed: of a chain, ⟨J⟩ of Huber and Rabl."""
        return self.current.mean()

    @observable(
        r"\Delta J",
        "rate",
        "standard deviation of the current",
        key="current_fluctuation",
        error=_mean_error("current_fluctuation"),
    )
    def mean_current_fluctuation(self) -> float:
        """Mean of `current_fluctuation` over the edges."""
        return self.current_fluctuation.mean()

    # ------------------------------------------------------------------ accuracy, data

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Everything that could make the numbers wrong, checked."""
        quanta = self.mean_field_quanta / self.method.cutoff
        return MappingProxyType(
            {
                "difference of the halves": AuditEntry(largest_drift(self.samples), MOST_DRIFT),
                "difference of the starts": AuditEntry(self.apart, MOST_APART),
                "edge population": AuditEntry(self.samples.averages["edge"][0], MOST_AT_EDGE),
                "mean-field quanta / cutoff": AuditEntry(quanta, 1.0),
            }
        )

    def arrays(self) -> xr.Dataset:
        """Means per node and edge."""
        return xr.Dataset(
            {
                "node_occupation": ("node", self.occupation.array),
                "node_occupation_error": ("node", self.occupation.errors),
                "edge_current": ("edge", self.current.array),
                "edge_current_error": ("edge", self.current.errors),
            },
            coords=self.machine.coordinates,
        )


def sample_quantum(parameters: GridParameters, method: QuantumJumps) -> SampledQuantumState:
    """Return means over quantum-jump trajectories; see `QuantumJumps.solve`."""
    return SampledQuantumState(parameters, method, *method.solve(parameters))
