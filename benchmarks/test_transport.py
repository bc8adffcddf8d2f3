"""Coefficients of the oscillator's motion at 100 positions, each round from the leads alone."""

from collections.abc import Mapping

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from timing import measure

import wheelwork as ww

X = np.linspace(-60.0, 60.0, 100)
BIAS = 16.0


def _device(temperature: float = 2.0, width: float = 1.0, bias: float = BIAS) -> ww.Flywheel:
    """The paper's device with other leads."""
    leads = tuple(
        ww.Lead(sign * 0.5 * bias, temperature, ww.Lorentzian(2.0, sign * 0.5, width))
        for sign in (1.0, -1.0)
    )
    return ww.Flywheel.paper(leads=leads, bias=bias)


def _tabulated() -> ww.Flywheel:
    """Two leads known by 41 samples of a bump that ends at ±5 about ±0.5."""
    t = np.linspace(-1.0, 1.0, 41)
    leads = tuple(
        ww.Lead(0.0, 2.0, ww.Tabulated(tuple(centre + 5.0 * t), tuple(2.0 * (1.0 - t**2) ** 2)))
        for centre in (0.5, -0.5)
    )
    return ww.Flywheel.paper(leads=leads, bias=BIAS)


DEVICES: Mapping[str, tuple[ww.Flywheel, float]] = {
    "paper": (_device(), 1e-12),
    "cold, T = 0.02": (_device(temperature=0.02), 1e-12),
    "narrow, width 0.02": (_device(width=0.02), 1e-12),
    "bias 100": (_device(bias=100.0), 1e-12),
    "tabulated": (_tabulated(), 1e-9),
}


@pytest.mark.parametrize("name", DEVICES)
def test_coefficients(benchmark: BenchmarkFixture, name: str) -> None:
    device, rtol = DEVICES[name]
    measure(
        benchmark,
        f"coefficients at 100 x to {rtol:.0e}: {name}",
        lambda: device.replace().coefficients(X, rtol),
    )
