"""Runs of sampled amplitudes: same bits on any number of threads, errors, refusals."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from network_noise_systems import (
    Local,
    chain,
    gaussian_covariance,
    laser,
    laser_moment,
    network,
    nothing,
    saturable,
    settings,
)

from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.oscillator_networks.langevin import run
from wheelwork.oscillator_networks.langevin.run import Course, Run
from wheelwork.oscillator_networks.langevin.samples import random_starts, sample_amplitudes
from wheelwork.oscillator_networks.langevin.steps import Stepper


def active_chain(sites=5, thermal=3.0, loss=3.0, **numbers):
    gain = saturable(2.0, 4.0)
    local = Local((gain, lambda n: -saturable(loss, 4.0)(n)), (gain, nothing), (4.0, 4.0))
    ends = (0, sites - 1)
    fields = {"coupling": 1.0, "damping": 0.1} | numbers
    return chain(sites, thermal=thermal, active=ends, local=local, **fields)


# 37 lanes leave remainders in every vector.
SHORT = settings(duration=400.0, trajectories=37, checked=11, seed=5)


@pytest.fixture(scope="module")
def whole():
    return sample_amplitudes(active_chain(), SHORT)


def same_bits(a, b):
    assert np.array_equal(a.fine.batches.mean, b.fine.batches.mean)
    assert np.array_equal(a.fine.batches.values, b.fine.batches.values)
    assert np.array_equal(a.coarse.batches.values, b.coarse.batches.values)
    assert np.array_equal(a.counts, b.counts)
    assert np.array_equal(a.halves, b.halves)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_do_not_change_a_bit(whole, threads):
    same_bits(whole, sample_amplitudes(active_chain(), replace(SHORT, threads=threads)))


def test_the_loop_does_not_change_a_bit(whole, monkeypatch):
    monkeypatch.setattr(run, "SITE_STEPS", 1)
    same_bits(whole, sample_amplitudes(active_chain(), SHORT))


def test_threads_do_not_change_a_bit_without_burn_in():
    chosen = replace(SHORT, burn_in=0.0)
    one, three = (
        sample_amplitudes(active_chain(), replace(chosen, threads=threads)) for threads in (1, 3)
    )
    assert np.array_equal(one.bin_width, three.bin_width)
    same_bits(one, three)


@pytest.mark.parametrize("lanes", [16, 33])
def test_bundles_do_not_change_a_bit(whole, lanes, monkeypatch):
    monkeypatch.setattr(run, "MOST_LANES", lanes)
    same_bits(whole, sample_amplitudes(active_chain(), SHORT))


@pytest.mark.parametrize("sites", [5, 30])
def test_trajectories_do_not_know_of_each_other(sites):
    model = active_chain(sites)
    many, few = (
        sample_amplitudes(model, replace(SHORT, trajectories=lanes, checked=0))
        for lanes in (37, 19)
    )
    assert np.array_equal(many.fine.batches.values[:, :19], few.fine.batches.values)


@pytest.mark.parametrize("sites", [5, 30])
def test_another_seed_is_another_run(sites):
    model = active_chain(sites)
    means = [
        sample_amplitudes(model, replace(SHORT, seed=seed)).fine.batches.mean for seed in (5, 6)
    ]
    assert not np.any(means[0] == means[1])


def test_memory_does_not_grow_with_duration(whole):
    longer = sample_amplitudes(active_chain(), replace(SHORT, duration=1600.0))
    assert longer.fine.batches.values.shape == whole.fine.batches.values.shape
    assert longer.counts.shape == whole.counts.shape
    assert longer.counts.sum() == pytest.approx(4 * whole.counts.sum(), rel=0.1)


def test_the_same_path_at_twice_the_step():
    """The change with the step is known far better than either mean."""
    model = active_chain()
    found = sample_amplitudes(model, settings(duration=4000.0, trajectories=64, checked=64))
    apart = found.coarse.total.deviations - found.alike.total.deviations
    assert np.std(apart) < 0.25 * np.std(found.alike.total.deviations)
    half = sample_amplitudes(model, settings(duration=4000.0, step=0.2, checked=0))
    change = found.coarse.total.value - found.fine.total.value
    difference = half.fine.total.value - found.fine.total.value
    error = np.hypot(half.fine.total.errors, found.fine.total.errors)
    assert abs(change - difference) < 5.0 * error


def test_step_error_predicts_the_error():
    model = laser(gain=6.0, saturation=2.0, damping=1.0, thermal=2.0)
    found = sample_amplitudes(
        model, settings(duration=4e4, step=0.5, trajectories=128, checked=128)
    )
    off = abs(found.fine.total.value[0] - laser_moment(model, 1))
    predicted = found.step_error(lambda means: means.total)[0]
    assert predicted == pytest.approx(off, rel=0.4)


def test_error_bars_cover_the_truth():
    """Of 60 runs some 41 are within one standard error, 57 within two."""
    model = chain(3, coupling=1.0, damping=[0.5, 0.2, 0.3], thermal=[4.0, 0.0, 1.0])
    exact = gaussian_covariance(model)
    current = model.couplings * exact[model.edges[:, 1], model.edges[:, 0]].imag
    off = []
    for seed, lanes in itertools.product(range(30), (4, 16)):
        duration = 3000.0 if lanes == 4 else 750.0
        chosen = settings(duration=duration, trajectories=lanes, step=0.5, seed=seed)
        found = sample_amplitudes(model, chosen).fine
        off.append((found.current.value - current) / found.current.errors)
        off.append((found.total.value - np.trace(exact).real) / found.total.errors)
    flat = np.abs(np.concatenate(off))
    assert flat.size == 180
    assert 0.55 < np.mean(flat < 1.0) < 0.8
    assert np.mean(flat < 2.0) > 0.88
    assert np.max(flat) < 5.0


def test_standard_errors_of_fluctuations_by_the_delta_method(whole):
    found = whole.fine.fluctuation
    batches = whole.fine.batches.values[0]
    first = batches[:, 7:11]
    second = batches[:, 11:15]
    spread = np.sqrt(second - first**2)
    plain = np.std(spread, axis=0) / np.sqrt(len(spread) - 1)
    assert np.allclose(found.errors, plain, rtol=0.25)


# ---------------------------------------------------------------- histograms


def test_histograms_hold_every_fourth_sample(whole):
    samples = (whole.course.parts[-1] - whole.course.parts[0]) * 16 * 37
    assert np.all(whole.counts.sum(axis=(0, 1, 3)) == samples)


def test_histograms_of_a_thermal_oscillator():
    model = network([], 1.0, 0.5, 3.0)
    found = sample_amplitudes(model, settings(duration=4e4, step=1.0))
    counts = found.counts.sum(axis=(0, 1))[0]
    edges = np.append(np.arange(64) * found.bin_width[0], np.inf)
    exact = np.diff(-np.exp(-(edges**2) / 3.0))
    share = counts / counts.sum()
    assert np.max(np.abs(share - exact)) < 2e-3
    assert abs(np.sum(share * np.arange(64)) - np.sum(exact * np.arange(64))) < 0.1


# ---------------------------------------------------------------- refusals


def test_trajectories_that_stay_apart_are_refused():
    def rate(n):  # two stable occupations, 1 and 9, and one that is not, 4
        return -0.02 * (n - 1.0) * (n - 4.0) * (n - 9.0) / (1.0 + n) ** 3

    model = network([], 1.0, 0.0, 0.0, active=(0,), local=Local((rate,), (lambda n: 1e-3 + 0 * n,)))
    with pytest.raises(NotConverged, match="do not mix"):
        sample_amplitudes(model, settings(duration=3e4, step=0.5))


def test_without_noise_one_attractor_is_no_lack_of_mixing():
    quiet = Local((saturable(1.0, 1.0),), (nothing,))
    model = network([], 1.0, 0.25, 0.0, active=(0,), local=quiet)
    found = sample_amplitudes(model, settings(duration=2000.0))
    assert found.fine.total.value[0] == pytest.approx(1.0, rel=1e-4)
    assert found.correlation_time == 0.0


def test_a_run_that_still_drifts_is_refused():
    model = network([], 1.0, 1e-5, 100.0)
    with pytest.raises(NotConverged, match=r"not stationary|do not mix|burn-in"):
        sample_amplitudes(model, settings(duration=4000.0, step=1.0))


def test_too_short():
    with pytest.raises(NotConverged, match="raise `duration`"):
        sample_amplitudes(active_chain(), settings(duration=30.0))
    with pytest.raises(NotConverged, match="burn-in"):
        sample_amplitudes(
            chain(2, coupling=1.0, damping=1e-2, thermal=1.0), settings(duration=900.0)
        )


def test_a_given_burn_in_is_the_users_judgement():
    model = network([], 1.0, 1e-5, 100.0)
    found = sample_amplitudes(model, settings(duration=4000.0, step=1.0, burn_in=100.0))
    assert found.burn_in == 256.0


def test_few_trajectories_need_many_blocks():
    with pytest.raises(NotConverged, match="64 blocks"):
        sample_amplitudes(active_chain(), settings(duration=400.0, trajectories=1))
    assert Course.of(100, 25, 2).parts[-1] == 100


@pytest.mark.parametrize("step", [1.01, 50.0])
def test_steps_beyond_the_network_are_refused(step):
    with pytest.raises(InvalidArgument, match="`step` must be at most 1 "):
        sample_amplitudes(active_chain(), settings(duration=1e5, step=step))


def test_euler_steps_that_let_amplitudes_grow_are_refused():
    # 1 + (−γ/2 ± ig/2)Δt is unstable from Δt = γ/|λ|² on
    model = active_chain(2)
    limit = 0.1 / (0.05**2 + 0.25)
    with pytest.raises(InvalidArgument, match=f"at most {limit:.3g} for Euler"):
        sample_amplitudes(model, settings(step=1.01 * limit, euler=True))


def test_amplitudes_without_bound_are_noticed():
    growing = Local((lambda n: 1.0 + 0.0 * n,), (nothing,))
    model = network([], 1.0, 0.1, 1.0, active=(0,), local=growing)
    with pytest.raises(NotConverged, match="beyond all bounds"):
        sample_amplitudes(model, settings(duration=5e4, step=1.0))


def test_a_coarse_step_may_fail_alone():
    """At 2Δt Euler's scheme is unstable: the check is lost, the run is not."""
    model = network([(0, 1)], 1.0, 0.02, 3.0)
    chosen = settings(duration=3e4, step=0.06, euler=True, checked=8, burn_in=2000.0)
    found = sample_amplitudes(model, chosen)
    assert found.coarse is None
    assert np.all(np.isnan(found.step_error(lambda means: means.total)))


