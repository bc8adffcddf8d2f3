"""Sampled grids whose runs are too short, unmixed or cut off: the means are kept, with bars."""

import numpy as np
import pytest

import wheelwork as ww
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.numerics.work import counted, reporting


def chain(unit=1.0, **changes):
    fields = {
        "sites": 3, "injection": 4.0 * unit, "extraction": 2.0 * unit, "damping": 0.2 * unit,
        "coupling": unit, "saturation": 20.0, "thermal_occupation": 1.0,
    }  # fmt: skip
    return ww.PowerGrid.chain(**(fields | changes))


def thermal(unit=1.0):
    """Damped oscillators at one temperature: ⟨n⟩ = 3 at each, whatever couples them."""
    return ww.PowerGrid.chain(
        sites=3, injection=0.0, extraction=0.0, damping=0.2 * unit, coupling=unit,
        thermal_occupation=3.0,
    )  # fmt: skip


def partial_of(call, match):
    with pytest.raises(NotConverged, match=match) as caught:
        call()
    assert not caught.value.partial.passed
    return caught.value.partial


def failing(state):
    return {name for name, entry in state.audit.items() if not entry.ok}


def test_a_run_without_time_for_error_estimates():
    method = ww.Langevin(duration=1.0, trajectories=32)
    partial = partial_of(lambda: thermal().steady_state(method), "blocks")
    assert {"batches", "mixing"} <= failing(partial)
    mean, error = partial.total_occupation
    assert abs(mean - 9.0) < 3.0 * error < np.inf
    alone = ww.Langevin(duration=1.0, trajectories=1)
    assert (
        partial_of(lambda: thermal().steady_state(alone), "blocks").total_occupation.standard_error
        == np.inf
    )


def test_trajectories_that_do_not_mix():
    grid = ww.PowerGrid.chain(
        sites=4, injection=4.0, extraction=2.0, damping=1e-3, saturation=1e3, thermal_occupation=0.0
    )
    method = ww.Langevin(duration=4000.0, trajectories=32)
    partial = partial_of(lambda: grid.steady_state(method), "do not mix.*`MeanField\\(\\)` lists")
    assert "mixing" in failing(partial)
    between = np.std(partial.samples.halves.mean(axis=0)[0], ddof=1)
    assert partial.total_occupation.standard_error == pytest.approx(
        np.sqrt(3.0) * between, rel=0.05
    )
    assert partial.occupation[0].standard_error > 0.0
    assert all(np.isfinite(bar) for _, bar in partial.current.values())
    assert "occupation" in repr(partial)
    assert partial.to_xarray().sizes["node"] == 4


def test_a_run_beyond_rtol_keeps_its_standard_errors():
    method = ww.Langevin(duration=400.0, trajectories=32, rtol=1e-4)
    partial = partial_of(lambda: thermal().steady_state(method), "rtol = 0.0001")
    assert "sampling error" in failing(partial)
    mean, error = partial.total_occupation
    assert abs(mean - 9.0) < 5.0 * error < 3.0
    assert "mixing" not in failing(partial)


@pytest.mark.parametrize("units", [4, 20])
def test_a_run_cut_off_is_what_it_sampled(units):
    left = [units]

    def report(task, done, total):
        left[0] -= "sampling" in task
        if left[0] < 0:
            raise NotConverged("stopped")

    method = ww.Langevin(duration=4e5, trajectories=32, step=0.1, threads=1, time_limit=1e6)
    with reporting(report):
        partial = partial_of(lambda: thermal().steady_state(method), "stopped")
    assert {"time left"} <= failing(partial)
    assert 0.0 < partial.samples.duration < 4e5
    mean, error = partial.total_occupation
    assert abs(mean - 9.0) < 5.0 * error


def test_the_short_runs_of_the_explicit_scheme_can_be_shown():
    method = ww.EulerMaruyama(0.002, duration=5.0, trajectories=64)
    partial = partial_of(lambda: thermal().steady_state(method), "mix|burn-in|remember|stationary")
    mean, error = partial.total_occupation
    assert abs(mean - 9.0) < 3.0 * error


def test_work_and_memory_are_estimated_first():
    with counted() as counts:
        with pytest.raises(NotConverged, match="steps of oscillators, more than its budget"):
            chain().steady_state(ww.Langevin(duration=1e12))
        with pytest.raises(InvalidArgument, match="`trajectories` must be at most"):
            chain(sites=200).steady_state(
                ww.Langevin(duration=100.0, trajectories=1_000_000, checked=0)
            )
    assert not counts


@pytest.mark.parametrize("unit", [1e-24, 1e-9, 1e9, 1e15])
def test_no_unit_of_rate_is_special(unit):
    def numbers(unit):
        method = ww.Langevin(duration=400.0 / unit, trajectories=32, rtol=0.1)
        with counted() as counts:
            state = chain(unit).steady_state(method)
        samples = state.samples
        times = samples.correlation_time * unit, samples.drift, samples.step * unit
        flows = state.mean_current.mean / unit, state.injected.mean / unit
        values = [*state.total_occupation, *flows, *times, *samples.mixing, *samples.memory]
        return values, counts

    (own, work), (values, counts) = numbers(1.0), numbers(unit)
    assert values == pytest.approx(own, rel=1e-9)
    assert counts == work


def test_currents_count_in_mixing_whatever_the_unit():
    """A current that each trajectory keeps is seen although it is small in numbers."""
    method = ww.Langevin(duration=400.0, trajectories=32, rtol=0.1)
    samples = chain().steady_state(method).samples
    frozen = samples.halves.copy()
    current = 2 + samples.model.sites
    frozen[:, current] = 1e-3 * np.random.default_rng(0).normal(size=frozen.shape[2])
    assert type(samples)(**{**vars(samples), "halves": frozen}).mixing.ratio > 1e6


@pytest.mark.parametrize("saturation", [1e6, 1e11])
def test_saturation_is_a_unit_of_quanta(saturation):
    method = ww.Langevin(duration=200.0, trajectories=32, rtol=0.1)
    state = chain(saturation=saturation, thermal_occupation=0.0).steady_state(method)
    branch = chain(saturation=saturation, thermal_occupation=0.0).steady_state().branch
    assert state.total_occupation.mean == pytest.approx(np.sum(branch.occupation), rel=1e-2)
