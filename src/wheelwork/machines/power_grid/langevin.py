"""The stationary state of a power grid with noise, from trajectories."""

import math
import operator
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from types import MappingProxyType

import numpy as np
import xarray as xr

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged, partial_as, shown
from wheelwork.machines.power_grid import model as equations
from wheelwork.machines.power_grid import numbers
from wheelwork.machines.power_grid.accuracy import energy_balance, granularity, sampling_audit
from wheelwork.machines.power_grid.elements import PROBES
from wheelwork.machines.power_grid.numbers import EdgeNumbers, NodeNumbers, labelled
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.numerics.labelled import Axis
from wheelwork.numerics.statistics import Estimate, Sampled
from wheelwork.oscillator_networks.langevin.noisy_model import NoisyModel
from wheelwork.oscillator_networks.langevin.samples import (
    AmplitudeSamples,
    Means,
    sample_amplitudes,
)
from wheelwork.phase_space import EulerMaruyama, Langevin
from wheelwork.results import AuditEntry, Label, Observable, Result, Summary, observable, with_error

LARGEST_DENSE = 400  # nodes: beyond, no dense matrix is made, and each must be bounded by itself
MARGIN = 1.2  # of the duration that a message proposes: standard errors are estimates themselves

MEAN_DAMPING: Label = (r"\bar\Gamma", "rate", "mean loss rate minus mean gain rate")
# in the order of `SampledState._totals`
TOTALS = ("occupation", "injected", "extracted", "dissipated", "mean_damping", "mean_current")


@dataclass(frozen=True, eq=False, repr=False)
class Marginal(Summary):
    """P(|α|) of one node, normalised over its bins and the range beyond.

    amplitude: (B,) middle of each bin. density, error: (B,), with its standard error. beyond: share
    of the samples outside the bins. The density of α in the plane is P/(2π|α|).
    """

    amplitude: FloatArray
    density: FloatArray
    error: FloatArray
    beyond: float

    @classmethod
    def of(cls, counts: FloatArray, width: float) -> "Marginal":
        """counts: (groups of trajectories, bins), the last bin open."""
        share = counts / counts.sum(axis=1, keepdims=True) / width
        groups, bins = share.shape
        error = np.full(bins, np.nan)
        if groups > 1:
            error = np.std(share, axis=0) / math.sqrt(groups - 1)
        density = counts.sum(axis=0) / np.sum(counts) / width
        middle = (np.arange(bins - 1) + 0.5) * width
        return cls(middle, density[:-1], error[:-1], float(density[-1] * width))

    @property
    def summary(self) -> Mapping[str, str]:
        """Bins, the most likely amplitude, and the share outside the bins."""
        peak = with_error(float(self.amplitude[np.argmax(self.density)]))
        return {"bins": str(self.amplitude.size), "peak": peak, "beyond": with_error(self.beyond)}


def _total(name: str, label: Label) -> Observable[Estimate]:
    """One of `TOTALS`; its error combines the statistical one and that of the step."""

    def error(state: "SampledState") -> float:
        known = state.samples.alike is not None or state.method.checked
        by_step = state.step_errors[name] if known else 0.0
        return math.hypot(state.estimates[name].standard_error, by_step)

    return observable(*label, key=name, error=error)(lambda state: state.estimates[name])


def _with_step(name: str) -> Callable[["SampledState"], FloatArray]:
    """Errors of one of `Means`: as of `_total`."""

    def error(state: "SampledState") -> FloatArray:
        samples = state.samples
        statistical = getattr(samples.fine, name).errors
        if samples.alike is None and not state.method.checked:
            return np.asarray(statistical)
        return np.asarray(np.hypot(statistical, samples.step_error(operator.attrgetter(name))))

    return error


