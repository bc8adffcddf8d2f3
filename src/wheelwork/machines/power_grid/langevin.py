"""From a power grid and a method of `phase_space` to sampled amplitudes."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged
from wheelwork.machines.power_grid.elements import PROBES, ActiveElement, Saturable
from wheelwork.machines.power_grid.model import VAST, require_bounded
from wheelwork.machines.power_grid.sampled_state import SampledState
from wheelwork.oscillator_networks.langevin.noisy_model import NoisyModel
from wheelwork.oscillator_networks.langevin.sample import sample_amplitudes
from wheelwork.phase_space import EulerMaruyama, Langevin

if TYPE_CHECKING:
    from wheelwork.machines.power_grid.machine import PowerGrid

LARGEST_DENSE = 400  # nodes: beyond, boundedness is only judged node by node
MARGIN = 1.2  # of the duration proposed
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class GridActivity:
    """Generators and engines of each active node, as functions of its occupation.

    generators, engines: (K,) element or None. Local observables: G, Λ, and the quanta per time
    injected, G n + noise, and extracted, Λ n − noise.
    """

    generators: tuple[ActiveElement | None, ...]
    engines: tuple[ActiveElement | None, ...]
    names = ("gain", "loss", "injected", "extracted")

    @cached_property
    def scale(self) -> FloatArray:
        """Least saturation number at each node, one where none is given."""
        pairs = zip(self.generators, self.engines, strict=True)
        return np.array(
            [
                min((e.saturation for e in pair if isinstance(e, Saturable)), default=1.0)
                for pair in pairs
            ]
        )

    def rate(self, site: int, occupation: FloatArray) -> FloatArray:
        """G − Λ."""
        gain, loss, _, _ = self._parts(site, occupation)
        return gain - loss

    def noise(self, site: int, occupation: FloatArray) -> FloatArray:
        """Of both."""
        _, _, into, out = self._parts(site, occupation)
        return into + out

    def local_observables(self, site: int, occupation: FloatArray) -> FloatArray:
        """G, Λ, G n + noise, Λ n − noise."""
        gain, loss, into, out = self._parts(site, occupation)
        return np.stack([gain, loss, gain * occupation + into, loss * occupation - out])

    def _parts(
        self, site: int, n: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        nothing = np.zeros_like(n)
        generator, engine = self.generators[site], self.engines[site]
        gain = nothing if generator is None else generator.rate_at(n)
        into = nothing if generator is None else generator.gain_noise_at(n)
        loss = nothing if engine is None else engine.rate_at(n)
        out = nothing if engine is None else engine.loss_noise_at(n)
        return gain, loss, into, out


def noisy_model(machine: "PowerGrid") -> NoisyModel:
    """Return the equations with noise (Huber and Rabl, Eqs. (3)–(5), on any graph)."""

    def acting(element: ActiveElement | None) -> bool:
        return element is not None and not (isinstance(element, Saturable) and element.rate == 0.0)

    def is_active(node: Hashable) -> bool:
        return acting(machine.generators.get(node)) or acting(machine.engines.get(node))

    nodes = [node for node in machine.nodes if is_active(node)]
    return NoisyModel(
        edges=machine.edge_indices,
        couplings=machine.couplings,
        dampings=machine.dampings,
        detunings=machine.detunings,
        thermal=machine.thermal_occupations,
        active=np.array([machine.index[node] for node in nodes], dtype=np.intp),
        activity=GridActivity(
            tuple(machine.generators.get(node) for node in nodes),
            tuple(machine.engines.get(node) for node in nodes),
        ),
    )


def sample_grid(machine: "PowerGrid", method: Langevin | EulerMaruyama) -> SampledState:
    """Return stationary means of `machine` over trajectories.

    Raises InvalidArgument for a `start`, for a step too large and where nothing feeds the network,
    NoSteadyState where amplitudes are unbounded or a mode keeps its start, NotConverged as
    `sample_amplitudes`, where a number has no error estimate, and where the relative error of the
    total occupation, by chance or by the step, exceeds the method's `rtol`.
    """
    _require_no_start(method)
    model = noisy_model(machine)
    _require_bounded(machine, model)
    _require_fed(model)
    state = SampledState(machine, method, sample_amplitudes(model, method))
    if isinstance(method, Langevin):
        _require(state, method)
    # raise now, not when they are read
    _ = state.occupation.errors, state.current.errors, state.current_fluctuation.errors
    return state


def _require_no_start(method: Langevin | EulerMaruyama) -> None:
    if method.start not in (None, type(method).start):  # of the explicit scheme the origin
        raise InvalidArgument(
            "`start` must be left out for a power grid, whose trajectories leave from random "
            f"amplitudes, but is {method.start!r}"
        )


def _require_bounded(machine: "PowerGrid", model: NoisyModel) -> None:
    """Raise NoSteadyState where gain outlives loss; for large networks also where that is open."""
    if model.sites <= LARGEST_DENSE:
        require_bounded(machine.amplitude_model)
        _require_reached(model)
        return
    vast = np.array([VAST])
    rates = [float(model.activity.rate(k, vast)[0]) for k in range(model.active.size)]
    if max(0.0, *rates) >= float(np.min(machine.dampings)):
        raise InvalidArgument(
            f"`damping` must exceed the gain left at {VAST:g} quanta at every node of a network of "
            f"more than {LARGEST_DENSE}, but is {float(np.min(machine.dampings))!r} at one"
        )


def _require_reached(model: NoisyModel) -> None:
    """Raise NoSteadyState where a mode keeps its start, met by no damping and no element."""
    linear = model.linear
    scale = max(float(np.max(np.abs(linear))), 1e-300)
    linear[model.active, model.active] -= scale
    if float(np.max(np.linalg.eigvals(linear).real)) > -ROUNDING * scale:
        raise NoSteadyState(
            "a mode of the network is met by no damping, generator or engine and keeps what it "
            "starts with; give the nodes some damping"
        )


def _require_fed(model: NoisyModel) -> None:
    """Raise InvalidArgument where nothing makes quanta, so that all comes to rest."""
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


def _require(state: SampledState, method: Langevin) -> None:
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
