"""What tells rare switching between wells."""

import numpy as np
import pytest

from wheelwork.phase_space.stationary.plane import PlaneDistribution


def humps(heights, depth):
    """Two Gaussian humps in X, the ridge between them e^-depth of a hump of height one."""
    X, P = np.linspace(-6.0, 6.0, 241), np.linspace(-4.0, 4.0, 81)
    width = 2.5 / np.sqrt(2.0 * (depth + np.log(2.0)))  # both tails add up on the ridge
    profile = sum(
        height * np.exp(-((X - centre) ** 2) / (2.0 * width**2))
        for height, centre in zip(heights, (-2.5, 2.5), strict=True)
    )
    return PlaneDistribution(X, P, profile[:, None] * np.exp(-(P**2)))


@pytest.mark.parametrize("depth", [5.0, 12.0])
def test_barrier_is_the_depth_of_the_dip(depth):
    assert humps((1.0, 1.0), depth).barrier == pytest.approx(depth, abs=0.01)


def test_barrier_is_counted_from_the_lower_hump():
    equal, unequal = humps((1.0, 1.0), 8.0).barrier, humps((1.0, 0.2), 8.0).barrier
    assert 0.0 < unequal < equal


def test_one_hump_has_no_barrier():
    assert humps((1.0, 0.0), 8.0).barrier == 0.0
