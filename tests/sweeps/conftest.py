"""A machine whose sweep can be worked out by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pytest
from store_tools import Zygote
from sweep_systems import Entry, Settled

from wheelwork.errors import InvalidArgument, NotConverged


@dataclass(frozen=True)
class Spring:
    """energy = stiffness * stretch^2 / 2; a stretch above `breaking_point` has no answer."""

    stiffness: float = 2.0
    stretch: float = 0.0
    breaking_point: float = 10.0
    shape: Any = field(default_factory=lambda: np.array([0.1, 1.0 / 3.0]))
    before: Callable[["Spring"], None] = field(default=lambda spring: None)

    labels: ClassVar[dict[str, tuple[str, str, str]]] = {
        "stretch": ("x", "m", "stretch"),
        "energy": ("U", "J", "stored energy"),
    }

    def replace(self, **parameters: float) -> "Spring":
        unknown = set(parameters) - set(self.__dataclass_fields__)
        if unknown:
            raise InvalidArgument(f"`{unknown.pop()}` must be a field of Spring")
        return replace(self, **parameters)

    def steady_state(self, method: Any = None) -> Settled:
        self.before(self)
        if self.stretch > self.breaking_point:
            raise NotConverged(f"the spring broke at\n  {self.stretch}")
        energy = self.stiffness * self.stretch**2 / 2
        force = self.stiffness * self.stretch
        hooke = Entry(self.stretch, 3.0, self.stretch <= 3.0)
        return Settled({"energy": energy, "force": force}, {"energy": 1e-9}, {"hooke": hooke})


@pytest.fixture
def spring() -> type[Spring]:
    return Spring


@pytest.fixture
def zygote(tmp_path):
    forker = Zygote(tmp_path)
    yield forker
    forker.close()
