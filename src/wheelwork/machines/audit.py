"""Audit entries: what could make a result wrong, each with its bound and verdict."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AuditEntry:
    """A checked number; `ok` when it does not exceed `bound`."""

    value: float
    bound: float

    @property
    def ok(self) -> bool:
        """Whether the bound is kept; NaN never is."""
        return self.value <= self.bound
