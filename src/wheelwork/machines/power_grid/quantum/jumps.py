"""Quantum-jump trajectories of a power grid: where the density matrix does not fit."""

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np

from wheelwork import _checks, lindblad
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged, partial_as
from wheelwork.lindblad import JumpSamples
from wheelwork.machines.power_grid import numbers
from wheelwork.machines.power_grid.numbers import (
    EdgeNumbers,
    NodeNumbers,
    edge_mean,
    labelled,
)
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.machines.power_grid.quantum.estimate import (
    quanta_from_above,
    quanta_from_below,
)
from wheelwork.machines.power_grid.quantum.fock_space import FockSpace, sector_sizes_as_floats
from wheelwork.machines.power_grid.quantum.model import (
    QuantumModel,
    require_quantum,
    sampled_operators,
)
from wheelwork.machines.power_grid.quantum.moments import standard_deviation
from wheelwork.machines.power_grid.quantum.rates import GridRates
from wheelwork.methods import Method
from wheelwork.numerics.labelled import Axis
from wheelwork.numerics.statistics import Estimate
from wheelwork.numerics.work import require_budget
from wheelwork.parameters import parameter
from wheelwork.results import AuditEntry, Label, Observable, Result, observable

MOST_DRIFT = 6.0  # standard errors of the difference of the halves of a run: far beyond chance
MOST_APART = 6.0  # standard errors of the difference of trajectories from the two starts
MOST_AT_EDGE = 1e-3  # probability of the last sector: below what trajectories resolve
SECOND_SEED = 2**63  # added to the seed of trajectories from the branch: seeds are below
BYTES_PER_STATE = 3000.0  # matrices of a state of three nodes; more nodes take more
MOST_BYTES = 8e9  # of all matrices
ROUNDING = 1e-9  # of a mean: a difference that counts where no trajectory deviates
TERMS = 20.0  # products for each step of a trajectory
OVERESTIMATED = 10.0  # times, at most: most sectors hold fewer states than assumed
LIKELY = 3.0  # standard errors up to which a difference is put down to chance


@dataclass(frozen=True)
class QuantumJumps(Method):
    """Sampled state vectors of the master equation of a power grid (Huber and Rabl, Appendix F).

    cutoff: M, the most quanta in all: C(M + N, N) basis states, of which a trajectory occupies one
    sector of equal total at a time. duration: time that each trajectory covers, of which `burn_in`
    is left out. trajectories: 2 or more, independent; of four or more half begin in the vacuum,
    half with the quanta of the largest stable branch without noise, so that a run too short to
    forget its start is noticed. times: of observation. seed: below 2**63, of the random numbers,
    which are the same for any number of threads. operations: the budget of work, as of
    `lindblad.sample_jumps`, some 1e9 a second on each processor; a run that would take far more is
    refused before it begins.
    """

    _: KW_ONLY
    cutoff: int
    duration: float = parameter("T", "1/energy", "length of a trajectory")
    burn_in: float = parameter("T_0", "1/energy", "part of it left out")
    trajectories: int = 256
    times: int = 128
    seed: int = 0
    threads: int | None = None
    operations: float = 2e10

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in {"cutoff": 2, "trajectories": 2, "times": 4, "seed": 0}.items():
            object.__setattr__(self, name, _checks.integer(name, getattr(self, name), least))
        object.__setattr__(self, "duration", _checks.positive("duration", self.duration))
        object.__setattr__(self, "burn_in", _checks.non_negative("burn_in", self.burn_in))
        if self.seed >= SECOND_SEED:
            raise InvalidArgument(f"`seed` must be below 2**63, but is {self.seed}")
        if self.threads is not None:
            object.__setattr__(self, "threads", _checks.integer("threads", self.threads, 1))
        object.__setattr__(self, "operations", _checks.positive("operations", self.operations))
        if self.burn_in >= self.duration:
            raise InvalidArgument(
                f"`burn_in` must be below `duration` = {self.duration!r}, but is {self.burn_in!r}"
            )


def largest_drift(samples: JumpSamples) -> float:
    """Return the largest difference of the halves of a run, in twice the standard error of a mean.

    By chance the difference deviates by that where the halves are independent, else by less.
    """
    largest = 0.0
    for name, means in samples.means.items():
        half = len(means) // 2
        error = 2.0 * samples.averages[name][1]
        if error > 0.0:
            largest = max(largest, abs(float(means[:half].mean() - means[-half:].mean())) / error)
    return largest


def difference(one: JumpSamples, other: JumpSamples) -> float:
    """Return the largest difference of the averages of two independent runs, in standard errors."""
    largest = 0.0
    for name, (mean, error) in one.averages.items():
        second, second_error = other.averages[name]
        apart, chance = abs(mean - second), math.hypot(error, second_error)
        if apart > ROUNDING * (abs(mean) + abs(second)):
            largest = max(largest, apart / chance if chance else math.inf)
    return largest


