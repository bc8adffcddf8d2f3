"""A thermal oscillator, exactly solved, that can be slow, fail, count its solutions, and kill."""

import math
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from wheelwork.errors import InvalidArgument, NotConverged


@dataclass(frozen=True)
class Entry:
    value: float
    bound: float
    ok: bool


@dataclass(frozen=True)
class Settled:
    observables: Mapping[str, float]
    errors: Mapping[str, float]
    audit: Mapping[str, Entry]


@dataclass(frozen=True)
class Bath:
    temperature: float

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise InvalidArgument(f"`temperature` must be positive, but is {self.temperature!r}")


@dataclass(frozen=True)
class Thermal:
    """n = 1/(e^{w/T} − 1) for the mean temperature T of the baths; none above `limit`.

    log: a file that gets a line for every point that is solved. seconds: that a point takes.
    lethal: frequency at which the process is killed, as often as there are lines in `deaths`.
    """

    frequency: float = 1.0
    baths: tuple[Bath, ...] = (Bath(1.0), Bath(3.0))
    limit: float = 1e9
    seconds: float = 0.0
    log: str = ""
    lethal: float = -1.0
    deaths: str = ""

    labels: ClassVar[dict[str, tuple[str, str, str]]] = {
        "frequency": (r"\omega", "energy", "frequency"),
        "occupation": ("n", "1", "mean occupation"),
    }

    def replace(self, **fields: Any) -> "Thermal":
        unknown = set(fields) - set(self.__dataclass_fields__)
        if unknown:
            raise InvalidArgument(f"`{unknown.pop()}` must be a field of Thermal")
        return replace(self, **fields)

    @property
    def occupation(self) -> float:
        mean = sum(bath.temperature for bath in self.baths) / len(self.baths)
        return 1.0 / math.expm1(self.frequency / mean)

    def steady_state(self, method: Any = None) -> Settled:
        if self.frequency == self.lethal and _one_death_left(self.deaths):
            os.kill(os.getpid(), signal.SIGKILL)
        end = time.perf_counter() + self.seconds
        while time.perf_counter() < end:
            pass
        if self.log:
            note(self.log, f"{self.frequency.hex()} {self.baths[0].temperature.hex()}")
        if self.frequency > self.limit:
            raise NotConverged(f"no result above {self.limit}")
        n = self.occupation
        entropy = (n + 1) * math.log(n + 1) - n * math.log(n)
        small = Entry(n, 2.0, n <= 2.0)
        return Settled(
            {"occupation": n, "entropy": entropy}, {"occupation": 1e-15 * n}, {"small": small}
        )


def note(path: str, line: str) -> None:
    """Append a line, in one piece."""
    with Path(path).open("a") as file:
        file.write(line + "\n")


def notes(path: Path) -> list[str]:
    """All lines of a log."""
    return path.read_text().splitlines() if path.exists() else []


def _one_death_left(path: str) -> bool:
    left = notes(Path(path))
    Path(path).write_text("".join(f"{line}\n" for line in left[1:]))
    return bool(left)
