"""Noise spectra above the axis against adaptive panels on it, and where they are refused."""

import numpy as np
import pytest

import wheelwork as ww
from wheelwork.transport import noise


def lead(rng):
    line = ww.WideBand(rate=10.0 ** rng.uniform(-2, 1))
    if rng.random() < 0.8:
        rate, width = 10.0 ** rng.uniform(-2, 1), 10.0 ** rng.uniform(-1, 1)
        line = ww.Lorentzian(rate=rate, centre=rng.uniform(-4, 4), width=width)
    return ww.Lead(rng.uniform(-4, 4), 10.0 ** rng.uniform(-1, 0.5), line)


def smallest_distance(leads):
    widths = [one.lineshape.width for one in leads if isinstance(one.lineshape, ww.Lorentzian)]
    return min([np.pi * one.temperature for one in leads] + widths)


@pytest.mark.parametrize("seed", range(20))
def test_contour_agrees_with_panels_within_its_error(seed):
    rng = np.random.default_rng(seed)
    leads = tuple(lead(rng) for _ in range(rng.integers(1, 4)))
    shift = rng.uniform(-0.49, 0.49) * smallest_distance(leads)
    levels = rng.uniform(-6, 6, 3)
    value, error = noise._on_contour(leads, levels, shift)
    panels = [noise._on_panels(leads, e, np.array([shift]), 1e-10)[0] for e in levels]
    assert np.all(np.abs(value - panels) <= 3.0 * error + 1e-10 * np.abs(panels))
    assert np.all(error < 1e-9)


def test_noise_at_zero_frequency_is_the_diffusion():
    device = ww.Flywheel.paper(12.0)
    x = np.array([-30.0, 0.0, 7.0])
    spectrum = device.junction.force_noise_spectrum(0.0, x, 1e-10)
    np.testing.assert_allclose(spectrum, device.coefficients(x).diffusion, rtol=1e-9)


def test_large_frequencies_and_far_levels_go_to_the_panels():
    leads = ww.Flywheel.paper(4.0).leads
    assert noise._on_contour(leads, np.zeros(1), 0.6 * smallest_distance(leads)) is None
    value, error = noise._on_contour(leads, np.array([1e6]), 1e-2)
    assert not error[0] <= 1e-6 * value[0]