def merged(one: JumpSamples, other: JumpSamples) -> JumpSamples:
    """Return two independent runs as one, weighted by their trajectories.

    Where their averages differ by more than is likely, the truth may be with either: the error of
    the average then includes half of their difference.
    """
    n, m = len(one.counts), len(other.counts)
    a, b = n / (n + m), m / (n + m)
    averages = {}
    for name, (mean, error) in one.averages.items():
        second, second_error = other.averages[name]
        apart, chance = abs(mean - second), math.hypot(a * error, b * second_error)
        if apart > LIKELY * math.hypot(error, second_error):
            chance = math.hypot(chance, 0.5 * apart)
        averages[name] = a * mean + b * second, chance
    return JumpSamples(
        times=one.times,
        means={name: a * mean + b * other.means[name] for name, mean in one.means.items()},
        standard_errors={
            name: np.hypot(a * error, b * other.standard_errors[name])
            for name, error in one.standard_errors.items()
        },
        averages=averages,
        counts=np.concatenate((one.counts, other.counts)),
        counted_time=one.counted_time,
    )


def widened(samples: JumpSamples) -> JumpSamples:
    """Return a run that may not be stationary: errors include the difference of its halves."""
    averages = {}
    for name, (mean, error) in samples.averages.items():
        means = samples.means[name]
        half = len(means) // 2
        apart = abs(float(means[:half].mean() - means[-half:].mean()))
        averages[name] = mean, math.hypot(error, apart)
    return replace(samples, averages=averages)


def _total(name: str, label: Label) -> Observable[Estimate]:
    """The sum over the nodes of the averages `name`; its error is at most the sum of the errors."""

    def total(state: "SampledQuantumState") -> Estimate:
        values, errors = state._averages(name, state.machine.nodes)
        unit = 1.0 if name == "occupation" else state.rate_unit
        return Estimate(unit * float(np.sum(values)), unit * float(np.sum(errors)))

    return observable(*label, key=name, error=lambda state: total(state).standard_error)(total)