@dataclass(frozen=True, eq=False, repr=False)
class SampledState(Result):
    """Means over trajectories, returned by `PowerGrid.steady_state(Langevin(...))`.

    Each number is an `Estimate`, (mean, standard_error). Standard errors are statistical; `errors`
    add the error of the step, if that was checked (NaN where 2Δt was unstable).
    Quanta per time: multiply by ω0 for energy.
    Amplitudes are those of the P function (Huber and Rabl, Appendix A): |α|² averages to ⟨a†a⟩, and
    squares are normally ordered. Valid for saturation numbers n0 ≫ 1 (above about 10).
    """

    machine: GridParameters
    method: Langevin | EulerMaruyama
    samples: AmplitudeSamples

    headline = TOTALS

    @property
    def axes(self) -> Mapping[str, Axis]:
        """Nodes and edges."""
        return self.machine.axes

    @labelled(numbers.ALONG_EDGE, "edge", _with_step("current"))
    def current(self) -> EdgeNumbers[Estimate]:
        """⟨J⟩, J = g Im(α_u* α_v), by edge: `current[(u, v)]` is positive from u to v."""
        return EdgeNumbers.of(self.machine.edge_index, self.samples.fine.current)

    @labelled(numbers.FLUCTUATION, "edge", _with_step("fluctuation"))
    def current_fluctuation(self) -> EdgeNumbers[Estimate]:
        """ΔJ = √(⟨J²⟩ − ⟨J⟩²) of each edge, J at one time: the same in both directions.

        In normal order; the square of the operator holds (g²/4)(n_u + n_v) more.
        """
        return EdgeNumbers.of(self.machine.edge_index, self.samples.fine.fluctuation, odd=False)

    @labelled(numbers.AT_NODE, "node", _with_step("occupation"))
    def occupation(self) -> NodeNumbers[Estimate]:
        """⟨|α_j|²⟩ by node."""
        return NodeNumbers.of(self.machine.index, self.samples.fine.occupation)

    @cached_property
    def marginals(self) -> Mapping[Hashable, Marginal]:
        """P(|α_j|) by node, in 63 equal bins up to about four times the root mean square.

        Empty for networks of thousands of nodes.
        """
        counts = self.samples.counts.astype(np.float64).sum(axis=0)
        if counts.size == 0:
            return MappingProxyType({})
        width, index = self.samples.bin_width, self.machine.index
        marginals = {node: Marginal.of(counts[:, j], width[j]) for node, j in index.items()}
        return MappingProxyType(marginals)

    total_occupation = _total("occupation", numbers.OCCUPATION)
    injected = _total("injected", numbers.INJECTED)
    """Σ ⟨G_j n_j + noise of the generator⟩: with spontaneous emission."""
    extracted = _total("extracted", numbers.EXTRACTED)
    """Σ ⟨Λ_j n_j − noise of the engine⟩."""
    dissipated = _total("dissipated", numbers.DISSIPATED)
    """Σ γ_j (⟨n_j⟩ − N_th,j), net loss to the surroundings."""
    mean_damping = _total("mean_damping", MEAN_DAMPING)
    """Γ̄ = ⟨Σ Λ_j(n_j) − Σ G_j(n_j)⟩ (Huber and Rabl, Sec. V)."""
    mean_current = _total("mean_current", numbers.MEAN_CURRENT)
    """Mean of `current` over the edges as listed: of a chain, ⟨J⟩ of Huber and Rabl."""

    @cached_property
    def step_errors(self) -> Mapping[str, float]:
        """Absolute errors of the observables due to the step, with their statistical error."""
        errors = self.samples.step_error(self._totals)
        return MappingProxyType(dict(zip(TOTALS, errors.tolist(), strict=True)))

    @cached_property
    def estimates(self) -> Mapping[str, Estimate]:
        """Every observable with its standard error."""
        return dict(zip(TOTALS, self._totals(self.samples.fine).estimates, strict=True))

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Named checks with value, bound and verdict."""
        mean, error = self.total_occupation
        size = max(mean, 1e-300)  # nothing to divide by where all is at rest
        rtol = self.method.rtol if isinstance(self.method, Langevin) else math.inf
        by_step = self.step_errors["occupation"] / size if self.method.checked else None
        checks = sampling_audit(self.samples, rtol, error / size, by_step)
        balance = energy_balance(self.machine, self.samples)
        return MappingProxyType({**checks, "energy balance": balance})

    @property
    def validity(self) -> Mapping[str, AuditEntry]:
        """Ratio that must be small for amplitude equations: one quantum to those that saturate.

        At a fifth they are off by some 3 %, at a half they are wrong (of saturable elements).
        """
        return MappingProxyType({"1 / saturation": granularity(self.machine)})

    def arrays(self) -> xr.Dataset:
        """The errors of currents due to the step, and the distributions of amplitudes."""
        step_error = self.samples.step_error(lambda means: means.current)
        dataset = xr.Dataset(
            {"edge_current_step_error": ("edge", step_error, {"units": "rate"})},
            attrs={"step": self.samples.step, "trajectories": self.samples.trajectories},
        )
        if marginals := self.marginals.values():
            dims = "node", "bin"
            dataset["amplitude"] = dims, np.array([each.amplitude for each in marginals])
            dataset["amplitude_density"] = dims, np.array([each.density for each in marginals])
            dataset["amplitude_density_error"] = dims, np.array([each.error for each in marginals])
        return dataset

    def _totals(self, means: Means) -> Sampled:
        """The numbers named in `TOTALS`, in one."""
        machine, occupation = self.machine, means.occupation
        lost = _sum(occupation, machine.dampings)
        loss, gain = _sum(means.local_observable("loss")), _sum(means.local_observable("gain"))
        from_surroundings = float(machine.dampings @ machine.thermal_occupations)
        edges = len(machine.edges)
        parts = (
            _sum(occupation),
            _sum(means.local_observable("injected")),
            _sum(means.local_observable("extracted")),
            replace(lost, value=lost.value - from_surroundings),
            replace(
                loss, value=loss.value - gain.value, deviations=loss.deviations - gain.deviations
            ),
            _sum(means.current, np.full(edges, 1.0 / max(edges, 1))),
        )
        values = np.concatenate([part.value for part in parts])
        deviations = np.concatenate([part.deviations for part in parts], axis=2)
        return replace(lost, value=values, deviations=deviations)


def _sum(sampled: Sampled, weights: FloatArray | None = None) -> Sampled:
    """Σ w_q x_q, (1,), by default with weights of one."""
    chosen = np.ones(sampled.value.size) if weights is None else weights
    return sampled.combined(chosen[None])


def sample_grid(parameters: GridParameters, method: Langevin | EulerMaruyama) -> SampledState:
    """Return stationary means over trajectories.

    Raises InvalidArgument for a `start`, for a step too large and for a network without gain or
    noise, NoSteadyState where amplitudes are unbounded or a mode is undamped, NotConverged as
    `sample_amplitudes`, where an error cannot be estimated, and where the relative error of the
    total occupation, statistical or due to the step, exceeds the method's `rtol`; its `partial` is
    the state so far, with errors that allow for what is amiss and an audit that fails.
    """
    if method.start not in (None, type(method).start):  # of the explicit scheme the origin
        raise InvalidArgument(
            "`start` must be left out for a power grid, whose trajectories leave from random "
            f"amplitudes, but is {shown(method.start)}"
        )
    with method.guard():
        model = equations.noisy_model(parameters)
        _require_bounded(parameters, model)
        _require_source(model)
        try:
            with partial_as(partial(SampledState, parameters, method)):
                state = SampledState(parameters, method, sample_amplitudes(model, method))
        except NotConverged as reason:
            raise NotConverged(f"{reason}{_advice(reason.partial)}", reason.partial) from None
    if isinstance(method, Langevin):
        _require_accurate(state, method)
    # so that NotConverged is raised here, not when they are read
    _ = state.occupation, state.current, state.current_fluctuation
    return state


def _advice(state: SampledState | None) -> str:
    """What a run that does not mix may be compared with."""
    if state is None or not state.samples.mixing.ratio > state.samples.mixing.bound:
        return ""
    return "; `MeanField()` lists the states that attract"


def _require_bounded(parameters: GridParameters, model: NoisyModel) -> None:
    """Raise NoSteadyState where gain exceeds loss at large amplitudes, or a mode reaches no damping
    and no element and keeps its start; for large networks InvalidArgument where either may be.
    """
    if model.sites <= LARGEST_DENSE:
        equations.require_bounded_grid(parameters)
        linear = model.linear
        scale = max(float(np.max(np.abs(linear))), 1e-300)
        linear[model.active, model.active] -= scale
        if float(np.max(np.linalg.eigvals(linear).real)) > -equations.ROUNDING * scale:
            raise NoSteadyState(
                "a mode of the network is coupled to no damping, generator or engine and keeps its "
                "initial amplitude; give the nodes some damping"
            )
        return
    vast = equations.VAST * model.activity.scale
    rates = [float(model.activity.rate(k, n[None])[0]) for k, n in enumerate(vast)]
    least = float(np.min(parameters.dampings))
    if max(0.0, *rates) >= least:
        raise InvalidArgument(
            f"`damping` must exceed the gain left at {equations.VAST:g} quanta at every node of a "
            f"network of more than {LARGEST_DENSE}, but is {least!r} at one"
        )


def _require_source(model: NoisyModel) -> None:
    """Raise InvalidArgument where nothing adds quanta, so that the state is α = 0."""
    if np.any(model.dampings * model.thermal > 0.0):
        return
    for k in range(model.active.size):
        n = PROBES * model.activity.scale[k]
        if np.any(model.activity.noise(k, n) > 0.0) or np.any(model.activity.rate(k, n) > 0.0):
            return
    raise InvalidArgument(
        "`thermal_occupation` must be positive at a damped node, or a generator active, but "
        "nothing feeds this network: it comes to rest"
    )


def _require_accurate(state: SampledState, method: Langevin) -> None:
    rtol, (mean, error) = method.rtol, state.total_occupation
    if not mean > 0.0:
        return
    if not error <= rtol * mean:
        needed = MARGIN * state.samples.duration * (error / (rtol * mean)) ** 2
        raise NotConverged(
            f"the occupation, {mean:.6g} ± {error:.2g}, has a relative standard error of "
            f"{error / mean:.2g}, more than rtol = {rtol:g}; `duration` = {needed:.2g} would do",
            partial=state,
        )
    by_step = state.step_errors["occupation"]
    if method.checked and not by_step <= rtol * mean + error:
        raise NotConverged(
            f"the occupation, {mean:.6g}, has a relative error of {by_step / mean:.2g} from the "
            f"step {state.samples.step:g}, more than rtol = {rtol:g}; "
            f"`step` = {0.5 * state.samples.step:g} is better",
            partial=state,
        )
