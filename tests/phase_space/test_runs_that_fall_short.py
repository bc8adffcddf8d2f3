"""Runs that are too short, unmixed or cut off: what they reached is kept, with honest bars."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from phase_space_systems import boltzmann, constant, damped_oscillator

import wheelwork as ww
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.numerics.statistics import cautious_error, standard_error
from wheelwork.numerics.work import counted, reporting
from wheelwork.phase_space import EulerMaruyama, FokkerPlanck, Langevin
from wheelwork.phase_space.langevin import run
from wheelwork.phase_space.response import on_circles


def partial_of(call, match):
    with pytest.raises(NotConverged, match=match) as caught:
        call()
    return caught.value.partial


def stop_after(units, work):
    """End a calculation as a time limit does, but at a given unit of some `work`."""
    left = [units]

    def report(task, done, total):
        left[0] -= work in task
        if left[0] < 0:
            raise NotConverged("stopped")

    return reporting(report)


def double_well(depth=1.5, temperature=0.3):
    """Wells of different depth, which trajectories do not leave in a short run."""
    return boltzmann(
        lambda x: x - depth * (x**3 - 4.0 * x) + 0.4, constant(0.2), temperature, frequency=1.0
    )


def exact_mean_x(depth=1.5, temperature=0.3):
    x = np.linspace(-4.0, 4.0, 20001)
    potential = depth * (x**4 / 4.0 - 2.0 * x**2) - 0.4 * x
    weight = np.exp(-(potential - potential.min()) / temperature)
    return np.trapezoid(x * weight, x) / np.trapezoid(weight, x)


def test_unmixed_trajectories_give_means_with_the_spread_between_them():
    method = Langevin(duration=3000.0, trajectories=32, step=0.05)
    partial = partial_of(lambda: method.sample(double_well()), "do not mix")
    assert not partial.passed
    assert not partial.audit["mixing"].ok
    mean, error = partial.moments["x"]
    off = abs(mean - exact_mean_x() / double_well().length)
    plain = error / np.sqrt(3.0 * 32.0)
    assert off > 3.0 * plain  # what an error over √n would have promised
    assert off < 2.0 * error


def test_a_run_that_still_relaxes_is_not_further_off_than_its_bar():
    model = damped_oscillator(friction=0.002, diffusion=0.008)  # <X²> = T/2 = 1, from 0
    method = EulerMaruyama(0.01, duration=200.0, trajectories=64, checked=0)
    partial = partial_of(lambda: method.sample(model), "stationary|too short|mix")
    mean, error = partial.moments["x_squared"]
    assert mean < 0.5
    assert abs(mean - 1.0) < 5.0 * error


@pytest.mark.parametrize("burn_in", [None, 100.0])
def test_bars_of_runs_that_remember_their_starts_hold_the_mean(burn_in):
    """Runs of one relaxation time 1/γ, ten of them: ⟨X²⟩ = T/2 = 1 within two bars of three."""
    model, held = damped_oscillator(friction=0.002, diffusion=0.008), 0
    for seed in range(10):
        method = Langevin(
            duration=600.0, trajectories=16, step=0.5, seed=seed, burn_in=burn_in, checked=0
        )
        try:
            samples = method.sample(model)
        except NotConverged as reason:
            samples = reason.partial
        assert not samples.passed
        mean, error = samples.moments["x_squared"]
        held += abs(mean - 1.0) < error
    assert held >= 7


def test_the_shortest_run_keeps_its_means():
    method = Langevin(duration=1.0, trajectories=16, step=0.01)
    partial = partial_of(lambda: method.sample(damped_oscillator()), "burn-in cannot be told")
    assert partial.duration == pytest.approx(2.56)
    assert not partial.passed
    assert np.isfinite(partial.moments["phonon_number"].standard_error)
    alone = Langevin(duration=1.0, trajectories=1, step=0.01)
    partial = partial_of(lambda: alone.sample(damped_oscillator()), "burn-in cannot be told")
    assert partial.moments["x"].standard_error == np.inf


def test_a_run_cut_off_is_what_it_sampled_and_can_be_continued():
    model = damped_oscillator()
    whole = Langevin(duration=2000.0, trajectories=16, step=0.05)
    with stop_after(3, "sampling"):
        partial = partial_of(lambda: whole.sample(model), "stopped")
    assert 0.0 < partial.duration < 2000.0
    assert partial.audit["time left"].value == pytest.approx(2009.6 - partial.duration)
    assert [name for name, entry in partial.audit.items() if not entry.ok] == ["time left"]
    mean, error = partial.moments["x_squared"]
    assert abs(mean - 1.0) < 5.0 * error < 0.5  # T/2 = 1; a fair sample has standard errors
    continued, straight = whole.sample(model, after=partial), whole.sample(model)
    assert continued.moments == straight.moments


@pytest.mark.parametrize("kind", ["correlations", "spectrum", "histogram", "solve"])
def test_what_is_made_of_samples_is_kept_too(kind):
    method = Langevin(duration=3000.0, trajectories=32, step=0.05)
    calls = {
        "correlations": lambda: method.correlations(double_well(), [0.0, 1.0]),
        "spectrum": lambda: method.spectrum(double_well(), 0.5),
        "histogram": lambda: method.histogram(double_well(), 50),
        "solve": lambda: method.solve(double_well()),
    }
    partial = partial_of(calls[kind], "do not mix")
    audit = partial.checks if kind == "solve" else partial.samples.audit
    assert not audit["mixing"].ok
    if kind == "correlations":
        assert abs(partial.position[0] - partial.samples.moments["x_squared"].mean * 2.0) < 1e-3
        assert partial.position_error[1] > 0.0
    if kind == "solve":
        assert partial.widening > 4.0  # the spread of 32 trajectories over its standard error


def test_a_sampled_state_of_a_flywheel_is_kept_with_a_failing_audit():
    device = ww.Flywheel.paper(bias=8.0)
    partial = partial_of(
        lambda: device.steady_state(ww.Langevin(duration=2e4, trajectories=32)), "mix|short|burn-in"
    )
    assert isinstance(partial, type(device.steady_state()))
    assert not partial.passed
    assert abs(partial.phonon_number - 28.862) < 3.0 * partial.error("phonon_number")
    assert partial.error("energy") == pytest.approx(0.2 * partial.error("phonon_number"))
    accurate = ww.Langevin(duration=2e5, trajectories=32, rtol=1e-3)
    partial = partial_of(lambda: device.steady_state(accurate), "rtol = 0.001")
    assert next(name for name, entry in partial.audit.items() if not entry.ok) == "estimated error"


def test_an_evolution_cut_off_ends_at_the_time_reached():
    device = ww.Flywheel.paper(bias=16.0)
    times = [10.0, 400.0, 4000.0]
    with stop_after(5, "evolution in time"):
        partial = partial_of(lambda: device.evolve(ww.Ground(), times), "stopped")
    assert not partial.passed
    assert not partial.audit["time left"].ok
    assert 10.0 < partial.times[-1] < 4000.0
    again = device.evolve(ww.Ground(), partial.times)
    assert partial.energy[-1] == pytest.approx(again.energy[-1], rel=1e-6)


def test_correlations_that_miss_rtol_are_kept():
    device = ww.Flywheel.paper(bias=8.0)
    with stop_after(2, "on orbits"):
        partial = partial_of(lambda: device.correlations(FokkerPlanck(1e-9)), "stopped")
    assert not partial.passed
    assert partial.error > 1e-9
    assert partial.line.width == pytest.approx(2.170e-4, rel=1e-3)


def test_correlations_whose_functions_lose_their_digits_are_refused_by_name(monkeypatch):
    """Where W varies by very many orders of magnitude over the orbits."""
    right, calls = on_circles.cholesky, []

    def cholesky(block, **options):
        calls.append(block)
        return right(block if len(calls) < 5 else -block, **options)

    monkeypatch.setattr(on_circles, "cholesky", cholesky)
    device = ww.Flywheel.paper(bias=8.0)
    partial = partial_of(lambda: device.correlations(FokkerPlanck(1e-9)), "lost their digits")
    assert not partial.passed


def test_correlations_can_be_pickled_and_compared():
    response = ww.Flywheel.paper(bias=8.0).correlations(FokkerPlanck(1e-4))
    again = pickle.loads(pickle.dumps(response))
    assert again.g2([0.0, 10.0]) == pytest.approx(response.g2([0.0, 10.0]), rel=1e-14)
    assert again.relaxation.slowest_mode() == pytest.approx(response.relaxation.slowest_mode())
    assert response != again  # by identity, and no error from arrays
    assert len({response, again}) == 2
    run_of = ww.Flywheel.paper(bias=8.0).evolve(ww.Ground(), [1.0, 2.0])
    assert run_of[0] != run_of[1]
    assert len({run_of, *run_of}) == 3


def test_work_beyond_the_budget_is_refused_before_it_begins():
    device = ww.Flywheel.paper(bias=8.0)
    with counted() as counts:
        with pytest.raises(NotConverged, match="periods, more than its budget"):
            device.evolve(ww.Ground(), [1e9])
        with pytest.raises(NotConverged, match="steps of oscillators, more than its budget"):
            device.sample(ww.Langevin(duration=1e13, step=1.0))
    assert counts.keys() <= {"tables", "region of the state"}
    limited = ww.Langevin(duration=1e13, step=1.0, trajectories=16, time_limit=1e-9)
    with pytest.raises(NotConverged, match="time limit"):
        device.sample(limited)


@pytest.mark.parametrize("unit", [1e-24, 1e-9, 1e9, 1e15])
def test_no_unit_of_energy_is_special(unit):
    def numbers(unit):
        model = damped_oscillator(friction=0.3, diffusion=1.2 * unit, frequency=unit, mass=1 / unit)
        method = Langevin(duration=2000.0 / unit, trajectories=16)
        with counted() as counts:
            samples = method.sample(model)
            found = method.correlations(model, [0.0, 1.0 / unit])
            response = FokkerPlanck().correlations(model)
        numbers = [*samples.moments["phonon_number"], samples.details["correlation_time"] * unit]
        numbers += (found.position / model.length**2).tolist()
        numbers += [response.line.width / unit, response.line.frequency / unit]
        return numbers, counts

    assert numbers(unit)[0] == pytest.approx(numbers(1.0)[0], rel=1e-9)
    assert numbers(unit)[1] == numbers(1.0)[1]


def test_delays_too_short_for_the_oscillator_are_refused():
    fast = damped_oscillator(frequency=1e15, diffusion=1e15, mass=1e-15)
    method = Langevin(duration=4e-12, trajectories=16)
    assert method.correlations(fast, [0.0, 1e-15]).delays[1] == pytest.approx(1e-15)
    with pytest.raises(InvalidArgument, match="millionth"):
        method.correlations(fast, [1e-22])


def test_models_are_told_apart_in_every_rate():
    rates = np.stack([1e-9 * np.ones(5), 1e-15 * np.ones(5), 1e12 * np.ones(5)])
    other = rates.copy()
    other[1] *= 1.001  # small against the other rates, which have other units
    assert run.same_rates(tuple(rates.ravel()), tuple(rates.ravel()))
    assert not run.same_rates(tuple(rates.ravel()), tuple(other.ravel()))


def test_cautious_errors():
    generator = np.random.default_rng(1)
    fair = generator.normal(size=(2, 400))
    change = abs(float(np.mean(fair[1]) - np.mean(fair[0])))
    alike = max(change, float(np.std(fair.mean(axis=0), ddof=1)) / 20.0)
    assert cautious_error(fair, unmixed=False) == pytest.approx(alike)
    assert cautious_error(fair, unmixed=True) == pytest.approx(np.sqrt(1.5), rel=0.1)
    drifting = fair + np.array([[-3.0], [3.0]])
    assert cautious_error(drifting, unmixed=False) == pytest.approx(6.0, rel=0.03)
    assert standard_error(drifting[1:] - drifting[1:].mean()) < 0.1
    assert cautious_error(fair[:, :1], unmixed=False) == np.inf


def test_validity_of_an_evolution_is_that_of_all_its_snapshots():
    device, rough = ww.Flywheel.paper(bias=0.0), ww.FokkerPlanck(1e-3)
    wide, narrow = (device.evolve(one, [1.0], rough) for one in (ww.Coherent(12.0), ww.Ground()))
    snapshots = wide.evolution.snapshots + narrow.evolution.snapshots
    both = replace(wide, evolution=replace(wide.evolution, snapshots=snapshots))
    early, late = (one.validity["noise colour"].value for one in both)
    assert early > 1.5 * late
    assert both.validity["noise colour"].value >= 0.9 * early


def test_an_evolution_has_a_budget_of_work_unless_there_is_a_time_limit(monkeypatch):
    device = ww.Flywheel.paper(bias=16.0)
    times = [10.0, 400.0]
    monkeypatch.setattr("wheelwork.phase_space.evolution.evolve.FIRST_WORK", 1e6)
    monkeypatch.setattr("wheelwork.phase_space.evolution.evolve.WORK_PER_PERIOD", 0.0)
    with counted() as work:
        partial = partial_of(lambda: device.evolve(ww.Ground(), times), "its budget of 1e")
    assert work["evolution in time"] < 30
    assert not partial.passed
    assert partial.times[-1] < 400.0
    guarded = device.evolve(ww.Ground(), times, FokkerPlanck(time_limit=600.0))
    assert guarded.energy[0] == pytest.approx(partial.energy[0], rel=1e-9)


def test_a_device_goes_on_from_what_was_reached():
    device = ww.Flywheel.paper(bias=8.0)
    method = Langevin(duration=600.0, step=1.0, trajectories=16, checked=0, burn_in=200.0)
    begun, whole = device.sample(method), method.replace(duration=2000.0)
    assert device.sample(whole, after=begun).moments == device.sample(whole).moments
