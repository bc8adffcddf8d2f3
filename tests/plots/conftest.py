"""A dataset shaped like a flywheel's, from a distribution known in closed form."""

import numpy as np
import pytest
import xarray as xr

FREQUENCY = 0.2
THRESHOLD = 8.46
X0, P0 = np.sqrt(10.0), np.sqrt(0.4)

LABELS = {
    "g2": ("g^{(2)}", "1", "second-order coherence"),
    "energy": ("U", "1", "energy"),
    "ergotropy": ("W_E", "1", "ergotropy"),
    "free_energy_gain": ("W_F", "1", "free energy gain"),
    "entropy": ("S", "1", "entropy"),
}


def ring(bias):
    """Return gain and saturation of the law p_n ~ exp(gain n - saturation n^2)."""
    slope = 0.1 if bias < THRESHOLD else 0.018
    return slope * np.tanh((bias - THRESHOLD) / THRESHOLD), 6e-5


def observables(bias):
    n = np.arange(900)
    gain, saturation = ring(bias)
    p = np.exp(gain * n - saturation * n**2)
    p /= p.sum()
    mean = p @ n
    entropy = -np.sum(p[p > 0] * np.log(p[p > 0]))
    return {
        "g2": p @ (n * (n - 1)) / mean**2,
        "energy": FREQUENCY * mean,
        "ergotropy": FREQUENCY * (mean - np.sort(p)[::-1] @ n),
        "free_energy_gain": FREQUENCY * mean - 2 * entropy - 2 * np.log(1 - np.exp(-0.1)),
        "entropy": entropy,
    }


def wigner(bias, x, p):
    gain, saturation = ring(bias)
    r2 = (x[:, None] / X0) ** 2 + (p[None, :] / P0) ** 2
    density = np.exp(gain * r2 - saturation * r2**2)
    return density / density.sum() / (x[1] - x[0]) / (p[1] - p[0])


@pytest.fixture
def dataset(whole):
    return whole.copy(deep=True)


@pytest.fixture(scope="session")
def whole():
    bias = np.linspace(0.0, 32.0, 33)
    rows = [observables(value) for value in bias]
    x, p = X0 * np.linspace(-24, 24, 121), P0 * np.linspace(-24, 24, 121)
    shown = [0.0, 12.0, 32.0]
    variables = {
        name: (
            "bias",
            [row[name] for row in rows],
            dict(zip(("symbol", "units", "long_name"), LABELS[name], strict=True)),
        )
        for name in rows[0]
    }
    return xr.Dataset(
        {
            **variables,
            "failure": ("bias", np.full(bias.size, "", dtype=object)),
            "wigner": (("wigner_bias", "x", "p"), np.array([wigner(v, x, p) for v in shown])),
            "threshold": ((), THRESHOLD),
            "x0": ((), X0),
            "p0": ((), P0),
        },
        coords={
            "bias": ("bias", bias, {"symbol": "V", "units": "1", "long_name": "bias"}),
            "wigner_bias": shown,
            "x": x,
            "p": p,
        },
    )
