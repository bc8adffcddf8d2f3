"""What a sweep asks of a machine: structural types, so that sweeps import no physics."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar, runtime_checkable


class AuditEntry(Protocol):
    """One check of a result: the value found, the bound it is held against, the verdict."""

    @property
    def value(self) -> float: ...

    @property
    def bound(self) -> float: ...

    @property
    def ok(self) -> bool: ...


class State(Protocol):
    """A result reduced to numbers: observables, their estimated absolute errors, the audit."""

    @property
    def observables(self) -> Mapping[str, float]: ...

    @property
    def errors(self) -> Mapping[str, float]: ...

    @property
    def audit(self) -> Mapping[str, AuditEntry]: ...


AnyState_co = TypeVar("AnyState_co", covariant=True)


class Machine(Protocol[AnyState_co]):
    """Parameters that can be replaced by name, and a steady state by some method."""

    def replace(self, **parameters: Any) -> "Machine[AnyState_co]": ...

    def steady_state(self, method: Any = None) -> AnyState_co: ...


@runtime_checkable
class Labelled(Protocol):
    """A machine that names its observables and parameters for people.

    `labels` maps a name to (symbol, unit, long name), for instance "energy" to
    ("U", "energy", "mean energy"); the symbol is TeX mathematics without its dollars.
    """

    @property
    def labels(self) -> Mapping[str, tuple[str, str, str]]: ...
