"""A machine that costs nothing, with as many numbers as a flywheel has: for overheads of sweeps."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

NUMBERS, CHECKS = 13, 15


@dataclass(frozen=True)
class Entry:
    """One check."""

    value: float
    bound: float = 1.0
    ok: bool = True


@dataclass(frozen=True)
class Numbers:
    """Thirteen observables with errors, and fifteen checks."""

    observables: Mapping[str, float]
    errors: Mapping[str, float]
    audit: Mapping[str, Entry]


@dataclass(frozen=True)
class Fake:
    """Powers of x."""

    x: float = 0.0

    def replace(self, **fields: Any) -> "Fake":
        """Return it with another x."""
        return replace(self, **fields)

    def steady_state(self, method: Any = None) -> Numbers:
        """Return all numbers at once."""
        values = {f"observable_{i}": self.x**i for i in range(NUMBERS)}
        errors = {name: 1e-9 * value for name, value in values.items()}
        audit = {f"check number {i}": Entry(self.x / (i + 7)) for i in range(CHECKS)}
        return Numbers(values, errors, audit)
