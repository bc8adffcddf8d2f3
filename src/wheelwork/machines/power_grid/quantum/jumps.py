"""Quantum-jump trajectories of a power grid: where the density matrix does not fit."""

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from wheelwork import _checks, lindblad
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.machines.labelled import add_observables
from wheelwork.machines.power_grid.labels import LABELS
from wheelwork.machines.power_grid.model import require_bounded
from wheelwork.machines.power_grid.numbers import EdgeNumbers, NodeNumbers
from wheelwork.machines.power_grid.quantum.fock_space import FockSpace
from wheelwork.machines.power_grid.quantum.model import QuantumModel, require_quantum
from wheelwork.machines.power_grid.quantum.moments import spread
from wheelwork.machines.power_grid.quantum.operators import sampled_operators
from wheelwork.machines.power_grid.quantum.starts import brightest, difference, merged, place_of
from wheelwork.results import AuditEntry

if TYPE_CHECKING:
    from wheelwork.machines.power_grid.machine import PowerGrid

MOST_DRIFT = 6.0  # standard errors of the difference of the halves of a run
MOST_APART = 6.0  # standard errors of the difference of trajectories from different starts
MOST_AT_EDGE = 1e-3
SECOND_SEED = 2**63
BYTES_PER_STATE = 3000.0  # matrices of a state of three nodes; more nodes take more
MOST_BYTES = 8e9


@dataclass(frozen=True)
class QuantumJumps:
    """Sampled state vectors of the master equation of a power grid (Huber and Rabl, Appendix F).

    cutoff: M, the most quanta in all: C(M + N, N) basis states, and Σ over trajectories takes the
    time of vectors on single rungs. duration: time that each trajectory covers, of which `burn_in`
    is left out. trajectories: M ≥ 2, independent; of four or more half begin in the vacuum, half
    with the quanta of the largest stable branch without noise, so that a run that is too short to
    forget its start is noticed. times: of observation. seed: below 2**63, of the random numbers,
    which are the same for any number of threads.
    """

    _: KW_ONLY
    cutoff: int
    duration: float
    burn_in: float
    trajectories: int = 256
    times: int = 128
    seed: int = 0
    threads: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "cutoff", _checks.integer("cutoff", self.cutoff, 2))
        object.__setattr__(self, "duration", _checks.positive("duration", self.duration))
        object.__setattr__(self, "burn_in", _checks.non_negative("burn_in", self.burn_in))
        object.__setattr__(self, "times", _checks.integer("times", self.times, 4))
        object.__setattr__(
            self, "trajectories", _checks.integer("trajectories", self.trajectories, 2)
        )
        object.__setattr__(self, "seed", _checks.integer("seed", self.seed, 0))
        if self.seed >= SECOND_SEED:
            raise InvalidArgument(f"`seed` must be below 2**63, but is {self.seed}")
        if self.threads is not None:
            object.__setattr__(self, "threads", _checks.integer("threads", self.threads, 1))
        if self.burn_in >= self.duration:
            raise InvalidArgument(
                f"`burn_in` must be below `duration` = {self.duration!r}, but is {self.burn_in!r}"
            )

    def solve(self, machine: "PowerGrid") -> "SampledQuantumState":
        """Return means over the trajectories.

        Raises:
            InvalidArgument: for elements other than `Saturable`, and a basis that does not fit.
            NoSteadyState: as `MasterEquation.solve`.
            NotConverged: where the halves of the run, or trajectories from different starts,
                differ by more than chance, or the cutoff is met.
        """
        require_quantum(machine)
        require_bounded(machine.amplitude_model)
        space = FockSpace(len(machine.nodes), self.cutoff)
        if space.dimension * BYTES_PER_STATE > MOST_BYTES:
            raise InvalidArgument(
                f"`cutoff` must leave at most {MOST_BYTES / BYTES_PER_STATE:.3g} basis states, "
                f"but {self.cutoff} leaves {space.dimension}"
            )
        model = QuantumModel(machine, space, np.ones(space.modes, dtype=np.complex128))
        bright = brightest(machine)
        quanta = math.nan if bright is None else float(bright.sum())
        half = self.trajectories // 2
        if bright is None or quanta == 0.0 or quanta > self.cutoff or half < 2:
            samples = self._run(model, 0, self.trajectories, self.seed)
            apart = 0.0 if quanta == 0.0 else math.nan
        else:
            dark = self._run(model, 0, half, self.seed)
            start = place_of(space, bright)
            light = self._run(model, start, self.trajectories - half, self.seed + SECOND_SEED)
            samples, apart = merged(dark, light), difference(dark, light)
        self._require_settled(samples, apart)
        return SampledQuantumState(machine, self, samples, apart, quanta)

    def _run(
        self, model: QuantumModel, start: int, trajectories: int, seed: int
    ) -> lindblad.JumpSamples:
        initial = np.zeros(model.space.dimension)
        initial[start] = 1.0
        return lindblad.sample_jumps(
            model.lindblad,
            initial,
            np.linspace(self.burn_in, self.duration, self.times),
            observables=sampled_operators(model),
            trajectories=trajectories,
            seed=seed,
            threads=self.threads,
        )

    def _require_settled(self, samples: lindblad.JumpSamples, apart: float) -> None:
        worst = largest_drift(samples)
        if worst > MOST_DRIFT:
            raise NotConverged(
                f"the halves of the run differ by {worst:.1f} standard errors: the state is not "
                "stationary yet; raise `burn_in` and `duration`"
            )
        if apart > MOST_APART:
            raise NotConverged(
                f"trajectories from the vacuum and from the largest stable branch differ by "
                f"{apart:.1f} standard errors: raise `burn_in` and `duration`"
            )
        edge = samples.averages["edge"][0]
        if edge > MOST_AT_EDGE:
            raise NotConverged(
                f"the cutoff of {self.cutoff} quanta holds {edge:.1e} of probability: raise it"
            )


