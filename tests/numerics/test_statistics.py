"""Standard errors, batches and tests of stationarity against series whose answers are known."""

import numpy as np
import pytest

from wheelwork.errors import NotConverged
from wheelwork.numerics.stationarity import half_means, memory, mixing, truncation
from wheelwork.numerics.statistics import (
    Batches,
    jackknife_error,
    standard_error,
    trajectory_groups,
)


@pytest.mark.parametrize("correlation", [0.0, 0.4])
def test_standard_error_of_correlated_batches(correlation):
    """A first-order autoregressive series: variance of the mean s² (1 + φ)/(1 − φ)/n."""
    noise = np.random.default_rng(5).normal(size=(4000, 10))
    series = noise.copy()
    for i in range(1, len(series)):
        series[i] = correlation * series[i - 1] + noise[i]
    exact = 1.0 / (1.0 - correlation) / np.sqrt(noise.size)
    assert standard_error(series - series.mean()) == pytest.approx(exact, rel=0.03)


def test_batches_that_hang_together_are_refused():
    ramp = np.linspace(-1.0, 1.0, 64)[:, None]
    with pytest.raises(NotConverged, match="too strongly correlated"):
        standard_error(ramp)


@pytest.mark.parametrize(("trajectories", "per_trajectory"), [(16, 1), (8, 8), (1, 80)])
def test_batches_hold_the_means_of_their_samples(trajectories, per_trajectory):
    """With 16 trajectories one batch each, with fewer at least 64 in all."""
    random = np.random.default_rng(1)
    samples = np.full(80, 5)
    sums = samples[:, None, None] * random.normal(size=(80, 3, trajectories))
    batches = Batches.of(sums, samples)
    assert batches.values.shape == (per_trajectory, trajectories, 3)
    assert batches.mean == pytest.approx((sums / 5.0).mean(axis=(0, 2)))
    assert batches.values.mean(axis=(0, 1)) == pytest.approx(batches.mean)
    assert batches.rows(1, 2).value == pytest.approx(batches.mean[1:])
    gradient = np.array([1.0, -2.0, 0.5])
    chosen = batches.rows(0, 3).combined(gradient[None])
    assert chosen.deviations[..., 0] == pytest.approx(batches.deviations(gradient))
    assert chosen.estimates[0].mean == pytest.approx(gradient @ batches.mean)


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(2).normal(size=32)
    left_out = (values.sum() - values) / 31.0
    assert jackknife_error(left_out) == pytest.approx(np.std(values, ddof=1) / np.sqrt(32.0))


@pytest.mark.parametrize("trajectories", [5, 32, 100])
def test_groups_are_even_and_ascending(trajectories):
    groups = trajectory_groups(trajectories)
    sizes = np.bincount(groups)
    assert np.all(np.diff(groups) >= 0)
    assert len(sizes) == min(trajectories, 32)
    assert sizes.max() - sizes.min() <= 1


def test_halves_are_weighted_by_their_samples():
    sums = np.array([1.0, 2.0, 6.0])[:, None, None] * np.ones((1, 2, 4))
    halves = half_means(sums, np.array([1, 1, 4]), 2)
    assert halves == pytest.approx(1.5 * np.ones((2, 2, 4)))


def test_mixing_tells_two_states_from_chance():
    random = np.random.default_rng(3)
    first, second = random.normal(size=(2, 3, 64))
    alike = mixing(first, second)
    assert alike.ratio < alike.bound
    apart = 3.0 * np.sign(random.normal(size=64))
    stuck = mixing(first + apart, second + apart)
    assert stuck.ratio > stuck.bound
    assert np.isnan(mixing(first[:, :1], second[:, :1]).ratio)


def test_memory_tells_what_follows_its_start_from_chance():
    random = np.random.default_rng(4)
    starts, first = random.normal(10.0, 1.0, size=(2, 3, 64))
    forgotten = memory(starts, first)
    assert forgotten.ratio < forgotten.bound
    kept = memory(starts, first + starts)
    assert kept.ratio > kept.bound
    assert memory(starts, np.ones((3, 64))).ratio == 0.0
    assert np.isnan(memory(starts[:, :15], first[:, :15]).ratio)


def test_truncation_leaves_out_a_transient():
    random = np.random.default_rng(5)
    series = random.normal(size=(128, 2))
    assert truncation(series) <= 12
    series[:, 1] += 30.0 * np.exp(-np.arange(128) / 4.0)
    assert 20 <= truncation(series) <= 64
