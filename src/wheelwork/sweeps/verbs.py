"""The verbs as functions: what can be asked of any machine."""

from typing import Any, Protocol, TypeVar

from wheelwork.sweeps.protocols import Machine

AnyState = TypeVar("AnyState")
AnyResult_co = TypeVar("AnyResult_co", covariant=True)


class Evolving(Protocol[AnyResult_co]):
    """A machine whose state can be followed in time."""

    def evolve(
        self, initial: Any, times: Any, method: Any = None, **options: Any
    ) -> AnyResult_co: ...


class Sampled(Protocol[AnyResult_co]):
    """A machine of which trajectories can be drawn."""

    def sample(self, method: Any) -> AnyResult_co: ...


def steady_state(machine: Machine[AnyState], method: Any = None) -> AnyState:
    """Return the steady state of `machine`, found by `method`.

    The same as `machine.steady_state(method)`; with None the machine's direct method is taken.
    Raises NoSteadyState where there is none, NotConverged where the tolerance is not met.
    """
    return machine.steady_state(method)


def evolve(
    machine: Evolving[AnyResult_co],
    initial: Any,
    times: Any,
    method: Any = None,
    **options: Any,
) -> AnyResult_co:
    """Follow `machine` from the state `initial` through `times` by `method`.

    The same as `machine.evolve(initial, times, method, **options)`.
    """
    return machine.evolve(initial, times, method, **options)


def sample(machine: Sampled[AnyResult_co], method: Any) -> AnyResult_co:
    """Return means with standard errors over trajectories of `machine`, drawn by `method`.

    The same as `machine.sample(method)`.
    """
    return machine.sample(method)