@dataclass(frozen=True, eq=False, repr=False)
class SampledQuantumState(Result):
    """Means with standard errors, returned by `PowerGrid.steady_state(QuantumJumps(...))`.

    Standard errors of sums and means over edges are bounds. Multiply flows by ω0 for energy.
    samples: averages over time and trajectories, with rates and times in units of `rate_unit`.
    drift: largest difference of the halves of the run, in standard errors of their statistics.
    apart: largest difference of trajectories from different starts, in standard errors; zero if
    the fullest state of the closed equations of second moments is empty, NaN if all started in the
    vacuum for another reason. mean_field_quanta: those of that state, in whole quanta.
    """

    machine: GridParameters
    method: QuantumJumps
    samples: JumpSamples
    drift: float
    apart: float
    mean_field_quanta: float

    @property
    def axes(self) -> Mapping[str, Axis]:
        """Nodes and edges."""
        return self.machine.axes

    @labelled(numbers.AT_NODE, "node")
    def occupation(self) -> NodeNumbers[float]:
        """⟨a_j†a_j⟩ by node."""
        return NodeNumbers(self.machine.index, *self._averages("occupation", self.machine.nodes))

    @labelled(numbers.ALONG_EDGE, "edge")
    def current(self) -> EdgeNumbers[float]:
        """⟨J⟩ by edge: `current[(u, v)]` is positive from u to v."""
        mean, error = self._averages("current", self.machine.edges)
        unit = self.rate_unit
        return EdgeNumbers(self.machine.edge_index, unit * mean, unit * error)

    @cached_property
    def rate_unit(self) -> float:
        """The power of two below the largest rate."""
        return GridRates.of(self.machine).unit

    @labelled(numbers.FLUCTUATION, "edge")
    def current_fluctuation(self) -> EdgeNumbers[float]:
        """ΔJ = √(⟨J²⟩ − ⟨J⟩²) of the operator J."""
        square, square_error = self._averages("square", self.machine.edges)
        mean, error = self._averages("current", self.machine.edges)
        variance = np.maximum(square - mean**2, 0.0)
        variance_error = square_error + 2.0 * np.abs(mean) * error
        root, off = standard_deviation(variance, variance_error)
        unit = self.rate_unit
        return EdgeNumbers(self.machine.edge_index, unit * root, unit * off, odd=False)

    def _averages(self, name: str, over: tuple[object, ...]) -> tuple[FloatArray, FloatArray]:
        averages = [self.samples.averages[f"{name} {i}"] for i in range(len(over))]
        return np.array([mean for mean, _ in averages]), np.array([error for _, error in averages])

    injected = _total("injected", numbers.INJECTED)
    extracted = _total("extracted", numbers.EXTRACTED)
    total_occupation = _total("occupation", numbers.OCCUPATION)
    mean_current = edge_mean("current", numbers.MEAN_CURRENT, "mean_current")
    mean_current_fluctuation = edge_mean("current_fluctuation", numbers.FLUCTUATION)

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Named checks with value, bound and verdict."""
        quanta = self.mean_field_quanta / self.method.cutoff
        left_out = self.method.trajectories - len(self.samples.counts)
        return MappingProxyType(
            {
                "difference of the halves": AuditEntry(self.drift, MOST_DRIFT),
                "difference of the starts": AuditEntry(self.apart, MOST_APART),
                "edge population": AuditEntry(self.samples.averages["edge"][0], MOST_AT_EDGE),
                "mean-field quanta / cutoff": AuditEntry(quanta, 1.0),
                "trajectories left out": AuditEntry(float(left_out), 0.0),
            }
        )


def sample_quantum(parameters: GridParameters, method: QuantumJumps) -> SampledQuantumState:
    """Return means over quantum-jump trajectories.

    Raises:
        InvalidArgument: for elements other than `Saturable`, and a basis that does not fit.
        NoSteadyState: as `MasterEquation.solve`.
        NotConverged: where the run would take more than `operations`; where the halves of the
            run, or trajectories from different starts, differ significantly, or the cutoff is
            reached. Then its partial result has the means, with errors that include these.
    """
    with method.guard():
        rates = require_quantum(parameters)
        space = FockSpace(len(parameters.nodes), method.cutoff)
        if space.dimension * BYTES_PER_STATE > MOST_BYTES:
            raise InvalidArgument(
                f"`cutoff` must leave at most {MOST_BYTES / BYTES_PER_STATE:.3g} basis states, "
                f"but {method.cutoff} leaves {space.dimension}"
            )
        need = required_operations(rates, method) / OVERESTIMATED
        advice = "raise `operations`, shorten `duration`, or take fewer `trajectories`"
        require_budget("the run", need, method.operations, "operations", advice)
        model = QuantumModel(rates, space, np.ones(space.modes, np.complex128))

        def incomplete(samples: JumpSamples) -> SampledQuantumState:
            drift = largest_drift(samples)
            return SampledQuantumState(parameters, method, samples, drift, math.nan, math.nan)

        with partial_as(incomplete):
            state = _sampled(model, method)
    reason = _doubt(state)
    if reason is not None:
        raise NotConverged(reason, replace(state, samples=widened(state.samples)))
    return state


def _sampled(model: QuantumModel, method: QuantumJumps) -> SampledQuantumState:
    space = model.space
    branch = quanta_from_above(model.rates)
    quanta = float(np.sum(np.rint(branch)))
    half = method.trajectories // 2
    if quanta == 0.0 or quanta > method.cutoff or half < 2:
        samples = _sample(model, method, 0, method.trajectories, method.seed)
        apart = 0.0 if quanta == 0.0 else math.nan
    else:
        dark = _sample(model, method, 0, half, method.seed)
        bright = space.index(np.asarray(np.rint(branch), dtype=np.int64))
        seed = method.seed + SECOND_SEED
        light = _sample(model, method, bright, method.trajectories - half, seed)
        samples, apart = merged(dark, light), difference(dark, light)
    drift = largest_drift(samples)
    return SampledQuantumState(model.parameters, method, samples, drift, apart, quanta)


def _doubt(state: SampledQuantumState) -> str | None:
    """Why the means are not those of the steady state; None where nothing shows it."""
    edge = state.samples.averages["edge"][0]
    if state.drift > MOST_DRIFT:
        return (
            f"the halves of the run differ by {state.drift:.1f} standard errors: the state is not "
            "stationary yet; raise `burn_in` and `duration`"
        )
    if state.apart > MOST_APART:
        return (
            f"trajectories from the vacuum and from the largest stable branch differ by "
            f"{state.apart:.1f} standard errors: raise `burn_in` and `duration`"
        )
    if edge > MOST_AT_EDGE:
        cutoff = state.method.cutoff
        return f"the cutoff of {cutoff} quanta holds {edge:.1e} of probability: raise it"
    return None


def required_operations(rates: GridRates, method: QuantumJumps) -> float:
    """Return the operations of a run, where it has as many quanta as there will be.

    A step is 1/|G|, G the drift of its d states of equal total, and takes 20 products with G.
    """
    N, edges = len(rates.dampings), len(rates.couplings)
    quanta = min(float(np.sum(quanta_from_below(rates, method.cutoff))), method.cutoff)
    jumps = rates.gain.full + rates.loss.full + rates.dampings + 2.0 * rates.heating
    fastest = float(np.max(np.abs(rates.hopping)) + np.max(jumps))
    steps = method.duration * rates.unit * fastest * (1.0 + quanta)
    states = float(sector_sizes_as_floats(N, math.ceil(quanta))[-1])
    return method.trajectories * (steps + method.times) * TERMS * states * (1.0 + 2.0 * edges)


def _sample(
    model: QuantumModel, method: QuantumJumps, start: int, trajectories: int, seed: int
) -> JumpSamples:
    """Samples of a model; its times and rates are in units of `GridRates.unit`."""
    initial = np.zeros(model.space.dimension)
    initial[start] = 1.0
    unit = model.rates.unit
    return lindblad.sample_jumps(
        model.lindblad,
        initial,
        unit * np.linspace(method.burn_in, method.duration, method.times),
        observables=sampled_operators(model),
        trajectories=trajectories,
        seed=seed,
        threads=method.threads,
        operations=method.operations,
    )
