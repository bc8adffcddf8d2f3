"""The verbs `steady_state`, `evolve` and `sample`, and the protocols of machines and states."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar, runtime_checkable

from wheelwork.errors import InvalidArgument, shown
from wheelwork.methods import Method
from wheelwork.parameters import short
from wheelwork.results import AuditEntry, Labels


class State(Protocol):
    """A result as numbers: observables, their estimated absolute errors, and the audit."""

    @property
    def observables(self) -> Mapping[str, float]: ...

    @property
    def errors(self) -> Mapping[str, float]: ...

    @property
    def audit(self) -> Mapping[str, AuditEntry]: ...


AnyState = TypeVar("AnyState")
AnyState_co = TypeVar("AnyState_co", covariant=True)
AnyResult_co = TypeVar("AnyResult_co", covariant=True)


class Machine(Protocol[AnyState_co]):
    """Parameters that can be replaced by name, and a steady state by some method."""

    def replace(self, **parameters: Any) -> "Machine[AnyState_co]": ...

    def steady_state(self, method: Any = None) -> AnyState_co: ...


@runtime_checkable
class Labelled(Protocol):
    """A machine with labels for its parameters and observables.

    `labels` maps a name to (symbol, unit, long name), for instance "energy" to
    ("U", "energy", "mean energy"); the symbol is TeX mathematics without its dollars.
    """

    @property
    def labels(self) -> Labels: ...


class Evolving(Protocol[AnyResult_co]):
    """A machine whose state can evolve in time."""

    def evolve(
        self, initial: Any, times: Any, method: Any = None, **options: Any
    ) -> AnyResult_co: ...


class Sampled(Protocol[AnyResult_co]):
    """A machine that can be sampled by trajectories."""

    def sample(self, method: Any) -> AnyResult_co: ...


def steady_state(machine: Machine[AnyState], method: Any = None) -> AnyState:
    """Return the steady state of `machine`, computed by `method`.

    Calls `machine.steady_state(method)`; None selects the machine's direct method. Raises
    NoSteadyState if there is none, NotConverged if the tolerance is not reached, InvalidArgument
    for what is no machine.
    """
    require_machine(machine, "steady_state")
    return machine.steady_state(method)


def evolve(
    machine: Evolving[AnyResult_co], initial: Any, times: Any, method: Any = None, **options: Any
) -> AnyResult_co:
    """Return the evolution of `machine` from the state `initial`, at `times`, by `method`.

    Calls `machine.evolve(initial, times, method, **options)`. Raises InvalidArgument for a machine
    that cannot be followed in time.
    """
    require_machine(machine, "evolve")
    return machine.evolve(initial, times, method, **options)


def sample(machine: Sampled[AnyResult_co], method: Any) -> AnyResult_co:
    """Return means and standard errors over trajectories of `machine`, sampled by `method`.

    Calls `machine.sample(method)`. Raises InvalidArgument for a machine without such a verb; some
    take a sampling method in `steady_state`.
    """
    require_machine(machine, "sample")
    return machine.sample(method)


def require_method(method: Any, kinds: tuple[type, ...], example: str, default: Any = None) -> Any:
    """Return `method`, or `default` for None; InvalidArgument unless it is one of `kinds`.

    example: a call such as "FokkerPlanck(rtol=1e-6)", for the message.
    """
    chosen = default if method is None else method
    if not isinstance(chosen, kinds):
        raise InvalidArgument(
            f"`method` must be a method such as {example}, but is {shown(chosen)}"
        )
    return chosen


def require_machine(machine: Any, *verbs: str) -> None:
    """Raise InvalidArgument unless `machine` is an object, no class, with the methods `verbs`.

    An algorithm, which may have methods of these names, is none.
    """
    if isinstance(machine, type):
        raise InvalidArgument(
            f"`machine` must be a machine with its parameters, but is the class {machine.__name__}"
        )
    for verb in verbs:
        if isinstance(machine, Method) or not callable(getattr(machine, verb, None)):
            raise InvalidArgument(
                f"`machine` must be a machine with the verb `{verb}`, but is {short(machine)}"
            )
