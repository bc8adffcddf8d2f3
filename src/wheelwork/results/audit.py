"""Audits: checked numbers against their bounds, and what is said of them."""

import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from wheelwork.errors import ValidityWarning


@dataclass(frozen=True)
class AuditEntry:
    """A checked number; `ok` when it does not exceed `bound`."""

    value: float
    bound: float

    @property
    def ok(self) -> bool:
        """Whether the value is within its bound; never for NaN."""
        return self.value <= self.bound


def verdict(audit: Mapping[str, AuditEntry]) -> str:
    """Return a sentence that says whether all entries pass, or which ones fail."""
    if failed := failed_checks(audit):
        return f"{len(failed)} of {len(audit)} checks fail: " + "; ".join(failed)
    return "1 check holds" if len(audit) == 1 else f"all {len(audit)} checks hold"


def warn_outside_validity(description: str, validity: Mapping[str, AuditEntry]) -> None:
    """Warn of ratios beyond their bounds. Call from the public method: stacklevel assumes that."""
    if failed := failed_checks(validity):
        warnings.warn(f"{description}: {', '.join(failed)}", ValidityWarning, stacklevel=3)


def worst(audits: Iterable[Mapping[str, AuditEntry]]) -> dict[str, AuditEntry]:
    """Return the worst entry of each name: failing before passing, NaN first, then by value."""
    entries: dict[str, AuditEntry] = {}
    for name, entry in chain.from_iterable(audit.items() for audit in audits):
        both = (entries.get(name, entry), entry)
        entries[name] = max(both, key=lambda one: (not one.ok, math.isnan(one.value), one.value))
    return entries


def failed_checks(audit: Mapping[str, AuditEntry]) -> list[str]:
    """Return the entries that fail, in words."""
    return [
        f"{name} = {entry.value:.3g} (at most {entry.bound:.3g})"
        for name, entry in audit.items()
        if not entry.ok
    ]
