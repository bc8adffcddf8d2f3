"""Sampling a power grid with noise by the methods of `phase_space`."""

import numpy as np

from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged
from wheelwork.machines.power_grid.elements import PROBES
from wheelwork.machines.power_grid.model import (
    ROUNDING,
    VAST,
    amplitude_model,
    noisy_model,
    require_bounded,
)
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.machines.power_grid.sampled_state import SampledState
from wheelwork.oscillator_networks.langevin.noisy_model import NoisyModel
from wheelwork.oscillator_networks.langevin.sample import Settings, sample_amplitudes
from wheelwork.phase_space import EulerMaruyama, Langevin

LARGEST_DENSE = 400  # nodes: beyond, no dense matrix is made, and nodes are judged one by one
MARGIN = 1.2  # of the duration that a message proposes: standard errors are estimates themselves


def sample_grid(parameters: GridParameters, method: Langevin | EulerMaruyama) -> SampledState:
    """Return stationary means over trajectories.

    Raises InvalidArgument for a `start`, for a step too large and where nothing feeds the network,
    NoSteadyState where amplitudes are unbounded or a mode keeps its start, NotConverged as
    `sample_amplitudes`, where the error of a number cannot be estimated, and where the relative
    error of the total occupation, by chance or by the step, exceeds the method's `rtol`.
    """
    settings, model = _settings(method), noisy_model(parameters)
    _require_bounded(parameters, model)
    _require_source(model)
    state = SampledState(parameters, method, sample_amplitudes(model, settings))
    if isinstance(method, Langevin):
        _require_accurate(state, method)
    # so that NotConverged is raised here, not when they are read
    _ = state.occupation.errors, state.current.errors, state.current_fluctuation.errors
    return state


def _settings(method: Langevin | EulerMaruyama) -> Settings:
    euler = isinstance(method, EulerMaruyama)
    if method.start not in (None, (0.0, 0.0)) or (method.start is not None and not euler):
        raise InvalidArgument(
            "`start` must be left out for a power grid, whose trajectories leave from random "
            f"amplitudes, but is {method.start!r}"
        )
    return Settings(
        duration=method.duration,
        trajectories=method.trajectories,
        step=method.step,
        seed=method.seed,
        burn_in=method.burn_in,
        checked=0 if method.checked is None else method.checked,
        threads=method.threads,
        euler=euler,
    )


def _require_bounded(parameters: GridParameters, model: NoisyModel) -> None:
    """Raise NoSteadyState where gain exceeds loss at large amplitudes; for large networks
    InvalidArgument where that cannot be excluded.
    """
    if model.sites <= LARGEST_DENSE:
        require_bounded(amplitude_model(parameters))
        _require_reached(model)
        return
    vast = np.array([VAST])
    rates = [float(model.activity.rate(k, vast)[0]) for k in range(model.active.size)]
    if max(0.0, *rates) >= float(np.min(parameters.dampings)):
        raise InvalidArgument(
            f"`damping` must exceed the gain left at {VAST:g} quanta at every node of a network of "
            f"more than {LARGEST_DENSE}, but is {float(np.min(parameters.dampings))!r} at one"
        )


def _require_reached(model: NoisyModel) -> None:
    """Raise NoSteadyState where a mode reaches no damping and no element, and keeps its start."""
    linear = model.linear
    scale = max(float(np.max(np.abs(linear))), 1e-300)
    linear[model.active, model.active] -= scale
    if float(np.max(np.linalg.eigvals(linear).real)) > -ROUNDING * scale:
        raise NoSteadyState(
            "a mode of the network is met by no damping, generator or engine and keeps what it "
            "starts with; give the nodes some damping"
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
            f"{error / mean:.2g}, more than rtol = {rtol:g}; `duration` = {needed:.2g} would do"
        )
    by_step = state.step_errors["occupation"]
    if method.checked and not by_step <= rtol * mean + error:
        raise NotConverged(
            f"the occupation, {mean:.6g}, has a relative error of {by_step / mean:.2g} from the "
            f"step {state.samples.step:g}, more than rtol = {rtol:g}; "
            f"`step` = {0.5 * state.samples.step:g} is better"
        )
