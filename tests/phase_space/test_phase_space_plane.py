"""What tells rare switching between wells."""

import numpy as np
import pytest
from phase_space_systems import boltzmann, constant

from wheelwork.phase_space import FokkerPlanck
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


def test_noise_of_the_mesh_is_no_hump():
    """Beyond both humps a coarse mesh leaves values of either sign, and at most as large."""
    clean = humps((1.0, 1.0), 12.0)
    noise = np.where(np.abs(clean.X) > 5.3, 1e-8 * (-1.0) ** np.arange(clean.X.size), 0.0)
    noisy = PlaneDistribution(clean.X, clean.P, clean.values + noise[:, None])
    assert noisy.barrier == pytest.approx(clean.barrier, abs=1e-3)
    deep = noisy.values.copy()
    deep[120] = -1e-9  # a ridge that drowned in it is still one
    assert PlaneDistribution(clean.X, clean.P, deep).barrier > 600.0


def test_a_shallow_double_well_is_solved_on_a_coarse_mesh():
    """Barrier of 2.8 temperatures: ⟨X²⟩ by Boltzmann's integral."""
    model = boltzmann(lambda x: 2.0 * x - 0.1 * x**3, constant(0.3), 0.9)
    x = np.linspace(-9.0, 9.0, 3001)
    weight = np.exp((0.5 * x**2 - 0.025 * x**4) / 0.9)
    exact = 0.5 * np.sum(weight * x**2) / np.sum(weight)
    found = FokkerPlanck(1e-2).solve(model)
    assert found.moments["x_squared"] == pytest.approx(exact, rel=1e-4)