def test_starts_are_spread_and_belong_to_their_trajectory():
    model = active_chain()
    starts = random_starts(model, 7, 400)
    n = starts[::2] ** 2 + starts[1::2] ** 2
    scale = model.occupation_scale
    assert scale >= 3.0
    assert np.percentile(n, 5) < 0.1 * scale
    assert np.percentile(n, 95) > 3.0 * scale
    assert np.array_equal(starts[:, :10], random_starts(model, 7, 10))
    # phases and signs are even, sites are independent
    unit = starts / np.sqrt(np.repeat(n, 2, axis=0))
    assert np.all(np.abs(unit @ unit.T / 400 - 0.5 * np.eye(10)) < 0.15)


def test_unequal_lanes_of_bundles_cover_all():
    model = active_chain()
    course = Course.of(8, 2, 37)
    assert course.parts == (2, 5, 8)
    chosen = Run(model, 1, 3)
    stepper = Stepper.of(SHORT, model, 0.1)
    ensemble = chosen.ensemble(stepper, random_starts(model, 1, 37), 2, False, True)
    places = np.concatenate([b.lanes.start + np.arange(b.state.shape[1]) for b in ensemble.bundles])
    assert np.array_equal(places, np.arange(37))


def test_printouts_are_short(whole):
    assert repr(whole.model) == "NoisyModel(5 sites, 4 edges, 2 active)"
    assert repr(whole).startswith("AmplitudeSamples(NoisyModel(5 sites")
    assert repr(whole.fine.occupation) == "Sampled(5 numbers, 37 batches)"
    assert len(repr(whole.fine)) < 100