def largest_drift(samples: lindblad.JumpSamples) -> float:
    """Largest difference of the halves of a run, in the standard errors that chance allows at most.

    The difference of two halves deviates by at most twice as much as their mean, which they reach
    where they are independent.
    """
    found = 0.0
    for name, means in samples.means.items():
        half = len(means) // 2
        error = 2.0 * samples.averages[name][1]
        if error > 0.0:
            found = max(found, abs(float(means[:half].mean() - means[-half:].mean())) / error)
    return found


@dataclass(frozen=True, eq=False)
class SampledQuantumState:
    """What `PowerGrid.steady_state(QuantumJumps(...))` returns: means with standard errors.

    apart: largest difference of trajectories from different starts, in standard errors; zero where
    rest is the only stable branch, NaN where all began in the vacuum nevertheless.
    mean_field_quanta: those of the largest stable branch, in whole quanta; NaN where the branches
    were not found.
    """

    machine: "PowerGrid"
    method: QuantumJumps
    samples: lindblad.JumpSamples
    apart: float
    mean_field_quanta: float

    @property
    def occupation(self) -> NodeNumbers:
        """⟨a_j†a_j⟩ by node."""
        return NodeNumbers(self.machine.index, *self._averages("occupation", self.machine.nodes))

    @property
    def current(self) -> EdgeNumbers:
        """⟨J⟩ of each edge: positive from u to v."""
        return EdgeNumbers(self.machine.edges, *self._averages("current", self.machine.edges))

    @cached_property
    def current_fluctuation(self) -> EdgeNumbers:
        """ΔJ = √(⟨J²⟩ − ⟨J⟩²) of the operator J."""
        square, square_error = self._averages("square", self.machine.edges)
        mean, error = self._averages("current", self.machine.edges)
        variance = np.maximum(square - mean**2, 0.0)
        doubt = square_error + 2.0 * np.abs(mean) * error
        return EdgeNumbers(self.machine.edges, *spread(variance, doubt), odd=False)

    @property
    def injected(self) -> tuple[float, float]:
        """Quanta per time that generators add: mean and error."""
        return self._total("injected")

    @property
    def extracted(self) -> tuple[float, float]:
        """Quanta per time that engines take: mean and error."""
        return self._total("extracted")

    def _total(self, name: str) -> tuple[float, float]:
        values, errors = self._averages(name, self.machine.nodes)
        return float(np.sum(values)), float(np.sum(errors))

    def _averages(self, name: str, over: tuple[object, ...]) -> tuple[FloatArray, FloatArray]:
        found = [self.samples.averages[f"{name} {i}"] for i in range(len(over))]
        return np.array([mean for mean, _ in found]), np.array([error for _, error in found])

    @cached_property
    def observables(self) -> Mapping[str, float]:
        """Numbers for sweeps; the current and its fluctuation are means over the edges."""
        return MappingProxyType({name: value for name, (value, _) in self._found.items()})

    @cached_property
    def errors(self) -> Mapping[str, float]:
        """Standard errors of the observables; of sums, at most."""
        return MappingProxyType({name: error for name, (_, error) in self._found.items()})

    @cached_property
    def _found(self) -> Mapping[str, tuple[float, float]]:
        found = {"injected": self.injected, "extracted": self.extracted}
        found["occupation"] = self._total("occupation")
        if self.machine.edges:
            for name, numbers in (
                ("mean_current", self.current),
                ("current_fluctuation", self.current_fluctuation),
            ):
                found[name] = numbers.mean(), float(np.mean(numbers.errors))
        return found

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Everything that could make the numbers wrong, checked."""
        return MappingProxyType(
            {
                "difference of the halves": AuditEntry(largest_drift(self.samples), MOST_DRIFT),
                "difference of the starts": AuditEntry(self.apart, MOST_APART),
                "edge population": AuditEntry(self.samples.averages["edge"][0], MOST_AT_EDGE),
                "mean-field quanta / cutoff": AuditEntry(
                    self.mean_field_quanta / self.method.cutoff, 1.0
                ),
            }
        )

    def to_xarray(self) -> xr.Dataset:
        """Return means per node and edge and observables as one dataset."""
        dataset = xr.Dataset(
            {
                "node_occupation": ("node", self.occupation.array),
                "node_occupation_error": ("node", self.occupation.errors),
                "edge_current": ("edge", self.current.array),
                "edge_current_error": ("edge", self.current.errors),
            },
            coords=self.machine.coordinates,
        )
        add_observables(dataset, self.observables, self.errors, LABELS)
        return dataset


def sample_quantum(machine: "PowerGrid", method: QuantumJumps) -> SampledQuantumState:
    """Return means over quantum-jump trajectories; see `QuantumJumps.solve`."""
    return method.solve(machine)
