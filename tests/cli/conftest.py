"""A thermal oscillator heated by its bias: everything in closed form, and it may fail on demand."""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from wheelwork.cli.jobs import Job
from wheelwork.errors import NotConverged
from wheelwork.papers import culhane_2022
from wheelwork.papers.runs import Run


@dataclass(frozen=True)
class Entry:
    value: float
    bound: float
    ok: bool


@dataclass(frozen=True)
class ThermalState:
    mean: float
    audit: Mapping[str, Entry]

    @property
    def observables(self) -> dict[str, float]:
        n = self.mean
        entropy = (n + 1) * math.log(n + 1) - n * math.log(n)
        return {"phonon_number": n, "g2": 2.0, "energy": n, "ergotropy": 0.0,
                "free_energy_gain": 0.1 * n, "entropy": entropy}  # fmt: skip

    @property
    def errors(self) -> dict[str, float]:
        return {"phonon_number": 1e-7 * self.mean}

    def wigner_on(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        variance = self.mean + 0.5
        r2 = x[:, None] ** 2 + p[None, :] ** 2
        return np.exp(-r2 / (2 * variance)) / (2 * np.pi * variance)

    @property
    def wigner(self) -> xr.DataArray:
        axis = np.linspace(-8, 8, 81) * math.sqrt(self.mean + 0.5)
        return xr.DataArray(self.wigner_on(axis, axis), coords={"x": axis, "p": axis})


@dataclass(frozen=True)
class HeatedOscillator:
    bias: float = 0.0
    length: float = 1.5
    momentum: float = 0.5
    threshold: float = 3.0
    before: Callable[["HeatedOscillator"], None] = field(default=lambda machine: None)

    @property
    def labels(self) -> dict[str, tuple[str, str, str]]:
        return {"bias": ("V", "energy", "bias"), "energy": ("U", "energy", "energy")}

    def replace(self, **parameters: float) -> "HeatedOscillator":
        return replace(self, **parameters)

    def steady_state(self, method: Any = None) -> ThermalState:
        self.before(self)
        edge = Entry(1e-9 * self.bias, 5e-9, self.bias <= 5)
        return ThermalState(1.0 + self.bias, {"edge_probability": edge})

    def threshold_bias(self, low: float, high: float) -> float:
        if not low <= self.threshold <= high:
            raise NotConverged(f"no sign change between {low} and {high}")
        return self.threshold


@pytest.fixture(autouse=True)
def _coarse_figures(monkeypatch):
    """Draw at a tenth of the resolution, to save time."""
    monkeypatch.setattr("wheelwork.plots.style.RESOLUTION", 30)


@pytest.fixture
def stored() -> Callable[[Path, str], None]:
    """Compare a text with that of a file, or write it there where WHEELWORK_RENEW is set."""

    def compare(path: Path, text: str) -> None:
        if os.environ.get("WHEELWORK_RENEW"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert text == path.read_text(encoding="utf-8"), (
            f"{path.name} differs; where that is meant: WHEELWORK_RENEW=1 pytest tests/cli"
        )

    return compare


@pytest.fixture
def oscillator() -> type[HeatedOscillator]:
    return HeatedOscillator


@pytest.fixture
def job(tmp_path) -> Callable[..., Job]:
    def make(machine=None, values=(0.0, 1.0, 2.0, 4.0), **fields):
        machine, values = machine or HeatedOscillator(), np.array(values)
        run = Run(machine, "bias", values, None, culhane_2022.PRESENTATION, "flywheel")
        return Job(run, **{"folder": tmp_path / "out"} | fields)

    return make
